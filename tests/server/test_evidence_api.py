"""Grants that nobody saw being made: an import's, an agent's, one on the phone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.server.conftest import Brand

IMPORTED = {
    "kind": "newsletter_form",
    "wording": "Yes, send me offers.",
    "date": "2019-05-25",
    "source": "mailing list of 2019",
}


def without(*names: str) -> dict[str, str]:
    return {name: value for name, value in IMPORTED.items() if name not in names}


async def test_an_imported_grant_with_its_original_wording_date_and_source_counts(dealer: Brand) -> None:
    recorded = await dealer.say("channel:sms", "granted", method="import", evidence=IMPORTED)
    assert recorded["allowed"] is True
    history = (await dealer.call("GET", "/v1/consumers/cust-42/choices")).json["choices"]
    assert history[0]["evidence"] == IMPORTED


@pytest.mark.parametrize(
    ("evidence", "missing"),
    [
        (None, ["wording", "date", "source"]),
        (without("wording"), ["wording"]),
        (without("date", "source"), ["date", "source"]),
    ],
)
async def test_an_imported_grant_without_them_is_none_and_says_what_is_missing(
    dealer: Brand, make_choice: Any, evidence: dict[str, str] | None, missing: list[str]
) -> None:
    more = {} if evidence is None else {"evidence": evidence}
    async with dealer.world.nothing_stored():
        refused = await dealer.post(make_choice("channel:sms", "granted", method="import", **more))
    assert refused.status == 422
    assert refused.problems == [(f"/choices/0/evidence/{name}", "evidence_required") for name in missing]


@pytest.mark.parametrize(
    ("day", "code"),
    [("2019-02-30", "invalid_value"), ("25.05.2019", "invalid_value"), ("2026-11-25", "from_the_future")],
)
async def test_the_day_of_an_imported_grant_is_one_that_was(
    dealer: Brand, make_choice: Any, day: str, code: str
) -> None:
    refused = await dealer.post(
        make_choice("channel:sms", "granted", method="import", evidence=IMPORTED | {"date": day})
    )
    assert (refused.status, refused.problems) == (422, [("/choices/0/evidence/date", code)])


@pytest.mark.parametrize("method", ["api", "widget", "email", "paper"])
async def test_what_the_brand_itself_says_was_granted_needs_what_an_import_needs(
    dealer: Brand, make_choice: Any, method: str
) -> None:
    bare = make_choice("channel:sms", "granted", method=method, actor="brand")
    async with dealer.world.nothing_stored():
        refused = await dealer.post(bare)

    members = [(f"/choices/0/evidence/{name}", "evidence_required") for name in ("wording", "date", "source")]
    assert (refused.status, refused.problems) == (422, members)
    assert (await dealer.recorded(bare | {"evidence": IMPORTED}))[0]["stands"] is True


@pytest.mark.parametrize(
    ("day", "reason", "ends"), [("2018-05-25", "expired", "2019-05-25"), ("2026-01-31", "granted", "2027-01-31")]
)
async def test_an_imported_grant_is_as_old_as_the_answer_that_it_was(
    dealer: Brand, day: str, reason: str, ends: str
) -> None:
    # Grants of the topic end after 365 days, wherever they were kept.
    await dealer.say("purpose:training", "granted", method="import", evidence=IMPORTED | {"date": day})

    told = (await dealer.preferences())["topics"]["purpose:training"]

    assert (told["reason"], told["expires_at"][:10]) == (reason, ends)


async def test_an_import_without_a_notice_is_no_consent_whatever_its_evidence(dealer: Brand, make_choice: Any) -> None:
    choice = make_choice("channel:sms", "granted", method="import", evidence=IMPORTED)
    del choice["notice"]
    assert (await dealer.post(choice)).problems == [("/choices/0/notice", "notice_required")]


@pytest.mark.parametrize("method", ["agent", "phone"])
async def test_what_an_agent_took_down_needs_evidence_and_still_decides_nothing(
    dealer: Brand, make_choice: Any, method: str
) -> None:
    refused = await dealer.post(make_choice("channel:sms", "granted", method=method))
    assert (refused.status, refused.problems) == (422, [("/choices/0/evidence", "evidence_required")])

    taken_down = await dealer.say("channel:sms", "granted", method=method, evidence={"kind": "call_recording"})
    assert (taken_down["stands"], taken_down["reason"]) == (False, "not_asked")

    confirmed = await dealer.say("channel:sms", "granted", method="sms")
    assert (confirmed["stands"], confirmed["reason"]) == (True, "granted")


async def test_staff_need_it_too_whatever_the_method(dealer: Brand, make_choice: Any) -> None:
    choice = make_choice("channel:sms", "granted", method="paper")
    refused = await dealer.desk("POST", "/v1/choices", json={"choices": [choice]})
    assert refused.problems == [("/choices/0/evidence", "evidence_required")]


@pytest.mark.parametrize("method", ["import", "agent", "phone"])
async def test_a_refusal_needs_none(dealer: Brand, method: str) -> None:
    assert (await dealer.say("channel:sms", "denied", method=method))["reason"] == "denied"


async def test_a_grant_from_use_silence_or_scrolling_can_not_even_be_said(dealer: Brand, make_choice: Any) -> None:
    for method in ("use", "silence", "scroll", "implied", "default"):
        refused = await dealer.post(make_choice("channel:sms", "granted", method=method))
        assert (refused.status, refused.problems) == (422, [("/choices/0/method", "invalid_value")])


async def test_what_an_earlier_release_took_without_evidence_is_answered_as_before_when_it_is_sent_again(
    dealer: Brand, make_choice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    choice = make_choice("channel:sms", "granted", method="import")
    with monkeypatch.context() as earlier:
        earlier.setattr("sayso_server.services.admission.about_evidence", lambda *_: ())
        (first,) = await dealer.recorded(choice)

    (again,) = await dealer.recorded(choice)

    assert again == {**first, "replayed": True}
