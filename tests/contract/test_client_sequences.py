"""Whatever is said, in whatever order and by whom: the server's answers are a fold of its own history."""

import itertools
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, NamedTuple

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import sayso
from sayso.model.instant import from_micros, to_micros
from sayso.model.preferences import Preferences
from sayso.model.recorded import RecordedChoice
from sayso.rules.decide import decide
from sayso.rules.fold import fold, origin_of, standing_for

TOPICS = ("purpose:marketing", "purpose:training", "purpose:ads", "channel:sms")
_consumer_ids = (f"cust-{number}" for number in itertools.count(1))


class Said(NamedTuple):
    """One thing that happens.

    Attributes:
        process: Which of two processes, each with what it has seen, records it; 2 is one that has just started.
        verb: What is called.
        topic: About what.
        method: How it reached the brand.
        actor: Who decided.
        ago: How long before it was made, in seconds; None for just now.
        seen: Of the versions so far, the part that it is said to have seen; None leaves that to the client.
        wait: The seconds that pass before.
    """

    process: int
    verb: str
    topic: str
    method: str
    actor: str | None
    ago: int | None
    seen: float | None
    wait: int


_EVIDENCE = {"kind": "file", "wording": "May we?", "date": "2020-02-20", "source": "the old CRM"}

_said = st.builds(
    Said,
    process=st.sampled_from([0, 1, 2]),
    verb=st.sampled_from(["grant", "grant", "grant", "deny", "withdraw", "withdraw_all"]),
    topic=st.sampled_from(TOPICS),
    method=st.sampled_from(["api", "api", "chat", "import", "agent", "phone"]),
    actor=st.sampled_from([None, None, "brand"]),
    ago=st.sampled_from([None, None, None, 5, 29, 31, 3600]),
    seen=st.none() | st.sampled_from([0.0, 0.5, 1.0]),
    wait=st.sampled_from([0, 0, 1, 30, 31, 86_400]),
)


@asynccontextmanager
async def at_work(served: Any) -> AsyncIterator[list[sayso.Client]]:
    async with served.client() as one, served.client() as other, served.client() as onlooker:
        yield [one, other, onlooker]


async def happens(served: Any, clients: list[sayso.Client], consumer_id: str, said: Said) -> sayso.Recorded:
    served.clock.forward(timedelta(seconds=said.wait))
    if said.process < 2:
        return await spoken(served, clients[said.process], consumer_id, said)
    async with served.client() as started:
        return await spoken(served, started, consumer_id, said)


async def spoken(served: Any, client: sayso.Client, consumer_id: str, said: Said) -> sayso.Recorded:
    consumer = client.consumer(consumer_id)
    made_at = None if said.ago is None else served.clock.moment - timedelta(seconds=said.ago)
    if said.verb == "withdraw_all":
        return await consumer.withdraw_all(method=said.method, made_at=made_at)
    if said.seen is not None:
        stored = await served.storage.consumer("dealer", consumer_id)
        version = stored.version if stored is not None else 0
        answer = {"grant": "granted", "deny": "denied", "withdraw": "withdrawn"}[said.verb]
        choice = sayso.Choice(
            consumer_id,
            said.topic,
            answer,
            shown="en" if said.verb == "grant" else None,
            method=said.method,
            evidence=_EVIDENCE,
            actor=said.actor,
            made_at=made_at,
            based_on=int(said.seen * version),
        )
        return (await client.record_many([choice]))[0]
    if said.verb == "grant":
        return await consumer.grant(
            said.topic, shown="en", method=said.method, actor=said.actor, made_at=made_at, evidence=_EVIDENCE
        )
    refuse = consumer.deny if said.verb == "deny" else consumer.withdraw
    return await refuse(said.topic, method=said.method, actor=said.actor, made_at=made_at)


def folded(consumer_id: str, history: list[sayso.PastChoice]) -> Preferences:
    """Fold a history as the client shows it, in no order at all."""
    said = [
        (
            choice.topic,
            RecordedChoice(
                version=choice.version,
                based_on=choice.based_on or 0,
                effective_at=to_micros(choice.effective_at),
                answer=choice.answer,
                origin=origin_of(sayso.Actor(choice.actor or ""), sayso.Method(choice.method)),
                choice_id=choice.id,
                made_at=to_micros(choice.made_at),
                expires_at=None if choice.expires_at is None else to_micros(choice.expires_at),
                notice_version=choice.notice_version,
            ),
        )
        for choice in history
    ]
    random.Random(len(said)).shuffle(said)
    version = max((choice.version for choice in history), default=0)
    return Preferences(consumer_id=consumer_id, version=version, topics=fold(said))


def expected(preferences: Preferences, catalogue: sayso.Catalogue, now: int) -> dict[str, Any]:
    found = {}
    for topic in TOPICS:
        decision = decide(preferences, catalogue, topic, now)
        standing = standing_for(preferences.topics, topic)
        found[topic] = (
            decision.allowed,
            decision.reason,
            standing.choice_id if standing is not None and decision.choice is not None else None,
            None if decision.valid_until is None else from_micros(decision.valid_until),
        )
    return found


def answered(decisions: list[sayso.Decision]) -> dict[str, Any]:
    return {one.topic: (one.allowed, one.reason, one.choice_id, one.valid_until) for one in decisions}


# Two refusals, the later one made earlier; a grant that has seen only the first falls to the second.
_CROSSED = [
    Said(0, "deny", "channel:sms", "api", None, ago=None, seen=None, wait=0),
    Said(1, "deny", "channel:sms", "api", None, ago=5, seen=None, wait=0),
    Said(0, "grant", "channel:sms", "api", None, ago=None, seen=0.5, wait=0),
]


@example(sequence=_CROSSED)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sequence=st.lists(_said, min_size=1, max_size=12))
async def test_what_the_server_answers_is_a_fold_of_its_own_history(
    served: Any, catalogue: sayso.Catalogue, sequence: list[Said]
) -> None:
    consumer_id = next(_consumer_ids)
    async with at_work(served) as clients:
        moments = []
        for said in sequence:
            recorded = await happens(served, clients, consumer_id, said)
            moments.append(served.clock.moment)
        consumer = clients[2].consumer(consumer_id)
        history = [choice async for choice in consumer.history()]
        assert [choice.version for choice in history] == list(range(len(sequence), 0, -1))

        now = to_micros(served.clock.moment)
        full = folded(consumer_id, history)
        preferences = await consumer.preferences()
        decisions = [preferences.decide(topic) for topic in TOPICS]
        assert answered(decisions) == expected(full, catalogue, now)
        assert answered([await consumer.decide(topic) for topic in TOPICS]) == expected(full, catalogue, now)

        newest = history[0]
        standing = standing_for(full.topics, newest.topic)
        assert recorded.stands == (standing is not None and standing.choice_id == newest.id)

        moment = moments[len(moments) // 2]
        by_then = folded(consumer_id, [choice for choice in history if choice.recorded_at <= moment])
        past = await consumer.preferences(as_of=moment)
        assert answered([past.decide(topic) for topic in TOPICS]) == expected(by_then, catalogue, to_micros(moment))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sequence=st.lists(_said, max_size=8), topic=st.sampled_from(TOPICS), verb=st.sampled_from(["deny", "withdraw"]))
async def test_a_last_no_holds_against_everything_before_it_and_a_last_yes_of_who_saw_it_lifts_it(
    served: Any, sequence: list[Said], topic: str, verb: str
) -> None:
    consumer_id = next(_consumer_ids)
    async with at_work(served) as clients:
        for said in sequence:
            await happens(served, clients, consumer_id, said)
        consumer = clients[2].consumer(consumer_id)
        await consumer.preferences()
        refused = await (consumer.deny if verb == "deny" else consumer.withdraw)(topic)
        assert (refused.stands, await consumer.allows(topic)) == (True, False)

        for method in ("import", "agent", "phone"):
            nightly = await clients[0].consumer(consumer_id).grant(topic, shown="en", method=method, evidence=_EVIDENCE)
            assert (nightly.stands, await consumer.allows(topic)) == (False, False)

        granted = await consumer.grant(topic, shown="en")
        assert (granted.stands, await consumer.allows(topic)) == (True, True)
