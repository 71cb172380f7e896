"""The database's files: private, whole, and one server's at a time."""

# ruff: noqa: ASYNC240 - a test has nothing else to do while it looks at a file

import asyncio
import logging
import os
import re
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

import apsw
import pytest

from sayso.errors import ConfigurationError
from sayso.model.instant import Micros
from sayso_server.storage.base import Found, StoredBrand, StoredChange, StoredConsumer, Wanted, Write
from sayso_server.storage.sqlite import SqliteStorage
from sayso_server.storage.sqlite.connect import warn_about_old_sqlite
from sayso_server.storage.sqlite.schema import Migration


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "sayso.db"


async def record(storage: SqliteStorage, consumer_id: str) -> None:
    def plan(found: Mapping[str, Found], now: Micros) -> tuple[list[Write], None]:
        before = found[consumer_id].consumer
        version = before.version + 1 if before else 1
        change = StoredChange(version, "choice", now, now, now, str(uuid4()), b"f" * 32, b"{}")
        return [Write(consumer_id, StoredConsumer(version, now, now, b"{}"), (change,))], None

    await storage.record("dealer", [Wanted(consumer_id)], plan)


async def make(database: Path, *, records: int = 0) -> str:
    """Make a database with some commits, close it, and give its store id."""
    storage = SqliteStorage(database)
    await storage.start()
    for number in range(records):
        await record(storage, f"cust-{number}")
    store_id = storage.store_id
    await storage.close()
    return store_id


async def refused(storage: SqliteStorage) -> str:
    """Start a storage that has to refuse, and give its reason."""
    with pytest.raises(ConfigurationError) as caught:
        await storage.start()
    return str(caught.value)


def as_after_a_power_cut(database: Path, into: Path) -> Path:
    """Copy the files of a running server, as a dead machine's disk would have them."""
    into.mkdir(mode=0o700)
    for suffix in ("", "-wal", ".hwm"):
        shutil.copy2(f"{database}{suffix}", into)
    return into / database.name


# --- whose files, and who can open them ---------------------------------------------------------------------


async def test_every_file_is_its_owners_alone_whatever_the_umask(database: Path) -> None:
    before = os.umask(0)
    try:
        storage = SqliteStorage(database)
        await storage.start()
        await record(storage, "cust-42")
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in database.parent.iterdir()}
        await storage.close()
    finally:
        os.umask(before)

    assert modes == {
        "sayso.db": 0o600,
        "sayso.db-wal": 0o600,
        "sayso.db-shm": 0o600,
        "sayso.db.lock": 0o600,
        "sayso.db.hwm": 0o600,
    }


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", ".lock", ".hwm"])
async def test_a_symbolic_link_is_refused(database: Path, suffix: str) -> None:
    await make(database)
    path = Path(f"{database}{suffix}")
    path.unlink(missing_ok=True)
    path.symlink_to(database.parent / "elsewhere")

    assert await refused(SqliteStorage(database)) == f"{path} is a symbolic link; name the file that it points to"
    assert not (database.parent / "elsewhere").exists()


@pytest.mark.parametrize("suffix", ["", ".lock", ".hwm"])
async def test_a_file_that_others_can_open_is_refused_with_the_command_that_mends_it(
    database: Path, suffix: str
) -> None:
    await make(database)
    path = Path(f"{database}{suffix}")
    path.chmod(0o640)

    message = await refused(SqliteStorage(database))

    assert message == f"{path} can be opened by others (mode 0640); run: chmod 600 {path}"
    path.chmod(0o600)
    await make(database)


async def test_something_that_is_no_file_is_refused(database: Path) -> None:
    database.mkdir()

    assert "is not a regular file" in await refused(SqliteStorage(database))


async def test_another_users_database_is_refused(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await make(database)
    mine = database.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)

    message = await refused(SqliteStorage(database))

    assert f"belongs to another user (uid {mine})" in message


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o1777])
async def test_a_directory_that_others_may_write_is_refused(database: Path, mode: int) -> None:
    database.parent.chmod(mode)

    message = await refused(SqliteStorage(database))

    assert f"others may write in the directory {database.parent} (mode {mode:04o})" in message
    # A directory that everybody shares, such as /tmp, has to stay as it is.
    remedy = f"mkdir -m 700 {database.parent}/sayso" if mode & 0o1000 else f"chmod go-w {database.parent}"
    assert remedy in message
    assert ("chmod" in message) is not bool(mode & 0o1000)
    assert not database.exists()


async def test_a_missing_directory_is_named_with_the_command_that_makes_it(tmp_path: Path) -> None:
    message = await refused(SqliteStorage(tmp_path / "none" / "sayso.db"))

    assert message == f"there is no directory {tmp_path}/none; make one: mkdir -m 700 {tmp_path}/none"


# --- one server ---------------------------------------------------------------------------------------------


async def test_a_second_server_is_refused_and_told_the_first_ones_process(database: Path) -> None:
    first = SqliteStorage(database)
    await first.start()

    message = await refused(SqliteStorage(database))
    await first.close()
    await make(database)

    assert message.startswith(f"the process {os.getpid()} is a server on {database} already")


async def test_a_server_that_was_refused_leaves_the_first_one_working(database: Path) -> None:
    first = SqliteStorage(database)
    await first.start()
    await refused(SqliteStorage(database))

    await record(first, "cust-42")

    assert await first.version("dealer", "cust-42") == 1
    await first.close()


async def test_a_command_works_beside_a_server_and_the_server_sees_what_it_did(database: Path) -> None:
    server, command = SqliteStorage(database), SqliteStorage(database, server=False)
    await server.start()
    await record(server, "cust-42")
    before = await server.config_version()

    await command.start()
    await command.add_brand(StoredBrand("dealer", "Main Street Motors", 5))
    seen_by_command = await command.version("dealer", "cust-42")
    await command.close()

    assert seen_by_command == 1
    assert await server.config_version() == before + 1
    assert await server.brands() == [StoredBrand("dealer", "Main Street Motors", 5)]
    await record(server, "cust-42")
    assert await server.version("dealer", "cust-42") == 2
    await server.close()


async def test_a_command_gets_its_turn_on_a_busy_server(database: Path) -> None:
    server, command = SqliteStorage(database), SqliteStorage(database, server=False)
    await server.start()
    await command.start()
    done = asyncio.Event()

    async def keep_busy(consumer_id: str) -> int:
        count = 0
        while not done.is_set():
            await record(server, consumer_id)
            count += 1
        return count

    busy = [asyncio.create_task(keep_busy(f"cust-{number}")) for number in range(8)]
    for number in range(5):
        await command.add_origin("dealer", f"https://{number}.example")
    done.set()
    counts = await asyncio.gather(*busy)

    assert len(await server.origins()) == 5
    assert [await server.version("dealer", f"cust-{number}") for number in range(8)] == counts
    await command.close()
    await server.close()


async def test_a_command_makes_a_database_that_a_server_then_opens(database: Path) -> None:
    command = SqliteStorage(database, server=False)
    await command.start()
    await command.add_brand(StoredBrand("dealer", "Main Street Motors", 5))
    store_id = command.store_id
    await command.close()

    server = SqliteStorage(database)
    await server.start()

    assert server.store_id == store_id
    assert [brand.brand_id for brand in await server.brands()] == ["dealer"]
    await server.close()


# --- whose schema -------------------------------------------------------------------------------------------


async def test_a_database_of_a_newer_version_is_refused(database: Path) -> None:
    await make(database)
    other = apsw.Connection(str(database))
    other.pragma("user_version", 99)
    other.close()

    assert f"{database} has schema 99, this version of Sayso knows up to 2" in await refused(SqliteStorage(database))


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE migration SET checksum = 'of what an earlier state of this file said'",
        "DELETE FROM migration",
        "DROP TABLE migration",
    ],
)
async def test_a_database_whose_schema_was_made_by_another_file_of_that_number_is_refused(
    database: Path, edit: str
) -> None:
    await make(database)
    other = apsw.Connection(str(database))
    other.execute(edit)
    other.close()

    said = await refused(SqliteStorage(database))

    assert f"{database} was made by another build of Sayso: its schema step 1 is not the one known here" in said
    assert "run that build to use or export it, or choose another file" in said
    assert said == await refused(SqliteStorage(database, server=False))


def test_comments_and_spacing_of_a_schema_step_may_change_and_nothing_else() -> None:
    step = Migration(1, "CREATE TABLE brand (\n    brand_id TEXT -- its name\n);\n")

    assert step.checksum == Migration(1, "-- The first.\r\nCREATE TABLE brand ( brand_id TEXT\r\n);").checksum
    assert step.checksum != Migration(1, "CREATE TABLE brand ( brand_id TEXT NOT NULL );").checksum
    assert len(step.checksum) == 64


async def test_another_programs_database_is_refused_and_left_alone(database: Path) -> None:
    other = apsw.Connection(str(database))
    other.execute("CREATE TABLE theirs (x)")
    other.close()
    database.chmod(0o600)

    assert "is another program's database" in await refused(SqliteStorage(database))
    again = apsw.Connection(str(database))
    assert again.execute("SELECT name FROM sqlite_schema").get == "theirs"
    again.close()


async def test_a_file_that_is_no_database_is_refused(database: Path) -> None:
    database.write_bytes(b"Dear diary, " * 100)
    database.chmod(0o600)

    assert "is not an SQLite database" in await refused(SqliteStorage(database))


async def test_an_sqlite_that_may_corrupt_databases_is_named_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        warn_about_old_sqlite(3_051_003)
        assert caplog.messages == []
        warn_about_old_sqlite(3_040_001)

    assert caplog.messages == [
        "SQLite 3.40.1 can corrupt a database (WAL reset); install apsw 3.51.3 or newer",
    ]


# --- a database that came out shorter -----------------------------------------------------------------------


async def test_a_power_cut_that_damages_nothing_is_not_noticed(database: Path, tmp_path: Path) -> None:
    storage = SqliteStorage(database)
    await storage.start()
    for number in range(20):
        await record(storage, f"cust-{number}")
    await asyncio.to_thread(storage._database.keep_mark)
    copy = as_after_a_power_cut(database, tmp_path / "copy")
    await storage.close()

    again = SqliteStorage(copy)
    await again.start()

    assert await again.version("dealer", "cust-19") == 1
    await again.close()


async def test_a_truncated_write_ahead_log_is_noticed_and_can_be_accepted_once(database: Path, tmp_path: Path) -> None:
    storage = SqliteStorage(database)
    await storage.start()
    store_id = storage.store_id
    for number in range(20):
        await record(storage, f"cust-{number}")
    await asyncio.to_thread(storage._database.keep_mark)
    copy = as_after_a_power_cut(database, tmp_path / "copy")
    await storage.close()
    log = Path(f"{copy}-wal")
    os.truncate(log, log.stat().st_size // 2)

    message = await refused(SqliteStorage(copy))

    assert re.search(
        rf"{copy} ends at commit \d+, but it had come to 20\. Choices that were acknowledged may be", message
    )
    assert "serve --accept-loss" in message
    shorter = SqliteStorage(copy, accept_loss=True)
    await shorter.start()
    new_id = shorter.store_id
    assert await shorter.version("dealer", "cust-0") == 1
    assert await shorter.version("dealer", "cust-19") == 0
    await shorter.close()
    assert new_id != store_id
    assert await make(copy) == new_id


async def test_an_older_copy_put_in_place_is_noticed(database: Path, tmp_path: Path) -> None:
    await make(database, records=3)
    backup = tmp_path / "backup.db"
    shutil.copy2(database, backup)
    await make(database, records=3)
    shutil.copy2(backup, database)

    assert f"{database} ends at commit 3, but it had come to 6." in await refused(SqliteStorage(database))


async def test_another_database_put_in_place_is_noticed(database: Path, tmp_path: Path) -> None:
    await make(database)
    await make(tmp_path / "other.db", records=9)
    shutil.copy2(tmp_path / "other.db", database)

    assert f"{database} is not the database that {database}.hwm was written for" in await refused(
        SqliteStorage(database)
    )


async def test_a_database_that_is_gone_is_not_silently_made_anew(database: Path) -> None:
    await make(database, records=3)
    database.unlink()

    message = await refused(SqliteStorage(database))

    assert f"{database} is gone, but {database}.hwm says that it held 3 commits." in message
    assert not database.exists()
    anew = SqliteStorage(database, accept_loss=True)
    await anew.start()
    assert await anew.version("dealer", "cust-0") == 0
    await anew.close()


async def test_a_damaged_mark_is_refused_by_name(database: Path) -> None:
    await make(database, records=1)
    Path(f"{database}.hwm").write_bytes(b"\0" * 54)

    assert f"{database}.hwm is damaged" in await refused(SqliteStorage(database))


async def test_the_mark_follows_within_two_seconds(database: Path) -> None:
    storage = SqliteStorage(database)
    await storage.start()
    await record(storage, "cust-42")

    for _ in range(100):
        line = Path(f"{database}.hwm").read_text()
        if line.endswith("1\n"):
            break
        await asyncio.sleep(0.02)

    assert line == f"{storage.store_id} 00000000000000000001\n"
    await storage.close()
