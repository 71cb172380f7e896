"""Notices that change: versions, minor versions, what is shown when one is stale, and what was shown years ago."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.server.conftest import Brand

TOPIC = "purpose:marketing"
NOTICES = "/v1/catalogue/notices"
GRACE = timedelta(days=30)
YEAR = timedelta(days=365)


def told(catalogue: dict[str, Any], text: str, *, version: int = 1, **topic: Any) -> dict[str, Any]:
    """Give a catalogue with another notice of the topic, the Spanish one in brackets."""
    notice = {"en": text, "es": f"[{text}]"}
    settings = {**catalogue["topics"][TOPIC], "version": version, "notice": notice, **topic}
    return {**catalogue, "topics": {**catalogue["topics"], TOPIC: settings}}


async def entry(brand: Brand, topic: str = TOPIC, consumer: str = "cust-42") -> dict[str, Any]:
    answer = await brand.call("GET", f"/v1/consumers/{consumer}/preferences")
    found: dict[str, Any] = answer.json["topics"][topic]
    return found


async def test_a_higher_version_asks_again_and_another_text_under_the_same_version_does_not(
    dealer: Brand, catalogue: dict[str, Any]
) -> None:
    await dealer.say(TOPIC, "granted")

    await dealer.publish(told(catalogue, "We write to you about offers and news."))
    assert (await entry(dealer))["reason"] == "granted"
    shown = (await dealer.call("GET", "/v1/catalogue")).json["topics"][0]
    assert (shown["version"], shown["minor"]) == (1, 1)

    await dealer.publish(told(catalogue, "We write to you about offers.", version=2))
    assert (await entry(dealer))["reason"] == "outdated"
    shown = (await dealer.call("GET", "/v1/catalogue")).json["topics"][0]
    assert (shown["version"], shown["minor"], shown["previous_version"]) == (2, 0, 1)
    assert shown["version_since"] == "2026-11-23T19:00:00.000000Z"


async def test_a_grant_of_the_version_before_holds_for_the_grace_and_the_snapshot_says_so(
    dealer: Brand, catalogue: dict[str, Any]
) -> None:
    await dealer.say(TOPIC, "granted")
    await dealer.publish(told(catalogue, "We and our dealers write to you.", version=2, grace="P30D"))

    held = await entry(dealer)
    assert (held["allowed"], held["reason"], held["valid_until"]) == (True, "granted", "2026-12-23T19:00:00.000000Z")
    assert held["ask_from"] == "2026-11-23T19:00:00.000000Z"

    dealer.world.clock.forward(GRACE)
    assert (await entry(dealer))["reason"] == "outdated"
    # Another publication in between leaves the day from which the grace was counted.
    await dealer.publish(told(catalogue, "We and our dealers write to you!", version=2, grace="P31D"))
    assert (await entry(dealer))["valid_until"] == "2026-12-24T19:00:00.000000Z"


async def test_a_grant_of_a_stale_notice_is_answered_with_the_new_text(
    dealer: Brand, catalogue: dict[str, Any], make_choice: Any
) -> None:
    change = {"en": "Our dealers write too.", "es": "También escriben los concesionarios."}
    await dealer.publish(told(catalogue, "We and our dealers write.", version=2, change=change))

    stale = await dealer.post(make_choice(TOPIC, "granted", notice={"language": "es", "version": 1}))

    assert (stale.status, stale.code) == (409, "notice_stale")
    assert stale.json["errors"][0]["notice"] == {
        "topic": TOPIC,
        "version": 2,
        "minor": 0,
        "language": "es",
        "title": "Ofertas",
        "notice": "[We and our dealers write.]",
        "change": "También escriben los concesionarios.",
    }


@pytest.mark.parametrize("answer", ["denied", "withdrawn"])
async def test_a_refusal_of_a_stale_notice_is_recorded(dealer: Brand, catalogue: dict[str, Any], answer: str) -> None:
    await dealer.publish(told(catalogue, "We and our dealers write.", version=2))
    recorded = await dealer.say(TOPIC, answer, notice={"language": "en", "version": 1})
    assert recorded["reason"] == answer


async def test_a_text_that_no_version_has_is_refused_for_a_grant_alone(dealer: Brand, make_choice: Any) -> None:
    notice = {"language": "en", "version": 1, "minor": 1}
    refused = await dealer.post(make_choice(TOPIC, "granted", notice=notice))
    assert (refused.status, refused.problems) == (422, [("/choices/0/notice/minor", "notice_unknown")])
    await dealer.say(TOPIC, "denied", notice=notice)


async def test_the_text_of_any_choice_is_found_after_five_revisions_in_the_language_shown(
    dealer: Brand, catalogue: dict[str, Any]
) -> None:
    revisions = [
        told(catalogue, "One.", version=1),
        told(catalogue, "One, said better.", version=1),
        told(catalogue, "Two.", version=2),
        told(catalogue, "Two, said better.", version=2),
        told(catalogue, "Three.", version=3),
    ]
    languages = ["en", "es", "en", "es", "en"]
    for revision, language in zip(revisions, languages, strict=True):
        dealer.world.clock.forward(YEAR)
        assert (await dealer.publish(revision)).json["changed"] is True
        await dealer.say(TOPIC, "granted", notice={"language": language})

    history = (await dealer.call("GET", "/v1/consumers/cust-42/choices")).json["choices"]
    found = []
    for choice in reversed(history):
        notice = choice["notice"]
        path = f"{NOTICES}?topic={TOPIC}&version={notice['version']}&language={notice['language']}"
        shown = (await dealer.call("GET", path)).json["notices"]
        found += [each["notice"] for each in shown if each["minor"] == notice.get("minor", 0)]

    assert found == [
        {"en": "One."},
        {"es": "[One, said better.]"},
        {"en": "Two."},
        {"es": "[Two, said better.]"},
        {"en": "Three."},
    ]


async def test_a_topics_notices_are_listed_with_when_each_was_shown(dealer: Brand, catalogue: dict[str, Any]) -> None:
    dealer.world.clock.forward(YEAR)
    await dealer.publish(told(catalogue, "We and our dealers write.", version=2))
    without = {key: topic for key, topic in catalogue["topics"].items() if key != TOPIC}
    dealer.world.clock.forward(YEAR)
    assert (await dealer.publish({**catalogue, "topics": without, "partners": {}})).status == 201

    answer = await dealer.call("GET", f"{NOTICES}?topic={TOPIC}&language=en")

    assert answer.json == {
        "topic": TOPIC,
        "notices": [
            {
                "version": 1,
                "minor": 0,
                "revision": 1,
                "published_at": "2026-11-23T19:00:00.000000Z",
                "replaced_at": "2027-11-23T19:00:00.000000Z",
                "title": {"en": "Offers"},
                "notice": {"en": "We write to you about offers."},
            },
            {
                "version": 2,
                "minor": 0,
                "revision": 2,
                "published_at": "2027-11-23T19:00:00.000000Z",
                "replaced_at": "2028-11-22T19:00:00.000000Z",
                "title": {"en": "Offers"},
                "notice": {"en": "We and our dealers write."},
            },
        ],
    }


async def test_asking_for_one_topic_after_the_other_reads_each_revision_once(
    dealer: Brand, catalogue: dict[str, Any]
) -> None:
    storage, read = dealer.world.storage, []
    method = storage.catalogues

    async def counted(brand_id: str, *, revision: int | None = None) -> Any:
        read.append(revision)
        return await method(brand_id, revision=revision)

    setattr(storage, "catalogues", counted)  # noqa: B010
    await dealer.publish(told(catalogue, "Offers and news."))
    read.clear()

    first = [(await dealer.page("GET", f"{NOTICES}?topic={topic}")).json for topic in catalogue["topics"]]
    assert read == [1, 2]
    await dealer.publish(told(catalogue, "Offers, news and events."))
    read.clear()
    second = [(await dealer.page("GET", f"{NOTICES}?topic={topic}")).json for topic in catalogue["topics"]]

    assert read == [3]
    assert [len(told["notices"]) for told in first] == [2] + [1] * (len(first) - 1)
    assert [len(told["notices"]) for told in second] == [3] + [1] * (len(first) - 1)


async def test_a_partners_flow_has_notices_too_and_consumers_may_read_them(dealer: Brand) -> None:
    answer = await dealer.page("GET", f"{NOTICES}?topic=partner:vinsolutions:share&language=es")
    assert [each["notice"] for each in answer.json["notices"]] == [{"es": "Enviamos su solicitud."}]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("", 422, "missing_member"),
        (f"?topic={TOPIC}&version=first", 422, "invalid_value"),
        ("?topic=purpose:unheard-of", 404, "unknown_topic"),
    ],
)
async def test_a_question_that_does_not_fit_says_why(dealer: Brand, query: str, status: int, code: str) -> None:
    answer = await dealer.call("GET", NOTICES + query)
    assert (answer.status, answer.code) == (status, code)


async def test_a_version_or_language_that_never_was_has_no_notices(dealer: Brand) -> None:
    for query in ("version=9", "language=fr"):
        assert (await dealer.call("GET", f"{NOTICES}?topic={TOPIC}&{query}")).json["notices"] == []


async def test_a_snapshot_says_from_when_one_may_be_asked_again_only_where_the_reason_does_not_tell(
    dealer: Brand,
) -> None:
    await dealer.say(TOPIC, "denied")
    await dealer.say("channel:sms", "granted")

    refused, granted, silent = [await entry(dealer, topic) for topic in (TOPIC, "channel:sms", "purpose:training")]

    assert refused["ask_from"] == "2027-11-23T19:00:00.000000Z"
    assert "ask_from" not in granted
    assert "ask_from" not in silent

    await dealer.say("*", "withdrawn")
    assert (await entry(dealer))["ask_from"] is None


async def test_the_older_texts_of_a_revision_that_an_earlier_release_stored_are_told_apart_by_when_they_were_shown(
    dealer: Brand, catalogue: dict[str, Any]
) -> None:
    body = (await dealer.world.storage.catalogues("dealer"))[0].body
    changed = body.replace(b"We write to you about offers.", b"We write about offers.")
    later = dealer.world.clock.now() + 5
    await dealer.world.storage.publish("dealer", changed, published_at=later, expected_revision=1)

    shown = (await dealer.call("GET", f"{NOTICES}?topic={TOPIC}&version=1&language=en")).json["notices"]

    assert [(each["minor"], each["notice"]["en"]) for each in shown] == [
        (0, "We write to you about offers."),
        (0, "We write about offers."),
    ]


async def test_a_visitors_choice_keeps_its_text_when_it_is_carried_over(
    dealer: Brand, catalogue: dict[str, Any]
) -> None:
    visitor = "anon_AAAAAAAAAAAAAAAAAAAAAA"
    await dealer.publish(told(catalogue, "We write to you about offers and news."))
    await dealer.say(TOPIC, "denied", consumer_id=visitor, notice={"language": "en"})
    await dealer.publish(told(catalogue, "We write."))

    await dealer.call("POST", "/v1/consumers/cust-42/links", json={"anonymous_id": visitor})

    (copied,) = (await dealer.call("GET", "/v1/consumers/cust-42/choices")).json["choices"]
    assert copied["notice"] == {"language": "en", "minor": 1}


async def test_a_page_that_was_opened_before_a_text_changed_may_say_which_it_showed(
    dealer: Brand, catalogue: dict[str, Any]
) -> None:
    await dealer.publish(told(catalogue, "We write to you about offers and news."))
    await dealer.say(TOPIC, "granted", notice={"language": "en", "version": 1, "minor": 0})

    (choice,) = (await dealer.call("GET", "/v1/consumers/cust-42/choices")).json["choices"]
    assert choice["notice"] == {"language": "en", "version": 1, "minor": 0}
