"""After an erasure nothing of the person is in any file; and a backup does not bring them back."""

# ruff: noqa: ASYNC240 - a test has nothing else to do while it looks at a file

from __future__ import annotations

import asyncio
import shutil
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer

from sayso.errors import ConfigurationError
from sayso_server.app import create_app
from sayso_server.cli import main
from sayso_server.erasures import ErasureJournal
from sayso_server.keys import KeyFile
from sayso_server.services import make_services
from sayso_server.services.re_erasing import erase_again
from sayso_server.storage.base import DocumentWrites, StoredDocument, StoredTombstone
from sayso_server.storage.files import PRIVATE
from sayso_server.storage.sqlite import SqliteStorage, writer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.conftest import Brand, World

WHO, VISITOR, DEVICE, PHONE = "canary-cust-42", "anon_CANARYCANARYCANARYAAAA", "canary-pixel-8", "+15550107788"
NOTE = "canary note: call after six"
CANARIES = [WHO, VISITOR, DEVICE, PHONE, PHONE[1:], NOTE, "canary"]


@pytest.fixture
def storage_kind() -> str:
    return "sqlite"


def leftovers(folder: Path) -> list[tuple[str, str]]:
    """Give each file beside the keys that still has something of the person, and what."""
    return [
        (file.name, canary)
        for file in sorted(folder.iterdir())
        for canary in CANARIES
        if canary.encode() in file.read_bytes()
    ]


async def leave_traces(brand: Brand) -> None:
    """Let somebody do everything that leaves something, with a state too long for one page of the database."""
    one = f"/v1/consumers/{WHO}"
    said: dict[str, Any] = {"method": "sms", "detail": {"sender": PHONE, "note": NOTE}}
    for answer in ("denied", "withdrawn", "denied"):
        await brand.say("channel:sms", answer, consumer=WHO, **said)
    evidence = {"kind": "call_recording", "ref": NOTE}
    await brand.say("purpose:marketing", "granted", consumer=WHO, evidence=evidence, device_id=DEVICE)
    await brand.say("purpose:analytics", "denied", consumer=VISITOR)
    states = {"CAMERA": "granted", "RECORD_AUDIO": "denied"}
    report = {"vocabulary": "android", "observed_at": brand.world.clock.text(), "states": states}
    for number in range(12):
        answer = await brand.call("PUT", f"{one}/devices/{DEVICE}-{number}", json=report)
        assert answer.status == 200, answer.body
    signal = {"name": "gpc", "source": "header", "device_id": DEVICE}
    assert (await brand.call("POST", f"{one}/signals", json=signal)).status == 200
    age = {"source": "guardian", "lower": 20, "upper": 30, "method": "canary"}
    await brand.call("PUT", f"{one}/age", json=age)
    assert (await brand.call("POST", f"{one}/links", json={"anonymous_id": VISITOR})).status == 201
    disclosure = {
        "id": str(uuid.uuid4()),
        "consumer_id": WHO,
        "partner": "vinsolutions",
        "flow": "share",
        "answer": "withhold",
        "fields_sent": [],
        "fields_held_back": ["email"],
        "at": brand.world.clock.text(),
    }
    answer = await brand.call("POST", "/v1/disclosures", json={"disclosures": [disclosure]})
    assert answer.status == 201, answer.body
    contact, detail = {"email": "canary@mail.example", "phone": PHONE}, {"text": NOTE}
    mine = await brand.page("POST", "/v1/me/requests", sub=WHO, json={"kind": "copy", "detail": detail})
    taken_back = f"/v1/me/requests/{mine.json['id']}/revoke"
    assert (await brand.page("POST", taken_back, sub=WHO, json={"note": NOTE})).status == 200
    for kind in ("access", "restrict"):
        new = {"kind": kind, "consumer_id": WHO, "channel": "phone", "contact": contact, "detail": detail}
        filed = await brand.desk("POST", "/v1/requests", scope="privacy_officer", json=new)
        assert filed.status == 201, filed.body
    denied = {"reason": "other", "grounds": NOTE}
    last = f"/v1/requests/{filed.json['id']}/deny"
    assert (await brand.desk("POST", last, scope="privacy_officer", json=denied)).status == 200
    link = {"consumer_id": WHO, "topic": "channel:sms", "sender": PHONE}
    assert (await brand.call("POST", "/v1/unsubscribe-links", json={"links": [link]})).status == 201
    young = {"source": "self", "lower": 8, "upper": 12}
    assert (await brand.call("PUT", f"{one}/age", json=young)).status == 200
    asked = {"contact_from": "child", "contact": contact, "topics": ["purpose:marketing"], "language": "en"}
    answer = await brand.call("POST", f"{one}/guardian-requests", json=asked)
    assert answer.status == 201, answer.body
    document = StoredDocument("note", "1", WHO, "open", 1, 0, None, (b"m" * 32,), f'"{PHONE} {NOTE}"'.encode())
    await brand.world.storage.change_documents("dealer", [], lambda found, now: (DocumentWrites([document]), None))


async def test_in_a_running_server_nothing_is_left_in_any_file_soon_after(
    dealer: Brand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "TRUNCATE_AFTER_SECONDS", 0.01)
    await dealer.say("purpose:marketing", "granted", consumer="ben")
    await leave_traces(dealer)
    assert {name for name, _ in leftovers(tmp_path)} >= {"sayso.db-wal"}

    answer = await dealer.call("DELETE", f"/v1/consumers/{WHO}")

    assert answer.status == 200
    async with asyncio.timeout(5):
        while (tmp_path / "sayso.db-wal").stat().st_size:  # noqa: ASYNC110 - a file tells nobody
            await asyncio.sleep(0.01)
    assert leftovers(tmp_path) == []
    assert await dealer.reason("purpose:marketing", "ben") == "granted"


async def test_after_compacting_nothing_is_left_in_any_file(
    world: World, dealer: Brand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    await dealer.say("purpose:marketing", "granted", consumer="ben")
    await leave_traces(dealer)
    await dealer.call("DELETE", f"/v1/consumers/{WHO}")
    database = f"sqlite:///{tmp_path}/sayso.db"
    monkeypatch.setenv("SAYSO_DATABASE", database)

    assert await asyncio.to_thread(main, ["compact"]) == 2
    assert "stop it first" in capsys.readouterr().err
    world.stop.set()
    await world.serving
    assert await asyncio.to_thread(main, ["compact"]) == 0

    assert "is written anew" in capsys.readouterr().out
    assert leftovers(tmp_path) == []
    again = SqliteStorage(tmp_path / "sayso.db")
    await again.start()
    assert await again.consumer_ids("dealer", after="", limit=10) == ["ben"]
    await again.close()


def test_there_is_nothing_to_compact_without_a_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SAYSO_DATABASE", f"sqlite:///{tmp_path}/none.db")

    assert main(["compact"]) == 2
    assert "there is no database" in capsys.readouterr().err


# --- the journal --------------------------------------------------------------------------------------------


async def backup(dealer: Brand, to: Path) -> None:
    """Copy the database as it is now, once everything is in the one file."""
    storage = dealer.world.storage
    assert isinstance(storage, SqliteStorage)
    writing = storage._writing
    await writing.task(lambda cursor: None)
    await asyncio.to_thread(storage._open.writing.wal_checkpoint)
    shutil.copy(storage._path, to)
    to.chmod(PRIVATE)


async def test_a_restored_backup_erases_again_before_it_answers(dealer: Brand, tmp_path: Path) -> None:
    await leave_traces(dealer)
    await dealer.say("purpose:marketing", "granted", consumer="ben")
    old = tmp_path / "restored" / "sayso.db"
    old.parent.mkdir(mode=0o700)
    await backup(dealer, old)
    dealer.world.clock.forward(timedelta(hours=1))
    version = (await dealer.call("DELETE", f"/v1/consumers/{WHO}")).json["version"]
    await dealer.call("DELETE", "/v1/consumers/never-seen")

    storage = SqliteStorage(old, clock=dealer.world.clock)
    await storage.start()
    services = make_services(storage, dealer.world.clock, dealer.world.keys)
    await asyncio.to_thread(services.marks.load)
    journal = services.journal
    assert journal is not None
    assert await storage.version("dealer", WHO) > 0

    assert await erase_again(storage, services.marks, journal) == 2  # the person, and the visitor they were

    assert await storage.consumer_ids("dealer", after="", limit=10) == ["ben"]
    assert await storage.disclosed_ids("dealer", after="", limit=10) == []
    assert await storage.documented_ids("dealer", after="", limit=10) == []
    preferences = await services.reading.snapshot("dealer", WHO)
    assert preferences.version == version
    left = await storage.tombstones("dealer", after=b"", limit=10)
    assert left == await dealer.world.storage.tombstones("dealer", after=b"", limit=10)
    assert await storage.feed("dealer", after=0, limit=100) is None  # whoever listens begins anew
    assert await erase_again(storage, services.marks, journal) == 0
    await storage.close()


async def test_a_server_starts_on_a_restored_backup_with_everybody_erased_again(dealer: Brand, tmp_path: Path) -> None:
    await dealer.say("purpose:analytics", "denied", consumer=WHO)
    old = tmp_path / "restored" / "sayso.db"
    old.parent.mkdir(mode=0o700)
    await backup(dealer, old)
    await dealer.call("DELETE", f"/v1/consumers/{WHO}")
    clock = dealer.world.clock
    app = create_app(
        SqliteStorage(old, clock=clock), dealer.world.keys, public_origin="https://privacy.example", clock=clock
    )

    async with TestServer(app) as server, ClientSession(server.make_url("/")) as session:
        headers = {"Authorization": f"Bearer {dealer.backend()}"}
        async with session.get(f"/v1/consumers/{WHO}/preferences", headers=headers) as answer:
            assert (await answer.json())["erased"] is True


async def test_the_journal_learns_what_only_the_database_has(dealer: Brand, tmp_path: Path) -> None:
    """A power cut between the two, or a journal that was put back from its own older backup."""
    await dealer.call("DELETE", f"/v1/consumers/{WHO}")
    (tmp_path / "sayso.keys.erased").unlink()
    services = make_services(dealer.world.storage, dealer.world.clock, dealer.world.keys)
    assert services.journal is not None
    await asyncio.to_thread(services.marks.load)

    await erase_again(dealer.world.storage, services.marks, services.journal)

    (left,) = await dealer.world.storage.tombstones("dealer", after=b"", limit=10)
    assert await asyncio.to_thread(services.journal.read) == {("dealer", left.mark): left}


def test_the_journal_gives_the_newest_of_each_and_passes_over_a_torn_line(tmp_path: Path) -> None:
    journal = ErasureJournal(tmp_path / "keys.erased")
    first, second = StoredTombstone(b"m" * 32, 3, 10, b""), StoredTombstone(b"m" * 32, 5, 20, b"sealed")
    assert journal.read() == {}

    journal.add("dealer", [first, second])
    journal.add("shop", [first])
    with journal.path.open("ab") as file:
        file.write(b'["dealer", "6d')  # the power went
    assert journal.read() == {("dealer", b"m" * 32): second, ("shop", b"m" * 32): first}

    assert journal.path.stat().st_mode & 0o777 == PRIVATE


def test_the_journal_goes_on_after_a_torn_line(tmp_path: Path) -> None:
    journal = ErasureJournal(tmp_path / "keys.erased")
    one, other = StoredTombstone(b"1" * 32, 3, 10, b""), StoredTombstone(b"2" * 32, 5, 20, b"")
    journal.add("dealer", [one])
    with journal.path.open("ab") as file:
        file.write(b'["dealer", "6d')

    journal.add("dealer", [other])

    assert set(journal.read()) == {("dealer", one.mark), ("dealer", other.mark)}


def test_a_damaged_journal_is_refused_by_the_line(tmp_path: Path) -> None:
    journal = ErasureJournal(tmp_path / "keys.erased")
    journal.add("dealer", [StoredTombstone(b"1" * 32, 3, 10, b"")])
    with journal.path.open("ab") as file:
        file.write(b"damaged\n")
    journal.add("dealer", [StoredTombstone(b"2" * 32, 3, 10, b"")])

    with pytest.raises(ConfigurationError, match=r"line 2 of .* is damaged"):
        journal.read()


# --- the key of the marks -----------------------------------------------------------------------------------


async def start_on(path: Path, keys: Path, *, accept_loss: bool = False) -> None:
    storage = SqliteStorage(path, accept_loss=accept_loss)
    app = create_app(storage, KeyFile(keys), public_origin="https://privacy.example")
    async with TestServer(app):
        pass


async def test_a_server_refuses_to_start_with_another_key_than_its_marks_were_made_with(tmp_path: Path) -> None:
    """Nobody who was erased would be known again, and everything from before would be recorded anew."""
    await start_on(tmp_path / "sayso.db", tmp_path / "keys")
    await start_on(tmp_path / "sayso.db", tmp_path / "keys")

    with pytest.raises(ConfigurationError, match="put that file back"):
        await start_on(tmp_path / "sayso.db", tmp_path / "other-keys")

    assert not (tmp_path / "other-keys").exists()  # none is made that would look right from then on
    KeyFile(tmp_path / "other-keys").mark_key()
    with pytest.raises(ConfigurationError, match="put that file back"):
        await start_on(tmp_path / "sayso.db", tmp_path / "other-keys")


async def test_a_lost_key_can_be_accepted_once(tmp_path: Path) -> None:
    await start_on(tmp_path / "sayso.db", tmp_path / "keys")

    await start_on(tmp_path / "sayso.db", tmp_path / "other-keys", accept_loss=True)

    await start_on(tmp_path / "sayso.db", tmp_path / "other-keys")
    with pytest.raises(ConfigurationError, match="put that file back"):
        await start_on(tmp_path / "sayso.db", tmp_path / "keys")


async def test_a_restored_backup_still_tells_which_key_it_belongs_to(dealer: Brand, tmp_path: Path) -> None:
    old = tmp_path / "restored" / "sayso.db"
    old.parent.mkdir(mode=0o700)
    await backup(dealer, old)

    with pytest.raises(ConfigurationError, match="put that file back"):
        await start_on(old, tmp_path / "other-keys")
    await start_on(old, dealer.world.keys.path)


async def test_a_command_with_another_key_file_does_nothing(
    dealer: Brand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SAYSO_DATABASE", f"sqlite:///{tmp_path}/sayso.db")
    monkeypatch.setenv("SAYSO_KEYS", str(tmp_path / "other-keys"))

    assert await asyncio.to_thread(main, ["brand", "list"]) == 2

    assert "put that file back" in capsys.readouterr().err
    assert dealer.id == "dealer"


async def test_a_start_without_the_journal_says_that_a_backup_would_bring_people_back(
    dealer: Brand, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await dealer.call("DELETE", f"/v1/consumers/{WHO}")
    (tmp_path / "sayso.keys.erased").unlink()
    services = make_services(dealer.world.storage, dealer.world.clock, dealer.world.keys)
    assert services.journal is not None

    await erase_again(dealer.world.storage, services.marks, services.journal)
    await erase_again(dealer.world.storage, services.marks, services.journal)

    assert [record.getMessage() for record in caplog.records if "journal" in record.getMessage()] == [
        "the journal of erasures lacked 1 of the database's; if the database came from a backup, put the journal back "
        "from its own newest one and start again"
    ]
