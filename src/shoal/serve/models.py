"""Models: their files go in, what is known of them comes out."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response

from shoal.catalog import documents
from shoal.serve import body, describing
from shoal.serve.answer import answer
from shoal.serve.openapi import INVALID, MISSING
from shoal.serve.paging import Format, Limit, Offset
from shoal.serve.problem import Refused
from shoal.serve.roles import ADMIN, OPERATOR, VIEWER
from shoal.serve.service import Caller, Serving
from shoal.serve.stored import listed, named_in_body

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
    content = await body.content(request, serving.settings.largest_model, (BINARY,))
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
    if not content:
        raise Refused(400, "the body is empty: send the file of the model", fields=[("", "empty")])
    model = await serving.describing.run(
        lambda: describing.add_model(serving.catalog, content, kind, fields, serving.settings, caller)
    )
    headers = {"Location": f"/models/{model.id}"}
    return answer({"id": model.id, **model.body()}, status=201, headers=headers)


@router.get("/models/{reference}", dependencies=[VIEWER], responses=MISSING)
async def retrieve_model(serving: Serving, reference: Reference) -> Response:
    """Retrieve a model: keywords, keywords:1.0.0, keywords@champion, sha256:9f86... or its beginning."""
    model = serving.catalog.model(reference)
    return answer({"id": model.id, **model.body()})


@router.get("/models/{reference}/file", dependencies=[VIEWER], responses=MISSING)
def retrieve_file(serving: Serving, reference: Reference) -> Response:
    """Retrieve the file of a model."""
    model = serving.catalog.model(reference)
    headers = {
        "ETag": f'"{model.sha256}"',
        "Content-Disposition": f'attachment; filename="{model.name}-{model.version}.{model.format}"',
        "X-Content-Type-Options": "nosniff",
    }
    return Response(serving.store.read_blob(model.sha256), headers=headers, media_type=BINARY)


@router.delete("/models/{reference}", status_code=204, dependencies=[ADMIN], responses=MISSING)
async def delete_model(serving: Serving, caller: Caller, reference: Reference) -> Response:
    """Remove a model that no alias and no deployment needs."""

    def remove() -> None:
        serving.catalog.remove("model", serving.catalog.model(reference).id, actor=caller)

    await serving.writer.run(remove)
    return Response(status_code=204)


@router.put(
    "/models/{name}/aliases/{alias}",
    status_code=204,
    dependencies=[OPERATOR],
    responses=MISSING,
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

    def move() -> None:
        digest = serving.catalog.model(model).sha256
        document = documents.Alias.checked({"name": name, "alias": alias, "model": digest}, "request")
        serving.catalog.add(document, actor=caller)

    with named_in_body():
        await serving.writer.run(move)
    return Response(status_code=204)


@router.delete("/models/{name}/aliases/{alias}", status_code=204, dependencies=[OPERATOR], responses=MISSING)
async def delete_alias(serving: Serving, caller: Caller, name: Name, alias: Alias) -> Response:
    """Remove an alias."""
    await serving.writer.run(lambda: serving.catalog.remove("alias", f"{name}@{alias}", actor=caller))
    return Response(status_code=204)
