"""Working a rights request: every state, transition and role, and what the transitions do."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from sayso.model.ids import new_anonymous_id
from sayso.model.request import TRANSITION_BODIES, RequestState, Transition
from sayso.wire import TokenClass
from sayso_server.app import SERVICES
from sayso_server.services.caller import Caller
from sayso_server.services.refusals import RefusedError
from sayso_server.services.request_record import REQUEST, read_record, write_record
from sayso_server.storage.base import DocumentWrites

if TYPE_CHECKING:
    from tests.server.conftest import Answered, Brand, World

OFFICER = {
    "received": "acknowledge verify start extend fulfil deny revoke hand-over note",
    "acknowledged": "verify start extend fulfil deny revoke hand-over note",
    "awaiting_verification": "start extend deny revoke hand-over note",
    "in_progress": "verify extend fulfil deny revoke hand-over note",
    "extended": "verify fulfil deny revoke hand-over note",
    "fulfilled": "",
    "denied": "",
    "revoked": "",
    "expired": "",
}
BACKEND = {
    "received": "acknowledge verify start fulfil revoke note",
    "acknowledged": "verify start fulfil revoke note",
    "awaiting_verification": "start revoke note",
    "in_progress": "verify fulfil revoke note",
    "extended": "verify fulfil revoke note",
    "fulfilled": "",
    "denied": "",
    "revoked": "",
    "expired": "",
}
CLOSED = ("fulfilled", "denied", "revoked", "expired")
TAKE_BACK = {state: "" if state in CLOSED else "revoke" for state in OFFICER}
NOTHING = dict.fromkeys(OFFICER, "")
TABLE = {
    "backend": BACKEND,
    "officer": OFFICER,
    "officer's backend": OFFICER,
    "consumer": TAKE_BACK,
    "link": TAKE_BACK,
    "agent": NOTHING,
    "auditor": NOTHING,
    "admin": NOTHING,
}
LEADS_TO = {
    "acknowledge": "acknowledged",
    "verify": "awaiting_verification",
    "start": "in_progress",
    "extend": "extended",
    "fulfil": "fulfilled",
    "deny": "denied",
    "revoke": "revoked",
}
NEVER = {
    "backend": {"extend", "deny", "hand-over", "lift"},
    "officer": set(),
    "officer's backend": set(),
    "consumer": set(Transition) - {"revoke"},
    "link": set(Transition) - {"revoke"},
    "agent": set(Transition),
    "auditor": set(Transition),
    "admin": set(Transition),
}
BODIES: dict[str, dict[str, Any]] = {
    "extend": {"reason": "Three branches have to be searched."},
    "deny": {"reason": "no_match", "grounds": "There is nothing under this address."},
    "hand-over": {"to": "platform"},
    "lift": {"told": "By letter of 20 November."},
}


def callers(brand: str) -> dict[str, Caller]:
    def one(token_class: TokenClass | None, *roles: str, subject: str | None = None) -> Caller:
        return Caller(brand, "key", token_class, subject, roles=frozenset(roles))

    return {
        "backend": one(TokenClass.BACKEND, "backend"),
        "officer": one(TokenClass.STAFF, "privacy_officer", subject="ann"),
        "officer's backend": one(TokenClass.BACKEND, "privacy_officer"),
        "consumer": one(TokenClass.CONSUMER, subject="cust-42"),
        "link": Caller.by_link(brand, "rights"),
        "agent": one(TokenClass.STAFF, "agent", subject="ben"),
        "auditor": one(TokenClass.BACKEND, "auditor"),
        "admin": one(TokenClass.BACKEND, "admin"),
    }


async def filed(brand: Brand, kind: str = "access", **members: Any) -> dict[str, Any]:
    body = {"kind": kind, "consumer_id": "cust-42", "jurisdiction": "DE"} | members
    answer = await brand.call("POST", "/v1/requests", json=body)
    assert answer.status == 201, answer.body
    return dict(answer.json)


async def put(brand: Brand, request_id: str, state: str) -> None:
    """Bring a request into a state, whatever was done with it before."""
    storage, now = brand.world.storage, brand.world.clock.now()
    stored = await storage.document(brand.id, REQUEST, request_id)
    assert stored is not None
    record = read_record(stored)
    record.state = RequestState.AWAITING_VERIFICATION if state == "expired" else RequestState(state)
    record.verified = {"how": "by hand", "at": now, "by": {}}
    record.verify_until = now if state == "expired" else now + 1
    record.extension = {"reason": "late", "at": now, "until": now} if state == "extended" else None
    changed = write_record(record, stored.marks, timedelta(days=731))
    await storage.change_documents(brand.id, [], lambda _, __: (DocumentWrites(put=(changed,)), None))


async def act(brand: Brand, request_id: str, transition: str, **body: Any) -> Answered:
    path = f"/v1/requests/{request_id}/{transition}"
    return await brand.desk("POST", path, scope="privacy_officer", json=body)


async def done(brand: Brand, request_id: str, transition: str, **body: Any) -> dict[str, Any]:
    answer = await act(brand, request_id, transition, **body)
    assert answer.status == 200, answer.body
    return dict(answer.json)


@pytest.mark.parametrize(("role", "state"), [(role, state) for role in TABLE for state in OFFICER])
async def test_every_transition_is_made_where_the_table_has_it_and_else_names_those_that_can_be(
    dealer: Brand, role: str, state: str
) -> None:
    requests = dealer.world.app[SERVICES].requests
    caller = callers(dealer.id)[role]
    request = await filed(dealer)
    can = TABLE[role][state].split()

    for transition in Transition:
        await put(dealer, request["id"], state)
        body = TRANSITION_BODIES[transition].model_validate_json(json_of(BODIES.get(transition, {})))
        if transition in can:
            changed = await requests.act(caller, request["id"], transition, body)
            assert changed["state"] == LEADS_TO.get(transition, state)
        else:
            with pytest.raises(RefusedError) as refused:
                await requests.act(caller, request["id"], transition, body)
            assert refused.value.members == {"legal": can}
            never = transition in NEVER[role]
            assert (refused.value.status, refused.value.code) == (
                (403, "not_yours") if never else (409, "transition_illegal")
            )


def json_of(body: dict[str, Any]) -> str:
    import json

    return json.dumps(body)


@pytest.mark.parametrize(
    ("token", "transition", "status", "code", "legal"),
    [
        ("backend", "deny", 403, "not_yours", BACKEND["received"].split()),
        ("auditor", "start", 403, "not_yours", []),
        ("admin", "start", 403, "not_yours", []),
        ("privacy_officer", "lift", 409, "transition_illegal", OFFICER["received"].split()),
    ],
)
async def test_the_answer_names_what_can_be_done(
    dealer: Brand, *, token: str, transition: str, status: int, code: str, legal: list[str]
) -> None:
    request = await filed(dealer)

    answer = await dealer.call(
        "POST",
        f"/v1/requests/{request['id']}/{transition}",
        token=dealer.backend(token),
        json=BODIES.get(transition, {}),
    )

    assert (answer.status, answer.code, answer.json["legal"]) == (status, code, legal)


async def test_an_agent_is_told_on_the_wire_that_there_is_nothing_to_do(dealer: Brand) -> None:
    request = await filed(dealer)

    answer = await dealer.desk("POST", f"/v1/requests/{request['id']}/start", json={})

    assert (answer.status, answer.code, answer.json["legal"]) == (403, "not_yours", [])


@pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])
async def test_a_request_goes_all_the_way(dealer: Brand) -> None:
    request = await filed(dealer, "copy", contact={"email": "ann@mail.example"})
    one = request["id"]

    states = [
        (await done(dealer, one, "acknowledge", note="By mail."))["state"],
        (await done(dealer, one, "verify", ask="The number on your last bill."))["state"],
        (await done(dealer, one, "start", verified="The number was right."))["state"],
        (await done(dealer, one, "extend", reason="Three branches have to be searched."))["state"],
        (await done(dealer, one, "fulfil", answer="Here it is."))["state"],
    ]

    assert states == ["acknowledged", "awaiting_verification", "in_progress", "extended", "fulfilled"]
    shown = (await dealer.call("GET", f"/v1/requests/{one}")).json
    assert [event["transition"] for event in shown["events"]] == [
        "file",
        "acknowledge",
        "verify",
        "start",
        "extend",
        "fulfil",
    ]
    assert (shown["answer"], shown["due_at"], shown["days_left"]) == ("Here it is.", None, None)
    assert shown["verified"]["how"] == "The number was right."


async def test_every_transition_leaves_a_line_in_the_audit_without_anybodys_words(dealer: Brand) -> None:
    request = await filed(dealer, "copy", contact={"email": "ann@mail.example"}, detail={"text": "Alles, bitte."})
    await done(dealer, request["id"], "acknowledge", note="A kind letter.")
    await done(dealer, request["id"], "deny", **BODIES["deny"])

    lines = (await dealer.call("GET", "/v1/audit", token=dealer.backend("auditor"))).json["audit"]

    mine = [line for line in lines if line.get("request") == request["id"]]
    assert [(line["event"], line["from"], line["to"]) for line in mine] == [
        ("request.deny", "acknowledged", "denied"),
        ("request.acknowledge", "received", "acknowledged"),
        ("request.filed", None, "received"),
    ]
    assert [line["by"].get("staff") for line in mine] == ["ann", "ann", None]
    for word in ("letter", "bitte", "mail.example", "nothing under"):
        assert word not in str(lines)


async def test_who_was_asked_and_never_answered_finds_the_request_expired_and_still_there(
    dealer: Brand, world: World
) -> None:
    request = await filed(dealer, "delete")
    shown = await done(dealer, request["id"], "verify", within_days=10)
    assert shown["verify_until"] == "2026-12-03T19:00:00.000000Z"

    world.clock.forward(timedelta(days=10))

    shown = (await dealer.call("GET", f"/v1/requests/{request['id']}")).json
    assert (shown["state"], shown["due_at"], shown["legal"]) == ("expired", None, [])
    assert (shown["events"][-1]["transition"], shown["events"][-1]["by"]) == ("expire", {"class": "time"})
    answer = await act(dealer, request["id"], "start", verified="Too late.")
    assert (answer.status, answer.code, answer.json["legal"]) == (409, "transition_illegal", [])
    listed = {state: await listed_ids(dealer, state) for state in ("open", "closed", "expired")}
    assert listed == {"open": [], "closed": [request["id"]], "expired": [request["id"]]}


async def listed_ids(brand: Brand, state: str) -> list[str]:
    answer = await brand.call("GET", f"/v1/requests?state={state}")
    return [entry["id"] for entry in answer.json["requests"]]


async def test_the_sweep_closes_what_has_expired_and_says_so_in_the_audit(dealer: Brand, world: World) -> None:
    request = await filed(dealer, "delete")
    await done(dealer, request["id"], "verify")
    requests = world.app[SERVICES].requests
    assert await requests.expire() == 0
    world.clock.forward(timedelta(days=30))
    before = (await dealer.call("GET", f"/v1/requests/{request['id']}")).json

    assert await requests.expire() == 1
    assert await requests.expire() == 0

    assert (await dealer.call("GET", f"/v1/requests/{request['id']}")).json == before
    lines = (await dealer.call("GET", "/v1/audit", token=dealer.backend("auditor"))).json["audit"]
    assert (lines[0]["event"], lines[0]["by"]) == ("request.expire", {"class": "time"})


async def test_a_request_is_extended_once_and_says_why(dealer: Brand) -> None:
    request = await filed(dealer)
    assert request["deadlines"]["laws"] == ["policy", "gdpr"]

    extended = await done(dealer, request["id"], "extend", reason="Three branches have to be searched.")

    assert extended["extension"] == {
        "reason": "Three branches have to be searched.",
        "at": "2026-11-23T19:00:00.000000Z",
        "until": "2027-02-23T23:59:59.000000Z",
    }
    assert extended["due_at"] == "2027-02-23T23:59:59.000000Z"
    assert "extend" not in extended["legal"]


async def test_an_extension_needs_a_reason_and_comes_in_time(dealer: Brand, world: World) -> None:
    request = await filed(dealer)

    answer = await act(dealer, request["id"], "extend")
    assert answer.problems == [("/reason", "missing_member")]
    world.clock.forward(timedelta(days=31))
    answer = await act(dealer, request["id"], "extend", reason="Too late for that.")

    assert (answer.status, answer.code) == (409, "transition_illegal")
    assert "extend" not in answer.json["legal"]


async def test_an_answer_is_not_put_off_where_a_law_allows_none(dealer: Brand) -> None:
    request = await filed(dealer, jurisdiction="CA-QC")

    assert request["deadlines"]["extended_until"] is None
    assert (await act(dealer, request["id"], "extend", reason="We would like to.")).status == 409


async def test_a_denial_says_why_and_whom_to_turn_to(dealer: Brand) -> None:
    request = await filed(dealer, language="es")

    denied = await done(dealer, request["id"], "deny", reason="no_match", grounds="No consta nada con ese correo.")

    denial = denied["denial"]
    assert (denial["reason"], denial["grounds"]) == ("no_match", "No consta nada con ese correo.")
    assert denial["recourse"]["offices"] != []
    assert denial["recourse"]["url"].startswith("https://")
    assert denial["words"].startswith("No hemos encontrado nada sobre usted con los datos que nos dio. No consta nada")
    own = (await dealer.page("GET", f"/v1/me/requests/{request['id']}")).json
    assert own["denial"] == denial


async def test_a_law_that_bars_the_grounds_is_named_in_their_place_and_the_reason_stays_untold(dealer: Brand) -> None:
    request = await filed(dealer)

    denied = await done(dealer, request["id"], "deny", reason="suspected_fraud", barred_by="GwG § 47")

    assert denied["denial"]["barred_by"] == "GwG § 47"
    own = (await dealer.page("GET", f"/v1/me/requests/{request['id']}")).json
    assert "GwG § 47" in own["denial"]["words"]
    assert "suspected_fraud" not in str(own)
    assert "believe that this request does not come" not in str(own)


@pytest.mark.parametrize(
    ("body", "problems"),
    [
        ({"grounds": "Because."}, [("/reason", "missing_member")]),
        ({"reason": "no_match"}, [("/grounds", "missing_member")]),
        ({"reason": "no_match", "grounds": "Because.", "barred_by": "A law"}, [("/barred_by", "invalid_value")]),
        ({"reason": "too_late", "grounds": "Because."}, [("/reason", "invalid_value")]),
        ({"reason": "no_match", "grounds": "Because.", "fee": 20}, [("/fee", "unknown_member")]),
    ],
)
async def test_a_denial_without_its_reason_or_grounds_is_refused(
    dealer: Brand, body: dict[str, Any], problems: list[tuple[str, str]]
) -> None:
    request = await filed(dealer)

    answer = await act(dealer, request["id"], "deny", **body)

    assert (answer.status, answer.problems) == (422, problems)
    assert (await dealer.call("GET", f"/v1/requests/{request['id']}")).json["state"] == "received"


async def test_an_opt_out_is_not_denied_for_want_of_proof(dealer: Brand) -> None:
    request = await filed(dealer, "sale-opt-out", jurisdiction="US-CA")

    answer = await act(dealer, request["id"], "deny", reason="insuf_verification", grounds="We asked for a passport.")

    assert answer.problems == [("/reason", "invalid_value")]
    assert "verify" not in request["legal"]


async def test_handing_over_changes_who_holds_it_and_never_the_clock(dealer: Brand) -> None:
    request = await filed(dealer)

    handed = await done(dealer, request["id"], "hand-over", to="platform", note="They run the chat.")

    assert (request["held_by"], handed["held_by"]) == ("brand", "platform")
    assert (handed["state"], handed["due_at"]) == ("received", request["due_at"])
    assert (handed["events"][-1]["held_by"], handed["events"][-1]["note"]) == ("platform", "They run the chat.")


async def test_a_consumer_sees_no_names_of_staff_and_none_of_their_remarks(dealer: Brand) -> None:
    request = await filed(dealer)
    await done(dealer, request["id"], "acknowledge", note="Knows the boss.")

    answer = await dealer.page("GET", f"/v1/me/requests/{request['id']}")

    assert answer.json["events"][-1] == {
        "at": "2026-11-23T19:00:00.000000Z",
        "transition": "acknowledge",
        "from": "received",
        "to": "acknowledged",
        "by": {"key": dealer.keys["all"][0].key_id, "class": "staff", "origin": "https://privacy.example"},
    }
    assert b"Knows the boss" not in answer.body


async def test_two_officers_make_a_transition_once(dealer: Brand) -> None:
    import asyncio

    request = await filed(dealer)

    answers = await asyncio.gather(*(act(dealer, request["id"], "acknowledge") for _ in range(5)))

    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409, 409]
    shown = (await dealer.call("GET", f"/v1/requests/{request['id']}")).json
    assert [event["transition"] for event in shown["events"]] == ["file", "acknowledge"]


async def test_a_visitors_own_token_says_nothing_for_the_account_that_they_become(dealer: Brand) -> None:
    visitor = new_anonymous_id()
    await dealer.say("purpose:marketing", "granted")
    request = (await dealer.page("POST", "/v1/me/requests", json={"kind": "delete"}, sub=visitor)).json
    assert request["verified"]["how"] == "the consumer's own token"
    linked = await dealer.call("POST", "/v1/consumers/cust-42/links", json={"anonymous_id": visitor})
    assert linked.status == 201

    refused = await act(dealer, request["id"], "fulfil")

    assert (refused.status, refused.code) == (409, "verification_needed")
    assert "fulfil" not in refused.json["legal"]
    assert await dealer.reason("purpose:marketing") == "granted"
    await done(dealer, request["id"], "start", verified="Her passport.")
    await done(dealer, request["id"], "fulfil")
    assert await dealer.reason("purpose:marketing") == "erased"


async def test_a_body_of_another_transition_is_refused(dealer: Brand) -> None:
    request = await filed(dealer)

    answer = await act(dealer, request["id"], "acknowledge", reason="no_match")

    assert answer.problems == [("/reason", "unknown_member")]


async def test_there_is_no_transition_of_another_name(dealer: Brand) -> None:
    request = await filed(dealer)

    assert (await act(dealer, request["id"], "expire")).status == 404
    assert (await dealer.page("POST", f"/v1/me/requests/{request['id']}/fulfil", json={})).status == 404


@pytest.mark.parametrize("request_id", ["01890a5d-ac96-774b-bcce-b302099a8057", "none", "..", "%00"])
async def test_a_request_that_is_none_is_not_found(dealer: Brand, request_id: str) -> None:
    answer = await dealer.call("POST", f"/v1/requests/{request_id}/start", json={})

    assert answer.status == 404


async def test_another_brands_request_is_as_if_it_were_none(dealer: Brand, shop: Brand) -> None:
    request = await filed(shop)

    for method, path in (("GET", ""), ("POST", "/start"), ("GET", "/result")):
        answer = await dealer.call(method, f"/v1/requests/{request['id']}{path}", json={} if method == "POST" else None)
        assert (answer.status, answer.code) == (404, "no_request")
    assert await listed_ids(dealer, "open") == []
