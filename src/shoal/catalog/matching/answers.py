"""What the index answers with: counts at once, pages and explanations when they are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shoal.catalog.matching.condition import Match

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Answer", "Matches"]


@dataclass(frozen=True, slots=True)
class Answer:
    """All that fits one model, or all that runs on one device.

    Parameters
    ----------
    count
        How many.
    ids
        Returns so many ids from an offset on, in their order; all from there for None.
    match
        Explains one.
    """

    count: int
    ids: Callable[[int, int | None], list[str]]
    match: Callable[[str], Match]

    def first(self, limit: int = 100, offset: int = 0) -> list[str]:
        """Return a page of ids."""
        return self.ids(offset, limit)

    def all(self) -> list[str]:
        """Return all ids."""
        return self.ids(0, None)

    def matches(self, limit: int = 100, offset: int = 0) -> tuple[Match, ...]:
        """Return a page with every condition of each."""
        return tuple(map(self.match, self.first(limit, offset)))


@dataclass(frozen=True, slots=True)
class Matches:
    """An answer for people: how many fit, a page of them, and near misses, each with its conditions.

    Parameters
    ----------
    count
        How many match.
    matches
        A page of them.
    near
        Those that fail one condition, by the smallest fraction of it first.
    """

    count: int
    matches: tuple[Match, ...]
    near: tuple[Match, ...] = ()

    def __iter__(self) -> Iterator[Match]:
        """Yield those that match, then the near misses."""
        yield from self.matches
        yield from self.near
