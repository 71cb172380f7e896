"""Tokens that may be used once only, where a second use could not be told from an eavesdropper's.

Remembered in this process alone: a token that was used just before the server restarted counts once more, until
it expires.
"""

from datetime import timedelta

from sayso.model.instant import Micros, span_micros
from sayso.wire import Code
from sayso_server.auth.claims import Claims
from sayso_server.auth.refused import TokenRefusedError
from sayso_server.auth.token import LEEWAY

PER_KEY = 10_000
"""Used tokens that are remembered for one key: 33 a second for the five minutes that a backend's lives."""
_LEEWAY = span_micros(LEEWAY)
_SWEEP_EVERY = span_micros(timedelta(minutes=1))


class UsedTokens:
    """Remembers which tokens were used up. Belongs to one event loop.

    A key that uses up more than can be remembered has to wait: forgetting one that still counts would let it be used
    again. No key can make another wait.
    """

    def __init__(self, *, per_key: int = PER_KEY) -> None:
        """Remember at most `per_key` tokens of each key."""
        self._per_key = per_key
        self._until: dict[str, dict[str, Micros]] = {}
        self._sweep_at: Micros = 0

    def use(self, claims: Claims, *, now: Micros) -> None:
        """Use a verified token up.

        Args:
            claims: What it says.
            now: The server's time in microseconds.

        Raises:
            TokenRefusedError: `token_used` if it was used up before, `rate_limited` if its key has used up too many.
        """
        if now >= self._sweep_at:
            for key_id in list(self._until):
                self._forget(key_id, now)
            self._sweep_at = now + _SWEEP_EVERY
        used = self._until.setdefault(claims.key_id, {})
        if now < used.get(claims.jti, 0):
            raise TokenRefusedError(Code.TOKEN_USED, "jti")
        if len(used) >= self._per_key:
            self._forget(claims.key_id, now)
            used = self._until.setdefault(claims.key_id, {})
            if len(used) >= self._per_key:
                raise TokenRefusedError(Code.RATE_LIMITED, "too many used tokens")
        used[claims.jti] = claims.expires_at + _LEEWAY

    def __len__(self) -> int:
        return sum(map(len, self._until.values()))

    def _forget(self, key_id: str, now: Micros) -> None:
        left = {jti: until for jti, until in self._until.pop(key_id).items() if now < until}
        if left:
            self._until[key_id] = left
