"""Conditional requests, RFC 9110, section 13: the tag of a document is the number of its last event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.serve.problem import Refused

if TYPE_CHECKING:
    from fastapi import Request

    from shoal.catalog.store import Record

__all__ = ["demand", "tag", "unchanged"]


def tag(record: Record) -> str:
    """Return the entity tag of a document: it names what is stored, not when it was read."""
    return f'"{record.revision}"'


def tags(header: str) -> set[str]:
    """Return the entity tags of a header, weak ones without their mark."""
    return {one.strip().removeprefix("W/") for one in header.split(",")}


def unchanged(request: Request, tag: str) -> bool:
    """Whether a client that reads has already what has this tag."""
    header = request.headers.get("if-none-match")
    return header is not None and bool({"*", tag} & tags(header))


def demand(request: Request, record: Record | None) -> None:
    """Refuse to write where the document is not as the client believes.

    Raises
    ------
    Refused
        412.
    """
    match, none_match = request.headers.get("if-match"), request.headers.get("if-none-match")
    if match is not None and (record is None or not {"*", tag(record)} & tags(match)):
        raise Refused(412, "the document is not as If-Match has it", hint="read it again")
    if none_match is not None and record is not None and {"*", tag(record)} & tags(none_match):
        raise Refused(412, "the document exists already", hint="leave out If-None-Match")
