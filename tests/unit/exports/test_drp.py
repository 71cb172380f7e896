"""Rights requests in the protocol's words."""

from datetime import datetime

import pytest

from sayso.exports.drp import (
    EXERCISES,
    STATUSES,
    DrpError,
    agent_request_id,
    status_callback,
    to_request,
    to_status,
)
from sayso.model.deadline import RequestKind
from sayso.model.request import DenialReason, RequestState

ID = "019abcde-0000-7000-8000-000000000001"
ANN = {"drp.version": "1.0", "exercise": "deletion", "regime": "ccpa", "name": "Ann", "email": "ann@mail.example"}


def asked(**claims):
    return to_request({**ANN, **claims}, ID)


@pytest.mark.parametrize(
    ("exercise", "kind"),
    [
        ("access", "access"),
        ("access:categories", "access"),
        ("access:specific", "access"),
        ("deletion", "delete"),
        ("sale:opt-out", "sale-opt-out"),
        ("sale:opt_out", "sale-opt-out"),
    ],
)
def test_each_right_has_its_kind(exercise, kind):
    assert asked(exercise=exercise).kind == RequestKind(kind)


def test_a_request_carries_who_it_is_for_and_what_the_agent_attests():
    found = asked(
        phone_number="+12025550142",
        email_verified=True,
        phone_number_verified=False,
        relationships=["customer", "marketing"],
        power_of_attorney="https://agent.example/poa/1",
        address={"street_address": "1 Main Street", "locality": "Springfield", "region": "CA", "country": "US"},
    )

    assert (found.id, found.channel, found.jurisdiction) == (ID, "drp", "US-CA")
    assert found.contact.model_dump() == {
        "name": "Ann",
        "email": "ann@mail.example",
        "phone": "+12025550142",
        "address": "1 Main Street\nSpringfield\nCA\nUS",
    }
    assert found.detail.text == (
        "Data Rights Protocol: deletion. Verified by the agent: email. Relationships: customer, marketing. "
        "Power of attorney: https://agent.example/poa/1"
    )
    assert found.consumer_id is None


@pytest.mark.parametrize(
    ("claims", "jurisdiction"),
    [
        ({"regime": "ccpa", "address": {"country": "US", "region": "NY"}}, "US-CA"),
        ({"regime": "voluntary"}, None),
        ({"regime": None}, None),
        ({"regime": None, "address": {"country": "us", "region": "ny"}}, "US-NY"),
        ({"regime": None, "address": {"country": "US", "region": "New York"}}, "US"),
        ({"regime": None, "address": {"country": "Germany"}}, None),
        ({"regime": None, "address": "1 Main Street"}, None),
    ],
)
def test_the_regime_or_else_the_address_says_where_somebody_lives(claims, jurisdiction):
    assert asked(**claims).jurisdiction == jurisdiction


@pytest.mark.parametrize(
    ("address", "lines"),
    [
        ("1 Main Street", "1 Main Street"),
        ({"formatted": "1 Main Street\nSpringfield"}, "1 Main Street\nSpringfield"),
        ({"locality": "Springfield", "postal_code": "62701"}, "62701 Springfield"),
        ({}, None),
        (None, None),
    ],
)
def test_an_address_is_written_in_lines(address, lines):
    assert asked(address=address).contact.address == lines


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"drp.version": "0.4"}, "drp.version"),
        ({"drp.version": None}, "drp.version"),
        ({"exercise": "sale:opt-in"}, "exercise: this rights action is not supported"),
        ({"exercise": "rectification"}, "exercise"),
        ({"exercise": ["access"]}, "exercise"),
        ({"exercise": None}, "exercise"),
        ({"regime": "gdpr"}, "regime"),
        ({"regime": ["ccpa"]}, "regime"),
        ({"email": "nowhere"}, "email: the value does not fit"),
        ({"phone_number": 12025550142}, "phone_number: the value does not fit"),
        ({"address": "x" * 501, "name": ""}, "address, name: the value does not fit"),
    ],
)
def test_what_does_not_fit_is_named_and_never_quoted(claims, said):
    with pytest.raises(DrpError) as refused:
        asked(**claims)

    assert str(refused.value).startswith(said)
    assert "nowhere" not in str(refused.value)


def test_an_agents_own_id_and_callback_are_texts_or_left_out():
    assert (agent_request_id({}), status_callback({})) == (None, None)
    assert agent_request_id({"agent-request-id": "a-1"}) == "a-1"
    assert status_callback({"status_callback": "https://agent.example/news"}) == "https://agent.example/news"
    for wrong in ("", "x" * 201, 7):
        with pytest.raises(DrpError, match="agent-request-id"):
            agent_request_id({"agent-request-id": wrong})
    for wrong in ("http://agent.example", "https://user@agent.example/", "news", 7, "https://" + "x" * 500):
        with pytest.raises(DrpError, match="status_callback"):
            status_callback({"status_callback": wrong})


def shown(state, **others):
    return {
        "id": ID,
        "state": state,
        "received_at": "2026-11-24T12:00:00.123456Z",
        "deadlines": {"respond_by": "2026-12-24T23:59:59.000000Z"},
        **others,
    }


def status(state, **others):
    return to_status(shown(state, **others), agent_request_id=None, verification_url="https://privacy.example/rights")


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("received", ("open", None)),
        ("acknowledged", ("in_progress", None)),
        ("awaiting_verification", ("in_progress", "need_user_verification")),
        ("in_progress", ("in_progress", None)),
        ("extended", ("in_progress", None)),
        ("fulfilled", ("fulfilled", None)),
        ("revoked", ("revoked", None)),
        ("expired", ("expired", None)),
    ],
)
def test_each_state_has_its_status(state, expected):
    found = status(state)

    assert (found["status"], found["reason"]) == expected


@pytest.mark.parametrize("reason", DenialReason)
def test_a_denial_has_one_of_the_seven_reasons_and_says_why_in_words(reason):
    found = status("denied", denial={"reason": reason.value, "words": "We found nothing. You can complain."})

    assert (found["status"], found["reason"]) == ("denied", reason.value)
    assert found["processing_details"] == "We found nothing. You can complain."


def test_every_state_and_right_is_in_the_maps():
    assert set(STATUSES) == set(RequestState)
    assert set(EXERCISES.values()) == {RequestKind.ACCESS, RequestKind.DELETE, RequestKind.SALE_OPT_OUT}


def test_a_new_request_is_open_with_nothing_that_an_old_reader_would_stumble_over():
    found = status("received")

    assert found == {
        "request_id": ID,
        "received_at": "2026-11-24T12:00:00+00:00",
        "expected_by": "2026-12-24T23:59:59+00:00",
        "status": "open",
        "reason": None,
    }
    assert datetime.fromisoformat(found["received_at"]).utcoffset() is not None


def test_an_extension_moves_the_date_and_says_why():
    found = status("extended", extension={"reason": "It takes longer.", "until": "2027-02-22T23:59:59.000000Z"})

    assert found["expected_by"] == "2027-02-22T23:59:59+00:00"
    assert found["processing_details"] == "It takes longer."


def test_who_has_to_show_who_they_are_is_told_where_and_until_when():
    found = status(
        "awaiting_verification",
        verify_until="2026-12-24T12:00:00.000000Z",
        events=[{"ask": "Your order number."}, {"ask": "A code that we sent you."}, {"transition": "note"}],
    )

    assert found["user_verification_url"] == "https://privacy.example/rights"
    assert found["expires_at"] == "2026-12-24T12:00:00+00:00"
    assert found["processing_details"] == "A code that we sent you."


def test_a_fulfilled_request_hands_no_data_to_the_agent():
    found = status("fulfilled", result_until="2027-01-01T00:00:00Z")

    assert "results_url" not in found
    assert found["processing_details"] == "The answer goes to the consumer."
    assert status("fulfilled", answer="All is gone.")["processing_details"] == "All is gone."


def test_the_agents_own_id_comes_back():
    found = to_status(shown("received"), agent_request_id="a-1", verification_url=None)

    assert found["agent_request_id"] == "a-1"
