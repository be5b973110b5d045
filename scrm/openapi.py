"""OpenAPI 3.1 out of the route table: whatever a route takes and answers stands in its handler's types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema

from scrm.auth import COOKIE, CSRF_HEADER, SAFE_METHODS
from scrm.http import PUBLIC, SIGNED_IN, Route, Shape, shape_of
from scrm.views import MAX_ID, View

Mode = Literal["validation", "serialization"]
References = Mapping[tuple[type[BaseModel], Mode], Any]
REFERENCE = "#/components/schemas/{model}"

MEANINGS = {
    200: "Done.",
    201: "Made.",
    204: "Done; there is nothing to say.",
    206: "A part of the bytes.",
    302: "Go on there.",
    304: "What you have is still right.",
    400: "The request cannot be understood.",
    401: "Nobody is signed in, or not any more.",
    403: "Signed in, but not allowed; or the CSRF token is missing.",
    404: "There is no such thing, or it is not for you.",
    409: "It is not in a state in which this can be done.",
    413: "The body is too large.",
    415: "The body is of another type than this takes.",
    416: "There are no such bytes.",
    422: "Some fields or parameters are wrong; `fields` says which and why.",
    429: "Too many attempts; `Retry-After` says how many seconds to wait.",
    503: "The database or a platform does not answer; try again.",
}


class ErrorView(View):
    """Every refusal looks like this."""

    error: str = Field(description="A stable code for programs.")
    detail: str = Field(description="A sentence for people.")
    fields: dict[str, str] = Field(default={}, description="A sentence for each field that is wrong.")


def build(routes: Sequence[Route], *, version: str) -> dict[str, Any]:
    """The whole description, ready to be served as JSON."""
    shapes = [(route, shape_of(route)) for route in routes]
    references, components = _schemas(shapes)
    paths: dict[str, dict[str, Any]] = {}
    for route, shape in shapes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, shape, references)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "SCRM",
            "version": version,
            "description": (
                "Everything that the page can do. Webhooks of platforms (`/webhooks/{provider}/{key}`) follow each platform's "
                "own rules; `/ws` pushes the same shapes over a WebSocket; `/healthz`, `/readyz` and `/metrics` are for "
                "operators."
            ),
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
                "csrf": {"type": "apiKey", "in": "header", "name": CSRF_HEADER},
                "token": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def _schemas(shapes: Sequence[tuple[Route, Shape]]) -> tuple[References, dict[str, Any]]:
    wanted: list[tuple[type[BaseModel], Mode]] = [(ErrorView, "serialization")]
    for _, shape in shapes:
        if shape.body is not None:
            wanted.append((shape.body, "validation"))
        if shape.answer is not None:
            wanted.append((shape.answer, "serialization"))
    references, definitions = models_json_schema(list(dict.fromkeys(wanted)), ref_template=REFERENCE)
    return cast(References, references), definitions.get("$defs", {})


def _name(route: Route) -> str:
    """Unique because the address is: one handler may serve several."""
    words = [word.strip("{}").replace(".", "_") for word in route.path.split("/") if word]
    return "_".join([route.method.lower(), *words])


def _operation(route: Route, shape: Shape, references: References) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _name(route),
        "summary": route.summary,
        "tags": [route.path.split("/")[2] if route.path.startswith("/api/") else "other"],
        "responses": _responses(route, shape, references),
    }
    if route.permission not in (PUBLIC, SIGNED_IN):
        operation["description"] = f"Needs the permission `{route.permission}`."
    parameters = _path_parameters(shape) + _query_parameters(shape)
    if parameters:
        operation["parameters"] = parameters
    if shape.body is not None:
        content = {"application/json": {"schema": references[shape.body, "validation"]}}
        operation["requestBody"] = {"required": True, "content": content}
    elif route.upload:
        form = {
            "type": "object",
            "required": ["file"],
            "properties": {"file": {"type": "string", "contentMediaType": "application/octet-stream"}},
        }
        operation["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": form}}}
    if route.permission == PUBLIC:
        operation["security"] = []
    else:
        cookie: dict[str, list[str]] = {"session": []}
        if route.method not in SAFE_METHODS:
            cookie["csrf"] = []
        operation["security"] = [cookie, {"token": []}]
    return operation


def _responses(route: Route, shape: Shape, references: References) -> dict[str, Any]:
    found: dict[str, Any] = {}
    good = 204 if shape.answer is None and not shape.raw else route.status
    for status in (good, *route.also):
        found[str(status)] = {"description": MEANINGS[status]}
        if shape.answer is not None:
            schema = references[shape.answer, "serialization"]
            found[str(status)]["content"] = {"application/json": {"schema": schema}}
        elif route.binary and status in (200, 206):
            found[str(status)]["content"] = {route.binary: {"schema": {"type": "string", "format": "binary"}}}
    bad = {"application/json": {"schema": references[ErrorView, "serialization"]}}
    for status in sorted(_errors(route, shape)):
        found[str(status)] = {"description": MEANINGS[status], "content": bad}
        if status in (429, 503):
            found[str(status)]["headers"] = {"Retry-After": {"schema": {"type": "string"}}}
    return found


def _errors(route: Route, shape: Shape) -> set[int]:
    errors = {503, 422, *route.errors}
    if route.permission != PUBLIC:
        errors |= {401, 403}
    elif route.method not in SAFE_METHODS:
        errors.add(403)
    if shape.path:
        errors.add(404)
    if shape.body is not None or route.upload:
        errors |= {400, 413, 415}
    return errors


def _path_parameters(shape: Shape) -> list[dict[str, Any]]:
    number = {"type": "integer", "format": "int64", "minimum": 1, "maximum": MAX_ID}
    return [
        {"name": name, "in": "path", "required": True, "schema": number if kind is int else {"type": "string"}}
        for name, kind in shape.path.items()
    ]


def _query_parameters(shape: Shape) -> list[dict[str, Any]]:
    if shape.query is None:
        return []
    schema = shape.query.model_json_schema(ref_template=REFERENCE)
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": _present(one)}
        for name, one in schema["properties"].items()
    ]


def _present(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter is absent rather than null."""
    kinds = [one for one in schema.get("anyOf", []) if one.get("type") != "null"]
    rest = {key: value for key, value in schema.items() if key not in ("anyOf", "default", "title")}
    if "anyOf" in schema:
        return {**rest, **kinds[0]} if len(kinds) == 1 else {**rest, "anyOf": kinds}
    return schema
