"""`sayso-server export`."""

from __future__ import annotations

import asyncio
import json
import stat
from datetime import UTC, datetime
from importlib import resources
from typing import TYPE_CHECKING, Any

import pytest

from sayso.model.choice import Answer, Choice, ChoiceBatch, Method
from sayso.model.disclosure import Disclosure, DisclosureBatch, GuardAnswer
from sayso.model.ids import new_choice_id
from sayso.model.topic import Flow
from sayso.wire import TokenClass
from sayso_server.cli import main
from sayso_server.cli.workbench import opened
from sayso_server.services.caller import Caller

if TYPE_CHECKING:
    from pathlib import Path

CALLER = Caller("dealer", "dealer.1", TokenClass.BACKEND)


@pytest.fixture(autouse=True)
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """Two brands; of one, Ann refused text messages and Ben marketing and text messages."""
    for name in ("KEYS", "HOST", "PORT", "PUBLIC_URL", "TRUSTED_PROXIES", "LOG_LEVEL"):
        monkeypatch.delenv(f"SAYSO_{name}", raising=False)
    monkeypatch.setenv("SAYSO_DATABASE", f"sqlite:///{tmp_path}/sayso.db")
    starter = tmp_path / "catalogue.toml"
    starter.write_bytes((resources.files("sayso_server") / "starter.toml").read_bytes())
    for brand in ("dealer", "shop"):
        assert main(["brand", "create", brand, "--name", brand]) == 0
        assert main(["catalogue", "publish", str(starter), "--brand", brand]) == 0
    asyncio.run(refuse("ann", "channel:sms"))
    asyncio.run(refuse("ben", "channel:sms", "purpose:marketing"))
    capsys.readouterr()
    return tmp_path / "sayso.db"


async def refuse(consumer_id: str, *topics: str) -> None:
    async with opened(None) as bench:
        choices = tuple(
            Choice(id=new_choice_id(), consumer_id=consumer_id, topic=topic, answer=Answer.DENIED, method=Method.SMS)
            for topic in topics
        )
        await bench.services.recording.record(CALLER, ChoiceBatch(choices=choices))


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_every_consumer_of_the_brand_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--brand", "dealer"]) == 0

    ann, ben = lines(capsys.readouterr().out)
    assert [ann["consumer_id"], ben["consumer_id"]] == ["ann", "ben"]
    assert [change["topic"] for change in ann["changes"]] == ["channel:sms"]
    assert [(change["topic"], change["answer"]) for change in ben["changes"]] == [
        ("channel:sms", "denied"),
        ("purpose:marketing", "denied"),
    ]
    assert ben["preferences"]["topics"]["purpose:marketing"]["reason"] == "denied"


def test_another_brands_export_holds_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--brand", "shop"]) == 0
    assert capsys.readouterr().out == ""


def test_one_consumer_can_be_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--brand", "dealer", "--consumer", "ben"]) == 0

    (ben,) = lines(capsys.readouterr().out)
    assert ben["consumer_id"] == "ben"


@pytest.mark.parametrize(
    ("consumer", "told"),
    [("nobody", "nothing is held about that consumer"), ("a/b", "an id is 1 to 128"), ("ann@home.example", "e-mail")],
)
def test_a_consumer_nobody_knows_is_refused(capsys: pytest.CaptureFixture[str], consumer: str, told: str) -> None:
    assert main(["export", "--brand", "dealer", "--consumer", consumer]) == 2

    captured = capsys.readouterr()
    assert captured.out == ""
    assert told in captured.err
    assert len(captured.err.splitlines()) == 1


def test_a_file_is_for_its_owner_alone_and_complete_or_not_there(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    file = folder / "dealer.jsonl"

    assert main(["export", "--brand", "dealer", "--output", str(file)]) == 0
    assert capsys.readouterr().out == ""
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [line["consumer_id"] for line in lines(file.read_text())] == ["ann", "ben"]
    assert main(["export", "--brand", "dealer", "--consumer", "nobody", "--output", str(folder / "other")]) == 2
    assert [path.name for path in folder.iterdir()] == ["dealer.jsonl"]


def test_a_file_that_can_not_be_written_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "nowhere" / "dealer.jsonl"

    assert main(["export", "--brand", "dealer", "--output", str(file)]) == 2
    assert f"{file} can't be written" in capsys.readouterr().err


async def disclose(consumer_id: str) -> None:
    async with opened(None) as bench:
        disclosure = Disclosure(
            id=new_choice_id(),
            consumer_id=consumer_id,
            partner="vinsolutions",
            flow=Flow.SHARE,
            answer=GuardAnswer.WITHHOLD,
            fields_sent=(),
            fields_held_back=(),
            at=datetime(2026, 11, 23, 19, tzinfo=UTC),
        )
        await bench.services.disclosures.record(CALLER, DisclosureBatch(disclosures=(disclosure,)))


def test_whose_data_was_handed_over_is_exported_though_they_never_said_anything(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for consumer in ("ben", "carla"):
        asyncio.run(disclose(consumer))

    assert main(["export", "--brand", "dealer"]) == 0
    ann, ben, carla = lines(capsys.readouterr().out)
    assert main(["export", "--brand", "dealer", "--consumer", "carla"]) == 0
    (alone,) = lines(capsys.readouterr().out)

    assert [each["consumer_id"] for each in (ann, ben, carla, alone)] == ["ann", "ben", "carla", "carla"]
    assert [len(each["disclosures"]) for each in (ann, ben, carla, alone)] == [0, 1, 1, 1]
    assert carla["disclosures"][0]["answer"] == "withhold"
