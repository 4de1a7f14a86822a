"""Who is told of events."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from shoal.catalog.store.entries import Event

__all__ = ["Subscribers"]

PORTION = 1000

logger = logging.getLogger(__name__)


class Subscribers:
    """Functions that follow the log: each gets every event once, in order.

    Parameters
    ----------
    events
        Yields the events behind a number.
    revision
        Gives the number of the last event.
    """

    def __init__(self, events: Callable[..., Iterator[Event]], revision: Callable[[], int]) -> None:
        self._events = events
        self._revision = revision
        self._callbacks: list[Callable[[Sequence[Event]], None]] = []
        # Held while functions are called, which may wait for the database: who has that may not ask for it.
        self._lock = threading.RLock()
        self._list = threading.Lock()  # of the list of functions; nothing waits within it
        self._told = 0
        self._telling = False

    def add(self, callback: Callable[[Sequence[Event]], None]) -> Callable[[], None]:
        """Add a function that is told of events from now on; returns what removes it."""
        self.notify()
        with self._lock:
            if not self._callbacks:
                self._told = self._revision()
            with self._list:
                self._callbacks.append(callback)

        def remove() -> None:
            with self._list:
                if callback in self._callbacks:
                    self._callbacks.remove(callback)

        return remove

    def notify(self) -> None:
        """Tell of the events that nobody was told of yet."""
        if not self._callbacks:
            return
        with self._lock:
            if self._telling:  # a callback wrote something: the loop below goes on with it
                return
            self._telling = True
            try:
                while portion := list(self._events(self._told, limit=PORTION)):
                    self._told = portion[-1].sequence
                    for callback in tuple(self._callbacks):
                        self._tell(callback, portion)
            finally:
                self._telling = False

    @staticmethod
    def _tell(callback: Callable[[Sequence[Event]], None], events: Sequence[Event]) -> None:
        """Call one; what was stored stays stored, and the others hear of it, whatever it does."""
        try:
            callback(events)
        except Exception:
            logger.exception(
                "a subscriber failed on events %d to %d", events[0].sequence, events[-1].sequence
            )
