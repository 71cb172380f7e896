"""Who reaches what: every route with every kind of token, and nothing of one brand from another.

The calls are made from the route table of a real application, so a new route is held to this on the day it appears.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sayso.wire import Role
from sayso_server.app import ROWS, create_app
from sayso_server.keys import KeyFile
from sayso_server.pages.officer import FILES
from sayso_server.routes.table import Row
from sayso_server.storage.memory import MemoryStorage

if TYPE_CHECKING:
    from tests.server.conftest import Answered, Brand, World

PUBLIC_ORIGIN = "https://privacy.example"
VISITOR = "anon_AAAAAAAAAAAAAAAAAAAAAA"
NEVER_SEEN_VISITOR = "anon_BBBBBBBBBBBBBBBBBBBBBB"
CHOICE_ID = "0198f3a0-0000-7000-8000-000000000001"
TABLE = {
    f"{row.method} {row.path}": row
    for row in create_app(MemoryStorage(), KeyFile(Path("none.keys")), public_origin=PUBLIC_ORIGIN)[ROWS]
}
WORKED = [name for name, row in TABLE.items() if row.classes and "{request_id}" in row.path]
"""They need a request of one's own first, and are tried in test_requests_walls.py."""
AT_THE_DESK = [name for name, row in TABLE.items() if row.classes and row.path.startswith("/v1/staff/")]
"""They need a sign-in of one's own first, and are tried in test_staff.py."""
ABOUT_MINORS = [
    name for name, row in TABLE.items() if row.classes and re.search("guardian-requests|age-doubts", row.path)
]
"""They need a minor first, and are tried in test_minors_walls.py."""
GUARDED = [name for name, row in TABLE.items() if row.classes and name not in (*WORKED, *AT_THE_DESK, *ABOUT_MINORS)]
OPEN = [name for name, row in TABLE.items() if not row.classes]
FOR_BACKENDS = [name for name in GUARDED if TABLE[name].access.backend]
FOR_CONSUMERS = [name for name in GUARDED if TABLE[name].access.consumer]

# --- who may call what, written out -------------------------------------------------------------------------

ALL = {"backend", "agent", "privacy_officer", "auditor", "admin"}
# A backend's token is no person and a person's is no backend, whatever roles their keys were registered with.
MACHINES = ALL - {"agent"}
PEOPLE = ALL - {"backend"}
NONE: set[str] = set()


@dataclass(frozen=True)
class May:
    """The roles with which a backend and staff may call a route, and whether consumers may."""

    backend: set[str]
    staff: set[str]
    consumer: bool = False


MAY = {
    "POST /v1/choices": May({"backend"}, {"agent", "privacy_officer"}),
    "GET /v1/consumers/{id}/preferences": May(
        {"backend", "privacy_officer", "auditor"}, {"privacy_officer", "auditor"}
    ),
    "GET /v1/consumers/{id}/choices": May({"backend", "privacy_officer", "auditor"}, {"privacy_officer", "auditor"}),
    "POST /v1/decisions": May({"backend", "privacy_officer", "auditor"}, {"privacy_officer", "auditor"}),
    "POST /v1/preferences": May({"backend", "privacy_officer", "auditor"}, {"privacy_officer", "auditor"}),
    "PUT /v1/consumers/{id}/devices/{device_id}": May({"backend"}, NONE),
    "POST /v1/consumers/{id}/signals": May({"backend"}, NONE),
    "PUT /v1/consumers/{id}/age": May({"backend"}, NONE),
    "POST /v1/consumers/{id}/links": May({"backend"}, NONE),
    "POST /v1/unsubscribe-links": May({"backend"}, NONE),
    "GET /v1/consumers/{id}/export": May({"backend", "privacy_officer"}, {"privacy_officer"}),
    "DELETE /v1/consumers/{id}": May({"backend", "privacy_officer"}, {"privacy_officer"}),
    "GET /v1/audit": May({"privacy_officer", "auditor"}, {"privacy_officer", "auditor"}),
    "GET /v1/catalogue": May(MACHINES, PEOPLE, consumer=True),
    "PUT /v1/catalogue": May({"admin"}, NONE),
    "POST /v1/catalogue/preview": May({"admin"}, NONE),
    "POST /v1/catalogue/replay": May({"admin"}, NONE),
    "GET /v1/catalogue/notices": May(MACHINES, PEOPLE, consumer=True),
    "POST /v1/disclosures": May({"backend"}, NONE),
    "GET /v1/disclosures": May({"backend", "privacy_officer", "auditor"}, {"privacy_officer", "auditor"}),
    "GET /v1/changes": May({"backend"}, NONE),
    "GET /v1/changes/head": May({"backend"}, NONE),
    "POST /v1/requests": May({"backend", "privacy_officer"}, {"agent", "privacy_officer"}),
    "GET /v1/requests": May({"backend", "privacy_officer", "auditor"}, {"privacy_officer", "auditor"}),
    "POST /v1/requests/find": May({"privacy_officer"}, {"privacy_officer"}),
    "GET /v1/recourse": May(MACHINES, PEOPLE, consumer=True),
    "POST /v1/me/requests": May(NONE, NONE, consumer=True),
    "GET /v1/me/requests": May(NONE, NONE, consumer=True),
    "POST /v1/me/choices": May(NONE, NONE, consumer=True),
    "GET /v1/me/choices": May(NONE, NONE, consumer=True),
    "GET /v1/me/disclosures": May(NONE, NONE, consumer=True),
    "GET /v1/me/preferences": May(NONE, NONE, consumer=True),
    "POST /v1/me/decisions": May(NONE, NONE, consumer=True),
    "PUT /v1/me/devices/{device_id}": May(NONE, NONE, consumer=True),
    "POST /v1/me/signals": May(NONE, NONE, consumer=True),
    "PUT /v1/me/age": May(NONE, NONE, consumer=True),
    "GET /v1/me/catalogue": May(NONE, NONE, consumer=True),
}
AGENTS = {
    "POST /v1/data-rights-request",
    "GET /v1/data-rights-request/{request_id}",
    "DELETE /v1/data-rights-request/{request_id}",
    "POST /v1/agent/{agent_id}",
    "GET /v1/agent/{agent_id}",
}
"""They take tokens of their own, which are tried in test_drp.py."""
LINKS = {f"{method} /{kind}/{{token}}" for method in ("GET", "POST") for kind in "upg"}
"""They open with what is in their path, which is tried in test_consumer_links.py and test_guardians_api.py."""
PAGES = {
    "GET /officer",
    *(f"GET /officer/{name}" for name in FILES),
    "GET /invite/{token}",
    "POST /invite/{token}",
    "GET /rights",
    "POST /rights",
    "GET /base.css",
    "GET /plain.css",
}
"""The server's own pages, which are tried in test_staff.py and test_rights_page.py."""
EVERYONE = {"GET /", "GET /healthz", "GET /readyz", "GET /openapi.json", "GET /.well-known/gpc.json"}


def test_the_table_holds_the_routes_written_out_here_and_no_others() -> None:
    assert set(GUARDED) == set(MAY)
    assert set(OPEN) == EVERYONE | AGENTS | LINKS | PAGES


# --- one good request for each route ------------------------------------------------------------------------


@dataclass(frozen=True)
class About:
    """Whom and what a request names."""

    consumer: str = "cust-42"
    visitor: str = VISITOR
    method: str = "chat"
    choice_id: str | None = None

    def choices(self) -> dict[str, Any]:
        said = {"consumer_id": self.consumer, "topic": "channel:sms", "answer": "denied", "method": self.method}
        return {"choices": [{"id": self.choice_id or str(uuid.uuid4()), **said}]}

    def checks(self) -> dict[str, Any]:
        return {"checks": [{"consumer_id": self.consumer, "topic": "channel:sms", "device_id": "pixel-8"}]}

    def request(self) -> dict[str, Any]:
        return {"kind": "object", "consumer_id": self.consumer, "channel": "phone"}

    def disclosures(self) -> dict[str, Any]:
        said = {"partner": "vinsolutions", "flow": "share", "answer": "withhold", "at": "2026-11-23T19:00:00Z"}
        fields = {"fields_sent": [], "fields_held_back": []}
        return {
            "disclosures": [{"id": self.choice_id or str(uuid.uuid4()), "consumer_id": self.consumer, **said, **fields}]
        }


DEVICE = {"vocabulary": "android", "states": {"android.permission.CAMERA": "granted"}}
BODIES: dict[str, Callable[[About, dict[str, Any]], Any]] = {
    "/v1/choices": lambda about, _: about.choices(),
    "/v1/decisions": lambda about, _: about.checks(),
    "/v1/preferences": lambda about, _: {"consumer_ids": [about.consumer]},
    "/v1/consumers/{id}/devices/{device_id}": lambda *_: DEVICE,
    "/v1/consumers/{id}/signals": lambda *_: {"name": "gpc", "device_id": "laptop"},
    "/v1/consumers/{id}/age": lambda *_: {"source": "self", "lower": 18},
    "/v1/consumers/{id}/links": lambda about, _: {"anonymous_id": about.visitor},
    "/v1/unsubscribe-links": lambda about, _: {"links": [{"consumer_id": about.consumer, "topic": "channel:sms"}]},
    "/v1/disclosures": lambda about, _: about.disclosures(),
    "/v1/requests": lambda about, _: about.request(),
    "/v1/requests/find": lambda *_: {"email": "ann@mail.example"},
    "/v1/me/requests": lambda *_: {"kind": "object"},
    "/v1/catalogue": lambda _, catalogue: catalogue,
    "/v1/catalogue/preview": lambda _, catalogue: catalogue,
    "/v1/catalogue/replay": lambda _, catalogue: catalogue,
    "/v1/me/choices": lambda about, _: about.choices(),
    "/v1/me/decisions": lambda about, _: about.checks(),
    "/v1/me/devices/{device_id}": lambda *_: DEVICE,
    "/v1/me/signals": lambda *_: {"name": "gpc", "device_id": "laptop"},
    "/v1/me/age": lambda *_: {"source": "self", "lower": 18},
}


async def call(
    world: World,
    row: Row,
    about: About,
    catalogue: dict[str, Any],
    *,
    token: str | None,
    headers: dict[str, str] | None = None,
    query: str = "",
) -> Answered:
    path = row.path.replace("{id}", about.consumer).replace("{device_id}", "pixel-8")
    if "consumer" in row.query:  # who is meant stands there instead of in the path
        query = f"?consumer={about.consumer}{query.replace('?', '&')}"
    if "topic" in row.query:
        query = f"?topic=purpose:marketing{query.replace('?', '&')}"
    body = BODIES[row.path](about, catalogue) if row.body_limit else None
    return await world.call(row.method, path + query, token=token, json=body, headers=headers)


# --- every route, every token -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", GUARDED)
async def test_a_route_opens_to_the_classes_and_roles_of_its_row_and_to_no_others(
    world: World, dealer: Brand, catalogue: dict[str, Any], name: str
) -> None:
    may, row = MAY[name], TABLE[name]
    outcome, expected = {}, {}
    for role in ALL:
        answer = await call(world, row, About(), catalogue, token=dealer.backend(role))
        outcome["backend", role] = "allowed" if answer.status < 300 else (answer.status, answer.code)
        expected["backend", role] = (
            "allowed" if role in may.backend else (403, "scope") if may.backend else (403, "token_class")
        )
        answer = await call(
            world,
            row,
            About(method="phone"),
            catalogue,
            token=dealer.staff(role),
            headers={"Origin": PUBLIC_ORIGIN},
        )
        outcome["staff", role] = "allowed" if answer.status < 300 else (answer.status, answer.code)
        expected["staff", role] = (
            "allowed" if role in may.staff else (403, "scope") if may.staff else (403, "token_class")
        )
    answer = await call(
        world, row, About(), catalogue, token=dealer.consumer("cust-42"), headers={"Origin": dealer.origin}
    )
    outcome["consumer", ""] = "allowed" if answer.status < 300 else (answer.status, answer.code)
    expected["consumer", ""] = "allowed" if may.consumer else (403, "token_class")

    assert outcome == expected


@pytest.mark.parametrize("name", GUARDED)
async def test_what_a_role_may_not_do_leaves_no_trace(
    world: World, dealer: Brand, catalogue: dict[str, Any], name: str
) -> None:
    may, row = MAY[name], TABLE[name]
    catalogue["topics"]["channel:sms"]["title"] = {"en": "Texts", "es": "Textos"}

    async with world.nothing_stored():
        for role in ALL - may.backend:
            answer = await call(world, row, About(), catalogue, token=dealer.backend(role))
            assert answer.status == 403
        for role in ALL - may.staff:
            token, headers = dealer.staff(role), {"Origin": PUBLIC_ORIGIN}
            answer = await call(world, row, About(method="phone"), catalogue, token=token, headers=headers)
            assert answer.status == 403
        answer = await call(world, row, About(), catalogue, token=None)
        assert answer.status == 401


@pytest.mark.parametrize("name", EVERYONE)
async def test_a_public_route_asks_for_no_token(world: World, name: str) -> None:
    method, path = name.split(" ")

    assert (await world.call(method, path)).status == 200


@pytest.mark.parametrize("name", GUARDED)
async def test_without_a_token_a_route_answers_401_and_how_to_authenticate(
    world: World, dealer: Brand, catalogue: dict[str, Any], name: str
) -> None:
    answer = await call(world, TABLE[name], About(), catalogue, token=None)

    assert (answer.status, answer.code) == (401, "token_missing")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("name", GUARDED)
async def test_a_token_signed_by_nobody_we_know_is_a_401(
    world: World, dealer: Brand, catalogue: dict[str, Any], name: str
) -> None:
    header, payload, signature = dealer.backend(*sorted(ALL)).split(".")
    forged = ".".join([header, payload, signature[:-4] + ("AAAA" if signature[-4:] != "AAAA" else "BBBB")])

    answer = await call(world, TABLE[name], About(), catalogue, token=forged)

    assert (answer.status, answer.code) == (401, "token_invalid")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("name", [name for name in GUARDED if MAY[name].staff and MAY[name].backend - MAY[name].staff])
async def test_roles_that_count_for_the_other_class_alone_add_nothing(
    world: World, dealer: Brand, catalogue: dict[str, Any], name: str
) -> None:
    may, row = MAY[name], TABLE[name]
    only_staff, only_backend = may.staff - may.backend, may.backend - may.staff

    async with world.nothing_stored():
        if only_staff:
            answer = await call(world, row, About(), catalogue, token=dealer.backend(*sorted(only_staff)))
            assert (answer.status, answer.code) == (403, "scope")
        token, headers = dealer.staff(*sorted(only_backend)), {"Origin": PUBLIC_ORIGIN}
        answer = await call(world, row, About(method="phone"), catalogue, token=token, headers=headers)
        assert (answer.status, answer.code) == (403, "scope")


async def test_an_answer_to_the_wrong_role_names_the_roles_of_the_tokens_own_class(world: World, dealer: Brand) -> None:
    by_backend = await dealer.call("POST", "/v1/choices", token=dealer.backend("agent"), json={"choices": []})
    by_staff = await dealer.desk("POST", "/v1/choices", scope="backend", json={"choices": []})

    assert by_backend.json["detail"] == (
        "this needs the role backend, and the token claims agent: claim it with a key that has it. Make one: "
        "`sayso-server key create --brand dealer --class backend --role backend`"
    )
    assert by_staff.json["detail"] == (
        "this needs one of the roles agent, privacy_officer, and the token claims backend: claim it with a key that "
        "has it. Make one: `sayso-server key create --brand dealer --class staff --role agent`"
    )


IN_A_BROWSER = [
    {"Origin": "https://dealer.example"},
    {"Origin": PUBLIC_ORIGIN},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Mode": "cors"},
]


@pytest.mark.parametrize("name", FOR_BACKENDS)
async def test_a_backends_token_in_a_browser_is_refused(
    world: World, dealer: Brand, catalogue: dict[str, Any], name: str
) -> None:
    token = dealer.backend(*sorted(MAY[name].backend))
    for headers in IN_A_BROWSER:
        async with world.nothing_stored():
            answer = await call(world, TABLE[name], About(), catalogue, token=token, headers=headers)

        assert (answer.status, answer.code) == (403, "origin"), headers
        assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://shop.example"}, {"Origin": "null"}], ids=str)
@pytest.mark.parametrize("name", FOR_CONSUMERS)
async def test_a_consumers_token_is_refused_away_from_the_pages_of_its_brand(
    dealer: Brand, shop: Brand, catalogue: dict[str, Any], name: str, headers: dict[str, str]
) -> None:
    token = dealer.consumer("cust-42", origins=[dealer.origin, shop.origin])
    async with dealer.world.nothing_stored():
        answer = await call(dealer.world, TABLE[name], About(), catalogue, token=token, headers=headers)

    assert (answer.status, answer.code) == (403, "origin")
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://dealer.example"}], ids=str)
@pytest.mark.parametrize("name", [name for name in GUARDED if MAY[name].staff])
async def test_a_staff_token_is_refused_away_from_the_servers_own_pages(
    world: World, dealer: Brand, catalogue: dict[str, Any], name: str, headers: dict[str, str]
) -> None:
    token = dealer.staff(*sorted(MAY[name].staff))
    async with world.nothing_stored():
        answer = await call(world, TABLE[name], About(method="phone"), catalogue, token=token, headers=headers)

    assert (answer.status, answer.code) == (403, "origin")


# --- one's own sub ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/v1/me/choices", "/v1/me/decisions"])
async def test_a_consumers_token_names_nobody_else(world: World, dealer: Brand, make_choice: Any, path: str) -> None:
    own, foreign = (make_choice("channel:sms", "denied", consumer) for consumer in ("cust-42", "cust-43"))
    checks = [{"consumer_id": consumer, "topic": "channel:sms"} for consumer in ("cust-42", "cust-43")]
    body = {"choices": [own, foreign]} if path == "/v1/me/choices" else {"checks": checks}

    async with world.nothing_stored():
        answer = await dealer.page("POST", path, json=body)

    assert (answer.status, answer.code) == (403, "scope")
    assert answer.problems == [(f"/{next(iter(body))}/1/consumer_id", "scope")]


@pytest.mark.parametrize("query", ["", "?consumer_id=cust-43", "?id=cust-43", "?sub=cust-43"])
async def test_what_a_consumer_reads_is_their_own_whatever_the_query_says(
    dealer: Brand, make_choice: Any, query: str
) -> None:
    mine, theirs = await dealer.recorded(
        make_choice("channel:sms", "granted", "cust-42"), make_choice("channel:sms", "denied", "cust-43")
    )

    preferences = await dealer.page("GET", "/v1/me/preferences" + query)
    history = await dealer.page("GET", "/v1/me/choices" + query)

    assert preferences.json["consumer_id"] == "cust-42"
    assert preferences.json["topics"]["channel:sms"]["choice_id"] == mine["choice_id"]
    assert [choice["id"] for choice in history.json["choices"]] == [mine["choice_id"]]
    assert theirs["choice_id"].encode() not in preferences.body + history.body


@pytest.mark.parametrize("name", [name for name in FOR_CONSUMERS if TABLE[name].method != "GET"])
async def test_what_a_consumer_writes_is_written_under_their_own_id_alone(
    world: World, dealer: Brand, catalogue: dict[str, Any], name: str
) -> None:
    token, headers = dealer.consumer("cust-43"), {"Origin": dealer.origin}
    answer = await call(world, TABLE[name], About("cust-43"), catalogue, token=token, headers=headers)

    assert answer.status < 300
    written = [] if name == "POST /v1/me/decisions" else ["cust-43"]
    assert await world.storage.consumer_ids("dealer", after="", limit=10) == written


@pytest.mark.parametrize("name", [name for name in GUARDED if "{id}" in TABLE[name].path])
async def test_a_consumers_token_opens_no_path_with_an_id_not_even_with_its_own(
    world: World, dealer: Brand, catalogue: dict[str, Any], name: str
) -> None:
    token, headers = dealer.consumer("cust-42"), {"Origin": dealer.origin}
    answer = await call(world, TABLE[name], About("cust-42"), catalogue, token=token, headers=headers)

    assert (answer.status, answer.code) == (403, "token_class")


# --- between brands -----------------------------------------------------------------------------------------

QUERIES = {
    "consumer": "",
    "at_least": "?at_least=2000",  # so far ahead of anyone that nobody waits for it
    "as_of": "?as_of=2026-11-23T19:00:00Z",
    "before": "?before=3",
    "state": "?state=closed",
    "after": "?after=1.a",
    "jurisdiction": "?jurisdiction=DE",
    "language": "?language=fr",
    "allow_lower_majority": "?allow_lower_majority=true",
    "allow_newly_shared": "?allow_newly_shared=true",
    "days": "?days=3",
    "topic": "",
    "version": "?version=1",
    "stream": "?stream=AAAAAAAAAAAAAAAAAAAAAA",
}


@pytest.fixture
async def seen(dealer: Brand, make_choice: Any) -> Brand:
    """A brand that knows a consumer inside out, a visitor who became them, and one who has not."""
    call = dealer.call
    await dealer.recorded(
        make_choice("channel:sms", "granted", id=CHOICE_ID),
        make_choice("permission:location", "granted"),
        make_choice("purpose:analytics", "denied"),
        make_choice("channel:sms", "granted", VISITOR),
    )
    answers = [
        await dealer.report({"android.permission.ACCESS_FINE_LOCATION": "granted"}),
        await call("POST", "/v1/consumers/cust-42/signals", json={"name": "gpc", "device_id": "laptop"}),
        await call("PUT", "/v1/consumers/cust-42/age", json={"source": "brand", "upper": 15}),
        await call("POST", "/v1/consumers/cust-42/links", json={"anonymous_id": VISITOR}),
        await call("POST", "/v1/disclosures", json=About(choice_id=CHOICE_ID).disclosures()),
        await call("POST", "/v1/requests", json=About().request()),
    ]
    assert [answer.status for answer in answers] == [200, 200, 200, 201, 201, 201]
    return dealer


def anonymised(answer: Answered, about: About) -> tuple[int, dict[str, str], bytes]:
    """Take out of an answer what names the consumer, the request or the stream, and keep every other byte."""
    body = answer.body.replace(answer.headers["X-Request-Id"].encode(), b"(request)")
    body = body.replace(about.consumer.encode(), b"(consumer)").replace(about.visitor.encode(), b"(visitor)")
    body = re.sub(rb'"stream":"[^"]+"', b'"stream":"(varying)"', body)
    body = re.sub(rb'"id":"[0-9a-f-]{36}","consumer_id":', b'"id":"(varying)","consumer_id":', body)
    body = re.sub(rb"(/[up]/shop)\.[\w-]{22}", rb"\1.(varying)", body)
    body = re.sub(rb'"etags":\[[^]]+\]', b'"etags":"(varying)"', body)
    fields = {name.title(): value.replace(about.consumer, "(consumer)") for name, value in answer.headers.items()}
    # An entity tag is a digest of bytes with the id in them; there or not there is what it may tell.
    for name in ("Date", "X-Request-Id", "Etag"):
        if name in fields:
            fields[name] = "(varying)"
    return answer.status, fields, body


def tokens_of(brand: Brand, name: str, consumer: str) -> list[tuple[str, dict[str, str], str]]:
    """Give one good token of each class for a route: the token, where it is used, and how it records choices."""
    may = MAY[name]
    found = []
    if may.backend:
        found.append((brand.backend(*sorted(may.backend)), {}, "chat"))
    if may.staff:
        found.append((brand.staff(*sorted(may.staff)), {"Origin": PUBLIC_ORIGIN}, "phone"))
    if may.consumer:
        found.append((brand.consumer(consumer), {"Origin": brand.origin}, "chat"))
    return found


@pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])
@pytest.mark.parametrize("name", GUARDED)
async def test_another_brands_consumer_is_byte_for_byte_one_never_seen(
    world: World, seen: Brand, shop: Brand, catalogue: dict[str, Any], name: str
) -> None:
    row = TABLE[name]
    before = await world.everything()
    for query in ["", *(QUERIES[parameter] for parameter in row.query)]:
        for place in range(len(tokens_of(shop, name, ""))):
            answers = []
            for consumer, visitor in [("cust-42", VISITOR), ("cust-77", NEVER_SEEN_VISITOR)]:
                token, headers, method = tokens_of(shop, name, consumer)[place]
                # The first is an id that the other brand's consumer has used, for other content.
                about = About(consumer, visitor, method, f"{CHOICE_ID[:-1]}{place + 1}")
                answer = await call(world, row, about, catalogue, token=token, headers=headers, query=query)
                assert answer.status in ({409} if "at_least" in query else {200, 201}), answer.body
                answers.append(anonymised(answer, about))
            assert answers[0] == answers[1], (query, place)

    after = await world.everything()
    assert {key: after[key] for key in before if not key.startswith("shop")} == {
        key: before[key] for key in before if not key.startswith("shop")
    }


ABOUT_NOBODY = ("/catalogue", "/notices", "/changes", "/head", "/recourse", "/audit")
ABOUT_A_CONSUMER = [name for name in GUARDED if TABLE[name].method == "GET" and not name.endswith(ABOUT_NOBODY)]


@pytest.mark.parametrize("name", ABOUT_A_CONSUMER)
async def test_to_its_own_brand_a_consumer_is_not_one_never_seen(
    world: World, seen: Brand, catalogue: dict[str, Any], name: str
) -> None:
    """So that the comparison above is known to notice."""
    answers = []
    for consumer in ("cust-42", "cust-77"):
        token, headers, _ = tokens_of(seen, name, consumer)[0]
        about = About(consumer)
        answers.append(
            anonymised(await call(world, TABLE[name], about, catalogue, token=token, headers=headers), about)
        )

    assert answers[0][2] != answers[1][2]


async def test_a_visitor_whose_tokens_one_brand_has_closed_is_any_visitor_to_another(
    world: World, seen: Brand, shop: Brand
) -> None:
    closed = await seen.page("GET", "/v1/me/preferences", sub=VISITOR)
    assert (closed.status, closed.code) == (401, "linked")

    answers = []
    for visitor in (VISITOR, NEVER_SEEN_VISITOR):
        answer = await shop.page("GET", "/v1/me/preferences", sub=visitor)
        answers.append(anonymised(answer, About(visitor=visitor)))

    assert answers[0] == answers[1]
    assert answers[0][0] == 200


async def test_the_visitors_token_of_another_brand_carries_no_grant_over(
    world: World, dealer: Brand, shop: Brand, make_choice: Any
) -> None:
    for brand in (dealer, shop):
        await brand.recorded(make_choice("channel:sms", "granted", VISITOR))
    body = {"anonymous_id": VISITOR, "anonymous_token": dealer.consumer(VISITOR)}

    answer = await shop.call("POST", "/v1/consumers/cust-42/links", json=body)

    assert answer.status == 201
    assert (answer.json["carried"], answer.json["left"]) == ([], [{"topic": "channel:sms", "answer": "granted"}])
    assert await shop.reason("channel:sms") == "not_asked"


async def test_a_brands_catalogue_and_revisions_are_its_own(
    dealer: Brand, shop: Brand, catalogue: dict[str, Any]
) -> None:
    shown = await shop.call("GET", "/v1/catalogue")
    del catalogue["topics"]["purpose:recall"]
    assert (await dealer.publish(catalogue)).json["revision"] == 2

    again = await shop.call("GET", "/v1/catalogue")

    assert (again.json["brand"], again.json["revision"]) == ("shop", 1)
    assert (again.body, again.headers["ETag"]) == (shown.body, shown.headers["ETag"])


async def test_a_token_says_no_other_brand_than_its_keys(world: World, dealer: Brand, shop: Brand) -> None:
    await dealer.say("channel:sms", "granted")

    answer = await world.call("GET", "/v1/consumers/cust-42/preferences", token=shop.backend(iss="dealer"))

    assert (answer.status, answer.code) == (401, "token_invalid")


def test_every_role_there_is_was_tried() -> None:
    assert {role.value for role in Role} == ALL
