"""Matching: which devices a model runs on, which models a device runs, and why not."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic_core import to_json

from shoal.catalog.matching import ALL, REFERENCE_RULE
from shoal.serve.answer import JSON, answer
from shoal.serve.openapi import MISSING
from shoal.serve.problem import Refused
from shoal.serve.query_route import QueryRoute
from shoal.serve.roles import VIEWER
from shoal.serve.service import Serving

__all__ = ["router"]

router = APIRouter(prefix="/match", tags=["match"], route_class=QueryRoute)

NEAR, QUICK = 100, 20
Model = Annotated[
    str | None, Query(description="name, name:version, name@alias, SHA-256", examples=["keywords"])
]
Device = Annotated[str | None, Query(description="id or title of a thing", examples=["Hall 7"])]
Rule = Annotated[
    Literal["all", "reference"],
    Query(description="what is asked of a model's devices: all, or memory and a sensor of each class"),
]
RULES = {"all": None, "reference": REFERENCE_RULE}
Training = Annotated[bool, Query(description="the model shall learn there")]
More = Annotated[int, Query(ge=-(2**53), le=2**53, description="more than the model needs; negative: less")]


@router.get("", dependencies=[VIEWER], responses=MISSING)
async def match(
    serving: Serving,
    model: Model = None,
    device: Device = None,
    training: Training = False,
    limit: Annotated[int, Query(ge=0, le=2**53)] = 10,
    offset: Annotated[int, Query(ge=0, le=2**53)] = 0,
    near: Annotated[int, Query(ge=0, le=NEAR, description="that fail one condition only, at most")] = 3,
    rule: Rule = "all",
    not_known: Annotated[
        bool, Query(description="the devices that a model would fit but for what is not known of them, too")
    ] = False,
) -> Response:
    """Which devices a model fits, or which models a device runs: every condition of each, near misses too."""
    if model is None and device is None:
        raise Refused(400, "model or device: missing", fields=[("model", "missing, and so is device")])
    if not_known and (model is None or device is not None):
        raise Refused(400, "not_known: asked of a model alone", fields=[("not_known", "of a model alone")])
    asked = RULES[rule]
    size = min(limit, serving.settings.match_page)
    at_once = size <= QUICK and near <= QUICK and asked is None and not not_known and serving.indexing.ready
    revision = serving.store.revision

    def missed() -> list[dict[str, Any]]:
        found = serving.catalog.match(model, device, training=training, limit=0, near=near, rule=asked)
        return [one.body() for one in found.near]

    def ask() -> bytes:
        page = serving.catalog.match(
            model, device, training=training, limit=size, offset=offset, near=0, rule=asked
        )
        said: dict[str, Any] = {"count": page.count, "matches": [one.body() for one in page.matches]}
        # Every page has the same near misses.
        same = (model, device, training, near)
        said["near"] = serving.remembered.answer(revision, same, missed) if at_once else missed()
        if not_known and model is not None:
            said["not_known"] = asdict(serving.catalog.unsure(model, training=training, rule=asked))
        return to_json(said)  # three times as fast as json

    if at_once:  # well under a millisecond: another thread would take longer to begin
        question = (model, device, training, size, offset, near)
        body = serving.remembered.answer(revision, question, ask)
    else:
        body = await serving.indexed.run(ask)
    return Response(body, media_type=JSON)


@router.get("/ids", dependencies=[VIEWER], responses=MISSING)
async def match_ids(
    serving: Serving,
    model: Model = None,
    device: Device = None,
    training: Training = False,
    limit: Annotated[int, Query(ge=0, le=100_000)] = 1000,
    offset: Annotated[int, Query(ge=0, le=2**53)] = 0,
    rule: Rule = "all",
) -> Response:
    """Which devices a model fits, or which models a device runs: their ids alone."""
    if (model is None) == (device is None):
        raise Refused(400, "one of model and device", fields=[("model", "this or device, and not both")])
    if model is None and rule != "all":
        raise Refused(400, "rule: asked of a model's devices", fields=[("rule", "of a model's devices")])

    def ask() -> dict[str, Any]:
        index = serving.catalog.index
        if model is not None:
            wanted = serving.catalog.model(model)
            found = index.devices_for(wanted, training=training, rule=RULES[rule] or ALL)
        else:
            found = index.models_for(serving.catalog.device(str(device)).id, training=training)
        return {"count": found.count, "ids": found.first(limit, offset)}

    return answer(await serving.indexed.run(ask))


@router.get("/what-if", dependencies=[VIEWER], responses=MISSING)
async def what_if(
    serving: Serving,
    model: Annotated[
        str, Query(description="name, name:version, name@alias, SHA-256", examples=["keywords"])
    ],
    ram: More = 0,
    flash: More = 0,
    clock: More = 0,
    training: Training = False,
) -> Response:
    """How many devices a model would fit that needed less, and the least savings of RAM that gain some."""

    def ask() -> dict[str, Any]:
        found = serving.catalog.what_if(model, ram=ram, flash=flash, clock=clock, training=training)
        gains = serving.catalog.index.gains(serving.catalog.model(model).id, training=training)
        return {
            "before": found.before,
            "after": found.after,
            "gains": [{"what": one.what, "smaller": one.smaller, "more": one.more} for one in gains],
        }

    return answer(await serving.indexed.run(ask))


@router.get("/coverage", dependencies=[VIEWER], responses=MISSING)
async def coverage(
    serving: Serving,
    training: Training = False,
    devices: Annotated[bool, Query(description="how many models each device runs, too")] = False,
    rule: Rule = "all",
) -> Response:
    """How many devices each model fits, all pairs of the catalog considered."""

    def ask() -> dict[str, Any]:
        found = serving.catalog.coverage(training=training, devices=devices, rule=RULES[rule])
        by_model = dict(zip(found.models, found.by_model.tolist(), strict=True))
        body: dict[str, Any] = {"pairs": found.pairs, "by_model": by_model}
        if found.by_device is not None:
            body["by_device"] = dict(zip(found.devices, found.by_device.tolist(), strict=True))
        return body

    return answer(await serving.indexed.run(ask))
