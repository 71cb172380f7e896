"""`sayso outbox`: what waits and what was parked, without a server and without a key."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pytest

import sayso
from sayso.cli import main
from sayso.local.outbox.pick import Pick

NOWHERE = "http://127.0.0.1:1"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    tmp_path.chmod(0o700)
    return tmp_path / "outbox.db"


@pytest.fixture
def run(file: Path, monkeypatch, capsys):
    for name in ("SAYSO_URL", "SAYSO_KEY_ID", "SAYSO_SECRET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SAYSO_OUTBOX", str(file))

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["outbox", *arguments])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


@pytest.fixture
def fill(file: Path, secret: str, make_client):
    """Fills the outbox through a client whose server is away."""

    async def fill() -> sayso.Client:
        privacy = make_client(url=NOWHERE, outbox=file, time_box=timedelta(milliseconds=100))
        ann = privacy.consumer("cust-42")
        await ann.deny("channel:sms", evidence={"kind": "transcript", "ref": "chat-7"})
        await ann.grant("purpose:marketing", shown="en")
        return privacy

    return fill


@pytest.fixture
def filled(fill) -> None:
    async def fill_and_close() -> None:
        await (await fill()).aclose()

    asyncio.run(fill_and_close())


@pytest.mark.usefixtures("filled")
def test_what_waits_is_listed_oldest_first(run) -> None:
    code, out, err = run("list")

    head, first, second = out.splitlines()
    assert (code, err) == (0, "")
    assert head.split() == ["id", "state", "why", "kind", "consumer", "topic", "answer", "made"]
    assert first.split()[:7] == ["1", "pending", "-", "choice", "cust-42", "channel:sms", "denied"]
    assert second.split()[:7] == ["2", "pending", "-", "choice", "cust-42", "purpose:marketing", "granted"]
    assert first.endswith(" UTC")


@pytest.mark.usefixtures("filled")
def test_json_and_export_have_everything(run, file: Path, monkeypatch) -> None:
    listed, exported = run("list", "--json"), run("export")
    assert listed == exported
    first = json.loads(exported[1])[0]
    assert first["topic"] == "channel:sms"
    assert first["body"]["evidence"] == {"kind": "transcript", "ref": "chat-7"}
    assert first["made_at"].endswith("Z")

    monkeypatch.delenv("SAYSO_OUTBOX")
    assert run("list", "--json", "--outbox", str(file)) == listed


async def test_what_was_parked_is_sent_again(run, fill, file: Path) -> None:
    privacy = await fill()
    rows = await privacy._outbox.batch(Pick(500, 10**6))
    await privacy._outbox.park(rows, "unknown_topic", "no such topic")

    assert "parked" in (await asyncio.to_thread(run, "list"))[1]
    assert await asyncio.to_thread(run, "retry", "7") == (
        2,
        "",
        "sayso: nothing is parked under 7; see `sayso outbox list`\n",
    )
    assert (await asyncio.to_thread(run, "retry", "2"))[:2] == (
        0,
        "1 will be sent again by the client that uses this outbox\n",
    )
    assert privacy.pending == 0
    await privacy._outbox.refresh()
    assert privacy.pending == 1
    assert (await asyncio.to_thread(run, "retry"))[:2] == (
        0,
        "1 will be sent again by the client that uses this outbox\n",
    )
    assert (await asyncio.to_thread(run, "retry"))[:2] == (0, "nothing is parked\n")
    await privacy.aclose()


def test_an_outbox_that_is_not_there_is_an_error_and_not_made(run, file: Path) -> None:
    code, out, err = run("list")

    assert (code, out) == (2, "")
    assert "there is no outbox at" in err
    assert list(file.parent.iterdir()) == []


def test_which_outbox_must_be_said(run, monkeypatch) -> None:
    monkeypatch.delenv("SAYSO_OUTBOX")

    assert run("list")[0] == 2


@pytest.mark.usefixtures("diary")
def test_some_other_file_is_no_outbox(run, file: Path) -> None:
    code, out, err = run("list")

    assert (code, out) == (2, "")
    assert err == f"sayso: {file} is no outbox but some other file; name one in SAYSO_OUTBOX that is Sayso's own\n"
    assert file.read_bytes() == b"dear diary"


@pytest.fixture
def diary(file: Path) -> None:
    file.write_bytes(b"dear diary")
    file.chmod(0o600)


@pytest.mark.usefixtures("diary")
async def test_of_a_file_that_is_no_outbox_command_and_client_say_the_same_in_either_order(
    run, file: Path, make_client
) -> None:
    before = (await asyncio.to_thread(run, "list"))[2]
    privacy = make_client(url=NOWHERE, outbox=file)
    with pytest.raises(sayso.ConfigurationError) as caught:
        await privacy.start()
    await privacy.aclose()

    assert before == f"sayso: {caught.value}\n"
    assert (await asyncio.to_thread(run, "list"))[2] == before


@pytest.mark.usefixtures("filled")
def test_an_outbox_that_is_damaged_is_not_called_some_other_file(run, file: Path) -> None:
    file.write_bytes(b"dear diary" * 1_000)

    assert "the client that uses it mends it when it next opens it" in run("list")[2]


def test_a_command_that_gets_no_answer_keeps_it_for_the_next_client(
    file: Path, secret: str, monkeypatch, capsys, server
) -> None:
    monkeypatch.setattr("sayso.cli.commands.PATIENCE", timedelta(milliseconds=100))
    for name, value in (("URL", NOWHERE), ("KEY_ID", "dealer.k1"), ("SECRET", secret), ("OUTBOX", str(file))):
        monkeypatch.setenv(f"SAYSO_{name}", value)
    code = main(["withdraw", "cust-42", "channel:sms"])
    printed = capsys.readouterr()
    assert code == 0
    assert printed.out.splitlines()[0].split() == ["pending", "channel:sms"]
    assert "connection refused: nothing listens at 127.0.0.1:1" in printed.err
    assert "it is kept in the outbox" in printed.err

    monkeypatch.delenv("SAYSO_OUTBOX")  # without one, a command keeps nothing: it would end with it
    assert main(["withdraw", "cust-42", "channel:sms"]) == 2
    assert "connection refused" in capsys.readouterr().err


def test_a_command_whose_key_is_refused_says_what_the_server_answered_and_what_mends_it(
    file: Path, secret: str, monkeypatch, capsys, server
) -> None:
    server.from_now_on(401)
    for name, value in (("URL", server.url), ("KEY_ID", "dealer.k1"), ("SECRET", secret), ("OUTBOX", str(file))):
        monkeypatch.setenv(f"SAYSO_{name}", value)

    code = main(["withdraw", "cust-42", "channel:sms"])

    told = capsys.readouterr().err
    assert code == 0
    assert "the server answers 401 http_401" in told
    assert "`sayso-server key list --brand ID`" in told
    assert "it is kept in the outbox" in told
    assert "no answer" not in told
