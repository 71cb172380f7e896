"""Hand-overs: recorded once, validated member by member, shown newest first, exported, and kept to their brand."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from sayso_server.clock import SystemClock
from sayso_server.jsonio import dumps
from sayso_server.services.disclosures import Disclosures
from sayso_server.services.marks import Marks
from sayso_server.services.state import State, write_state
from sayso_server.storage.base import (
    NewDisclosure,
    StoredChange,
    StoredConsumer,
    StoredDisclosure,
    Wanted,
    Write,
)
from sayso_server.storage.memory import MemoryStorage

if TYPE_CHECKING:
    from tests.server.conftest import Answered, Brand

ID = "0198f3a0-0000-7000-8000-0000000000d1"
VISITOR = "anon_AAAAAAAAAAAAAAAAAAAAAA"
KINDS = pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])


def disclosure(**members: Any) -> dict[str, Any]:
    whole = {
        "id": str(uuid.uuid4()),
        "consumer_id": "cust-42",
        "partner": "vinsolutions",
        "flow": "share",
        "answer": "send_redacted",
        "fields_sent": ["vehicle", "customer.contact.email"],
        "fields_held_back": ["comments"],
        "at": "2026-11-23T18:59:58Z",
        "outcome": "handed_over",
        "choice_id": "0198f3a0-0000-7000-8000-000000000001",
        "reason": "granted",
    }
    return {name: value for name, value in (whole | members).items() if value != "(left out)"}


async def post(brand: Brand, *disclosures: dict[str, Any]) -> Answered:
    return await brand.call("POST", "/v1/disclosures", json={"disclosures": list(disclosures)})


async def listed(brand: Brand, consumer: str = "cust-42", query: str = "") -> list[dict[str, Any]]:
    answer = await brand.call("GET", f"/v1/disclosures?consumer={consumer}{query}")
    assert answer.status == 200, answer.body
    found: list[dict[str, Any]] = answer.json["disclosures"]
    return found


async def refused(brand: Brand, *disclosures: dict[str, Any]) -> Answered:
    async with brand.world.nothing_stored():
        return await post(brand, *disclosures)


# --- once ---------------------------------------------------------------------------------------------------


@KINDS
async def test_a_disclosure_sent_again_is_recorded_once(dealer: Brand) -> None:
    sent = disclosure(id=ID)

    answers = [await post(dealer, sent), await post(dealer, sent | {"id": ID.upper()})]

    assert [answer.json["recorded"] for answer in answers] == [
        [{"id": ID, "replayed": False}],
        [{"id": ID, "replayed": True}],
    ]
    assert len(await listed(dealer)) == 1


@KINDS
async def test_the_same_time_in_another_zone_is_the_same_disclosure(dealer: Brand) -> None:
    await post(dealer, disclosure(id=ID, at="2026-11-23T18:59:58Z"))

    answer = await post(dealer, disclosure(id=ID, at="2026-11-23T20:59:58.000+02:00"))

    assert answer.json["recorded"] == [{"id": ID, "replayed": True}]


@KINDS
@pytest.mark.parametrize(
    "change",
    [
        {"partner": "ads-platform"},
        {"answer": "send"},
        {"flow": "receive", "answer": "drop"},
        {"fields_sent": ["vehicle"]},
        {"fields_sent": None},
        {"fields_held_back": []},
        {"at": "2026-11-23T18:59:59Z"},
        {"outcome": "failed"},
        {"outcome": "(left out)"},
        {"choice_id": "0198f3a0-0000-7000-8000-000000000002"},
        {"reason": "default"},
    ],
)
async def test_an_id_that_was_used_for_another_disclosure_refuses_the_whole_batch(
    dealer: Brand, change: dict[str, Any]
) -> None:
    await post(dealer, disclosure(id=ID))

    answer = await refused(dealer, disclosure(), disclosure(id=ID, **change))

    assert (answer.status, answer.problems) == (422, [("/disclosures/1/id", "id_reused")])


async def test_two_consumers_may_use_the_same_id(dealer: Brand) -> None:
    answer = await post(dealer, disclosure(id=ID), disclosure(id=ID, consumer_id="cust-43"))

    assert answer.json["recorded"] == [{"id": ID, "replayed": False}] * 2


async def test_an_id_twice_in_a_batch_is_refused(dealer: Brand) -> None:
    answer = await refused(dealer, disclosure(id=ID), disclosure(id=ID.upper(), partner="ads-platform"))

    assert (answer.status, answer.problems) == (422, [("/disclosures/1/id", "duplicate_id")])


# --- what is refused ----------------------------------------------------------------------------------------

WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "an id that is no UUID": ({"id": "lead-7"}, "/id", "invalid_id"),
    "no id": ({"id": "(left out)"}, "/id", "missing_member"),
    "a consumer's e-mail address": ({"consumer_id": "ann@mail.example"}, "/consumer_id", "personal_id"),
    "a partner that can't be one": ({"partner": "Vin Solutions"}, "/partner", "invalid_value"),
    "an endless partner": ({"partner": "v" * 97}, "/partner", "invalid_value"),
    "a flow there is not": ({"flow": "sell"}, "/flow", "invalid_value"),
    "an answer there is not": ({"answer": "maybe"}, "/answer", "invalid_value"),
    "an answer of another flow": ({"answer": "join"}, "/answer", "invalid_value"),
    "a field that is no text": ({"fields_sent": [7]}, "/fields_sent/0", "wrong_type"),
    "a field without a name": ({"fields_sent": [""]}, "/fields_sent/0", "invalid_value"),
    "a field of 201 characters": ({"fields_held_back": ["x" * 201]}, "/fields_held_back/0", "invalid_value"),
    "a field of two lines": ({"fields_held_back": ["a\nb"]}, "/fields_held_back/0", "invalid_value"),
    "a field named twice": ({"fields_sent": ["a", "a"]}, "/fields_sent", "invalid_value"),
    "201 fields": ({"fields_sent": [f"f{n}" for n in range(201)]}, "/fields_sent", "invalid_value"),
    "fields with values": ({"fields_sent": {"email": "x"}}, "/fields_sent", "wrong_type"),
    "no word about what was sent": ({"fields_sent": "(left out)"}, "/fields_sent", "missing_member"),
    "no word about what stayed": ({"fields_held_back": "(left out)"}, "/fields_held_back", "missing_member"),
    "a naive time": ({"at": "2026-11-23T19:00:00"}, "/at", "naive_time"),
    "no time": ({"at": "(left out)"}, "/at", "missing_member"),
    "an outcome there is not": ({"outcome": "lost"}, "/outcome", "invalid_value"),
    "a choice that is no UUID": ({"choice_id": "7"}, "/choice_id", "invalid_id"),
    "a reason that is a sentence": ({"reason": "because I said so"}, "/reason", "invalid_value"),
    "an endless reason": ({"reason": "r" * 201}, "/reason", "invalid_value"),
    "the values themselves": ({"payload": {"email": "x"}}, "/payload", "unknown_member"),
}


@pytest.mark.parametrize("name", WRONG)
async def test_a_disclosure_with_a_wrong_member_is_refused_by_its_pointer(dealer: Brand, name: str) -> None:
    members, pointer, code = WRONG[name]

    answer = await refused(dealer, disclosure(), disclosure(**members))

    assert (answer.status, answer.problems) == (422, [(f"/disclosures/1{pointer}", code)])


async def test_200_fields_of_200_characters_are_taken(dealer: Brand) -> None:
    fields = [f"{number:0>200}" for number in range(200)]

    answer = await post(dealer, disclosure(fields_sent=fields, fields_held_back=fields))

    assert answer.status == 201
    assert (await listed(dealer))[0]["fields_sent"] == fields


async def test_an_empty_batch_is_refused(dealer: Brand) -> None:
    assert (await refused(dealer)).problems == [("/disclosures", "batch_empty")]


async def test_500_disclosures_are_recorded_and_501_refused(dealer: Brand) -> None:
    many = [disclosure() for _ in range(501)]

    answer = await refused(dealer, *many)

    assert (answer.status, answer.problems) == (422, [("/disclosures", "batch_too_large")])
    assert len((await post(dealer, *many[:500])).json["recorded"]) == 500


@pytest.mark.parametrize("query", ["", "?before=3", "?consumer"])
async def test_whose_hand_overs_are_meant_has_to_be_said(dealer: Brand, query: str) -> None:
    answer = await dealer.call("GET", f"/v1/disclosures{query}")

    assert (answer.status, answer.code) == (422, "invalid_id" if query == "?consumer" else "missing_member")


@pytest.mark.parametrize("consumer", ["ann%40mail.example", "anon_ann", "cust%2F42"])
async def test_an_id_in_the_query_is_held_to_the_same_rules(dealer: Brand, consumer: str) -> None:
    answer = await dealer.call("GET", f"/v1/disclosures?consumer={consumer}")

    assert answer.status == 422
    assert answer.problems[0][1] in ("personal_id", "invalid_id")


@pytest.mark.parametrize("before", ["x", "-1", "1.5", "9" * 19])
async def test_a_page_goes_on_from_a_number_alone(dealer: Brand, before: str) -> None:
    answer = await dealer.call("GET", f"/v1/disclosures?consumer=cust-42&before={before}")

    assert (answer.status, answer.problems) == (422, [("", "invalid_value")])


# --- reading ------------------------------------------------------------------------------------------------


@KINDS
async def test_what_is_listed_is_what_was_sent_and_who_recorded_it(dealer: Brand) -> None:
    await post(dealer, disclosure(id=ID))
    key, _ = dealer.keys["all"]

    assert await listed(dealer) == [
        {
            "id": ID,
            "consumer_id": "cust-42",
            "partner": "vinsolutions",
            "flow": "share",
            "answer": "send_redacted",
            "fields_sent": ["vehicle", "customer.contact.email"],
            "fields_held_back": ["comments"],
            "at": "2026-11-23T18:59:58.000000Z",
            "outcome": "handed_over",
            "choice_id": "0198f3a0-0000-7000-8000-000000000001",
            "reason": "granted",
            "recorded_at": "2026-11-23T19:00:00.000000Z",
            "recorded_by": {"key": key.key_id, "class": "backend"},
        }
    ]


@KINDS
async def test_pages_lead_through_every_disclosure_newest_first_and_once(dealer: Brand) -> None:
    sent = [disclosure() for _ in range(250)]
    await post(dealer, *sent[:125])
    await post(dealer, *sent[125:])
    found: list[str] = []
    path: str | None = "/v1/disclosures?consumer=cust-42"
    pages = 0

    while path is not None:
        answer = await dealer.call("GET", path)
        found += [each["id"] for each in answer.json["disclosures"]]
        link = answer.headers.get("Link")
        path = None if link is None else link.removeprefix("<").removesuffix('>; rel="next"')
        pages += 1

    assert pages == 3
    assert found == [each["id"] for each in reversed(sent)]


async def test_a_page_of_an_id_with_a_plus_leads_on_to_the_same_consumer(dealer: Brand) -> None:
    await post(dealer, *(disclosure(consumer_id="cust+42") for _ in range(101)))
    first = await dealer.call("GET", "/v1/disclosures?consumer=cust%2B42")

    answer = await dealer.call("GET", first.headers["Link"].removeprefix("<").removesuffix('>; rel="next"'))

    assert [each["consumer_id"] for each in answer.json["disclosures"]] == ["cust+42"]


@KINDS
async def test_a_clock_that_was_set_back_does_not_change_the_order(dealer: Brand) -> None:
    first, second = disclosure(), disclosure()
    await post(dealer, first)
    dealer.world.clock.forward(-timedelta(days=1))
    await post(dealer, second)

    assert [each["id"] for each in await listed(dealer)] == [second["id"], first["id"]]


@KINDS
async def test_a_disclosure_about_somebody_who_never_said_anything_makes_no_preferences(dealer: Brand) -> None:
    await post(dealer, disclosure(consumer_id="cust-77"))

    assert len(await listed(dealer, "cust-77")) == 1
    assert (await dealer.preferences("cust-77"))["version"] == 0
    assert await listed(dealer, "cust-78") == []


@KINDS
async def test_what_was_handed_over_of_a_visitor_belongs_to_the_account_they_signed_in_to(dealer: Brand) -> None:
    before, after = disclosure(consumer_id=VISITOR), disclosure(consumer_id=VISITOR)
    await post(dealer, before)
    linked = await dealer.call("POST", "/v1/consumers/cust-42/links", json={"anonymous_id": VISITOR})
    assert linked.status == 201

    replayed = await post(dealer, before, after)

    assert [each["replayed"] for each in replayed.json["recorded"]] == [True, False]
    for consumer in ("cust-42", VISITOR):
        found = await listed(dealer, consumer)
        assert [(each["id"], each["consumer_id"], each["linked_from"]) for each in found] == [
            (after["id"], "cust-42", VISITOR),
            (before["id"], "cust-42", VISITOR),
        ]


async def test_however_many_visitors_somebody_was_their_hand_overs_are_asked_for_once() -> None:
    class Counting(MemoryStorage):
        asked = 0

        async def disclosures(self, *args: Any, **members: Any) -> list[StoredDisclosure]:
            self.asked += 1
            return await super().disclosures(*args, **members)

    storage, visitors = Counting(), [f"anon_{number:022}" for number in range(900)]
    await storage.start()
    state = write_state(State(linked_from=visitors))
    change = StoredChange(1, "link", 1, 1, 1, None, b"", b"{}")
    await storage.record(
        "dealer",
        [Wanted("cust-42")],
        lambda _, now: ([Write("cust-42", StoredConsumer(1, 1, 1, state), (change,))], now),
    )
    for place in (0, 899):
        body = dumps({"said": {}, "recorded_by": {}})
        made = NewDisclosure(visitors[place], str(uuid.UUID(int=place)), b"f" * 32, body)
        await storage.disclose("dealer", [made], now=5)

    found, rest = await Disclosures(storage, SystemClock(), Marks()).page("dealer", "cust-42")

    assert [each["linked_from"] for each in found] == [visitors[899], visitors[0]]
    assert (storage.asked, rest) == (1, None)


@KINDS
async def test_a_consumer_sees_their_own_and_nobody_elses(dealer: Brand) -> None:
    mine, theirs = disclosure(), disclosure(consumer_id="cust-43")
    await post(dealer, mine, theirs)

    answer = await dealer.page("GET", "/v1/me/disclosures?consumer=cust-43")

    assert [each["id"] for each in answer.json["disclosures"]] == [mine["id"]]


async def test_a_consumers_own_pages_name_no_id_in_their_address(dealer: Brand) -> None:
    sent = [disclosure() for _ in range(101)]
    await post(dealer, *sent)
    first = await dealer.page("GET", "/v1/me/disclosures")
    link = first.headers["Link"]
    assert "cust-42" not in link

    answer = await dealer.page("GET", link.removeprefix("<").removesuffix('>; rel="next"'))

    assert [each["id"] for each in answer.json["disclosures"]] == [sent[0]["id"]]
    assert "Link" not in answer.headers


@KINDS
async def test_the_export_holds_every_disclosure(dealer: Brand) -> None:
    sent = [disclosure() for _ in range(230)]
    await post(dealer, *sent)

    answer = await dealer.call("GET", "/v1/consumers/cust-42/export")

    assert [each["id"] for each in answer.json["disclosures"]] == [each["id"] for each in reversed(sent)]


@KINDS
async def test_where_a_page_goes_on_tells_nothing_about_how_busy_another_brand_is(dealer: Brand, shop: Brand) -> None:
    await post(shop, *(disclosure() for _ in range(300)))
    await post(dealer, *(disclosure() for _ in range(101)))

    answer = await dealer.call("GET", "/v1/disclosures?consumer=cust-42")

    assert answer.headers["Link"] == (
        '</v1/disclosures?consumer=cust-42&before=1795460400000001>; rel="next"'  # the clock's time, and the second row
    )
