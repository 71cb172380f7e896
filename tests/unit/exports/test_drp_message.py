"""Signed messages: read, and checked in the protocol's order."""

import base64
import json
from datetime import UTC, datetime

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from sayso.exports.drp_message import NotAcceptedError, Step, check_claims, open_message, peek, sign_message
from sayso.model.instant import to_micros

KEY, OTHER_KEY = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
CLAIMS = {
    "agent-id": "AN_AGENT",
    "business-id": "DEALER",
    "issued-at": "2026-11-24T11:59:00+00:00",
    "expires-at": "2026-11-24T12:09:00+00:00",
}


def verifier(public: Ed25519PublicKey):
    def verify(signature: bytes, content: bytes) -> bool:
        try:
            public.verify(signature, content)
        except InvalidSignature:
            return False
        return True

    return verify


verify = verifier(KEY.public_key())


def signed(content: bytes, key: Ed25519PrivateKey = KEY) -> bytes:
    return base64.b64encode(key.sign(content) + content)


def failing_step(body: bytes, agent_id: str = "AN_AGENT", business_id: str = "DEALER", now: datetime = NOON):
    try:
        claims = open_message(body, verify)
        check_claims(claims, agent_id=agent_id, business_id=business_id, now=to_micros(now))
    except NotAcceptedError as failed:
        return failed.step
    return None


def test_a_good_message_passes_every_check():
    body = sign_message(CLAIMS, KEY.sign)

    assert failing_step(body) is None
    assert open_message(body, verify) == CLAIMS


def test_the_first_vector_of_rfc_8032_is_a_good_signature_of_nothing_which_is_no_json():
    public = Ed25519PublicKey.from_public_bytes(
        bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    )
    signature = bytes.fromhex(
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24"
        "655141438e7a100b"
    )

    with pytest.raises(NotAcceptedError) as good:
        open_message(base64.b64encode(signature), verifier(public))
    with pytest.raises(NotAcceptedError) as bad:
        open_message(base64.b64encode(signature[:-1] + b"\x0c"), verifier(public))

    assert (good.value.step, bad.value.step) == (Step.JSON, Step.SIGNATURE)


@pytest.mark.parametrize(
    ("body", "step"),
    [
        (b"", Step.SIGNATURE),
        (b"!" + sign_message(CLAIMS, KEY.sign), Step.BASE64),
        (sign_message(CLAIMS, KEY.sign)[:-3], Step.BASE64),
        (base64.urlsafe_b64encode(b"\xff" * 70), Step.BASE64),
        ("é".encode(), Step.BASE64),
        (base64.b64encode(b"short"), Step.SIGNATURE),
        (sign_message(CLAIMS, OTHER_KEY.sign), Step.SIGNATURE),
        (base64.b64encode(KEY.sign(b"{}") + json.dumps(CLAIMS).encode()), Step.SIGNATURE),
        (base64.b64encode(json.dumps(CLAIMS).encode() + KEY.sign(json.dumps(CLAIMS).encode())), Step.SIGNATURE),
        (signed(b"no json"), Step.JSON),
        (signed(b"\xff{}"), Step.JSON),
        (signed(b'["agent-id"]'), Step.JSON),
        (signed(b'{"agent-id": "AN_AGENT", "agent-id": "AN_AGENT"}'), Step.JSON),
        (signed(b"[" * 100_000), Step.JSON),
    ],
)
def test_what_can_t_be_read_or_was_signed_by_somebody_else_is_not_accepted(body, step):
    assert failing_step(body) == step


@pytest.mark.parametrize(
    ("wrong", "step"),
    [
        ({"agent-id": "ANOTHER"}, Step.AGENT),
        ({"agent-id": None}, Step.AGENT),
        ({"business-id": "ANOTHER"}, Step.BUSINESS),
        ({"business-id": "dealer"}, Step.BUSINESS),
        ({"issued-at": "2026-11-24T12:00:00+00:00"}, Step.ISSUED),
        ({"issued-at": "2026-11-24T12:00:01+00:00"}, Step.ISSUED),
        ({"issued-at": "2026-11-24T11:59:00"}, Step.ISSUED),
        ({"issued-at": 1764000000}, Step.ISSUED),
        ({"issued-at": "yesterday"}, Step.ISSUED),
        ({"expires-at": "2026-11-24T12:00:00+00:00"}, Step.EXPIRES),
        ({"expires-at": "2026-11-24T11:59:59.999999+00:00"}, Step.EXPIRES),
        ({"expires-at": "2026-11-24T12:09:00"}, Step.EXPIRES),
        ({"expires-at": None}, Step.EXPIRES),
    ],
)
def test_each_claim_is_checked(wrong, step):
    assert failing_step(sign_message({**CLAIMS, **wrong}, KEY.sign)) == step


@pytest.mark.parametrize("missing", list(CLAIMS))
def test_no_claim_may_be_missing(missing):
    claims = {name: value for name, value in CLAIMS.items() if name != missing}

    assert failing_step(sign_message(claims, KEY.sign)) == missing


def test_what_fails_in_several_ways_fails_at_the_first_of_the_order():
    wrong = {
        "agent-id": "B",
        "business-id": "B",
        "issued-at": "2027-01-01T00:00:00Z",
        "expires-at": "2020-01-01T00:00:00Z",
    }
    found = []
    for mended in ({}, *({name: CLAIMS[name]} for name in CLAIMS)):
        wrong = {**wrong, **mended}
        found.append(failing_step(sign_message(wrong, KEY.sign)))

    assert found == [Step.AGENT, Step.BUSINESS, Step.ISSUED, Step.EXPIRES, None]
    assert failing_step(sign_message({**wrong, "agent-id": "B"}, OTHER_KEY.sign)) == Step.SIGNATURE
    assert failing_step(b"!" + sign_message({**wrong, "agent-id": "B"}, OTHER_KEY.sign)) == Step.BASE64


def test_peeking_reads_without_believing():
    assert peek(sign_message(CLAIMS, OTHER_KEY.sign)) == CLAIMS


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_in_one_way(body):
    assert failing_step(body) in {Step.BASE64, Step.SIGNATURE}


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_byte_anywhere_breaks_the_signature(place, change):
    message = bytearray(base64.b64decode(sign_message(CLAIMS, KEY.sign)))
    message[place % len(message)] ^= change

    assert failing_step(base64.b64encode(bytes(message))) == Step.SIGNATURE
