"""Where a request is HTTP and still odd, and where something that guards the door is missing."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from sayso.wire import Role, TokenClass
from sayso_server.app import ROWS
from sayso_server.storage.base import StorageUnavailableError

if TYPE_CHECKING:
    from tests.server.conftest import Brand, World

REFUSAL = {
    "id": "0198f3a0-0000-7000-8000-000000000001",
    "consumer_id": "cust-42",
    "topic": "channel:sms",
    "answer": "denied",
    "method": "chat",
}


async def raw(world: World, sent: bytes) -> tuple[bytes, bytes]:
    """Send bytes on a connection of their own, and give head and body of all that comes back until it is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    try:
        writer.write(sent)
        async with asyncio.timeout(12):
            received = await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()
    head, _, body = received.partition(b"\r\n\r\n")
    return head, body


async def test_an_expectation_that_nobody_can_meet_is_a_417(dealer: Brand) -> None:
    async with dealer.world.nothing_stored():
        answer = await dealer.call("POST", "/v1/choices", json={"choices": [REFUSAL]}, headers={"Expect": "the-best"})

    assert (answer.status, answer.code) == (417, "bad_request")
    assert (answer.headers["Server"], answer.headers["Cache-Control"]) == ("sayso", "no-store")
    assert b"the-best" not in answer.body


@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/nowhere"), ("DELETE", "/v1/choices")])
async def test_an_expectation_on_a_path_that_leads_nowhere_is_a_417_as_anywhere_else(
    dealer: Brand, method: str, path: str
) -> None:
    answer = await dealer.call(method, path, json={}, headers={"Expect": "the-best"})

    assert (answer.status, answer.code) == (417, "bad_request")
    assert (answer.headers["Server"], answer.headers["Cache-Control"]) == ("sayso", "no-store")
    assert answer.headers["Connection"] == "close"
    assert b"the-best" not in answer.body


async def test_a_client_that_waits_for_continue_on_a_path_that_leads_nowhere_gets_the_404(dealer: Brand) -> None:
    request = (
        "POST /v1/nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    )

    head, rest = await raw(dealer.world, (request + "{}").encode())

    assert head == b"HTTP/1.1 100 Continue"
    assert rest.startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/openapi.json"])
async def test_head_on_a_public_page_is_get_without_the_body(world: World, path: str) -> None:
    head, get = await world.call("HEAD", path), await world.call("GET", path)

    assert (head.status, head.body) == (200, b"")
    assert (head.headers["Content-Type"], head.headers["Content-Length"]) == (
        get.headers["Content-Type"],
        str(len(get.body)),
    )


async def test_head_takes_the_same_token_as_get_and_says_the_same_version(dealer: Brand) -> None:
    await dealer.recorded(REFUSAL)
    path = "/v1/consumers/cust-42/preferences"

    head, get = await dealer.call("HEAD", path), await dealer.call("GET", path)
    stranger = await dealer.world.call("HEAD", path)
    unchanged = await dealer.call("HEAD", path, headers={"If-None-Match": get.headers["ETag"]})

    assert (head.status, head.body, head.headers["ETag"]) == (200, b"", get.headers["ETag"])
    assert (stranger.status, stranger.body, unchanged.status) == (401, b"", 304)


async def test_a_client_that_waits_for_continue_is_told_to(dealer: Brand) -> None:
    body = json.dumps({"choices": [REFUSAL]})
    request = (
        "POST /v1/choices HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n"
        f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\nAuthorization: Bearer {dealer.backend()}\r\n\r\n"
    )

    head, rest = await raw(dealer.world, (request + body).encode())

    assert head == b"HTTP/1.1 100 Continue"
    assert rest.startswith(b"HTTP/1.1 201 ")


async def test_the_rest_of_a_refused_body_is_not_taken_for_another_request(dealer: Brand) -> None:
    hidden = f"GET /v1/catalogue HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {dealer.backend()}\r\n\r\n"
    request = (
        "POST /v1/choices HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 5000000\r\n"
        f"Authorization: Bearer {dealer.backend()}\r\n\r\n{hidden}"
    )

    head, body = await raw(dealer.world, request.encode())

    assert head.startswith(b"HTTP/1.1 415 ")
    assert json.loads(body)["code"] == "unsupported_media_type"  # and nothing after it


async def test_keys_that_cannot_be_read_let_nobody_in(dealer: Brand, monkeypatch: pytest.MonkeyPatch) -> None:
    async def closed() -> int:
        raise StorageUnavailableError("the storage is not open")

    tokens = (dealer.backend(), "made.up.token", None)
    assert (await dealer.world.call("GET", "/v1/catalogue", token=tokens[0])).status == 200
    monkeypatch.setattr(dealer.world.storage, "config_version", closed)

    for token in tokens:
        answer = await dealer.world.call("GET", "/v1/catalogue", token=token)
        assert (answer.status, answer.code, answer.headers["Retry-After"]) == (503, "unavailable", "1")


async def test_a_scope_beyond_the_keys_roles_is_refused(dealer: Brand) -> None:
    await dealer.add_key("plain", [TokenClass.BACKEND], [Role.BACKEND])

    greedy = await dealer.call("GET", "/v1/catalogue", token=dealer.backend("backend", "admin", key="plain"))
    modest = await dealer.call("GET", "/v1/catalogue", token=dealer.backend("backend", key="plain"))

    assert (greedy.status, greedy.code, modest.status) == (403, "scope", 200)
    assert greedy.json["detail"] == (
        "the token's key doesn't have the role admin. Make one: "
        "`sayso-server key create --brand dealer --class backend --role admin`"
    )


async def test_a_backends_key_that_would_act_as_an_officer_is_told_what_it_can_use(dealer: Brand) -> None:
    await dealer.add_key("plain", [TokenClass.BACKEND], [Role.BACKEND])

    answer = await dealer.call("GET", "/v1/requests", token=dealer.backend("privacy_officer", key="plain"))

    assert (answer.status, answer.code) == (403, "scope")
    assert answer.json["detail"] == (
        "the token's key doesn't have the role privacy_officer. Make one: "
        "`sayso-server key create --brand dealer --class backend --role privacy_officer`. "
        "In the SDK, `privacy.requests.as_backend` does what a backend's key may."
    )


async def test_a_scope_that_names_no_role_is_answered_with_those_there_are(dealer: Brand) -> None:
    answer = await dealer.call("GET", "/v1/catalogue", token=dealer.backend("backend", "<b>publisher</b>"))

    assert (answer.status, answer.code) == (403, "scope")
    assert answer.json["detail"] == (
        "the token's scope names a role that there is not; there are backend, agent, privacy_officer, auditor, admin"
    )


async def test_a_token_that_is_not_accepted_is_answered_with_commands_that_can_be_typed_as_they_stand(
    dealer: Brand,
) -> None:
    answer = await dealer.call("GET", "/v1/catalogue", token="made.up.token")

    assert "`sayso-server key list --brand ID`" in answer.json["detail"]
    assert "`sayso-server key create --brand ID --class backend --role backend`" in answer.json["detail"]


async def test_a_key_that_was_not_registered_for_consumers_signs_none(dealer: Brand) -> None:
    await dealer.add_key("plain", [TokenClass.BACKEND], [Role.BACKEND])

    answer = await dealer.page("GET", "/v1/me/preferences", token=dealer.consumer(key="plain"))

    assert (answer.status, answer.code) == (401, "token_invalid")


async def test_a_token_is_judged_before_the_body_is_read(dealer: Brand) -> None:
    answer = await dealer.page("POST", "/v1/choices", body=b"this is no JSON")

    assert (answer.status, answer.code) == (403, "token_class")
    assert "/v1/me" in answer.json["detail"]


async def test_nothing_can_be_deleted_but_what_has_a_row_for_it(dealer: Brand, make_choice: Any) -> None:
    await dealer.recorded(make_choice("channel:sms", "granted"))
    token, rows = dealer.backend(*Role), dealer.world.app[ROWS]
    deletable = {row.path for row in rows if row.method == "DELETE"}

    assert deletable == {"/v1/consumers/{id}", "/v1/data-rights-request/{request_id}"}
    async with dealer.world.nothing_stored():
        for path in {row.path for row in rows} - deletable:
            where = re.sub(r"{\w+}", "cust-42", path)
            assert (await dealer.call("DELETE", where, token=token)).status == 405, path
