"""Deployments: which model is meant to run on which device, and what became of it."""

from __future__ import annotations

import uuid
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Path, Request, Response

from shoal.catalog.documents import Deployment
from shoal.catalog.store import Record
from shoal.serve import body, conditions
from shoal.serve.answer import answer
from shoal.serve.kinds import shown
from shoal.serve.merge import merged
from shoal.serve.openapi import INVALID, MISSING, STALE, TAKEN
from shoal.serve.paging import Format, Limit, Offset
from shoal.serve.problem import Refused
from shoal.serve.roles import OPERATOR, VIEWER
from shoal.serve.service import Caller, Service, Serving
from shoal.serve.stored import found, listed, named_in_body, removed

__all__ = ["router"]

router = APIRouter(tags=["deployments"])
EXAMPLE = {"model": "keywords@champion", "device": "urn:dev:ops:32473-hall-7", "status": "planned"}
LONGEST = 1000  # characters of an id or a title
Key = Annotated[str, Path(description="key of a deployment", examples=["hall-7"])]
SENT = body.schema(*body.DOCUMENT, example=EXAMPLE)


@router.get("/deployments", dependencies=[VIEWER], responses=INVALID)
async def list_deployments(
    serving: Serving, offset: Offset = 0, limit: Limit = None, format: Format = "array"
) -> Response:
    """List deployments in the order of their keys."""
    return await listed(serving, "deployment", offset, limit, format, said_of)


@router.post("/deployments", status_code=201, dependencies=[OPERATOR], responses=MISSING, openapi_extra=SENT)
async def plan_deployment(request: Request, serving: Serving, caller: Caller) -> Response:
    """Plan to run a model, by any of its names, on a device; the directory gives it a key."""
    said = await body.document(request)
    key = said.get("key", str(uuid.uuid4()))
    record, _ = await write(request, serving, said | {"key": key}, caller, create=True)
    return answer(said_of(record), status=201, headers=headers_of(record, created=True))


@router.get("/deployments/{key:path}", dependencies=[VIEWER], responses=MISSING)
async def retrieve_deployment(request: Request, serving: Serving, key: Key) -> Response:
    """Retrieve a deployment."""
    record = found(serving, "deployment", key)
    headers = headers_of(record)
    if conditions.unchanged(request, conditions.tag(record)):
        return Response(status_code=304, headers=headers)
    return answer(said_of(record), headers=headers)


@router.put(
    "/deployments/{key:path}", status_code=204, dependencies=[OPERATOR], responses=TAKEN, openapi_extra=SENT
)
async def replace_deployment(request: Request, serving: Serving, key: Key, caller: Caller) -> Response:
    """Write a deployment under a key."""
    said = await body.document(request)
    if said.setdefault("key", key) != key:
        raise Refused(400, "key: not that of the path", fields=[("key", "not that of the path")])
    record, created = await write(request, serving, said, caller)
    return Response(status_code=201 if created else 204, headers=headers_of(record, created=created))


@router.patch(
    "/deployments/{key:path}",
    status_code=204,
    dependencies=[OPERATOR],
    responses=TAKEN | MISSING,
    openapi_extra=body.schema(*body.PATCH, example={"status": "active"}),
)
async def report_deployment(request: Request, serving: Serving, key: Key, caller: Caller) -> Response:
    """Report what became of a deployment: a JSON merge patch."""
    patch = await body.document(request, body.PATCH, required=True)

    with named_in_body():
        patch = await by_id(serving, patch)

    def change() -> Record:
        record = found(serving, "deployment", key)
        conditions.demand(request, record)
        deployment = resolved(serving, merged(record.body, patch))
        if deployment.key != key:
            raise Refused(400, "key: cannot be changed", fields=[("key", "cannot be changed")])
        serving.catalog.add(deployment, actor=caller)
        return found(serving, "deployment", key)

    with named_in_body():
        record = await serving.writer.run(change)
    return Response(status_code=204, headers=headers_of(record))


@router.delete("/deployments/{key:path}", status_code=204, dependencies=[OPERATOR], responses=MISSING | STALE)
async def delete_deployment(request: Request, serving: Serving, key: Key, caller: Caller) -> Response:
    """Remove a deployment; its history stays in the log."""
    await removed(request, serving, "deployment", key, caller)
    return Response(status_code=204)


def said_of(record: Record) -> dict[str, Any]:
    """Return a deployment as it is shown."""
    return shown("deployment", record.body)


def headers_of(record: Record, *, created: bool = False) -> dict[str, str]:
    """Return the headers of an answer about a deployment."""
    place = {"Location": f"/deployments/{quote(record.id, safe='')}"} if created else {}
    return {"ETag": conditions.tag(record), **place}


async def by_id(serving: Service, said: dict[str, Any]) -> dict[str, Any]:
    """Return what is said of a deployment, with the id of the device where that is called by its title.

    Titles are looked up before it is written: the index of words may have to follow first.
    """
    device = said.get("device")
    if not isinstance(device, str) or len(device) > LONGEST or serving.store.get("device", device):
        return said
    return said | {"device": await serving.indexed.run(lambda: serving.catalog.device(device).id)}


def resolved(serving: Service, said: dict[str, Any]) -> Deployment:
    """Return a deployment, its model by any of its names."""
    model = said.get("model")
    digest = serving.catalog.model(model).sha256 if isinstance(model, str) else model
    return Deployment.checked(said | {"model": digest}, "request")


async def write(
    request: Request, serving: Service, said: dict[str, Any], caller: str, *, create: bool = False
) -> tuple[Record, bool]:
    """Store a deployment whose model and device exist; returns it, and whether it is new."""
    with named_in_body():
        said = await by_id(serving, said)

    def change() -> tuple[Record, bool]:
        deployment = resolved(serving, said)
        old = serving.store.get("deployment", deployment.id)
        conditions.demand(request, old)
        if create and old is not None:
            raise Refused(409, f"there is a deployment '{deployment.id}' already")
        serving.catalog.add(deployment, actor=caller)
        return found(serving, "deployment", deployment.id), old is None

    with named_in_body():
        return await serving.writer.run(change)
