"""Sending what waits: in order, until the server has it, and never parked for what isn't an entry's own fault."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from sayso.errors import (
    ConflictError,
    ErasedError,
    Error,
    ForbiddenError,
    InvalidError,
    NotAuthenticatedError,
    NotFoundError,
    Problem,
    RateLimitedError,
    UnavailableError,
)
from sayso.local.outbox import pace
from sayso.local.outbox.drain import Drainer
from sayso.local.outbox.file import FileStore
from sayso.local.outbox.outbox import Outbox
from sayso.local.outbox.sending import Confirmed
from sayso.local.outbox.store import StoreError
from sayso.transport.answer import Answer
from sayso.transport.retry import FailedError


class Line:
    """Takes requests and answers as a server would, or as told."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.script: list[BaseException] = []
        self.always: Callable[[dict[str, Any]], BaseException | None] = lambda body: None
        self.versions: dict[str, int] = {}

    async def once(self, method: str, path: str, body: Callable[[], bytes], *, time_box: object) -> Answer:
        data = json.loads(body())
        self.bodies.append(data)
        self.paths.append(f"{method} {path}")
        trouble = self.script.pop(0) if self.script else self.always(data)
        if trouble is not None:
            raise trouble
        if "choices" not in data:
            return Answer({}, {"version": 3}, 0.0)
        return Answer({}, {"recorded": [self.record(choice) for choice in data["choices"]]}, 0.0)

    def record(self, choice: dict[str, Any]) -> dict[str, Any]:
        consumer_id = choice["consumer_id"]
        version = self.versions[consumer_id] = self.versions.get(consumer_id, 0) + 1
        return {"choice_id": choice["id"], "consumer_id": consumer_id, "version": version, "stands": True}

    @property
    def sent(self) -> list[list[str]]:
        return [[choice["id"] for choice in body.get("choices", ())] for body in self.bodies]


class Board:
    def __init__(self) -> None:
        self.said: list[str | None] = []

    def blocked(self, why: str) -> None:
        self.said.append(why)

    def unblocked(self) -> None:
        self.said.append(None)


class Clock:
    """Wall and boot clock stand still: nothing here waits by them."""

    def now(self) -> int:
        return 1_795_460_400_000_000

    def boot(self) -> float:
        return 1000.0

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("an outbox waits by the real clock")


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def board() -> Board:
    return Board()


@pytest.fixture
async def drainer(open_outbox, line: Line, board: Board, monkeypatch) -> Any:
    monkeypatch.setattr(pace, "FIRST_WAIT", 0.01)
    outbox = await open_outbox()
    confirmed: list[Confirmed] = []
    one = Drainer(outbox, line, Clock(), board, confirmed.append, jitter=lambda: 0.0)
    one.confirmed = confirmed
    one.outbox = outbox
    yield one
    await one.stop()


@pytest.fixture
def choice(row):
    """Makes choices whose body is what is sent of them."""

    def make(answer: str = "denied", consumer: str = "cust-42", **named: Any) -> Any:
        made = row(answer, consumer, **named)
        body = {"id": made.choice_id, "consumer_id": consumer, "topic": made.topic, "answer": answer}
        return made._replace(body=json.dumps(body).encode())

    return make


def refused(kind: type[Error], status: int, code: str, *places: int) -> Error:
    error = kind("no", code=code, problems=tuple(Problem(f"/choices/{one}/topic", code, "why") for one in places))
    error.status = status
    return error


def away(retry_after: float | None = None, status: int = 0) -> FailedError:
    error = UnavailableError("away", code="no_connection")
    error.status = status
    return FailedError(error, retry_after)


async def test_what_waits_is_sent_in_order_and_leaves_the_outbox(drainer, line: Line, choice) -> None:
    await drainer.outbox.append([choice(), choice("granted"), choice(consumer="cust-43")])

    assert await drainer.flush(5) == 0
    assert line.sent == [["id-1", "id-2", "id-3"]]
    assert line.bodies[0]["sent_at"] == line.bodies[0]["choices"][0]["made_at"] == "2026-11-23T19:00:00.000000Z"
    assert [(one.consumer_id, one.version) for one in drainer.confirmed] == [
        ("cust-42", 1),
        ("cust-42", 2),
        ("cust-43", 1),
    ]
    assert drainer.outbox.overlay.consumers == {}


async def test_the_cache_hears_of_a_version_before_the_refusal_stops_counting(drainer, choice) -> None:
    still: list[bool] = []
    drainer._confirmed = lambda confirmed: still.append("cust-42" in drainer.outbox.overlay.consumers)
    await drainer.outbox.append([choice()])

    assert await drainer.flush(5) == 0
    assert still == [True]


async def test_a_grant_after_the_consumer_s_own_refusal_says_that_it_has_seen_it(drainer, line: Line, choice) -> None:
    line.versions["cust-42"] = 6
    await drainer.outbox.append([choice()])
    await drainer.outbox.append([choice("granted", seen_row=1, based_on=4)])
    line.script = [away(), away()]

    assert await drainer.flush(5) == 0
    assert line.sent == [["id-1"], ["id-1"], ["id-1"], ["id-2"]]
    assert line.bodies[-1]["choices"][0]["based_on"] == 7


async def test_changes_of_mind_in_a_row_are_sent_in_order_one_request_for_each(drainer, line: Line, choice) -> None:
    everybody = [f"cust-{number}" for number in range(1, 5)]
    for turn in range(6):
        answer, seen = ("granted", 4 * turn - 3) if turn % 2 else ("denied", 0)
        await drainer.outbox.append(
            [choice(answer, one, seen_row=seen + place if seen > 0 else 0) for place, one in enumerate(everybody)]
        )

    assert await drainer.flush(5) == 0
    assert [[choice["answer"] for choice in body["choices"]] for body in line.bodies] == [
        ["denied"] * 4,
        ["granted"] * 4 + ["denied"] * 4,
        ["granted"] * 4 + ["denied"] * 4,
        ["granted"] * 4,
    ]
    hers = [one for body in line.bodies for one in body["choices"] if one["consumer_id"] == "cust-1"]
    assert [(one["answer"], one.get("based_on")) for one in hers] == [
        ("denied", None),
        ("granted", 1),
        ("denied", None),
        ("granted", 3),
        ("denied", None),
        ("granted", 5),
    ]


async def test_a_grant_is_first_sent_when_what_it_has_seen_is_on_disk(drainer, line: Line, choice, monkeypatch) -> None:
    done: list[str] = []
    settle, once = drainer.outbox.settle, line.once

    async def settled(rows: Any) -> None:
        await settle(rows)
        done.append("taken out")

    async def sent(method: str, path: str, body: Any, **named: Any) -> Answer:
        done.append(json.loads(body())["choices"][0]["answer"])
        return await once(method, path, body, **named)

    monkeypatch.setattr(drainer.outbox, "settle", settled)
    monkeypatch.setattr(line, "once", sent)
    await drainer.outbox.append([choice(), choice("granted", seen_row=1)])

    assert await drainer.flush(5) == 0
    assert done[:3] == ["denied", "taken out", "granted"]


async def test_sent_again_a_choice_says_the_same(drainer, line: Line, choice) -> None:
    await drainer.outbox.append([choice("granted", based_on=3)])
    line.script = [away(), away(), away()]

    assert await drainer.flush(5) == 0
    assert len(line.bodies) == 4
    assert all(body["choices"] == line.bodies[0]["choices"] for body in line.bodies)


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (refused(NotAuthenticatedError, 401, "token_invalid"), "SAYSO_SECRET"),
        (refused(ForbiddenError, 403, "scope"), "--class backend --role backend"),
        (refused(NotFoundError, 404, "not_found"), "SAYSO_URL"),
        (away(status=408), "408"),
        (away(status=425), "425"),
        (FailedError(refused(RateLimitedError, 429, "rate_limited"), 0.01), "slow down"),
        (away(status=500), "500"),
        (away(status=503), "503"),
    ],
)
async def test_what_is_not_an_entry_s_fault_keeps_the_queue_and_says_blocked(
    drainer, line: Line, choice, error: BaseException, remedy: str
) -> None:
    board = drainer._pace._status
    await drainer.outbox.append([choice(), choice(consumer="cust-43")])
    line.script = [error]

    assert await drainer.flush(5) == 0
    assert line.sent == [["id-1", "id-2"], ["id-1", "id-2"]]
    assert len(board.said) == 2
    assert remedy in board.said[0]
    assert board.said[1] is None


async def test_a_server_that_is_away_is_no_block(drainer, line: Line, board: Board, choice) -> None:
    await drainer.outbox.append([choice()])
    line.script = [away()]

    assert await drainer.flush(5) == 0
    assert board.said == []


async def test_while_the_server_is_away_it_counts_as_down(drainer, line: Line, choice) -> None:
    line.always = lambda body: away()
    await drainer.outbox.append([choice()])

    assert await drainer.flush(0.2) == 1
    assert drainer.is_down is True
    line.always = lambda body: None
    assert await drainer.flush(5) == 0
    assert drainer.is_down is False


async def test_it_waits_as_long_as_the_server_asks(drainer, line: Line, choice) -> None:
    await drainer.outbox.append([choice()])
    line.script = [away(0.5, 503)]

    assert await drainer.flush(0.3) == 1
    assert len(line.bodies) == 1
    assert await drainer.flush(5) == 0


async def test_an_entry_that_the_server_names_is_parked_and_the_rest_sent_at_once(
    drainer, line: Line, board: Board, choice
) -> None:
    parked = []
    drainer.outbox.back.on_parked.listen(parked.append)
    await drainer.outbox.append([choice(consumer=f"cust-{number}") for number in range(4)])
    line.script = [refused(InvalidError, 422, "unknown_topic", 1), refused(ConflictError, 409, "notice_stale", 0, 2)]

    assert await drainer.flush(5) == 0
    assert line.sent == [["id-1", "id-2", "id-3", "id-4"], ["id-1", "id-3", "id-4"], ["id-3"]]
    assert [(one.choice_id, one.code) for one in parked] == [
        ("id-2", "unknown_topic"),
        ("id-1", "notice_stale"),
        ("id-4", "notice_stale"),
    ]
    assert drainer.outbox.overlay.refusal("cust-1", "channel:sms").parked is True
    assert board.said == []


async def test_too_large_a_batch_is_halved_until_it_fits(drainer, line: Line, choice) -> None:
    await drainer.outbox.append([choice(consumer=f"cust-{number}") for number in range(8)])
    too_large = refused(InvalidError, 413, "body_too_large")
    line.always = lambda body: too_large if len(body["choices"]) > 2 else None

    assert await drainer.flush(5) == 0
    assert [len(one) for one in line.sent if len(one) <= 2] == [2, 2, 2, 2]
    assert [one for batch in line.sent if len(batch) <= 2 for one in batch] == [f"id-{n}" for n in range(1, 9)]


async def test_entries_of_the_erased_are_dropped_and_reported(drainer, line: Line, choice) -> None:
    lost = []
    drainer.outbox.back.on_loss.listen(lost.append)
    await drainer.outbox.append([choice(), choice(consumer="cust-43")])
    line.script = [refused(ErasedError, 410, "erased", 0)]

    assert await drainer.flush(5) == 0
    assert line.sent == [["id-1", "id-2"], ["id-2"]]
    assert [(one.why, one.entries) for one in lost] == [("erased", (("cust-42", "channel:sms", "denied"),))]
    assert drainer.outbox.overlay.consumers == {}


async def test_an_entry_refused_for_another_reason_waits_alone(drainer, line: Line, board: Board, choice) -> None:
    await drainer.outbox.append([choice("granted"), choice(), choice(consumer="cust-43")])
    line.script = [refused(ConflictError, 409, "linked", 0)]

    assert await drainer.flush(0.5) == 2
    assert line.sent == [["id-1", "id-2", "id-3"], ["id-3"]]
    assert "409 linked" in board.said[0]
    assert None not in board.said
    assert drainer.outbox.overlay.refusal("cust-42", "channel:sms").parked is False


async def test_an_answer_that_is_none_keeps_everything(drainer, line: Line, choice, monkeypatch) -> None:
    await drainer.outbox.append([choice()])
    record = line.record
    monkeypatch.setattr(line, "record", lambda one: record(one) | {"choice_id": "another"})
    assert await drainer.flush(0.1) == 1
    monkeypatch.setattr(line, "record", record)
    assert await drainer.flush(5) == 0


async def test_reports_are_sent_alone_with_the_time_they_were_made(drainer, line: Line, row) -> None:
    await drainer.outbox.append(
        [
            row("", kind="device", topic="pixel-8", body=b'{"vocabulary":"web"}', age=60_000_000),
            row("", kind="signal", topic="", body=b'{"name":"gpc"}'),
            row("", kind="age", topic="", body=b"{}"),
        ]
    )

    assert await drainer.flush(5) == 0
    assert line.paths == [
        "PUT /v1/consumers/cust-42/devices/pixel-8",
        "POST /v1/consumers/cust-42/signals",
        "PUT /v1/consumers/cust-42/age",
    ]
    assert line.bodies == [
        {"observed_at": "2026-11-23T18:59:00.000000Z", "vocabulary": "web"},
        {"observed_at": "2026-11-23T19:00:00.000000Z", "name": "gpc"},
        {"observed_at": "2026-11-23T19:00:00.000000Z"},
    ]
    assert [one.version for one in drainer.confirmed] == [3, 3, 3]


async def test_two_that_share_a_file_send_everything_once(open_outbox, line: Line, board: Board, choice) -> None:
    drainers = [Drainer(await open_outbox(), line, Clock(), board, lambda confirmed: None) for _ in range(2)]
    for number in range(20):
        await drainers[number % 2]._outbox.append([choice(consumer=f"cust-{number}")])
    left = await asyncio.gather(*(one.flush(20) for one in drainers))

    assert left == [0, 0]
    assert sorted(one for batch in line.sent for one in batch) == sorted(f"id-{number}" for number in range(1, 21))
    for one in drainers:
        await one.stop()


async def test_another_takes_over_when_the_one_that_sends_ends(open_outbox, line: Line, board: Board, choice) -> None:
    first, second = [Drainer(await open_outbox(), line, Clock(), board, lambda confirmed: None) for _ in range(2)]
    first.start()
    await asyncio.sleep(0.1)
    await first.stop()
    await first._outbox.close()
    await second._outbox.append([choice()])

    assert await second.flush(5) == 0
    await second.stop()


async def test_closing_sends_what_it_can_and_does_not_insist(drainer, line: Line, choice) -> None:
    line.always = lambda body: away()
    await drainer.outbox.append([choice()])
    began = asyncio.get_running_loop().time()
    await drainer.finish(2.0)

    assert asyncio.get_running_loop().time() - began < 1.0
    assert drainer.outbox.pending == 1


class Unreadable:
    """Lets an outbox say so many times that its file can't be read now."""

    def __init__(self, outbox: Outbox, times: int) -> None:
        self.left = times
        self.refresh = outbox.refresh
        outbox.refresh = self  # type: ignore[method-assign]

    async def __call__(self) -> None:
        if self.left:
            self.left -= 1
            raise StoreError("disk I/O error")
        await self.refresh()


async def test_a_file_that_can_not_be_read_for_a_while_is_looked_at_again(drainer, line: Line, choice) -> None:
    await drainer.outbox.append([choice()])
    Unreadable(drainer.outbox, 3)

    assert await drainer.flush(5) == 0
    assert len(line.bodies) == 1


async def test_nobody_hears_that_nothing_is_left_of_a_file_that_can_not_be_read(drainer) -> None:
    Unreadable(drainer.outbox, 10_000)

    with pytest.raises(UnavailableError, match="can't be read now: disk I/O error") as caught:
        await drainer.flush(0.1)

    assert caught.value.code == "outbox_unusable"


async def test_what_is_known_to_wait_in_a_file_that_can_not_be_read_is_counted(drainer, choice) -> None:
    await drainer.outbox.append([choice()])
    Unreadable(drainer.outbox, 10_000)

    assert await drainer.flush(0.1) == 1


async def test_closing_does_not_fail_for_a_file_that_can_not_be_read(drainer, line: Line, choice) -> None:
    line.always = lambda body: away()
    await drainer.outbox.append([choice()])
    drainer.start()
    Unreadable(drainer.outbox, 10_000)

    await drainer.finish(0.1)

    assert (drainer.runs_here, drainer._task) == (False, None)


async def test_a_server_that_asks_for_a_day_is_asked_again_after_a_minute(drainer) -> None:
    assert drainer._pace.failed(away(86_400.0).error, 86_400.0) == 60.0


async def test_an_error_that_nobody_expected_stops_nothing_for_good(drainer, line: Line, choice, caplog) -> None:
    line.script = [TypeError("unforeseen")]
    await drainer.outbox.append([choice()])

    assert await drainer.flush(5) == 0
    assert "sending failed unexpectedly: TypeError" in caplog.text


def test_a_process_whose_loop_has_ended_lets_another_send(open_store, line: Line, board: Board, tmp_path, seal) -> None:
    path = tmp_path / "outbox.db"
    outbox = Outbox(lambda mended: FileStore(path, "dealer", "https://sayso.dealer.example", seal, lambda: 0), path)

    async def job() -> bool:
        await outbox.open()
        Drainer(outbox, line, Clock(), board, lambda confirmed: None).start()
        await asyncio.sleep(0.1)
        return await asyncio.to_thread(lambda: open_store().lead())

    assert asyncio.run(job()) is False
    outbox._worker.stop(5)
    assert open_store().lead() is True
    asyncio.run(outbox.close())
