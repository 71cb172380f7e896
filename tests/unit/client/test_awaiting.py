import asyncio
import threading

import pytest

from sayso.client.awaiting import Allows
from sayso.local.overlay import Overlay
from sayso.local.vouched import Vouched


class FakeAsker:
    """Says yes to everything, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked = []

    async def allows(self, check) -> bool:
        self.asked.append(check)
        return True


class FakeHandle:
    id = "cust-42"

    def __init__(self) -> None:
        self._asker = FakeAsker()
        self._vouched = Vouched(lambda: 100.0, Overlay())
        self._vouched.thread = threading.get_ident()


@pytest.fixture
def handle() -> FakeHandle:
    return FakeHandle()


def allows(handle, topic="channel:sms", device=None, at_least=None) -> Allows:
    return Allows(handle, topic, device, at_least)


async def test_awaiting_gives_the_answer(handle) -> None:
    assert await allows(handle) is True


@pytest.mark.parametrize(
    "use",
    [
        bool,
        lambda answer: not answer,
        lambda answer: answer and 1,
        lambda answer: answer or 1,
        lambda answer: 1 if answer else 0,
        lambda answer: [x for x in [1] if answer],
    ],
)
def test_a_forgotten_await_raises_wherever_the_answer_is_a_truth_value(handle, use) -> None:
    with pytest.raises(TypeError, match=r"^allows\(\) must be awaited: write `if await ann\.allows\(\.\.\.\)`$"):
        use(allows(handle))


async def test_many_may_be_awaited_together(handle) -> None:
    assert await asyncio.gather(allows(handle), allows(handle)) == [True, True]


def test_an_answer_nobody_awaits_asks_nothing_and_warns_of_nothing(handle) -> None:
    allows(handle)

    assert handle._asker.asked == []


async def test_what_was_vouched_for_is_answered_without_asking(handle) -> None:
    handle._vouched.answers["cust-42"] = 101.0, frozenset({"channel:sms"})

    assert [await allows(handle, "channel:sms"), await allows(handle, "purpose:ads")] == [True, False]
    assert await allows(handle, ["channel:sms"]) is False
    assert handle._asker.asked == []


@pytest.mark.parametrize("why", ["over", "another thread", "something pending", "a version", "another device"])
async def test_what_can_t_be_vouched_for_is_asked(handle, why) -> None:
    handle._vouched.answers["cust-42"] = 100.0 if why == "over" else 101.0, frozenset()
    if why == "another thread":
        handle._vouched.thread = 0
    if why == "something pending":
        handle._vouched.overlay.consumers["cust-42"] = ()

    assert await allows(
        handle, device="pixel-8" if why == "another device" else None, at_least=3 if why == "a version" else None
    )
    (check,) = handle._asker.asked
    assert (check.consumer_id, check.topic, check.at_least) == (
        "cust-42",
        "channel:sms",
        3 if why == "a version" else None,
    )
