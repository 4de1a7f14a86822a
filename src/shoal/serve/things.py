"""The Things API of W3C WoT Discovery: create, read, update, delete and list Thing Descriptions."""

from __future__ import annotations

import uuid
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Path, Request, Response

from shoal.catalog.documents import Device
from shoal.catalog.references import check_references
from shoal.catalog.store import Record
from shoal.serve import body, conditions
from shoal.serve.answer import JSON, LD, TD, answer, chosen
from shoal.serve.merge import merged
from shoal.serve.openapi import INVALID, MISSING, STALE, TAKEN, thing
from shoal.serve.paging import Format, Limit, Offset, ordered_by_id
from shoal.serve.problem import Refused
from shoal.serve.registration import Registration, enriched, stamp
from shoal.serve.roles import OPERATOR, VIEWER
from shoal.serve.service import Caller, Service, Serving
from shoal.serve.stored import found, named_in_body, paged, removed

__all__ = ["router"]

router = APIRouter(tags=["things"])
Id = Annotated[str, Path(description="id of a thing", examples=["urn:dev:ops:32473-hall-7"])]


@router.get("/things", dependencies=[VIEWER], responses=INVALID)
async def list_things(
    request: Request,
    serving: Serving,
    offset: Offset = 0,
    limit: Limit = None,
    format: Format = "array",
    sort_by: str | None = None,
    sort_order: str | None = None,
) -> Response:
    """List Thing Descriptions in the order of their ids."""
    order = ordered_by_id(sort_by, sort_order)
    moved, now = serving.feed.membership(), serving.clock()

    def read() -> Response:
        page = paged(serving, "device", offset, limit, moved, lambda one: enriched(one, now), order)
        if format == "collection":
            links = page.headers(("format", format))
            return Response(page.collection("ThingCollection"), headers=links, media_type=LD)
        return Response(page.array(), headers=page.headers(), media_type=chosen(request, (LD, JSON)))

    return await serving.pages.run(read)


@router.post(
    "/things", status_code=201, dependencies=[OPERATOR], responses=INVALID, openapi_extra=thing(with_id=False)
)
async def create_anonymous_thing(request: Request, serving: Serving, caller: Caller) -> Response:
    """Register a Thing Description without an id; the directory gives it one."""
    td, size = await body.sized(request)
    if "id" in td:
        problem = "a Thing Description with an id is put to /things/{id}"
        raise Refused(400, problem, fields=[("id", problem)])
    id = uuid.uuid4().urn
    created, _ = await write(serving, request, id, {**td, "id": id}, size, caller)
    return Response(status_code=201, headers={"Location": f"/things/{quote(id, safe=':')}", "ETag": created})


@router.get("/things/{id:path}", dependencies=[VIEWER], responses=MISSING)
async def retrieve_thing(request: Request, serving: Serving, id: Id) -> Response:
    """Retrieve a Thing Description with its registration."""
    record = found(serving, "device", id)
    tag = conditions.tag(record)
    headers = {"ETag": tag, "Vary": "Accept"}
    if conditions.unchanged(request, tag):
        return Response(status_code=304, headers=headers)
    return answer(enriched(record, serving.clock()), media=chosen(request, (TD, LD, JSON)), headers=headers)


@router.put(
    "/things/{id:path}", status_code=204, dependencies=[OPERATOR], responses=TAKEN, openapi_extra=thing()
)
async def create_or_update_thing(request: Request, serving: Serving, id: Id, caller: Caller) -> Response:
    """Register a Thing Description under its id, or replace the one that is there."""
    td, size = await body.sized(request)
    if td.get("id") != id:
        problem = (
            "missing: one without an id is posted to /things" if "id" not in td else "not the id of the path"
        )
        raise Refused(400, f"id: {problem}", fields=[("id", problem)])
    tag, created = await write(serving, request, id, td, size, caller)
    headers = {"ETag": tag}
    if created:
        return Response(status_code=201, headers={**headers, "Location": f"/things/{quote(id, safe=':')}"})
    return Response(status_code=204, headers=headers)


@router.patch(
    "/things/{id:path}",
    status_code=204,
    dependencies=[OPERATOR],
    responses=TAKEN | MISSING,
    openapi_extra=body.schema(*body.PATCH, example={"title": "Hall 7"}),
)
async def partially_update_thing(request: Request, serving: Serving, id: Id, caller: Caller) -> Response:
    """Change parts of a Thing Description: a JSON merge patch. An empty one renews the registration."""
    patch = await body.document(request, body.PATCH, required=True)

    def change() -> Record:
        record = found(serving, "device", id)
        conditions.demand(request, record)
        whole = merged(record.body | ({"registration": known(record)}), patch)
        if whole.get("id") != id:
            raise Refused(400, "id: cannot be changed", fields=[("id", "cannot be changed")])
        return put(serving, whole, check(whole), caller)

    with named_in_body():
        record = await serving.writer.run(change)
    return Response(status_code=204, headers={"ETag": conditions.tag(record)})


@router.delete("/things/{id:path}", status_code=204, dependencies=[OPERATOR], responses=MISSING | STALE)
async def delete_thing(request: Request, serving: Serving, id: Id, caller: Caller) -> Response:
    """Remove a Thing Description."""
    await removed(request, serving, "device", id, caller)
    return Response(status_code=204)


def known(record: Record) -> dict[str, Any]:
    """Return what the client said of a registration, as it would say it again."""
    if record.registration:
        return record.registration
    return {} if record.expires is None else {"expires": stamp(record.expires)}


async def write(
    serving: Service, request: Request, id: str, td: dict[str, Any], size: int, caller: str
) -> tuple[str, bool]:
    """Store a Thing Description of so many bytes; returns its tag, and whether it is new."""
    device = await body.unhurried(size, lambda: check(td))

    def change() -> tuple[str, bool]:
        old = serving.store.get("device", id)
        conditions.demand(request, old)
        return conditions.tag(put(serving, td, device, caller)), old is None

    with named_in_body():
        return await serving.writer.run(change)


def check(td: dict[str, Any]) -> Device:
    """Return the thing that a description with a registration is of; refuse what is none."""
    bare = {name: value for name, value in td.items() if name != "registration"}
    return Device.checked(bare, "request")


def put(serving: Service, td: dict[str, Any], device: Device, caller: str) -> Record:
    """Write a thing and its registration, in the thread that writes."""
    registration = Registration.of(td.get("registration"))
    end = registration.end(serving.clock(), serving.settings.longest_ttl)
    check_references(serving.store, device)
    serving.store.put(
        "device", device.id, device.td, expires=end, registration=registration.noted(), actor=caller
    )
    return found(serving, "device", device.id)
