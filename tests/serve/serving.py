"""A directory that is served for real, on a port of this machine."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import httpx

    from shoal.catalog import Catalog

TD = "https://www.w3.org/2022/wot/td/v1.1"


def thing(number: int | str | None = None, **more: Any) -> dict[str, Any]:
    """A Thing Description; anonymous without a number."""
    known = {} if number is None else {"id": f"urn:example:{number}"}
    return {
        "@context": TD,
        **known,
        "title": f"Thing {number}",
        "security": "none",
        "securityDefinitions": {"none": {"scheme": "nosec"}},
        **more,
    }


@dataclass
class Directory:
    """A directory that is served, and clients of each role."""

    catalog: Catalog
    url: str
    tokens: dict[str, str]
    client: httpx.Client
    app: Any

    def of(self, role: str | None) -> dict[str, str]:
        """Headers of a caller with a role."""
        return {} if role is None else {"Authorization": f"Bearer {self.tokens[role]}"}

    def put(self, number: int | str, **more: Any) -> dict[str, Any]:
        """Register a thing."""
        td = thing(number, **more)
        answer = self.client.put(f"/things/{td['id']}", json=td)
        assert answer.status_code in {201, 204}, answer.text
        return td


@contextmanager
def served(
    folder: Path, *, settings: dict[str, Any] | None = None, clock: Callable[[], float] = time.time
) -> Iterator[Directory]:
    """Serve a catalog of this folder."""
    import httpx
    import uvicorn

    from shoal.catalog import Catalog
    from shoal.serve import Settings
    from shoal.serve.app import app
    from shoal.serve.connection import connecting
    from shoal.serve.tokens import new_token

    file = folder / "tokens"
    tokens = {role: new_token(file, role) for role in ("viewer", "operator", "admin")}
    with Catalog(folder / "site.shoal") as catalog:
        given = Settings(**({"tokens": file} | (settings or {})))
        api = app(catalog, given, clock=clock)
        config = uvicorn.Config(
            api,
            http=connecting(given, files=1024),
            port=0,
            log_level="critical",
            timeout_graceful_shutdown=0,
            ws="none",
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            until(lambda: server.started)
            url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
            with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {tokens['admin']}"}) as client:
                yield Directory(catalog, url, tokens, client, api)
        finally:
            server.should_exit = True
            thread.join()


class Stream:
    """The events of a path, read in a thread of their own.

    Parameters
    ----------
    directory
        Who sends them.
    path
        Such as /events/thing_created?diff=true.
    last
        Id of the last event that was seen.
    """

    def __init__(self, directory: Directory, path: str, last: str | None = None) -> None:
        import httpx

        self.events: list[dict[str, str]] = []
        headers = {"Last-Event-ID": last} if last is not None else {}
        self._client = httpx.Client(base_url=directory.url, headers=directory.of("viewer"), timeout=10)
        request = self._client.build_request("GET", path, headers=headers)
        self.answer = self._client.send(request, stream=True)
        self.lines: list[str] = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        until(lambda: self.lines)  # the server follows from here on

    def _read(self) -> None:
        import httpx

        event: dict[str, str] = {}
        try:
            for line in self.answer.iter_lines():
                self.lines.append(line)
                if line.startswith(":"):
                    continue
                name, _, value = line.partition(": ")
                if name:
                    event[name] = value
                elif "event" in event:
                    self.events.append(event)
                    event = {}
                else:
                    event = {}
        except (httpx.HTTPError, httpx.StreamError, OSError, RuntimeError):
            pass  # it was closed

    def wait(self, count: int) -> list[dict[str, str]]:
        """Return the events once there are so many."""
        until(lambda: len(self.events) >= count)
        return self.events

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        # Closing alone would wait for the thread that reads.
        stream = self.answer.extensions["network_stream"].get_extra_info("socket")
        stream.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self.answer.close()
        self._client.close()


def until(condition: Callable[[], Any], seconds: float = 10.0) -> Any:
    """Wait for something that happens soon."""
    end = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)
    return result
