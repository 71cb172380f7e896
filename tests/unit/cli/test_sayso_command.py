import json
import os
import re
import subprocess
import sys

import jwt
import pytest

from sayso.cli import main
from sayso.cli.output import clean


@pytest.fixture
def run(server, secret, monkeypatch, capsys):
    monkeypatch.setenv("SAYSO_URL", server.url)
    monkeypatch.setenv("SAYSO_KEY_ID", "dealer.k1")
    monkeypatch.setenv("SAYSO_SECRET", secret)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def test_check_answers_with_its_exit_code_and_a_sentence(run, server) -> None:
    server.granted.add("channel:sms")

    allowed = run("check", "cust-42", "channel:sms")
    refused = run("check", "cust-42", "purpose:marketing", "--language", "es")

    assert (allowed[0], refused[0]) == (0, 1)
    assert allowed[1].startswith("“Channel:Sms” is allowed: ")
    assert refused[1].startswith("«Tema» no está permitido: ")
    assert allowed[2] == refused[2] == ""


def test_check_asks_about_a_device(run, server) -> None:
    run("check", "cust-42", "permission:location", "--device", "pixel-8")

    assert server.asked[0].body["checks"][0]["device_id"] == "pixel-8"


def test_check_in_an_outage_is_an_error_and_not_the_consumers_no(run, server) -> None:
    server.from_now_on(503)

    code, out, err = run("check", "cust-42", "channel:sms", "--json")

    assert code == 2
    assert json.loads(out)["reason"] == "unavailable"
    assert err.startswith("sayso: the server can't answer now (HTTP 503)")


def test_check_says_why_there_is_no_answer(run, server, monkeypatch) -> None:
    monkeypatch.setenv("SAYSO_URL", "http://127.0.0.1:1")

    code, _, err = run("check", "cust-42", "channel:sms")

    assert code == 2
    assert "connection refused: nothing listens at 127.0.0.1:1; check the host and port in SAYSO_URL" in err


def test_decide_shows_what_decided(run, server) -> None:
    server.granted.add("channel:sms")
    server.answers["channel:sms"] = "granted"

    code, out, _ = run("decide", "cust-42", "channel:sms", "--as-of", "2026-11-23T19:00:00Z")

    assert code == 0
    assert out.splitlines()[:5] == [
        "topic    channel:sms",
        "allowed  yes",
        "reason   granted",
        "answer   granted",
        "made at  2026-11-23 19:00:00 UTC",
    ]
    assert out.splitlines()[-1].startswith("“Channel:Sms” is allowed: ")
    assert server.asked[0].body["checks"][0]["as_of"] == "2026-11-23T19:00:00.000000Z"


def test_decide_as_json_has_the_facts(run, server) -> None:
    code, out, _ = run("decide", "cust-42", "channel:sms", "--json")

    decision = json.loads(out)
    assert code == 0
    assert (decision["allowed"], decision["reason"], decision["consumer_id"]) == (False, "not_asked", "cust-42")
    assert decision["explanation"].startswith("“Channel:Sms” is not allowed: ")


def _past(version: int, **more) -> dict:
    return {
        "id": f"c-{version}",
        "consumer_id": "cust-42",
        "topic": "channel:sms",
        "answer": "denied",
        "version": version,
        "made_at": "2026-11-23T19:00:00Z",
        "recorded_at": "2026-11-23T19:00:00Z",
        "effective_at": "2026-11-23T19:00:00Z",
        "method": "sms",
        **more,
    }


def test_history_is_a_table(run, server) -> None:
    server.then(200, {"choices": [_past(12, actor="consumer"), _past(3, notice={"version": 2})]})

    code, out, _ = run("history", "cust-42")

    assert code == 0
    assert out.splitlines() == [
        "version  recorded                 topic        answer  method  actor     notice",
        "12       2026-11-23 19:00:00 UTC  channel:sms  denied  sms     consumer  -",
        "3        2026-11-23 19:00:00 UTC  channel:sms  denied  sms     -         2",
    ]


def test_history_may_be_limited_and_be_json(run, server) -> None:
    server.then(200, {"choices": [_past(2), _past(1)]})

    _, out, _ = run("history", "cust-42", "--limit", "1", "--json")

    assert json.loads(out) == [_past(2)]


def test_an_empty_history_says_so(run, server) -> None:
    server.then(200, {"choices": []})

    assert run("history", "cust-42") == (0, "nothing recorded\n", "")


def test_token_prints_a_token_and_nothing_else(run, server, secret) -> None:
    code, out, _ = run("token", "cust-42", "--origin", "https://dealer.example", "--origin", "app", "--minutes", "10")

    claims = jwt.decode(out.strip(), secret, algorithms=["HS256"], audience="sayso")
    assert code == 0
    assert claims["sub"] == "cust-42"
    assert claims["origins"] == ["https://dealer.example", "app"]
    assert claims["exp"] - claims["iat"] == 600
    assert server.asked == []


def test_grant_and_withdraw_record(run, server) -> None:
    call = ("--method", "phone", "--evidence", "call_recording=2026-11-23/17")
    granted = run("grant", "cust-42", "channel:sms", "--shown", "en", *call, "--days", "30")
    withdrawn = run("withdraw", "cust-42", "channel:sms", "--json")

    choices = [asked.body["choices"][0] for asked in server.asked if asked.path == "/v1/choices"]
    assert [(one["answer"], one["method"]) for one in choices] == [("granted", "phone"), ("withdrawn", "api")]
    assert choices[0]["notice"] == {"language": "en"}
    assert choices[0]["evidence"] == {"kind": "call_recording", "ref": "2026-11-23/17"}
    assert "expires_at" in choices[0]
    assert granted[0] == withdrawn[0] == 0
    assert granted[1].splitlines()[0] == "recorded     channel:sms"
    assert "allowed now  yes" in granted[1].splitlines()
    assert json.loads(withdrawn[1])["reason"] == "withdrawn"


def test_a_refusal_of_the_server_is_one_line_with_the_remedy(run, server) -> None:
    wrong = {"pointer": "/choices/0/topic", "code": "unknown_topic", "message": "did you mean channel:sms?"}
    server.then(200, server.snapshot("cust-42"))
    server.then_problem(422, "unknown_topic", errors=[wrong], request_id="r-1")

    code, out, err = run("grant", "cust-42", "channel:smss", "--shown", "en")

    assert (code, out) == (2, "")
    assert err == "sayso: /choices/0/topic: did you mean channel:sms? [unknown_topic, request r-1]\n"


def test_a_key_that_is_not_accepted_is_an_error_also_for_check(run, server) -> None:
    server.then_problem(401, "token_invalid", "The token is not accepted.")

    code, _, err = run("check", "cust-42", "channel:sms")

    assert (code, err) == (2, "sayso: The token is not accepted. [token_invalid]\n")


def test_a_missing_setting_is_named(run, monkeypatch) -> None:
    monkeypatch.delenv("SAYSO_SECRET")

    code, _, err = run("check", "cust-42", "channel:sms")

    assert code == 2
    assert err.startswith("sayso: SAYSO_SECRET is not set. ")
    assert len(err.splitlines()) == 1


def test_an_id_that_will_not_do_is_told_with_advice(run) -> None:
    code, _, err = run("check", "ann@dealer.example", "channel:sms")

    assert code == 2
    assert "sayso.pseudonym" in err
    assert "ann@" not in err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["check", "cust-42"],
        ["grant", "cust-42", "channel:sms"],
        ["history", "cust-42", "--limit", "0"],
        ["decide", "cust-42", "channel:sms", "--as-of", "yesterday"],
        ["decide", "cust-42", "channel:sms", "--as-of", "2026-11-23T19:00:00"],
        ["token", "cust-42"],
        ["grant", "cust-42", "channel:sms", "--shown", "en", "--method", "pigeon"],
        ["grant", "cust-42", "channel:sms", "--shown", "en", "--days", "9999999999"],
    ],
)
def test_a_wrong_command_line_is_an_error(run, capsys, arguments) -> None:
    with pytest.raises(SystemExit) as caught:
        run(*arguments)

    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("usage: sayso")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("plain", "plain"),
        ("ünïcode 日本", "ünïcode 日本"),
        ("\x1b[31mred\x1b[0m\r\n", "[31mred[0m"),
        ("abc\u202edef\u2066ghi\u200f", "abcdefghi"),
        ("a\u2028b\u2029c\x9b", "abc"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        (None, "-"),
        (True, "yes"),
        (False, "no"),
    ],
)
def test_nothing_in_data_can_steer_a_terminal(value, shown: str) -> None:
    assert clean(value) == shown


def test_hostile_data_is_harmless_in_a_table_and_whole_in_json(run, server) -> None:
    hostile = "channel:sms\x1b]0;owned\x07\u202e"
    server.then(200, {"choices": [_past(1, topic=hostile)]})
    server.then(200, {"choices": [_past(1, topic=hostile)]})

    _, table, _ = run("history", "cust-42")
    _, as_json, _ = run("history", "cust-42", "--json")

    assert "channel:sms]0;owned" in table
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", table + as_json)
    assert json.loads(as_json)[0]["topic"] == hostile


def test_a_table_for_a_terminal_shows_data_as_it_is(run, server, monkeypatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "160")
    server.then(200, {"choices": [_past(1, topic="[bold]channel:sms[/bold]")]})

    _, out, _ = run("history", "cust-42")

    assert "[bold]channel:sms[/bold]" in out
    assert "recorded" in out


def test_it_runs_as_a_module_and_ends_quietly_when_nobody_reads_on(server, secret) -> None:
    server.then(200, {"choices": [_past(version) for version in range(2000, 0, -1)]})
    environment = {**os.environ, "SAYSO_URL": server.url, "SAYSO_KEY_ID": "dealer.k1", "SAYSO_SECRET": secret}

    with subprocess.Popen(
        [sys.executable, "-m", "sayso", "history", "cust-42", "--limit", "2000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b"version  recorded")
        process.stdout.close()
        complaints = process.stderr.read()
        process.wait(20)

    assert complaints == b""
