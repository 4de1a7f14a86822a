"""A connection: how long it may take to send a request, and to take the answer."""

from __future__ import annotations

import asyncio
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from shoal.serve.places import Places, network
from shoal.serve.problem import Refused, problem

if TYPE_CHECKING:
    from shoal.serve.settings import Settings

__all__ = ["connecting"]

LARGEST_HEAD = 65_536  # bytes


def connecting(settings: Settings, files: int) -> Any:
    """Return what makes the connections of a server, whose process may open so many files.

    Half of these are for connections, the rest is for the catalog and its processes; three quarters of the
    connections are the most that one address has.
    """
    total = max(1, min(settings.connections, files // 2))
    each = max(1, min(settings.address_connections, total * 3 // 4))
    return partial(Connection, Places(total, each), settings)


class Connection(HttpToolsProtocol):
    """A connection of which nobody is kept waiting.

    A request has so many seconds to come, first its head, then its body; an answer has as long as the client
    goes on taking some of it. How long a request is worked on, or a stream followed, is nothing that is
    looked at here.
    """

    def __init__(self, places: Places, settings: Settings, **given: Any) -> None:
        super().__init__(**given)
        self._places = places
        self._settings = settings
        self._receiving: Literal["", "head", "body"] = ""
        self._requests = 0
        self._head = 0
        self._late: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None
        self._unsent = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a place."""
        super().connection_made(transport)
        if self._places.enter(self, network(self.client[0] if self.client else "")):
            self._expect()
        else:
            self._refuse(Refused(503, "too many connections", headers={"Retry-After": "10"}))

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the place back."""
        self._places.leave(self)
        self._cancel()
        self.resume_writing()
        super().connection_lost(exc)

    def leave(self) -> None:
        """End, for somebody else."""
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Read, and begin to count the seconds of what is not complete."""
        requests = self._requests
        super().data_received(data)
        if self._receiving == "head" and self._requests == requests:
            self._head += len(data)
            if self._head > LARGEST_HEAD:
                self._refuse(Refused(431, f"a head of more than {LARGEST_HEAD:,} bytes"))
        if self._receiving or not self._working:
            self._expect()

    def on_message_begin(self) -> None:
        """Expect the rest of the head."""
        super().on_message_begin()
        self._requests += 1
        self._head = 0
        self._next("head")

    def on_headers_complete(self) -> None:
        """Expect the body."""
        super().on_headers_complete()
        self._places.busy(self)
        self._next("body")

    def on_message_complete(self) -> None:
        """Expect nothing."""
        super().on_message_complete()
        self._next("")

    def on_response_complete(self) -> None:
        """Be one of those that wait for a request."""
        super().on_response_complete()
        if not self._working:
            self._places.idle(self)

    def pause_writing(self) -> None:
        """Begin to look whether the client takes its answer."""
        super().pause_writing()
        self._unsent = self.transport.get_write_buffer_size()
        self._stalled = self.loop.call_later(self._settings.stall_seconds, self._look)

    def resume_writing(self) -> None:
        """Stop looking."""
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _look(self) -> None:
        """End where the client has taken nothing since the last look."""
        unsent = self.transport.get_write_buffer_size()
        if unsent >= self._unsent:
            self.transport.abort()
            return
        self._unsent = unsent
        self._stalled = self.loop.call_later(self._settings.stall_seconds, self._look)

    @property
    def _working(self) -> bool:
        """Whether a request is worked on."""
        # There is no cycle before the first request, whatever its type says.
        return bool(self.cycle) and not self.cycle.response_complete

    def _next(self, part: Literal["", "head", "body"]) -> None:
        """Be at the next part of a request."""
        self._receiving = part
        self._cancel()

    def _expect(self) -> None:
        """Count the seconds of the part that comes."""
        if self._late is None:
            body = self._receiving == "body"
            seconds = self._settings.body_seconds if body else self._settings.head_seconds
            self._late = self.loop.call_later(seconds, self._end, seconds)

    def _cancel(self) -> None:
        """Count no more."""
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _end(self, seconds: float) -> None:
        """End a connection whose time is over, with an answer where one can still be given."""
        self._late = None
        if self.transport.is_closing():
            self.transport.abort()
        elif self._working and self._receiving != "body":
            self._expect()  # it is the server that takes its time
        elif not self._receiving:
            self.transport.close()
        elif self._receiving == "body" and (
            not self._working or self.cycle.response_started or self.pipeline
        ):
            self.transport.abort()
        else:
            self._refuse(Refused(408, f"the {self._receiving} of the request took longer than {seconds:g} s"))

    def _refuse(self, refused: Refused) -> None:
        """Answer without asking the application, and end."""
        answer = problem(refused)
        lines = [f"HTTP/1.1 {refused.status} {HTTPStatus(refused.status).phrase}".encode()]
        lines += [name + b": " + value for name, value in answer.raw_headers]
        self.transport.write(b"\r\n".join([*lines, b"connection: close", b"", bytes(answer.body)]))
        self.transport.close()
