from collections.abc import Iterator, Mapping
from copy import deepcopy
from enum import StrEnum
from itertools import count
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.rules.field_map import FieldMap, is_spoken
from sayso.rules.redact import Opening, Redacted, TooDeepError, redact

SMS, EMAIL, SALES = "channel:sms", "channel:email", "purpose:sales"
CHATS = "purpose:transcript.sharing"
LEAD: dict[str, Any] = {
    "id": "lead-7",
    "vehicle": {"make": "Sedan", "year": 2026},
    "customer": {
        "contact": {"name": "Ann", "email": "ann@mail.example", "phone": ["+1 415 555 0100", "+1 415 555 0101"]},
        "age": 41,
    },
    "comments": "Call after six.",
}
FIELDS = {
    "id": [],
    "vehicle": [],
    "customer.contact.name": [],
    "customer.contact.email": [EMAIL],
    "customer.contact.phone": [SMS, "channel:phone"],
    "comments": [CHATS],
}


def taken(
    payload: Mapping[str, Any],
    fields: Mapping[str, list[str]],
    *allowed: str,
    granted: tuple[str, ...] | None = None,
    hears: bool = False,
) -> Redacted:
    opening = Opening(
        FieldMap(fields, hears=hears), frozenset(allowed), frozenset(allowed if granted is None else granted)
    )
    return redact(payload, opening)


def test_a_field_leaves_when_every_topic_it_needs_is_allowed() -> None:
    assert taken(LEAD, FIELDS, EMAIL, SMS) == Redacted(
        {
            "id": "lead-7",
            "vehicle": {"make": "Sedan", "year": 2026},
            "customer": {"contact": {"name": "Ann", "email": "ann@mail.example"}},
        },
        ("id", "vehicle.make", "vehicle.year", "customer.contact.name", "customer.contact.email"),
        ("customer.contact.phone", "customer.age", "comments"),
    )


def test_a_field_that_the_map_does_not_name_is_held_back_whatever_is_allowed() -> None:
    redacted = taken(LEAD, FIELDS, EMAIL, SMS, "channel:phone", CHATS, SALES)

    assert redacted.held_back == ("customer.age",)
    assert redacted.payload["customer"] == {"contact": LEAD["customer"]["contact"]}


def test_a_dict_or_list_of_which_nothing_is_left_goes_as_well() -> None:
    assert taken({"customer": {"contact": {"phone": ["1", "2"]}}}, FIELDS) == Redacted(
        {}, (), ("customer.contact.phone",)
    )


def test_list_elements_are_looked_into_and_have_the_lists_name() -> None:
    people = {"people": [{"name": "Ann", "phone": "1"}, {"phone": "2"}, {"name": "Ben", "phones": [["3"], "4"]}]}

    redacted = taken(people, {"people.name": [], "people.phones": [SMS]})

    assert redacted == Redacted(
        {"people": [{"name": "Ann"}, {"name": "Ben"}]}, ("people.name",), ("people.phone", "people.phones")
    )


def test_every_entry_that_covers_a_field_counts() -> None:
    fields = {"customer": [SALES], "customer.email": [EMAIL]}
    payload = {"customer": {"name": "Ann", "email": "x"}}

    assert taken(payload, fields, EMAIL).payload == {}
    assert taken(payload, fields, SALES).payload == {"customer": {"name": "Ann"}}
    assert taken(payload, fields, SALES, EMAIL).payload == payload


def test_a_star_alone_covers_only_what_no_other_entry_does() -> None:
    fields = {"*": [SALES], "email": [EMAIL], "id": []}
    payload = {"id": 1, "email": "x", "colour": "red", "more": {"a": [1]}}

    assert taken(payload, fields).payload == {"id": 1}
    assert taken(payload, fields, SALES).payload == {"id": 1, "colour": "red", "more": {"a": [1]}}
    assert taken(payload, {"*": []}).payload == payload


def test_a_star_in_a_path_stands_for_one_name() -> None:
    fields = {"cars.*.make": [], "cars.*.owner": [SMS], "cars.first.owner": [EMAIL]}
    payload = {"cars": {"first": {"make": "a", "owner": "Ann"}, "other": {"make": "b", "owner": "Ben", "vin": "v"}}}

    assert taken(payload, fields, SMS) == Redacted(
        {"cars": {"first": {"make": "a"}, "other": {"make": "b", "owner": "Ben"}}},
        ("cars.first.make", "cars.other.make", "cars.other.owner"),
        ("cars.first.owner", "cars.other.vin"),
    )
    assert taken({"cars": {"make": "a"}}, fields).payload == {}
    assert taken({"user": {"a": 1, "b": {"c": 2}}, "x": 1}, {"user.*": []}).payload == {"user": {"a": 1, "b": {"c": 2}}}


def test_a_path_that_leads_on_from_a_star_is_not_lost_beside_an_exact_one() -> None:
    fields = {"a.b": [], "*.b.secret": [SMS]}

    assert taken({"a": {"b": {"secret": 1, "open": 2}}}, fields).payload == {"a": {"b": {"open": 2}}}


def test_a_name_with_dots_counts_as_so_many_steps() -> None:
    flat = {"customer.contact.email": "x", "customer.contact.phone": "1", "vehicle.make": "a"}

    assert taken(flat, FIELDS, EMAIL) == Redacted(
        {"customer.contact.email": "x", "vehicle.make": "a"},
        ("customer.contact.email", "vehicle.make"),
        ("customer.contact.phone",),
    )


def test_names_match_exactly() -> None:
    assert taken({"ID": 1, "id ": 1, "i": 1, "idx": 1}, {"id": []}).payload == {}


class Thing:
    def __init__(self) -> None:
        self.phone = "+1 415 555 0100"


@pytest.mark.parametrize("value", [Thing(), "Ann, +1 415 555 0100", {"a", "b"}, b"bytes", {}, []], ids=repr)
def test_what_cannot_be_looked_into_needs_all_that_the_map_names_beneath_it(value: object) -> None:
    fields = {"customer": [], "customer.phone": [SMS]}

    assert taken({"customer": value}, fields) == Redacted({}, (), ("customer",))
    assert taken({"customer": value}, fields, SMS).payload == {"customer": value}
    assert taken({"customer": value}, {"*": [], "customer.phone": [SMS]}).payload == {}
    assert taken({"customer": value}, {"customer.phone": []}).payload == {}


@pytest.mark.parametrize(
    "field", ["transcript", "chat.Transcript_url", "survey", "call_recordings.items", "surveys.q1"]
)
def test_what_people_said_leaves_only_on_a_grant(field: str) -> None:
    fields = {field: [CHATS]}

    assert taken({field: "Hi"}, fields, CHATS).payload == {field: "Hi"}
    assert taken({field: "Hi"}, fields, CHATS, granted=()).payload == {}
    assert taken({field: "Hi"}, {field: []}).payload == {}
    assert taken({field: "Hi"}, {field: [SALES]}, SALES, CHATS, granted=(CHATS,)).payload == {}
    assert taken({field: "Hi"}, {"*": []}).payload == {}
    assert taken({field: "Hi"}, {"*": [CHATS]}, CHATS).payload == {field: "Hi"}


def test_to_service_providers_and_authorities_it_leaves_like_anything_else() -> None:
    assert taken({"transcript": "Hi"}, {"transcript": []}, hears=True).payload == {"transcript": "Hi"}
    assert taken({"transcript": "Hi"}, {"transcript": [CHATS]}, hears=True).payload == {}
    assert taken({"transcript": "Hi"}, {"*": []}, hears=True).payload == {"transcript": "Hi"}


def test_what_people_said_inside_of_something_else_leaves_only_on_a_grant() -> None:
    chat = {"chat": {"id": 7, "transcript": {"lines": ["Hi"]}}}

    assert taken(chat, {"chat": []}) == Redacted({"chat": {"id": 7}}, ("chat.id",), ("chat.transcript.lines",))
    assert taken(chat, {"chat": [SALES]}, SALES).payload == chat
    assert taken({"chat": Thing()}, {"chat": [], "chat.transcript": [CHATS]}, CHATS, granted=()).payload == {}


def test_a_grant_of_something_that_is_not_allowed_is_none() -> None:
    assert taken({"survey": 1}, {"survey": [SALES]}, granted=(SALES,)).payload == {}


def test_the_words_are_found_in_names_of_any_case() -> None:
    assert [
        name for name in ("Transcript", "ivrRECORDINGurl", "nps_survey", "record", "script") if is_spoken(name)
    ] == [
        "Transcript",
        "ivrRECORDINGurl",
        "nps_survey",
    ]


class Name(StrEnum):
    PHONE = "phone"
    ID = "id"


def test_keys_that_are_no_plain_texts_are_named_by_what_they_say() -> None:
    assert taken({Name.PHONE: "1", Name.ID: 2, 7: "x", None: "y"}, {"id": [], "7": []}) == Redacted(
        {Name.ID: 2, 7: "x"}, ("id", "7"), ("phone", "None")
    )


def test_what_goes_out_shares_no_container_with_what_came_in() -> None:
    payload = {"a": {"b": [1, {"c": []}], "d": (1, 2)}, "e": {}}

    redacted = taken(payload, {"*": []}).payload
    redacted["a"]["b"][1]["c"].append("x")
    redacted["e"]["y"] = 1

    assert payload == {"a": {"b": [1, {"c": []}], "d": (1, 2)}, "e": {}}
    assert redacted["a"]["d"] == [1, 2]


def test_other_mappings_than_dicts_are_looked_into() -> None:
    assert taken(MappingProxyType({"a": MappingProxyType({"b": 1, "c": 2})}), {"a.b": []}).payload == {"a": {"b": 1}}


def test_nothing_in_nothing_out() -> None:
    assert taken({}, {"*": []}) == Redacted({}, (), ())


def test_a_payload_that_holds_itself_is_refused() -> None:
    payload: dict[str, Any] = {"a": []}
    payload["a"].append(payload)

    with pytest.raises(TooDeepError):
        taken(payload, {"*": []})


def test_64_levels_are_taken_and_65_refused() -> None:
    def nested(levels: int) -> dict[str, Any]:
        inner: dict[str, Any] = {"x": 1}
        for _ in range(levels - 1):
            inner = {"x": inner}
        return inner

    assert taken(nested(65), {"*": []}).payload == nested(65)
    with pytest.raises(TooDeepError):
        taken(nested(66), {"*": []})


def test_names_of_payloads_are_not_remembered() -> None:
    opening = Opening(FieldMap({"a.*.b": [], "*": []}, hears=False), frozenset(), frozenset())
    for number in range(100):
        redact({"a": {f"k{number}": {"b": 1}}, f"t{number}": 1, f"survey{number}": 1}, opening)

    assert len(opening.root._steps) == 1
    assert len(opening.root._steps["a"]._steps) == 0


# --- properties ---------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["a", "b", "c", "a.b", "survey", "", "*"])
TOPICS = st.sampled_from([SMS, EMAIL, SALES, CHATS])
PATHS = st.lists(st.sampled_from(["a", "b", "c", "survey", "*"]), min_size=1, max_size=3).map(".".join)
MAPS = st.builds(
    FieldMap, st.dictionaries(PATHS, st.lists(TOPICS, max_size=2, unique=True), max_size=6), hears=st.booleans()
)
TOPIC_SETS = st.frozensets(TOPICS)
LEAVES = st.sampled_from(["text", 7, True, None])
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.lists(inner, max_size=2).map(tuple) | st.dictionaries(NAMES, inner, max_size=3)
    ),
    max_leaves=12,
)
PAYLOADS = st.dictionaries(NAMES, VALUES, max_size=4)


def marked(value: Any, name: str | None, numbers: Iterator[int], where: dict[str, str]) -> Any:
    """Replace each leaf by a text found nowhere else, and note the name it stands under."""
    if isinstance(value, dict) and value:
        return {
            key: marked(inner, key if name is None else f"{name}.{key}", numbers, where) for key, inner in value.items()
        }
    if isinstance(value, (list, tuple)) and value:
        return [marked(inner, name, numbers, where) for inner in value]
    mark = f"leaf-{next(numbers):04}"
    where[mark] = name or ""
    return mark


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    else:
        yield value


def may_leave(name: str, fields: FieldMap, allowed: frozenset[str], granted: frozenset[str]) -> bool:
    """The rule written a second time, by comparing a name with each entry."""
    steps = name.split(".")

    def covers(path: list[str]) -> bool:
        return len(path) <= len(steps) and all(a in (b, "*") for a, b in zip(path, steps, strict=False))

    def lies_beneath(path: list[str]) -> bool:
        return len(path) > len(steps) and all(a in (b, "*") for a, b in zip(path, steps, strict=False))

    entries = {path: topics for path, topics in fields.entries.items() if path != "*"}
    covering = [topics for path, topics in entries.items() if covers(path.split("."))]
    beneath = {path: topics for path, topics in entries.items() if lies_beneath(path.split("."))}
    if not covering:
        if fields.otherwise is None:
            return False
        covering = [fields.otherwise]
    needed = frozenset[str]().union(*covering)
    if not needed <= allowed or not all(topics <= allowed for topics in beneath.values()):
        return False
    if fields.hears:
        return True
    said = not is_spoken(name) or bool(needed & granted)
    return said and all(topics & granted for path, topics in beneath.items() if is_spoken(path))


@given(PAYLOADS, MAPS, TOPIC_SETS, TOPIC_SETS)
def test_exactly_what_may_leave_leaves_and_nothing_else_appears_anywhere(
    payload: dict[str, Any], fields: FieldMap, allowed: frozenset[str], granted: frozenset[str]
) -> None:
    where: dict[str, str] = {}
    numbers = count()
    whole = {key: marked(value, key, numbers, where) for key, value in payload.items()}

    redacted = redact(whole, Opening(fields, allowed, granted & allowed))

    expected = {mark for mark, name in where.items() if may_leave(name, fields, allowed, granted & allowed)}
    assert set(leaves(redacted.payload)) == expected
    assert all(mark not in repr(redacted) for mark in where.keys() - expected)
    assert set(redacted.sent) == {where[mark] for mark in expected}
    assert set(redacted.held_back) == {name for mark, name in where.items() if mark not in expected}


@given(PAYLOADS, MAPS, TOPIC_SETS, TOPIC_SETS)
def test_the_input_is_never_changed(
    payload: dict[str, Any], fields: FieldMap, allowed: frozenset[str], granted: frozenset[str]
) -> None:
    before = deepcopy(payload)

    redact(payload, Opening(fields, allowed, granted))

    assert payload == before


@given(PAYLOADS, MAPS, TOPIC_SETS, TOPIC_SETS)
def test_redacting_again_takes_nothing_more(
    payload: dict[str, Any], fields: FieldMap, allowed: frozenset[str], granted: frozenset[str]
) -> None:
    opening = Opening(fields, allowed, granted)
    once = redact(payload, opening)

    assert redact(once.payload, opening) == Redacted(once.payload, once.sent, ())


@given(PAYLOADS, MAPS, TOPIC_SETS, TOPIC_SETS)
def test_every_leaf_is_named_once_as_sent_or_as_held_back(
    payload: dict[str, Any], fields: FieldMap, allowed: frozenset[str], granted: frozenset[str]
) -> None:
    where: dict[str, str] = {}
    numbers = count()
    whole = {key: marked(value, key, numbers, where) for key, value in payload.items()}

    _, sent, held_back = redact(whole, Opening(fields, allowed, granted))

    assert sorted(sent + held_back) == sorted(set(where.values()))


@given(PAYLOADS, MAPS, TOPIC_SETS, TOPIC_SETS, TOPICS)
def test_allowing_one_topic_less_never_lets_out_more(
    payload: dict[str, Any], fields: FieldMap, allowed: frozenset[str], granted: frozenset[str], refused: str
) -> None:
    before = redact(payload, Opening(fields, allowed, granted))
    after = redact(payload, Opening(fields, allowed - {refused}, granted))

    assert set(after.sent) <= set(before.sent)
