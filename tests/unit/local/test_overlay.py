"""What is said and not yet confirmed: a refusal counts at once, and a grant takes its place only if it knows of it."""

import pytest

from sayso.local.overlay import Overlay, PendingChoice

SMS, ADS = "channel:sms", "purpose:ads"


def said(name: str, answer: str, topic: str = SMS, **named) -> PendingChoice:
    return PendingChoice(name, topic, answer, 0, **named)


@pytest.fixture
def overlay() -> Overlay:
    return Overlay()


def refusal_id(overlay: Overlay, topic: str = SMS) -> str | None:
    found = overlay.refusal("cust-42", topic)
    return None if found is None else found.choice_id


def test_a_refusal_on_its_way_counts_for_its_consumer_and_topic_alone(overlay: Overlay) -> None:
    overlay.add("cust-42", said("a", "withdrawn"))

    assert "cust-42" in overlay.consumers
    assert "cust-43" not in overlay.consumers
    assert (refusal_id(overlay), refusal_id(overlay, ADS)) == ("a", None)
    assert overlay.refusal("cust-43", SMS) is None


def test_a_refusal_of_everything_answers_every_topic(overlay: Overlay) -> None:
    overlay.add("cust-42", said("a", "withdrawn", "*"))

    assert (refusal_id(overlay), refusal_id(overlay, ADS)) == ("a", "a")


def test_once_confirmed_nothing_is_left(overlay: Overlay) -> None:
    overlay.add("cust-42", said("a", "denied"))
    overlay.drop("cust-42", "a")

    assert overlay.consumers == {}


def test_a_later_grant_takes_the_place_of_the_refusals_that_it_knows_of(overlay: Overlay) -> None:
    overlay.add("cust-42", said("a", "denied", row=1))
    overlay.add("cust-42", said("b", "withdrawn", "*", row=2))
    overlay.add("cust-42", said("c", "granted", row=3, seen_row=2))

    assert (refusal_id(overlay), refusal_id(overlay, ADS)) == (None, "b")
    assert overlay.grant("cust-42", SMS) == said("c", "granted", row=3, seen_row=2)
    assert overlay.grant("cust-42", ADS) is None


@pytest.mark.parametrize(
    "refusal", [said("b", "denied", row=4), said("b", "denied", row=0), said("b", "denied", row=-1)]
)
def test_a_refusal_that_the_grant_does_not_know_of_goes_on_counting(overlay: Overlay, refusal: PendingChoice) -> None:
    overlay.add("cust-42", refusal)
    overlay.add("cust-42", said("c", "granted", row=5, seen_row=3))

    assert refusal_id(overlay) == "b"


def test_a_parked_refusal_counts_and_a_parked_grant_does_not(overlay: Overlay) -> None:
    overlay.add("cust-42", said("a", "denied", row=1))
    overlay.add("cust-42", said("b", "granted", row=2, seen_row=1))
    overlay.park("cust-42", "b")
    assert refusal_id(overlay) == "a"
    assert overlay.grant("cust-42", SMS) is None

    overlay.park("cust-42", "a")
    assert refusal_id(overlay) == "a"
    assert overlay.waits("cust-42") is False

    overlay.park("cust-42", "b", False)
    assert refusal_id(overlay) == "a"
    assert overlay.waits("cust-42") is True


def test_a_report_makes_doubtful_what_it_could_turn_into_a_no(overlay: Overlay) -> None:
    overlay.add("cust-42", PendingChoice("a", "pixel-8", "", 0, row=1, kind="device"))
    assert overlay.doubts("cust-42", "pixel-8") is True
    assert overlay.doubts("cust-42", "ipad") is False
    assert overlay.doubts("cust-42") is False

    overlay.add("cust-42", PendingChoice("b", "", "", 0, row=2, kind="signal"))
    assert overlay.doubts("cust-42") is True


def test_what_is_said_now_goes_behind_what_waits(overlay: Overlay) -> None:
    overlay.add("cust-42", said("a", "denied"))
    assert (overlay.waits("cust-42"), overlay.newest_refusal("cust-42", SMS)) == (False, 0)

    overlay.add("cust-42", said("a", "denied", row=7))
    overlay.add("cust-42", said("b", "granted", row=8))
    assert (overlay.waits("cust-42"), overlay.newest_refusal("cust-42", SMS)) == (True, 7)
    assert overlay.newest_refusal("cust-42", ADS) == 0
    assert overlay.waits("cust-43") is False

    overlay.add("cust-43", PendingChoice("c", "", "", 0, row=9, kind="disclosure"))
    assert overlay.waits("cust-43") is False  # nothing that she said


async def test_before_the_outbox_was_read_everybody_may_have_something_pending() -> None:
    async def load() -> None:
        overlay.fill([("cust-43", said("b", "denied", row=1))])

    overlay = Overlay(load)
    overlay.add("cust-42", said("a", "denied"))
    assert "cust-7" in overlay.consumers
    assert overlay.refusal("cust-7", SMS) is None

    await overlay.load()
    assert "cust-7" not in overlay.consumers
    assert set(overlay.consumers) == {"cust-42", "cust-43"}

    overlay.forget()
    assert "cust-7" in overlay.consumers


async def test_read_again_it_keeps_what_no_file_has_and_forgets_what_others_may_have_sent() -> None:
    async def load() -> None:
        overlay.fill([("cust-44", said("c", "denied", row=2))])

    overlay = Overlay(load)
    await overlay.load()
    overlay.add("cust-42", said("on its way", "denied"))
    overlay.add("cust-43", said("in memory", "denied", row=-1))
    overlay.add("cust-43", said("on disk", "denied", row=1))
    assert overlay.pending == 3

    overlay.read_again()
    assert "cust-7" in overlay.consumers
    assert (refusal_id(overlay), overlay.pending) == ("on its way", 1)
    assert [one.choice_id for one in overlay.consumers["cust-43"]] == ["in memory"]
    await overlay.load()
    assert (set(overlay.consumers), overlay.pending) == ({"cust-42", "cust-43", "cust-44"}, 2)


def test_a_parked_grant_that_is_put_back_counts_only_once_it_is_confirmed(overlay: Overlay) -> None:
    overlay.add("cust-42", said("a", "denied", row=1))
    overlay.add("cust-42", said("b", "granted", row=2, seen_row=1, parked=True))
    overlay.park("cust-42", "b", False)

    assert (refusal_id(overlay), overlay.pending) == ("a", 2)
    assert overlay.grant("cust-42", SMS) == said("b", "granted", row=2, until=0)
