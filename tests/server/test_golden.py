"""The wire as programs out there know it: `tests/wire` holds exchanges that every later server has to keep to."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.server.conftest import Answered, Brand, World

FOLDER = Path(__file__).parents[1] / "wire"
GOLDEN: dict[str, dict[str, Any]] = {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}
CALLS = {
    "POST /v1/choices",
    "GET /v1/consumers/{id}/preferences",
    "GET /v1/consumers/{id}/choices",
    "POST /v1/decisions",
    "POST /v1/preferences",
    "PUT /v1/consumers/{id}/devices/{device_id}",
    "POST /v1/consumers/{id}/signals",
    "PUT /v1/consumers/{id}/age",
    "POST /v1/consumers/{id}/links",
    "GET /v1/consumers/{id}/export",
    "DELETE /v1/consumers/{id}",
    "GET /v1/audit",
    "POST /v1/disclosures",
    "GET /v1/disclosures",
    "GET /v1/me/disclosures",
    "GET /v1/catalogue",
    "PUT /v1/catalogue",
    "GET /v1/changes/head",
    "POST /v1/catalogue/preview",
    "POST /v1/catalogue/replay",
    "GET /v1/catalogue/notices",
    "POST /v1/requests",
    "GET /v1/requests",
    "POST /v1/requests/find",
    "GET /v1/requests/{request_id}",
    "POST /v1/requests/{request_id}/start",
    "POST /v1/requests/{request_id}/deny",
    "POST /v1/me/requests",
    "GET /v1/me/requests",
    "GET /v1/recourse",
    "POST /v1/me/choices",
    "GET /v1/me/preferences",
    "POST /v1/unsubscribe-links",
    "POST /v1/consumers/{id}/guardian-requests",
    "POST /v1/me/guardian-requests",
    "GET /v1/guardian-requests",
    "POST /v1/consumers/{id}/age-doubts",
    "GET /v1/age-doubts",
    "GET /.well-known/gpc.json",
}


@pytest.fixture
async def newcomer(world: World) -> Brand:
    """A brand that has published nothing yet."""
    return await world.add_brand("dealer", publish=False)


async def exchange(brand: Brand, golden: dict[str, Any]) -> Answered:
    request = golden["request"]
    token, _, role = request["token"].partition(" ")
    tokens = {"none": None, "backend": brand.backend(*role.split()), "consumer": brand.consumer("cust-42")}
    headers = {"Origin": brand.origin} if token == "consumer" else {}
    return await brand.world.call(
        request["method"], request["path"], token=tokens[token], json=request.get("body"), headers=headers
    )


def differences(expected: Any, found: Any, at: str = "") -> list[str]:
    """List where an answer lacks what was promised; what it has besides is nobody's loss."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return [
            line
            for name, value in expected.items()
            for line in (differences(value, found[name], f"{at}/{name}") if name in found else [f"{at}/{name}: gone"])
        ]
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        return [
            line
            for place, pair in enumerate(zip(expected, found, strict=True))
            for line in differences(*pair, f"{at}/{place}")
        ]
    if expected == "<text>":
        fits = isinstance(found, str) and found != ""
    elif expected == "<tag>":
        fits = isinstance(found, str) and re.fullmatch(r'"[!#-~]+"', found) is not None
    else:
        # In Python True equals 1, in JSON it doesn't.
        fits = type(expected) is type(found) and expected == found
    return [] if fits else [f"{at}: {found!r} instead of {expected!r}"]


@pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])
@pytest.mark.parametrize("name", GOLDEN)
async def test_an_exchange_that_programs_rely_on_goes_as_it_always_did(newcomer: Brand, name: str) -> None:
    for step in [*GOLDEN[name]["before"], name]:
        promised = GOLDEN[step]["answer"]

        answer = await exchange(newcomer, GOLDEN[step])

        assert answer.status == promised["status"], (step, answer.body)
        assert differences(promised["body"], answer.json) == [], step
        fields = promised.get("headers", {})
        assert differences(fields, {name: answer.headers.get(name) for name in fields}) == [], step


def test_every_call_with_a_documented_shape_has_an_exchange_that_succeeds() -> None:
    succeeding = {
        re.sub(
            r"/requests/[0-9a-f-]{36}",
            "/requests/{request_id}",
            re.sub(r"/devices/[\w-]+", "/devices/{device_id}", re.sub(r"/consumers/[\w-]+", "/consumers/{id}", called)),
        )
        for golden in GOLDEN.values()
        if golden["answer"]["status"] < 300
        for called in [f"{golden['request']['method']} {golden['request']['path'].partition('?')[0]}"]
    }

    assert succeeding == CALLS


@pytest.mark.parametrize(
    ("found", "line"),
    [
        ({"a": {"b": 1}}, "/c: gone"),
        ({"a": {"b": True}, "c": []}, "/a/b: True instead of 1"),
        ({"a": {}, "c": []}, "/a/b: gone"),
        ({"a": {"b": 1}, "c": [1]}, "/c: [1] instead of []"),
        ({"a": {"b": 1}, "c": None}, "/c: None instead of []"),
    ],
)
def test_a_member_that_is_gone_or_changed_its_value_or_type_is_noticed(found: Any, line: str) -> None:
    assert differences({"a": {"b": 1}, "c": []}, found) == [line]


def test_a_member_more_is_no_difference() -> None:
    assert differences({"a": [{"b": "<text>"}]}, {"a": [{"b": "x", "new": 1}], "new": {}}) == []
