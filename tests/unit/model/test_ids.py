"""Which ids are taken, which are refused with advice, and how ids are made."""

import re
import uuid

import pytest

from sayso.model import ids
from sayso.model.ids import (
    IdError,
    check_consumer_id,
    check_id,
    is_anonymous,
    new_anonymous_id,
    new_choice_id,
    pseudonym,
)

TAKEN = [
    "cust-42",
    "a",
    "7",
    "A.b_c:d@e+f=g-h",
    "x" * 128,
    "auth0:5f7c8ec7c33c6c004bbafe82",
    "123456789",
    "1234567890123456",
    "2f1c8a52-97c1-4e3e-9f0a-0b7a3a1d2c3e",
    "12345678-1234-1234-1234-123456789012",
    "ann@crm",
    "a@b@dealer.example",
    "00:1A:2B:3C:4D",
    "Anon_1",
    "p-3q2-7w",
    "cust-5551234567",
    "order-1234567890",
    "order:1234567890",
    "telephone:7",
    "crm:+1555",
    "smith:7",
]
MALFORMED = [
    "",
    "-a",
    ".hidden",
    "_a",
    "+15551234567",
    " cust-42",
    "cust-42 ",
    "cust-42\n",
    "cust\x0042",
    "cust/42",
    "cust%2F42",
    "..",
    "../etc",
    "x" * 129,
    "café",
    "Ω42",
    "\u0663\u0664",
    "a\u200bb",
    "a,b",
    "a?b",
    "a#b",
    "a\\b",
    "*",
]
PERSONAL = {
    "ann@dealer.example": "e-mail",
    "Ann.Example+cars@mail.dealer.example": "e-mail",
    "5551234567": "phone number",
    "555-123-4567": "phone number",
    "1.555.123.4567": "phone number",
    "15551234567": "phone number",
    "123456789012345": "phone number",
    "490154203237518": "IMEI",
    "49-015420-323751-8": "IMEI",
    "00:1A:2B:3C:4D:5E": "hardware address",
    "00-1a-2b-3c-4d-5e": "hardware address",
    "001a.2b3c.4d5e": "hardware address",
    "tel:+15551234567": "phone number",
    "TEL:555-1234": "phone number",
    "sms:15551234567": "phone number",
    "whatsapp:+15551234567": "phone number",
    "sip:+1-555-123-4567": "phone number",
    "mailto:ann@dealer.example": "e-mail",
    "mailto:ann@dealer": "e-mail",
    "imei:49015420323751": "IMEI",
    "IMEI:490154203237518": "IMEI",
    "mac:001a2b3c4d5e": "hardware address",
}


@pytest.mark.parametrize("value", TAKEN)
def test_an_opaque_id_is_taken_byte_for_byte(value):
    assert check_id(value) == value
    assert check_consumer_id(value) == value
    assert not is_anonymous(value)


@pytest.mark.parametrize("value", MALFORMED)
@pytest.mark.parametrize("check", [check_id, check_consumer_id])
def test_a_malformed_id_is_refused(check, value):
    with pytest.raises(IdError) as refused:
        check(value)
    assert refused.value.code == "invalid_id"


@pytest.mark.parametrize("value", PERSONAL)
@pytest.mark.parametrize("check", [check_id, check_consumer_id])
def test_an_id_that_names_a_person_or_a_device_is_refused_with_the_advice_to_hash_it(check, value):
    with pytest.raises(IdError, match=r"sayso\.pseudonym") as refused:
        check(value)
    assert refused.value.code == "personal_id"
    assert PERSONAL[value] in str(refused.value)
    assert value not in str(refused.value)


def test_the_length_of_a_phone_number_is_ten_to_fifteen_digits():
    refused = []
    for length in range(1, 20):
        try:
            check_id("1" * length)
        except IdError:
            refused.append(length)
    assert refused == [10, 11, 12, 13, 14, 15]


@pytest.mark.parametrize("tail", ["", "x", "A" * 21, "A" * 23, "A" * 21 + "=", "A" * 21 + ".", "A" * 22 + "\n"])
def test_whatever_else_starts_like_an_anonymous_id_is_refused(tail):
    with pytest.raises(IdError) as refused:
        check_consumer_id("anon_" + tail)
    assert refused.value.code == "invalid_id"


def test_a_new_anonymous_id_is_taken_and_has_128_random_bits():
    made = {new_anonymous_id() for _ in range(500)}
    assert len(made) == 500
    for value in made:
        assert re.fullmatch(r"anon_[A-Za-z0-9_-]{22}", value)
        assert check_consumer_id(value) == value
        assert is_anonymous(value)


def test_a_new_anonymous_id_is_nothing_but_its_random_bytes(monkeypatch):
    monkeypatch.setattr(ids.secrets, "token_bytes", lambda count: b"\xfb" * count)
    assert new_anonymous_id() == "anon_-_v7-_v7-_v7-_v7-_v7-w"


def test_a_choice_id_is_a_version_7_uuid():
    for _ in range(200):
        value = uuid.UUID(new_choice_id())
        assert (value.version, value.variant) == (7, uuid.RFC_4122)


def test_choice_ids_sort_by_the_time_they_were_made(monkeypatch):
    made = []
    for millis in (1_700_000_000_000, 1_700_000_000_001, 1_795_435_200_000, 2**47):
        monkeypatch.setattr(ids.time, "time_ns", lambda millis=millis: millis * 1_000_000 + 999_999)
        made.append(new_choice_id())
        assert uuid.UUID(made[-1]).int >> 80 == millis
    assert made == sorted(made)


def test_choice_ids_made_in_the_same_millisecond_differ(monkeypatch):
    monkeypatch.setattr(ids.time, "time_ns", lambda: 1_700_000_000_000_000_000)
    made = {new_choice_id() for _ in range(500)}
    assert len(made) == 500
    assert len({value[:13] for value in made}) == 1


KEY = "k" * 16


def test_a_pseudonym_is_stable_opaque_and_an_id():
    made = pseudonym("ann@dealer.example", key=KEY)
    assert made == pseudonym("ann@dealer.example", key=KEY.encode())
    assert re.fullmatch(r"p-[A-Za-z0-9_-]{43}", made)
    assert check_consumer_id(made) == made


def test_a_pseudonym_is_the_published_function_of_value_and_key():
    # HMAC-SHA256 under 16 bytes `k` of `ann@dealer.example`, worked out with `openssl dgst`.
    assert pseudonym("ann@dealer.example", key=KEY) == "p-Yii6hS-i3erUjSHiQPuhCPNJb9KMdp4t64BpSeOTbNw"


def test_the_same_address_in_other_letters_has_the_same_pseudonym():
    assert pseudonym("  Ann@Dealer.Example\n", key=KEY) == pseudonym("ann@dealer.example", key=KEY)


def test_another_value_or_another_key_gives_another_pseudonym():
    made = pseudonym("ann@dealer.example", key=KEY)
    assert made != pseudonym("ben@dealer.example", key=KEY)
    assert made != pseudonym("ann@dealer.example", key="l" * 16)


@pytest.mark.parametrize("key", ["", "k" * 15, b"k" * 15])
def test_a_short_key_is_refused(key):
    with pytest.raises(ValueError, match="16 bytes"):
        pseudonym("ann@dealer.example", key=key)
