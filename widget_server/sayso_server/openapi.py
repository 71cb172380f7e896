"""The server's description in OpenAPI 3.1, made from the route table, so that it can't lag behind it."""

import re
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from sayso.wire import JSON_TYPE, STREAM_TYPE, ZIP_TYPE, Code
from sayso_server.answer_schemas import ANSWERS
from sayso_server.jsonio import dumps
from sayso_server.routes.table import Row
from sayso_server.services.requests import STATES

_PARAMETER = re.compile(r"{(\w+)}")
_ID = "^[A-Za-z0-9][A-Za-z0-9._:@+=-]{0,127}$"
_PARAMETERS = {
    "id": "The consumer's id",
    "device_id": "The device's id",
    "request_id": "The rights request's id",
    "agent_id": "The authorized agent's id",
    "doubt_id": "The id of a doubt about somebody's age",
    "token": "What the link ends in",
}
_PROBLEMS = {
    "400": "The request is malformed",
    "401": "No token, or one that is not accepted",
    "403": "The token may not do this",
    "408": "The body did not arrive in time",
    "409": "Something newer exists",
    "413": "The body is too large",
    "415": "The body is not JSON",
    "422": "A member does not fit",
    "429": "The key has used up too many tokens, or has too many streams open; wait",
    "500": "Something went wrong on the server",
    "503": "The server can't answer now",
}
_PROBLEM = "Problem"
_PARTS = {"Style": "text/css", "Script": "text/javascript"}
_WITHOUT_TOKEN = frozenset({"400", "500", "503"})
_WITH_BODY = frozenset(_PROBLEMS) - {"429"}
_WITHOUT_BODY = frozenset({"400", "401", "403", "409", "422", "500", "503"})


def describe(rows: tuple[Row, ...]) -> bytes:
    """Give the document as JSON."""
    models = list(dict.fromkeys(row.body for row in rows if row.body is not None))
    wanted: list[tuple[type[BaseModel], Any]] = [(model, "validation") for model in models]
    _, schemas = models_json_schema(wanted, ref_template="#/components/schemas/{model}")
    paths: dict[str, Any] = {}
    for row in rows:
        paths.setdefault(row.path, {})[row.method.lower()] = _operation(row)
    return dumps(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "Sayso",
                "version": "1",
                "summary": "Records consumers' privacy choices and answers whether something may be done.",
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "paths": paths,
            "components": {
                "schemas": {**schemas.get("$defs", {}), **ANSWERS, "Problem": _problem_schema()},
                "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
            },
        }
    )


def _operation(row: Row) -> dict[str, Any]:
    success: dict[str, Any] = {"description": "Done"}
    if row.answer == "Page":
        success["content"] = {"text/html": {"schema": {"type": "string"}}}
    elif row.answer in _PARTS:
        success["content"] = {_PARTS[row.answer]: {"schema": {"type": "string"}}}
    elif row.answer == "Zip":
        success["content"] = {ZIP_TYPE: {"schema": {"type": "string", "contentMediaType": ZIP_TYPE}}}
    elif row.answer == "Stream":
        success["content"] = {STREAM_TYPE: {"schema": {"type": "string"}}}
    else:
        success["content"] = {"application/json": {"schema": {"$ref": f"#/components/schemas/{row.answer}"}}}
    answers: dict[str, Any] = {str(row.status): success}
    if row.status == 201:  # noqa: PLR2004 - Created; a repetition creates nothing
        answers.setdefault("200", success)
    if "preferences" in row.path:
        answers["304"] = {"description": "Not changed since the entity tag was given"}
    answers |= _problems_of(row) if row.errors == _PROBLEM else _errors_of(row)
    operation: dict[str, Any] = {
        "operationId": _operation_id(row),
        "summary": row.summary,
        "parameters": _parameters(row),
        "responses": answers,
        "x-token-classes": sorted(token_class.value for token_class in row.classes),
        "x-roles": {
            "backend": sorted(role.value for role in row.access.backend),
            "staff": sorted(role.value for role in row.access.staff),
        },
        "x-single-use": row.single_use,
        "x-rate-class": row.rate_class.value,
        "security": [{"token": []}] if row.classes else [],
    }
    if row.body_limit:
        operation["requestBody"] = {"required": True, "content": {row.body_type: {"schema": _body_of(row)}}}
    return operation


def _body_of(row: Row) -> dict[str, Any]:
    if row.body is not None:
        return {"$ref": f"#/components/schemas/{row.body.__name__}"}
    return {"type": "object" if row.body_type == JSON_TYPE else "string"}


def _problems_of(row: Row) -> dict[str, Any]:
    applying = set(_WITH_BODY) if row.body_limit else set(_WITHOUT_BODY)
    if row.single_use or row.answer == "Stream":
        applying.add("429")
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {"description": _PROBLEMS[status], "content": content}
        for status in sorted(applying if row.classes else _WITHOUT_TOKEN)
    }


def _errors_of(row: Row) -> dict[str, Any]:
    """Describe the errors of a route that speaks another protocol: in its own form, and 403 without a body."""
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{row.errors}"}}}
    statuses = ("400", "408", "409", "413", "415", "422") if row.body_limit else ("400",)
    errors: dict[str, Any] = {status: {"description": _PROBLEMS[status], "content": content} for status in statuses}
    return {**errors, "403": {"description": "Not accepted; there is no body that says why"}}


def _operation_id(row: Row) -> str:
    words = [word for word in re.split(r"[/{}_.]+", row.path.removeprefix("/v1")) if word]
    return "_".join([row.method.lower(), *words]) if words else "home"


def _parameters(row: Row) -> list[dict[str, Any]]:
    path = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": _PARAMETERS[name],
            "schema": {"type": "string", "pattern": _ID},
        }
        for name in _PARAMETER.findall(row.path)
    ]
    query = [
        {
            "name": name,
            "in": "query",
            "required": name == "consumer" and row.path != "/v1/requests",
            "description": text,
            "schema": _query_schema(name),
        }
        for name, text in row.query.items()
    ]
    headers = [
        {"name": name, "in": "header", "required": False, "description": text, "schema": {"type": "string"}}
        for name, text in row.headers.items()
    ]
    return path + query + headers


def _query_schema(name: str) -> dict[str, Any]:
    if name == "as_of":
        return {"type": "string", "format": "date-time"}
    if name == "consumer":
        return {"type": "string", "pattern": _ID}
    if name in {"stream", "jurisdiction", "language", "after", "brand", "kind", "place", "change"}:
        return {"type": "string"}
    if name == "state":
        return {"type": "string", "enum": list(STATES)}
    if name == "allow_lower_majority":
        return {"type": "string", "enum": ["true", "false"]}
    return {"type": "integer", "minimum": 0}


def _problem_schema() -> dict[str, Any]:
    text = {"type": "string"}
    return {
        "type": "object",
        "description": "RFC 9457 problem details",
        "required": ["type", "title", "status", "code", "detail", "request_id", "errors"],
        "properties": {
            "type": text,
            "title": text,
            "status": {"type": "integer"},
            "code": {"type": "string", "enum": [code.value for code in Code]},
            "detail": text,
            "request_id": text,
            "current_version": {"type": "integer"},
            "legal": {"type": "array", "items": text},
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["pointer", "code", "message"],
                    "properties": {"pointer": text, "code": text, "message": text},
                },
            },
        },
    }
