"""Collections in pages, with the links between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import Query

from shoal.serve.answer import encoded
from shoal.serve.problem import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shoal.catalog.store import Record, Store

__all__ = ["Format", "Limit", "Offset", "Page", "ordered_by_id", "portion"]

PORTION = 16  # documents that are read at once: so many of the largest take little memory

Offset = Annotated[int, Query(ge=0, le=2**53, description="documents to leave out")]
Limit = Annotated[int | None, Query(ge=1, le=2**53, description="documents in a page, at most")]
Format = Annotated[Literal["array", "collection"], Query(description="an array, or an object with the links")]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a collection.

    Parameters
    ----------
    path
        Of the collection, from the root of the server.
    offset, limit
        Documents before it; documents in it, at most.
    members
        Those in it, in JSON; fewer than `limit` where they are large.
    total
        Documents in the collection.
    revision
        Changes when documents come or go.
    others
        Parameters of the request that its links repeat.
    """

    path: str
    offset: int
    limit: int
    members: Sequence[bytes]
    total: int
    revision: int
    others: tuple[tuple[str, str], ...] = ()

    def link(self, offset: int, *more: tuple[str, str]) -> str:
        """Return the address of the page that begins there."""
        numbers = [("offset", str(offset)), ("limit", str(self.limit))]
        return f"{self.path}?{urlencode([*numbers, *self.others, *more])}"

    @property
    def next(self) -> int | None:
        """Where the next page begins; None where there is none."""
        following = self.offset + len(self.members)
        return following if self.members and following < self.total else None

    def headers(self, *more: tuple[str, str]) -> dict[str, str]:
        """Return the `Link` header, RFC 8288."""
        links = [f'<{self.path}>; rel="canonical"; etag="{self.revision}"']
        if self.next is not None:
            links.insert(0, f'<{self.link(self.next, *more)}>; rel="next"')
        return {"Link": ", ".join(links)}

    def array(self) -> bytes:
        """Return the page as an array."""
        return b"[" + b",".join(self.members) + b"]"

    def collection(self, kind: str) -> bytes:
        """Return the page as an object."""
        form = ("format", "collection")
        body = {
            "@context": "https://www.w3.org/2022/wot/discovery",
            "@type": kind,
            "total": self.total,
            "@id": self.link(self.offset, form),
        }
        if self.next is not None:
            body["next"] = self.link(self.next, form)
        return encoded(body)[:-1] + b',"members":' + self.array() + b"}"


def portion(
    store: Store, kind: str, offset: int, limit: int, most: int, shown: Callable[[Record], dict[str, Any]]
) -> list[bytes]:
    """Return documents in the order of their ids, in JSON.

    Parameters
    ----------
    limit, most
        Documents, and their bytes, at most; but one document, however large.
    shown
        Gives a document as it is shown.
    """
    found: list[bytes] = []
    size, after = 0, None
    while len(found) < limit:
        records = [*store.records(kind, after=after, offset=offset, limit=min(PORTION, limit - len(found)))]
        for record in records:
            text = encoded(shown(record))
            size += len(text)
            if found and size > most:
                return found
            found.append(text)
        if len(records) < PORTION:
            break
        after, offset = records[-1].id, 0
    return found


def ordered_by_id(sort_by: str | None, sort_order: str | None) -> tuple[tuple[str, str], ...]:
    """Return the parameters of an order for the links of a page.

    Raises
    ------
    Refused
        If it is another order than ascending ids.
    """
    for name, value, known in (("sort_by", sort_by, ("id", "/id")), ("sort_order", sort_order, ("asc",))):
        if value is not None and value not in known:
            text = f"{value[:100]!r} is not supported: documents are in ascending order of their id"
            raise Refused(400, f"{name}: {text}", fields=[(name, text)])
    given = (("sort_by", sort_by), ("sort_order", sort_order))
    return tuple((name, value) for name, value in given if value is not None)
