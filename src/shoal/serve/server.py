"""Serving a catalog until somebody stops it."""

from __future__ import annotations

import signal
import socket
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from shoal.errors import ConfigError, MissingExtraError
from shoal.serve.settings import LOOPBACK, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from shoal.catalog import Catalog

__all__ = ["serve"]


def serve(
    catalog: Catalog,
    settings: Settings | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    announce: Callable[[str], None] | None = None,
) -> None:
    """Serve a catalog over HTTP; returns when the process is told to stop.

    TLS is what a reverse proxy before it does.

    Parameters
    ----------
    host
        Address to listen at: this machine alone by default.
    port
        0 for any that is free.
    announce
        Called with the address once requests are taken.

    Raises
    ------
    ConfigError
        If everybody were let in from other machines, or the address cannot be had.
    MissingExtraError
        If the extra `server` is not installed.
    """
    settings = settings or Settings()
    if settings.open and host not in LOOPBACK:
        raise ConfigError(
            f"without tokens only this machine is served, not '{host}'",
            where="--open",
            hint="shoal serve --new-token operator --tokens FILE",
        )
    try:
        import uvicorn

        from shoal.serve.app import app
        from shoal.serve.connection import connecting
    except ImportError as error:
        if str(error.name).split(".")[0] not in {"fastapi", "starlette", "uvicorn", "anyio", "httptools"}:
            raise
        raise MissingExtraError(str(error.name), "server") from error
    config = uvicorn.Config(
        app(catalog, settings),
        http=connecting(settings, files(2 * settings.connections)),
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        # A stream of events never ends by itself: those that are open when the server stops get a second.
        timeout_graceful_shutdown=1,
        timeout_keep_alive=30,
    )
    with listening(host, port) as listener, until_told():
        if announce is not None:
            announce(address(listener))
        uvicorn.Server(config).run(sockets=[listener])


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """Give a socket that listens."""
    if not 0 <= port < 2**16:
        raise ConfigError(f"port {port} is not from 0 to 65,535", where="--port", hint="--port 0")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise ConfigError(
            f"cannot listen: {error.strerror}", where=f"{host}:{port}", hint="--port 0"
        ) from None
    with listener:
        yield listener


def files(wanted: int) -> int:
    """Return how many files and connections this process may open, after asking for so many."""
    try:
        import resource
    except ImportError:  # a system without such a limit
        return wanted
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    more = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if more > soft:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (more, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def address(listener: socket.socket) -> str:
    """Return the address of a socket as a browser takes it."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


@contextmanager
def until_told() -> Iterator[None]:
    """Let SIGINT and SIGTERM end the server and nothing else: what is open is closed as it should be."""
    # A short answer does not wait for a long one for the 5 ms that are the default.
    interval = sys.getswitchinterval()
    sys.setswitchinterval(0.0005)
    main = threading.current_thread() is threading.main_thread()
    # The server passes a signal on when it has ended.
    old = {one: signal.signal(one, nothing) for one in (signal.SIGINT, signal.SIGTERM)} if main else {}
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
        for one, handler in old.items():
            signal.signal(one, handler)


def nothing(*_: object) -> None:
    """Do nothing about a signal."""
