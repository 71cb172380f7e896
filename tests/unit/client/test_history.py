from datetime import UTC, datetime

import pytest

import sayso
from sayso.client.history import next_query


def _choice(version: int, **more) -> dict:
    return {
        "id": f"id-{version}",
        "consumer_id": "cust-42",
        "topic": "channel:sms",
        "answer": "denied",
        "version": version,
        "made_at": "2026-11-23T18:59:00.000000Z",
        "recorded_at": "2026-11-23T19:00:00.000000Z",
        "effective_at": "2026-11-23T18:59:30.000000Z",
        "method": "sms",
        **more,
    }


def _page(server, *versions: int, link: str | None = None) -> None:
    headers = {"Link": link} if link else {}
    server.then(200, {"choices": [_choice(version) for version in versions]}, headers=headers)


async def test_pages_are_followed_to_the_end(privacy, server) -> None:
    _page(server, 5, 4, link='</v1/consumers/cust-42/choices?before=4>; rel="next"')
    _page(server, 3, 2, link='<https://elsewhere.example/v1/x?before=2>; rel="next"')
    _page(server, 1)

    versions = [choice.version async for choice in privacy.consumer("cust-42").history()]

    assert versions == [5, 4, 3, 2, 1]
    assert [asked.query for asked in server.asked] == ["", "before=4", "before=2"]
    assert set(server.paths) == {"GET /v1/consumers/cust-42/choices"}


async def test_a_limit_fetches_no_more_pages_than_it_needs(privacy, server) -> None:
    _page(server, 5, 4, link='</v1/x?before=4>; rel="next"')

    versions = [choice.version async for choice in privacy.consumer("cust-42").history(limit=2)]

    assert versions == [5, 4]
    assert len(server.asked) == 1


async def test_a_limit_may_end_within_a_page(privacy, server) -> None:
    _page(server, 5, 4, 3)

    assert [choice.version async for choice in privacy.consumer("cust-42").history(1)] == [5]


async def test_an_entry_has_what_was_recorded(privacy, server) -> None:
    more = {
        "actor": "consumer",
        "based_on": 2,
        "notice": {"language": "en", "version": 4},
        "expires_at": "2027-01-01T00:00:00.000000Z",
        "device_id": "pixel-8",
        "jurisdiction": "US-CA",
        "recorded_by": {"key": "dealer.k1", "class": "backend"},
        "evidence": {"kind": "sms"},
    }
    server.then(200, {"choices": [_choice(3, **more)]})

    (choice,) = [choice async for choice in privacy.consumer("cust-42").history()]

    assert (choice.id, choice.topic, choice.answer, choice.method) == ("id-3", "channel:sms", "denied", "sms")
    assert choice.made_at == datetime(2026, 11, 23, 18, 59, tzinfo=UTC)
    assert choice.effective_at == datetime(2026, 11, 23, 18, 59, 30, tzinfo=UTC)
    assert choice.expires_at == datetime(2027, 1, 1, tzinfo=UTC)
    assert (choice.actor, choice.based_on, choice.notice_version, choice.notice_language) == ("consumer", 2, 4, "en")
    assert (choice.device_id, choice.jurisdiction) == ("pixel-8", "US-CA")
    assert choice.recorded_by == {"key": "dealer.k1", "class": "backend"}
    assert choice.raw["evidence"] == {"kind": "sms"}


async def test_pages_that_never_end_are_an_outage(privacy, server) -> None:
    _page(server, 5, link='</v1/x?before=4>; rel="next"')
    _page(server, 5, link='</v1/x?before=4>; rel="next"')

    with pytest.raises(sayso.UnavailableError):
        [choice async for choice in privacy.consumer("cust-42").history()]


@pytest.mark.parametrize(
    ("link", "query"),
    [
        ("", None),
        ('</v1/x?before=4>; rel="next"', "before=4"),
        ("</v1/x?before=4>; rel=next", "before=4"),
        ('</v1/x?a=1>; rel="prev", </v1/x?before=4&x=%2F>; title="a"; rel="next"', "before=4&x=%2F"),
        ('</v1/x?a=1>; rel="prev"', None),
    ],
)
def test_the_next_page_is_read_from_the_link_header(link: str, query: str | None) -> None:
    assert next_query(link) == query


@pytest.mark.parametrize("link", ["</v1/x>; rel=next", "</v1/x?a b>; rel=next", "</v1/x?a'b>; rel=next"])
def test_a_next_page_without_a_usable_query_is_refused(link: str) -> None:
    with pytest.raises(ValueError, match="without a usable query"):
        next_query(link)


async def test_a_number_that_a_refusal_claimed_is_read_however_large(privacy, server) -> None:
    server.then(200, {"choices": [_choice(1, based_on_sent=10**400, notice={})]})

    assert [choice.version async for choice in privacy.consumer("cust-42").history()] == [1]
