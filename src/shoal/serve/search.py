"""The Search API of W3C WoT Discovery: SPARQL and JSONPath; and words."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qs

import anyio.to_thread
from fastapi import APIRouter, Query, Request, Response

from shoal.catalog.query import Limits, Results
from shoal.errors import UnknownError
from shoal.serve import body
from shoal.serve.answer import JSON, LD, answer, chosen
from shoal.serve.openapi import INVALID
from shoal.serve.problem import Refused
from shoal.serve.roles import VIEWER
from shoal.serve.service import Caller, Service, Serving

__all__ = ["router"]

router = APIRouter(tags=["search"])

WAITING = 64
SPARQL, FORM = "application/sparql-query", "application/x-www-form-urlencoded"
ROWS = {
    JSON: Results.json,
    "application/sparql-results+json": Results.json,
    "text/csv": Results.csv,
    "text/tab-separated-values": Results.tsv,
}
TRIPLES = {
    LD: Results.json,
    JSON: Results.json,
    "text/turtle": Results.turtle,
    "application/n-triples": lambda results: results.triples or "",
}
Sparql = Annotated[
    str, Query(description="SPARQL 1.1, or the name of a saved query", examples=["ASK { ?s ?p ?o }"])
]
JsonPath = Annotated[str, Query(description="RFC 9535", examples=["$[?@.title == 'Hall 7']"])]
Words = Annotated[str, Query(description="words", examples=["wake word"])]
SENT = body.schema(SPARQL, text=True)
SENT["requestBody"]["content"][FORM] = {
    "schema": {"type": "object", "required": ["query"], "properties": {"query": {"type": "string"}}},
    "example": {"query": "ASK { ?s ?p ?o }"},
}


@router.get("/search/sparql", dependencies=[VIEWER], responses=INVALID)
async def search_sparql(request: Request, serving: Serving, caller: Caller, query: Sparql) -> Response:
    """Answer a SPARQL query: SELECT, ASK, CONSTRUCT or DESCRIBE."""
    return await sparql(request, serving, caller, query)


@router.post(
    "/search/sparql",
    dependencies=[VIEWER],
    responses=INVALID,
    openapi_extra=SENT,
)
async def post_sparql(request: Request, serving: Serving, caller: Caller) -> Response:
    """Answer a SPARQL query that is sent as the body, or as a form."""
    largest = 4 * serving.settings.query_length
    content = await body.content(request, largest, (SPARQL, FORM), required=True)
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise Refused(400, "the body is not UTF-8", fields=[("", "not UTF-8")]) from None
    if request.headers["content-type"].lower().startswith(FORM):
        fields = parse_qs(text, max_num_fields=10) if text.count("&") < 10 else {}
        if len(fields.get("query", ())) != 1:
            raise Refused(400, "query: missing", fields=[("query", "missing, or there more than once")])
        text = fields["query"][0]
    return await sparql(request, serving, caller, text)


@router.get("/search/jsonpath", dependencies=[VIEWER], responses=INVALID)
async def search_jsonpath(serving: Serving, caller: Caller, query: JsonPath) -> Response:
    """Find parts of Thing Descriptions by JSONPath; the root is the array of all of them."""
    admit(serving, caller, query)
    if serving.jsonpath is None:
        raise Refused(501, "a catalog in memory answers no JSONPath")
    async with serving.querying:
        return Response(await serving.jsonpath.ask(query), media_type=JSON)


@router.get("/search/text", dependencies=[VIEWER], responses=INVALID)
async def search_text(
    serving: Serving,
    caller: Caller,
    query: Words,
    kinds: Annotated[list[str] | None, Query(description="kinds of documents")] = None,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 20,
) -> Response:
    """Find documents of all kinds by words, the best first."""
    admit(serving, caller, query)

    def find() -> list[dict[str, object]]:
        found = serving.catalog.find(query, kinds=kinds, limit=limit, offset=offset)
        return [
            {"kind": one.kind, "id": one.id, "title": one.title, "score": one.score, "excerpt": one.excerpt}
            for one in found
        ]

    return answer(await anyio.to_thread.run_sync(find, limiter=serving.querying))


async def sparql(request: Request, serving: Service, caller: str, query: str) -> Response:
    """Return the answer to a SPARQL query in the format that the client likes."""
    admit(serving, caller, query)
    limits = Limits(seconds=serving.settings.query_seconds, rows=serving.settings.query_rows)

    def ask() -> tuple[str, str, bool]:
        results = serving.catalog.query(query, limits=limits)
        formats = TRIPLES if results.triples is not None else ROWS
        media = chosen(request, tuple(formats))
        if results.boolean is not None and media not in {JSON, "application/sparql-results+json"}:
            media = JSON
        return formats[media](results), media, results.truncated

    try:
        content, media, truncated = await anyio.to_thread.run_sync(ask, limiter=serving.querying)
    except UnknownError as error:
        # A saved query, or a model in the text, that there is not: the path is right.
        raise Refused(400, error.what, fields=[("query", error.what)], hint=error.hint) from None
    headers = {"Vary": "Accept"} | ({"Shoal-Truncated": "true"} if truncated else {})
    return Response(content, headers=headers, media_type=media)


def admit(serving: Service, caller: str, query: str) -> None:
    """Refuse queries that are too many or too long.

    Raises
    ------
    Refused
        429, 503, 400.
    """
    serving.throttle(caller)
    if serving.querying.statistics().tasks_waiting >= WAITING:
        raise Refused(503, f"{WAITING} queries wait already", headers={"Retry-After": "5"})
    if len(query) > serving.settings.query_length:
        problem = f"longer than {serving.settings.query_length:,} characters"
        raise Refused(400, f"query: {problem}", fields=[("query", problem)])
    if not query.isascii():
        try:
            query.encode()
        except UnicodeEncodeError:
            raise Refused(400, "query: half of a character", fields=[("query", "not UTF-8")]) from None
