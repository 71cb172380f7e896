"""`/openapi.json`: a description that is valid, complete, and true of what the server answers."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from sayso.wire import Role, TokenClass
from sayso_server.answer_schemas import ANSWERS
from sayso_server.app import ROWS, SERVICES, create_app
from sayso_server.auth.algorithm import Algorithm
from sayso_server.keys import KeyFile, new_key
from sayso_server.openapi import describe
from sayso_server.storage.memory import MemoryStorage

if TYPE_CHECKING:
    from tests.server.conftest import Agency, Answered, Brand, World

ITSELF = "/openapi.json"
TABLE = {
    f"{row.method} {row.path}": row
    for row in create_app(MemoryStorage(), KeyFile(Path("none.keys")), public_origin="https://privacy.example")[ROWS]
}
DOCUMENT: dict[str, Any] = json.loads(describe(tuple(TABLE.values())))
OPERATIONS: dict[str, dict[str, Any]] = {
    f"{method.upper()} {path}": operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
CHOICE_MEMBERS = {
    "id",
    "consumer_id",
    "topic",
    "answer",
    "made_at",
    "method",
    "based_on",
    "actor",
    "notice",
    "evidence",
    "expires_at",
    "device_id",
    "jurisdiction",
    "overrides",
    "detail",
}
CHECK_MEMBERS = {"consumer_id", "topic", "device_id", "as_of", "sender"}
NOTE_MEMBERS = {"note", "urls"}
OWN_REQUEST_MEMBERS = {"id", "kind", "channel", "jurisdiction", "language", "contact", "detail"}
BODY_MEMBERS = {
    "OwnRequest": OWN_REQUEST_MEMBERS,
    "NewRequest": OWN_REQUEST_MEMBERS | {"consumer_id", "received_at", "held_by"},
    "RequestContact": {"name", "email", "phone", "address"},
    "RequestDetail": {"topics", "about", "fault", "answer", "urls", "text"},
    "FindBody": {"email", "phone"},
    "NoteBody": NOTE_MEMBERS,
    "VerifyBody": NOTE_MEMBERS | {"ask", "within_days"},
    "StartBody": NOTE_MEMBERS | {"verified", "consumer_id"},
    "ExtendBody": NOTE_MEMBERS | {"reason"},
    "FulfilBody": NOTE_MEMBERS | {"answer"},
    "DenyBody": NOTE_MEMBERS | {"reason", "grounds", "barred_by"},
    "HandOverBody": NOTE_MEMBERS | {"to"},
    "LiftBody": NOTE_MEMBERS | {"told"},
    "ChoiceBatch": {"sent_at", "choices"},
    "Choice": CHOICE_MEMBERS,
    "OwnChoiceBatch": {"sent_at", "choices"},
    "OwnChoice": CHOICE_MEMBERS,
    "SentNotice": {"language", "version", "minor"},
    "Evidence": {"kind", "ref", "sha256", "wording", "date", "source"},
    "Detail": {"precision", "sender", "controller", "campaign", "note"},
    "CheckBatch": {"checks"},
    "Check": CHECK_MEMBERS,
    "OwnCheckBatch": {"checks"},
    "OwnCheck": CHECK_MEMBERS,
    "DeviceReportBody": {"vocabulary", "observed_at", "states"},
    "SignalReport": {"name", "source", "device_id", "observed_at"},
    "AgeReport": {"source", "lower", "upper", "method", "observed_at", "jurisdiction"},
    "OwnGuardianRequest": {"contact", "topics", "language"},
    "GuardianRequest": {"contact_from", "contact", "evidence", "topics", "language"},
    "GuardianContact": {"email", "phone"},
    "AgeDoubt": {"reason"},
    "DoubtCleared": {"evidence"},
    "LinkBatch": {"links"},
    "WantedLink": {"consumer_id", "kind", "topic", "sender", "language"},
    "LinkBody": {"anonymous_id", "anonymous_token"},
    "DisclosureBatch": {"disclosures"},
    "Disclosure": {
        "id",
        "consumer_id",
        "partner",
        "flow",
        "answer",
        "fields_sent",
        "fields_held_back",
        "at",
        "outcome",
        "choice_id",
        "reason",
    },
}
ANSWER_MEMBERS = {
    "Preferences": {
        "consumer_id",
        "version",
        "store_id",
        "catalogue_revision",
        "valid_until",
        "topics",
        "devices",
        "signals",
        "age",
    },
    "DeviceRecorded": {"version", "states", "unknown"},
    "Catalogue": {"revision", "brand", "languages", "topics", "partners"},
    "History": {"choices"},
    "Disclosures": {"disclosures"},
}


def complaints(schema: dict[str, Any], value: Any) -> list[str]:
    """List what a value has against a schema of the document."""
    validator = Draft202012Validator(
        {"components": DOCUMENT["components"], **schema}, format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def named(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*map(references, value.values()))
    return set().union(*map(references, value)) if isinstance(value, list) else set()


async def test_what_the_server_serves_is_this_description_for_anyone(world: World) -> None:
    answer = await world.call("GET", ITSELF)

    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.json == DOCUMENT
    assert answer.json["openapi"].startswith("3.1")


def test_the_description_is_valid_openapi_3_1() -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(DOCUMENT).iter_errors()] == []


def test_every_row_but_the_descriptions_own_is_described_and_nothing_else() -> None:
    assert set(OPERATIONS) == set(TABLE)


def test_every_operation_has_an_id_of_its_own() -> None:
    ids = [operation["operationId"] for operation in OPERATIONS.values()]

    assert len(set(ids)) == len(ids) == len(TABLE)


def test_every_reference_leads_somewhere() -> None:
    assert references(DOCUMENT) <= {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}
    assert len(references(DOCUMENT)) > 15


@pytest.mark.parametrize("name", BODY_MEMBERS)
def test_every_member_of_a_body_is_described(name: str) -> None:
    schema = DOCUMENT["components"]["schemas"][name]

    assert set(schema["properties"]) == BODY_MEMBERS[name]
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize("name", ANSWER_MEMBERS)
def test_every_member_that_programs_rely_on_is_described_as_always_there(name: str) -> None:
    schema = DOCUMENT["components"]["schemas"][name]

    assert set(schema["required"]) >= ANSWER_MEMBERS[name]
    assert set(schema["properties"]) >= ANSWER_MEMBERS[name]


def test_an_entry_that_stands_aside_says_for_which_in_the_description() -> None:
    entry = DOCUMENT["components"]["schemas"]["Recorded"]["properties"]["recorded"]["items"]

    assert "superseded_by" in entry["properties"]
    assert "superseded_by" not in entry["required"]


@pytest.mark.parametrize("name", TABLE)
def test_an_operation_says_who_may_call_it_and_with_what(name: str) -> None:
    row, operation = TABLE[name], OPERATIONS[name]

    assert operation["x-token-classes"] == sorted(row.classes)
    assert operation["x-roles"] == {
        "backend": sorted(row.access.backend),
        "staff": sorted(row.access.staff),
    }
    assert operation["x-single-use"] is row.single_use
    assert operation["security"] == ([{"token": []}] if row.classes else [])
    assert ("requestBody" in operation) == (row.body_limit > 0)
    inside = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "path"}
    told = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "header"}
    asked = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "query"}
    assert inside == {
        member
        for member in ("id", "device_id", "request_id", "agent_id", "doubt_id", "token")
        if f"{{{member}}}" in row.path
    }
    assert asked == set(row.query)
    assert told == set(row.headers)


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if row.classes])
def test_an_operation_describes_how_it_is_refused(name: str) -> None:
    expected = {"400", "401", "403", "409", "422", "500", "503"}
    if TABLE[name].body_limit:
        expected |= {"408", "413", "415"}
    if TABLE[name].single_use or name == "GET /v1/changes":
        expected |= {"429"}

    assert {status for status in OPERATIONS[name]["responses"] if status >= "400"} == expected


# --- true of real answers -----------------------------------------------------------------------------------


async def exercise(brand: Brand, make_choice: Any, catalogue: dict[str, Any]) -> dict[str, list[Answered]]:
    """Make every call there is at least once, with and without something to tell."""
    visitor = "anon_AAAAAAAAAAAAAAAAAAAAAA"
    one = "/v1/consumers/cust-42"
    found: dict[str, list[Answered]] = {}

    async def keep(name: str, path: str | None = None, *, page: bool = False, **request: Any) -> None:
        method, template = name.split(" ")
        answer = await (brand.page if page else brand.call)(method, path or template, **request)
        found.setdefault(name, []).append(answer)

    for path in ("/", "/healthz", "/readyz", "/openapi.json", "/.well-known/gpc.json", "/base.css", "/plain.css"):
        await keep(f"GET {path}")
    await keep("GET /v1/consumers/{id}/preferences", one + "/preferences")
    await keep("GET /v1/consumers/{id}/choices", one + "/choices")
    said = [
        make_choice("channel:sms", "denied"),
        make_choice("channel:sms", "granted", based_on=0),
        make_choice("purpose:training", "granted", detail={"note": "by phone"}),
        make_choice("permission:location", "granted", device_id="pixel-8", jurisdiction="US-CA"),
        make_choice("purpose:ads", "granted", overrides=["gpc"]),
        make_choice("*", "withdrawn", visitor),
    ]
    await keep("POST /v1/choices", json={"choices": said})
    await keep("POST /v1/choices", json={"choices": said[:1]})
    states = {"android.permission.ACCESS_FINE_LOCATION": "granted", "android.permission.CAMERA": "perhaps", "x": 7}
    device = {"vocabulary": "android", "states": states}
    age = {"source": "self", "lower": 18}
    for page, place in ((False, one), (True, "/v1/me")):
        where = "/v1/me" if page else "/v1/consumers/{id}"
        name = f"PUT {where}/devices/{{device_id}}"
        await keep(name, place + "/devices/pixel-8", page=page, json=device)
        for _ in range(2):
            signal = {"name": "gpc", "device_id": place.rpartition("/")[2]}
            await keep(f"POST {where}/signals", place + "/signals", page=page, json=signal)
        await keep(f"PUT {where}/age", place + "/age", page=page, json=age)
    for _ in range(2):
        await keep("POST /v1/consumers/{id}/links", one + "/links", json={"anonymous_id": visitor})
    await keep("POST /v1/me/choices", page=True, json={"choices": [make_choice("channel:sms", "granted")]})
    brand.world.clock.forward(timedelta(hours=1))
    for query in ("", "?as_of=2026-11-23T19:00:00Z"):
        await keep("GET /v1/consumers/{id}/preferences", f"{one}/preferences{query}")
        await keep("GET /v1/me/preferences", f"/v1/me/preferences{query}", page=True)
    await keep("GET /v1/consumers/{id}/choices", one + "/choices")
    await keep("GET /v1/me/choices", page=True)
    for consumer, fields in (("cust-42", ["vehicle"]), (visitor, None)):
        disclosure = {
            "id": "0198f3a0-0000-7000-8000-00000000000d",
            "consumer_id": consumer,
            "partner": "vinsolutions",
            "flow": "share",
            "answer": "send_redacted",
            "fields_sent": fields,
            "fields_held_back": fields and [],
            "at": "2026-11-23T19:00:00Z",
        }
        await keep("POST /v1/disclosures", json={"disclosures": [disclosure]})
        whole = {"outcome": "handed_over", "choice_id": said[0]["id"], "reason": "granted"}
        other = disclosure | whole | {"id": "0198f3a0-0000-7000-8000-00000000000e"}
        await keep("POST /v1/disclosures", json={"disclosures": [disclosure, other]})
    await keep("GET /v1/disclosures", "/v1/disclosures?consumer=cust-42")
    await keep("GET /v1/me/disclosures", page=True)
    await keep("GET /v1/consumers/{id}/export", one + "/export")
    topics = [*catalogue["topics"], "partner:vinsolutions:share", "purpose:unheard-of"]
    checks = [{"consumer_id": "cust-42", "topic": topic, "device_id": "pixel-8"} for topic in topics]
    for page in (False, True):
        await keep(f"POST /v1/{'me/' if page else ''}decisions", page=page, json={"checks": checks})
    await keep("POST /v1/preferences", json={"consumer_ids": ["cust-42", visitor, "cust-77"]})
    await keep("GET /v1/catalogue")
    await keep("GET /v1/changes")
    for query in ("", "?stream=AAAAAAAAAAAAAAAAAAAAAA"):
        await keep("GET /v1/changes/head", f"/v1/changes/head{query}")
    await keep("GET /v1/me/catalogue", page=True)
    catalogue["topics"]["purpose:marketing"]["version"] = 2
    catalogue["topics"]["purpose:marketing"]["notice"]["en"] = "We and our dealers write to you."
    catalogue["partners"]["vinsolutions"]["fields"]["vehicle"] = []
    catalogue["partners"]["vinsolutions"]["flows"]["share"]["basis"] = "legitimate_interest"
    for call in ("preview", "replay"):
        await keep(f"POST /v1/catalogue/{call}", token=brand.backend("admin"), json=catalogue)
    for _ in range(2):
        path = "/v1/catalogue?allow_newly_shared=true"
        await keep("PUT /v1/catalogue", path, token=brand.backend("admin"), json=catalogue)
    await keep("GET /v1/catalogue/notices", "/v1/catalogue/notices?topic=purpose:marketing")
    await keep("DELETE /v1/consumers/{id}", "/v1/consumers/cust-7")
    await keep("GET /v1/consumers/{id}/preferences", "/v1/consumers/cust-7/preferences")
    await keep("GET /v1/audit", token=brand.backend("auditor"))
    return found


async def exercise_requests(brand: Brand) -> dict[str, list[Answered]]:
    """Make every call about rights requests."""
    found: dict[str, list[Answered]] = {}
    one, own = "/v1/requests/{request_id}", "/v1/me/requests/{request_id}"
    officer = brand.backend("privacy_officer")

    async def keep(name: str, request_id: str = "", *, page: bool = False, **request: Any) -> Answered:
        method, template = name.split(" ")
        path = template.replace("{request_id}", request_id)
        if not page:
            request.setdefault("token", officer)
        answer = await (brand.page if page else brand.call)(method, path, **request)
        found.setdefault(name, []).append(answer)
        return answer

    async def filed(kind: str, **members: Any) -> str:
        body = {"kind": kind, "consumer_id": "cust-42", "jurisdiction": "DE", "channel": "post", **members}
        return str((await keep("POST /v1/requests", json=body)).json["id"])

    copied, denied, restricted = await filed("copy"), await filed("delete"), await filed("restrict")
    unknown = await filed("access", consumer_id=None, contact={"email": "ann@mail.example"})
    for transition, request_id, body in (
        ("acknowledge", copied, {"note": "By mail."}),
        ("verify", copied, {"ask": "The last bill."}),
        ("start", copied, {"verified": "The bill."}),
        ("extend", copied, {"reason": "Three branches."}),
        ("note", copied, {"note": "Two are done."}),
        ("fulfil", copied, {"answer": "Here it is."}),
        ("hand-over", denied, {"to": "platform"}),
        ("deny", denied, {"reason": "no_match", "grounds": "Nothing."}),
        ("fulfil", restricted, {}),
        ("lift", restricted, {"told": "By letter."}),
        ("revoke", unknown, {}),
    ):
        await keep(f"POST {one}/{transition}", request_id, json=body)
    await keep(f"GET {one}", copied)
    await keep(f"GET {one}/result", copied)
    await keep("GET /v1/requests")
    await keep("POST /v1/requests/find", json={"email": "ann@mail.example"})
    await keep("GET /v1/recourse")
    mine = (await keep("POST /v1/me/requests", page=True, json={"kind": "copy"})).json["id"]
    await keep("GET /v1/me/requests", page=True)
    await keep(f"GET {own}", copied, page=True)
    await keep(f"GET {own}/result", copied, page=True)
    await keep(f"POST {own}/revoke", mine, page=True, json={})
    return found


async def exercise_links(brand: Brand) -> dict[str, list[Answered]]:
    """Open and use every link that is sent to a consumer."""
    wanted = [{"consumer_id": "cust-42", "topic": "channel:sms"}, {"consumer_id": "cust-42", "kind": "preferences"}]
    made = await brand.call("POST", "/v1/unsubscribe-links", json={"links": wanted})
    found = {"POST /v1/unsubscribe-links": [made]}
    for link in made.json["links"]:
        path = link["url"].removeprefix("https://privacy.example")
        for method in ("GET", "POST"):
            fields = {"Content-Type": "application/x-www-form-urlencoded"}
            answer = await brand.world.call(method, path, body=b"topic=*", headers=fields)
            found[f"{method} {path[:3]}{{token}}"] = [answer]
    return found


async def exercise_guardians(brand: Brand) -> dict[str, list[Answered]]:
    """Name a minor's guardian, ask them, confirm, and hold somebody who is believed to be under age."""
    found: dict[str, list[Answered]] = {}

    async def keep(name: str, path: str, *, form: bytes | None = None, **request: Any) -> Answered:
        method = name.partition(" ")[0]
        if form is not None:
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            answer = await brand.world.call(method, path, body=form, headers=headers)
        elif "/me/" in path:
            answer = await brand.page(method, path, sub="cust-8", **request)
        else:
            answer = await brand.call(method, path, **request)
        found.setdefault(name, []).append(answer)
        return answer

    def path_of(link: Answered) -> str:
        return str(link.json["url"]).removeprefix("https://privacy.example")

    await brand.call("PUT", "/v1/consumers/cust-8/age", json={"source": "brand", "upper": 15})
    asked = {"topics": ["purpose:marketing"]}
    named = asked | {"contact": {"email": "mum@mail.example"}}
    await keep("POST /v1/me/guardian-requests", "/v1/me/guardian-requests", json=named)
    one = "/v1/consumers/cust-8"
    link = await keep(
        "POST /v1/consumers/{id}/guardian-requests", f"{one}/guardian-requests", json=asked | {"contact_from": "child"}
    )
    await keep("GET /g/{token}", path_of(link))
    await keep("POST /g/{token}", path_of(link), form=b"answer=allow&topic=purpose%3Amarketing")
    brand.world.clock.forward(timedelta(days=1))
    await keep("GET /v1/guardian-requests", "/v1/guardian-requests")
    second = await keep(
        "POST /v1/consumers/{id}/guardian-requests/confirmation", f"{one}/guardian-requests/confirmation"
    )
    await keep("POST /g/{token}", path_of(second), form=b"answer=allow&topic=purpose%3Amarketing")
    officer = brand.backend("privacy_officer")
    for what, body in (("clear", {"evidence": {"kind": "id_document"}}), ("confirm", None)):
        held = await keep("POST /v1/consumers/{id}/age-doubts", f"{one}/age-doubts", json={"reason": "content"})
        await keep("GET /v1/age-doubts", "/v1/age-doubts", token=officer)
        path = f"/v1/age-doubts/{held.json['id']}/{what}"
        request = {"token": brand.backend("privacy_officer")} | ({} if body is None else {"json": body})
        await keep(f"POST /v1/age-doubts/{{doubt_id}}/{what}", path, **request)
    return found


async def exercise_as_agent(agency: Agency) -> dict[str, list[Answered]]:
    """Make every call of the Data Rights Protocol."""
    filed = await agency.exercise(**{"agent-request-id": "a-1"})
    request_id = filed.json["request_id"]
    return {
        "POST /v1/data-rights-request": [filed],
        "GET /v1/data-rights-request/{request_id}": [await agency.status(request_id)],
        "DELETE /v1/data-rights-request/{request_id}": [await agency.revoke(request_id)],
        "GET /v1/agent/{agent_id}": [await agency.greet()],
        "POST /v1/agent/{agent_id}": [await agency.set_up()],
    }


async def exercise_pages(brand: Brand) -> dict[str, list[Answered]]:
    """Make every call of the server's own pages: as staff who sign in, and as somebody without an account."""
    world, found = brand.world, {}
    services = world.app[SERVICES]
    key, secret = new_key(
        brand.id, Algorithm.HS256, (TokenClass.STAFF,), (Role.PRIVACY_OFFICER,), now=world.clock.now()
    )
    world.keys.add(key.key_id, secret or "")
    await world.storage.add_key(key)
    await services.staff_roll.sign_with(brand.id, key.key_id)
    link = await services.staff_roll.invite(brand.id, "ann", (Role.PRIVACY_OFFICER.value,))
    page = {"Sec-Fetch-Site": "same-origin"}
    for name in [name for name in TABLE if name.startswith(("GET /officer", "GET /rights"))]:
        found[name] = [await world.call("GET", name.partition(" ")[2])]
    form = b"brand=dealer&kind=access&email=ann%40mail.example"
    headers = page | {"Content-Type": "application/x-www-form-urlencoded"}
    found["POST /rights"] = [await world.call("POST", "/rights", body=form, headers=headers)]
    found["GET /invite/{token}"] = [await world.call("GET", f"/invite/{link}")]
    signed_in = await world.call("POST", f"/invite/{link}", headers=page)
    found["POST /invite/{token}"] = [signed_in]
    for path in ("/v1/staff/renew", "/v1/staff/links", "/v1/staff/sign-out"):
        found[f"POST {path}"] = [await world.call("POST", path, token=signed_in.json["token"], headers=page)]
    return found


@pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])
async def test_every_answer_is_as_described(
    dealer: Brand, agency: Agency, make_choice: Any, catalogue: dict[str, Any]
) -> None:
    found = await exercise_as_agent(agency) | await exercise_requests(dealer)
    found |= await exercise(dealer, make_choice, catalogue)
    found |= await exercise_links(dealer)
    found |= await exercise_pages(dealer)
    found |= await exercise_guardians(dealer)

    assert set(found) == set(TABLE)
    for name, answers in found.items():
        for answer in answers:
            assert answer.status < 300, (name, answer.body)
            described = OPERATIONS[name]["responses"][str(answer.status)]
            ((content_type, content),) = described["content"].items()
            assert answer.headers["Content-Type"].partition(";")[0] == content_type, name
            value = answer.json if content_type == "application/json" else answer.body.decode("latin-1")
            assert complaints(content["schema"], value) == [], name


async def test_a_preview_is_described_with_all_that_it_says(
    dealer: Brand, make_choice: Any, catalogue: dict[str, Any]
) -> None:
    (answer,) = (await exercise(dealer, make_choice, catalogue))["POST /v1/catalogue/preview"]

    assert set(answer.json) == set(ANSWERS["Preview"]["required"])
    assert ANSWERS["Preview"]["properties"]["warnings"] == {"type": "array", "items": {"type": "string"}}


def test_an_answer_that_lacks_a_member_or_has_it_of_another_type_is_noticed() -> None:
    published = {"revision": 1, "published_at": "2026-11-23T19:00:00.000000Z", "changed": True}

    assert complaints(named("Published"), published) == []
    assert complaints(named("Published"), published | {"revision": "1"}) != []
    assert complaints(named("Published"), {"revision": 1}) != []
    assert set(ANSWERS) <= set(DOCUMENT["components"]["schemas"])


async def test_every_problem_is_as_described(dealer: Brand, make_choice: Any) -> None:
    answers = await asyncio.gather(
        dealer.world.call("GET", "/v1/catalogue"),
        dealer.call("GET", "/v1/nowhere"),
        dealer.call("GET", "/v1/choices"),
        dealer.call("PUT", "/v1/catalogue", json={}),
        dealer.call("POST", "/v1/choices", body=b"{"),
        dealer.call("POST", "/v1/choices", body=b"{}", headers={"Content-Type": "text/plain"}),
        dealer.post(make_choice("channel:smss", "granted"), make_choice("channel:sms", "granted", notice=None)),
        dealer.call("GET", "/v1/consumers/cust-42/preferences?at_least=5000"),
    )

    assert [answer.status for answer in answers] == [401, 404, 405, 403, 400, 415, 422, 409]
    for answer in answers:
        assert complaints(named("Problem"), answer.json) == []


GOOD_BODIES = {
    "NewRequest": {"kind": "copy"},
    "OwnRequest": {"kind": "copy"},
    "DenyBody": {"reason": "no_match"},
    "ChoiceBatch": {
        "choices": [
            {
                "id": "0198f3a0-0000-7000-8000-000000000001",
                "consumer_id": "cust-42",
                "topic": "channel:sms",
                "answer": "denied",
                "method": "chat",
            }
        ]
    },
    "OwnChoiceBatch": {
        "choices": [
            {
                "id": "0198f3a0-0000-7000-8000-000000000001",
                "topic": "channel:sms",
                "answer": "denied",
                "method": "widget",
            }
        ]
    },
    "CheckBatch": {"checks": [{"consumer_id": "cust-42", "topic": "channel:sms"}]},
    "OwnCheckBatch": {"checks": [{"topic": "channel:sms"}]},
    "DeviceReportBody": {"vocabulary": "android", "states": {}},
    "SignalReport": {"name": "gpc"},
    "AgeReport": {"source": "self"},
    "LinkBatch": {"links": [{"consumer_id": "cust-42"}]},
    "LinkBody": {"anonymous_id": "anon_AAAAAAAAAAAAAAAAAAAAAA"},
    "DisclosureBatch": {
        "disclosures": [
            {
                "id": "0198f3a0-0000-7000-8000-00000000000d",
                "consumer_id": "cust-42",
                "partner": "vinsolutions",
                "flow": "share",
                "answer": "withhold",
                "fields_sent": [],
                "fields_held_back": [],
                "at": "2026-11-23T19:00:00Z",
            }
        ]
    },
}


def test_whose_a_choice_or_check_is_must_be_said_by_a_backend_alone() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    assert {
        name: "consumer_id" in schemas[name]["required"] for name in ("Choice", "Check", "OwnChoice", "OwnCheck")
    } == {
        "Choice": True,
        "Check": True,
        "OwnChoice": False,
        "OwnCheck": False,
    }
    assert OPERATIONS["POST /v1/me/choices"]["requestBody"]["content"]["application/json"]["schema"] == named(
        "OwnChoiceBatch"
    )


@pytest.mark.parametrize("name", GOOD_BODIES)
def test_a_description_of_a_body_lets_the_smallest_good_one_pass_and_no_unknown_member(name: str) -> None:
    assert complaints(named(name), GOOD_BODIES[name]) == []
    assert complaints(named(name), GOOD_BODIES[name] | {"colour": "red"}) != []
    assert complaints(named(name), {}) != []
