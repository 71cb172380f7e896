"""What is refused: each with its status, its code, the member at fault, and nothing stored."""

from __future__ import annotations

import base64
import json
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from sayso.wire import Role, TokenClass

if TYPE_CHECKING:
    from tests.server.conftest import Answered, Brand

A_YEAR = timedelta(days=365)
ID = "0198f3a0-0000-7000-8000-000000000001"


@pytest.fixture
async def known(dealer: Brand) -> Brand:
    """The brand with one consumer who has said something, so that a change to it would show."""
    await dealer.say("channel:sms", "granted")
    return dealer


async def refused(brand: Brand, body: bytes, **request: Any) -> Answered:
    """Send a body of choices that must leave no trace."""
    async with brand.world.nothing_stored():
        answer = await brand.call("POST", "/v1/choices", body=body, **request)
    assert answer.json["status"] == answer.status
    assert answer.json["request_id"] == answer.headers["X-Request-Id"]
    return answer


async def refused_choice(brand: Brand, sent: dict[str, Any], **batch: Any) -> Answered:
    return await refused(brand, json.dumps({"choices": [sent]} | batch).encode())


# --- one member of a choice ---------------------------------------------------------------------------------

WRONG_MEMBERS: dict[str, tuple[dict[str, Any], str, str]] = {
    "a naive time": ({"made_at": "2026-11-23T19:00:00"}, "/made_at", "naive_time"),
    "seconds since 1970": ({"made_at": 1795460400}, "/made_at", "wrong_type"),
    "seconds since 1970 as text": ({"made_at": "1795460400"}, "/made_at", "invalid_value"),
    "a date": ({"made_at": "2026-11-23"}, "/made_at", "invalid_value"),
    "no time at all": ({"made_at": "yesterday"}, "/made_at", "invalid_value"),
    "a naive end": ({"expires_at": "2027-11-23T19:00:00"}, "/expires_at", "naive_time"),
    "a grant from the future": ({"made_at": "2026-11-23T19:05:01Z"}, "/made_at", "from_the_future"),
    "a grant without notice": ({"notice": None}, "/notice", "notice_required"),
    "a notice without language": ({"notice": {"version": 1}}, "/notice/language", "missing_member"),
    "a notice in no language": ({"notice": {"language": "Deutsch!"}}, "/notice/language", "invalid_value"),
    "a notice in another language": ({"notice": {"language": "de"}}, "/notice/language", "notice_unknown"),
    "a notice yet to come": (
        {"notice": {"language": "en", "version": 2}},
        "/notice/version",
        "notice_unknown",
    ),
    "notice version 0": ({"notice": {"language": "en", "version": 0}}, "/notice/version", "invalid_value"),
    "an unknown topic": ({"topic": "channel:smss"}, "/topic", "unknown_topic"),
    "an empty topic": ({"topic": ""}, "/topic", "invalid_value"),
    "a topic of 161 characters": ({"topic": "purpose:" + "x" * 153}, "/topic", "invalid_value"),
    "a grant of everything": ({"topic": "*"}, "/topic", "not_grantable"),
    "an unknown member": ({"anwser": "granted"}, "/anwser", "unknown_member"),
    "an unknown member inside": (
        {"notice": {"language": "en", "verison": 1}},
        "/notice/verison",
        "unknown_member",
    ),
    "a missing member": ({"answer": None}, "/answer", "missing_member"),
    "an answer there is not": ({"answer": "maybe"}, "/answer", "invalid_value"),
    "an answer that is no text": ({"answer": True}, "/answer", "invalid_value"),
    "a method there is not": ({"method": "telepathy"}, "/method", "invalid_value"),
    "based_on ahead": ({"based_on": 2}, "/based_on", "based_on_ahead"),
    "based_on far ahead": ({"based_on": 2**53 - 1}, "/based_on", "based_on_ahead"),
    "based_on beyond 64 bits": ({"based_on": 10**30}, "/based_on", "based_on_ahead"),
    "a leap second": ({"made_at": "2016-12-31T23:59:60Z"}, "/made_at", "invalid_value"),
    "a 13th month": ({"made_at": "2026-13-01T00:00:00Z"}, "/made_at", "invalid_value"),
    "a notice in a locale": ({"notice": {"language": "fr_CA"}}, "/notice/language", "invalid_value"),
    "a notice in capitals": ({"notice": {"language": "EN"}}, "/notice/language", "invalid_value"),
    "a notice in an empty language": ({"notice": {"language": ""}}, "/notice/language", "invalid_value"),
    "based_on as a boolean": ({"based_on": True}, "/based_on", "wrong_type"),
    "based_on as text": ({"based_on": "1"}, "/based_on", "wrong_type"),
    "based_on as a float": ({"based_on": 1.0}, "/based_on", "wrong_type"),
    "based_on below nothing": ({"based_on": -1}, "/based_on", "invalid_value"),
    "a choice id that is no UUID": ({"id": "choice-1"}, "/id", "invalid_id"),
    "a choice id that is a number": ({"id": 7}, "/id", "wrong_type"),
    "an actor that is not the backend's": ({"actor": "guardian"}, "/actor", "actor_not_yours"),
    "an agent who is not staff": ({"actor": "agent"}, "/actor", "actor_not_yours"),
    "a topic that is a list": ({"topic": ["channel:sms"]}, "/topic", "wrong_type"),
    "evidence without kind": ({"evidence": {"ref": "call-7"}}, "/evidence/kind", "missing_member"),
    "a reference of 257 characters": (
        {"evidence": {"kind": "call", "ref": "x" * 257}},
        "/evidence/ref",
        "invalid_value",
    ),
    "a digest that is none": ({"evidence": {"kind": "call", "sha256": "abc"}}, "/evidence/sha256", "invalid_value"),
    "a country written out": ({"jurisdiction": "California"}, "/jurisdiction", "invalid_value"),
    "an override of nothing known": ({"overrides": ["cookie"]}, "/overrides/0", "invalid_value"),
    "a precision without a location": ({"detail": {"precision": "city"}}, "/detail/precision", "invalid_value"),
    "a note of 501 characters": ({"detail": {"note": "x" * 501}}, "/detail/note", "invalid_value"),
    "a detail of more than 2 KiB": (
        {"detail": {"note": "\U0001f512" * 500, "campaign": "\U0001f512" * 128}},
        "/detail",
        "invalid_value",
    ),
    "a device id with a slash": ({"device_id": "a/b"}, "/device_id", "invalid_id"),
}


@pytest.mark.parametrize("name", WRONG_MEMBERS)
async def test_a_choice_with_a_wrong_member_is_refused_by_its_pointer(
    known: Brand, make_choice: Any, name: str
) -> None:
    members, pointer, code = WRONG_MEMBERS[name]

    answer = await refused_choice(known, make_choice(**{"topic": "channel:sms", "answer": "granted"} | members))

    assert (answer.status, answer.code) == (422, code)
    assert answer.problems == [(f"/choices/0{pointer}", code)]
    assert answer.json["errors"][0]["message"] == answer.json["detail"]


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("channel:smss", "channel:sms"),
        ("purpose:marketting", "purpose:marketing"),
        ("partner:vinsolution:share", "partner:vinsolutions:share"),
    ],
)
@pytest.mark.parametrize("answer", ["granted", "denied"])
async def test_an_unknown_topic_is_answered_with_the_nearest(
    known: Brand, make_choice: Any, sent: str, meant: str, answer: str
) -> None:
    answered = await refused_choice(known, make_choice(sent, answer))

    assert (answered.status, answered.problems) == (422, [("/choices/0/topic", "unknown_topic")])
    assert f"did you mean {meant}?" in answered.json["detail"]


async def test_a_topic_like_no_other_is_answered_with_where_to_look(known: Brand, make_choice: Any) -> None:
    answer = await refused_choice(known, make_choice("zzz", "denied"))

    assert (answer.status, answer.code) == (422, "unknown_topic")
    assert "GET /v1/catalogue" in answer.json["detail"]


async def test_without_a_catalogue_the_answer_says_how_to_publish_one(known: Brand, make_choice: Any) -> None:
    bare = await known.world.add_brand("bare", publish=False)

    answer = await refused_choice(bare, make_choice("channel:sms", "denied"))

    assert (answer.status, answer.problems) == (422, [("/choices/0/topic", "unknown_topic")])
    assert "sayso-server catalogue publish" in answer.json["detail"]


async def test_a_misspelt_member_is_answered_with_the_nearest(known: Brand, make_choice: Any) -> None:
    answer = await refused_choice(known, make_choice("channel:sms", "denied", made_ta="2026-11-23T19:00:00Z"))

    assert answer.json["detail"].endswith("did you mean made_at?")


async def test_a_grant_on_a_stale_notice_is_a_409_of_its_own(known: Brand, make_choice: Any) -> None:
    answer = await refused_choice(
        known, make_choice("purpose:training", "granted", notice={"language": "en", "version": 1})
    )

    assert (answer.status, answer.problems) == (409, [("/choices/0/notice/version", "notice_stale")])


async def test_a_stale_notice_among_other_faults_is_a_422_that_names_both(known: Brand, make_choice: Any) -> None:
    stale = make_choice("purpose:training", "granted", notice={"language": "en", "version": 1})

    answer = await refused(known, json.dumps({"choices": [stale, make_choice("x", "denied")]}).encode())

    assert (answer.status, answer.code) == (422, "unknown_topic")
    assert answer.problems == [
        ("/choices/1/topic", "unknown_topic"),
        ("/choices/0/notice/version", "notice_stale"),
    ]


@pytest.mark.parametrize(("topic", "basis"), [("purpose:service", "contract"), ("purpose:recall", "legal obligation")])
@pytest.mark.parametrize("answer", ["denied", "withdrawn"])
async def test_what_nobody_can_refuse_names_the_rights_request_to_file(
    known: Brand, make_choice: Any, topic: str, basis: str, answer: str
) -> None:
    answered = await refused_choice(known, make_choice(topic, answer))

    assert (answered.status, answered.problems) == (422, [("/choices/0/topic", "not_refusable")])
    assert f"rests on {basis}" in answered.json["detail"]
    assert "rights request of kind object, restrict or delete" in answered.json["detail"]


@pytest.mark.parametrize("member", [{"expires_at": "2027-01-01T00:00:00Z"}, {"overrides": ["gpc"]}])
async def test_a_refusal_has_no_end_and_overrides_nothing(known: Brand, make_choice: Any, member: Any) -> None:
    answer = await refused_choice(known, make_choice("channel:sms", "denied", **member))

    assert (answer.status, answer.problems) == (422, [(f"/choices/0/{next(iter(member))}", "invalid_value")])


@pytest.mark.parametrize(
    ("sent_at", "made_at", "status"),
    [
        ("2026-11-23T19:00:00Z", "2026-11-23T19:05:00Z", 201),
        ("2026-11-23T19:00:00Z", "2026-11-23T19:05:00.000001Z", 422),
        ("2027-11-23T19:00:00Z", "2027-11-23T19:05:00Z", 201),  # the sender's clock is a year off, and cancels out
        ("2025-11-23T19:00:00Z", "2025-11-23T19:05:01Z", 422),
    ],
)
async def test_a_grant_may_be_made_five_minutes_after_it_was_sent_and_no_more(
    known: Brand, make_choice: Any, sent_at: str, made_at: str, status: int
) -> None:
    answer = await known.post(make_choice("purpose:marketing", "granted", made_at=made_at), sent_at=sent_at)

    assert answer.status == status
    assert (await known.preferences())["version"] == (2 if status == 201 else 1)


async def test_a_naive_sent_at_is_refused_even_for_a_refusal(known: Brand, make_choice: Any) -> None:
    answer = await refused_choice(known, make_choice("channel:sms", "denied"), sent_at="2026-11-23T19:00:00")

    assert (answer.status, answer.problems) == (422, [("/sent_at", "naive_time")])


# --- ids ----------------------------------------------------------------------------------------------------

BAD_IDS = {
    "nothing": ("", "invalid_id"),
    "NUL": ("cust\x0042", "invalid_id"),
    "a slash": ("cust/42", "invalid_id"),
    "an escaped slash": ("cust%2F42", "invalid_id"),
    "two dots": ("..", "invalid_id"),
    "a way up": ("ann/../victim", "invalid_id"),
    "a question": ("victim/export?", "invalid_id"),
    "129 characters": ("x" * 129, "invalid_id"),
    "a space": ("cust 42", "invalid_id"),
    "a line break at the end": ("cust-42\n", "invalid_id"),
    "a letter beyond ASCII": ("cust-é", "invalid_id"),
    "a dot first": (".cust", "invalid_id"),
    "an e-mail address": ("ann@mail.example", "personal_id"),
    "a phone number": ("14155550100", "personal_id"),
    "a phone number with dashes": ("1-415-555-0100", "personal_id"),
    "a MAC address": ("00:1a:2b:3c:4d:5e", "personal_id"),
    "a MAC address with dots": ("001a.2b3c.4d5e", "personal_id"),
    "an IMEI": ("490154203237518", "personal_id"),
    "an anonymous id of one's own making": ("anon_ann", "invalid_id"),
    "an anonymous id too long": ("anon_" + "x" * 23, "invalid_id"),
}


@pytest.mark.parametrize("name", BAD_IDS)
@pytest.mark.parametrize("answer", ["granted", "denied"])
async def test_a_consumer_id_that_is_unsafe_or_says_who_it_is_is_refused_in_a_body(
    known: Brand, make_choice: Any, name: str, answer: str
) -> None:
    consumer, code = BAD_IDS[name]

    answered = await refused_choice(known, make_choice("channel:sms", answer, consumer=consumer))

    assert (answered.status, answered.problems) == (422, [("/choices/0/consumer_id", code)])
    assert code != "personal_id" or "sayso.pseudonym" in answered.json["detail"]


def escaped(text: str) -> str:
    """Escape every byte, so that nothing on the way can read it as a path."""
    return "".join(f"%{byte:02X}" for byte in text.encode())


@pytest.mark.parametrize("name", sorted(BAD_IDS.keys() - {"nothing"}))
async def test_a_consumer_id_that_is_unsafe_or_says_who_it_is_is_refused_in_a_path(known: Brand, name: str) -> None:
    consumer, code = BAD_IDS[name]
    path = f"/v1/consumers/{escaped(consumer)}"
    age = {"source": "brand", "lower": 18}

    async with known.world.nothing_stored():
        reading = await known.call("GET", f"{path}/preferences")
        writing = await known.call("PUT", f"{path}/age", json=age)

    assert (reading.status, reading.problems) == (422, [("", code)])
    assert (writing.status, writing.problems) == (422, [("", code)])
    assert consumer not in reading.json["detail"].replace("...", "")


@pytest.mark.parametrize("name", sorted(name for name in BAD_IDS.keys() - {"nothing"} if "anonymous" not in name))
async def test_a_device_id_that_is_unsafe_or_says_whose_it_is_is_refused_in_a_path(known: Brand, name: str) -> None:
    device, code = BAD_IDS[name]
    body = {"vocabulary": "web", "observed_at": "2026-11-23T19:00:00Z", "states": {"camera": "granted"}}

    async with known.world.nothing_stored():
        answer = await known.call("PUT", f"/v1/consumers/cust-42/devices/{escaped(device)}", json=body)

    assert (answer.status, answer.problems) == (422, [("", code)])


@pytest.mark.parametrize(
    "path",
    [
        "/v1/consumers/cust/42/preferences",
        "/v1/consumers//preferences",
        "/v1/consumers/cust-42/../cust-43/preferences",
        "/v1/consumers/cust-42/preferences/",
        "/v1//consumers/cust-42/preferences",
    ],
)
async def test_a_path_that_is_none_of_ours_is_a_404_and_never_made_into_one(known: Brand, path: str) -> None:
    answer = await known.call("GET", path)

    assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.parametrize("path", ["/v1/consumers/../preferences", "/v1/consumers/%2E%2E/preferences"])
async def test_two_dots_in_a_path_are_an_id_like_any_other_and_a_bad_one(known: Brand, path: str) -> None:
    answer = await known.call("GET", path)

    assert (answer.status, answer.problems) == (422, [("", "invalid_id")])


async def test_an_id_of_128_characters_is_taken_and_compared_byte_for_byte(known: Brand) -> None:
    long = "X" + "a._:@+=-" * 15 + "yyyyyyy"
    assert len(long) == 128
    await known.say("channel:sms", "denied", consumer=long)

    assert await known.reason("channel:sms", escaped(long)) == "denied"
    assert await known.reason("channel:sms", escaped(long.swapcase())) == "not_asked"


# --- the batch ----------------------------------------------------------------------------------------------


async def test_an_empty_batch_is_refused(known: Brand) -> None:
    answer = await refused(known, b'{"choices":[]}')

    assert (answer.status, answer.problems) == (422, [("/choices", "batch_empty")])


async def test_500_choices_are_recorded_and_501_refused(known: Brand, make_choice: Any) -> None:
    choices = [make_choice("channel:sms", "denied", f"cust-{number}") for number in range(501)]

    answer = await refused(known, json.dumps({"choices": choices}).encode())

    assert (answer.status, answer.problems) == (422, [("/choices", "batch_too_large")])
    assert len(await known.recorded(*choices[:500])) == 500


async def test_a_batch_is_refused_whole_for_its_last_entry(known: Brand, make_choice: Any) -> None:
    choices = [make_choice("channel:sms", "denied", f"cust-{number}") for number in range(9)]
    choices.append(make_choice("purpose:marketing", "granted", notice=None))

    answer = await refused(known, json.dumps({"choices": choices}).encode())

    assert (answer.status, answer.problems) == (422, [("/choices/9/notice", "notice_required")])


async def test_a_batch_is_refused_whole_for_what_only_the_storage_knows(known: Brand, make_choice: Any) -> None:
    choices = [
        make_choice("channel:sms", "denied", "cust-1"),
        make_choice("purpose:marketing", "granted", based_on=9),
        make_choice("channel:sms", "denied", "cust-3"),
    ]

    answer = await refused(known, json.dumps({"choices": choices}).encode())

    assert (answer.status, answer.problems) == (422, [("/choices/1/based_on", "based_on_ahead")])


async def test_an_id_twice_in_a_batch_is_refused(known: Brand, make_choice: Any) -> None:
    one = make_choice("channel:sms", "denied")

    answer = await refused(known, json.dumps({"choices": [one, one]}).encode())

    assert (answer.status, answer.problems) == (422, [("/choices/1/id", "duplicate_id")])


async def test_an_id_twice_in_a_batch_is_refused_whatever_its_spelling(known: Brand, make_choice: Any) -> None:
    one = make_choice("channel:sms", "denied", id=ID)

    answer = await refused(known, json.dumps({"choices": [one, one | {"id": ID.upper()}]}).encode())

    assert (answer.status, answer.problems) == (422, [("/choices/1/id", "duplicate_id")])


async def test_two_consumers_may_use_the_same_id(known: Brand, make_choice: Any) -> None:
    one, other = (make_choice("channel:sms", "denied", name, id=ID) for name in ("cust-1", "cust-2"))

    assert [entry["version"] for entry in await known.recorded(one, other)] == [1, 1]


@pytest.mark.parametrize(
    "change",
    [
        {"answer": "withdrawn"},
        {"topic": "purpose:marketing"},
        {"method": "sms"},
        {"based_on": 1},
        {"device_id": "pixel-8"},
        {"jurisdiction": "US-CA"},
        {"detail": {"note": "by phone"}},
        {"actor": "brand"},
        {"evidence": {"kind": "call"}},
        {"notice": {"language": "en"}},
    ],
)
async def test_an_id_that_was_used_for_other_content_is_refused(
    known: Brand, make_choice: Any, change: dict[str, Any]
) -> None:
    one = make_choice("channel:sms", "denied")
    await known.recorded(one)

    answer = await refused_choice(known, one | change)

    assert (answer.status, answer.problems) == (422, [("/choices/0/id", "id_reused")])


# --- the body -----------------------------------------------------------------------------------------------

WHOLE = {"id": ID, "consumer_id": "cust-42", "topic": "channel:sms", "answer": "denied", "method": "chat"}


def with_raw_member(raw: str) -> bytes:
    """Give an otherwise good body with one more piece of text in its only choice."""
    return json.dumps({"choices": [WHOLE]}).replace('"method"', raw + ', "method"').encode()


def nested(levels: int) -> bytes:
    """Give a body whose innermost value lies `levels` deep."""
    inside = levels - 3
    return with_raw_member('"detail": ' + "[" * inside + "]" * inside)


BAD_JSON: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "malformed_json"),
    "no JSON": (b"choices=1", "malformed_json"),
    "a body cut off": (json.dumps({"choices": [WHOLE]}).encode()[:-9], "malformed_json"),
    "two documents": (json.dumps({"choices": [WHOLE]}).encode() * 2, "malformed_json"),
    "a comma too many": (b'{"choices":[],}', "malformed_json"),
    "single quotes": (b"{'choices':[]}", "malformed_json"),
    "a control character": (with_raw_member('"device_id": "a\x01b"'), "malformed_json"),
    "half a surrogate pair": (with_raw_member('"device_id": "\\ud83d"'), "malformed_json"),
    "half a surrogate pair as a name": (with_raw_member('"\\udc00": 1'), "malformed_json"),
    "a number of 5000 digits": (with_raw_member(f'"based_on": {"9" * 5000}'), "malformed_json"),
    "a member twice": (with_raw_member('"answer": "granted"'), "duplicate_member"),
    "a member twice by escape": (with_raw_member('"\\u0061nswer": "granted"'), "duplicate_member"),
    "a member twice at the top": (b'{"choices":[],"choices":[]}', "duplicate_member"),
    "NaN": (with_raw_member('"based_on": NaN'), "not_a_number"),
    "Infinity": (with_raw_member('"based_on": Infinity'), "not_a_number"),
    "-Infinity": (with_raw_member('"based_on": -Infinity'), "not_a_number"),
    "17 levels": (nested(17), "too_deep"),
    "100,000 levels": (nested(100_000), "too_deep"),
    "100,000 levels never closed": (b"[" * 100_000, "too_deep"),
    "100,000 objects": (b'{"a":' * 100_000, "too_deep"),
    "levels behind a string of brackets": (
        b'{"x": "]]]]]]\\"]]]]]]", "y": ' + b"[" * 16 + b"]" * 16 + b"}",
        "too_deep",
    ),
    "Latin-1": (with_raw_member('"jurisdiction": "é"').decode().encode("latin-1"), "invalid_utf8"),
    "UTF-16": (json.dumps({"choices": [WHOLE]}).encode("utf-16"), "invalid_utf8"),
    "a byte that is never UTF-8": (with_raw_member('"x": "?"').replace(b"?", b"\xff"), "invalid_utf8"),
    "a surrogate in UTF-8": (with_raw_member('"x": "?"').replace(b"?", b"\xed\xa0\xbd"), "invalid_utf8"),
    "an overlong slash": (with_raw_member('"x": "?"').replace(b"?", b"\xc0\xaf"), "invalid_utf8"),
}


@pytest.mark.parametrize("name", BAD_JSON)
async def test_a_body_that_is_not_strict_json_is_a_400(known: Brand, name: str) -> None:
    body, code = BAD_JSON[name]

    answer = await refused(known, body)

    assert (answer.status, answer.code, answer.problems) == (400, code, [("", code)])


async def test_16_levels_are_read_and_what_is_wrong_in_them_is_named(known: Brand) -> None:
    answer = await refused(known, nested(16))

    assert (answer.status, answer.problems) == (422, [("/choices/0/detail", "wrong_type")])


async def test_brackets_in_a_text_are_no_levels(known: Brand) -> None:
    sent = WHOLE | {"topic": "channel:sms", "detail": {"note": '[{"' * 100 + "\\"}}

    assert (await known.post(sent)).status == 201


@pytest.mark.parametrize("body", [b"[]", b"null", b'"choices"', b"7", b"true"])
async def test_a_body_that_is_no_object_is_refused(known: Brand, body: bytes) -> None:
    answer = await refused(known, body)

    assert (answer.status, answer.problems) == (422, [("", "wrong_type")])


async def test_a_batch_that_is_no_list_is_refused(known: Brand) -> None:
    answer = await refused(known, b'{"choices":{"0":{}}}')

    assert (answer.status, answer.problems) == (422, [("/choices", "wrong_type")])


async def test_a_body_without_choices_is_refused(known: Brand) -> None:
    assert (await refused(known, b"{}")).problems == [("/choices", "missing_member")]


async def test_a_member_beside_the_batch_is_refused(known: Brand) -> None:
    answer = await refused(known, json.dumps({"choices": [WHOLE], "sentat": "2026-11-23T19:00:00Z"}).encode())

    assert (answer.status, answer.problems) == (422, [("/sentat", "unknown_member")])
    assert "did you mean sent_at?" in answer.json["detail"]


async def test_a_pointer_escapes_what_rfc_6901_escapes(known: Brand) -> None:
    answer = await refused(known, json.dumps({"choices": [WHOLE], "a/b~c": 1}).encode())

    assert answer.problems == [("/a~1b~0c", "unknown_member")]


async def test_every_member_at_fault_is_named_at_once(known: Brand, make_choice: Any) -> None:
    first = make_choice("channel:sms", "maybe", consumer="ann@mail.example")
    second = make_choice("channel:sms", "granted", made_at="2026-11-23T19:00:00")

    answer = await refused(known, json.dumps({"choices": [first, second]}).encode())

    assert answer.problems == [
        ("/choices/0/consumer_id", "personal_id"),
        ("/choices/0/answer", "invalid_value"),
        ("/choices/1/made_at", "naive_time"),
    ]


async def test_an_answer_to_a_flood_of_faults_stays_small(known: Brand) -> None:
    names = {f"member{number}": number for number in range(50_000)}

    answer = await refused(known, json.dumps({"choices": [WHOLE]} | names).encode())

    assert (answer.status, answer.code, len(answer.problems)) == (422, "unknown_member", 100)
    assert len(answer.body) < 50_000


async def test_the_name_of_a_member_comes_back_cut_short(known: Brand) -> None:
    answer = await refused(known, json.dumps({"choices": [WHOLE], "x" * 1_000_000: 1}).encode())

    assert (answer.status, answer.code) == (422, "unknown_member")
    assert len(answer.body) < 2_000


async def test_a_body_over_2_mib_is_refused(known: Brand) -> None:
    answer = await refused(known, b" " * (2 * 1024 * 1024 + 1))

    assert (answer.status, answer.code) == (413, "body_too_large")


async def test_a_body_over_2_mib_of_unknown_length_is_refused(known: Brand) -> None:
    async def chunks() -> Any:
        for _ in range(40):
            yield b" " * 65_536

    async with (
        known.world.nothing_stored(),
        known.world.session.post(
            known.world.base + "/v1/choices",
            data=chunks(),
            headers={"Authorization": f"Bearer {known.backend()}", "Content-Type": "application/json"},
        ) as answer,
    ):
        assert answer.status == 413
        assert (await answer.json(content_type="application/problem+json"))["code"] == "body_too_large"


@pytest.mark.parametrize(
    "fields",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
async def test_a_body_that_does_not_say_it_is_plain_json_is_a_415(known: Brand, fields: dict[str, str]) -> None:
    answer = await refused(known, json.dumps({"choices": [WHOLE]}).encode(), headers=fields)

    assert (answer.status, answer.code) == (415, "unsupported_media_type")


# --- tokens -------------------------------------------------------------------------------------------------


def compact(header: dict[str, Any], claims: dict[str, Any]) -> str:
    """Give a token without a signature."""
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims))
    return ".".join((*parts, ""))


async def test_an_expired_token_is_refused_though_it_was_good_a_moment_ago(known: Brand, make_choice: Any) -> None:
    token = known.backend()
    assert (await known.call("GET", "/v1/catalogue", token=token)).status == 200
    known.world.clock.forward(timedelta(minutes=5))

    answer = await refused(known, json.dumps({"choices": [make_choice("channel:sms", "denied")]}).encode(), token=token)

    assert (answer.status, answer.code) == (401, "token_expired")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_forged_tokens_are_refused_all_alike(known: Brand, make_choice: Any) -> None:
    es256, pem = await known.add_key("es", [TokenClass.BACKEND], [Role.BACKEND], "ES256")
    hs256, _ = known.keys["all"]
    claims = jwt.decode(known.backend(), options={"verify_signature": False})
    typ = "sayso-backend+jwt"
    good = known.backend()
    forged = {
        "none": compact({"alg": "none", "kid": hs256.key_id, "typ": typ}, claims),
        "HS256 under the public half of an ES256 key": jwt.PyJWS().encode(
            json.dumps(claims).encode(),
            (es256.public_key or "").encode().replace(b"-----", b""),
            algorithm="HS256",
            headers={"kid": es256.key_id, "typ": typ},
        ),
        "ES256 under an HS256 key's id": jwt.encode(
            claims, pem, algorithm="ES256", headers={"kid": hs256.key_id, "typ": typ}
        ),
        "another ES256 key": jwt.encode(
            claims,
            ec.generate_private_key(ec.SECP256R1()),
            algorithm="ES256",
            headers={"kid": es256.key_id, "typ": typ},
        ),
        "a guessed secret": jwt.encode(
            claims, secrets.token_urlsafe(32), algorithm="HS256", headers={"kid": hs256.key_id, "typ": typ}
        ),
        "a changed claim": ".".join(
            [good.split(".")[0], compact({}, claims | {"scope": "admin"}).split(".")[1], good.split(".")[2]]
        ),
        "another brand": known.backend(iss="shop"),
        "another audience": known.backend(aud="other"),
        "an audience in a list": known.backend(aud=["sayso"]),
        "a life of an hour": known.backend(exp=claims["iat"] + 3600),
        "not yet issued": known.backend(iat=claims["iat"] + 60, exp=claims["iat"] + 120),
        "no id": known.backend(jti=None),
        "an unknown key": good.replace(good.split(".")[0], compact({"alg": "HS256", "kid": "x", "typ": typ}, {})[:-4]),
        "another spelling": good + "=",
        "4097 bytes": "a" * 2048 + "." + "b" * 2046 + ".c",
    }
    body = json.dumps({"choices": [make_choice("channel:sms", "denied")]}).encode()

    answers = {name: await refused(known, body, token=token) for name, token in forged.items()}

    assert {name: (answer.status, answer.code) for name, answer in answers.items()} == dict.fromkeys(
        forged, (401, "token_invalid")
    )
    assert len({answer.json["detail"] for answer in answers.values()}) == 1


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Basic YW5uOmJlbg==", "Bearer a b", "token abc"])
async def test_a_request_without_a_bearer_token_is_refused(known: Brand, authorization: str | None) -> None:
    fields = {} if authorization is None else {"Authorization": authorization}
    async with known.world.nothing_stored():
        answer = await known.world.call("POST", "/v1/choices", json={"choices": [WHOLE]}, headers=fields)

    assert (answer.status, answer.code) == (401, "token_missing")


async def test_a_revoked_key_counts_no_more_with_the_next_request(known: Brand, make_choice: Any) -> None:
    token = known.backend()
    assert (await known.call("GET", "/v1/catalogue", token=token)).status == 200
    key, _ = known.keys["all"]
    await known.world.storage.revoke_key("dealer", key.key_id, known.world.clock.now())

    answer = await refused(known, json.dumps({"choices": [make_choice("channel:sms", "denied")]}).encode(), token=token)

    assert (answer.status, answer.code) == (401, "token_invalid")


# --- a refusal is never turned away for its clock, its notice or a retired topic ----------------------------


@pytest.fixture(params=["denied", "withdrawn"])
def no(request: pytest.FixtureRequest) -> str:
    """Both ways of saying no."""
    return str(request.param)


@pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])
@pytest.mark.parametrize("off", [A_YEAR, -A_YEAR, 2000 * A_YEAR, -2000 * A_YEAR])
async def test_a_refusal_by_a_clock_that_is_years_off_is_recorded_and_counts(
    known: Brand, make_choice: Any, no: str, off: timedelta
) -> None:
    moment = known.world.clock.moment
    made_at = f"{moment.year + off // A_YEAR:04}-11-23T19:00:00Z"

    (entry,) = await known.recorded(make_choice("channel:sms", no, made_at=made_at, based_on=1))

    assert (entry["stands"], entry["allowed"], entry["reason"]) == (True, False, no)
    assert entry["effective_at"] == "2026-11-23T19:00:00.000000Z"
    assert (await known.history())[0]["made_at"] == made_at.replace("Z", ".000000Z")


@pytest.mark.parametrize("off", [A_YEAR, -A_YEAR])
async def test_a_refusal_whose_sender_is_a_year_off_counts_from_when_it_was_really_made(
    known: Brand, make_choice: Any, no: str, off: timedelta
) -> None:
    clock = known.world.clock
    clock.forward(timedelta(minutes=10))
    sent = clock.moment + off
    made = sent - timedelta(minutes=2)

    (entry,) = await known.recorded(make_choice("channel:sms", no, made_at=made.isoformat()), sent_at=sent.isoformat())

    assert (entry["stands"], entry["effective_at"]) == (True, "2026-11-23T19:08:00.000000Z")
    assert (await known.history())[0]["made_at"] == made.strftime("%Y-%m-%dT%H:%M:%S.000000Z")


@pytest.mark.parametrize(
    "notice",
    [
        {"language": "en", "version": 1},
        {"language": "de"},
        {"language": "en", "version": 99},
        {"language": "en", "version": 2**63},
        {"language": "en", "version": 10**30},
    ],
)
@pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])
async def test_a_refusal_on_an_old_or_unknown_notice_is_recorded(
    known: Brand, make_choice: Any, no: str, notice: dict[str, Any]
) -> None:
    await known.say("purpose:training", "granted")

    (entry,) = await known.recorded(make_choice("purpose:training", no, notice=notice, based_on=2))

    assert (entry["stands"], entry["reason"]) == (True, no)
    assert await known.reason("purpose:training") == no
    assert (await known.history())[0]["notice"]["language"] == notice["language"]


async def test_a_refusal_of_a_retired_topic_is_recorded_and_counts_when_it_comes_back(
    known: Brand, make_choice: Any, no: str, catalogue: dict[str, Any]
) -> None:
    without = catalogue | {"topics": {key: t for key, t in catalogue["topics"].items() if key != "channel:sms"}}
    await known.publish(without)
    grant = await refused_choice(known, make_choice("channel:sms", "granted"))
    assert (grant.status, grant.code) == (422, "unknown_topic")

    (entry,) = await known.recorded(make_choice("channel:sms", no, based_on=1))
    assert (entry["version"], entry["stands"], entry["allowed"]) == (2, True, False)

    await known.publish(catalogue)
    assert await known.reason("channel:sms") == no


async def test_a_refusal_of_a_partner_that_is_gone_is_recorded(
    known: Brand, make_choice: Any, no: str, catalogue: dict[str, Any]
) -> None:
    await known.say("partner:vinsolutions:share", "granted")
    await known.publish(catalogue | {"partners": {}})

    (entry,) = await known.recorded(make_choice("partner:vinsolutions:share", no, based_on=2))
    assert (entry["version"], entry["stands"]) == (3, True)

    await known.publish(catalogue)
    assert await known.reason("partner:vinsolutions:share") == no


@pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])
@pytest.mark.parametrize("ahead", [2, 1000, 2**53 - 1, 2**63, 2**64])
async def test_a_refusal_based_on_a_version_far_ahead_is_clipped_and_recorded(
    known: Brand, make_choice: Any, no: str, ahead: int
) -> None:
    (entry,) = await known.recorded(make_choice("channel:sms", no, based_on=ahead))

    assert (entry["version"], entry["stands"], entry["reason"]) == (2, True, no)
    newest = (await known.history())[0]
    assert newest["based_on"] == 1
    assert newest["based_on_sent"] == ahead


async def test_what_a_sender_said_rightly_is_not_told_twice(known: Brand) -> None:
    await known.say("channel:sms", "denied", based_on=1)

    assert "based_on_sent" not in (await known.history())[0]


async def test_a_refusal_of_everything_needs_no_catalogue(known: Brand, make_choice: Any, no: str) -> None:
    bare = await known.world.add_brand("bare", publish=False)

    (entry,) = await bare.recorded(make_choice("*", no))

    assert (entry["topic"], entry["stands"], entry["allowed"]) == ("*", True, False)


@pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])
@pytest.mark.parametrize("language", ["fr_CA", "EN", "", "Deutsch!", "x" * 36, "\x00"])
async def test_a_refusal_on_a_notice_in_no_language_is_recorded_as_it_was_sent(
    known: Brand, make_choice: Any, no: str, language: str
) -> None:
    sent = make_choice("channel:sms", no, notice={"language": language}, based_on=1)

    (entry,) = await known.recorded(sent)

    assert (entry["stands"], entry["reason"]) == (True, no)
    assert (await known.history())[0]["notice"] == {"language": language}
    assert (await known.recorded(sent))[0]["replayed"] is True


async def test_the_language_of_a_refusals_notice_is_kept_up_to_a_length(known: Brand, make_choice: Any) -> None:
    sent = make_choice("channel:sms", "denied", notice={"language": "x" * 10_000})

    await known.recorded(sent)

    assert (await known.history())[0]["notice"] == {"language": "x" * 128}


@pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])
@pytest.mark.parametrize("version", [0, -1, -(2**64)])
async def test_a_refusal_on_a_notice_version_there_can_not_be_is_recorded_and_says_what_was_sent(
    known: Brand, make_choice: Any, no: str, version: int
) -> None:
    sent = make_choice("channel:sms", no, notice={"language": "en", "version": version}, based_on=1)

    (entry,) = await known.recorded(sent)

    assert (entry["stands"], entry["reason"]) == (True, no)
    newest = (await known.history())[0]
    assert (newest["notice"], newest["notice_version_sent"]) == ({"language": "en"}, version)
    assert (await known.preferences())["topics"]["channel:sms"]["notice_version"] is None


async def test_a_notice_version_too_large_to_keep_is_told_beside_the_one_that_was_kept(
    known: Brand, make_choice: Any
) -> None:
    await known.recorded(make_choice("channel:sms", "denied", notice={"language": "en", "version": 2**64}))

    newest = (await known.history())[0]
    assert (newest["notice"]["version"], newest["notice_version_sent"]) == (2**53 - 1, 2**64)


async def test_a_notice_version_that_was_kept_as_sent_is_not_told_twice(known: Brand, make_choice: Any) -> None:
    await known.recorded(make_choice("channel:sms", "denied", notice={"language": "en", "version": 1}))

    assert "notice_version_sent" not in (await known.history())[0]


@pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])
@pytest.mark.parametrize(
    ("made_at", "read_as"),
    [
        ("2026-11-23T18:59:60Z", "2026-11-23T18:59:59.999999Z"),
        ("2026-11-23T18:59:60.5+00:00", "2026-11-23T18:59:59.999999Z"),
        ("2026-13-40T25:61:99Z", "2026-12-31T23:59:59.999999Z"),
        ("2026-02-30T12:00:00Z", "2026-02-28T12:00:00.000000Z"),
        ("0000-00-00T00:00:00Z", "0001-01-01T00:00:00.000000Z"),
        ("2026-11-23T19:00:00.1234567891234Z", "2026-11-23T19:00:00.123456Z"),
        ("2026-11-23T19:00:00+99:99", "2026-11-22T19:01:00.000000Z"),
    ],
)
async def test_a_refusal_at_a_time_that_no_clock_shows_is_recorded_and_says_what_was_sent(
    known: Brand, make_choice: Any, no: str, made_at: str, read_as: str
) -> None:
    (entry,) = await known.recorded(make_choice("channel:sms", no, made_at=made_at, based_on=1))

    assert (entry["stands"], entry["reason"]) == (True, no)
    newest = (await known.history())[0]
    assert (newest["made_at"], newest["made_at_sent"]) == (read_as, made_at)


async def test_a_refusal_sent_in_a_leap_second_counts_from_when_it_was_made(known: Brand, make_choice: Any) -> None:
    clock = known.world.clock
    clock.forward(timedelta(hours=1))
    sent = make_choice("channel:sms", "denied", made_at="2016-12-31T23:59:30Z")

    (entry,) = await known.recorded(sent, sent_at="2016-12-31T23:59:60Z")

    assert entry["effective_at"] == "2026-11-23T19:59:30.000001Z"


async def test_a_batch_of_grants_is_not_sent_in_a_leap_second(known: Brand, make_choice: Any) -> None:
    answer = await refused_choice(known, make_choice("channel:sms", "granted"), sent_at="2016-12-31T23:59:60Z")

    assert (answer.status, answer.problems) == (422, [("/sent_at", "invalid_value")])


@pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])
@pytest.mark.parametrize(
    ("made_at", "kept"),
    [
        ("Invalid Date", "Invalid Date"),
        ("", ""),
        ("yesterday", "yesterday"),
        ("2026-11-23", "2026-11-23"),
        ("2026-11-23T18:00:00+00", "2026-11-23T18:00:00+00"),
        ("2026-11-23T18:00:00 UTC", "2026-11-23T18:00:00 UTC"),
        ("Mon, 23 Nov 2026 18:00:00 GMT", "Mon, 23 Nov 2026 18:00:00 GMT"),
        ("1795456800", "1795456800"),
        (1795456800, "1795456800"),
        (1795456800000.5, "1795456800000.5"),
        ("x" * 1000, "x" * 64),
    ],
)
async def test_a_refusal_at_what_is_no_time_is_recorded_as_one_without_a_time(
    known: Brand, make_choice: Any, no: str, made_at: Any, kept: str
) -> None:
    sent = make_choice("channel:sms", no, made_at=made_at, based_on=1)

    (entry,) = await known.recorded(sent, sent_at="2026-11-23T18:30:00Z")

    assert (entry["stands"], entry["reason"]) == (True, no)
    assert entry["effective_at"] == "2026-11-23T19:00:00.000000Z"
    newest = (await known.history())[0]
    assert (newest["made_at"], newest["made_at_sent"]) == ("2026-11-23T18:30:00.000000Z", kept)
    assert (await known.recorded(sent))[0]["replayed"] is True


@pytest.mark.parametrize("sent_at", ["Invalid Date", "", "Mon, 23 Nov 2026 19:00:00 GMT", 1795460400])
async def test_a_refusal_sent_at_what_is_no_time_is_recorded_as_if_it_said_nothing(
    known: Brand, make_choice: Any, no: str, sent_at: Any
) -> None:
    (entry,) = await known.recorded(make_choice("channel:sms", no), sent_at=sent_at)

    assert (entry["stands"], entry["effective_at"]) == (True, "2026-11-23T19:00:00.000000Z")


@pytest.mark.parametrize(
    ("sent_at", "code"), [("Invalid Date", "invalid_value"), ("", "invalid_value"), (1795460400, "wrong_type")]
)
async def test_grants_are_not_sent_at_what_is_no_time(known: Brand, make_choice: Any, sent_at: Any, code: str) -> None:
    answer = await refused_choice(known, make_choice("channel:sms", "granted"), sent_at=sent_at)

    assert (answer.status, answer.problems) == (422, [("/sent_at", code)])


@pytest.mark.parametrize(
    ("made_at", "code"), [("2026-11-23T19:00:00", "naive_time"), (True, "wrong_type"), ({}, "wrong_type")]
)
async def test_a_time_without_an_offset_and_what_is_no_text_are_refused_even_for_a_refusal(
    known: Brand, make_choice: Any, made_at: Any, code: str
) -> None:
    answer = await refused_choice(known, make_choice("channel:sms", "denied", made_at=made_at))

    assert (answer.status, answer.problems) == (422, [("/choices/0/made_at", code)])


@pytest.mark.parametrize("notice", [{}, {"version": 1}, {"language": None}])
async def test_a_refusal_on_a_notice_that_names_no_language_is_recorded(
    known: Brand, make_choice: Any, no: str, notice: dict[str, Any]
) -> None:
    sent = make_choice("channel:sms", no, notice=notice, based_on=1)

    (entry,) = await known.recorded(sent)

    assert (entry["stands"], entry["reason"]) == (True, no)
    assert (await known.history())[0]["notice"] == {name: value for name, value in notice.items() if value is not None}
    assert (await known.recorded(sent))[0]["replayed"] is True


@pytest.mark.parametrize(
    ("notice", "code"), [({}, "missing_member"), ({"version": 1}, "missing_member"), ({"language": None}, "wrong_type")]
)
async def test_a_grant_on_a_notice_that_names_no_language_is_refused(
    known: Brand, make_choice: Any, notice: dict[str, Any], code: str
) -> None:
    answer = await refused_choice(known, make_choice("channel:sms", "granted", notice=notice))

    assert (answer.status, answer.problems) == (422, [("/choices/0/notice/language", code)])


@pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])
@pytest.mark.parametrize("behind", [-1, -(2**64)])
async def test_a_refusal_based_on_a_version_below_nothing_is_clipped_and_recorded(
    known: Brand, make_choice: Any, no: str, behind: int
) -> None:
    (entry,) = await known.recorded(make_choice("channel:sms", no, based_on=behind))

    assert (entry["version"], entry["stands"], entry["reason"]) == (2, True, no)
    newest = (await known.history())[0]
    assert (newest["based_on"], newest["based_on_sent"]) == (0, behind)
