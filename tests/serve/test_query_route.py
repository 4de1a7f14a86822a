"""A route that reads its query at once answers as FastAPI's own would."""

from typing import Annotated, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("fastapi", reason="pip install 'shoal[server]'")

import asyncio

import httpx
from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response

from shoal.serve.answer import answer
from shoal.serve.query_route import QueryRoute


async def role(request: Request) -> None:
    """Ask nothing."""


async def path(request: Request) -> str:
    """Return where it was asked."""
    return request.url.path


def asked(name: str, route_class: type) -> APIRouter:
    router = APIRouter(prefix=f"/{name}", route_class=route_class)

    @router.get("", dependencies=[Depends(role)])
    async def ask(
        place: Annotated[str, Depends(path)],
        model: Annotated[str, Query(min_length=2)],
        limit: Annotated[int, Query(ge=0, le=10)] = 3,
        training: bool = False,
        rule: Literal["all", "reference"] = "all",
        device: str | None = None,
    ) -> Response:
        return answer(
            {
                "place": place != "",
                "model": model,
                "limit": limit,
                "training": training,
                "rule": rule,
                "device": device,
            }
        )

    return router


APP = FastAPI()
for name, route_class in ("at-once", QueryRoute), ("one-by-one", APIRouter().route_class):
    APP.router.routes.extend(asked(name, route_class).routes)


async def both(pairs):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(APP), base_url="http://here") as client:
        return [await client.get(f"/{name}", params=pairs) for name in ("at-once", "one-by-one")]


WORDS = st.sampled_from(
    ["", "a", "keywords", "7", "-1", "11", "2.0", "1e3", "true", "off", "all", "ä", "null"]
)
NAMES = st.sampled_from(["model", "limit", "training", "rule", "device", "other"])


@settings(deadline=None)
@given(pairs=st.lists(st.tuples(NAMES, WORDS), max_size=6))
def test_the_outcome_is_that_of_fastapi(pairs):
    once, each = asyncio.run(both(pairs))
    assert once.status_code == each.status_code
    assert told(once) == told(each)


def told(answer):
    """What was found, or where something is wrong, and how."""
    if answer.status_code == 200:
        return answer.json()
    return sorted((*one["loc"], one["type"], one["msg"]) for one in answer.json()["detail"])


def test_the_description_is_that_of_fastapi():
    paths = APP.openapi()["paths"]
    assert paths["/at-once"]["get"]["parameters"] == paths["/one-by-one"]["get"]["parameters"]
