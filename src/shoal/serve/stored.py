"""What the routes of several kinds of documents do alike: find one, list them, remove one."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fastapi import Response

from shoal.errors import UnknownError
from shoal.serve import conditions
from shoal.serve.answer import JSON
from shoal.serve.kinds import named
from shoal.serve.paging import Page, portion
from shoal.serve.problem import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fastapi import Request

    from shoal.catalog.store import Record
    from shoal.serve.service import Service

__all__ = ["found", "listed", "named_in_body", "paged", "removed"]

PLACES = {"device": "/things", "deployment": "/deployments"}


def found(serving: Service, kind: str, id: str) -> Record:
    """Return a document.

    Raises
    ------
    Refused
        404.
    """
    record = serving.store.get(kind, id)
    if record is None:
        raise Refused(404, f"no {named(kind)} '{id[:200]}'", hint=f"GET {PLACES.get(kind, '/models')}")
    return record


async def listed(
    serving: Service,
    kind: str,
    offset: int,
    limit: int | None,
    format: str,
    shown: Callable[[Record], dict[str, Any]],
) -> Response:
    """Return a page of the documents of a kind, in the order of their ids."""
    revision = serving.store.revision

    def read() -> Response:
        page = paged(serving, kind, offset, limit, revision, shown)
        if format == "collection":
            links = page.headers(("format", format))
            return Response(page.collection("Collection"), headers=links, media_type=JSON)
        return Response(page.array(), headers=page.headers(), media_type=JSON)

    return await serving.pages.run(read)


def paged(
    serving: Service,
    kind: str,
    offset: int,
    limit: int | None,
    revision: int,
    shown: Callable[[Record], dict[str, Any]],
    others: tuple[tuple[str, str], ...] = (),
) -> Page:
    """Read a page of the documents of a kind."""
    settings, store = serving.settings, serving.store
    size = min(limit or settings.page, settings.page)
    members = portion(store, kind, offset, size, settings.page_bytes, shown)
    return Page(f"/{named(kind)}s", offset, size, members, store.count(kind), revision, others)


async def removed(request: Request, serving: Service, kind: str, id: str, caller: str) -> None:
    """Remove a document, if it is as the client believes."""

    def remove() -> None:
        conditions.demand(request, found(serving, kind, id))
        serving.catalog.remove(kind, id, actor=caller)

    await serving.writer.run(remove)


@contextmanager
def named_in_body() -> Iterator[None]:
    """Let a name in a body that means nothing be wrong with the body: the path is right.

    Raises
    ------
    Refused
        400, with the field that has the name.
    """
    try:
        yield
    except UnknownError as error:
        # "model", or "deployment 'hall-7': device".
        field = (error.where or "").rpartition(": ")[2]
        raise Refused(400, error.what, fields=[(field, error.what)], hint=error.hint) from None
