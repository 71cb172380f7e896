"""`sayso-server staff`."""

import json
import os
from pathlib import Path

import pytest

from sayso.errors import ConfigurationError
from sayso_server.cli import main
from sayso_server.cli.staff import make_invitation, state_of
from sayso_server.cli.workbench import opened
from sayso_server.storage.sqlite.lock import ServerLock, leave_url, server_url


@pytest.fixture(autouse=True)
def dealer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("KEYS", "HOST", "PORT", "TRUSTED_PROXIES", "LOG_LEVEL"):
        monkeypatch.delenv(f"SAYSO_{name}", raising=False)
    monkeypatch.setenv("SAYSO_DATABASE", f"sqlite:///{tmp_path}/sayso.db")
    monkeypatch.setenv("SAYSO_PUBLIC_URL", "https://privacy.dealer.example")
    assert main(["brand", "create", "dealer", "--name", "Example Motors"]) == 0
    capsys.readouterr()


def ran(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert main(["staff", *words, "--brand", "dealer"]) == code
    out, err = capsys.readouterr()
    return err if code else out


def keys(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    assert main(["key", "list", "--brand", "dealer", "--json"]) == 0
    return [key for key in json.loads(capsys.readouterr().out) if key["classes"] == ["staff"]]


def test_an_invitation_is_a_link_at_the_public_address(capsys):
    link = ran(capsys, "invite", "ann", "--role", "privacy_officer").strip()

    assert link.startswith("https://privacy.dealer.example/invite/dealer.")
    assert json.loads(ran(capsys, "invite", "ann", "--role", "privacy_officer", "--json")).keys() == {"staff", "url"}


def test_a_key_that_signs_for_staff_is_made_once(capsys):
    ran(capsys, "invite", "ann", "--role", "privacy_officer")
    ran(capsys, "invite", "ben", "--role", "agent", "--role", "auditor")

    (key,) = keys(capsys)
    assert (key["roles"], key["unusable"]) == (["admin", "agent", "auditor", "privacy_officer"], None)


def test_a_revoked_key_gets_a_successor_with_the_next_link(capsys):
    ran(capsys, "invite", "ann", "--role", "privacy_officer")
    (key,) = keys(capsys)
    assert main(["key", "revoke", str(key["key_id"]), "--brand", "dealer"]) == 0
    ran(capsys, "link", "ann")

    assert [one["revoked_at"] is None for one in keys(capsys)].count(True) == 1


def test_staff_are_listed_with_their_roles_and_whether_they_are_in(capsys):
    ran(capsys, "invite", "ann", "--role", "privacy_officer")
    ran(capsys, "invite", "ben", "--role", "auditor", "--role", "agent")
    ran(capsys, "revoke", "ben")

    listed = [(one["staff"], one["roles"], one["active"]) for one in json.loads(ran(capsys, "list", "--json"))]
    assert listed == [("ann", ["privacy_officer"], True), ("ben", ["agent", "auditor"], False)]
    assert "revoked" in ran(capsys, "list")


def test_nobody_gets_a_link_who_is_not_staff(capsys):
    said = ran(capsys, "link", "ann", code=2)

    assert "'ann' is no staff of dealer; sayso-server staff invite ann --brand dealer --role ROLE" in said


def test_revoking_nobody_is_said(capsys):
    assert "is no staff of dealer, or was revoked already" in ran(capsys, "revoke", "ann", code=2)


def test_a_name_that_cannot_stand_in_a_token_is_refused(capsys):
    assert "a name is 1 to 128 letters" in ran(capsys, "invite", "Ann Example", "--role", "agent", code=2)


def test_a_person_is_no_backend(capsys):
    with pytest.raises(SystemExit):
        main(["staff", "invite", "ann", "--brand", "dealer", "--role", "backend"])
    assert "invalid choice: 'backend'" in capsys.readouterr().err


def test_without_a_public_address_the_link_is_for_the_server_that_runs_on_the_database(capsys, monkeypatch, tmp_path):
    monkeypatch.delenv("SAYSO_PUBLIC_URL")
    assert main(["staff", "invite", "ann", "--role", "agent", "--brand", "dealer"]) == 0
    link, said = capsys.readouterr()
    assert link.startswith("http://127.0.0.1:8787/invite/dealer.")
    assert "This link is for a server at http://127.0.0.1:8787, as none has run on this database yet." in said
    assert "set SAYSO_PUBLIC_URL to the same as the server's, or give --url" in said

    lock = ServerLock(tmp_path / "sayso.db")
    leave_url(tmp_path / "sayso.db", "https://desk.dealer.example")
    assert main(["staff", "link", "ann", "--brand", "dealer"]) == 0
    link, said = capsys.readouterr()
    with pytest.raises(ConfigurationError, match=f"the process {os.getpid()} is a server on"):
        ServerLock(tmp_path / "sayso.db")
    lock.release()

    assert link.startswith("https://desk.dealer.example/invite/dealer.")
    assert "This link is for" not in said


def test_a_server_that_starts_forgets_where_the_one_before_was(tmp_path):
    lock = ServerLock(tmp_path / "other.db")
    leave_url(tmp_path / "other.db", "http://127.0.0.1:1234")
    assert server_url(tmp_path / "other.db") == "http://127.0.0.1:1234"
    lock.release()

    ServerLock(tmp_path / "other.db").release()

    assert server_url(tmp_path / "other.db") is None


def test_the_address_of_a_link_can_be_given(capsys):
    words = ("invite", "ann", "--role", "agent", "--url", "https://elsewhere.example/")
    assert ran(capsys, *words).startswith("https://elsewhere.example/invite/dealer.")

    assert "--url 'elsewhere'" in ran(capsys, "link", "ann", "--url", "elsewhere", code=2)


async def test_who_was_invited_is_in_once_they_have_used_their_link(tmp_path, capsys):
    async with opened(f"sqlite:///{tmp_path}/sayso.db") as bench:
        token = await make_invitation(bench, "dealer", "ann", ("agent",))
        assert [state_of(one) for one in await bench.services.staff_roll.every("dealer")] == ["invited"]

        await bench.services.staff.sign_in(token)
        assert [state_of(one) for one in await bench.services.staff_roll.every("dealer")] == ["in"]

        await make_invitation(bench, "dealer", "ann", ("auditor",))  # other roles: what was signed in is over
        assert [state_of(one) for one in await bench.services.staff_roll.every("dealer")] == ["invited"]

        await bench.services.staff_roll.revoke("dealer", "ann")
        assert [state_of(one) for one in await bench.services.staff_roll.every("dealer")] == ["revoked"]


def test_the_list_says_who_was_only_invited(capsys):
    ran(capsys, "invite", "ann", "--role", "privacy_officer")

    assert ran(capsys, "list").splitlines()[1].split()[-1] == "invited"
    assert json.loads(ran(capsys, "list", "--json"))[0]["signed_in"] is False
