"""Parameters of requests: one that nobody knows is a mistake, and is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.serve.problem import Refused

if TYPE_CHECKING:
    from fastapi import Request

__all__ = ["only_known"]


def only_known(request: Request) -> None:
    """Refuse a request with a parameter that its route does not have."""
    known = [one.alias for one in request.scope["route"].dependant.query_params]
    unknown = sorted(set(request.query_params) - set(known))
    if unknown:
        text = f"no parameter of this: {', '.join(known) or 'it takes none'}"
        raise Refused(400, f"{unknown[0][:100]}: {text}", fields=[(one[:100], text) for one in unknown[:100]])
