"""What the verifier remembers, and how soon it forgets."""

import asyncio
import itertools
import logging
import secrets
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import jwt
import pytest

from sayso.errors import ConfigurationError
from sayso.transport.tokens import TokenMinter
from sayso.wire import Code
from sayso_server.auth import KeyRing, LiveKeys, TokenRefusedError, Verifier, cache
from sayso_server.auth.token import Verified, verify_token
from sayso_server.keys import KeyFile, new_key
from sayso_server.storage.base import StoredKey

SECOND = 1_000_000
START = 1_795_000_000 * SECOND
BOTH = ("backend", "consumer")


class SetClock:
    def __init__(self) -> None:
        self.micros = START

    def now(self) -> int:
        return self.micros

    def pass_by(self, span: timedelta) -> None:
        self.micros += span // timedelta(microseconds=1)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def verifications(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """List the tokens whose signature was really looked at."""
    seen: list[str] = []

    def looking(token: str, ring: KeyRing, *, now: int) -> Verified:
        seen.append(token)
        return verify_token(token, ring, now=now)

    monkeypatch.setattr(cache, "verify_token", looking)
    return seen


def a_key(brand: str = "dealer") -> tuple[StoredKey, str]:
    key, secret = new_key(brand, "HS256", BOTH, ("backend",), now=START)
    assert secret is not None
    return key, secret


def ring_of(*keys: tuple[StoredKey, str], previous: KeyRing | None = None) -> KeyRing:
    return KeyRing.from_stored(
        [key for key, _ in keys], {key.key_id: secret for key, secret in keys}, previous=previous
    )


def code_of(verifier: Verifier, token: str, clock: SetClock) -> Code:
    with pytest.raises(TokenRefusedError) as caught:
        verifier.verify(token, now=clock.now())
    return caught.value.code


def test_a_token_is_verified_once_and_then_remembered(clock: SetClock, verifications: list[str]) -> None:
    key = a_key()
    verifier = Verifier(ring_of(key))
    token = TokenMinter(key[0].key_id, key[1], clock=clock).backend_token()

    first = verifier.verify(token, now=clock.now())
    clock.pass_by(timedelta(minutes=4, seconds=59))
    again = verifier.verify(str(token.encode(), "ascii"), now=clock.now())

    assert again == first
    assert verifications == [token]


def test_a_remembered_token_ends_when_it_says_and_is_forgotten(clock: SetClock) -> None:
    key = a_key()
    verifier = Verifier(ring_of(key))
    token = TokenMinter(key[0].key_id, key[1], clock=clock).backend_token()
    verifier.verify(token, now=clock.now())

    clock.pass_by(timedelta(minutes=5))

    assert code_of(verifier, token, clock) == Code.TOKEN_EXPIRED
    assert len(verifier) == 0


def test_a_remembered_token_does_not_count_before_its_time_when_the_clock_is_put_back(
    clock: SetClock,
) -> None:
    (key, secret) = a_key()
    verifier = Verifier(ring_of((key, secret)))
    now = clock.now() // SECOND
    claims = {"iss": "dealer", "aud": "sayso", "iat": now - 60, "nbf": now, "exp": now + 200, "jti": "t-1"}
    headers = {"kid": key.key_id, "typ": "sayso-backend+jwt"}
    token = jwt.encode(claims | {"scope": "backend"}, secret, headers=headers)
    verifier.verify(token, now=clock.now())

    clock.pass_by(-timedelta(seconds=30))
    verifier.verify(token, now=clock.now())
    clock.pass_by(-timedelta(microseconds=1))

    assert code_of(verifier, token, clock) == Code.TOKEN_INVALID


def test_nothing_refused_is_remembered(clock: SetClock, verifications: list[str]) -> None:
    key, other = a_key(), a_key()
    verifier = Verifier(ring_of(key))
    token = TokenMinter(other[0].key_id, other[1], clock=clock).backend_token()

    assert code_of(verifier, token, clock) == Code.TOKEN_INVALID
    assert len(verifier) == 0
    verifier.replace(ring_of(key, other))

    assert verifier.verify(token, now=clock.now()).brand_id == "dealer"
    assert verifications == [token, token]


def test_another_token_is_never_taken_for_a_remembered_one(clock: SetClock) -> None:
    key = a_key()
    verifier = Verifier(ring_of(key))
    token = TokenMinter(key[0].key_id, key[1], clock=clock).backend_token()
    verifier.verify(token, now=clock.now())
    head, body, signature = token.split(".")
    forged = f"{head}.{body}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"

    assert code_of(verifier, forged, clock) == Code.TOKEN_INVALID


def test_revoking_a_key_forgets_its_tokens_at_once_and_no_others(clock: SetClock) -> None:
    ann, ben = a_key(), a_key("shop")
    verifier = Verifier(ring_of(ann, ben))
    minters = [TokenMinter(key.key_id, secret, clock=clock) for key, secret in (ann, ben)]
    tokens = [minter.consumer_token("cust-42", origins=["app"]) for minter in minters for _ in range(3)]
    for token in tokens:
        verifier.verify(token, now=clock.now())

    verifier.revoke(ann[0].key_id)

    assert len(verifier) == 3
    assert [code_of(verifier, token, clock) for token in tokens[:3]] == [Code.TOKEN_INVALID] * 3
    assert {verifier.verify(token, now=clock.now()).brand_id for token in tokens[3:]} == {"shop"}


def test_a_keys_status_is_looked_at_on_every_use_even_of_a_token_left_behind(
    clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = a_key()
    verifier = Verifier(ring_of(key))
    token = TokenMinter(key[0].key_id, key[1], clock=clock).backend_token()
    verifier.verify(token, now=clock.now())
    monkeypatch.setattr(verifier, "_forget_unless", lambda keep: None)

    verifier.revoke(key[0].key_id)

    assert len(verifier) == 1
    assert code_of(verifier, token, clock) == Code.TOKEN_INVALID


def test_revoking_an_unknown_key_changes_nothing(clock: SetClock, verifications: list[str]) -> None:
    key = a_key()
    verifier = Verifier(ring_of(key))
    token = TokenMinter(key[0].key_id, key[1], clock=clock).backend_token()
    verifier.verify(token, now=clock.now())

    verifier.revoke("dealer.nobody")
    verifier.verify(token, now=clock.now())

    assert verifications == [token]


@pytest.mark.parametrize(
    "change",
    [
        {"revoked_at": START},
        {"roles": ("agent",)},
        {"classes": ("consumer",)},
        {"brand_id": "shop"},
    ],
)
def test_a_key_that_changes_is_asked_again(clock: SetClock, change: dict[str, object]) -> None:
    key, secret = a_key()
    ring = ring_of((key, secret))
    verifier = Verifier(ring)
    token = TokenMinter(key.key_id, secret, clock=clock).backend_token()
    verifier.verify(token, now=clock.now())

    verifier.replace(ring_of((key._replace(**change), secret), previous=ring))

    assert len(verifier) == 0
    assert code_of(verifier, token, clock) in (Code.TOKEN_INVALID, Code.SCOPE)


def test_a_new_secret_under_the_same_kid_ends_the_old_ones_tokens(clock: SetClock) -> None:
    key, secret = a_key()
    ring = ring_of((key, secret))
    verifier = Verifier(ring)
    token = TokenMinter(key.key_id, secret, clock=clock).backend_token()
    verifier.verify(token, now=clock.now())

    verifier.replace(ring_of((key, secrets.token_urlsafe(32)), previous=ring))

    assert code_of(verifier, token, clock) == Code.TOKEN_INVALID


def test_a_ring_with_one_more_key_keeps_what_the_others_verified(clock: SetClock, verifications: list[str]) -> None:
    key, other = a_key(), a_key("shop")
    ring = ring_of(key)
    verifier = Verifier(ring)
    token = TokenMinter(key[0].key_id, key[1], clock=clock).backend_token()
    verifier.verify(token, now=clock.now())

    verifier.replace(ring_of(key, other, previous=ring))
    verifier.verify(token, now=clock.now())

    assert verifications == [token]


def test_the_token_unused_for_longest_makes_room(clock: SetClock, verifications: list[str]) -> None:
    key = a_key()
    verifier = Verifier(ring_of(key), capacity=2)
    minter = TokenMinter(key[0].key_id, key[1], clock=clock)
    ann, ben, cleo = (minter.consumer_token(name, origins=["app"]) for name in ("ann", "ben", "cleo"))

    for token in (ann, ben, ann, cleo):
        verifier.verify(token, now=clock.now())
    assert len(verifier) == 2
    verifications.clear()
    for token in (ann, cleo, ben):
        verifier.verify(token, now=clock.now())

    assert verifications == [ben]


def test_ended_tokens_that_nobody_sends_again_do_not_stay(clock: SetClock) -> None:
    key = a_key()
    verifier = Verifier(ring_of(key))
    minter = TokenMinter(key[0].key_id, key[1], clock=clock)
    for _ in range(5):
        verifier.verify(minter.consumer_token("ann", origins=["app"]), now=clock.now())

    clock.pass_by(timedelta(minutes=6))
    verifier.verify(minter.consumer_token("ben", origins=["app"]), now=clock.now())

    assert len(verifier) == 1


def test_a_remembered_token_costs_a_small_part_of_verifying_one(clock: SetClock) -> None:
    key = a_key()
    ring = ring_of(key)
    verifier = Verifier(ring)
    token = TokenMinter(key[0].key_id, key[1], clock=clock).backend_token()
    now = clock.now()
    verifier.verify(token, now=now)

    def quickest(call: Callable[[], object], rounds: int) -> float:
        best = float("inf")
        for _ in range(rounds):
            began = time.perf_counter()
            for _ in range(100):
                call()
            best = min(best, time.perf_counter() - began)
        return best

    hot = quickest(lambda: verifier.verify(token, now=now), 20)
    cold = quickest(lambda: verify_token(token, ring, now=now), 5)

    assert hot * 10 < cold


# --- keys that change while the server runs -----------------------------------------------------------------


class Registry:
    """The part of a storage that keys are read from."""

    def __init__(self, *keys: StoredKey) -> None:
        self.registered = list(keys)
        self.version = 1
        self.reads = 0

    async def config_version(self) -> int:
        return self.version

    async def keys(self) -> list[StoredKey]:
        self.reads += 1
        await asyncio.sleep(0)
        return list(self.registered)


class Server:
    def __init__(self, folder: Path, clock: SetClock) -> None:
        self.clock = clock
        self.file = KeyFile(folder / "sayso.db.keys")
        self.registry = Registry()
        self.verifier = Verifier()
        self.live = LiveKeys(self.registry, self.file, self.verifier, clock)

    def register(self, brand: str = "dealer") -> TokenMinter:
        """Do what the command does: first the secret, then the key."""
        key, secret = a_key(brand)
        self.file.add(key.key_id, secret)
        self.registry.registered.append(key)
        self.registry.version += 1
        return TokenMinter(key.key_id, secret, clock=self.clock)

    def accepts(self, token: str) -> bool:
        try:
            self.verifier.verify(token, now=self.clock.now())
        except TokenRefusedError:
            return False
        return True


@pytest.fixture
def server(tmp_path: Path, clock: SetClock) -> Server:
    return Server(tmp_path, clock)


async def test_a_key_made_while_the_server_runs_counts_from_the_next_request(server: Server) -> None:
    await server.live.refresh()
    token = server.register().backend_token()
    before = server.accepts(token)

    await server.live.refresh()

    assert (before, server.accepts(token)) == (False, True)


async def test_a_key_revoked_while_the_server_runs_stops_with_the_next_request(server: Server) -> None:
    token = server.register().backend_token()
    await server.live.refresh()
    before = server.accepts(token)

    server.registry.registered = [key._replace(revoked_at=1) for key in server.registry.registered]
    server.registry.version += 1
    await server.live.refresh()

    assert (before, server.accepts(token)) == (True, False)


async def test_while_nothing_changes_nothing_is_read(server: Server, verifications: list[str]) -> None:
    token = server.register().backend_token()
    for _ in range(5):
        await server.live.refresh()
        server.clock.pass_by(timedelta(seconds=2))
        assert server.accepts(token)

    assert server.registry.reads == 1
    assert verifications == [token]


async def test_a_secret_put_back_by_hand_is_noticed_within_a_second(server: Server) -> None:
    token = server.register().backend_token()
    content = server.file.path.read_bytes()
    server.file.path.unlink()
    await server.live.refresh()
    without = server.accepts(token)
    server.file.path.write_bytes(content)
    server.file.path.chmod(0o600)

    await server.live.refresh()
    at_once = server.accepts(token)
    server.clock.pass_by(timedelta(seconds=1))
    await server.live.refresh()

    assert (without, at_once, server.accepts(token)) == (False, False, True)


async def test_many_requests_at_once_read_the_keys_once(server: Server) -> None:
    server.register()

    await asyncio.gather(*(server.live.refresh() for _ in range(20)))

    assert server.registry.reads == 1


async def test_an_unsafe_key_file_stops_the_start(server: Server) -> None:
    server.register()
    server.file.path.chmod(0o644)

    with pytest.raises(ConfigurationError, match=r"chmod 600"):
        await server.live.refresh()


async def test_a_key_file_damaged_later_still_lets_keys_be_revoked(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    kept, ended = server.register(), server.register("shop")
    await server.live.refresh()
    server.file.path.write_bytes(b"{")
    server.registry.registered[1] = server.registry.registered[1]._replace(revoked_at=1)
    server.registry.version += 1

    with caplog.at_level(logging.ERROR):
        await server.live.refresh()

    assert server.accepts(kept.backend_token())
    assert not server.accepts(ended.backend_token())
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "is damaged" in caplog.text


async def test_a_key_without_its_secret_is_counted_in_the_log(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    server.register()
    server.file.path.unlink()

    with caplog.at_level(logging.WARNING):
        await server.live.refresh()

    assert caplog.messages == ["keys: 1 can't be used, `sayso-server key list --brand ID` says which"]


async def test_no_token_or_secret_reaches_the_log(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        tokens = [server.register(brand).backend_token() for brand in ("dealer", "shop")]
        await server.live.refresh()
        for token, bad in itertools.product(tokens, ("", "x")):
            server.accepts(token + bad)
        private = [*tokens, *server.file.read().values()]
        server.file.path.write_bytes(server.file.path.read_bytes()[:-4])
        server.registry.version += 1
        await server.live.refresh()

    assert "is damaged" in caplog.text
    assert len(private) == 4
    assert not any(text in caplog.text for text in private)
