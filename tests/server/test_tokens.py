"""Which tokens are accepted, and every known way to forge one refused by the rule that is there for it."""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from jwt.algorithms import ECAlgorithm, OKPAlgorithm

from sayso.wire import Code, TokenClass
from sayso_server.auth import Claims, KeyRing, TokenRefusedError, Verifier, bearer_token, check_fetch_context
from sayso_server.storage.base import StoredKey

NOW = 1_795_000_000
ALL = ("backend", "consumer", "staff")

SECRET = secrets.token_urlsafe(32)
OTHER_SECRET = secrets.token_urlsafe(32)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()
OTHER_EC_KEY = ec.generate_private_key(ec.SECP256R1())


def pem(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


EC_PEM, ED_PEM = pem(EC_KEY), pem(ED_KEY)

STORED = [
    StoredKey("dealer.hs", "dealer", "HS256", ALL, ("backend", "agent"), None, 0, None),
    StoredKey("dealer.es", "dealer", "ES256", ALL, ("backend", "agent"), EC_PEM, 0, None),
    StoredKey("dealer.ed", "dealer", "EdDSA", ALL, ("backend", "agent"), ED_PEM, 0, None),
    StoredKey("dealer.back", "dealer", "HS256", ("backend",), ("backend",), None, 0, None),
    StoredKey("dealer.mint", "dealer", "HS256", ("consumer",), (), None, 0, None),
    StoredKey("dealer.gone", "dealer", "HS256", ALL, ("backend", "agent"), None, 0, 1),
    StoredKey("shop.hs", "shop", "HS256", ALL, ("backend", "agent"), None, 0, None),
]
SECRETS = dict.fromkeys(["dealer.hs", "dealer.back", "dealer.mint", "dealer.gone"], SECRET)
RING = KeyRing.from_stored(STORED, SECRETS | {"shop.hs": OTHER_SECRET})

CLASS_CLAIMS: dict[str, dict[str, Any]] = {
    "backend": {"scope": "backend"},
    "consumer": {"sub": "cust-42", "origins": ["https://dealer.example"]},
    "staff": {"sub": "ann", "scope": "agent"},
}


class _Absent:
    """Marks a member to leave out."""


ABSENT = _Absent()


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def dumped(members: object) -> bytes:
    return json.dumps(members).encode()


def hs(signed: str, secret: str | bytes = SECRET) -> bytes:
    key = secret.encode() if isinstance(secret, str) else secret
    return hmac.digest(key, signed.encode(), hashlib.sha256)


def header(cls: str = "backend", **changes: Any) -> dict[str, Any]:
    members = {"alg": "HS256", "kid": "dealer.hs", "typ": f"sayso-{cls}+jwt"} | changes
    return {name: value for name, value in members.items() if value is not ABSENT}


def payload(cls: str = "backend", **changes: Any) -> dict[str, Any]:
    members = {"iss": "dealer", "aud": "sayso", "iat": NOW, "exp": NOW + 300, "jti": "t-1"}
    members = members | CLASS_CLAIMS[cls] | changes
    return {name: value for name, value in members.items() if value is not ABSENT}


def signed(head: bytes, body: bytes, sign: Callable[[str], bytes] = hs) -> str:
    """Join and sign exactly these bytes, as only a forger's own code would."""
    text = f"{b64(head)}.{b64(body)}"
    return f"{text}.{b64(sign(text))}"


def token(cls: str = "backend", *, head: dict[str, Any] | None = None, **claims: Any) -> str:
    """Make a token that is right in all but what is changed, signed with the key it names."""
    return signed(dumped(header(cls, **(head or {}))), dumped(payload(cls, **claims)))


def es(text: str, key: ec.EllipticCurvePrivateKey = EC_KEY) -> bytes:
    return ECAlgorithm(ECAlgorithm.SHA256).sign(text.encode(), key)


def ed(text: str) -> bytes:
    return OKPAlgorithm().sign(text.encode(), ED_KEY)


def asymmetric(kid: str, alg: str, sign: Callable[[str], bytes], cls: str = "backend") -> str:
    return signed(dumped(header(cls, alg=alg, kid=kid)), dumped(payload(cls)), sign)


def verify(text: str, *, now: int = NOW, ring: KeyRing = RING) -> Claims:
    return Verifier(ring).verify(text, now=now * 1_000_000)


def refused(text: str, *, now: int = NOW) -> tuple[Code, str]:
    """Refuse twice: what was refused is not remembered as verified."""
    verifier = Verifier(RING)
    answers = set()
    for _ in range(2):
        with pytest.raises(TokenRefusedError) as caught:
            verifier.verify(text, now=now * 1_000_000)
        answers.add((caught.value.code, caught.value.why))
    (answer,) = answers
    return answer


# --- what is accepted ---------------------------------------------------------------------------------------

SIGNERS: dict[str, tuple[str, Callable[[str], bytes]]] = {
    "HS256": ("dealer.hs", hs),
    "ES256": ("dealer.es", es),
    "EdDSA": ("dealer.ed", ed),
}


@pytest.mark.parametrize("alg", SIGNERS)
def test_a_backend_token_speaks_for_its_keys_brand_in_the_roles_of_its_scope(alg: str) -> None:
    kid, sign = SIGNERS[alg]

    assert verify(asymmetric(kid, alg, sign)) == Claims(
        key_id=kid,
        brand_id="dealer",
        token_class=TokenClass.BACKEND,
        subject=None,
        scope=frozenset({"backend"}),
        origins=(),
        issued_at=1_795_000_000_000_000,
        expires_at=1_795_000_300_000_000,
        jti="t-1",
    )


@pytest.mark.parametrize("alg", SIGNERS)
def test_a_consumer_token_speaks_for_its_subject_from_its_origins_in_no_role(alg: str) -> None:
    kid, sign = SIGNERS[alg]
    claims = verify(asymmetric(kid, alg, sign, "consumer"))

    assert (claims.token_class, claims.subject) == (TokenClass.CONSUMER, "cust-42")
    assert (claims.scope, claims.origins) == (frozenset(), ("https://dealer.example",))


@pytest.mark.parametrize("alg", SIGNERS)
def test_a_staff_token_speaks_for_its_subject_in_the_roles_of_its_scope(alg: str) -> None:
    kid, sign = SIGNERS[alg]
    claims = verify(asymmetric(kid, alg, sign, "staff"))

    assert (claims.token_class, claims.subject) == (TokenClass.STAFF, "ann")
    assert (claims.scope, claims.origins) == (frozenset({"agent"}), ())


def test_a_token_of_another_jwt_library_is_accepted() -> None:
    text = jwt.encode(payload(), SECRET, headers={"kid": "dealer.hs", "typ": "sayso-backend+jwt"})

    assert verify(text).brand_id == "dealer"


@pytest.mark.parametrize(
    ("cls", "claims", "now"),
    [
        ("backend", {"nbf": ABSENT}, NOW),
        ("backend", {"nbf": NOW}, NOW),
        ("backend", {"nbf": NOW + 30}, NOW),
        ("backend", {"iat": NOW + 30}, NOW),
        ("backend", {"exp": NOW + 300}, NOW + 299),
        ("consumer", {"exp": NOW + 900}, NOW + 899),
        ("staff", {"exp": NOW + 900}, NOW + 899),
        ("backend", {"scope": "agent backend"}, NOW),
        ("backend", {"locale": "en"}, NOW),
        ("consumer", {"sub": "anon_" + "x" * 22}, NOW),
        ("consumer", {"origins": ["app", "https://dealer.example"]}, NOW),
        ("staff", {"sub": "ann@dealer.example"}, NOW),
        ("backend", {"jti": "j" * 128}, NOW),
    ],
)
def test_a_token_at_the_edge_of_a_rule_is_accepted(cls: str, claims: dict[str, Any], now: int) -> None:
    assert verify(token(cls, **claims), now=now).token_class == cls


def test_a_token_of_exactly_four_kibibytes_is_accepted_and_a_longer_one_is_not() -> None:
    # Base64 has no text of 1 more than a multiple of 4, so the header's own length has to help.
    texts = (
        signed(dumped(header()) + b" " * spaces, dumped(payload(note="x" * size)))
        for spaces in range(3)
        for size in range(2_700, 3_000)
    )
    by_length = {len(text): text for text in texts}

    assert verify(by_length[4_096]).brand_id == "dealer"
    assert refused(by_length[4_097]) == (Code.TOKEN_INVALID, "form")


# --- what is refused ----------------------------------------------------------------------------------------


def flipped(text: str) -> str:
    head, body, signature = text.split(".")
    raw = bytearray(base64.urlsafe_b64decode(signature + "=="))
    raw[0] ^= 1
    return f"{head}.{body}.{b64(bytes(raw))}"


def swapped(text: str, *, head: dict[str, Any] | None = None, body: dict[str, Any] | None = None) -> str:
    """Keep the signature, change what it stands under."""
    parts = text.split(".")
    if head is not None:
        parts[0] = b64(dumped(head))
    if body is not None:
        parts[1] = b64(dumped(body))
    return ".".join(parts)


def unsigned(**changes: Any) -> str:
    return f"{b64(dumped(header(**changes)))}.{b64(dumped(payload()))}.{b64(bytes(32))}"


def raw_header(text: str) -> str:
    return signed(text.encode(), dumped(payload()))


def raw_payload(body: str | bytes, cls: str = "backend") -> str:
    return signed(dumped(header(cls)), body.encode() if isinstance(body, str) else body)


def spelt(name: str, value: str) -> str:
    """Give a payload in which one claim is spelt in a way that `json.dumps` can't."""
    return json.dumps(payload(**{name: "HERE"})).replace('"HERE"', value)


def jwk_secret() -> bytes:
    numbers = EC_KEY.public_key().public_numbers()
    point = {"x": b64(numbers.x.to_bytes(32, "big")), "y": b64(numbers.y.to_bytes(32, "big"))}
    return dumped({"kty": "EC", "crv": "P-256"} | point)


def hmac_under(key: str | bytes) -> str:
    return signed(dumped(header(kid="dealer.es")), dumped(payload()), lambda text: hs(text, key))


def der_of_signature(text: str) -> bytes:
    """Give the signature in DER, as other protocols have it, instead of the 64 bytes of a JWT."""
    from cryptography.hazmat.primitives import hashes

    return EC_KEY.sign(text.encode(), ec.ECDSA(hashes.SHA256()))


PRIVATE_PEM = EC_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
EC_TOKEN = asymmetric("dealer.es", "ES256", es)
LOOK_ALIKE = "dealer.hs".replace("e", "е")
GOOD = token()

INVALID: dict[str, tuple[str, str]] = {
    # algorithm
    "alg none": (unsigned(alg="none"), "algorithm"),
    "alg none in mixed case": (unsigned(alg="nOnE"), "algorithm"),
    "alg missing": (token(head={"alg": ABSENT}), "algorithm"),
    "alg null": (token(head={"alg": None}), "header"),
    "alg a list": (token(head={"alg": ["HS256"]}), "header"),
    "alg empty": (token(head={"alg": ""}), "algorithm"),
    "alg in lower case": (token(head={"alg": "hs256"}), "algorithm"),
    "alg another of the same family": (token(head={"alg": "HS512"}), "algorithm"),
    "alg RS256 for a secret": (token(head={"alg": "RS256"}), "algorithm"),
    "alg ES256 for an EdDSA key": (asymmetric("dealer.ed", "ES256", es), "algorithm"),
    "alg EdDSA for an ES256 key": (asymmetric("dealer.es", "EdDSA", ed), "algorithm"),
    "HS256 under the public key in PEM": (hmac_under(EC_PEM), "algorithm"),
    "HS256 under the public key as JWK": (hmac_under(jwk_secret()), "algorithm"),
    "HS256 under the private key in PEM": (hmac_under(PRIVATE_PEM), "algorithm"),
    # signature
    "signature of zeros": (EC_TOKEN.rpartition(".")[0] + "." + b64(bytes(64)), "signature"),
    "signature empty": (GOOD.rpartition(".")[0] + ".", "form"),
    "signature stripped": (GOOD.rpartition(".")[0], "form"),
    "signature truncated": (signed(dumped(header()), dumped(payload()), lambda text: hs(text)[:16]), "signature"),
    "signature with one bit flipped": (flipped(GOOD), "signature"),
    "signature with one bit flipped, ES256": (flipped(EC_TOKEN), "signature"),
    "signature of another secret": (
        signed(dumped(header()), dumped(payload()), lambda text: hs(text, OTHER_SECRET)),
        "signature",
    ),
    "signature of another ES256 key": (
        asymmetric("dealer.es", "ES256", lambda text: es(text, OTHER_EC_KEY)),
        "signature",
    ),
    "signature in DER": (asymmetric("dealer.es", "ES256", der_of_signature), "signature"),
    "signature under the decoded secret": (
        signed(
            dumped(header()),
            dumped(payload()),
            lambda text: hs(text, base64.urlsafe_b64decode(SECRET + "=")),
        ),
        "signature",
    ),
    "payload exchanged": (swapped(GOOD, body=payload(scope="agent")), "signature"),
    "header exchanged": (swapped(GOOD, head=header("staff")), "signature"),
    # kid
    "kid a path": (token(head={"kid": "../../../../dev/null"}), "kid"),
    "kid SQL": (token(head={"kid": "dealer.hs' OR '1'='1"}), "kid"),
    "kid missing": (token(head={"kid": ABSENT}), "kid"),
    "kid a number": (token(head={"kid": 1}), "header"),
    "kid a list": (token(head={"kid": ["dealer.hs"]}), "header"),
    "kid with NUL": (token(head={"kid": "dealer.hs\0"}), "kid"),
    "kid a look-alike": (token(head={"kid": LOOK_ALIKE}), "kid"),
    "kid with another dot": (token(head={"kid": "dealer․hs"}), "kid"),
    "kid in upper case": (token(head={"kid": "DEALER.HS"}), "kid"),
    "kid with a space": (token(head={"kid": " dealer.hs"}), "kid"),
    "kid empty": (token(head={"kid": ""}), "kid"),
    "kid of a revoked key": (token(head={"kid": "dealer.gone"}), "revoked"),
    # keys and orders brought along in the header
    "jku": (token(head={"jku": "https://evil.example/jwks.json"}), "header"),
    "x5u": (token(head={"x5u": "https://evil.example/chain.pem"}), "header"),
    "jwk": (token(head={"jwk": json.loads(jwk_secret())}), "header"),
    "x5c": (token(head={"x5c": ["MIIB"]}), "header"),
    "crit unknown": (token(head={"crit": ["x"], "x": "1"}), "header"),
    "b64 false": (token(head={"crit": ["b64"], "b64": False}), "header"),
    "zip": (token(head={"zip": "DEF"}), "header"),
    "cty": (token(head={"cty": "JWT"}), "header"),
    # time
    "exp missing": (token(exp=ABSENT), "claims"),
    "exp null": (token(exp=None), "claims"),
    "exp a string": (token(exp=str(NOW + 300)), "exp"),
    "exp a float": (token(exp=NOW + 300.0), "exp"),
    "exp a boolean": (token(exp=True), "exp"),
    "exp Infinity": (raw_payload(spelt("exp", "Infinity")), "payload"),
    "exp a float beyond every date": (raw_payload(spelt("exp", "1e18")), "exp"),
    "exp an integer beyond every date": (raw_payload(spelt("exp", "9" * 400)), "lifetime"),
    "exp overflowing a float": (raw_payload(spelt("exp", "1e999")), "payload"),
    "exp negative": (token(exp=-1), "lifetime"),
    "exp at iat": (token(exp=NOW), "lifetime"),
    "exp before iat": (token(exp=NOW - 1), "lifetime"),
    "nbf in the future": (token(nbf=NOW + 31), "not yet"),
    "nbf a string": (token(nbf=str(NOW)), "nbf"),
    "nbf null": (token(nbf=None), "nbf"),
    "iat in the future": (token(iat=NOW + 31, exp=NOW + 300), "not yet"),
    "iat missing": (token(iat=ABSENT), "claims"),
    "iat a string": (token(iat=str(NOW)), "iat"),
    "iat NaN": (raw_payload(spelt("iat", "NaN")), "payload"),
    "iat long ago, exp to come": (token(iat=1), "lifetime"),
    "a backend's life over 5 minutes": (token(exp=NOW + 301), "lifetime"),
    "a consumer's life over 15 minutes": (token("consumer", exp=NOW + 901), "lifetime"),
    "a staff member's life over 15 minutes": (token("staff", exp=NOW + 901), "lifetime"),
    # audience and brand
    "aud of others": (token(aud="other"), "claims"),
    "aud a list": (token(aud=["sayso"]), "claims"),
    "aud missing": (token(aud=ABSENT), "claims"),
    "aud in upper case": (token(aud="SAYSO"), "claims"),
    "iss unknown": (token(iss="nobody"), "iss"),
    "iss a prefix": (token(iss="deal"), "iss"),
    "iss a longer name": (token(iss="dealership"), "iss"),
    "iss in another case": (token(iss="Dealer"), "iss"),
    "iss missing": (token(iss=ABSENT), "claims"),
    "iss empty": (token(iss=""), "iss"),
    "iss another brand": (token(iss="shop"), "iss"),
    "iss a list": (token(iss=["dealer", "shop"]), "iss"),
    "iss a look-alike": (token(iss="dealеr"), "iss"),
    "iss with NUL": (token(iss="dealer\0"), "iss"),
    "iss with a space": (token(iss="dealer "), "iss"),
    "another brand's kid under one's own secret": (token(head={"kid": "shop.hs"}, iss="shop"), "signature"),
    # subject and id
    "sub missing": (token("consumer", sub=ABSENT), "claims"),
    "sub a number": (token("consumer", sub=42), "claims"),
    "sub empty": (token("consumer", sub=""), "sub"),
    "sub a path": (token("consumer", sub="cust-42/../ben"), "sub"),
    "sub with NUL": (token("consumer", sub="cust-42\0"), "sub"),
    "sub an e-mail address": (token("consumer", sub="ann@mail.example"), "sub"),
    "sub made up as anonymous": (token("consumer", sub="anon_ann"), "sub"),
    "sub of staff missing": (token("staff", sub=ABSENT), "claims"),
    "sub of staff with a line break": (token("staff", sub="ann\nben"), "sub"),
    "jti missing": (token(jti=ABSENT), "claims"),
    "jti a number": (token(jti=1), "claims"),
    "jti empty": (token(jti=""), "jti"),
    "jti too long": (token(jti="j" * 129), "jti"),
    # class
    "typ JWT": (token(head={"typ": "JWT"}), "typ"),
    "typ missing": (token(head={"typ": ABSENT}), "typ"),
    "typ a list": (token(head={"typ": ["sayso-backend+jwt"]}), "header"),
    "typ in upper case": (token(head={"typ": "SAYSO-BACKEND+JWT"}), "typ"),
    "typ of a receipt": (token(head={"typ": "sayso-receipt+jws"}), "typ"),
    "a consumer's token by a backend key": (token("consumer", head={"kid": "dealer.back"}), "class"),
    "a backend's token by a consumer key": (token("backend", head={"kid": "dealer.mint"}), "class"),
    "a staff token by a backend key": (token("staff", head={"kid": "dealer.back"}), "class"),
    "a backend's claims as a consumer's": (raw_payload(dumped(payload()), "consumer"), "claims"),
    "a consumer's claims as a backend's": (raw_payload(dumped(payload("consumer"))), "scope"),
    # scope and origins
    "scope missing": (token(scope=ABSENT), "scope"),
    "scope empty": (token(scope=""), "scope"),
    "scope a list": (token(scope=["backend"]), "scope"),
    "scope with two spaces": (token(scope="backend  agent"), "scope"),
    "scope of a consumer": (token("consumer", scope="backend"), "scope"),
    "origins missing": (token("consumer", origins=ABSENT), "origins"),
    "origins empty": (token("consumer", origins=[]), "origins"),
    "origins a string": (token("consumer", origins="https://dealer.example"), "origins"),
    "origins with a number": (token("consumer", origins=["https://dealer.example", 1]), "origins"),
    "origins with an empty one": (token("consumer", origins=[""]), "origins"),
    # form
    "100 kB": ("a" * 100_000, "form"),
    "100 kB, well signed": (token(note="x" * 100_000), "form"),
    "1,500 levels deep": (raw_payload("[" * 1_500), "claims"),
    "a claim 17 levels deep": (raw_payload(spelt("x", "[" * 17 + "]" * 17)), "payload"),
    "a header 1,500 levels deep": (raw_header("[" * 1_500), "header"),
    "a claim twice": (raw_payload(json.dumps(payload())[:-1] + ', "iss": "dealer"}'), "payload"),
    "a header member twice": (raw_header(json.dumps(header())[:-1] + ', "alg": "HS256"}'), "header"),
    "a payload that is a list": (raw_payload("[]"), "claims"),
    "a header that is a list": (raw_header("[]"), "header"),
    "a header that is no JSON": (raw_header("alg"), "header"),
    "a header in UTF-16": (signed(json.dumps(header()).encode("utf-16"), dumped(payload())), "header"),
    "a payload in UTF-16": (raw_payload(json.dumps(payload()).encode("utf-16")), "payload"),
    "a payload that is no UTF-8": (raw_payload(b'{"x": "\xff"}'), "claims"),
    "bad base64": ("!" + GOOD[1:], "form"),
    "base64 of an impossible length": ("a." + GOOD.partition(".")[2], "header"),
    "base64 with bits to spare": (GOOD[:-1] + chr(ord(GOOD[-1]) + 1), "claims"),
    "padding": (GOOD + "=", "form"),
    "the standard alphabet": (GOOD.replace("-", "+").replace("_", "/") + "+/", "form"),
    "a space in front": (" " + GOOD, "form"),
    "a line break at the end": (GOOD + "\n", "form"),
    "non-ASCII": (GOOD[:-1] + "é", "form"),
    "digits of another script": (GOOD[:-1] + "٣", "form"),
    "five parts": (GOOD + ".a.a", "form"),
    "four parts": (GOOD + ".a", "form"),
    "empty": ("", "form"),
    "dots": ("..", "form"),
}


@pytest.mark.parametrize("attack", INVALID)
def test_a_forged_token_is_refused_by_the_rule_made_for_it(attack: str) -> None:
    text, why = INVALID[attack]

    assert refused(text) == (Code.TOKEN_INVALID, why)


def test_a_secret_decoded_from_base64_is_another_key() -> None:
    """The row in the table would pass for the wrong reason if decoding the secret gave the secret."""
    assert base64.urlsafe_b64decode(SECRET + "=") != SECRET.encode()


@pytest.mark.parametrize("now", [NOW + 300, NOW + 301, NOW + 1_000_000])
def test_an_expired_token_has_a_code_of_its_own(now: int) -> None:
    assert refused(GOOD, now=now) == (Code.TOKEN_EXPIRED, "exp")


@pytest.mark.parametrize(
    ("attack", "why"),
    [
        ("signature of another secret", "signature"),
        ("iss another brand", "iss"),
        ("kid of a revoked key", "revoked"),
        ("a backend's token by a consumer key", "class"),
        ("a claim twice", "payload"),
        ("scope missing", "scope"),
    ],
)
def test_only_a_token_that_was_good_is_called_expired(attack: str, why: str) -> None:
    assert refused(INVALID[attack][0], now=NOW + 1_000) == (Code.TOKEN_INVALID, why)


@pytest.mark.parametrize(
    ("cls", "scope"),
    [
        ("backend", "admin"),
        ("backend", "backend admin"),
        ("backend", "Backend"),
        ("backend", "no-such-role"),
        ("staff", "privacy_officer"),
    ],
)
def test_a_scope_beyond_the_keys_roles_is_forbidden(cls: str, scope: str) -> None:
    text = token(cls, scope=scope)

    assert refused(text) == (Code.SCOPE, "roles")
    assert refused(text, now=NOW + 300) == (Code.TOKEN_EXPIRED, "exp")


@pytest.mark.parametrize(
    ("code", "status"),
    [("token_missing", 401), ("token_invalid", 401), ("token_expired", 401), ("scope", 403), ("origin", 403)],
)
def test_who_is_not_known_gets_401_and_who_may_not_gets_403(code: str, status: int) -> None:
    assert TokenRefusedError(Code(code), "x").status == status


def test_a_refusal_quotes_nothing_of_the_token() -> None:
    text = token("consumer", sub="cust-42/secret-path")

    with pytest.raises(TokenRefusedError) as caught:
        verify(text)

    assert str(caught.value) == "token_invalid: sub"
    assert caught.value.__suppress_context__


def test_a_key_that_cannot_be_used_stops_no_other() -> None:
    broken = [
        StoredKey("dealer.lost", "dealer", "HS256", ALL, ("backend",), None, 0, None),
        StoredKey("dealer.short", "dealer", "HS256", ALL, ("backend",), None, 0, None),
        StoredKey("dealer.rsa", "dealer", "RS256", ALL, ("backend",), None, 0, None),
        StoredKey("dealer.mixed", "dealer", "EdDSA", ALL, ("backend",), EC_PEM, 0, None),
        StoredKey("dealer.old", "dealer", "HS256", ALL, ("backend",), None, 0, 1),
    ]
    ring = KeyRing.from_stored([*broken, *STORED], SECRETS | {"dealer.short": "x" * 31})

    assert ring.unusable.keys() == {"dealer.lost", "dealer.short", "dealer.rsa", "dealer.mixed", "shop.hs"}
    assert verify(GOOD, ring=ring).brand_id == "dealer"
    with pytest.raises(TokenRefusedError, match="token_invalid: kid"):
        verify(token(head={"kid": "dealer.lost"}), ring=ring)


def test_neither_keys_nor_their_ring_show_a_secret() -> None:
    shown = repr(list(RING)) + repr(RING) + repr(Verifier(RING))

    assert SECRET not in shown
    assert "dealer.hs" in shown


# --- from where a token may be used -------------------------------------------------------------------------

PUBLIC = "https://privacy.example"
PAGE = "https://dealer.example"
REGISTERED = frozenset({PAGE, "https://www.dealer.example"})
BACKEND = verify(GOOD)
CONSUMER = verify(token("consumer", origins=[PAGE, "https://unregistered.example"]))
WITH_APP = replace(CONSUMER, origins=(PAGE, "app"))
WITH_PUBLIC = replace(CONSUMER, origins=(PUBLIC,))
WITH_NULL = replace(CONSUMER, origins=("null",))
STAFF = verify(token("staff"))
APP_REGISTERED = REGISTERED | {"app"}

PASSES: dict[str, tuple[Claims, dict[str, str], frozenset[str], str | None]] = {
    "a backend": (BACKEND, {"Authorization": "Bearer x", "Accept": "*/*"}, REGISTERED, None),
    "a consumer on a registered page": (CONSUMER, {"Origin": PAGE}, REGISTERED, PAGE),
    "a consumer from another site's page": (
        CONSUMER,
        {"Origin": PAGE, "Sec-Fetch-Site": "cross-site"},
        REGISTERED,
        PAGE,
    ),
    "a consumer in an app": (WITH_APP, {}, APP_REGISTERED, "app"),
    "a consumer on the server's own page, reading": (
        WITH_PUBLIC,
        {"Sec-Fetch-Site": "same-origin"},
        REGISTERED,
        PUBLIC,
    ),
    "a consumer on the server's own page, writing": (WITH_PUBLIC, {"Origin": PUBLIC}, REGISTERED, PUBLIC),
    "staff, reading": (STAFF, {"sec-fetch-site": "same-origin"}, REGISTERED, PUBLIC),
    "staff, writing": (STAFF, {"origin": PUBLIC}, REGISTERED, PUBLIC),
}

STOPPED: dict[str, tuple[Claims, dict[str, str], frozenset[str]]] = {
    "a backend on a registered page": (BACKEND, {"Origin": PAGE}, REGISTERED),
    "a backend on the server's own page": (BACKEND, {"Origin": PUBLIC}, REGISTERED),
    "a backend with an opaque origin": (BACKEND, {"Origin": "null"}, REGISTERED),
    "a backend in a browser's GET": (BACKEND, {"Sec-Fetch-Site": "same-origin"}, REGISTERED),
    "a backend in a navigation": (BACKEND, {"Sec-Fetch-Site": "none"}, REGISTERED),
    "a backend with Sec-Fetch-Mode alone": (BACKEND, {"sec-fetch-mode": "cors"}, REGISTERED),
    "a backend with a Sec-Fetch header to come": (BACKEND, {"SEC-FETCH-NEW": "1"}, REGISTERED),
    "a consumer on a page that the token doesn't name": (
        CONSUMER,
        {"Origin": "https://www.dealer.example"},
        REGISTERED,
    ),
    "a consumer on a page that the brand didn't register": (
        CONSUMER,
        {"Origin": "https://unregistered.example"},
        REGISTERED,
    ),
    "a consumer on a longer name": (CONSUMER, {"Origin": PAGE + ".evil.example"}, REGISTERED),
    "a consumer on another port": (CONSUMER, {"Origin": PAGE + ":8443"}, REGISTERED),
    "a consumer over plain http": (CONSUMER, {"Origin": "http://dealer.example"}, REGISTERED),
    "a consumer with an origin in upper case": (CONSUMER, {"Origin": PAGE.upper()}, REGISTERED),
    "a consumer without Origin": (CONSUMER, {}, APP_REGISTERED),
    "an app whose brand registered none": (WITH_APP, {}, REGISTERED),
    "an app that says so as Origin": (WITH_APP, {"Origin": "app"}, APP_REGISTERED),
    "an app with an opaque origin": (WITH_APP, {"Origin": "null"}, APP_REGISTERED),
    "an opaque origin that everybody named": (WITH_NULL, {"Origin": "null"}, REGISTERED | {"null"}),
    "an opaque origin on the server's own page": (
        WITH_PUBLIC,
        {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
        REGISTERED,
    ),
    "an empty Origin": (WITH_APP, {"Origin": ""}, APP_REGISTERED),
    "the server's own page that the token doesn't name": (
        CONSUMER,
        {"Sec-Fetch-Site": "same-origin"},
        REGISTERED,
    ),
    "the same site but another origin": (WITH_PUBLIC, {"Sec-Fetch-Site": "same-site"}, REGISTERED),
    "staff on the brand's page": (STAFF, {"Origin": PAGE}, REGISTERED),
    "staff on a page of the same site": (STAFF, {"Sec-Fetch-Site": "same-site"}, REGISTERED),
    "staff outside browsers": (STAFF, {}, APP_REGISTERED),
    "staff with a foreign Origin and a forged site": (
        STAFF,
        {"Origin": PAGE, "Sec-Fetch-Site": "same-origin"},
        REGISTERED,
    ),
    "Origin twice": (CONSUMER, {"Origin": PAGE, "origin": PAGE}, REGISTERED),
    "Sec-Fetch-Site twice": (STAFF, {"Sec-Fetch-Site": "same-origin", "sec-fetch-site": "none"}, REGISTERED),
}


@pytest.mark.parametrize("case", PASSES)
def test_a_token_passes_where_it_is_meant_to_be_used(case: str) -> None:
    claims, headers, registered, origin = PASSES[case]

    assert check_fetch_context(claims, headers, registered, PUBLIC) == origin


@pytest.mark.parametrize("case", STOPPED)
def test_a_token_is_stopped_everywhere_else(case: str) -> None:
    claims, headers, registered = STOPPED[case]

    with pytest.raises(TokenRefusedError) as caught:
        check_fetch_context(claims, headers, registered, PUBLIC)

    assert (caught.value.code, caught.value.status) == (Code.ORIGIN, 403)


@pytest.mark.parametrize("value", ["Bearer a.b.c", "bearer a.b.c", "BEARER  a.b.c "])
def test_the_token_follows_the_word_bearer_in_any_case(value: str) -> None:
    assert bearer_token(value) == "a.b.c"


@pytest.mark.parametrize("value", [None, "", "Bearer", "Bearer ", "Basic a.b.c", "a.b.c", "Bearer a b"])
def test_without_a_bearer_token_the_token_is_missing(value: str | None) -> None:
    with pytest.raises(TokenRefusedError) as caught:
        bearer_token(value)

    assert (caught.value.code, caught.value.status) == (Code.TOKEN_MISSING, 401)


# --- what is known of a token that has expired --------------------------------------------------------------


def expired(text: str, *, now: int) -> Claims | None:
    with pytest.raises(TokenRefusedError) as caught:
        Verifier(RING).verify(text, now=now * 1_000_000)
    return caught.value.expired


def test_of_a_token_that_has_only_expired_it_is_known_what_it_says() -> None:
    assert expired(token("consumer"), now=NOW + 300) == verify(token("consumer"))


@pytest.mark.parametrize(
    "text",
    [
        signed(dumped(header("consumer")), dumped(payload("consumer")), lambda text: hs(text, OTHER_SECRET)),
        token("consumer", iss="shop"),
        token("consumer", aud="other"),
        token("consumer", head={"kid": "dealer.gone"}),
        token("consumer", sub="ann@mail.example"),
        token("consumer", head={"kid": "dealer.back"}),
    ],
    ids=["forged", "another brand", "another audience", "a revoked key", "no id", "another class"],
)
def test_of_a_token_that_would_not_have_counted_before_it_expired_nothing_is_known(text: str) -> None:
    assert expired(text, now=NOW + 300) is None
