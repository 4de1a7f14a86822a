"""Who may do what: three roles, and the one that each route asks for."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from fastapi import Depends, Request
from fastapi.routing import APIRoute

from shoal.serve.parameters import only_known
from shoal.serve.problem import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.routing import BaseRoute

__all__ = ["ADMIN", "FREE_VIEWER", "OPERATOR", "VIEWER", "Needs", "Role", "table"]


class Role(IntEnum):
    """What a caller may do: each may all that the ones before it may."""

    viewer = 1
    operator = 2
    admin = 3


class Needs:
    """The condition of a route: its caller has this role or a higher one, and gives parameters that it knows.

    Parameters
    ----------
    role
        The lowest that may.
    any_parameters
        Whether the route reads parameters that it does not declare.
    """

    def __init__(self, role: Role, *, any_parameters: bool = False) -> None:
        self.role = role
        self.any_parameters = any_parameters

    async def __call__(self, request: Request) -> None:
        """Refuse a caller whose role is too low, then parameters that nobody knows."""
        caller = request.scope["caller"]
        if caller.role < self.role:
            raise Refused(
                403, f"a token of the role '{caller.role.name}' may not do this: it takes '{self.role.name}'"
            )
        if request.scope["query_string"] and not self.any_parameters:
            only_known(request)


VIEWER, OPERATOR, ADMIN = (Depends(Needs(role)) for role in Role)
FREE_VIEWER = Depends(Needs(Role.viewer, any_parameters=True))


def table(routes: Iterable[BaseRoute]) -> list[tuple[str, str, Role]]:
    """Return method, path and role of every route.

    Raises
    ------
    TypeError
        If a route asks for no role: such a server does not start.
    """
    found = []
    for route in routes:
        needs = [one.dependency for one in getattr(route, "dependencies", ())]
        roles = [one.role for one in needs if isinstance(one, Needs)]
        if not isinstance(route, APIRoute) or len(roles) != 1:
            raise TypeError(f"the route {route} asks for {len(roles)} roles, not for one")
        found += [(method, route.path, roles[0]) for method in sorted(route.methods or ())]
    return found
