"""Keys that occur twice in an object of JSON, with their lines."""

from __future__ import annotations

import re

__all__ = ["twice"]

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"?|[{}\[\],:]', re.DOTALL)


def twice(text: str) -> list[tuple[str, int]]:
    """Return each key that its object has already, and the line of its second occurrence.

    Examples
    --------
    >>> twice('{"a": 1,' + chr(10) + ' "a": {"b": "a"}}')
    [('a', 2)]
    """
    found: list[tuple[str, int]] = []
    open_: list[set[str] | None] = []  # the keys of each object, None for an array
    line, counted, word = 1, 0, ""
    for token in TOKEN.finditer(text):
        sign = token[0]
        if sign == "{":
            open_.append(set())
        elif sign == "[":
            open_.append(None)
        elif sign in "}]":
            if open_:
                open_.pop()
        elif sign == ":":
            if open_ and (keys := open_[-1]) is not None:
                if word in keys:
                    found.append((word[1:-1], line))
                keys.add(word)
        elif sign != ",":
            line += text.count("\n", counted, token.start())
            counted, word = token.start(), sign
    return found
