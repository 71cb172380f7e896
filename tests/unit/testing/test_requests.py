"""Rights requests through the SDK, against the fake, which is the real application."""

import io
import uuid
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

import sayso
from sayso.testing import FakeSayso, FrozenClock

START = datetime(2026, 11, 23, 19, 0, tzinfo=UTC)


@pytest.fixture
async def fake() -> AsyncIterator[FakeSayso]:
    async with FakeSayso(clock=FrozenClock(START)) as running:
        yield running


@pytest.fixture
async def ann(fake: FakeSayso) -> sayso.Consumer:
    return fake.client().consumer("cust-42")


@pytest.fixture
async def officer(fake: FakeSayso) -> sayso.Client:
    return fake.client(role="privacy_officer")


async def test_a_request_is_filed_and_found_again(ann: sayso.Consumer) -> None:
    filed = await ann.request("delete", jurisdiction="DE", email="ann@mail.example", text="All of it, please.")

    assert (filed.kind, filed.state, filed.consumer_id, filed.held_by) == ("delete", "received", "cust-42", "brand")
    assert (filed.received_at, filed.due_at) == (START, datetime(2026, 12, 23, 23, 59, 59, tzinfo=UTC))
    assert (filed.days_left, filed.laws, filed.verified, filed.is_open) == (30, ("policy", "gdpr"), True, True)
    assert "complain" in filed.recourse
    assert [one.id for one in await ann.requests()] == [filed.id]


async def test_the_same_request_is_filed_once(ann: sayso.Consumer) -> None:
    one = str(uuid.uuid4())

    first, again = await ann.request("copy", id=one), await ann.request("copy", id=one)

    assert (first.raw["replayed"], again.raw["replayed"]) == (False, True)
    assert [request.id for request in await ann.requests()] == [one]


async def test_what_a_request_stops_is_no_longer_allowed_when_it_returns(fake: FakeSayso) -> None:
    ann = fake.client(live=True).consumer("cust-42")
    assert await ann.allows("purpose:analytics")

    filed = await ann.request("object")

    assert "purpose:analytics" in filed.refused
    assert not await ann.allows("purpose:analytics")
    await ann.request("restrict")
    assert (await ann.decide("purpose:service")).reason == "restricted"


async def test_a_request_is_taken_back(ann: sayso.Consumer) -> None:
    filed = await ann.request("restrict")
    assert filed.restricted

    taken_back = await ann.revoke_request(filed.id, note="She called.")

    assert (taken_back.state, taken_back.restricted, taken_back.is_open) == ("revoked", False, False)
    assert await ann.allows("purpose:service")
    with pytest.raises(sayso.ConflictError) as caught:
        await ann.revoke_request(filed.id)
    assert (caught.value.code, caught.value.legal) == ("transition_illegal", ())


async def test_an_officer_works_the_queue(ann: sayso.Consumer, officer: sayso.Client) -> None:
    later = await ann.request("copy", jurisdiction="DE")
    requests = officer.requests
    posted = await requests.file(
        "access", channel="post", received_at=START - timedelta(days=9), email="ben@mail.example", jurisdiction="DE"
    )

    assert [one.id async for one in requests.list()] == [posted.id, later.id]
    assert [one.id for one in await requests.find(email="BEN@mail.example")] == [posted.id]
    assert (await requests.show(posted.id)).days_left == 21

    await requests.acknowledge(posted.id, note="A letter.")
    await requests.verify(posted.id, ask="The last bill.", within_days=10)
    started = await requests.start(posted.id, verified="The bill.", consumer="cust-43")
    assert (started.verified, started.consumer_id) == (True, "cust-43")
    await requests.hand_over(posted.id, "platform")
    extended = await requests.extend(posted.id, reason="Three branches have to be searched.")
    assert extended.due_at == datetime(2027, 2, 14, 23, 59, 59, tzinfo=UTC)
    await requests.note(posted.id, "Two are done.")
    done = await requests.fulfil(posted.id, answer="Here it is.")
    assert (done.state, done.answer) == ("fulfilled", "Here it is.")
    assert [event["transition"] for event in done.events] == [
        "file",
        "acknowledge",
        "verify",
        "start",
        "hand-over",
        "extend",
        "note",
        "fulfil",
    ]
    assert [one.id async for one in requests.list("closed")] == [posted.id]


async def test_a_denial_has_recourse_put_in(ann: sayso.Consumer, officer: sayso.Client) -> None:
    filed = await ann.request("copy", jurisdiction="CA", language="fr")

    denied = await officer.requests.deny(filed.id, "no_match", grounds="Il n’y a rien à ce nom.")

    assert denied.denial is not None
    assert denied.denial["words"].startswith("Nous n’avons rien trouvé")
    assert denied.denial["recourse"]["offices"]


async def test_what_can_not_be_done_names_what_can(ann: sayso.Consumer, officer: sayso.Client) -> None:
    filed = await ann.request("object")

    with pytest.raises(sayso.ConflictError) as caught:
        await officer.requests.verify(filed.id)

    assert caught.value.code == "transition_illegal"
    assert caught.value.legal == ("acknowledge", "start", "extend", "fulfil", "deny", "revoke", "hand-over", "note")


async def test_a_restriction_is_lifted_when_the_consumer_was_told(ann: sayso.Consumer, officer: sayso.Client) -> None:
    filed = await ann.request("restrict")
    fulfilled = await officer.requests.fulfil(filed.id)
    assert (fulfilled.legal, fulfilled.restricted) == (("lift",), True)

    lifted = await officer.requests.lift(filed.id, told="By letter.")

    assert (lifted.state, lifted.restricted) == ("fulfilled", False)
    assert await ann.allows("purpose:service")


async def test_each_address_of_a_removal_is_followed(ann: sayso.Consumer, officer: sayso.Client) -> None:
    filed = await ann.request("minor-content-removal", urls=["https://forum.example/1"])

    done = await officer.requests.fulfil(filed.id, urls={"https://forum.example/1": "removed"})

    assert done.raw["detail"]["urls"] == {"https://forum.example/1": "removed"}


async def test_a_copy_is_fetched_as_often_as_asked_for(fake: FakeSayso, ann: sayso.Consumer) -> None:
    backend = fake.client().requests.as_backend
    filed = await ann.request("copy")
    with pytest.raises(sayso.NotFoundError) as caught:
        await backend.result(filed.id)
    assert caught.value.code == "no_result"
    assert "SAYSO_URL" not in str(caught.value)
    await backend.fulfil(filed.id)

    for _ in range(2):  # each takes a token of its own
        with zipfile.ZipFile(io.BytesIO(await backend.result(filed.id))) as archive:
            assert "index.html" in archive.namelist()


async def test_a_backends_key_leaves_decisions_to_a_person(fake: FakeSayso, ann: sayso.Consumer) -> None:
    filed = await ann.request("copy")

    with pytest.raises(sayso.ForbiddenError) as caught:
        await fake.client().requests.as_backend.deny(filed.id, "other", grounds="No.")
    assert caught.value.code == "not_yours"
    with pytest.raises(sayso.ForbiddenError) as caught:
        await fake.client().requests.acknowledge(filed.id)
    assert caught.value.code == "scope"


async def test_a_request_that_lacks_something_says_what(ann: sayso.Consumer) -> None:
    with pytest.raises(sayso.InvalidError) as caught:
        await ann.request("correct", about="phone")

    assert caught.value.pointer == "/detail/fault"


@pytest.mark.parametrize("request_id", ["", "1", "../choices", "x" * 36])
async def test_an_id_that_is_none_never_reaches_a_path(
    ann: sayso.Consumer, officer: sayso.Client, request_id: str
) -> None:
    for call in (ann.revoke_request, officer.requests.show, officer.requests.result):
        with pytest.raises(sayso.InvalidError) as caught:
            await call(request_id)
        assert (caught.value.code, caught.value.pointer) == ("invalid_id", "/id")


async def test_a_naive_time_of_receipt_is_refused(officer: sayso.Client) -> None:
    naive = datetime(2026, 11, 1)  # noqa: DTZ001 - that is what is refused

    with pytest.raises(sayso.InvalidError) as caught:
        await officer.requests.file("copy", channel="post", consumer="cust-42", received_at=naive)

    assert caught.value.pointer == "/received_at"


async def test_an_outage_is_told_and_the_request_can_be_filed_again(fake: FakeSayso, ann: sayso.Consumer) -> None:
    one = str(uuid.uuid4())
    with fake.outage(), pytest.raises(sayso.UnavailableError):
        await ann.request("copy", id=one)

    assert (await ann.request("copy", id=one)).raw["replayed"] is False


def test_code_without_a_loop_files_and_works_requests() -> None:
    with FakeSayso(clock=FrozenClock(START)) as fake, fake.client(role="privacy_officer").sync() as privacy:
        ann = fake.client().sync().consumer("cust-42")
        filed = ann.request("copy", jurisdiction="DE")

        assert [one.id for one in privacy.requests.list()] == [filed.id]
        assert privacy.requests.start(filed.id).state == "in_progress"
        assert privacy.requests.show(filed.id).is_open
        assert ann.revoke_request(filed.id).state == "revoked"
        assert [one.state for one in ann.requests()] == ["revoked"]
        assert repr(privacy.requests) == "<SyncRequests>"
