"""The keys that tokens are verified with, each parsed once."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sayso.wire import TokenClass
from sayso_server.auth.algorithm import Algorithm, parse_public_key, secret_bytes
from sayso_server.storage.base import StoredKey

if TYPE_CHECKING:
    from sayso_server.auth.algorithm import PublicKey


@dataclass(frozen=True, slots=True, eq=False)
class Key:
    """A registered key, ready to verify with. Two are the same only if they are one object.

    Attributes:
        key_id: Its `kid`, unique over all brands.
        brand_id: The only brand it may speak for.
        algorithm: The only algorithm it verifies.
        classes: The classes of tokens it may sign.
        roles: The most that a token's scope may hold.
        revoked: Nothing it signed is accepted any more.
        material: The secret's bytes or the public key.
        source: What it was made from, to tell whether that has changed.
    """

    key_id: str
    brand_id: str
    algorithm: Algorithm
    classes: frozenset[TokenClass]
    roles: frozenset[str]
    revoked: bool
    material: "bytes | PublicKey" = field(repr=False)
    source: tuple[StoredKey, str | None] = field(repr=False)


class KeyRing:
    """Every key of every brand by its exact `kid`. Never changes; another one takes its place.

    Attributes:
        unusable: Keys that can't verify anything, and why: one brand's broken key stops nobody else's.
    """

    __slots__ = ("_keys", "unusable")

    def __init__(self, keys: Iterable[Key] = (), *, unusable: Mapping[str, str] | None = None) -> None:
        """Take keys that are already parsed; `from_stored` parses."""
        self._keys = {key.key_id: key for key in keys}
        self.unusable = dict(unusable or {})

    @classmethod
    def from_stored(
        cls, stored: Iterable[StoredKey], secrets: Mapping[str, str], *, previous: "KeyRing | None" = None
    ) -> "KeyRing":
        """Parse what the database and the key file hold.

        Args:
            stored: The registered keys, revoked ones too.
            secrets: HS256 secrets by `kid`.
            previous: A ring whose unchanged keys are taken over as they are, and with them what was verified
                by them.
        """
        keys: list[Key] = []
        unusable: dict[str, str] = {}
        for row in stored:
            source = (row, secrets.get(row.key_id))
            known = previous.get(row.key_id) if previous is not None else None
            if known is not None and known.source == source:
                keys.append(known)
                continue
            try:
                keys.append(_parse(*source))
            except ValueError as error:
                if row.revoked_at is None:  # the secret of a revoked key is gone, as it should be
                    unusable[row.key_id] = str(error)
        return cls(keys, unusable=unusable)

    def get(self, key_id: str) -> Key | None:
        """Give the key of exactly this `kid`."""
        return self._keys.get(key_id)

    def revoked(self, key_id: str) -> "KeyRing":
        """Give a ring in which that key is revoked; an unknown `kid` changes nothing."""
        keys = (replace(key, revoked=True) if key.key_id == key_id else key for key in self)
        return KeyRing(keys, unusable=self.unusable)

    def __iter__(self) -> Iterator[Key]:
        return iter(self._keys.values())

    def __len__(self) -> int:
        return len(self._keys)

    def __repr__(self) -> str:
        return f"KeyRing({len(self._keys)} keys, {len(self.unusable)} unusable)"


def _parse(row: StoredKey, secret: str | None) -> Key:
    algorithm = Algorithm(row.algorithm)
    material: bytes | PublicKey
    if algorithm is Algorithm.HS256:
        if secret is None:
            raise ValueError("the key file has no secret for it")
        material = secret_bytes(secret)
    else:
        material = parse_public_key(algorithm, row.public_key or "")
    return Key(
        key_id=row.key_id,
        brand_id=row.brand_id,
        algorithm=algorithm,
        classes=frozenset(map(TokenClass, row.classes)),
        roles=frozenset(row.roles),
        revoked=row.revoked_at is not None,
        material=material,
        source=(row, secret),
    )
