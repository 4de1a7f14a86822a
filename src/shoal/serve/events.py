"""The Events API of W3C WoT Discovery: Server-Sent Events, for things and for all other documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from shoal.catalog.documents import KINDS
from shoal.serve.kinds import Kinds, named, stored
from shoal.serve.openapi import INVALID, MISSING, Answers
from shoal.serve.problem import Refused
from shoal.serve.roles import VIEWER
from shoal.serve.service import Service, Serving

if TYPE_CHECKING:
    from collections.abc import Callable

    from shoal.serve.feed import Message

__all__ = ["router"]

router = APIRouter(tags=["events"])

STREAM = "text/event-stream"
ACTIONS = ("created", "updated", "deleted")
Diff = Annotated[bool, Query(description="send the whole document, or what changed in it")]
Last = Annotated[str | None, Header(alias="Last-Event-ID", description="go on behind this event")]
STREAMED: Answers = {
    200: {"description": "events, until the client goes", "content": {STREAM: {"schema": {"type": "string"}}}}
}


@router.get("/events", dependencies=[VIEWER], responses={**STREAMED, **INVALID})
async def all_events(
    request: Request,
    serving: Serving,
    diff: Diff = False,
    kinds: Kinds = None,
    last: Last = None,
) -> Response:
    """Follow all events of things, or of other kinds of documents."""
    wanted = {named(kind) for kind in stored(kinds or ["thing"])}
    return stream(request, serving, {f"{kind}_{action}" for kind in wanted for action in ACTIONS}, diff, last)


@router.get("/events/{name}", dependencies=[VIEWER], responses={**STREAMED, **MISSING})
async def events_of_type(
    request: Request, serving: Serving, name: str, diff: Diff = False, last: Last = None
) -> Response:
    """Follow the events of one type: thing_created, thing_updated, thing_deleted, model_created, ..."""
    kind, _, action = name.rpartition("_")
    if kind not in map(named, KINDS) or action not in ACTIONS:
        raise Refused(404, f"no events '{name[:100]}'", hint="/events/thing_created")
    return stream(request, serving, {name}, diff, last)


def stream(request: Request, serving: Service, types: set[str], diff: bool, last: str | None) -> Response:
    """Return the answer that goes on until the client does not."""
    if last is not None and not (last.isascii() and last.isdecimal() and len(last) < 19):
        raise Refused(400, "Last-Event-ID: no id of an event", fields=[("Last-Event-ID", "not a number")])
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    if request.scope.get("head"):
        return Response(headers=headers, media_type=STREAM)
    if serving.feed.readers >= serving.settings.subscribers:
        raise Refused(503, "too many streams of events", headers={"Retry-After": "10"})
    after = None if last is None else int(last)
    messages = serving.feed.read(after, chooser(types, diff), request.scope["allowed"])
    return StreamingResponse(messages, 200, headers, STREAM)


def chooser(types: set[str], diff: bool) -> Callable[[Message], bytes | None]:
    """Return what gives the bytes of a message to one reader."""
    if diff:
        return lambda one: one.full if one.name in types else None
    return lambda one: one.brief if one.name in types else None
