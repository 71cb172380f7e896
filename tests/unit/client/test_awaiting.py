import asyncio

import pytest

from sayso.client.awaiting import Allows


async def _yes() -> bool:
    return True


async def test_awaiting_gives_the_answer() -> None:
    assert await Allows(_yes) is True


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
def test_a_forgotten_await_raises_wherever_the_answer_is_a_truth_value(use) -> None:
    with pytest.raises(TypeError, match=r"^allows\(\) must be awaited: write `if await ann\.allows\(\.\.\.\)`$"):
        use(Allows(_yes))


async def test_many_may_be_awaited_together() -> None:
    assert await asyncio.gather(Allows(_yes), Allows(_yes)) == [True, True]


def test_an_answer_nobody_awaits_asks_nothing_and_warns_of_nothing() -> None:
    asked = []

    async def ask() -> bool:
        asked.append(1)
        return True

    Allows(ask)

    assert asked == []
