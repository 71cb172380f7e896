"""Authorized agents file, ask about and take back rights requests by the Data Rights Protocol 1.0."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sayso.exports.drp_message import sign_message
from sayso_server.app import SERVICES

Brand = Answered = Any  # of conftest.py

START = datetime(2026, 11, 23, 19, tzinfo=UTC)
REQUESTS = "/v1/data-rights-request"
TESTS = {"key": "tests", "class": "operator"}
STATUS_MEMBERS = {
    "request_id",
    "received_at",
    "expected_by",
    "status",
    "reason",
    "agent_request_id",
    "processing_details",
    "user_verification_url",
    "expires_at",
}


async def officer(dealer: Brand, request_id: str, transition: str, **body: Any) -> None:
    path = f"/v1/requests/{request_id}/{transition}"
    answer = await dealer.call("POST", path, token=dealer.backend("privacy_officer"), json=body)
    assert answer.status == 200, answer.body


def is_refused(answer: Answered) -> bool:
    """403, and not a byte that says why."""
    return answer.status == 403 and answer.body == b"" and "Content-Type" not in answer.headers


@pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])
async def test_a_signed_message_files_a_request_that_officers_find_in_their_queue(agency, dealer):
    answer = await agency.exercise(**{"agent-request-id": "a-1"})

    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json == {
        "request_id": answer.json["request_id"],
        "received_at": "2026-11-23T19:00:00+00:00",
        "expected_by": "2026-12-23T23:59:59+00:00",
        "status": "open",
        "reason": None,
        "agent_request_id": "a-1",
    }
    queue = await dealer.call("GET", "/v1/requests", token=dealer.backend("privacy_officer"))
    (request,) = queue.json["requests"]
    assert request["id"] == answer.json["request_id"]
    assert (request["kind"], request["channel"], request["jurisdiction"]) == ("delete", "drp", "US-CA")
    assert request["contact"] == {"name": "Ann", "email": "ann@mail.example"}
    assert request["detail"]["text"] == "Data Rights Protocol: deletion. Verified by the agent: email."
    assert request["filed_by"] == {"key": "link:drp:AN_AGENT", "class": "link"}
    # Receipt has to be confirmed within 10 business days: 26 November is Thanksgiving.
    assert request["deadlines"]["acknowledge_by"] == "2026-12-08T23:59:59.000000Z"


CONFORMANCE = [
    (exercise, regime)
    for exercise in ("access", "access:categories", "access:specific", "deletion", "sale:opt-out", "sale:opt_out")
    for regime in ("ccpa", "voluntary", None)
]


@pytest.mark.parametrize(("exercise", "regime"), CONFORMANCE)
async def test_the_answer_to_every_right_under_every_regime_is_an_exercise_status(agency, exercise, regime):
    answer = await agency.exercise(exercise=exercise, regime=regime)
    said = answer.json

    assert answer.status == 200
    assert set(said) <= STATUS_MEMBERS
    assert isinstance(said["request_id"], str)
    assert said["request_id"]
    assert said["status"] == "open"
    assert said["reason"] is None
    for member in ("received_at", "expected_by"):
        assert datetime.fromisoformat(said[member]).utcoffset() == timedelta(0)
        assert said[member].endswith("+00:00")
    assert datetime.fromisoformat(said["received_at"]) == START
    assert datetime.fromisoformat(said["expected_by"]) <= datetime(2026, 12, 23, 23, 59, 59, tzinfo=UTC)
    again = await agency.status(said["request_id"])
    assert (again.status, again.json) == (200, said)


async def test_an_opt_out_of_sale_is_due_after_15_business_days(agency):
    answer = await agency.exercise(exercise="sale:opt-out")

    # 24 and 25 November, then 27: the 26th is Thanksgiving.
    assert answer.json["expected_by"] == "2026-12-15T23:59:59+00:00"


@pytest.mark.parametrize(
    "changes",
    [
        {"agent-id": "ANOTHER"},
        {"agent-id": None},
        {"business-id": "ANOTHER"},
        {"business-id": None},
        {"issued-at": "2026-11-23T19:00:00+00:00"},
        {"issued-at": "2026-11-23T19:00:00.5+00:00"},
        {"issued-at": None},
        {"expires-at": "2026-11-23T19:00:00+00:00"},
        {"expires-at": "2026-11-23T18:59:00+00:00"},
        {"expires-at": None},
    ],
)
async def test_a_message_that_fails_a_check_is_answered_with_nothing_but_403(agency, changes):
    assert is_refused(await agency.exercise(**changes))


async def test_a_message_signed_with_another_key_is_not_accepted(agency):
    assert is_refused(await agency.exercise(key=Ed25519PrivateKey.generate()))


@pytest.mark.parametrize("message", [b"", b"%%%", b"e30=", base64.b64encode(b"{}" * 40)])
async def test_a_message_that_is_none_is_not_accepted(agency, message):
    assert is_refused(await agency.send("POST", REQUESTS, message))


@pytest.mark.parametrize("token", [None, "", "dealer", "dealer." + "a" * 43, "nowhere." + "a" * 43])
async def test_without_an_agents_token_nothing_is_accepted(agency, token):
    message = sign_message(agency.claims(), agency.key.sign)

    assert is_refused(await agency.send("POST", REQUESTS, message, token=token))
    assert is_refused(await agency.send("GET", f"{REQUESTS}/x", token=token))
    assert is_refused(await agency.send("GET", "/v1/agent/AN_AGENT", token=token))


async def test_a_brands_own_token_is_no_agents(agency, dealer):
    message = sign_message(agency.claims(), agency.key.sign)

    assert is_refused(await agency.send("POST", REQUESTS, message, token=dealer.backend()))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"exercise": "sale:opt-in"}, "exercise: this rights action is not supported"),
        ({"regime": "gdpr"}, "regime: "),
        ({"drp.version": "0.4"}, "drp.version: "),
        ({"email": "nowhere"}, "email: "),
        ({"status_callback": "http://agent.example"}, "status_callback: "),
        ({"agent-request-id": 7}, "agent-request-id: "),
    ],
)
async def test_a_good_message_that_asks_for_what_can_t_be_done_is_told_what(agency, changes, said):
    answer = await agency.exercise(**changes)

    assert answer.status == 400
    assert answer.headers["Content-Type"] == "application/json"
    assert set(answer.json) == {"code", "message"}
    assert answer.json["code"] == "400"
    assert answer.json["message"].startswith(said)


async def test_a_request_by_which_nobody_could_be_found_or_answered_is_told_so(agency):
    answer = await agency.exercise(email=None)

    assert answer.status == 422
    assert answer.json["code"] == "422"
    assert "e-mail address" in answer.json["message"]


async def test_another_type_of_body_is_told_which_is_wanted(agency):
    message = sign_message(agency.claims(), agency.key.sign)
    answer = await agency.send("POST", REQUESTS, message, headers={"Content-Type": "application/json"})

    assert (answer.status, answer.json["code"]) == (415, "415")
    assert "text/plain" in answer.json["message"]


async def test_the_same_message_again_files_nothing_twice(agency, dealer):
    message = sign_message(agency.claims(), agency.key.sign)
    first, second = [await agency.send("POST", REQUESTS, message) for _ in range(2)]
    queue = await dealer.call("GET", "/v1/requests", token=dealer.backend("privacy_officer"))

    assert first.json == second.json
    assert len(queue.json["requests"]) == 1


async def test_an_agents_own_id_stands_for_one_request(agency):
    first = await agency.exercise(**{"agent-request-id": "a-1"})
    agency.world.clock.forward(timedelta(minutes=1))
    again = await agency.exercise(**{"agent-request-id": "a-1"})
    other = await agency.exercise(**{"agent-request-id": "a-1", "exercise": "access"})

    assert again.json == first.json
    assert other.status == 422
    assert other.json["message"] == "agent-request-id: this one was used for another request"


async def test_the_same_id_of_two_agents_stands_for_two_requests(agency):
    other = await agency.another("ANOTHER")
    ids = [(await one.exercise(**{"agent-request-id": "a-1"})).json["request_id"] for one in (agency, other)]

    assert ids[0] != ids[1]


async def test_an_agent_sees_its_own_requests_only(agency, dealer):
    other = await agency.another("ANOTHER")
    request_id = (await agency.exercise()).json["request_id"]
    own = {"kind": "access", "channel": "api", "consumer_id": "cust-42"}
    brands = (await dealer.call("POST", "/v1/requests", json=own)).json["id"]

    assert is_refused(await other.status(request_id))
    assert is_refused(await other.revoke(request_id))
    assert is_refused(await agency.status(brands))
    assert is_refused(await agency.status("nothing"))
    assert (await agency.status(request_id)).status == 200


async def test_what_officers_do_shows_in_the_status(agency, dealer):
    request_id = (await agency.exercise(exercise="access")).json["request_id"]
    found = []
    for transition, body in (
        ("acknowledge", {}),
        ("verify", {"ask": "Your order number."}),
        ("start", {"verified": "order number", "consumer_id": "cust-42"}),
        ("extend", {"reason": "There is much to look through."}),
        ("fulfil", {}),
    ):
        await officer(dealer, request_id, transition, **body)
        found.append((await agency.status(request_id)).json)

    assert [(status["status"], status["reason"]) for status in found] == [
        ("in_progress", None),
        ("in_progress", "need_user_verification"),
        ("in_progress", None),
        ("in_progress", None),
        ("fulfilled", None),
    ]
    assert all(set(status) <= STATUS_MEMBERS for status in found)
    assert found[1]["user_verification_url"] == "https://privacy.example/rights"
    assert found[1]["expires_at"] == "2026-12-23T19:00:00+00:00"
    assert found[3]["expected_by"] == "2027-02-21T23:59:59+00:00"
    assert found[3]["processing_details"] == "There is much to look through."
    assert "results_url" not in found[4]


@pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])
async def test_a_deletion_that_is_carried_out_erases_the_consumer_and_the_agent_still_hears_of_it(agency, dealer):
    await dealer.say("channel:sms", "denied")
    request_id = (await agency.exercise(exercise="deletion")).json["request_id"]
    await officer(dealer, request_id, "start", verified="power of attorney", consumer_id="cust-42")
    await officer(dealer, request_id, "fulfil")
    status = await agency.status(request_id)

    assert (status.status, status.json["status"], status.json["reason"]) == (200, "fulfilled", None)
    assert await dealer.reason("channel:sms") == "erased"


@pytest.mark.parametrize(
    "reason",
    [
        "suspected_fraud",
        "insuf_verification",
        "no_match",
        "claim_not_covered",
        "outside_jurisdiction",
        "too_many_requests",
        "other",
    ],
)
async def test_each_of_the_seven_reasons_of_a_denial_reaches_the_agent(agency, dealer, reason):
    request_id = (await agency.exercise()).json["request_id"]
    await officer(dealer, request_id, "deny", reason=reason, grounds="The address is unknown.")
    status = (await agency.status(request_id)).json

    assert (status["status"], status["reason"]) == ("denied", reason)
    assert "The address is unknown." in status["processing_details"]
    assert "https://cppa.ca.gov/webapplications/complaint" in status["processing_details"]


async def test_a_request_that_nobody_verifies_expires(agency, dealer):
    request_id = (await agency.exercise()).json["request_id"]
    await officer(dealer, request_id, "verify", within_days=7)
    agency.world.clock.forward(timedelta(days=7))

    assert (await agency.status(request_id)).json["status"] == "expired"


async def test_a_request_is_taken_back_once_and_stays_so(agency, dealer):
    request_id = (await agency.exercise()).json["request_id"]
    first = await agency.revoke(request_id, reason="I don't want my account deleted")
    second = await agency.revoke(request_id)

    assert (first.status, first.json["status"], first.json["reason"]) == (200, "revoked", None)
    assert second.json == first.json
    assert (await agency.status(request_id)).json["status"] == "revoked"


async def test_a_request_that_was_answered_can_t_be_taken_back(agency, dealer):
    request_id = (await agency.exercise()).json["request_id"]
    await officer(dealer, request_id, "deny", reason="no_match", grounds="The address is unknown.")
    answer = await agency.revoke(request_id)

    assert (answer.status, answer.json["code"]) == (409, "409")


async def test_taking_back_needs_the_agents_signature_and_right_claims_where_it_makes_any(agency):
    request_id = (await agency.exercise()).json["request_id"]
    forged = sign_message({"reason": "none"}, Ed25519PrivateKey.generate().sign)

    assert is_refused(await agency.send("DELETE", f"{REQUESTS}/{request_id}", forged))
    assert is_refused(await agency.revoke(request_id, **{"business-id": "ANOTHER"}))
    assert (await agency.status(request_id)).json["status"] == "open"


@pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])
async def test_a_registered_agent_gets_itself_another_token_and_the_old_one_ends(agency):
    old = agency.token
    answer = await agency.set_up()

    assert answer.status == 200
    assert set(answer.json) == {"agent-id", "token"}
    assert answer.json["agent-id"] == "AN_AGENT"
    assert (await agency.send("GET", "/v1/agent/AN_AGENT", token=answer.json["token"])).json == {}
    assert is_refused(await agency.send("GET", "/v1/agent/AN_AGENT", token=old))


async def test_a_message_for_a_token_works_once_and_none_older_than_it_does(agency):
    assert (await agency.set_up()).status == 200
    assert is_refused(await agency.set_up())
    older = agency.world.clock.text(timedelta(minutes=5))
    assert is_refused(await agency.set_up(**{"issued-at": older}))
    agency.world.clock.forward(timedelta(seconds=1))
    assert (await agency.set_up()).status == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"agent-id": "ANOTHER"},
        {"business-id": "ANOTHER"},
        {"issued-at": "2026-11-23T19:00:01+00:00"},
        {"expires-at": "2026-11-23T18:59:59+00:00"},
    ],
)
async def test_a_token_is_given_only_for_a_message_that_passes_every_check(agency, changes):
    assert is_refused(await agency.set_up(**changes))
    assert (await agency.greet()).status == 200


async def test_nobody_gets_a_token_for_an_agent_that_is_not_registered_or_without_its_key(agency):
    stranger = type(agency)(agency.world, "dealer", "AN_AGENT")

    assert is_refused(await stranger.set_up())
    assert is_refused(await agency.set_up(path="ANOTHER"))
    assert is_refused(await agency.set_up(path="%2e%2e"))


async def test_a_token_says_nothing_about_another_agent(agency):
    assert is_refused(await agency.send("GET", "/v1/agent/ANOTHER"))


async def test_one_agent_of_two_brands_has_a_token_for_each(agency):
    await agency.world.add_brand("shop")
    at_shop = type(agency)(agency.world, "shop", "AN_AGENT")
    at_shop.key = agency.key
    await at_shop.register()
    filed = (await agency.exercise()).json["request_id"]

    assert is_refused(await at_shop.status(filed))
    message = sign_message(agency.claims(), agency.key.sign)
    assert is_refused(await at_shop.send("POST", REQUESTS, message))  # it is for the dealer
    got = await at_shop.set_up()
    assert got.json["token"].startswith("shop.")


async def test_neither_token_nor_address_nor_callback_is_stored_where_it_can_be_read(agency):
    await agency.exercise(status_callback="https://agent.example/news")
    storage = agency.world.storage
    (agent,) = await storage.documents("dealer", "drp-agent", limit=10)
    (token,) = await storage.documents("dealer", "drp-token", limit=10)
    (kept,) = await storage.documents("dealer", "drp-request", limit=10)
    audit = await storage.audit("dealer", before=None, limit=10)

    secret = agency.token.partition(".")[2].encode()
    assert all(secret not in document.body and secret.decode() != document.document_id for document in (agent, token))
    assert json.loads(kept.body) == {
        "agent_id": "AN_AGENT",
        "agent_request_id": None,
        "status_callback": "https://agent.example/news",
    }
    lines = b"\n".join(line.body for line in audit)
    assert b'"drp-agent.added"' in lines
    assert b"ann@mail.example" not in lines
    assert secret not in lines


@pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])
async def test_an_agent_that_is_removed_is_heard_no_more(agency):
    request_id = (await agency.exercise()).json["request_id"]
    agents = agency.world.app[SERVICES].agents
    now = agency.world.clock.now()

    assert await agents.remove("dealer", "AN_AGENT", by=TESTS, now=now)
    assert not await agents.remove("dealer", "AN_AGENT", by=TESTS, now=now)
    assert is_refused(await agency.status(request_id))
    assert is_refused(await agency.exercise())
    assert is_refused(await agency.set_up())


async def test_half_a_surrogate_pair_is_no_text(agency):
    content = json.dumps(agency.claims(**{"agent-request-id": "\ud800"})).encode()
    message = base64.b64encode(agency.key.sign(content) + content)

    assert is_refused(await agency.send("POST", REQUESTS, message))


async def test_a_reason_that_a_law_bars_from_being_told_is_not_told_to_the_agent(agency, dealer):
    request_id = (await agency.exercise()).json["request_id"]
    await officer(dealer, request_id, "deny", reason="suspected_fraud", barred_by="The Act on Ongoing Inquiries, s. 5")

    said = (await agency.status(request_id)).json

    assert (said["status"], said["reason"]) == ("denied", "other")
    assert "Ongoing Inquiries" in said["processing_details"]
