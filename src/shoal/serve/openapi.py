"""What OpenAPI says of bodies and answers that routes read and write themselves."""

from __future__ import annotations

from typing import Any

from shoal.catalog.documents.thing import TD_1_1
from shoal.serve import body
from shoal.serve.problem import PROBLEM

__all__ = ["INVALID", "MISSING", "STALE", "TAKEN", "Answers", "thing"]

SHAPE = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "hint": {"type": "string"},
        "validationErrors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "description"],
                "properties": {"field": {"type": "string"}, "description": {"type": "string"}},
            },
        },
    },
}


def told(description: str) -> dict[str, Any]:
    """Return a problem as an answer."""
    return {"description": description, "content": {PROBLEM: {"schema": SHAPE}}}


Answers = dict[int | str, dict[str, Any]]

INVALID: Answers = {400: told("something is wrong with the request")}
MISSING: Answers = {**INVALID, 404: told("there is none")}
STALE: Answers = {412: told("it is not as the client believes")}
TAKEN: Answers = {**INVALID, **STALE, 201: {"description": "created"}}

TD_EXAMPLE = {
    "@context": TD_1_1,
    "id": "urn:dev:ops:32473-hall-7",
    "title": "Hall 7",
    "security": "none",
    "securityDefinitions": {"none": {"scheme": "nosec"}},
    "shoal:hardware": {"board": "nano33ble"},
}


def thing(*, with_id: bool = True) -> dict[str, Any]:
    """Return what OpenAPI says of a Thing Description that is sent."""
    example = {name: value for name, value in TD_EXAMPLE.items() if with_id or name != "id"}
    said = body.schema(*body.DOCUMENT, example=example)
    shape = {
        "type": "object",
        "required": ["@context", "title", "security", "securityDefinitions"] + ["id"] * with_id,
        "properties": {
            "@context": {"const": TD_1_1},
            "id": {"type": "string", "pattern": "^urn:[a-z]{2,8}:[a-z0-9]{1,20}$"},
            "title": {"type": "string"},
            "security": {"const": "none"},
            "securityDefinitions": {"const": {"none": {"scheme": "nosec"}}},
        },
    }
    if not with_id:
        del shape["properties"]["id"]  # type: ignore[attr-defined]
        shape["not"] = {"required": ["id"]}
    for one in said["requestBody"]["content"].values():
        one["schema"] = shape
    return said
