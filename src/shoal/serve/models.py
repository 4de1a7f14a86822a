"""Models: their files go in, what is known of them comes out."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from shoal.catalog import documents
from shoal.catalog.store import Record
from shoal.serve import body, conditions, describing
from shoal.serve.answer import answer
from shoal.serve.openapi import INVALID, MISSING, STALE
from shoal.serve.paging import Format, Limit, Offset
from shoal.serve.problem import Refused
from shoal.serve.roles import ADMIN, OPERATOR, VIEWER
from shoal.serve.service import Caller, Service, Serving
from shoal.serve.stored import found, listed, named_in_body, removed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

__all__ = ["router"]

router = APIRouter(tags=["models"])

BINARY = "application/octet-stream"
Reference = Annotated[str, Path(description="name, name:version, name@alias, SHA-256", examples=["keywords"])]
Name = Annotated[str, Path(examples=["keywords"])]
Alias = Annotated[str, Path(examples=["champion"])]
SENT = body.schema(BINARY, text=True)
# What is read without running anything of it: other formats are converted before they come here.
Kind = Annotated[Literal["tflite", "onnx", "shoal"], Query(description="format of the file")]


@router.get("/models", dependencies=[VIEWER], responses=INVALID)
async def list_models(
    serving: Serving, offset: Offset = 0, limit: Limit = None, format: Format = "array"
) -> Response:
    """List models in the order of their ids."""
    return await listed(serving, "model", offset, limit, format, lambda one: {"id": one.id, **one.body})


@router.post("/models", status_code=201, dependencies=[OPERATOR], responses=INVALID, openapi_extra=SENT)
async def add_model(
    request: Request,
    serving: Serving,
    caller: Caller,
    name: str,
    kind: Kind = "tflite",
    version: str | None = None,
    title: str | None = None,
    description: str | None = None,
    task: str | None = None,
    licence: str | None = None,
    creator: str | None = None,
    sensors: Annotated[list[str] | None, Query(description="what must be observed, or with what")] = None,
    tags: Annotated[list[str] | None, Query()] = None,
    train_last: Annotated[int | None, Query(ge=1, le=1000)] = None,
) -> Response:
    """Add a model by its file; everything that the file says is read from it."""
    given = {
        "name": name,
        "version": version,
        "title": title,
        "description": description,
        "task": task,
        "licence": licence,
        "creator": creator,
        "sensors": sensors,
        "tags": tags,
        "train_last": train_last,
    }
    fields = {field: value for field, value in given.items() if value is not None}
    settings = serving.settings
    async with (
        serving.sending,
        body.spooled(request, settings.largest_model, (BINARY,), f"model.{kind}") as file,
    ):
        if not file.stat().st_size:
            raise Refused(400, "the body is empty: send the file of the model", fields=[("", "empty")])
        model = await serving.describing.run(
            lambda: describing.add_model(serving.catalog, file, fields, settings, caller)
        )
    headers = {"Location": f"/models/{model.id}", "ETag": conditions.tag(found(serving, "model", model.id))}
    return answer({"id": model.id, **model.body()}, status=201, headers=headers)


@router.get("/models/{reference}", dependencies=[VIEWER], responses=MISSING)
async def retrieve_model(request: Request, serving: Serving, reference: Reference) -> Response:
    """Retrieve a model: keywords, keywords:1.0.0, keywords@champion, sha256:9f86... or its beginning."""
    record = model_of(serving, reference)
    tag = conditions.tag(record)
    if conditions.unchanged(request, tag):
        return Response(status_code=304, headers={"ETag": tag})
    return answer({"id": record.id, **record.body}, headers={"ETag": tag})


@router.get("/models/{reference}/file", dependencies=[VIEWER], responses=MISSING)
async def retrieve_file(request: Request, serving: Serving, reference: Reference) -> Response:
    """Retrieve the file of a model."""
    model = serving.catalog.model(reference)
    tag = f'"{model.sha256}"'
    if conditions.unchanged(request, tag):
        return Response(status_code=304, headers={"ETag": tag})
    headers = {
        "ETag": tag,
        "Content-Disposition": f'attachment; filename="{model.name}-{model.version}.{model.format}"',
        "Content-Length": str(serving.store.blob_size(model.sha256)),
        "X-Content-Type-Options": "nosniff",
    }
    if request.scope.get("head"):
        return Response(headers=headers, media_type=BINARY)
    pieces = serving.store.blob_pieces(model.sha256)
    first = await serving.pages.run(partial(next, pieces))
    return StreamingResponse(sent(serving, first, pieces), headers=headers, media_type=BINARY)


async def sent(serving: Service, first: bytes, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the pieces of a file, each when the client has taken those before it."""
    piece: bytes | None = first
    while piece is not None:
        yield piece
        piece = await serving.pages.run(partial(next, pieces, None), begun=True)


@router.delete("/models/{reference}", status_code=204, dependencies=[ADMIN], responses=MISSING | STALE)
async def delete_model(request: Request, serving: Serving, caller: Caller, reference: Reference) -> Response:
    """Remove a model that no alias and no deployment needs."""

    def remove() -> None:
        record = model_of(serving, reference)
        conditions.demand(request, record)
        serving.catalog.remove("model", record.id, actor=caller)

    await serving.writer.run(remove)
    return Response(status_code=204)


def model_of(serving: Service, reference: str) -> Record:
    """Return what is stored of a model, by any of its names."""
    return found(serving, "model", serving.catalog.model(reference).id)


@router.get("/models/{name}/aliases/{alias}", dependencies=[VIEWER], responses=MISSING)
async def retrieve_alias(request: Request, serving: Serving, name: Name, alias: Alias) -> Response:
    """Retrieve which model name@alias means."""
    record = found(serving, "alias", f"{name}@{alias}")
    tag = conditions.tag(record)
    if conditions.unchanged(request, tag):
        return Response(status_code=304, headers={"ETag": tag})
    return answer(record.body, headers={"ETag": tag})


@router.put(
    "/models/{name}/aliases/{alias}",
    status_code=204,
    dependencies=[OPERATOR],
    responses=MISSING | STALE,
    openapi_extra=body.schema(*body.DOCUMENT, example={"model": "keywords:1.0.0"}),
)
async def move_alias(
    request: Request, serving: Serving, caller: Caller, name: Name, alias: Alias
) -> Response:
    """Let name@alias mean this model from now on."""
    said = await body.document(request)
    model = said.get("model")
    if not isinstance(model, str):
        raise Refused(400, "model: not a text", fields=[("model", "not a text")])

    def move() -> str:
        digest = serving.catalog.model(model).sha256
        document = documents.Alias.checked({"name": name, "alias": alias, "model": digest}, "request")
        conditions.demand(request, serving.store.get("alias", document.id))
        serving.catalog.add(document, actor=caller)
        return conditions.tag(found(serving, "alias", document.id))

    with named_in_body():
        tag = await serving.writer.run(move)
    return Response(status_code=204, headers={"ETag": tag})


@router.delete(
    "/models/{name}/aliases/{alias}", status_code=204, dependencies=[OPERATOR], responses=MISSING | STALE
)
async def delete_alias(
    request: Request, serving: Serving, caller: Caller, name: Name, alias: Alias
) -> Response:
    """Remove an alias."""
    await removed(request, serving, "alias", f"{name}@{alias}", caller)
    return Response(status_code=204)
