"""Remembering what was verified: a signature costs 50 to 200 microseconds, a remembered token well under one.

The token's own text is the key. Its SHA-256 would take three times as long, and hides nothing: whoever reads
this memory reads the secrets too.
"""

from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta

from sayso.model.instant import Micros, span_micros
from sayso_server.auth.claims import Claims
from sayso_server.auth.ring import KeyRing
from sayso_server.auth.token import Verified, verify_token

CAPACITY = 10_000
_SWEEP_EVERY = span_micros(timedelta(minutes=1))


class Verifier:
    """Verifies tokens against a key ring. Belongs to one event loop.

    Remembered are signature and claims, of good tokens only, so a flood of bad ones pushes nothing out. The
    time and the key's status are looked at on every use; Origin, scope, `sub` and single use are the caller's
    to check, every time.
    """

    def __init__(self, ring: KeyRing | None = None, *, capacity: int = CAPACITY) -> None:
        """Start with a ring, by default an empty one that accepts nothing; remember `capacity` tokens."""
        self._ring = ring if ring is not None else KeyRing()
        self._capacity = capacity
        self._verified: OrderedDict[str, Verified] = OrderedDict()
        self._sweep_at: Micros = 0

    @property
    def ring(self) -> KeyRing:
        """The keys in use."""
        return self._ring

    def verify(self, token: str, *, now: Micros) -> Claims:
        """Tell whom a token speaks for.

        Args:
            token: What stood after `Bearer`.
            now: The server's time in microseconds.

        Raises:
            TokenRefusedError: See `verify_token`.
        """
        found = self._verified.get(token)
        if found is not None:
            claims, key, starts_at = found
            if starts_at <= now < claims.expires_at and self._ring.get(claims.key_id) is key:
                self._verified.move_to_end(token)
                return claims
            del self._verified[token]  # verifying it again says what is wrong by now
        verified = verify_token(token, self._ring, now=now)
        self._remember(token, verified, now)
        return verified.claims

    def replace(self, ring: KeyRing) -> None:
        """Take another ring. What a key that is gone, revoked or changed verified is forgotten at once."""
        self._ring = ring
        self._forget_unless(lambda entry: ring.get(entry.claims.key_id) is entry.key)

    def revoke(self, key_id: str) -> None:
        """Stop accepting what a key signed, from this moment on."""
        self.replace(self._ring.revoked(key_id))

    def __len__(self) -> int:
        return len(self._verified)

    def __repr__(self) -> str:
        return f"Verifier({self._ring!r}, {len(self._verified)} tokens remembered)"

    def _remember(self, token: str, verified: Verified, now: Micros) -> None:
        if now >= self._sweep_at:
            self._forget_unless(lambda entry: now < entry.claims.expires_at)
            self._sweep_at = now + _SWEEP_EVERY
        self._verified[token] = verified
        if len(self._verified) > self._capacity:
            self._verified.popitem(last=False)

    def _forget_unless(self, keep: Callable[[Verified], bool]) -> None:
        for token in [token for token, entry in self._verified.items() if not keep(entry)]:
            del self._verified[token]
