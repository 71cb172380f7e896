"""Nothing crosses from one brand to another, and nobody reaches more than the route table says; read off that table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sayso.wire import Role, TokenClass
from sayso_server.routes.rows import make_rows
from sayso_server.routes.table import Row

if TYPE_CHECKING:
    from tests.server.conftest import Answered, Brand, World

KNOWN, NEVER_SEEN = "cust-42", "cust-77"
VISITOR, NEW_VISITOR = "anon_" + "a" * 22, "anon_" + "b" * 22
CHOICE_ID = "0198f3a0-0000-7000-8000-000000000001"
NOBODY: frozenset[TokenClass] = frozenset()
EVERYBODY = [*TokenClass]


async def never_here(token: str, *, brand_id: str, anonymous_id: str) -> bool:
    raise AssertionError("the rows are only read, never called")


ROWS = [row for row in make_rows(never_here) if row.classes]
PUBLIC_ROWS = [row for row in make_rows(never_here) if not row.classes]


def name_of(row: Row) -> str:
    return f"{row.method} {row.path}"


every_row = pytest.mark.parametrize("row", ROWS, ids=name_of)


def body_for(row: Row, consumer: str, visitor: str, catalogue: dict[str, Any]) -> Any:
    """Give a body that the route takes. A new route needs one here."""
    kind = row.path.rsplit("/", 1)[-1] if "{device_id}" not in row.path else "devices"
    if row.method == "GET":
        return None
    # Everybody who may record at all may record this: no one member is everybody's.
    method = "widget" if row.own_sub else "phone"
    refusal = {
        "id": CHOICE_ID,
        "consumer_id": consumer,
        "topic": "channel:sms",
        "answer": "denied",
        "method": method,
    }
    bodies: dict[str, Any] = {
        "choices": {"choices": [refusal]},
        "decisions": {"checks": [{"consumer_id": consumer, "topic": "channel:sms"}]},
        "devices": {"vocabulary": "web", "observed_at": "2026-11-23T19:00:00Z", "states": {"camera": "granted"}},
        "signals": {"name": "gpc", "device_id": "laptop"},
        "age": {"source": "self", "upper": 12},
        "links": {"anonymous_id": visitor},
        "catalogue": catalogue,
        "preview": catalogue,
    }
    return bodies[kind]


def token_for(brand: Brand, token_class: TokenClass, consumer: str, roles: set[Role]) -> str:
    if token_class is TokenClass.CONSUMER:
        return brand.consumer(consumer)
    return (brand.backend if token_class is TokenClass.BACKEND else brand.staff)(*sorted(roles))


def headers_for(brand: Brand, token_class: TokenClass) -> dict[str, str]:
    return {
        TokenClass.BACKEND: {},
        TokenClass.CONSUMER: {"Origin": brand.origin},
        TokenClass.STAFF: {"Origin": "https://privacy.example"},
    }[token_class]


async def ask(
    row: Row,
    brand: Brand,
    token_class: TokenClass,
    *,
    consumer: str,
    visitor: str,
    catalogue: dict[str, Any],
    roles: set[Role] | None = None,
    token: str | None = "",
) -> Answered:
    """Call a route as one class of caller in some roles; by default in all that it takes."""
    path = row.path.replace("{id}", consumer).replace("{device_id}", "laptop")
    if token == "":
        token = token_for(brand, token_class, consumer, set(row.roles) if roles is None else roles)
    return await brand.world.call(
        row.method,
        path,
        token=token,
        json=body_for(row, consumer, visitor, catalogue),
        headers=headers_for(brand, token_class),
    )


@pytest.fixture
async def full(dealer: Brand, shop: Brand) -> Brand:
    """A brand that knows everything there is to know about one consumer and one visitor; the other knows nothing."""
    await dealer.say("channel:sms", "granted", id=CHOICE_ID)
    await dealer.say("purpose:training", "granted")
    await dealer.say("*", "denied", consumer=VISITOR)
    await dealer.report({"android.permission.CAMERA": "granted"}, device="laptop")
    await dealer.call("POST", f"/v1/consumers/{KNOWN}/signals", json={"name": "gpc", "device_id": "laptop"})
    await dealer.call("PUT", f"/v1/consumers/{KNOWN}/age", json={"source": "verified", "lower": 21})
    linked = await dealer.call("POST", f"/v1/consumers/{KNOWN}/links", json={"anonymous_id": VISITOR})
    assert linked.status == 201
    return dealer


async def held_by(world: World, brand_id: str) -> dict[str, Any]:
    return {name: held for name, held in (await world.everything()).items() if name.split()[0] == brand_id}


def told(answer: Answered, consumer: str, visitor: str) -> tuple[int, bytes, dict[str, str]]:
    """Give what an answer tells, with the ids that were asked about and what is random taken out."""
    body = answer.body.replace(consumer.encode(), b"CONSUMER").replace(visitor.encode(), b"VISITOR")
    fields = {
        name.lower(): value.replace(consumer, "CONSUMER").replace(visitor, "VISITOR")
        for name, value in answer.headers.items()
    }
    # The tag covers the consumer's id as well; the others change from request to request.
    for name in ("x-request-id", "date", "etag"):
        fields.pop(name, None)
    return answer.status, body, fields


def classes_of(row: Row) -> list[TokenClass]:
    return sorted(row.classes)


@pytest.mark.parametrize(
    ("row", "token_class"),
    [pytest.param(row, each, id=f"{name_of(row)} as {each}") for row in ROWS for each in classes_of(row)],
)
@pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])
async def test_another_brands_consumer_cannot_be_told_from_one_never_seen(
    full: Brand, shop: Brand, catalogue: dict[str, Any], row: Row, token_class: TokenClass
) -> None:
    before = await held_by(full.world, "dealer")

    known = await ask(row, shop, token_class, consumer=KNOWN, visitor=VISITOR, catalogue=catalogue)
    if row.path.startswith("/v1/catalogue"):
        other = await ask(row, shop, token_class, consumer=KNOWN, visitor=VISITOR, catalogue=catalogue)
    else:
        other = await ask(row, shop, token_class, consumer=NEVER_SEEN, visitor=NEW_VISITOR, catalogue=catalogue)

    assert known.status < 300, known.body
    assert told(known, KNOWN, VISITOR) == told(other, NEVER_SEEN, NEW_VISITOR)
    assert await held_by(full.world, "dealer") == before


@every_row
async def test_a_visitor_linked_by_one_brand_is_open_to_another(
    full: Brand, shop: Brand, catalogue: dict[str, Any], row: Row
) -> None:
    # The same anonymous id, closed and an alias at the one, means nothing at the other.
    if row.path.endswith("/links") or row.path.startswith("/v1/catalogue"):
        consumer, other = KNOWN, KNOWN
    else:
        consumer, other = VISITOR, NEW_VISITOR
    token_class = classes_of(row)[0]

    known = await ask(row, shop, token_class, consumer=consumer, visitor=VISITOR, catalogue=catalogue)
    never = await ask(row, shop, token_class, consumer=other, visitor=NEW_VISITOR, catalogue=catalogue)

    assert known.status < 300, known.body
    if consumer != other:
        assert told(known, consumer, VISITOR) == told(never, other, NEW_VISITOR)
    assert KNOWN.encode() not in known.body or consumer == KNOWN


async def test_a_choice_of_another_brand_with_the_same_id_is_no_repetition(full: Brand, shop: Brand) -> None:
    entry = await shop.say("channel:sms", "denied", id=CHOICE_ID)

    assert (entry["replayed"], entry["version"], entry["stands"]) == (False, 1, True)
    assert [(each["version"], each["answer"]) for each in await shop.history()] == [(1, "denied")]


async def test_publishing_for_one_brand_leaves_the_others_catalogue(
    full: Brand, shop: Brand, catalogue: dict[str, Any]
) -> None:
    before = (await full.call("GET", "/v1/catalogue")).json
    del catalogue["topics"]["channel:sms"]

    assert (await shop.publish(catalogue)).json["revision"] == 2

    assert (await full.call("GET", "/v1/catalogue")).json == before
    assert before["brand"] == "dealer"


async def test_a_key_of_one_brand_signs_for_no_other(full: Brand, shop: Brand) -> None:
    forged = [shop.backend(iss="dealer"), shop.consumer(iss="dealer"), shop.staff(iss="dealer")]

    answers = [await full.world.call("GET", "/v1/catalogue", token=token) for token in forged]

    assert [(answer.status, answer.code) for answer in answers] == [(401, "token_invalid")] * 3


# --- who may call what --------------------------------------------------------------------------------------


@pytest.mark.parametrize("token_class", EVERYBODY)
@every_row
async def test_only_the_classes_in_the_table_reach_a_route(
    dealer: Brand, catalogue: dict[str, Any], row: Row, token_class: TokenClass
) -> None:
    everything = set(Role)
    before = await dealer.world.everything()

    answer = await ask(
        row, dealer, token_class, consumer=KNOWN, visitor=VISITOR, catalogue=catalogue, roles=everything
    )

    if token_class in row.classes:
        assert answer.status < 300, answer.body
    else:
        assert (answer.status, answer.code) == (403, "token_class")
        assert await dealer.world.everything() == before


@pytest.mark.parametrize("role", [*Role])
@pytest.mark.parametrize(
    ("row", "token_class"),
    [
        pytest.param(row, each, id=f"{name_of(row)} as {each}")
        for row in ROWS
        for each in classes_of(row)
        if each is not TokenClass.CONSUMER
    ],
)
async def test_only_the_roles_in_the_table_reach_a_route(
    dealer: Brand, catalogue: dict[str, Any], row: Row, token_class: TokenClass, role: Role
) -> None:
    before = await dealer.world.everything()

    answer = await ask(row, dealer, token_class, consumer=KNOWN, visitor=VISITOR, catalogue=catalogue, roles={role})

    if role in row.roles:
        assert answer.status < 300, answer.body
    else:
        assert (answer.status, answer.code) == (403, "scope")
        assert await dealer.world.everything() == before


@every_row
async def test_without_a_token_a_route_is_closed(dealer: Brand, catalogue: dict[str, Any], row: Row) -> None:
    before = await dealer.world.everything()

    answer = await ask(
        row, dealer, classes_of(row)[0], consumer=KNOWN, visitor=VISITOR, catalogue=catalogue, token=None
    )

    assert (answer.status, answer.code) == (401, "token_missing")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert await dealer.world.everything() == before


@pytest.mark.parametrize("row", PUBLIC_ROWS, ids=name_of)
async def test_a_public_route_says_nothing_of_any_brand(full: Brand, row: Row) -> None:
    answer = await full.world.call(row.method, row.path)

    assert (row.method, answer.status) == ("GET", 200)
    for word in (b"dealer", b"shop", KNOWN.encode(), VISITOR.encode()):
        assert word not in answer.body.lower()


async def test_a_scope_beyond_the_keys_roles_is_refused_whatever_the_route(dealer: Brand) -> None:
    await dealer.add_key("plain", [TokenClass.BACKEND], [Role.BACKEND])

    greedy = await dealer.call("GET", "/v1/catalogue", token=dealer.backend("backend", "admin", key="plain"))
    modest = await dealer.call("GET", "/v1/catalogue", token=dealer.backend("backend", key="plain"))

    assert (greedy.status, greedy.code, modest.status) == (403, "scope", 200)


async def test_a_key_that_was_not_registered_for_consumers_signs_none(dealer: Brand) -> None:
    await dealer.add_key("plain", [TokenClass.BACKEND], [Role.BACKEND])

    answer = await dealer.page("GET", "/v1/me/preferences", token=dealer.consumer(key="plain"))

    assert (answer.status, answer.code) == (401, "token_invalid")


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "https://dealer.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "same-site"}],
)
async def test_staff_work_on_the_servers_own_pages_alone(dealer: Brand, headers: dict[str, str]) -> None:
    answer = await dealer.world.call("GET", "/v1/catalogue", token=dealer.staff(), headers=headers)

    assert (answer.status, answer.code) == (403, "origin")


async def test_staff_may_come_without_origin_from_the_servers_own_pages(dealer: Brand) -> None:
    answer = await dealer.world.call(
        "GET", "/v1/catalogue", token=dealer.staff(), headers={"Sec-Fetch-Site": "same-origin"}
    )

    assert answer.status == 200


async def test_the_token_class_is_judged_before_the_body_is_read(dealer: Brand) -> None:
    answer = await dealer.page("POST", "/v1/choices", body=b"this is no JSON")

    assert (answer.status, answer.code) == (403, "token_class")
    assert "/v1/me" in answer.json["detail"]


async def test_nothing_can_be_deleted(dealer: Brand) -> None:
    await dealer.say("channel:sms", "granted")
    async with dealer.world.nothing_stored():
        for row in [*ROWS, *PUBLIC_ROWS]:
            path = row.path.replace("{id}", KNOWN).replace("{device_id}", "laptop")
            answer = await dealer.call("DELETE", path, token=dealer.backend(*Role))
            assert (answer.status, answer.code) == (405, "method_not_allowed")
        for path in (f"/v1/consumers/{KNOWN}", "/v1/me"):
            assert (await dealer.call("DELETE", path, token=dealer.backend(*Role))).status == 404
