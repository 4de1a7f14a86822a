"""Bodies of requests: their type, their size, their JSON."""

from __future__ import annotations

import tempfile
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from shoal.catalog.documents import parse
from shoal.serve.answer import JSON, LD, TD
from shoal.serve.problem import Refused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

__all__ = ["DOCUMENT", "PATCH", "content", "document", "json", "schema", "sized", "spooled", "unhurried"]

DOCUMENT = (TD, LD, JSON)
PATCH = ("application/merge-patch+json",)
LARGE = 50_000

Result = TypeVar("Result")


async def portions(
    request: Request, largest: int, media: Sequence[str], *, required: bool = False
) -> AsyncIterator[bytes]:
    """Return the body of a request, as it comes.

    Parameters
    ----------
    largest
        Bytes.
    media
        The types that it may have.
    required
        Whether the request must say which; otherwise one that says nothing has the first.

    Raises
    ------
    Refused
        413, 415.
    """
    said = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if (said or required) and said not in media:
        raise Refused(415, f"the body has the type '{said[:100]}'", hint=" or ".join(media))
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Refused(415, "the body is compressed", hint="send it as it is")
    length = request.headers.get("content-length", "")
    if length.isdecimal() and len(length) < 20 and int(length) > largest:
        raise Refused(413, f"{int(length):,} bytes, more than {largest:,}")
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > largest:
            raise Refused(413, f"more than {largest:,} bytes")
        yield part


async def content(request: Request, largest: int, media: Sequence[str], *, required: bool = False) -> bytes:
    """Return the body of a request; takes and raises what :func:`portions` does."""
    return b"".join([part async for part in portions(request, largest, media, required=required)])


@asynccontextmanager
async def spooled(request: Request, largest: int, media: Sequence[str], name: str) -> AsyncIterator[Path]:
    """Give the body of a request as a file of this name, for as long as it is worked on.

    It takes and raises what :func:`portions` does; the memory does not hold more than a portion.
    """
    with tempfile.TemporaryDirectory(prefix="shoal-") as folder:
        file = Path(folder) / name
        with file.open("wb") as out:
            async for part in portions(request, largest, media):
                await run_in_threadpool(out.write, part)
        yield file


async def json(
    request: Request, media: Sequence[str] = DOCUMENT, *, required: bool = False
) -> tuple[Any, int]:
    """Return the JSON value that a request sends, and its bytes.

    Raises
    ------
    DocumentError
        If it is none.
    Refused
        If it is too large or of another type.
    """
    largest = request.app.state.service.settings.largest_document
    sent = await content(request, largest, media, required=required)
    return await unhurried(len(sent), lambda: parse(sent, "request")), len(sent)


async def unhurried(size: int, work: Callable[[], Result]) -> Result:
    """Return what work on so many bytes returns; where they are many, others are not kept waiting."""
    return await run_in_threadpool(work) if size > LARGE else work()


async def document(
    request: Request, media: Sequence[str] = DOCUMENT, *, required: bool = False
) -> dict[str, Any]:
    """Return the JSON object that a request sends; raises as :func:`sized`."""
    return (await sized(request, media, required=required))[0]


async def sized(
    request: Request, media: Sequence[str] = DOCUMENT, *, required: bool = False
) -> tuple[dict[str, Any], int]:
    """Return the JSON object that a request sends, and its bytes.

    Raises
    ------
    Refused
        If it is none.
    """
    value, size = await json(request, media, required=required)
    if not isinstance(value, dict):
        raise Refused(400, "the body is no JSON object", fields=[("", "not a JSON object")])
    return value, size


def schema(*media: str, example: Any = None, text: bool = False) -> dict[str, Any]:
    """Return what OpenAPI says of a body that a route reads itself."""
    shape: dict[str, Any] = {"type": "string"} if text else {"type": "object"}
    one: dict[str, Any] = {"schema": shape}
    if example is not None:
        one["example"] = example
    return {"requestBody": {"required": True, "content": dict.fromkeys(media, one)}}
