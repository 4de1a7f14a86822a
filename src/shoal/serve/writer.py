"""One thread that writes: what many clients send at the same time shares one transaction."""

from __future__ import annotations

import asyncio
import threading
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from shoal.catalog.store import Store

__all__ = ["Writer"]

TOGETHER = 256

Result = TypeVar("Result")


class Writer:
    """Run what writes, in order; nobody is answered before what it wrote is on the disk.

    A transaction costs a flush of the disk, whatever is in it. While one is flushed, others queue up: they
    are the next.

    Parameters
    ----------
    store
        What is written.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._queue: SimpleQueue[tuple[Callable[[], Any], asyncio.Future[Any]] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Start the thread; called in the event loop that waits for it."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._work, name="shoal-writer", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what is left, and end the thread."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()

    async def run(self, write: Callable[[], Result]) -> Result:
        """Return what a function returns that writes to the store.

        What it wrote is undone where it raises, and nothing else is.
        """
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._queue.put((write, future))
        return await future

    def _work(self) -> None:
        """Take what there is, write it, answer."""
        while (first := self._queue.get()) is not None:
            batch, ends = [first], False
            while len(batch) < TOGETHER and not ends:
                try:
                    one = self._queue.get_nowait()
                except Empty:
                    break
                ends = one is None
                if one is not None:
                    batch.append(one)
            self._answer([future for _, future in batch], self._write([write for write, _ in batch]))
            if ends:
                return

    def _write(self, writes: list[Callable[[], Any]]) -> list[tuple[Any, BaseException | None]]:
        """Return what each returned or raised, once all is on the disk."""
        try:
            with self._store.transaction():
                results = [self._part(write) for write in writes]
        except Exception as error:  # noqa: BLE001 - a full disk, for instance: all are told
            return [(None, error)] * len(writes)
        return results

    def _part(self, write: Callable[[], Any]) -> tuple[Any, BaseException | None]:
        try:
            with self._store.transaction():
                return write(), None
        except Exception as error:  # noqa: BLE001 - it goes to the client that sent it
            return None, error

    def _answer(
        self, futures: list[asyncio.Future[Any]], results: list[tuple[Any, BaseException | None]]
    ) -> None:
        """Wake those who wait, in their own thread."""

        def wake() -> None:
            for future, (result, error) in zip(futures, results, strict=True):
                if future.done():  # its client has gone
                    continue
                if error is None:
                    future.set_result(result)
                else:
                    future.set_exception(error)

        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(wake)
