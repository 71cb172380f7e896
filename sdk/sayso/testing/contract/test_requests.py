"""Rights requests: what they stop has stopped, they are filed once, and what can't be done names what can."""

from typing import Any

from sayso.model.ids import new_choice_id
from sayso.testing.contract.wire import Answered, Wire, over_the_wire

ALL = "/v1/requests"


async def file(wire: Wire, kind: str, consumer_id: str, **members: Any) -> Answered:
    return await wire.call("POST", ALL, {"kind": kind, "consumer_id": consumer_id, **members})


async def act(wire: Wire, request: Any, transition: str, **body: Any) -> Answered:
    return await wire.call("POST", f"{ALL}/{request['id']}/{transition}", body)


@over_the_wire
async def test_a_request_is_filed_once_with_its_dates(wire: Wire) -> None:
    ann, request_id = wire.consumer(), new_choice_id()
    first = await file(wire, "access", ann, id=request_id, jurisdiction="DE")
    again = await file(wire, "access", ann, id=request_id, jurisdiction="DE")
    other = await file(wire, "delete", ann, id=request_id, jurisdiction="DE")
    assert (first.status, first.json["replayed"], again.status, again.json["replayed"]) == (201, False, 200, True)
    assert other.problems == [("/id", "id_reused")]
    request = first.json
    assert (request["state"], request["kind"], request["held_by"]) == ("received", "access", "brand")
    assert request["deadlines"]["respond_by"] == request["due_at"]
    assert request["deadlines"]["laws"]
    assert 27 <= request["days_left"] <= 31
    assert request["recourse"]["words"]
    listed = await wire.call("GET", f"{ALL}?consumer={ann}")
    assert [one["id"] for one in listed.json["requests"]] == [request_id]


@over_the_wire
async def test_what_can_not_be_done_names_what_can(wire: Wire) -> None:
    request = (await file(wire, "copy", wire.consumer())).json
    denied = await act(wire, request, "deny", reason="no_match", grounds="Nothing.")
    assert (denied.status, denied.code) == (403, "not_yours")
    assert denied.json["legal"] == ["acknowledge", "verify", "start", "fulfil", "revoke", "note"]
    assert (await act(wire, request, "acknowledge")).json["state"] == "acknowledged"
    assert (await act(wire, request, "revoke")).json["state"] == "revoked"
    late = await act(wire, request, "start")
    assert (late.status, late.code, late.json["legal"]) == (409, "transition_illegal", [])


@over_the_wire
async def test_withdrawing_from_everything_holds_when_it_is_filed(wire: Wire) -> None:
    ann = wire.consumer()
    assert await wire.reason(ann, "purpose:analytics") == "default"
    filed = await file(wire, "withdraw-all", ann)
    assert filed.json["effects"]["refused"] == ["*"]
    assert await wire.reason(ann, "purpose:analytics") == "withdrawn"


@over_the_wire
async def test_an_objection_holds_when_it_is_filed_and_after_it_is_taken_back(wire: Wire) -> None:
    ann = wire.consumer()
    request = (await file(wire, "object", ann)).json
    assert await wire.reason(ann, "purpose:analytics") == "denied"
    assert (await act(wire, request, "revoke")).status == 200
    assert await wire.reason(ann, "purpose:analytics") == "denied"


@over_the_wire
async def test_a_restriction_holds_from_filing_until_it_is_taken_back(wire: Wire) -> None:
    ann = wire.consumer()
    request = (await file(wire, "restrict", ann)).json
    assert await wire.reason(ann, "purpose:service") == "restricted"
    assert (await act(wire, request, "revoke")).status == 200
    assert await wire.reason(ann, "purpose:service") == "required"


@over_the_wire
async def test_nobody_is_asked_who_they_are_to_stop_something(wire: Wire) -> None:
    request = (await file(wire, "sale-opt-out", wire.consumer(), jurisdiction="US-CA")).json
    asked = await act(wire, request, "verify")
    assert (asked.status, asked.code) == (409, "transition_illegal")
    assert "verify" not in asked.json["legal"]


@over_the_wire
async def test_a_fulfilled_request_for_a_copy_is_answered_with_a_zip(wire: Wire) -> None:
    request = (await file(wire, "copy", wire.consumer())).json
    early = await wire.call("GET", f"{ALL}/{request['id']}/result")
    assert (early.status, early.code) == (404, "no_result")
    assert (await act(wire, request, "fulfil")).json["state"] == "fulfilled"
    wire.minter.forget()  # it takes a token of its own
    answered = await wire.call("GET", f"{ALL}/{request['id']}/result")
    assert (answered.status, answered.headers["Content-Type"]) == (200, "application/zip")
    assert answered.headers["Cache-Control"] == "no-store"
    assert answered.body.startswith(b"PK")


@over_the_wire
async def test_a_fulfilled_request_to_delete_has_erased(wire: Wire) -> None:
    ann = wire.consumer()
    await wire.record(
        {"id": new_choice_id(), "consumer_id": ann, "topic": "channel:sms", "answer": "denied", "method": "api"}
    )
    request = (await file(wire, "delete", ann, contact={"email": "ann@mail.example"})).json
    done = await act(wire, request, "fulfil")
    assert (done.json["state"], done.json["consumer_id"], done.json["contact"]) == ("fulfilled", None, {})
    assert (await wire.call("GET", f"/v1/consumers/{ann}/choices")).json["choices"] == []
    assert (await wire.call("GET", f"{ALL}?consumer={ann}")).json["requests"] == []
