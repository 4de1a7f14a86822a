"""How large and how deep a document may be, and reading JSON within that."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from shoal.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["DEEPEST", "LARGEST", "check", "parse"]

# A Thing Description is some kilobytes; these stop what is sent to exhaust a reader, and nothing else.
LARGEST = 1_000_000
DEEPEST = 32

SHOWN = 100  # characters of a key, in an error
CONTAINERS = (dict, list, tuple)


def parse(content: bytes | str, name: str = "document", where: str | None = None) -> object:
    """Return the JSON value of a text.

    Parameters
    ----------
    content
        UTF-8.
    name
        What it should be, for errors.
    where
        The file or the request that it came from.

    Raises
    ------
    DocumentError
        If it is not JSON (a key that occurs twice and NaN are not), too large or too deep.

    Examples
    --------
    >>> parse(b'{"title": "lamp"}')
    {'title': 'lamp'}
    >>> parse(b'{"title": "lamp", "title": "heater"}')
    Traceback (most recent call last):
    shoal.errors.DocumentError: document: title: occurs twice in one object
    """
    size = len(content)
    if size > LARGEST:
        raise DocumentError.of(name, where, [("", f"{size:,} bytes, more than {LARGEST:,}")])
    try:
        text = content if isinstance(content, str) else content.decode("utf-8-sig")
        value: object = json.loads(text, object_pairs_hook=once, parse_constant=refuse)
    except TwiceError as error:
        raise DocumentError.of(name, where, [(str(error), "occurs twice in one object")]) from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise DocumentError.of(name, where, [(place, f"not JSON: {error.msg}")]) from None
    except ValueError as error:  # not UTF-8, NaN, an integer of thousands of digits
        raise DocumentError.of(name, where, [("", f"not JSON: {error}")]) from None
    except RecursionError:
        raise DocumentError.of(name, where, [("", f"nested deeper than {DEEPEST} levels")]) from None
    check(value, name, where)
    return value


def check(value: object, name: str = "document", where: str | None = None) -> None:
    """Check that a value is JSON, not too large and not too deep.

    Raises
    ------
    DocumentError
        If it is not.

    Examples
    --------
    >>> check({"shape": [1, 2]})
    >>> check({"scale": float("nan")})
    Traceback (most recent call last):
    shoal.errors.DocumentError: document: not JSON: Out of range float values are not JSON compliant...
    """
    place = deeper(value)
    if place is not None:
        raise DocumentError.of(name, where, [(place, f"nested deeper than {DEEPEST} levels")])
    try:
        size = len(json.dumps(value, ensure_ascii=False, allow_nan=False).encode())
    except (TypeError, ValueError) as error:  # with half a character of UTF-16 among the latter
        raise DocumentError.of(name, where, [("", f"not JSON: {error}")]) from None
    if size > LARGEST:
        raise DocumentError.of(name, where, [("", f"{size:,} bytes, more than {LARGEST:,}")])


class TwiceError(ValueError):
    """A key that occurs twice."""


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object, whose keys occur once."""
    value = dict(pairs)
    if len(value) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise TwiceError(key[:SHOWN])
            seen.add(key)
    return value


def refuse(constant: str) -> None:
    """Refuse NaN and the infinities."""
    raise ValueError(f"{constant} is not a number of JSON")


def deeper(value: object) -> str | None:
    """Return where a value is too deep, without recursion."""
    level = [value]
    for _ in range(DEEPEST):
        level = [one for container in level for one in members(container) if isinstance(one, CONTAINERS)]
        if not level:
            return None
    return place_of(value)


def members(container: object) -> Iterable[object]:
    """Return what is in an object or an array."""
    if isinstance(container, dict):
        return container.values()
    return container if isinstance(container, (list, tuple)) else ()


def place_of(value: object) -> str:
    """Return the path to the first container that is too deep: one path, not one for every value."""
    path = [("", steps(value))]
    while path:
        for step, one in path[-1][1]:
            if isinstance(one, CONTAINERS):
                path.append((step, steps(one)))
                break
        else:
            path.pop()
        if len(path) > DEEPEST:
            break
    return "".join(step for step, _ in path)


def steps(container: object) -> Iterator[tuple[str, object]]:
    """Yield the members of an object or an array, with how a path names them."""
    if isinstance(container, dict):
        yield from ((f".{key!s:.{SHOWN}}", one) for key, one in container.items())
    elif isinstance(container, (list, tuple)):
        yield from ((f"[{i}]", one) for i, one in enumerate(container))
