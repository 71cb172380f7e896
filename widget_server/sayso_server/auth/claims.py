"""What a verified token says."""

from dataclasses import dataclass

from sayso.model.instant import Micros
from sayso.wire import TokenClass


@dataclass(frozen=True, slots=True)
class Claims:
    """A verified token: each claim was held against its key, none taken on the token's word alone.

    Attributes:
        key_id: The key that signed it.
        brand_id: That key's brand.
        token_class: Backend, consumer or staff.
        subject: The consumer or the staff member; None for a backend.
        scope: The roles it acts in, all of them the key's; empty for a consumer.
        origins: Where a consumer's token may be used from; empty for others.
        issued_at: When it was signed, in microseconds.
        expires_at: From when on it is no longer accepted, in microseconds.
        jti: Its own id.
    """

    key_id: str
    brand_id: str
    token_class: TokenClass
    subject: str | None
    scope: frozenset[str]
    origins: tuple[str, ...]
    issued_at: Micros
    expires_at: Micros
    jti: str
