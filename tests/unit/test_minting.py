"""What the SDK signs."""

import base64
import builtins
import json
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from sayso.errors import ConfigurationError
from sayso.transport.tokens import TokenMinter

SECOND = 1_000_000
START = 1_795_000_000
SECRET = secrets.token_urlsafe(32)
PAGES = ["https://dealer.example"]


class SetClock:
    def __init__(self) -> None:
        self.micros = START * SECOND + 600_000

    def now(self) -> int:
        return self.micros

    def pass_by(self, **span: float) -> None:
        self.micros += timedelta(**span) // timedelta(microseconds=1)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def minter(clock: SetClock) -> TokenMinter:
    return TokenMinter("dealer.4f2a", SECRET, clock=clock)


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    head, body, _ = (
        json.loads(base64.urlsafe_b64decode(part + "==")) if n < 2 else {} for n, part in enumerate(token.split("."))
    )
    return head, body


def pem(private: Any, encryption: KeySerializationEncryption | None = None) -> str:
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()).decode()


def test_a_backend_token_holds_five_minutes_and_says_whose_it_is(minter: TokenMinter) -> None:
    head, body = parts(minter.backend_token())

    assert head == {"alg": "HS256", "kid": "dealer.4f2a", "typ": "sayso-backend+jwt"}
    assert body == {
        "iss": "dealer",
        "aud": "sayso",
        "iat": START,
        "exp": START + 300,
        "jti": body["jti"],
        "scope": "backend",
    }
    assert len(body["jti"]) == 32


def test_the_hmac_key_is_the_secret_as_printed(minter: TokenMinter) -> None:
    token = minter.backend_token()

    assert jwt.api_jws.decode(token, SECRET.encode(), algorithms=["HS256"])
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.api_jws.decode(token, base64.urlsafe_b64decode(SECRET + "="), algorithms=["HS256"])


def test_a_brand_may_have_dots(clock: SetClock) -> None:
    _, body = parts(TokenMinter("dealer.north.4f2a", SECRET, clock=clock).backend_token())

    assert body["iss"] == "dealer.north"


def test_a_backend_token_is_used_again_until_a_minute_before_its_end(minter: TokenMinter, clock: SetClock) -> None:
    first = minter.backend_token()
    clock.pass_by(minutes=3, seconds=59)
    again = minter.backend_token()
    clock.pass_by(seconds=1)
    renewed = minter.backend_token()

    assert again == first
    assert renewed != first
    assert parts(renewed)[1]["iat"] == START + 240


def test_a_clock_that_was_put_back_makes_a_new_token(minter: TokenMinter, clock: SetClock) -> None:
    minter.backend_token()
    clock.pass_by(hours=-1)

    assert parts(minter.backend_token())[1]["iat"] == START - 3600


def test_a_token_made_within_a_second_is_not_taken_for_one_of_the_future(minter: TokenMinter, clock: SetClock) -> None:
    first = minter.backend_token()
    clock.pass_by(milliseconds=-500)

    assert minter.backend_token() == first


def test_each_scope_has_a_token_of_its_own(minter: TokenMinter) -> None:
    plain, admin = minter.backend_token(), minter.backend_token("backend admin")

    assert [parts(token)[1]["scope"] for token in (plain, admin)] == ["backend", "backend admin"]
    assert minter.backend_token() == plain
    assert minter.backend_token("backend admin") == admin


def test_a_refused_token_can_be_forgotten(minter: TokenMinter) -> None:
    first = minter.backend_token()
    minter.forget()

    assert minter.backend_token() != first


def test_a_consumer_token_speaks_for_one_consumer_on_named_pages(minter: TokenMinter) -> None:
    head, body = parts(
        minter.consumer_token("cust-42", origins=("https://dealer.example", "app"), ttl=timedelta(minutes=15))
    )

    assert head["typ"] == "sayso-consumer+jwt"
    assert body == {
        "iss": "dealer",
        "aud": "sayso",
        "iat": START,
        "exp": START + 900,
        "jti": body["jti"],
        "sub": "cust-42",
        "origins": ["https://dealer.example", "app"],
    }


def test_a_consumer_token_holds_five_minutes_unless_told_otherwise(minter: TokenMinter) -> None:
    body = parts(minter.consumer_token("cust-42", origins=PAGES))[1]

    assert body["exp"] - body["iat"] == 300


def test_no_two_consumer_tokens_are_the_same(minter: TokenMinter) -> None:
    tokens = {minter.consumer_token("cust-42", origins=PAGES) for _ in range(3)}

    assert len({parts(token)[1]["jti"] for token in tokens}) == 3


def test_a_staff_token_names_its_person_and_roles(minter: TokenMinter) -> None:
    head, body = parts(minter.staff_token("ann@dealer.example", scope="agent auditor"))

    assert head["typ"] == "sayso-staff+jwt"
    assert (body["sub"], body["scope"]) == ("ann@dealer.example", "agent auditor")
    assert body["exp"] - body["iat"] == 900


@pytest.mark.parametrize("ttl", [timedelta(0), timedelta(seconds=-1), timedelta(minutes=15, seconds=1)])
def test_a_time_that_the_server_would_refuse_is_refused_here(minter: TokenMinter, ttl: timedelta) -> None:
    with pytest.raises(ValueError, match="from one second to 15 minutes"):
        minter.consumer_token("cust-42", origins=PAGES, ttl=ttl)
    with pytest.raises(ValueError, match="from one second to 15 minutes"):
        minter.staff_token("ann", scope="agent", ttl=ttl)


@pytest.mark.parametrize(
    ("origins", "message"),
    [
        ([], "origins lists the pages"),
        ("https://dealer.example", "origins lists the pages"),
        (["null"], "'null' is no origin"),
        (["*"], r"'\*' is no origin"),
        (["dealer.example"], "'dealer.example' is no origin"),
        (["https://dealer.example/"], "is no origin; write scheme, host and port"),
        (["https://dealer.example/chat"], "is no origin; write scheme, host and port"),
        (["https://Dealer.example"], "is no origin; write scheme, host and port"),
        (["https://*.dealer.example"], "is no origin; write scheme, host and port"),
        (["https://dealer.example", "http://dealer.example"], "'http://dealer.example' is plain http"),
        (["http://localhost.dealer.example"], "is plain http"),
        ([f"https://{name}.dealer.example" for name in range(200)], "over 4096 bytes; name fewer origins"),
    ],
)
def test_origins_that_never_work_are_refused(minter: TokenMinter, origins: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        minter.consumer_token("cust-42", origins=origins)


@pytest.mark.parametrize(
    "origin",
    [
        "app",
        "https://dealer.example:8443",
        "http://localhost:3000",
        "http://127.0.0.1",
        "http://[::1]:8787",
        "capacitor://localhost",
    ],
)
def test_origins_that_browsers_and_apps_send_are_taken(minter: TokenMinter, origin: str) -> None:
    assert parts(minter.consumer_token("cust-42", origins=[origin]))[1]["origins"] == [origin]


@pytest.mark.parametrize("consumer_id", ["", "a/b", "ann@mail.example", "anon_ann", "x" * 129])
def test_an_id_that_the_server_would_refuse_is_refused_here(minter: TokenMinter, consumer_id: str) -> None:
    with pytest.raises(ValueError, match=r"\bids?\b|looks like"):
        minter.consumer_token(consumer_id, origins=PAGES)


def test_a_staff_id_has_the_form_of_an_id(minter: TokenMinter) -> None:
    with pytest.raises(ValueError, match="a staff id is"):
        minter.staff_token("ann\nben", scope="agent")


@pytest.mark.parametrize("scope", ["", "root", "backend  admin", "backend,admin", " backend", "Backend"])
def test_a_scope_of_unknown_roles_is_refused(minter: TokenMinter, scope: str) -> None:
    with pytest.raises(ValueError, match="one or more of backend, agent, privacy_officer, auditor, admin"):
        minter.backend_token(scope)
    with pytest.raises(ValueError, match="one or more of backend, agent, privacy_officer, auditor, admin"):
        minter.staff_token("ann", scope=scope)


@pytest.mark.parametrize("key_id", ["", "dealer", ".4f2a", "dealer.", "a/b.4f2a"])
def test_a_key_id_that_names_no_brand_is_refused(key_id: str) -> None:
    with pytest.raises(ConfigurationError, match="SAYSO_KEY_ID"):
        TokenMinter(key_id, SECRET)


def test_a_secret_that_was_cut_short_is_refused_and_not_repeated() -> None:
    with pytest.raises(ConfigurationError, match="SAYSO_SECRET") as caught:
        TokenMinter("dealer.4f2a", SECRET[:31])

    assert SECRET[:31] not in str(caught.value)


@pytest.mark.parametrize(
    ("algorithm", "generate"),
    [
        ("ES256", lambda: ec.generate_private_key(ec.SECP256R1())),
        ("EdDSA", ed25519.Ed25519PrivateKey.generate),
    ],
)
def test_a_private_key_signs_with_the_algorithm_of_its_kind(
    clock: SetClock, algorithm: str, generate: Callable[[], Any]
) -> None:
    private = generate()
    token = TokenMinter("dealer.4f2a", pem(private), clock=clock).backend_token()

    assert parts(token)[0]["alg"] == algorithm
    assert jwt.api_jws.decode(token, private.public_key(), algorithms=[algorithm])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (pem(ec.generate_private_key(ec.SECP384R1())), "neither P-256"),
        (pem(rsa.generate_private_key(public_exponent=65_537, key_size=2_048)), "neither P-256"),
        (
            pem(ec.generate_private_key(ec.SECP256R1()), BestAvailableEncryption(b"passphrase")),
            "can't be read; give it whole, in PEM and without a passphrase",
        ),
        ("-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\n", "can't be read"),
    ],
)
def test_a_private_key_that_will_not_do_is_refused_and_not_repeated(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        TokenMinter("dealer.4f2a", text)

    assert text.splitlines()[1] not in str(caught.value)


def test_without_cryptography_a_private_key_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    text = pem(ed25519.Ed25519PrivateKey.generate())
    really_import = builtins.__import__

    def without(name: str, *args: Any) -> Any:
        if name.startswith("cryptography"):
            raise ImportError(name)
        return really_import(name, *args)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigurationError, match=r"pip install 'sayso\[crypto\]'"):
        TokenMinter("dealer.4f2a", text)


def test_neither_secret_nor_token_shows_in_its_repr(minter: TokenMinter) -> None:
    token = minter.backend_token()

    assert repr(minter) == "TokenMinter(key_id='dealer.4f2a')"
    assert SECRET not in str(minter)
    assert token not in str(minter)
