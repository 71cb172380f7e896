"""`sayso-server catalogue`, and publishing a file whenever it is saved."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from importlib import resources
from typing import TYPE_CHECKING, Any

import pytest

from sayso_server.cli import main
from sayso_server.cli.watching import WatchedCatalogue
from sayso_server.cli.workbench import Workbench, opened

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STARTER = (resources.files("sayso_server") / "starter.toml").read_text("utf-8")


@pytest.fixture(autouse=True)
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """A database with the brand `dealer`."""
    for name in ("KEYS", "HOST", "PORT", "PUBLIC_URL", "TRUSTED_PROXIES", "LOG_LEVEL"):
        monkeypatch.delenv(f"SAYSO_{name}", raising=False)
    monkeypatch.setenv("SAYSO_DATABASE", f"sqlite:///{tmp_path}/sayso.db")
    assert main(["brand", "create", "dealer", "--name", "Dealer"]) == 0
    capsys.readouterr()
    return tmp_path / "sayso.db"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "catalogue.toml"
    path.write_text(STARTER, "utf-8")
    return path


def change(file: Path, before: str, after: str) -> None:
    text = file.read_text("utf-8")
    assert before in text
    file.write_text(text.replace(before, after, 1), "utf-8")


def said(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    assert main([*words, "--json"]) == 0, capsys.readouterr().err
    (line,) = capsys.readouterr().out.splitlines()
    return json.loads(line)


def test_publishing_again_without_a_change_keeps_the_revision(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    first = said(capsys, "catalogue", "publish", str(file), "--brand", "dealer")
    again = said(capsys, "catalogue", "publish", str(file), "--brand", "dealer")

    assert (first["brand"], first["revision"], first["changed"]) == ("dealer", 1, True)
    assert again == {**first, "changed": False}
    change(file, "Offers and news", "Offers")
    assert said(capsys, "catalogue", "publish", str(file), "--brand", "dealer")["revision"] == 2


def test_show_gives_what_get_v1_catalogue_gives(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    said(capsys, "catalogue", "publish", str(file), "--brand", "dealer")

    shown = said(capsys, "catalogue", "show", "--brand", "dealer")
    assert (shown["revision"], shown["brand"], shown["languages"]) == (1, "dealer", ["en"])
    assert "partner:vinsolutions:share" in [topic["key"] for topic in shown["topics"]]
    assert main(["catalogue", "show", "--brand", "dealer"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "revision 1 of dealer, in en"
    assert lines[1].split() == ["TOPIC", "BASIS", "VERSION", "TITLE"]
    assert lines[3].split() == ["purpose:marketing", "consent", "1", "Offers", "and", "news"]


def test_show_says_how_to_publish_the_first_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["catalogue", "show", "--brand", "dealer"]) == 0

    captured = capsys.readouterr()
    assert captured.out == ""
    assert "catalogue publish FILE --brand dealer" in captured.err


def test_show_gives_a_file_as_it_would_be_shown_without_any_database(
    capsys: pytest.CaptureFixture[str], file: Path, database: Path
) -> None:
    said(capsys, "catalogue", "publish", str(file), "--brand", "dealer")
    published = said(capsys, "catalogue", "show", "--brand", "dealer")
    database.unlink()

    assert said(capsys, "catalogue", "show", str(file)) == {**published, "revision": None, "brand": None}
    assert said(capsys, "catalogue", "show", str(file), "--brand", "dealer") == {**published, "revision": None}
    assert main(["catalogue", "show", str(file)]) == 0
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert lines[0] == f"{file}, in en"
    assert lines[1].split() == ["TOPIC", "BASIS", "VERSION", "TITLE"]
    assert all(line.startswith("warning: [") for line in captured.err.splitlines())
    assert captured.err


def test_show_names_what_keeps_a_file_from_being_published(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    change(file, 'basis = "consent"\nversion = 1 ', 'basis = "contract"\nversion = 1 ')

    assert main(["catalogue", "show", str(file)]) == 2

    captured = capsys.readouterr()
    assert captured.out == ""
    assert '[topics."purpose:marketing"] basis: contract leaves no choice' in captured.err


def test_show_of_nothing_says_what_can_be_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["catalogue", "show"]) == 2

    assert "name a FILE, or --brand ID for what is published" in capsys.readouterr().err


def test_preview_says_what_changes_and_publishes_nothing(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    said(capsys, "catalogue", "publish", str(file), "--brand", "dealer")
    change(file, "version = 1 ", "version = 2 ")

    seen = said(capsys, "catalogue", "preview", str(file), "--brand", "dealer")
    assert (seen["brand"], seen["revision"], seen["consumers"]) == ("dealer", 1, 0)
    assert seen["asked_again"] == {"purpose:marketing": 0}
    assert main(["catalogue", "preview", str(file), "--brand", "dealer"]) == 0
    assert "everybody who granted it is asked again (0 now)" in capsys.readouterr().out
    assert said(capsys, "catalogue", "show", "--brand", "dealer")["revision"] == 1


def test_a_mistake_is_named_by_table_and_key_and_nothing_is_published(
    capsys: pytest.CaptureFixture[str], file: Path
) -> None:
    change(file, 'basis = "consent"\nversion = 1 ', 'basis = "contract"\nversion = 1 ')

    assert main(["catalogue", "publish", str(file), "--brand", "dealer"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert '[topics."purpose:marketing"] basis: contract leaves no choice' in captured.err
    assert "Traceback" not in captured.err
    assert said(capsys, "catalogue", "show", "--brand", "dealer")["revision"] == 0


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("languages = [", "The catalogue is not TOML"),
        ('[topics."purpose:marketing"]\nbasis = "consent"\nbassis = "x"\n', '[topics."purpose:marketing"] bassis'),
    ],
)
def test_a_file_that_can_not_be_read_is_refused(
    capsys: pytest.CaptureFixture[str], file: Path, content: str, told: str
) -> None:
    file.write_text(content)

    assert main(["catalogue", "publish", str(file), "--brand", "dealer"]) == 2
    assert told in capsys.readouterr().err


def test_a_file_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["catalogue", "preview", "nowhere.toml", "--brand", "dealer"]) == 2
    assert "'nowhere.toml' can't be opened" in capsys.readouterr().err


def test_lowering_the_majority_takes_a_word_of_its_own(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    said(capsys, "catalogue", "publish", str(file), "--brand", "dealer")
    change(file, "majority = 18", "majority = 16")

    assert main(["catalogue", "publish", str(file), "--brand", "dealer"]) == 2
    assert "majority" in capsys.readouterr().err
    words = ("catalogue", "publish", str(file), "--brand", "dealer", "--allow-lower-majority")
    assert said(capsys, *words)["revision"] == 2


def test_the_starter_catalogue_has_no_errors_and_says_what_it_leaves_open(
    capsys: pytest.CaptureFixture[str], file: Path
) -> None:
    assert main(["catalogue", "publish", str(file), "--brand", "dealer"]) == 0

    captured = capsys.readouterr()
    assert captured.out == "revision 1 of dealer is published\n"
    assert all(line.startswith("warning: [") for line in captured.err.splitlines())


# --- following a file --------------------------------------------------------------------------------------


def save(file: Path, text: str) -> None:
    file.write_text(text, "utf-8")


def remove(file: Path) -> None:
    file.unlink()


def revision(bench: Workbench) -> int:
    return bench.services.catalogues.of("dealer").revision


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110 - the file system tells nobody
            await asyncio.sleep(0.01)


async def test_a_saved_file_is_published_and_a_mistake_leaves_the_last_one_standing(
    capsys: pytest.CaptureFixture[str], file: Path
) -> None:
    told: list[str] = []

    def has_told(text: str) -> bool:
        told.append(capsys.readouterr().err)
        return text in "".join(told)

    async with opened(None) as bench:
        watched = WatchedCatalogue(file, "dealer")
        await watched.publish(bench.services)
        assert revision(bench) == 1
        following = asyncio.create_task(watched.follow(bench.services, every=timedelta(milliseconds=20)))

        change(file, 'channel:sms"]\nbasis', 'channel:sms"]\nrequires = ["channel:emial"]\nbasis')
        await until(lambda: has_told("did you mean 'channel:email'?"))
        assert '[topics."channel:sms"] requires' in "".join(told)
        assert revision(bench) == 1

        save(file, "languages = [")
        await until(lambda: has_told("is not TOML"))
        assert revision(bench) == 1

        remove(file)
        await asyncio.sleep(0.1)
        save(file, STARTER.replace("Offers and news", "Offers"))
        await until(lambda: revision(bench) == 2)

        assert not following.done()
        following.cancel()
        with pytest.raises(asyncio.CancelledError):
            await following
