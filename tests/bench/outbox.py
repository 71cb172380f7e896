"""What keeping an entry costs beside a bare commit, and how fast what was kept is sent beside plain bulk requests."""

import asyncio
import json
import random
import secrets
import sqlite3
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from statistics import median

from aiohttp import ClientSession
from report import Figure, spread
from servers import Served

import sayso
from sayso.local.outbox.build import make_outbox
from sayso.local.outbox.outbox import Outbox
from sayso.local.outbox.row import Row
from sayso.model.instant import format_micros
from sayso.transport.clock import SYSTEM_CLOCK
from sayso.transport.tokens import TokenMinter

ROUNDS = 9
APPENDS = 60
CHOICES = 10_000
BATCH = 500
TOPICS = ("purpose:marketing", "channel:sms", "channel:email")
NOWHERE = "http://127.0.0.1:1"


async def measure() -> list[Figure]:
    """Give the figures."""
    with tempfile.TemporaryDirectory() as folder:
        return [await _appending(Path(folder)), *await _sending(Path(folder))]


async def _appending(folder: Path) -> Figure:
    outbox = make_outbox(
        folder / "append.db", brand="bench", url=NOWHERE, secrets=[secrets.token_urlsafe()], clock=SYSTEM_CLOCK
    )
    await outbox.open()
    bare = sqlite3.connect(folder / "bare.db", isolation_level=None)
    bare.execute("PRAGMA journal_mode = DELETE")
    bare.execute("PRAGMA synchronous = EXTRA")
    bare.execute("CREATE TABLE row (id INTEGER PRIMARY KEY, body BLOB)")
    rows = [_row(sayso.Choice(f"cust-{number}", "channel:sms", "denied")) for number in range(APPENDS)]
    ours, theirs = [], []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for row in rows:
            bare.execute("INSERT INTO row (body) VALUES (?)", (row.body + bytes(200),))
        theirs.append((time.perf_counter() - start) / APPENDS * 1e6)
        start = time.perf_counter()
        for row in rows:
            await outbox.append([row])
        ours.append((time.perf_counter() - start) / APPENDS * 1e6)
    bare.close()
    await outbox.close()
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    return Figure(
        "outbox append: times a bare SQLite commit in the same journal mode",
        median(ratios),
        spread(ratios),
        1.5,
        "less",
        f"append {median(ours):.0f} µs, bare commit {median(theirs):.0f} µs",
    )


async def _sending(folder: Path) -> list[Figure]:
    posted, drained, changed = [], [], []
    async with Served("real", folder / "real.db") as served, ClientSession() as session:
        url = f"http://127.0.0.1:{served.port}"
        for place in range(8):
            rates = (
                await _bulk(session, url, served),
                await _drained(folder / f"drain-{place}.db", url, served, _rows()),
                await _drained(folder / f"changes-{place}.db", url, served, _changes_of_mind()),
            )
            if place:  # the first of each warms up
                for kept, rate in zip((posted, drained, changed), rates, strict=True):
                    kept.append(rate)
    ratios = [one / other for one, other in zip(drained, posted, strict=True)]
    slower = [one / other for one, other in zip(changed, posted, strict=True)]
    notes = f"drained {median(drained):,.0f} choices/s, posted {median(posted):,.0f} choices/s"
    return [
        Figure(
            "outbox drain: of the rate of bulk POST /v1/choices, 500 to a request",
            median(ratios),
            spread(ratios),
            0.8,
            "more",
            notes,
        ),
        # A request can't hold a refusal and a grant that has seen it, so it has some five entries of each of them.
        Figure(
            "outbox drain, 16 consumers who change their minds all the time: of the same rate",
            median(slower),
            spread(slower),
            0.15,
            "more",
            f"drained {median(changed):,.0f} choices/s",
        ),
    ]


def _rows() -> list[Row]:
    run = secrets.token_hex(4)
    choices = [sayso.Choice(f"cust-{run}-{number % 2500}", "channel:sms", "denied") for number in range(CHOICES)]
    return [_row(choice) for choice in choices]


def _changes_of_mind() -> list[Row]:
    """Make grants and refusals, each grant made in view of the newest refusal of its topic."""
    run, rows = secrets.token_hex(4), []
    newest: dict[tuple[str, str], int] = {}
    for number in range(1, CHOICES + 1):
        consumer_id, topic = f"cust-{run}-{number % 16}", random.choice(TOPICS)
        if random.random() < 0.5:
            rows.append(_row(sayso.Choice(consumer_id, topic, "denied", method="chat")))
            newest[consumer_id, topic] = number
        else:
            notice = sayso.Choice(consumer_id, topic, "granted", shown="en", notice_version=1, method="chat")
            rows.append(_row(notice)._replace(seen_row=newest.get((consumer_id, topic), 0)))
    return rows


async def _bulk(session: ClientSession, url: str, served: Served) -> float:
    token = TokenMinter(served.key_id, served.secret).backend_token()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    now = format_micros(SYSTEM_CLOCK.now())
    entries = [json.loads(row.body) | {"made_at": format_micros(row.made)} for row in _rows()]
    bodies = [
        json.dumps({"sent_at": now, "choices": entries[at : at + BATCH]}).encode() for at in range(0, CHOICES, BATCH)
    ]
    start = time.perf_counter()
    for body in bodies:
        async with session.post(f"{url}/v1/choices", data=body, headers=headers) as answer:
            recorded = json.loads(await answer.read())["recorded"]
            assert len(recorded) == BATCH
    return CHOICES / (time.perf_counter() - start)


async def _drained(path: Path, url: str, served: Served, rows: list[Row]) -> float:
    before = make_outbox(path, brand="bench", url=url, secrets=[served.secret], clock=SYSTEM_CLOCK)
    await _fill(before, rows)
    privacy = sayso.Client(url, served.key_id, served.secret, outbox=path, live=False)
    await privacy._sessions.open()
    await privacy._outbox.open()
    start = time.perf_counter()
    left = await privacy.flush(timedelta(minutes=2))
    took = time.perf_counter() - start
    assert left == 0
    await privacy.aclose()
    return CHOICES / took


async def _fill(outbox: Outbox, rows: list[Row]) -> None:
    await outbox.open()
    for row in rows:
        outbox.hand_in([row])
    await outbox.refresh()
    await outbox.close()
    await asyncio.sleep(0)


def _row(choice: sayso.Choice) -> Row:
    now, boot = SYSTEM_CLOCK.now(), SYSTEM_CLOCK.boot()
    entry = choice.to_wire(now, "", None)
    del entry["made_at"]
    return Row(
        "choice",
        choice.consumer_id,
        json.dumps(entry).encode(),
        now,
        boot,
        "bench",
        0,
        choice.id,
        choice.topic,
        str(choice.answer),
    )
