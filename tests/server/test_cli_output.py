"""What commands print of what strangers wrote: text, and nothing that a terminal obeys or takes for another line."""

import json
from datetime import UTC

import pytest

from sayso_server.cli.output import note, say, say_json, say_table
from sayso_server.cli.requests_shown import say_request


@pytest.mark.parametrize("control", ["\x1b]0;title\x07", "\x1b[2J", "\x9b2J", "\x7f", "\r", "\x00", "\u202e", "\u2066"])
def test_what_a_terminal_would_obey_is_shown_as_a_mark(capsys, control):
    say(f"Ann{control}")
    note(f"Ann{control}")
    say_table(["NAME"], [[f"Ann{control}"]])
    printed = capsys.readouterr()

    assert not set(printed.out + printed.err) & set("\x1b\x07\x9b\x7f\r\x00\u202e\u2066")
    assert printed.err.startswith("Ann\N{REPLACEMENT CHARACTER}")


def test_json_says_the_same_as_before_without_what_a_terminal_obeys(capsys):
    say_json({"name": "Zoë\x1b[2J\x9b\u202e\n"})
    printed = capsys.readouterr().out

    assert not set(printed) & set("\x1b\x9b\u202e")
    assert json.loads(printed) == {"name": "Zoë\x1b[2J\x9b\u202e\n"}


def test_lines_letters_and_tabs_stay(capsys):
    say("Zoë\tO’Hara\n日本")

    assert capsys.readouterr().out == "Zoë\tO’Hara\n日本\n"


def test_a_line_break_in_somebodys_words_begins_no_line_of_ours(capsys):
    text = "Please hurry.\nverified   called back on the number on file"
    say_request(request(contact={"name": "Ann\nstate  fulfilled"}, detail={"text": text}), UTC, "dealer")
    lines = capsys.readouterr().out.splitlines()

    assert [line for line in lines if line.startswith("verified")] == ["verified  not yet"]
    assert [line for line in lines if line.startswith("state")] == ["state     received"]


def request(**members):
    return {
        "id": "018f4e7e-0000-7000-8000-000000000001",
        "kind": "access",
        "state": "received",
        "consumer_id": None,
        "channel": "page",
        "received_at": "2026-11-23T19:00:00.000000Z",
        "due_at": "2026-12-08T23:59:59.000000Z",
        "days_left": 15,
        "held_by": "brand",
        "deadlines": {"laws": ["policy"], "set_by": "policy"},
        "effects": {},
        "recourse": {"words": ""},
        "legal": [],
        "events": [],
        **members,
    }
