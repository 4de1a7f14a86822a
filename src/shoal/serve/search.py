"""The Search API of W3C WoT Discovery: SPARQL and JSONPath; and words."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Path, Query, Request, Response

from shoal.catalog.query import Limits, Results, examples
from shoal.errors import QueryError, ShoalError, UnknownError
from shoal.serve import body
from shoal.serve.answer import JSON, LD, answer, chosen
from shoal.serve.kinds import Kinds, named, stored
from shoal.serve.openapi import INVALID, MISSING
from shoal.serve.problem import Refused
from shoal.serve.roles import FREE_VIEWER, VIEWER
from shoal.serve.service import Caller, Service, Serving

__all__ = ["router"]

router = APIRouter(tags=["search"])
logger = logging.getLogger(__name__)

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


@router.post("/search/sparql", dependencies=[VIEWER], responses=INVALID, openapi_extra=SENT)
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
    async with serving.paths:
        return Response(await serving.jsonpath.ask(query), media_type=JSON)


@router.get("/search/text", dependencies=[VIEWER], responses=INVALID)
async def search_text(
    serving: Serving,
    caller: Caller,
    query: Words,
    kinds: Kinds = None,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 20,
) -> Response:
    """Find documents of all kinds by words, the best first."""
    admit(serving, caller, query)
    wanted = None if kinds is None else stored(kinds)

    def find() -> list[dict[str, object]]:
        found = serving.catalog.find(query, kinds=wanted, limit=limit, offset=offset)
        return [
            {
                "kind": named(one.kind),
                "id": one.id,
                "title": one.title,
                "score": one.score,
                "excerpt": one.excerpt,
            }
            for one in found
        ]

    return answer(await serving.indexed.run(find))


@router.get("/queries/{name}", dependencies=[FREE_VIEWER], responses=MISSING)
async def answer_saved_query(
    request: Request,
    serving: Serving,
    caller: Caller,
    name: Annotated[str, Path(description="name of a saved query", examples=["small-models"])],
) -> Response:
    """Answer a saved query, or one that comes with Shoal; the parameters of the request are its own."""
    if serving.store.get("query", name) is None and name not in examples():
        raise Refused(404, f"no saved query '{name[:200]}'")
    parameters = dict(request.query_params)
    return await sparql(request, serving, caller, name, parameters)


async def sparql(
    request: Request,
    serving: Service,
    caller: str,
    query: str,
    parameters: Mapping[str, str] | None = None,
) -> Response:
    """Return the answer to a SPARQL query, or to a saved one, in the format that the client likes."""
    admit(serving, caller, query)
    settings = serving.settings
    limits = Limits(seconds=settings.query_seconds, rows=settings.query_rows, bytes=settings.query_bytes)

    def ask() -> tuple[bytes, str, bool]:
        results = serving.catalog.query(query, parameters=parameters, limits=limits)
        formats = TRIPLES if results.triples is not None else ROWS
        media = chosen(request, tuple(formats))
        if results.boolean is not None and media not in {JSON, "application/sparql-results+json"}:
            media = JSON
        return written(results, formats[media], media, settings.query_bytes), media, results.truncated

    try:
        content, media, truncated = await serving.sparql.run(ask)
    except UnknownError as error:
        # A saved query, or a model in the text, that there is not: the path is right.
        raise Refused(400, error.what, fields=[("query", error.what)], hint=error.hint) from None
    headers = {"Vary": "Accept"} | ({"Shoal-Truncated": "true"} if truncated else {})
    return Response(content, headers=headers, media_type=media)


def written(results: Results, form: Callable[[Results], str], media: str, most: int) -> bytes:
    """Return results in a format, if it can say them in so many bytes.

    Raises
    ------
    QueryError
        If not.
    """
    try:
        content = form(results).encode()
    except ShoalError:
        raise
    except Exception as error:  # a term that the format cannot say: the query's fault, not the server's
        logger.info("no answer as %s", media, exc_info=True)
        raise QueryError(f"the answer cannot be written as {media}: {error}", where="query") from None
    if len(content) > most:
        raise QueryError(f"the answer has more than {most:,} bytes", where="query", hint="LIMIT")
    return content


def admit(serving: Service, caller: str, query: str) -> None:
    """Refuse queries that are too many or too long.

    Raises
    ------
    Refused
        429, 400.
    """
    serving.throttle(caller)
    if len(query) > serving.settings.query_length:
        problem = f"longer than {serving.settings.query_length:,} characters"
        raise Refused(400, f"query: {problem}", fields=[("query", problem)])
    if not query.isascii():
        try:
            query.encode()
        except UnicodeEncodeError:
            raise Refused(400, "query: half of a character", fields=[("query", "not UTF-8")]) from None
