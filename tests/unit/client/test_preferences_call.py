from datetime import UTC, datetime

import pytest

import sayso


@pytest.fixture
async def privacy(make_client, clock):
    async with make_client(clock=clock) as client:
        yield client


@pytest.fixture
def ann(privacy):
    return privacy.consumer("cust-42")


async def test_a_snapshot_is_fetched_and_answers_by_itself(ann, server) -> None:
    server.granted.add("channel:sms")

    preferences = await ann.preferences()

    assert (preferences.allows("channel:sms"), preferences.allows("purpose:marketing")) == (True, False)
    assert server.paths == ["GET /v1/consumers/cust-42/preferences"]


async def test_a_version_or_a_past_moment_may_be_asked_for(ann, server) -> None:
    await ann.preferences(at_least=4)
    await ann.preferences(as_of=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))

    assert [asked.query for asked in server.asked] == ["at_least=4", "as_of=2026-01-02T03:04:05.000000Z"]
    with pytest.raises(sayso.InvalidError):
        await ann.preferences(at_least=4, as_of=datetime(2026, 1, 2, tzinfo=UTC))


async def test_a_version_not_reached_is_a_conflict(ann, server) -> None:
    server.then_problem(409, "version_not_reached", current_version=3)

    with pytest.raises(sayso.ConflictError) as caught:
        await ann.preferences(at_least=4)

    assert caught.value.current_version == 3


async def test_an_older_snapshot_than_this_process_has_seen_is_asked_for_again(ann, server) -> None:
    await ann.deny("channel:sms")
    server.then(200, {**server.snapshot("cust-42"), "version": 0})

    preferences = await ann.preferences()

    assert preferences.version == 1
    assert [asked.query for asked in server.asked[1:]] == ["", "at_least=1"]


async def test_an_older_snapshot_is_never_given(ann, server) -> None:
    await ann.deny("channel:sms")
    old = {**server.snapshot("cust-42"), "version": 0}
    server.then(200, old)
    server.then_problem(409, "version_not_reached", current_version=0)
    server.then(200, old)
    server.then(200, old)

    for _ in range(2):
        with pytest.raises(sayso.UnavailableError) as caught:
            await ann.preferences()
        assert caught.value.code == "behind"


async def test_the_past_may_be_older_than_what_was_seen(ann, server) -> None:
    await ann.deny("channel:sms")
    server.then(200, {**server.snapshot("cust-42"), "version": 0})

    preferences = await ann.preferences(as_of=datetime(2026, 1, 1, tzinfo=UTC))

    assert preferences.version == 0


async def test_another_database_is_never_believed(ann, server) -> None:
    await ann.preferences()
    server.store_id = "store-2"
    server.version = 99

    with pytest.raises(sayso.UnavailableError) as caught:
        await ann.preferences()

    assert caught.value.code == "store_changed"


async def test_an_outage_raises_here_since_there_is_nothing_to_give(ann, server) -> None:
    server.from_now_on(503)

    with pytest.raises(sayso.UnavailableError):
        await ann.preferences()


async def test_a_linked_visitors_snapshot_counts_for_the_known_consumer(privacy, server) -> None:
    visitor = privacy.consumer("anon_" + "a" * 22)
    server.version = 9
    await visitor.deny("channel:sms")
    server.version = 2
    server.then(200, server.snapshot("cust-42"))

    preferences = await visitor.preferences()

    assert (preferences.consumer_id, preferences.version) == ("cust-42", 2)
