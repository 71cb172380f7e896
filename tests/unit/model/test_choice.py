"""The body of `POST /v1/choices`, as strictly as it is read."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from sayso.model.age import AgeReport
from sayso.model.as_written import known, written
from sayso.model.choice import Actor, Answer, Choice, ChoiceBatch, Method, Notice, SentNotice
from sayso.model.signal import SignalReport

CHOICE = {
    "id": "01890a5d-ac96-774b-bcce-b302099a8057",
    "consumer_id": "cust-42",
    "topic": "purpose:marketing",
    "answer": "granted",
    "method": "widget",
}
FULL = {
    **CHOICE,
    "made_at": "2026-11-23T19:00:00.5+01:00",
    "based_on": 7,
    "actor": "consumer",
    "notice": {"language": "fr-CA", "version": 3},
    "evidence": {"kind": "message", "ref": "conversation-9", "sha256": "0" * 64},
    "expires_at": "2027-11-23T19:00:00Z",
    "device_id": "pixel-8",
    "jurisdiction": "CA-QC",
    "overrides": ["gpc"],
    "detail": {"precision": "city", "sender": "short code", "campaign": "spring", "note": "at the desk"},
}


def read(*choices, **members):
    return ChoiceBatch.model_validate_json(json.dumps({"choices": choices, **members}))


def wrong(**members):
    """What is found at fault when the members of a good choice are replaced: [(where, what)]."""
    with pytest.raises(ValidationError) as refused:
        read({**CHOICE, **members})
    found = [(error["loc"], error["type"]) for error in refused.value.errors(include_url=False)]
    return [(where[2:], what) for where, what in found if where[:1] == ("choices",) and len(where) > 1]


def test_the_least_that_a_choice_needs():
    (choice,) = read(CHOICE).choices
    assert (choice.answer, choice.method, choice.is_refusal) == (Answer.GRANTED, Method.WIDGET, False)
    assert (choice.made_at, choice.based_on, choice.actor, choice.notice) == (None, None, None, None)
    assert choice.overrides == ()


def test_everything_a_choice_can_say():
    (choice,) = read(FULL, sent_at="2026-11-23T19:00:01Z").choices
    assert choice.actor is Actor.CONSUMER
    assert (choice.based_on, choice.notice.version, choice.notice.language) == (7, 3, "fr-CA")
    assert choice.made_at.isoformat() == "2026-11-23T19:00:00.500000+01:00"
    assert (choice.jurisdiction, choice.overrides, choice.detail.precision) == ("CA-QC", ("gpc",), "city")


@pytest.mark.parametrize(("answer", "refuses"), [("granted", False), ("denied", True), ("withdrawn", True)])
def test_denied_and_withdrawn_are_refusals(answer, refuses):
    assert read({**CHOICE, "answer": answer}).choices[0].is_refusal is refuses


@pytest.mark.parametrize("member", ["id", "consumer_id", "topic", "answer", "method"])
def test_what_is_needed_is_missed_by_name(member):
    with pytest.raises(ValidationError) as refused:
        read({name: value for name, value in CHOICE.items() if name != member})
    assert ((("choices", 0, member)), "missing") in [(error["loc"], error["type"]) for error in refused.value.errors()]


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (True, "int_type"),
        (False, "int_type"),
        ("7", "int_type"),
        (7.0, "int_type"),
        (7.5, "int_type"),
        ([7], "int_type"),
        (-1, "greater_than_equal"),
    ],
)
def test_based_on_is_a_whole_number_and_nothing_like_one(value, what):
    assert wrong(based_on=value) == [(("based_on",), what)]


@pytest.mark.parametrize("answer", ["denied", "withdrawn"])
@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("based_on", -1),
        ("based_on", -(10**30)),
        ("notice", {"language": "fr_CA"}),
        ("notice", {"language": "EN"}),
        ("notice", {"language": ""}),
        ("notice", {"version": 1}),
        ("notice", {}),
        ("notice", {"language": "en", "version": 0}),
        ("notice", {"language": "en", "version": -1}),
        ("made_at", "2016-12-31T23:59:60Z"),
        ("made_at", "2026-13-01T00:00:00Z"),
    ],
)
def test_a_refusal_is_read_whatever_its_clock_its_notice_and_its_version_say(answer, member, value):
    (choice,) = read({**CHOICE, "answer": answer, member: value}).choices
    kept = getattr(choice, member)
    assert (
        kept.model_dump(exclude_none=True) if member == "notice" else written(kept) if member == "made_at" else kept
    ) == value
    assert wrong(**{member: value}) != []  # a grant is held to them


@pytest.mark.parametrize(
    ("member", "value", "what"),
    [
        ("based_on", True, "int_type"),
        ("based_on", "7", "int_type"),
        ("made_at", "2026-11-23T19:00:00", "timezone_aware"),
        ("made_at", True, "datetime_type"),
        ("made_at", {}, "datetime_type"),
        ("notice", "en", "model_type"),
    ],
)
def test_of_another_type_they_are_wrong_in_a_refusal_too(member, value, what):
    assert wrong(answer="denied", **{member: value}) == [((member,), what)]


@pytest.mark.parametrize(
    "text", ["", "Invalid Date", "2026-11-23T19:00:00+00", "Mon, 23 Nov 2026 19:00:00 GMT", "2026-11-23", "1795460400"]
)
def test_what_is_no_time_counts_as_none_in_a_refusal_and_is_kept(text):
    batch = read({**CHOICE, "answer": "denied", "made_at": text}, sent_at=text)
    assert (known(batch.choices[0].made_at), written(batch.choices[0].made_at)) == (None, text)
    assert (known(batch.sent_at), written(batch.sent_at)) == (None, text)
    assert wrong(made_at=text) == [(("made_at",), "datetime_parsing")]


@pytest.mark.parametrize(("number", "text"), [(1_795_460_400, "1795460400"), (1.5, "1.5"), (-1, "-1")])
def test_neither_does_a_number(number, text):
    (choice,) = read({**CHOICE, "answer": "denied", "made_at": number}).choices
    assert (known(choice.made_at), written(choice.made_at)) == (None, text)


def test_what_is_kept_of_no_time_is_64_characters_long():
    (choice,) = read({**CHOICE, "answer": "denied", "made_at": "x" * 10_000}).choices
    assert written(choice.made_at) == "x" * 64


def test_a_time_that_was_read_counts():
    (choice,) = read({**CHOICE, "answer": "denied", "made_at": "2026-11-23T19:00:00Z"}).choices
    assert known(choice.made_at) == choice.made_at


@pytest.mark.parametrize(
    ("notice", "what"), [({}, "missing"), ({"version": 1}, "missing"), ({"language": None}, "string_type")]
)
def test_a_grants_notice_is_in_a_language(notice, what):
    assert wrong(notice=notice) == [(("notice", "language"), what)]


def test_whoever_says_no_answer_is_held_to_what_a_grant_is_held_to():
    assert wrong(answer="maybe", based_on=-1) == [(("answer",), "enum"), (("based_on",), "greater_than_equal")]


def test_a_grant_of_a_notice_made_beforehand_is_held_to_it_too():
    assert Choice(
        **{**CHOICE, "answer": Answer.GRANTED, "method": Method.CHAT}, notice=Notice(language="en")
    ).notice == Notice(language="en")
    with pytest.raises(ValidationError) as refused:
        Choice(**{**CHOICE, "answer": Answer.GRANTED, "method": Method.CHAT}, notice=SentNotice(language="EN"))
    assert [error["loc"] for error in refused.value.errors()] == [("notice", "language")]
    with pytest.raises(ValidationError):
        Notice(language="EN")


def test_a_batch_with_a_refusal_in_it_may_be_sent_in_a_leap_second():
    assert (
        written(read({**CHOICE, "answer": "denied"}, sent_at="2016-12-31T23:59:60Z").sent_at) == "2016-12-31T23:59:60Z"
    )
    with pytest.raises(ValidationError) as refused:
        read(CHOICE, sent_at="2016-12-31T23:59:60Z")
    assert [error["loc"] for error in refused.value.errors()] == [("sent_at",)]


@pytest.mark.parametrize("value", [None, 0, 7, 2**53 - 1, 10**30])
def test_based_on_may_be_missing_or_large(value):
    assert read({**CHOICE, "based_on": value}).choices[0].based_on == value


@pytest.mark.parametrize("member", ["made_at", "expires_at"])
@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("2026-11-23T19:00:00", "timezone_aware"),
        ("2026-11-23", "datetime_parsing"),
        ("1795460400", "datetime_parsing"),
        ("1795460400.5", "datetime_parsing"),
        ("-1", "datetime_parsing"),
        ("", "datetime_parsing"),
        ("yesterday", "datetime_parsing"),
        (1_795_460_400, "datetime_type"),
        (1.5, "datetime_type"),
        (True, "datetime_type"),
    ],
)
def test_a_time_has_a_date_a_clock_and_an_offset(member, value, what):
    assert wrong(**{member: value}) == [((member,), what)]


@pytest.mark.parametrize("sent_at", ["2026-11-23T19:00:00", "1795460400", 1_795_460_400])
def test_so_has_the_time_of_sending(sent_at):
    with pytest.raises(ValidationError) as refused:
        read(CHOICE, sent_at=sent_at)
    assert [error["loc"] for error in refused.value.errors()] == [("sent_at",)]


@pytest.mark.parametrize("observed_at", ["2026-11-23T19:00:00", "1795460400", 1_795_460_400])
@pytest.mark.parametrize(("model", "body"), [(AgeReport, {"source": "self"}), (SignalReport, {"name": "gpc"})])
def test_so_have_reports_of_age_and_signals(model, body, observed_at):
    assert model.model_validate_json(json.dumps({**body, "observed_at": "2026-11-23T19:00:00Z"})).observed_at
    with pytest.raises(ValidationError) as refused:
        model.model_validate_json(json.dumps({**body, "observed_at": observed_at}))
    assert [error["loc"] for error in refused.value.errors()] == [("observed_at",)]


@pytest.mark.parametrize("made_at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_clock_however_wrong_is_read(made_at):
    assert read({**CHOICE, "answer": "denied", "made_at": made_at}).choices[0].made_at is not None


@pytest.mark.parametrize(
    ("member", "value", "what"),
    [
        ("answer", "allow", "enum"),
        ("answer", "GRANTED", "enum"),
        ("answer", True, "enum"),
        ("answer", None, "enum"),
        ("method", "device", "enum"),
        ("method", 1, "enum"),
        ("actor", "robot", "enum"),
        ("topic", "", "string_too_short"),
        ("topic", "t" * 161, "string_too_long"),
        ("topic", 7, "string_type"),
        ("topic", ["purpose:marketing"], "string_type"),
        ("consumer_id", 42, "string_type"),
        ("consumer_id", None, "string_type"),
        ("consumer_id", "", "invalid_id"),
        ("consumer_id", "cust/42", "invalid_id"),
        ("consumer_id", "cust\x0042", "invalid_id"),
        ("consumer_id", "c" * 129, "invalid_id"),
        ("consumer_id", "anon_x", "invalid_id"),
        ("consumer_id", "ann@dealer.example", "personal_id"),
        ("consumer_id", "15551234567", "personal_id"),
        ("device_id", "00:1A:2B:3C:4D:5E", "personal_id"),
        ("device_id", "..", "invalid_id"),
        ("id", "choice-1", "invalid_id"),
        ("id", "00000000-0000-0000-0000-000000000000", "invalid_id"),
        ("id", "01890a5dac96774bbcceb302099a8057", "invalid_id"),
        ("id", "{01890a5d-ac96-774b-bcce-b302099a8057}", "invalid_id"),
        ("id", 7, "string_type"),
        ("jurisdiction", "california", "string_pattern_mismatch"),
        ("jurisdiction", "us-CA", "string_pattern_mismatch"),
        ("jurisdiction", "US-CA\n", "string_pattern_mismatch"),
        ("overrides", "gpc", "tuple_type"),
        ("overrides", ["gpc", "gpc", "dnt"], "too_long"),
        ("notice", "en", "model_type"),
        ("detail", [], "model_type"),
        ("surprise", 1, "extra_forbidden"),
        ("version", 3, "extra_forbidden"),
        ("recorded_at", "2026-11-23T19:00:00Z", "extra_forbidden"),
        ("effective_at", "2026-11-23T19:00:00Z", "extra_forbidden"),
    ],
)
def test_a_member_of_another_shape_is_named(member, value, what):
    assert wrong(**{member: value}) == [((member,), what)]


@pytest.mark.parametrize(
    ("member", "value", "where", "what"),
    [
        ("notice", {}, ("language",), "missing"),
        ("notice", {"language": "en", "version": True}, ("version",), "int_type"),
        ("notice", {"language": "en", "version": "1"}, ("version",), "int_type"),
        ("notice", {"language": "en", "version": 0}, ("version",), "greater_than_equal"),
        ("notice", {"language": "English"}, ("language",), "string_pattern_mismatch"),
        ("notice", {"language": "en", "text": "…"}, ("text",), "extra_forbidden"),
        ("evidence", {"ref": "x"}, ("kind",), "missing"),
        ("evidence", {"kind": ""}, ("kind",), "string_too_short"),
        ("evidence", {"kind": "x", "sha256": "ABC"}, ("sha256",), "string_pattern_mismatch"),
        ("evidence", {"kind": "x", "ref": "r" * 257}, ("ref",), "string_too_long"),
        ("detail", {"precision": "exact"}, ("precision",), "enum"),
        ("detail", {"latitude": 1}, ("latitude",), "extra_forbidden"),
        ("detail", {"note": "n" * 501}, ("note",), "string_too_long"),
        ("overrides", ["stop"], (0,), "string_pattern_mismatch"),
    ],
)
def test_so_is_a_member_within_a_member(member, value, where, what):
    assert wrong(**{member: value}) == [((member, *where), what)]


def test_a_detail_has_at_most_two_kibibytes():
    clef = "\U0001d11e"  # four bytes of UTF-8
    assert read({**CHOICE, "detail": {"note": clef * 500}}).choices[0].detail.note == clef * 500
    assert wrong(detail={"note": clef * 500, "campaign": clef * 10}) == [(("detail",), "too_long")]


def test_a_choice_id_is_the_same_in_capitals():
    assert read({**CHOICE, "id": CHOICE["id"].upper()}).choices[0].id == CHOICE["id"]


@pytest.mark.parametrize(("count", "fits"), [(0, False), (1, True), (500, True), (501, False)])
def test_a_batch_holds_1_to_500_choices(count, fits):
    if fits:
        assert len(read(*[CHOICE] * count).choices) == count
        return
    with pytest.raises(ValidationError) as refused:
        read(*[CHOICE] * count)
    assert [error["loc"] for error in refused.value.errors()] == [("choices",)]


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"7", b'{"choices": {}}', b'{"choices": [7]}', b"{}", b"\xff"])
def test_a_body_that_is_no_batch_is_refused(body):
    with pytest.raises(ValidationError):
        ChoiceBatch.model_validate_json(body)


def test_an_unknown_member_of_the_batch_is_refused():
    with pytest.raises(ValidationError) as refused:
        read(CHOICE, brand="other")
    assert [(error["loc"], error["type"]) for error in refused.value.errors()] == [(("brand",), "extra_forbidden")]


def test_a_choice_can_not_be_changed():
    (choice,) = read(CHOICE).choices
    with pytest.raises(ValidationError):
        choice.answer = Answer.DENIED


def test_an_error_does_not_repeat_what_was_sent():
    with pytest.raises(ValidationError) as refused:
        read({**CHOICE, "consumer_id": "ann@dealer.example"})
    assert "ann@" not in str(refused.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(FULL)), JSON)
def test_whatever_is_put_in_a_member_nothing_else_is_blamed_for_it(member, value):
    assert blamed({**FULL, member: value}) in (set(), {member})


def blamed(choice):
    """The members of the one choice that are at fault."""
    try:
        read(choice)
    except ValidationError as refused:
        return {error["loc"][2] for error in refused.errors() if len(error["loc"]) > 2}
    return set()
