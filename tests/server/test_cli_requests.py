"""`sayso-server requests`."""

from __future__ import annotations

import io
import json
import zipfile
from importlib import resources
from typing import TYPE_CHECKING, Any

import pytest

from sayso_server.cli import main

if TYPE_CHECKING:
    from pathlib import Path

ON = ("--brand", "dealer")
POSTED = ("create", "access", "--channel", "post", "--received", "2026-11-02", "--email", "ann@mail.example")


@pytest.fixture(autouse=True)
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """A database of this test's own with one brand; nothing else is set."""
    for name in ("KEYS", "HOST", "PORT", "PUBLIC_URL", "TRUSTED_PROXIES", "LOG_LEVEL"):
        monkeypatch.delenv(f"SAYSO_{name}", raising=False)
    monkeypatch.setenv("SAYSO_DATABASE", f"sqlite:///{tmp_path}/sayso.db")
    assert main(["brand", "create", "dealer", "--name", "Dealer"]) == 0
    capsys.readouterr()
    return tmp_path / "sayso.db"


def said(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    """Run a command that succeeds, with --json, and give its answer."""
    assert main(["requests", *words, *ON, "--json"]) == 0, capsys.readouterr().err
    (line,) = capsys.readouterr().out.splitlines()
    return json.loads(line)


def told(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Run a command that succeeds, and give what it tells people."""
    assert main(["requests", *words, *ON]) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["requests", *words, *ON]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


def test_what_came_by_post_days_ago_is_entered_with_its_clock_running(capsys: pytest.CaptureFixture[str]) -> None:
    entered = said(capsys, *POSTED, "--jurisdiction", "DE", "--held-by", "platform")

    assert (entered["received_at"], entered["channel"]) == ("2026-11-02T00:00:00.000000Z", "post")
    assert (entered["due_at"], entered["held_by"]) == ("2026-12-02T23:59:59.000000Z", "platform")
    assert "staff" in entered["filed_by"]


def test_a_request_is_worked_from_end_to_end(capsys: pytest.CaptureFixture[str]) -> None:
    one = said(capsys, *POSTED)["id"]

    states = [
        said(capsys, "acknowledge", one, "--note", "A letter.")["state"],
        said(capsys, "verify", one, "--ask", "The last bill.", "--within-days", "10")["state"],
        said(capsys, "start", one, "--verified", "The bill.", "--consumer", "cust-42")["state"],
        said(capsys, "hand-over", one, "--to", "platform")["state"],
        said(capsys, "note", one, "--note", "Two systems are done.")["state"],
        said(capsys, "fulfil", one, "--answer", "Here it is.")["state"],
    ]

    assert states == ["acknowledged", "awaiting_verification", "in_progress", "in_progress", "in_progress", "fulfilled"]
    shown = told(capsys, "show", one)
    for words in ("state     fulfilled", "answer    Here it is.", "verify by ", ": The last bill.", "do nothing more"):
        assert words in shown


def test_the_list_shows_the_days_left(capsys: pytest.CaptureFixture[str]) -> None:
    one = said(capsys, "create", "copy", "--channel", "phone", "--consumer", "cust-42", "--jurisdiction", "DE")

    heading, row = told(capsys, "list").splitlines()

    assert heading.split() == ["REQUEST", "KIND", "STATE", "CONSUMER", "DUE", "LEFT", "HELD", "BY"]
    due = one["due_at"][:10]
    assert row.split() == [one["id"], "copy", "received", "cust-42", due, str(one["days_left"]), "days", "brand"]
    assert 28 <= one["days_left"] <= 31
    assert said(capsys, "list", "--state", "closed") == []


def test_what_is_overdue_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    said(
        capsys,
        "create",
        "copy",
        "--channel",
        "post",
        "--consumer",
        "cust-42",
        "--received",
        "2020-01-01T09:30:00+01:00",
    )

    assert " days late" in told(capsys, "list")


def test_days_are_those_of_the_brands_own_calendar(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "catalogue.toml"
    starter = (resources.files("sayso_server") / "starter.toml").read_text("utf-8")
    file.write_text('time_zone = "America/Los_Angeles"\n' + starter, "utf-8")
    assert main(["catalogue", "publish", str(file), *ON]) == 0
    capsys.readouterr()

    entered = said(capsys, *POSTED)

    assert entered["received_at"] == "2026-11-02T08:00:00.000000Z"
    assert entered["due_at"] == "2026-11-18T07:59:59.000000Z"  # receipt confirmed, as in California: nobody knows where
    shown = told(capsys, "show", entered["id"])
    assert "received  2026-11-02 by post" in shown
    assert "due       2026-11-17" in shown
    assert "2026-11-17" in told(capsys, "list")


def test_an_empty_list_is_told_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["requests", "list", *ON]) == 0

    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "dealer has no request that is open\n")


def test_people_are_found_by_their_address(capsys: pytest.CaptureFixture[str]) -> None:
    one = said(capsys, *POSTED, "--phone", "+1 555 010 0142")["id"]

    assert [found["id"] for found in said(capsys, "find", "--email", "ANN@mail.example")] == [one]
    assert [found["id"] for found in said(capsys, "find", "--phone", "(555) 010-0142")] == [one]
    assert said(capsys, "find", "--email", "ben@mail.example") == []


def test_a_denial_takes_a_reason_and_grounds_and_gets_recourse(capsys: pytest.CaptureFixture[str]) -> None:
    one = said(capsys, *POSTED, "--language", "fr")["id"]

    denied = said(capsys, "deny", one, "--reason", "no_match", "--grounds", "Il n’y a rien.")

    assert denied["denial"]["recourse"]["offices"]
    assert denied["denial"]["words"].startswith("Nous n’avons rien trouvé")


def test_an_extension_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    one = said(capsys, "create", "copy", "--channel", "post", "--consumer", "cust-42", "--jurisdiction", "DE")["id"]

    extended = said(capsys, "extend", one, "--reason", "Three branches have to be searched.")

    assert extended["extension"]["reason"] == "Three branches have to be searched."


def test_a_restriction_is_lifted_when_the_consumer_was_told(capsys: pytest.CaptureFixture[str]) -> None:
    one = said(capsys, "create", "restrict", "--channel", "post", "--consumer", "cust-42")["id"]
    said(capsys, "fulfil", one)

    lifted = said(capsys, "lift", one, "--told", "By letter.")

    assert lifted["effects"]["restricted"] is False


def test_each_address_of_a_removal_is_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    url = "https://forum.example/1?page=2"
    one = said(
        capsys, "create", "minor-content-removal", "--channel", "email", "--email", "ann@mail.example", "--url", url
    )

    said(capsys, "start", one["id"], "--verified", "Her own account.")
    done = said(capsys, "fulfil", one["id"], "--url", f"{url}=removed")

    assert done["detail"]["urls"] == {url: "removed"}


def test_what_can_not_be_done_names_what_can(capsys: pytest.CaptureFixture[str]) -> None:
    one = said(capsys, *POSTED)["id"]

    error = refused(capsys, "fulfil", one)

    assert "nobody has made sure yet who is asking" in error
    assert "now you can acknowledge, verify, start, extend, deny, revoke, hand-over, note" in error or (
        "now you can acknowledge, verify, start, deny, revoke, hand-over, note" in error
    )


@pytest.mark.parametrize(
    "words",
    [
        ("create", "access", "--channel", "widget"),
        ("create", "forget", "--channel", "post"),
        ("create", "access", "--channel", "post", "--received", "yesterday"),
        ("create", "access", "--channel", "post", "--received", "2026-11-02T09:00:00"),
        ("show", "1"),
        ("deny", "01890a5d-ac96-774b-bcce-b302099a8057", "--reason", "no_match"),
        ("deny", "01890a5d-ac96-774b-bcce-b302099a8057", "--grounds", "No."),
        ("extend", "01890a5d-ac96-774b-bcce-b302099a8057"),
        ("lift", "01890a5d-ac96-774b-bcce-b302099a8057"),
        ("fulfil", "01890a5d-ac96-774b-bcce-b302099a8057", "--url", "https://forum.example/1"),
        ("find",),
    ],
)
def test_words_that_lack_something_are_refused_before_anything_is_opened(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["requests", *words, *ON])

    assert ended.value.code == 2
    assert "error: " in capsys.readouterr().err


def test_what_does_not_fit_is_refused_in_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert "name the consumer, or an e-mail address" in refused(capsys, "create", "access", "--channel", "post")
    assert "this is no e-mail address" in refused(capsys, "create", "access", "--channel", "post", "--email", "ann")
    assert "there is no such request" in refused(capsys, "show", "01890a5d-ac96-774b-bcce-b302099a8057")


def fulfilled_copy(capsys: pytest.CaptureFixture[str]) -> str:
    one = str(said(capsys, "create", "copy", "--channel", "phone", "--consumer", "cust-42")["id"])
    said(capsys, "start", one, "--verified", "Called back.")
    said(capsys, "fulfil", one)
    return one


def test_a_fulfilled_copy_says_how_its_zip_is_fetched(capsys: pytest.CaptureFixture[str]) -> None:
    one = fulfilled_copy(capsys)

    shown = told(capsys, "show", one)

    assert f"the zip   sayso-server requests result {one} --brand dealer --out your-data.zip, until " in shown
    assert f"/v1/me/requests/{one}/result" in shown
    objection = said(capsys, "create", "object", "--channel", "phone", "--consumer", "cust-42")["id"]
    assert "the zip" not in told(capsys, "fulfil", objection)


def test_the_zip_of_a_copy_is_written_to_a_new_file_for_its_user_alone(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    one, out = fulfilled_copy(capsys), tmp_path / "your-data.zip"

    assert "give it to nobody but them" in told(capsys, "result", one, "--out", str(out))

    assert out.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(out) as archive:
        assert json.loads(archive.read("sayso.json"))["consumer_id"] == "cust-42"


@pytest.mark.parametrize("there", ["a file", "a link to nothing"])
def test_the_zip_of_a_copy_overwrites_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path, there: str) -> None:
    one, out = fulfilled_copy(capsys), tmp_path / "your-data.zip"
    if there == "a file":
        out.write_text("Mine.")
    else:
        out.symlink_to(tmp_path / "elsewhere")

    assert f"there is a {out} already" in refused(capsys, "result", one, "--out", str(out))

    assert out.read_text() == "Mine." if there == "a file" else not (tmp_path / "elsewhere").exists()


def test_a_zip_that_is_not_there_yet_makes_no_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    one = said(capsys, *POSTED)["id"]

    assert "there is nothing to fetch" in refused(capsys, "result", one, "--out", str(tmp_path / "your-data.zip"))
    assert "can't be written" in refused(capsys, "result", fulfilled_copy(capsys), "--out", "/nowhere/your-data.zip")

    assert not (tmp_path / "your-data.zip").exists()


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


def started_delete(capsys: pytest.CaptureFixture[str]) -> str:
    words = ("create", "delete", "--channel", "email", "--consumer", "cust-42", "--email", "ann@mail.example")
    one = str(said(capsys, *words)["id"])
    said(capsys, "start", one, "--verified", "Her own mail.")
    return one


def test_nothing_is_erased_from_a_script_that_does_not_say_yes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = started_delete(capsys)
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))

    error = refused(capsys, "fulfil", one)

    assert "fulfilling this erases cust-42 for good" in error
    assert "write to them first. Nothing was done; if it is meant, add --yes" in error
    assert said(capsys, "show", one)["state"] == "in_progress"
    assert said(capsys, "fulfil", one, "--yes")["state"] == "fulfilled"


@pytest.mark.parametrize("typed", ["no\n", "\n", ""])
def test_whoever_does_not_type_yes_erases_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    one = started_delete(capsys)
    monkeypatch.setattr("sys.stdin", Terminal(typed))

    assert "nothing was done" in refused(capsys, "fulfil", one)

    assert said(capsys, "show", one)["state"] == "in_progress"


def test_whoever_types_yes_erases_and_has_seen_the_address(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = started_delete(capsys)
    monkeypatch.setattr("sys.stdin", Terminal("yes\n"))

    assert main(["requests", "fulfil", one, *ON]) == 0

    captured = capsys.readouterr()
    assert "The address is: ann@mail.example" in captured.err
    assert "state     fulfilled" in captured.out


def test_a_delete_that_can_not_be_carried_out_is_refused_before_anybody_is_asked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ("create", "delete", "--channel", "email", "--consumer", "cust-42", "--email", "ann@mail.example")
    one = said(capsys, *words)["id"]

    assert "nobody has made sure yet who is asking" in refused(capsys, "fulfil", one)


def test_a_wrong_reason_is_answered_with_the_seven_in_plain_words(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["requests", "deny", "01890a5d-ac96-774b-bcce-b302099a8057", "--reason", "fraud", "--grounds", "No.", *ON])

    error = capsys.readouterr().err
    assert "'suspected_fraud'" in error
    assert "DenialReason" not in error
