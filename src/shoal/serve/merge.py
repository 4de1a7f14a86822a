"""JSON merge patches, RFC 7396: applying one, and finding the one between two documents."""

from __future__ import annotations

from typing import Any

__all__ = ["difference", "merged"]


def merged(target: Any, patch: Any) -> Any:
    """Return a value with a patch applied; neither is changed.

    Source: RFC 7396, section 2.

    Examples
    --------
    >>> merged({"title": "old", "base": "http://a/"}, {"title": "new", "base": None})
    {'title': 'new'}
    """
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def difference(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Return the patch that makes one object the other.

    A member of `new` that is null cannot be said in a patch; the Thing Description has no such members.

    Examples
    --------
    >>> difference({"title": "old", "base": "http://a/", "id": 1}, {"title": "new", "id": 1})
    {'base': None, 'title': 'new'}
    """
    patch: dict[str, Any] = {name: None for name in old if name not in new}
    for name, value in new.items():
        if name not in old:
            patch[name] = value
        elif isinstance(value, dict) and isinstance(old[name], dict):
            below = difference(old[name], value)
            if below:
                patch[name] = below
        elif old[name] != value or type(old[name]) is not type(value):
            patch[name] = value
    return patch
