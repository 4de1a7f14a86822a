"""The Thing Description of the directory itself."""

from __future__ import annotations

from typing import Any

from shoal.catalog.documents.thing import DISCOVERY, TD_1_1
from shoal.serve.answer import JSON, LD, TD
from shoal.serve.problem import PROBLEM

__all__ = ["description"]

EMPTY = "application/x-empty"
MERGE = "application/merge-patch+json"
THING = {
    "id": {"@type": "ThingID", "title": "Thing Description ID", "type": "string", "format": "iri-reference"}
}
PAGES = {
    "offset": {"title": "Number of TDs to skip before the page", "type": "number", "default": 0},
    "limit": {"title": "Number of TDs in a page", "type": "number"},
    "format": {
        "title": "Payload format",
        "type": "string",
        "enum": ["array", "collection"],
        "default": "array",
    },
}
FAILURES = {
    400: "Invalid query, serialization or TD",
    404: "TD with the given id not found",
    412: "TD not as the client believes",
}


def description(base: str, title: str, *, public: bool) -> dict[str, Any]:
    """Return the Thing Description of a directory.

    Parameters
    ----------
    base
        Where it is served, http://127.0.0.1:8080/.
    public
        Whether it asks for no token.

    Source: the Thing Model of a directory, W3C WoT Discovery, section 7.3.2.4.

    Examples
    --------
    >>> description("http://127.0.0.1:8080/", "Hall 7", public=False)["securityDefinitions"]
    {'bearer': {'scheme': 'bearer', 'in': 'header', 'name': 'Authorization', 'format': 'opaque'}}
    """
    bearer = {"scheme": "bearer", "in": "header", "name": "Authorization", "format": "opaque"}
    return {
        "@context": [TD_1_1, DISCOVERY],
        "@type": "ThingDirectory",
        "id": "urn:shoal:directory",
        "title": title,
        "base": base,
        "security": "none" if public else "bearer",
        "securityDefinitions": {"none": {"scheme": "nosec"}} if public else {"bearer": bearer},
        "properties": {"things": things()},
        "actions": actions(),
        "events": {
            "thingCreated": event("thing_created", "Registration of TDs", diff=True),
            "thingUpdated": event("thing_updated", "Updates to TDs", diff=True),
            "thingDeleted": event("thing_deleted", "Deletion of TDs", diff=False),
        },
    }


def things() -> dict[str, Any]:
    """Return the property that lists what is registered."""
    response = {
        "description": "Success response",
        "htv:statusCodeValue": 200,
        "contentType": LD,
        "htv:headers": [{"htv:fieldName": "Link"}],
    }
    form = {"href": "/things{?offset,limit,format}", "htv:methodName": "GET", "response": response}
    return {
        "description": "Retrieve all Thing Descriptions",
        "readOnly": True,
        "uriVariables": PAGES,
        "forms": [form | {"additionalResponses": failures(400)}],
    }


def actions() -> dict[str, Any]:
    """Return the actions on one Thing Description, and the searches."""
    one = "/things/{id}"
    return {
        "createThing": action("Create a TD", form("PUT", one, 201, 400, 412, send=TD), variables=THING),
        "createAnonymousThing": action(
            "Create an anonymous TD", form("POST", "/things", 201, 400, send=TD, headers=["Location"])
        ),
        "retrieveThing": action(
            "Retrieve a TD", form("GET", one, 200, 404, receive=TD), variables=THING, safe=True
        ),
        "updateThing": action("Update a TD", form("PUT", one, 204, 400, 412, send=TD), variables=THING),
        "partiallyUpdateThing": action(
            "Partially update a TD", form("PATCH", one, 204, 400, 404, 412, send=MERGE), variables=THING
        ),
        "deleteThing": action("Delete a TD", form("DELETE", one, 204, 404), variables=THING),
        "searchJSONPath": action(
            "JSONPath syntactic search",
            form("GET", "/search/jsonpath{?query}", 200, 400, receive=JSON),
            variables=query("A valid JSONPath expression, RFC 9535"),
            safe=True,
        ),
        "searchSPARQL": action(
            "SPARQL semantic search",
            form("GET", "/search/sparql{?query}", 200, 400, receive=JSON),
            form("POST", "/search/sparql", 200, 400, send="application/sparql-query", receive=JSON),
            variables=query("A valid SPARQL 1.1 query"),
            safe=True,
        ),
    }


def query(title: str) -> dict[str, Any]:
    """Return the variable of a search."""
    return {"query": {"title": title, "type": "string"}}


def form(
    method: str,
    href: str,
    status: int,
    *failing: int,
    send: str | None = None,
    receive: str = EMPTY,
    headers: list[str] | None = None,
) -> dict[str, Any]:
    """Return how an action is asked for, and what it answers."""
    response: dict[str, Any] = {
        "description": "Success response",
        "htv:statusCodeValue": status,
        "contentType": receive,
    }
    if headers:
        response["htv:headers"] = [{"htv:fieldName": name} for name in headers]
    asked = {"href": href, "htv:methodName": method, **({"contentType": send} if send else {})}
    return {**asked, "response": response, "additionalResponses": failures(*failing)}


def failures(*statuses: int) -> list[dict[str, Any]]:
    """Return the problems that an action may answer."""
    return [
        {"description": FAILURES[status], "contentType": PROBLEM, "htv:statusCodeValue": status}
        for status in statuses
    ]


def action(
    text: str, *forms: dict[str, Any], variables: dict[str, Any] | None = None, safe: bool = False
) -> dict[str, Any]:
    """Return an action."""
    how = {"safe": True, "idempotent": True} if safe else {}
    return {
        "description": text,
        **({"uriVariables": variables} if variables else {}),
        **how,
        "forms": list(forms),
    }


def event(name: str, text: str, *, diff: bool) -> dict[str, Any]:
    """Return a stream of events."""
    variables = (
        {"uriVariables": {"diff": {"description": "Include TD changes", "type": "boolean"}}} if diff else {}
    )
    form = {
        "op": "subscribeevent",
        "href": f"/events/{name}" + ("{?diff}" if diff else ""),
        "subprotocol": "sse",
        "htv:headers": [
            {"description": "ID of the last event for reconnection", "htv:fieldName": "Last-Event-ID"}
        ],
        "response": {"contentType": "text/event-stream"},
    }
    return {
        "description": text,
        **variables,
        "data": {"title": "Partial/Full TD", "type": "object"},
        "forms": [form],
    }
