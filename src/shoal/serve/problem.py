"""Errors as HTTP has them: Problem Details, RFC 9457, with a list of the fields that are wrong."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from shoal.errors import (
    ConfigError,
    ConflictError,
    DocumentError,
    ImageError,
    InputError,
    MissingExtraError,
    ModelError,
    QueryError,
    ShoalError,
    StateError,
    StorageError,
    UnknownError,
)
from shoal.serve.answer import encoded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["PROBLEM", "Refused", "handle", "problem"]

PROBLEM = "application/problem+json"
STATUS: dict[type[ShoalError], int] = {
    DocumentError: 400,
    InputError: 400,
    ConfigError: 400,
    ModelError: 400,
    ImageError: 400,
    StateError: 400,
    QueryError: 400,
    UnknownError: 404,
    ConflictError: 409,
    MissingExtraError: 501,
    StorageError: 503,
}

logger = logging.getLogger(__name__)


class Refused(Exception):  # noqa: N818 - it is what happens to a request
    """A request that is not answered.

    Parameters
    ----------
    status
        Of HTTP, 400 or above.
    fields
        Each place of the request that is wrong, and what is wrong there.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        fields: Sequence[tuple[str, str]] = (),
        hint: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.fields = fields
        self.hint = hint
        self.headers = headers


def problem(refused: Refused) -> Response:
    """Return the answer that tells a problem."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(refused.status).phrase,
        "status": refused.status,
        "detail": refused.detail,
    }
    if refused.hint:
        body["hint"] = refused.hint
    if refused.fields:
        body["validationErrors"] = [
            {"field": field or "(root)", "description": text} for field, text in refused.fields
        ]
    return Response(encoded(body), refused.status, dict(refused.headers or {}), PROBLEM)


def of_shoal(error: ShoalError) -> Refused:
    """Return what HTTP says of an error of the library."""
    status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)
    detail = str(error.what).encode(errors="backslashreplace").decode()
    if status >= 500:
        # Files and paths of the server are no business of its clients.
        logger.error("%s", error)
        if status != 501:
            detail = "the catalog cannot be read or written now" if status == 503 else "the server failed"
        return Refused(status, detail)
    fields = error.fields if isinstance(error, DocumentError) else ()
    return Refused(status, detail, fields=fields, hint=error.hint)


def of_parameters(error: RequestValidationError) -> Refused:
    """Return what is wrong with the parameters of a request."""
    fields = [(".".join(str(step) for step in one["loc"][1:]), one["msg"]) for one in error.errors()]
    return Refused(400, f"{fields[0][0]}: {fields[0][1]}", fields=fields)


def of_http(error: HTTPException, request: Request) -> Refused:
    """Return what is wrong with a path or a method."""
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(methods(request))
        return Refused(405, f"{request.method} is not what {request.url.path} takes", headers=headers)
    if error.status_code == 404:
        return Refused(404, f"nothing is served at {request.url.path}", headers=headers)
    return Refused(error.status_code, str(error.detail), headers=headers)


def methods(request: Request) -> list[str]:
    """Return the methods that the path of a request takes."""
    found: set[str] = set()
    for route in request.app.router.routes:
        if route.path_regex.match(request.url.path):
            found |= route.methods
    return sorted(found | ({"HEAD"} if "GET" in found else set()))


def handle(app: FastAPI) -> None:
    """Let an application answer all errors as problems."""

    @app.exception_handler(Refused)
    async def refused(_request: Request, error: Refused) -> Response:
        return problem(error)

    @app.exception_handler(ShoalError)
    async def shoal(_request: Request, error: ShoalError) -> Response:
        return problem(of_shoal(error))

    @app.exception_handler(RequestValidationError)
    async def parameters(_request: Request, error: RequestValidationError) -> Response:
        return problem(of_parameters(error))

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        return problem(of_http(error, request))

    @app.exception_handler(ClientDisconnect)
    async def gone(_request: Request, _error: ClientDisconnect) -> Response:
        return Response(status_code=400)  # nobody gets it

    @app.exception_handler(Exception)
    async def unknown(_request: Request, _error: Exception) -> Response:
        return problem(Refused(500, "the server failed"))
