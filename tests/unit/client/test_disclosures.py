"""Reading a consumer's hand-overs back."""

from datetime import UTC, datetime
from typing import Any

import pytest

import sayso
from sayso.cli import main


def _entry(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"0198f3a0-0000-7000-8000-0000000000d{number}",
        "consumer_id": "cust-42",
        "partner": "vinsolutions",
        "flow": "share",
        "answer": "send_redacted",
        "fields_sent": ["vehicle", "name"],
        "fields_held_back": ["comments"],
        "at": "2026-11-23T18:59:58.000000Z",
        "recorded_at": "2026-11-23T19:00:00.000000Z",
        "recorded_by": {"key": "dealer.k1", "class": "backend"},
        "a_member_of_a_later_release": {"x": 1},
        **more,
    }


def _page(server: Any, *numbers: int, link: str | None = None) -> None:
    headers = {"Link": link} if link else {}
    server.then(200, {"disclosures": [_entry(number) for number in numbers]}, headers=headers)


async def test_pages_are_followed_to_the_end_newest_first(privacy: sayso.Client, server: Any) -> None:
    _page(server, 5, 4, link='</v1/disclosures?consumer=cust%2B42&before=40>; rel="next"')
    _page(server, 3)

    found = await privacy.consumer("cust+42").disclosures()

    assert [one.id[-1] for one in found] == ["5", "4", "3"]
    assert set(server.paths) == {"GET /v1/disclosures"}
    assert [asked.query for asked in server.asked] == ["consumer=cust%2B42", "consumer=cust%2B42&before=40"]


async def test_a_limit_fetches_no_more_pages_than_it_needs_and_may_end_within_one(
    privacy: sayso.Client, server: Any
) -> None:
    _page(server, 5, 4, link='</v1/disclosures?consumer=cust-42&before=40>; rel="next"')

    assert [one.id[-1] for one in await privacy.consumer("cust-42").disclosures(limit=1)] == ["5"]
    assert len(server.asked) == 1
    assert await privacy.consumer("cust-42").disclosures(limit=0) == []
    assert len(server.asked) == 1


async def test_a_disclosure_has_what_was_recorded(privacy: sayso.Client, server: Any) -> None:
    sent = _entry(1, outcome="handed_over", choice_id="0198f3a0-0000-7000-8000-000000000001", reason="granted")
    unknown = _entry(2, answer="send", fields_sent=None, fields_held_back=None)
    server.then(200, {"disclosures": [sent, unknown]})

    first, second = await privacy.consumer("cust-42").disclosures()

    assert (first.partner, first.flow, first.answer, first.outcome) == (
        "vinsolutions",
        "share",
        "send_redacted",
        "handed_over",
    )
    assert (first.fields_sent, first.fields_held_back) == (("vehicle", "name"), ("comments",))
    assert (first.at, first.recorded_at) == (
        datetime(2026, 11, 23, 18, 59, 58, tzinfo=UTC),
        datetime(2026, 11, 23, 19, 0, tzinfo=UTC),
    )
    assert (first.choice_id, first.reason) == ("0198f3a0-0000-7000-8000-000000000001", "granted")
    assert first.recorded_by == {"key": "dealer.k1", "class": "backend"}
    assert first.raw == sent
    assert (second.fields_sent, second.fields_held_back, second.outcome) == (None, None, None)


@pytest.mark.parametrize(
    "answer",
    [
        {"disclosures": [{"id": "x"}]},
        {"disclosures": None},
        {},
    ],
)
async def test_an_answer_that_is_none_is_an_error(privacy: sayso.Client, server: Any, answer: Any) -> None:
    server.then(200, answer)

    with pytest.raises(sayso.UnavailableError):
        await privacy.consumer("cust-42").disclosures()


async def test_pages_that_never_end_are_an_error(privacy: sayso.Client, server: Any) -> None:
    link = '</v1/disclosures?consumer=cust-42>; rel="next"'
    server.from_now_on(200, {"disclosures": [_entry(1)]}, headers={"Link": link})

    with pytest.raises(sayso.UnavailableError):
        await privacy.consumer("cust-42").disclosures()


def test_synchronous_code_has_it_too(make_client: Any, server: Any) -> None:
    _page(server, 1)

    with make_client().sync() as privacy:
        assert [one.partner for one in privacy.consumer("cust-42").disclosures()] == ["vinsolutions"]


def test_the_command_lists_them(
    server: Any, secret: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in (("URL", server.url), ("KEY_ID", "dealer.k1"), ("SECRET", secret)):
        monkeypatch.setenv(f"SAYSO_{name}", value)
    server.then(200, {"disclosures": [_entry(1, reason="granted"), _entry(2, fields_sent=[], fields_held_back=None)]})
    server.then(200, {"disclosures": []})

    assert main(["disclosures", "cust-42"]) == 0
    _, first, second = capsys.readouterr().out.splitlines()
    assert " ".join(first.split()) == (
        "2026-11-23 18:59:58 UTC vinsolutions share send_redacted vehicle, name comments - granted"
    )
    assert " ".join(second.split()) == "2026-11-23 18:59:58 UTC vinsolutions share send_redacted - not known - -"
    assert main(["disclosures", "cust-42"]) == 0
    assert capsys.readouterr().out == "nothing handed over\n"
