"""A route that is asked often: what it is asked is read at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import ValidationError, create_model

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = ["QueryRoute"]


class QueryRoute(APIRoute):
    """A route whose parameters are all of the query.

    Its dependencies take the request and no more, and it returns a response. One pydantic model reads the
    parameters. FastAPI reads one after the other, with the same outcome: for eight of them that takes as
    long as a match among 100,000 devices.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request."""
        wanted, endpoint = self.dependant, self.endpoint
        fields: dict[str, Any] = {
            one.name: (one.field_info.annotation, one.field_info) for one in wanted.query_params
        }
        parameters = create_model("Parameters", **fields)

        async def handle(request: Request) -> Response:
            given: dict[str, Any] = {}
            for one in wanted.dependencies:
                found = await one.call(request)  # type: ignore[misc]
                if one.name is not None:
                    given[one.name] = found
            try:
                asked = parameters.model_validate(dict(request.query_params))
            except ValidationError as error:
                raise RequestValidationError(
                    [{**one, "loc": ("query", *one["loc"])} for one in error.errors(include_url=False)]
                ) from error
            response: Response = await endpoint(**given, **dict(asked))
            return response

        return handle
