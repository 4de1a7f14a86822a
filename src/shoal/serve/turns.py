"""Turns: so many are worked on at one time, so many wait, the rest comes again later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, TypeVar

import anyio.to_thread
from anyio import CapacityLimiter

from shoal.serve.problem import Refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

__all__ = ["Turns"]

Result = TypeVar("Result")


class Turns:
    """The turns of one kind of work: another kind never waits for it.

    Parameters
    ----------
    together
        Pieces of work at one time.
    waiting
        Others that wait, at most.
    """

    def __init__(self, together: int, waiting: int) -> None:
        self._limiter = CapacityLimiter(together)
        self._waiting = waiting

    def admit(self) -> None:
        """Refuse what would wait behind too many.

        Raises
        ------
        Refused
            503.
        """
        now = self._limiter.statistics()
        there = now.borrowed_tokens + now.tasks_waiting
        if there >= now.total_tokens + self._waiting:
            problem = f"{there} requests of this kind are there already"
            raise Refused(503, problem, headers={"Retry-After": "5"})

    async def run(self, work: Callable[[], Result], *, begun: bool = False) -> Result:
        """Return what a function returns, in a thread, when it is its turn.

        Parameters
        ----------
        begun
            Whether it goes on with an answer that has begun: such work is not refused.

        Raises
        ------
        Refused
            503, where too many wait.
        """
        if not begun:
            self.admit()
        return await anyio.to_thread.run_sync(work, limiter=self._limiter)

    async def __aenter__(self) -> Self:
        self.admit()
        await self._limiter.acquire()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._limiter.release()
