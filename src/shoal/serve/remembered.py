"""Answers that stay true as long as nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

__all__ = ["Remembered"]

Answer = TypeVar("Answer")


class Remembered:
    """The last answers, all of one revision of the catalog.

    Parameters
    ----------
    most
        Answers that are kept.

    Examples
    --------
    >>> remembered = Remembered(most=2)
    >>> [remembered.answer(7, "a", lambda: b"first"), remembered.answer(7, "a", lambda: b"second")]
    [b'first', b'first']
    >>> remembered.answer(8, "a", lambda: b"third")
    b'third'
    """

    def __init__(self, most: int = 1024) -> None:
        self._most = most
        self._revision = -1
        self._known: dict[Hashable, Any] = {}

    def answer(self, revision: int, question: Hashable, ask: Callable[[], Answer]) -> Answer:
        """Return the answer to a question at a revision; ask where it is not known."""
        if revision != self._revision:
            self._revision, self._known = revision, {}
        known: Answer | None = self._known.pop(question, None)
        if known is None:
            known = ask()
            if len(self._known) >= self._most:
                del self._known[next(iter(self._known))]
        self._known[question] = known  # the one asked last is forgotten last
        return known
