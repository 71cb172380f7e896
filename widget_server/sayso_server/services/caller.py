"""Who is asking, as a verified token or a link says."""

from dataclasses import dataclass, field

from sayso.model.instant import Micros
from sayso.wire import TokenClass

GUARDIAN_LINK = "guardian"
"""The name of the link by which a guardian answers: the only way in which a guardian's choice is recorded."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The other side of a request.

    Attributes:
        brand_id: The brand of the key that signed the token, or of the link.
        key_id: That key; `link:<name>` for a link.
        token_class: Backend, consumer or staff; None for a link, which is no token.
        subject: The consumer or the staff member; None for a backend.
        origin: The page it came from, for consumer tokens.
        expires_at: When the token ends; what goes on beyond one answer ends with it.
        roles: What the token claims to be, within its key's roles; none for consumers and links.
        token_id: The token's own id; empty for a link.
        since: What is said now began then at the latest: a consumer's token was signed, anybody else's request came.
            None for now.
    """

    brand_id: str
    key_id: str
    token_class: TokenClass | None
    subject: str | None = None
    origin: str | None = None
    expires_at: Micros = 0
    roles: frozenset[str] = frozenset()
    token_id: str = ""
    since: Micros | None = field(default=None, compare=False)

    @classmethod
    def by_link(cls, brand_id: str, name: str, *, since: Micros | None = None) -> "Caller":
        """Give the caller of a route that takes no token: whoever holds a link that the server handed out.

        Args:
            brand_id: The brand that the link belongs to.
            name: What kind of link, such as `unsubscribe`, `preferences` or `guardian`; never the link itself.
            since: When it was looked up.
        """
        return cls(brand_id, f"link:{name}", None, since=since)

    def stamp(self) -> dict[str, str]:
        """Give what is kept with each change as `recorded_by`."""
        stamp = {"key": self.key_id, "class": "link" if self.token_class is None else self.token_class.value}
        if self.token_class is TokenClass.STAFF and self.subject is not None:
            stamp["staff"] = self.subject
        if self.origin is not None:
            stamp["origin"] = self.origin
        return stamp
