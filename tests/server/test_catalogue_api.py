"""GET and PUT /v1/catalogue and its preview."""

from __future__ import annotations

import asyncio
import json
import logging
from copy import deepcopy
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from sayso.model.catalogue import Catalogue
from sayso.model.ids import new_anonymous_id
from sayso_server.services.catalogues import Catalogues
from sayso_server.services.refusals import RefusedError
from sayso_server.storage.base import StoredCatalogue
from sayso_server.storage.memory import MemoryStorage

if TYPE_CHECKING:
    from tests.server.conftest import Answered, Brand, World

BOTH = pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])


async def preview(dealer: Brand, catalogue: dict[str, Any]) -> Answered:
    return await dealer.call("POST", "/v1/catalogue/preview", token=dealer.backend("admin"), json=catalogue)


async def refused(dealer: Brand, catalogue: Any, query: str = "") -> Answered:
    """Publish what must be refused without a trace; the preview says the same."""
    async with dealer.world.nothing_stored():
        answer = await dealer.publish(catalogue, query)
        assert (await preview(dealer, catalogue)).status in (200, answer.status)
    assert (await dealer.call("GET", "/v1/catalogue")).json["revision"] == 1
    return answer


# --- publishing ---------------------------------------------------------------------------------------------


@BOTH
async def test_publishing_makes_the_next_revision(world: World, catalogue: dict[str, Any]) -> None:
    dealer = await world.add_brand("dealer", publish=False)

    first = await dealer.publish(catalogue)
    world.clock.forward(timedelta(hours=1))
    del catalogue["topics"]["channel:sms"]
    second = await dealer.publish(catalogue)

    assert (first.status, first.json) == (
        201,
        {"revision": 1, "published_at": "2026-11-23T19:00:00.000000Z", "changed": True},
    )
    assert (second.status, second.json) == (
        201,
        {"revision": 2, "published_at": "2026-11-23T20:00:00.000000Z", "changed": True},
    )


@BOTH
async def test_publishing_what_is_current_changes_nothing(dealer: Brand, catalogue: dict[str, Any]) -> None:
    dealer.world.clock.forward(timedelta(hours=1))
    async with dealer.world.nothing_stored():
        answer = await dealer.publish(catalogue)

    assert (answer.status, answer.json) == (
        200,
        {"revision": 1, "published_at": "2026-11-23T19:00:00.000000Z", "changed": False},
    )


async def test_of_two_who_publish_at_once_nobody_overwrites_the_other_unseen(
    dealer: Brand, catalogue: dict[str, Any]
) -> None:
    ways = []
    for language in ("One", "Two"):
        way = deepcopy(catalogue)
        way["topics"]["channel:sms"]["title"]["en"] = language
        ways.append(way)

    answers = await asyncio.gather(*(dealer.publish(way) for way in ways))

    newest = (await dealer.call("GET", "/v1/catalogue")).json
    for answer in answers:
        assert answer.status == 201 or (answer.status, answer.code) == (409, "catalogue_changed")
    assert newest["revision"] == 1 + sum(answer.status == 201 for answer in answers)


async def test_another_process_that_publishes_is_noticed_with_the_next_request(
    dealer: Brand, catalogue: dict[str, Any]
) -> None:
    from sayso.catalogue import catalogue_from_python

    catalogue["topics"]["purpose:surveys"] = catalogue["topics"]["purpose:analytics"]
    body = catalogue_from_python(catalogue).canonical_json()
    await dealer.world.storage.publish("dealer", body, published_at=dealer.world.clock.now(), expected_revision=1)

    assert (await dealer.call("GET", "/v1/catalogue")).json["revision"] == 2
    assert await dealer.reason("purpose:surveys") == "default"


# --- reading ------------------------------------------------------------------------------------------------


async def test_the_catalogue_shows_topics_partners_and_revision(dealer: Brand) -> None:
    answer = await dealer.call("GET", "/v1/catalogue")

    assert answer.status == 200
    shown = answer.json
    assert (shown["revision"], shown["brand"], shown["languages"]) == (1, "dealer", ["en", "es"])
    topics = {topic["key"]: topic for topic in shown["topics"]}
    assert list(topics) == [
        "purpose:marketing",
        "purpose:training",
        "purpose:analytics",
        "purpose:ads",
        "purpose:service",
        "purpose:recall",
        "channel:sms",
        "permission:location",
        "purpose:nearby",
        "partner:vinsolutions:share",
        "partner:vinsolutions:combine",
    ]
    nearby = topics["purpose:nearby"]
    assert (nearby["kind"], nearby["basis"], nearby["version"]) == ("purpose", "legitimate_interest", 1)
    assert (nearby["requires"], nearby["refusable"]) == (["permission:location"], True)
    assert topics["purpose:service"]["refusable"] is False
    assert topics["purpose:training"]["expires_after"] == "P365D"
    (partner,) = shown["partners"]
    assert partner["flows"] == {
        "share": "partner:vinsolutions:share",
        "combine": "partner:vinsolutions:combine",
    }


async def test_a_brand_without_a_catalogue_has_revision_0(world: World) -> None:
    bare = await world.add_brand("bare", publish=False)

    shown = (await bare.call("GET", "/v1/catalogue")).json

    assert (shown["revision"], shown["brand"], shown["topics"], shown["partners"]) == (0, "bare", [], [])


async def test_a_topic_that_was_dropped_stays_as_a_retired_one(dealer: Brand, catalogue: dict[str, Any]) -> None:
    del catalogue["topics"]["channel:sms"]
    await dealer.publish(catalogue)

    topics = {topic["key"]: topic for topic in (await dealer.call("GET", "/v1/catalogue")).json["topics"]}

    assert topics["channel:sms"]["retired"] is True
    assert await dealer.reason("channel:sms") == "unknown_topic"


async def test_each_revision_has_its_own_tag(dealer: Brand, shop: Brand, catalogue: dict[str, Any]) -> None:
    tags = [(await brand.call("GET", "/v1/catalogue")).headers["ETag"] for brand in (dealer, shop)]
    catalogue["topics"]["channel:sms"]["version"] = 2
    await dealer.publish(catalogue)
    tags.append((await dealer.call("GET", "/v1/catalogue")).headers["ETag"])

    assert len(set(tags)) == 3


@BOTH
async def test_a_catalogue_that_has_not_changed_is_answered_with_304(dealer: Brand, catalogue: dict[str, Any]) -> None:
    first = await dealer.call("GET", "/v1/catalogue")
    known = first.headers["ETag"]
    again = await dealer.call("GET", "/v1/catalogue", headers={"If-None-Match": f'"other", {known}'})
    own = await dealer.page("GET", "/v1/catalogue", headers={"If-None-Match": known})
    catalogue["topics"]["channel:sms"]["version"] = 2
    await dealer.publish(catalogue)
    changed = await dealer.call("GET", "/v1/catalogue", headers={"If-None-Match": known})

    assert not known.startswith("W/")
    assert (again.status, again.body, again.headers["ETag"]) == (304, b"", known)
    assert (own.status, own.headers["Access-Control-Allow-Origin"]) == (304, dealer.origin)
    assert (changed.status, changed.json["revision"]) == (200, 2)
    assert changed.headers["ETag"] != known


async def test_a_revision_is_written_out_once(dealer: Brand, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []
    to_wire = Catalogue.to_wire

    def counted(self: Catalogue, language: str | None = None) -> dict[str, Any]:
        written.append(1)
        return to_wire(self, language)

    monkeypatch.setattr(Catalogue, "to_wire", counted)
    bodies = {(await dealer.call("GET", "/v1/catalogue")).body for _ in range(3)}

    assert (len(bodies), len(written)) == (1, 1)


# --- catalogues of other releases ---------------------------------------------------------------------------


async def written_by_a_newer_server(brand: Brand, revision: int, **members: Any) -> None:
    stored = json.loads((await brand.world.storage.catalogues(brand.id))[-1].body)
    body = json.dumps(stored | members).encode()
    await brand.world.storage.publish(
        brand.id, body, published_at=brand.world.clock.now(), expected_revision=revision - 1
    )


@BOTH
async def test_members_that_a_newer_server_wrote_are_ignored(dealer: Brand) -> None:
    stored = json.loads((await dealer.world.storage.catalogues("dealer"))[-1].body)
    stored["topics"]["channel:sms"] |= {"colour": "blue", "version": 2}
    stored["partners"]["vinsolutions"]["flows"]["share"]["shape"] = {"round": True}
    stored["partners"]["vinsolutions"]["colour"] = "red"
    await written_by_a_newer_server(dealer, 2, **stored, moods={"a": 1})

    await dealer.say("channel:sms", "granted")

    assert (await dealer.call("GET", "/v1/catalogue")).json["revision"] == 2
    assert (await dealer.history())[0]["notice"]["version"] == 2


async def test_a_catalogue_that_cannot_be_read_leaves_the_last_good_one_in_force_and_others_alone(
    dealer: Brand, shop: Brand, caplog: pytest.LogCaptureFixture, catalogue: dict[str, Any]
) -> None:
    await dealer.reason("channel:sms")
    with caplog.at_level(logging.ERROR):
        await written_by_a_newer_server(dealer, 2, unknown_age="quokka")
        here = [await dealer.reason("channel:sms") for _ in range(3)]
        await shop.say("channel:sms", "granted")

    assert here == ["not_asked"] * 3
    assert (await dealer.call("GET", "/v1/catalogue")).json["revision"] == 1
    assert caplog.messages == [
        "the catalogue of brand dealer, revision 2, can't be read (ValidationError): revision 1 stays in force; "
        "a newer server may have written it"
    ]
    refused = await dealer.publish(catalogue)
    assert (refused.status, refused.code) == (503, "unavailable")


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[]", b"7", b'{"unknown_age": "quokka"}', b"[" * 100_000])
async def test_a_brand_whose_only_catalogue_cannot_be_read_is_unavailable_alone(
    world: World, shop: Brand, body: bytes, caplog: pytest.LogCaptureFixture, make_choice: Any
) -> None:
    dealer = await world.add_brand("dealer", publish=False)
    await world.storage.publish("dealer", body, published_at=world.clock.now(), expected_revision=0)
    with caplog.at_level(logging.ERROR):
        answers = [
            await dealer.call("GET", "/v1/consumers/cust-42/preferences"),
            await dealer.call("GET", "/v1/catalogue"),
            await dealer.post(make_choice("channel:sms", "denied")),
            await dealer.call("GET", "/v1/consumers/cust-42/preferences?as_of=2026-11-23T19:00:00Z"),
        ]
        entry = await shop.say("channel:sms", "granted")

    assert {(answer.status, answer.code, answer.headers["Retry-After"]) for answer in answers} == {
        (503, "unavailable", "5")
    }
    assert entry["allowed"] is True
    assert "quokka" not in caplog.text
    assert [message.partition(":")[0].partition(" (")[0] for message in caplog.messages] == [
        "the catalogue of brand dealer, revision 1, can't be read"
    ]


async def test_a_server_that_starts_over_an_unreadable_catalogue_serves_the_other_brands(
    dealer: Brand, shop: Brand
) -> None:
    await written_by_a_newer_server(dealer, 2, unknown_age="quokka")
    anew = Catalogues(dealer.world.storage)
    await anew.refresh()

    for ask in (anew.of, anew.newest):
        with pytest.raises(RefusedError) as refused:
            ask("dealer")
        assert refused.value.status == 503
    assert (anew.newest_revision("dealer"), anew.of("shop").revision) == (2, 1)


async def test_a_moment_under_an_unreadable_catalogue_has_no_answer_and_now_has_one(
    dealer: Brand, catalogue: dict[str, Any]
) -> None:
    await written_by_a_newer_server(dealer, 2, unknown_age="quokka")
    dealer.world.clock.forward(timedelta(hours=1))
    await written_by_a_newer_server(dealer, 3, unknown_age="adult")

    then = await dealer.call("GET", "/v1/consumers/cust-42/preferences?as_of=2026-11-23T19:30:00Z")

    assert (then.status, then.code) == (503, "unavailable")
    assert (await dealer.preferences())["catalogue_revision"] == 3


# --- old revisions ------------------------------------------------------------------------------------------


class Watched(MemoryStorage):
    """Notes whose catalogue bodies were read."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[tuple[str, int | None]] = []

    async def catalogues(self, brand_id: str, *, revision: int | None = None) -> list[StoredCatalogue]:
        self.read.append((brand_id, revision))
        return await super().catalogues(brand_id, revision=revision)


@pytest.fixture
async def watched() -> Watched:
    storage = Watched()
    await storage.start()
    return storage


async def published(storage: Watched, brand: str, revision: int) -> None:
    body = Catalogue(majority=18 + revision % 10).canonical_json()
    await storage.publish(brand, body, published_at=revision * 10, expected_revision=revision - 1)


async def test_a_refresh_reads_only_the_newest_body_of_the_brands_that_published(watched: Watched) -> None:
    for revision in (1, 2, 3):
        await published(watched, "dealer", revision)
    await published(watched, "shop", 1)
    catalogues = Catalogues(watched)

    await catalogues.refresh()
    first, watched.read = watched.read, []
    await catalogues.refresh()
    await published(watched, "shop", 2)
    await catalogues.refresh()

    assert sorted(first) == [("dealer", 3), ("shop", 1)]
    assert watched.read == [("shop", 2)]
    assert [catalogues.of(brand).revision for brand in ("dealer", "shop", "bare")] == [3, 2, 0]


async def test_an_old_revision_is_read_when_it_is_asked_about_and_the_last_few_are_kept(watched: Watched) -> None:
    for revision in range(1, 21):
        await published(watched, "dealer", revision)
    catalogues = Catalogues(watched)
    await catalogues.refresh()
    watched.read = []

    found = [(await catalogues.at("dealer", moment)).revision for moment in (9, 10, 19, 20, 29, 199, 200, 10**9)]
    assert found == [0, 1, 1, 2, 2, 19, 20, 20]
    assert watched.read == [("dealer", 1), ("dealer", 2), ("dealer", 19)]

    for revision in range(3, 19):
        assert (await catalogues.at("dealer", revision * 10)).catalogue.majority == 18 + revision % 10
    watched.read = []
    for revision in (18, 17, 1):
        await catalogues.at("dealer", revision * 10)
    assert watched.read == [("dealer", 1)]


# --- what may not be published ------------------------------------------------------------------------------


def changed(catalogue: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Give a copy with one key set; None takes it out."""
    copy = deepcopy(catalogue)
    *names, last = path.split("/")
    table: Any = copy
    for name in names:
        table = table[name]
    if value is None:
        del table[last]
    else:
        table[last] = value
    return copy


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("topics/channel:sms/basis", "contract", ("/topics/channel:sms/basis", "leaves no choice")),
        ("topics/purpose:marketing/data_classes", ["diary"], ("/topics/purpose:marketing/data_classes", "'diary'")),
        ("topics/purpose:nearby/requires", ["purpose:far"], ("/topics/purpose:nearby/requires", "'purpose:far'")),
        ("topics/purpose:ads/notice/es", None, ("/topics/purpose:ads/notice/es", "is missing")),
        ("contacts/controller", None, ("/contacts/controller", "is missing")),
        ("partners/vinsolutions/fields", {}, ("/partners/vinsolutions/fields", "is missing")),
    ],
)
async def test_a_catalogue_with_an_error_is_refused_by_the_pointer_to_it(
    dealer: Brand, catalogue: dict[str, Any], path: str, value: Any, expected: tuple[str, str]
) -> None:
    pointer, said = expected

    answer = await refused(dealer, changed(catalogue, path, value))

    assert (answer.status, answer.code) == (422, "catalogue_invalid")
    assert (pointer, "catalogue_invalid") in answer.problems
    assert said in answer.body.decode()


@pytest.mark.parametrize(
    ("path", "value", "pointer"),
    [
        ("topics/purpose:ads/sale_or_shaer", True, "/topics/purpose:ads/sale_or_shaer"),
        ("topics/purpose:ads/basis", "habit", "/topics/purpose:ads/basis"),
        ("topics/purpose:ads/version", "2", "/topics/purpose:ads/version"),
        ("topics/purpose:ads/version", True, "/topics/purpose:ads/version"),
        ("topics/purpose:ads/basis", None, "/topics/purpose:ads/basis"),
        ("languages", "en", "/languages"),
        ("majority", 18.5, "/majority"),
        ("colour", "blue", "/colour"),
        ("retention/contact/period", "P2Y", "/retention/contact/period"),
    ],
)
async def test_a_catalogue_that_cannot_be_read_is_refused_by_the_pointer_to_it(
    dealer: Brand, catalogue: dict[str, Any], path: str, value: Any, pointer: str
) -> None:
    answer = await refused(dealer, changed(catalogue, path, value))

    assert (answer.status, answer.problems) == (422, [(pointer, "catalogue_invalid")])


@pytest.mark.parametrize("body", [[], None, "catalogue", 7])
async def test_a_catalogue_that_is_no_object_is_refused(dealer: Brand, body: Any) -> None:
    async with dealer.world.nothing_stored():
        answer = await dealer.call(
            "PUT", "/v1/catalogue", token=dealer.backend("admin"), body=b"null" if body is None else None, json=body
        )

    assert (answer.status, answer.problems) == (422, [("", "wrong_type")])


@pytest.mark.parametrize(
    "body",
    [
        b'{"languages":["en"],"languages":["en"]}',
        b'{"majority":NaN}',
        b'{"contacts":' + b"[" * 17 + b"]" * 17 + b"}",
        b'{"partners":{"x":{"restricted":{"y":"\\ud800"}}}}',
        b"\xff",
    ],
)
async def test_a_catalogue_is_read_as_strictly_as_anything_else(dealer: Brand, body: bytes) -> None:
    async with dealer.world.nothing_stored():
        answer = await dealer.call("PUT", "/v1/catalogue", token=dealer.backend("admin"), body=body)

    assert answer.status == 400


async def test_a_catalogue_over_1_mib_is_refused(dealer: Brand) -> None:
    async with dealer.world.nothing_stored():
        answer = await dealer.call("PUT", "/v1/catalogue", token=dealer.backend("admin"), body=b" " * (1024 * 1024 + 1))

    assert (answer.status, answer.code) == (413, "body_too_large")


@pytest.mark.parametrize("basis", ["contract", "legal_obligation"])
async def test_a_choice_that_people_had_is_never_taken_away(
    dealer: Brand, catalogue: dict[str, Any], basis: str
) -> None:
    answer = await refused(dealer, changed(catalogue, "topics/purpose:analytics/basis", basis))

    assert (answer.status, answer.problems) == (422, [("/topics/purpose:analytics/basis", "basis_changed")])


async def test_a_choice_is_not_taken_away_by_way_of_a_revision_without_it(
    dealer: Brand, catalogue: dict[str, Any]
) -> None:
    assert (await dealer.publish(changed(catalogue, "topics/purpose:analytics", None))).status == 201

    answer = await dealer.publish(changed(catalogue, "topics/purpose:analytics/basis", "contract"))

    assert (answer.status, answer.code) == (422, "basis_changed")


async def test_a_version_never_goes_down(dealer: Brand, catalogue: dict[str, Any]) -> None:
    answer = await refused(dealer, changed(catalogue, "topics/purpose:training/version", 1))

    assert (answer.status, answer.problems) == (422, [("/topics/purpose:training/version", "version_lowered")])


async def test_a_majority_below_18_has_to_be_meant(dealer: Brand, catalogue: dict[str, Any]) -> None:
    young = catalogue | {"majority": 16}

    answer = await refused(dealer, young)
    assert (answer.status, answer.problems) == (422, [("/majority", "majority_lowered")])

    assert (await dealer.publish(young, "?allow_lower_majority=true")).status == 201


# --- preview ------------------------------------------------------------------------------------------------


@BOTH
async def test_a_preview_counts_whom_a_change_asks_again(dealer: Brand, shop: Brand, catalogue: dict[str, Any]) -> None:
    for consumer in ("ann", "ben", "cleo"):
        await dealer.say("channel:sms", "granted", consumer=consumer)
    await dealer.say("channel:sms", "withdrawn", consumer="cleo", based_on=1)
    await dealer.say("purpose:marketing", "denied", consumer="dan")
    await shop.say("channel:sms", "granted", consumer="eve")
    catalogue["topics"]["channel:sms"]["version"] = 2

    async with dealer.world.nothing_stored():
        answer = await preview(dealer, catalogue)

    assert (answer.status, answer.json["revision"], answer.json["consumers"]) == (200, 1, 4)
    assert answer.json["asked_again"] == {"channel:sms": 2}
    (change,) = answer.json["changes"]
    assert (change["topic"], change["kind"], change["asks_again"]) == ("channel:sms", "version_raised", True)


async def test_a_preview_of_what_is_current_changes_nothing(dealer: Brand, catalogue: dict[str, Any]) -> None:
    answer = await preview(dealer, catalogue)

    assert (answer.json["changes"], answer.json["asked_again"]) == ([], {})
    assert any("deadlines" in warning for warning in answer.json["warnings"])


async def test_after_the_change_those_counted_are_asked_again(dealer: Brand, catalogue: dict[str, Any]) -> None:
    await dealer.say("channel:sms", "granted")
    catalogue["topics"]["channel:sms"]["version"] = 2
    await dealer.publish(catalogue)
    assert await dealer.reason("channel:sms") == "outdated"

    entry = await dealer.say("channel:sms", "granted", based_on=1)

    assert (entry["allowed"], (await dealer.history())[0]["notice"]) == (True, {"language": "en", "version": 2})


async def test_a_preview_does_not_count_a_linked_visitor_as_another_consumer(
    dealer: Brand, catalogue: dict[str, Any]
) -> None:
    visitor, stranger = new_anonymous_id(), new_anonymous_id()
    for consumer in (visitor, stranger):
        await dealer.say("channel:sms", "granted", consumer=consumer)
    token = dealer.consumer(visitor)
    linked = await dealer.call(
        "POST", "/v1/consumers/cust-42/links", json={"anonymous_id": visitor, "anonymous_token": token}
    )
    assert [carried["topic"] for carried in linked.json["carried"]] == ["channel:sms"]
    same = await preview(dealer, catalogue)
    catalogue["topics"]["channel:sms"]["version"] = 2
    raised = await preview(dealer, catalogue)

    assert (same.json["consumers"], raised.json["consumers"]) == (2, 2)
    assert raised.json["asked_again"] == {"channel:sms": 2}


async def test_a_preview_warns_of_whatever_lets_more_through(dealer: Brand, catalogue: dict[str, Any]) -> None:
    catalogue["topics"]["purpose:ads"]["sale_or_share"] = False
    catalogue["topics"]["purpose:marketing"]["basis"] = "legitimate_interest"

    answer = await preview(dealer, catalogue)

    changes = [(change["topic"], change["kind"]) for change in answer.json["changes"]]
    assert changes == [("purpose:marketing", "basis_changed"), ("purpose:ads", "sale_or_share_changed")]
    for change in answer.json["changes"]:
        assert f"{change['topic']} {change['message']}" in answer.json["warnings"]


async def test_one_preview_at_a_time_is_worked_on_for_a_brand(
    dealer: Brand, shop: Brand, catalogue: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, go_on = asyncio.Event(), asyncio.Event()
    consumer_ids = MemoryStorage.consumer_ids

    async def slow(self: MemoryStorage, brand_id: str, *, after: str, limit: int) -> list[str]:
        if brand_id == "dealer":
            reading.set()
            await go_on.wait()
        return await consumer_ids(self, brand_id, after=after, limit=limit)

    monkeypatch.setattr(MemoryStorage, "consumer_ids", slow)
    first = asyncio.create_task(preview(dealer, catalogue))
    await reading.wait()
    second, elsewhere = await preview(dealer, catalogue), await preview(shop, catalogue)
    go_on.set()

    assert (second.status, second.code, second.headers["Retry-After"]) == (429, "rate_limited", "1")
    assert elsewhere.status == 200
    assert (await first).status == 200
    assert (await preview(dealer, catalogue)).status == 200
