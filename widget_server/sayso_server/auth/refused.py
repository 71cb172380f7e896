"""How a token is turned away."""

from http import HTTPStatus
from typing import NamedTuple

from sayso.wire import Code, TokenClass
from sayso_server.auth.claims import Claims

_UNAUTHENTICATED = frozenset({Code.TOKEN_MISSING, Code.TOKEN_INVALID, Code.TOKEN_EXPIRED, Code.TOKEN_USED})


class Lacking(NamedTuple):
    """Roles that a token claims and its key doesn't have. Its signature is good: whoever made it has the key.

    Attributes:
        brand_id: Whose key.
        token_class: The token's.
        roles: Which, in order.
    """

    brand_id: str
    token_class: TokenClass
    roles: tuple[str, ...]


class TokenRefusedError(Exception):
    """The token is not accepted, or not for this.

    Attributes:
        code: `token_missing`, `token_invalid`, `token_expired`, `token_used`, `rate_limited`, `scope` or `origin`.
        why: Which rule refused it. For the operator's debug log alone: an answer says the code and nothing
            more, so that nobody can feel their way to a token that passes. Holds nothing of the token itself.
        expired: What the token says, if having expired is all that is known to be wrong with it.
        lacking: With `scope`, which roles are missing.
    """

    def __init__(self, code: Code, why: str, *, expired: Claims | None = None, lacking: Lacking | None = None) -> None:
        """Keep the code for the answer and the rule for the log."""
        super().__init__(f"{code.value}: {why}")
        self.code = code
        self.why = why
        self.expired = expired
        self.lacking = lacking

    @property
    def status(self) -> HTTPStatus:
        """401 when nobody is known to be calling, 403 when the caller is known and may not, 429 when not now."""
        if self.code is Code.RATE_LIMITED:
            return HTTPStatus.TOO_MANY_REQUESTS
        return HTTPStatus.UNAUTHORIZED if self.code in _UNAUTHENTICATED else HTTPStatus.FORBIDDEN
