"""`sayso-server catalogue preview` and `replay`, as somebody reads them who decides about publishing."""

from __future__ import annotations

import asyncio
import json
import uuid
from importlib import resources
from typing import TYPE_CHECKING, Any

import pytest

from sayso.model.choice import ChoiceBatch
from sayso.model.disclosure import DisclosureBatch
from sayso.model.instant import format_micros
from sayso.wire import TokenClass
from sayso_server.cli import main
from sayso_server.cli.catalogue_preview import Counting
from sayso_server.cli.workbench import opened
from sayso_server.services.caller import Caller

if TYPE_CHECKING:
    from pathlib import Path

STARTER = (resources.files("sayso_server") / "starter.toml").read_text("utf-8")
BACKEND = Caller("dealer", "dealer.key", TokenClass.BACKEND)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """The starter catalogue, as it is published for `dealer`."""
    for name in ("KEYS", "HOST", "PORT", "PUBLIC_URL", "TRUSTED_PROXIES", "LOG_LEVEL"):
        monkeypatch.delenv(f"SAYSO_{name}", raising=False)
    monkeypatch.setenv("SAYSO_DATABASE", f"sqlite:///{tmp_path}/sayso.db")
    monkeypatch.setenv("COLUMNS", "200")
    path = tmp_path / "catalogue.toml"
    path.write_text(STARTER, "utf-8")
    assert main(["brand", "create", "dealer", "--name", "Dealer"]) == 0
    assert main(["catalogue", "publish", str(path), "--brand", "dealer"]) == 0
    capsys.readouterr()
    return path


def change(file: Path, *changes: tuple[str, str]) -> None:
    text = file.read_text("utf-8")
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    file.write_text(text, "utf-8")


def marketing_notice() -> str:
    """Give the line of the starter's notice of marketing."""
    section = STARTER.partition('[topics."purpose:marketing"]')[2]
    return next(line for line in section.splitlines() if line.startswith("notice.en"))


def hand_over_to_a_partner() -> None:
    async def record() -> None:
        async with opened(None) as bench:
            grants = [
                {
                    "id": str(uuid.uuid4()),
                    "consumer_id": "cust-42",
                    "topic": topic,
                    "answer": "granted",
                    "method": "chat",
                }
                for topic in ("partner:vinsolutions:share", "channel:email")
            ]
            batch = ChoiceBatch.model_validate_json(
                json.dumps({"choices": [{**grant, "notice": {"language": "en"}} for grant in grants]})
            )
            await bench.services.recording.record(BACKEND, batch)
            entry: dict[str, Any] = {
                "id": str(uuid.uuid4()),
                "consumer_id": "cust-42",
                "partner": "vinsolutions",
                "flow": "share",
                "answer": "send_redacted",
                "fields_sent": ["vehicle"],
                "fields_held_back": ["score"],
                "at": format_micros(bench.clock.now()),
            }
            said = DisclosureBatch.model_validate_json(json.dumps({"disclosures": [entry]}))
            await bench.services.disclosures.record(BACKEND, said)

    asyncio.run(record())


def test_preview_draws_what_changes_in_a_text_and_who_is_asked_again(
    capsys: pytest.CaptureFixture[str], file: Path
) -> None:
    before = marketing_notice()
    change(file, ("version = 1 ", "version = 2 "), (before, f'{before.rstrip()[:-1]} Dealers write too."'))

    assert main(["catalogue", "preview", str(file), "--brand", "dealer"]) == 0

    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    place = lines.index("  purpose:marketing goes from version 1 to 2; everybody who granted it is asked again (0 now)")
    assert lines[place + 1] == "      notice (en):"
    assert [line[:10] for line in lines[place + 2 : place + 4]] == ["        ~ ", "        ~ "]
    drawn = " ".join(line[10:] for line in lines[place + 2 : place + 4])
    assert drawn.endswith("Every message tells you how to stop them.{+ Dealers write too.+}")
    assert "purpose:marketing asks people again without `change`, so nobody is told what is new" in captured.err


def test_preview_shows_a_text_that_is_all_new_beside_the_old_one(
    capsys: pytest.CaptureFixture[str], file: Path
) -> None:
    change(file, (marketing_notice(), 'notice.en = "Completely different words, none of them from before."'))

    assert main(["catalogue", "preview", str(file), "--brand", "dealer"]) == 0

    marks = [line.strip()[:2] for line in capsys.readouterr().out.splitlines() if line.startswith("        ")]
    assert marks == ["- ", "+ "]


def test_preview_gives_the_texts_as_json(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    change(file, (marketing_notice(), 'notice.en = "Other words."'))

    assert main(["catalogue", "preview", str(file), "--brand", "dealer", "--json"]) == 0

    (text,) = json.loads(capsys.readouterr().out)["texts"]
    assert (text["topic"], text["text"], text["language"]) == ("purpose:marketing", "notice", "en")
    assert (text["after"], text["before"] in marketing_notice()) == ("Other words.", True)


def test_replay_lists_what_a_catalogue_would_have_done_and_publishing_asks_for_a_word(
    capsys: pytest.CaptureFixture[str], file: Path
) -> None:
    hand_over_to_a_partner()
    fields = STARTER.partition("[partners.vinsolutions.fields]")[2].splitlines()[1]
    change(file, (fields, f"{fields}\nscore = []"))

    assert main(["catalogue", "replay", str(file), "--brand", "dealer", "--days", "7"]) == 0
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert lines[0].startswith("1 hand-overs of 1 consumers in the last 7 days, decided by revision 1 of dealer")
    assert lines[1] == "  newly allowed:"
    assert lines[3].split() == ["partner:vinsolutions:share", "score", "held", "back", "sent", "granted", "1", "1"]
    assert lines[-1] == "  nothing is newly withheld"
    assert "--allow-newly-shared" in captured.err

    assert main(["catalogue", "publish", str(file), "--brand", "dealer"]) == 2
    assert "would have let out score in 1 hand-overs of the last 30 days" in capsys.readouterr().err
    assert main(["catalogue", "publish", str(file), "--brand", "dealer", "--allow-newly-shared"]) == 0


@pytest.mark.parametrize("days", ["0", "400", "many"])
def test_replay_takes_a_sensible_number_of_days(capsys: pytest.CaptureFixture[str], file: Path, days: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["catalogue", "replay", str(file), "--brand", "dealer", "--days", days])
    assert ended.value.code == 2
    assert "--days" in capsys.readouterr().err


def test_how_far_it_is_is_told_for_many_consumers(capsys: pytest.CaptureFixture[str]) -> None:
    counting = Counting()
    for consumers in range(1, 3001):
        counting(consumers)
    counting.done()

    assert capsys.readouterr().err.splitlines() == ["1,000 consumers …", "2,000 consumers …", "3,000 consumers …"]
