"""Who reaches a rights request: every route of one with every kind of token, and nothing without the right one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sayso_server.app import ROWS, create_app
from sayso_server.keys import KeyFile
from sayso_server.storage.memory import MemoryStorage

if TYPE_CHECKING:
    from tests.server.conftest import Answered, Brand, World

PUBLIC_ORIGIN = "https://privacy.example"
TABLE = {
    f"{row.method} {row.path}": row
    for row in create_app(MemoryStorage(), KeyFile(Path("none.keys")), public_origin=PUBLIC_ORIGIN)[ROWS]
    if row.classes and "{request_id}" in row.path
}
ROLES = ("backend", "agent", "privacy_officer", "auditor", "admin")
BODIES: dict[str, dict[str, Any]] = {
    "extend": {"reason": "Three branches."},
    "deny": {"reason": "no_match", "grounds": "Nothing."},
    "hand-over": {"to": "platform"},
    "lift": {"told": "By letter."},
}
ON = "/v1/requests/{request_id}"
WORKERS = {"backend backend", "backend privacy_officer", "staff privacy_officer"}
DECIDERS = {"backend privacy_officer", "staff privacy_officer"}
READERS = WORKERS | {"backend auditor", "staff auditor"}
MAY = {
    f"GET {ON}": READERS,
    f"GET {ON}/result": WORKERS,
    f"POST {ON}/acknowledge": WORKERS,
    f"POST {ON}/verify": WORKERS,
    f"POST {ON}/start": WORKERS,
    f"POST {ON}/extend": DECIDERS,
    f"POST {ON}/fulfil": WORKERS,
    f"POST {ON}/deny": DECIDERS,
    f"POST {ON}/revoke": WORKERS,
    f"POST {ON}/hand-over": DECIDERS,
    f"POST {ON}/note": WORKERS,
    f"POST {ON}/lift": DECIDERS,
    "GET /v1/me/requests/{request_id}": {"consumer"},
    "GET /v1/me/requests/{request_id}/result": {"consumer"},
    "POST /v1/me/requests/{request_id}/revoke": {"consumer"},
}


def test_the_table_holds_the_routes_written_out_here_and_no_others() -> None:
    assert set(TABLE) == set(MAY)


async def a_request(brand: Brand, name: str, consumer: str = "cust-42") -> str:
    """File a request with which the call of a row succeeds, and give its id."""
    kind = "restrict" if name.endswith("/lift") else "copy"
    body = {"kind": kind, "consumer_id": consumer, "jurisdiction": "DE"}
    request_id = str((await brand.call("POST", "/v1/requests", json=body)).json["id"])
    if name.endswith(("/result", "/lift")):
        fulfilled = await brand.call("POST", f"/v1/requests/{request_id}/fulfil", json={})
        assert fulfilled.status == 200
    return request_id


async def call(world: World, name: str, request_id: str, token: str | None, **headers: str) -> Answered:
    method, path = name.replace("{request_id}", request_id).split(" ")
    body = BODIES.get(path.rpartition("/")[2], {}) if method == "POST" else None
    return await world.call(method, path, token=token, json=body, headers=headers)


def tokens(brand: Brand) -> dict[str, tuple[str, dict[str, str]]]:
    """Give a token of each class and role, and where it is used from."""
    found = {f"backend {role}": (brand.backend(role), dict[str, str]()) for role in ROLES}
    found |= {f"staff {role}": (brand.staff(role), {"Origin": PUBLIC_ORIGIN}) for role in ROLES}
    found["consumer"] = (brand.consumer("cust-42"), {"Origin": brand.origin})
    return found


@pytest.mark.parametrize("name", TABLE)
async def test_a_route_opens_to_those_who_may_and_to_nobody_else(world: World, dealer: Brand, name: str) -> None:
    opened = set()
    for who, (token, headers) in tokens(dealer).items():
        answer = await call(world, name, await a_request(dealer, name), token, **headers)
        assert answer.status in {200, 403}, (who, answer.body)
        if answer.status == 200:
            opened.add(who)
        else:
            assert answer.code in {"token_class", "scope", "not_yours"}

    assert opened == MAY[name]


@pytest.mark.parametrize("name", TABLE)
async def test_without_a_token_of_ours_it_is_a_401(world: World, dealer: Brand, name: str) -> None:
    request_id = await a_request(dealer, name)
    header, payload, signature = dealer.backend(*ROLES).split(".")
    forged = ".".join([header, payload, signature[:-4] + ("AAAA" if signature[-4:] != "AAAA" else "BBBB")])

    answers = [await call(world, name, request_id, token) for token in (None, forged)]

    assert [(answer.status, answer.code) for answer in answers] == [(401, "token_missing"), (401, "token_invalid")]


@pytest.mark.parametrize("name", TABLE)
async def test_a_token_is_refused_from_where_it_may_not_be_used(world: World, dealer: Brand, name: str) -> None:
    request_id = await a_request(dealer, name)
    for who in MAY[name]:
        token, _ = tokens(dealer)[who]
        wrong = {"Origin": dealer.origin} if who != "consumer" else {"Origin": "https://elsewhere.example"}
        answer = await call(world, name, request_id, token, **wrong)

        assert (answer.status, answer.code) == (403, "origin"), who


@pytest.mark.parametrize("name", TABLE)
async def test_another_brands_request_and_another_consumers_are_none(
    world: World, dealer: Brand, shop: Brand, name: str
) -> None:
    theirs = await a_request(shop, name)
    others = await a_request(dealer, name, "cust-43")
    none = "01890a5d-ac96-774b-bcce-b302099a8057"
    for who in MAY[name]:
        for request_id in [theirs, none, *([others] if who == "consumer" else [])]:
            token, headers = tokens(dealer)[who]
            answer = await call(world, name, request_id, token, **headers)
            assert (answer.status, answer.code) == (404, "no_request"), who
    for brand, request_id, consumer in ((shop, theirs, "cust-42"), (dealer, others, "cust-43")):
        shown = await brand.page("GET", f"/v1/me/requests/{request_id}", sub=consumer)
        assert len(shown.json["events"]) == (2 if name.endswith(("/result", "/lift")) else 1)
