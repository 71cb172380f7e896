"""Who is asking, as a verified token says."""

from dataclasses import dataclass

from sayso.model.instant import Micros
from sayso.wire import TokenClass


@dataclass(frozen=True, slots=True)
class Caller:
    """The other side of a request.

    Attributes:
        brand_id: The brand of the key that signed the token.
        key_id: That key.
        token_class: Backend, consumer or staff.
        subject: The consumer or the staff member; None for a backend.
        origin: The page it came from, for consumer tokens.
        expires_at: When the token ends; what goes on beyond one answer ends with it.
    """

    brand_id: str
    key_id: str
    token_class: TokenClass
    subject: str | None = None
    origin: str | None = None
    expires_at: Micros = 0

    def stamp(self) -> dict[str, str]:
        """Give what is kept with each change as `recorded_by`."""
        stamp = {"key": self.key_id, "class": self.token_class.value}
        if self.token_class is TokenClass.STAFF and self.subject is not None:
            stamp["staff"] = self.subject
        if self.origin is not None:
            stamp["origin"] = self.origin
        return stamp
