"""Through the client: whether a consumer may be asked, and the exact text that any of their choices answered."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import sayso

TOPIC = "purpose:marketing"
YEAR = timedelta(days=365)


def told(notice: str, *, version: int, **topic: Any) -> sayso.Catalogue:
    return sayso.Catalogue.model_validate(
        {
            "languages": ["en", "es"],
            "topics": {
                TOPIC: {
                    "basis": "consent",
                    "version": version,
                    "title": {"en": "Offers", "es": "Ofertas"},
                    "notice": {"en": notice, "es": f"[{notice}]"},
                    "data_classes": ["contact"],
                    **topic,
                },
            },
            "retention": {
                "contact": {
                    "period": "P730D",
                    "start": "last_contact",
                    "title": {"en": "Contact data", "es": "Datos"},
                    "ground": {"en": "To answer.", "es": "Para responder."},
                }
            },
            "contacts": {
                "controller": {"name": "Office", "address": ["1 Main Street"], "email": "post@dealer.example"}
            },
        }
    )


async def publish(served: Any, *revisions: sayso.Catalogue) -> None:
    for revision in revisions:
        await served.client(role="admin", live=False).publish_catalogue(revision)


async def test_whoever_was_never_asked_may_be_and_whoever_refused_is_left_alone(ann: sayso.Consumer) -> None:
    before = await ann.may_ask(TOPIC)
    await ann.deny(TOPIC)
    after = await ann.may_ask(TOPIC)

    assert (bool(before), before.reason, before.not_before) == (True, "not_asked", None)
    assert (bool(after), after.reason) == (False, "denied")
    (refusal,) = [choice async for choice in ann.history()]
    recorded = refusal.effective_at
    assert after.not_before == recorded.replace(year=recorded.year + 1)
    snapshot = await ann.preferences()
    assert snapshot.may_ask(TOPIC) == after
    assert [snapshot.may_ask(topic).reason for topic in ("purpose:service", "purpose:unheard-of")] == [
        "required",
        "unknown_topic",
    ]


async def test_a_refusal_that_still_waits_keeps_the_consumer_from_being_asked(ann: sayso.Consumer, served: Any) -> None:
    long_ago = datetime.now(UTC) - 3 * YEAR
    await ann.deny(TOPIC, made_at=long_ago)
    served.clock.forward(timedelta(minutes=1))
    assert (await ann.may_ask(TOPIC)).allowed is True

    await served.stop()
    assert (await ann.deny(TOPIC)).status == "pending"
    assert (await ann.may_ask(TOPIC)).allowed is False
    await served.restart()


async def test_in_an_outage_nobody_is_asked(ann: sayso.Consumer, served: Any) -> None:
    await served.stop()
    answer = await ann.may_ask("channel:sms")
    assert (answer.allowed, answer.reason, answer.not_before) == (False, "unavailable", None)
    await served.restart()


def test_a_forgotten_await_is_no_yes(ann: sayso.Consumer) -> None:
    with pytest.raises(TypeError, match=r"if await ann\.may_ask"):
        bool(ann.may_ask(TOPIC))


async def test_a_withdraw_all_ends_all_asking(ann: sayso.Consumer) -> None:
    await ann.withdraw_all()
    answer = await ann.may_ask(TOPIC)
    assert (answer.allowed, answer.reason, answer.not_before) == (False, "withdrawn", None)


async def test_the_text_of_every_choice_is_found_after_five_revisions_in_the_language_shown(
    ann: sayso.Consumer, served: Any
) -> None:
    texts = [("One.", 1), ("One, said better.", 1), ("Two.", 2), ("Two, said better.", 2), ("Three.", 3)]
    recorded = []
    for place, (text, version) in enumerate(texts):
        await publish(served, told(text, version=version, change={"en": f"Now {text}", "es": f"Ahora {text}"}))
        served.clock.forward(timedelta(minutes=1))
        recorded.append(await ann.grant(TOPIC, shown="es" if place % 2 else "en"))
        served.clock.forward(timedelta(minutes=1))

    past = [choice async for choice in ann.history()]
    for choice, entry, (text, version) in zip(reversed(past), recorded, texts, strict=True):
        shown = await ann.shown(choice)
        assert shown is not None
        assert shown == await ann.shown(entry)
        in_english = choice.notice_language == "en"
        assert (shown.version, shown.text) == (version, text if in_english else f"[{text}]")
        assert shown.title == ("Offers" if in_english else "Ofertas")
        assert shown.change == (f"Now {text}" if in_english else f"Ahora {text}")
    assert shown.replaced_at is None


async def test_a_choice_that_answered_no_notice_has_no_text(ann: sayso.Consumer) -> None:
    await ann.withdraw(TOPIC)
    (choice,) = [choice async for choice in ann.history()]
    assert await ann.shown(choice) is None


async def test_what_is_pending_can_not_be_looked_up_yet(ann: sayso.Consumer, served: Any) -> None:
    await served.stop()
    waiting = await ann.deny(TOPIC, shown="en")
    with pytest.raises(sayso.InvalidError, match="still pending"):
        await ann.shown(waiting)
    await served.restart()


async def test_a_stale_grant_names_what_to_show_instead(ann: sayso.Consumer, served: Any) -> None:
    await publish(served, told("We and our dealers write.", version=2))

    with pytest.raises(sayso.ConflictError) as refused:
        await ann.grant(TOPIC, shown="es", notice_version=1)

    assert refused.value.code == "notice_stale"
    assert refused.value.problems[0].notice == {
        "topic": TOPIC,
        "version": 2,
        "minor": 0,
        "language": "es",
        "title": "Ofertas",
        "notice": "[We and our dealers write.]",
    }


async def test_a_grant_in_its_grace_is_allowed_until_its_end_and_may_be_asked_for_anew(
    ann: sayso.Consumer, served: Any
) -> None:
    await ann.grant(TOPIC, shown="en")
    await publish(served, told("We and our dealers write.", version=2, grace="P30D"))

    decision = await ann.decide(TOPIC)

    assert (decision.allowed, decision.reason) == (True, "granted")
    assert decision.valid_until is not None
    assert timedelta(days=29) < decision.valid_until - served.clock.moment <= timedelta(days=30)
    assert (await ann.may_ask(TOPIC)).allowed is True


async def test_a_grant_that_ends_soon_still_allows_and_may_be_asked_for_anew_before_it_does(
    ann: sayso.Consumer, served: Any
) -> None:
    await publish(served, told("We write.", version=2, expires_after="P365D", refresh_before="P14D"))
    await ann.grant(TOPIC, shown="en")

    served.clock.forward(timedelta(days=350))
    early = await ann.may_ask(TOPIC)
    assert (early.allowed, early.reason) == (False, "granted")
    served.clock.forward(timedelta(days=2))
    soon = await ann.may_ask(TOPIC)
    assert (soon.allowed, soon.reason, await ann.allows(TOPIC)) == (True, "ends_soon", True)
    served.clock.forward(timedelta(days=14))
    assert (await ann.decide(TOPIC)).reason == "expired"
    assert (await ann.may_ask(TOPIC)).allowed is True


async def test_publishing_what_would_newly_let_data_out_takes_a_word_of_its_own(
    privacy: sayso.Client, served: Any, catalogue: sayso.Catalogue
) -> None:
    with pytest.raises(sayso.NotAllowedError):
        async with privacy.consumer("cust-42").sharing("vinsolutions"):
            pytest.fail("nobody has granted it")
    tables = catalogue.model_dump(mode="json", exclude={"history"}, exclude_none=True)
    tables["topics"] = {key: topic for key, topic in tables["topics"].items() if not key.startswith("partner:")}
    tables["partners"]["vinsolutions"]["flows"]["share"] |= {"basis": "legitimate_interest", "sale_or_share": False}
    opened = sayso.Catalogue.model_validate(tables)
    admin = served.client(role="admin", live=False)

    with pytest.raises(sayso.InvalidError) as refused:
        await admin.publish_catalogue(opened)

    assert refused.value.code == "newly_shared"
    assert (await admin.publish_catalogue(opened, allow_newly_shared=True)).changed is True


async def test_without_an_event_loop_it_is_the_same(privacy: sayso.Client) -> None:
    def blocking() -> None:
        facade = privacy.sync()
        ann = facade.consumer("cust-42")
        assert bool(ann.may_ask(TOPIC)) is True
        recorded = ann.deny(TOPIC, shown="en")
        assert ann.may_ask(TOPIC).allowed is False
        shown = ann.shown(recorded)
        assert shown is not None
        assert (shown.language, shown.text) == ("en", "Offers: what for.")
        facade.close()

    await asyncio.to_thread(blocking)


async def test_a_refusal_that_was_parked_keeps_the_consumer_from_being_asked_however_long_ago_the_last_one_was(
    privacy: sayso.Client, ann: sayso.Consumer, served: Any
) -> None:
    parked: list[sayso.Parked] = []
    privacy.on_parked(parked.append)
    await ann.deny(TOPIC, made_at=served.clock.moment - 3 * YEAR)
    served.clock.forward(timedelta(minutes=1))
    assert (await ann.may_ask(TOPIC)).allowed is True
    await served.stop()
    await ann.deny(TOPIC, detail={"no_such_member": "x"})
    await served.restart()
    assert await privacy.flush() == 0
    assert [one.topic for one in parked] == [TOPIC]

    assert (await ann.preferences()).may_ask(TOPIC) == sayso.MayAsk(TOPIC, False, "denied", None)


async def test_a_choice_that_says_which_text_it_saw_is_believed_over_the_time(ann: sayso.Consumer, served: Any) -> None:
    await publish(served, told("One.", version=1))
    served.clock.forward(timedelta(minutes=1))
    await publish(served, told("One, said better.", version=1))
    served.clock.forward(timedelta(minutes=1))
    seen = await ann.grant(TOPIC, shown=sayso.Notice(language="en", version=1, minor=1))
    now = await ann.grant(TOPIC, shown="en")

    earlier, newest = await ann.shown(seen), await ann.shown(now)
    assert earlier is not None
    assert newest is not None
    assert (earlier.text, newest.text) == ("One.", "One, said better.")


async def test_a_refusal_that_names_only_a_language_saw_the_text_of_its_time(ann: sayso.Consumer, served: Any) -> None:
    served.clock.forward(timedelta(minutes=1))
    await publish(served, told("Two.", version=2))
    served.clock.forward(timedelta(minutes=1))
    refused = await ann.deny(TOPIC, shown="en")
    served.clock.forward(timedelta(minutes=1))
    await publish(served, told("Three.", version=3))

    shown = await ann.shown(refused)
    assert shown is not None
    assert (shown.version, shown.text) == (2, "Two.")
