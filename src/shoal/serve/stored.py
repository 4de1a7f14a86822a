"""What the routes of several kinds of documents do alike: find one, list them, remove one."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from shoal.errors import UnknownError
from shoal.serve import body, conditions
from shoal.serve.answer import answer
from shoal.serve.paging import Page
from shoal.serve.problem import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fastapi import Request, Response

    from shoal.catalog.store import Record
    from shoal.serve.service import Service

__all__ = ["TYPICAL", "found", "listed", "named_in_body", "removed"]

TYPICAL = 1000  # bytes of a document
PLACES = {"device": ("thing", "/things"), "deployment": ("deployment", "/deployments")}


def found(serving: Service, kind: str, id: str) -> Record:
    """Return a document.

    Raises
    ------
    Refused
        404.
    """
    record = serving.store.get(kind, id)
    if record is None:
        name, path = PLACES[kind]
        raise Refused(404, f"no {name} '{id[:200]}'", hint=f"GET {path}")
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
    size = min(limit or serving.settings.page, serving.settings.page)
    store = serving.store
    page = Page(f"/{kind}s", offset, size, store.count(kind), store.revision)

    def read() -> Response:
        members = [shown(one) for one in store.records(kind, offset=offset, limit=size)]
        if format == "collection":
            return answer(page.collection("Collection", members), headers=page.headers(("format", format)))
        return answer(members, headers=page.headers())

    return await body.unhurried(TYPICAL * min(size, page.total), read)


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
