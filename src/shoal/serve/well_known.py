"""What tells others that there is a directory here, and what is in it."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from shoal.serve.answer import JSON, LD, TD, answer, chosen
from shoal.serve.directory import description
from shoal.serve.roles import ADMIN, VIEWER
from shoal.serve.service import Serving

__all__ = ["router"]

router = APIRouter(tags=["directory"])


@router.get("/.well-known/wot", dependencies=[VIEWER])
async def directory(request: Request, serving: Serving) -> Response:
    """The Thing Description of this directory."""
    base = serving.settings.base or str(request.base_url)
    td = description(base, request.app.title, public=serving.settings.open)
    return answer(td, media=chosen(request, (TD, LD, JSON)), headers={"Vary": "Accept"})


@router.get("/catalog", dependencies=[VIEWER])
async def catalog(serving: Serving) -> Response:
    """How many documents there are of each kind, and the number of the last event."""
    return answer({"revision": serving.store.revision, "documents": serving.store.kinds()})


@router.post("/catalog/check", dependencies=[ADMIN])
def check(serving: Serving) -> Response:
    """Compare the documents, files and views with the log; an empty list is good news."""
    return answer({"problems": serving.catalog.check()})


@router.post("/catalog/rebuild", dependencies=[ADMIN])
def rebuild(serving: Serving) -> Response:
    """Compute all that is derived anew from the log."""
    serving.catalog.rebuild()
    return answer({"revision": serving.store.revision})
