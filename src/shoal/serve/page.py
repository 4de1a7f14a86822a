"""The API as a page, and as OpenAPI."""

from __future__ import annotations

from html import escape
from typing import Any

from fastapi import APIRouter, Request, Response

from shoal.serve.answer import answer
from shoal.serve.roles import FREE_VIEWER, table

__all__ = ["router"]

router = APIRouter(tags=["api"])

STYLE = """body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}
code{font:13px ui-monospace,monospace}table{border-collapse:collapse;width:100%}
td,th{text-align:left;padding:.3rem .8rem .3rem 0;border-bottom:1px solid #ddd;vertical-align:top}
th{font-weight:600}@media(prefers-color-scheme:dark){body{background:#111;color:#ddd}td,th{border-color:#333}}"""


@router.get("/openapi.json", dependencies=[FREE_VIEWER])
async def openapi(request: Request) -> Response:
    """The API in the terms of OpenAPI 3.1."""
    return answer(request.app.openapi())


@router.get("/docs", dependencies=[FREE_VIEWER])
async def docs(request: Request) -> Response:
    """Show this page: it needs nothing from anywhere else."""
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return Response(
        page(request.app.openapi(), {(method, path): role.name for method, path, role in rows(request)}),
        headers={"Content-Security-Policy": policy},
        media_type="text/html",
    )


def rows(request: Request) -> list[tuple[str, str, Any]]:
    """Return method, path and role of the routes, paths as OpenAPI has them."""
    return [
        (method, path.replace(":path", ""), role) for method, path, role in table(request.app.router.routes)
    ]


def page(api: dict[str, Any], roles: dict[tuple[str, str], str]) -> str:
    """Return the operations of an API as a table."""
    lines = []
    for path, operations in api["paths"].items():
        for method, one in operations.items():
            parameters = "".join(f"<div>{parameter(said)}</div>" for said in one.get("parameters", ()))
            cells = (
                f"<code>{method.upper()} {escape(path)}</code>",
                escape(one.get("description", "")) + parameters,
                escape(roles.get((method.upper(), path), "")),
            )
            lines.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    info = api["info"]
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(info['title'])}</title>"
        f"<style>{STYLE}</style><h1>{escape(info['title'])}</h1><p>{escape(info['description'])} "
        "<a href=openapi.json>OpenAPI</a></p><table><tr><th>request<th>what it does<th>role</tr>"
        f"{''.join(lines)}</table>"
    )


def parameter(said: dict[str, Any]) -> str:
    """Return a parameter of an operation."""
    text = said.get("description", "")
    return f"<code>{escape(said['name'])}</code> {escape(text)}"
