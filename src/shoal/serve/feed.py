"""The log of the catalog as a stream of messages, the same for a thousand readers."""

from __future__ import annotations

import asyncio
import json
import logging
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shoal.serve.kinds import named, shown
from shoal.serve.merge import difference
from shoal.serve.registration import in_discovery, stamp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from shoal.catalog.store import Event, Store

__all__ = ["Feed", "Message"]

PORTION = 256
KEPT, KEPT_BYTES = 4096, 16 * 2**20

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Message:
    """An event as it is sent.

    Parameters
    ----------
    name
        thing_created, model_updated, ...
    brief, full
        The message with the id of the document; with the document or what changed in it.
    """

    sequence: int
    kind: str
    name: str
    brief: bytes
    full: bytes


class Feed:
    """Follow the log of a store.

    The latest messages are kept; readers hold no more than the place where they are. One that is slow, or
    comes back after a while, reads the rest from the store: nobody misses anything, no backlog takes memory.

    Parameters
    ----------
    store
        Whose log.
    poll
        Seconds between two looks for what other processes wrote.
    heartbeat
        Seconds of silence after which a reader gets a comment.
    """

    def __init__(self, store: Store, *, poll: float = 0.5, heartbeat: float = 15.0) -> None:
        self._store = store
        self._poll = poll
        self._heartbeat = heartbeat
        self._kept: list[Message] = []
        self._bytes = 0
        self.revision = store.revision
        self._moved = self.revision
        self.readers = 0
        self._woken = asyncio.Event()
        self._news: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._unsubscribe: Callable[[], None] | None = None

    def start(self) -> None:
        """Begin to follow."""
        loop = asyncio.get_running_loop()
        self._news = loop.create_future()

        def wake(_: object) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._woken.set)

        self._unsubscribe = self._store.subscribe(wake)
        self._task = loop.create_task(self._follow())

    async def stop(self) -> None:
        """End; the readers end too."""
        if self._unsubscribe is not None:
            self._unsubscribe()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._news is not None and not self._news.done():
            self._news.cancel()

    async def _follow(self) -> None:
        """Read what is new, tell the readers, wait."""
        while True:
            self._woken.clear()
            try:
                while messages := await asyncio.to_thread(self._read, self.revision):
                    self._keep(messages)
            except Exception:  # whatever it is, the next look may succeed: readers wait meanwhile
                logger.exception("no events now")
            try:
                await asyncio.wait_for(self._woken.wait(), self._poll)
            except TimeoutError:
                continue

    def _read(self, after: int) -> list[Message]:
        """Return messages behind a number from the store."""
        return [message(event) for event in self._store.events(after, limit=PORTION)]

    def _keep(self, messages: list[Message]) -> None:
        self._kept += messages
        self._bytes += size(messages)
        while len(self._kept) > PORTION and (len(self._kept) > KEPT or self._bytes > KEPT_BYTES):
            self._bytes -= size(self._kept[:PORTION])
            del self._kept[:PORTION]
        self.revision = messages[-1].sequence
        moved = (one.sequence for one in messages if one.name in {"thing_created", "thing_deleted"})
        self._moved = max(self._moved, *moved, 0)
        if self._news is not None and not self._news.done():
            self._news.set_result(None)
        self._news = asyncio.get_running_loop().create_future()

    def membership(self) -> int:
        """Return the number of the last event by which a thing came or went."""
        later = self._store.events(self.revision, kinds=("device",))
        return max(self._moved, *(one.sequence for one in later if one.action != "updated"), 0)

    async def after(self, revision: int) -> None:
        """Return when there are events behind a number."""
        while self.revision <= revision and self._news is not None:
            await asyncio.wait({self._news})

    async def _since(self, place: int) -> list[Message]:
        """Return the next messages behind a number."""
        if self._kept and self._kept[0].sequence <= place + 1:
            first = bisect_right(self._kept, place, key=lambda one: one.sequence)
            return self._kept[first : first + PORTION]
        if place >= self.revision:
            return []
        return await asyncio.to_thread(self._read, place)

    async def read(
        self,
        after: int | None,
        wanted: Callable[[Message], bytes | None],
        allowed: Callable[[], bool] = lambda: True,
    ) -> AsyncIterator[bytes]:
        """Yield messages as they come.

        Parameters
        ----------
        after
            Begin behind this number; None, or one that was not reached yet: with what comes now.
        wanted
            Gives the bytes of a message, None for one to leave out.
        allowed
            Whether the reader may still read: asked as often as the heart beats, also where much happens.
        """
        clock = asyncio.get_running_loop().time
        looked = clock()
        place = self.revision if after is None else min(after, self.revision)
        self.readers += 1
        try:
            yield b"retry: 2000\n\n"
            while self._news is not None and not self._news.cancelled():
                news = self._news
                if clock() - looked >= self._heartbeat:
                    if not allowed():
                        return
                    looked = clock()
                messages = await self._since(place)
                if messages:
                    place = messages[-1].sequence
                    sent = b"".join(text for one in messages if (text := wanted(one)) is not None)
                    if sent:
                        yield sent
                elif not (await asyncio.wait({news}, timeout=self._heartbeat))[0]:
                    yield b":\n\n"
        finally:
            self.readers -= 1


def size(messages: Iterable[Message]) -> int:
    """Return how many bytes messages take, roughly."""
    return sum(len(one.brief) + len(one.full) for one in messages)


def message(event: Event) -> Message:
    """Return an event as it is sent."""
    name = f"{named(event.kind)}_{event.action}"
    brief: dict[str, object] = {"id": event.id}
    full = brief
    body, before = event.body, event.before
    if body is not None and event.action == "created":
        full = body if event.kind == "device" else {"id": event.id, **shown(event.kind, body)}
        if event.kind == "device":
            registration = {"created": stamp(event.at), "modified": stamp(event.at)}
            full = {**body, "@context": in_discovery(body["@context"]), "registration": registration}
    elif body is not None and before is not None:
        full = {**difference(shown(event.kind, before), shown(event.kind, body)), "id": event.id}
    return Message(event.sequence, event.kind, name, line(event, name, brief), line(event, name, full))


def line(event: Event, name: str, data: dict[str, object]) -> bytes:
    """Return a Server-Sent Event."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return f"event: {name}\ndata: {text}\nid: {event.sequence}\n\n".encode()
