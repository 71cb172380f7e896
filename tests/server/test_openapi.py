"""/openapi.json: valid OpenAPI 3.1 that describes every route as it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from sayso.wire import Code
from sayso_server.app import ROWS

if TYPE_CHECKING:
    from tests.server.conftest import Answered, Brand, World


@pytest.fixture
async def document(world: World) -> dict[str, Any]:
    """The description as anybody gets it, without a token."""
    answer = await world.call("GET", "/openapi.json")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    members: dict[str, Any] = answer.json
    return members


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


async def test_it_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


async def test_it_describes_every_route_and_nothing_else(world: World, document: dict[str, Any]) -> None:
    rows = {f"{row.method} {row.path}" for row in world.app[ROWS]}

    assert operations(document).keys() == rows - {"GET /openapi.json"}


async def test_each_operation_says_what_its_row_says(world: World, document: dict[str, Any]) -> None:
    described = operations(document)
    for row in world.app[ROWS]:
        if row.path == "/openapi.json":
            continue
        operation = described[f"{row.method} {row.path}"]
        assert operation["summary"] == row.summary
        assert operation["x-token-classes"] == sorted(row.classes)
        assert operation["x-roles"] == sorted(row.roles)
        assert operation["security"] == ([{"token": []}] if row.classes else [])
        assert str(row.status) in operation["responses"]
        assert ("requestBody" in operation) == (row.body_limit > 0)
        parameters = {(parameter["name"], parameter["in"]) for parameter in operation["parameters"]}
        assert parameters == {(name, "path") for name in re.findall(r"{(\w+)}", row.path)} | {
            (name, "query") for name in row.query
        }


async def test_operations_have_names_of_their_own(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for operation in operations(document).values()]

    assert len(set(names)) == len(names)
    assert "post_choices" in names
    assert "get_consumers_id_preferences" in names


async def test_every_code_there_is_is_listed(document: dict[str, Any]) -> None:
    assert set(document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"]) == set(Code)


async def test_no_schema_is_missing_and_none_is_left_over(world: World, document: dict[str, Any]) -> None:
    text = (await world.call("GET", "/openapi.json")).body.decode()
    used = set(re.findall(r'"#/components/schemas/(\w+)"', text))

    assert used == document["components"]["schemas"].keys()


# --- what is described is what is answered ------------------------------------------------------------------


def conforms(document: dict[str, Any], called: str, answer: Answered, request: Any = None) -> None:
    """Hold an exchange to the description of its operation."""
    operation = operations(document)[called]
    root = {"components": document["components"]}
    described = operation["responses"][str(answer.status)]["content"]
    ((media_type, content),) = described.items()
    assert answer.headers["Content-Type"] == media_type
    checks = [(content["schema"], answer.json)]
    if request is not None:
        checks.append((operation["requestBody"]["content"]["application/json"]["schema"], request))
    for schema, value in checks:
        validator = Draft202012Validator(schema | root)
        assert [error.message for error in validator.iter_errors(value)] == [], called


async def test_requests_and_answers_are_as_described(
    dealer: Brand, document: dict[str, Any], make_choice: Any, catalogue: dict[str, Any]
) -> None:
    one = "/v1/consumers/cust-42"
    backend, admin = dealer.backend(), dealer.backend("admin")
    whole = make_choice(
        "purpose:training",
        "granted",
        made_at="2026-11-23T18:00:00Z",
        evidence={"kind": "call", "ref": "call-7", "sha256": "0" * 64},
        detail={"note": "asked at the desk"},
        based_on=0,
        expires_at="2027-01-01T00:00:00Z",
        device_id="pixel-8",
        jurisdiction="US-CA",
        overrides=["gpc"],
    )
    states = {"vocabulary": "web", "observed_at": "2026-11-23T19:00:00Z", "states": {"camera": "odd"}}
    checks = [{"consumer_id": "cust-42", "topic": topic} for topic in ("purpose:training", "purpose:unknown")]
    exchanges: list[tuple[str, str, str, Any]] = [
        ("POST", "/v1/choices", backend, {"choices": [whole], "sent_at": "2026-11-23T19:00:00Z"}),
        ("PUT", one + "/devices/pixel-8", backend, states),
        ("POST", one + "/signals", backend, {"name": "gpc", "device_id": "pixel-8"}),
        ("PUT", one + "/age", backend, {"source": "brand", "lower": 21}),
        ("POST", one + "/links", backend, {"anonymous_id": "anon_" + "a" * 22}),
        ("GET", one + "/preferences", backend, None),
        ("GET", one + "/choices", backend, None),
        ("GET", one + "/export", backend, None),
        ("POST", "/v1/decisions", backend, {"checks": checks}),
        ("GET", "/v1/catalogue", backend, None),
        ("POST", "/v1/catalogue/preview", admin, catalogue | {"majority": 21}),
        ("PUT", "/v1/catalogue", admin, catalogue | {"majority": 21}),
    ]

    for method, path, token, body in exchanges:
        answer = await dealer.call(method, path, token=token, json=body)
        assert answer.status < 300, (path, answer.body)
        called = path.replace("cust-42", "{id}").replace("devices/pixel-8", "devices/{device_id}")
        conforms(document, f"{method} {called}", answer, body)


async def test_problems_are_as_described(dealer: Brand, document: dict[str, Any], make_choice: Any) -> None:
    stale = make_choice("purpose:training", "granted", notice={"language": "en", "version": 1})
    problems = [
        ("POST /v1/choices", await dealer.post(stale)),
        ("POST /v1/choices", await dealer.post()),
        ("POST /v1/choices", await dealer.call("POST", "/v1/choices", body=b"{")),
        ("POST /v1/choices", await dealer.call("POST", "/v1/choices", token=None, json={})),
        ("POST /v1/choices", await dealer.call("POST", "/v1/choices", token=dealer.backend("auditor"), json={})),
        ("POST /v1/choices", await dealer.call("POST", "/v1/choices", body=b" " * (2 * 1024 * 1024 + 1))),
        ("POST /v1/choices", await dealer.call("POST", "/v1/choices", body=b"x", headers={"Content-Type": "a/b"})),
        (
            "GET /v1/consumers/{id}/preferences",
            await dealer.call("GET", "/v1/consumers/cust-42/preferences?at_least=5000"),
        ),
    ]

    assert [answer.status for _, answer in problems] == [409, 422, 400, 401, 403, 413, 415, 409]
    for called, answer in problems:
        conforms(document, called, answer)
