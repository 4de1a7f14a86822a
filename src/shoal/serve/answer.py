"""Answers in JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from fastapi import Request, Response

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["JSON", "LD", "TD", "answer", "chosen", "encoded"]

JSON, LD, TD = "application/json", "application/ld+json", "application/td+json"


def encoded(value: Any) -> bytes:
    """Return a value as JSON in UTF-8.

    Examples
    --------
    >>> encoded({"id": 1})
    b'{"id":1}'
    """
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def answer(
    value: Any, *, status: int = 200, media: str = JSON, headers: Mapping[str, str] | None = None
) -> Response:
    """Return an answer with a JSON value."""
    return Response(encoded(value), status, dict(headers or {}), media)


def chosen(request: Request, offered: Sequence[str]) -> str:
    """Return which of the media types a client likes best; the first where it does not say or likes none."""
    return preferred(request.headers.get("accept", "*/*"), offered)


def preferred(accept: str, offered: Sequence[str]) -> str:
    """Return the media type that an `Accept` header asks for, RFC 9110, section 12.5.1.

    Examples
    --------
    >>> preferred("text/html, application/ld+json;q=0.9, */*;q=0.1", [TD, LD])
    'application/ld+json'
    >>> preferred("image/png", [TD, LD])
    'application/td+json'
    """
    weights = dict.fromkeys(offered, 0.0)
    how: dict[str, int] = dict.fromkeys(offered, 0)
    for part in accept.lower().split(","):
        media, *parameters = (one.strip() for one in part.split(";"))
        weight = next((quality(one[2:]) for one in parameters if one.startswith("q=")), 1.0)
        for one in offered:
            closeness = 3 if media == one else 2 if media == f"{one.split('/')[0]}/*" else int(media == "*/*")
            if closeness > how[one]:
                how[one], weights[one] = closeness, weight
    best = max(offered, key=lambda one: weights[one])
    return best if weights[best] > 0 else offered[0]


def quality(text: str) -> float:
    """Return the weight of a media type, 0 where it is none."""
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else float(weight > 1)
