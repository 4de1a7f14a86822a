"""What a server may do, and how much."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shoal.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["LOOPBACK", "Settings"]

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the directory is served.

    Parameters
    ----------
    tokens
        File with the hashes of the tokens, read again when it changes; nobody is let in where there is none.
    open
        Let everybody on this machine in, without a token; for a loopback address alone.
    base
        Where clients reach it, https://tdd.example.com/ behind a proxy; None: as each of them asks for it.
    page, page_bytes
        Documents in one answer, and their bytes, at most.
    largest_document, largest_model
        Bytes of a request.
    connections, address_connections
        At one time: all of them, those of one address; fewer where the process may open few files.
    head_seconds, body_seconds
        In which a client sends the line and the headers of a request, and its body.
    stall_seconds
        After which a client is gone that took nothing of its answer.
    requests, queries
        Per second and client; twice as many at once.
    query_seconds, query_rows, query_bytes, query_length
        Of one query: time, rows and bytes of the answer, characters of its text.
    describe_seconds, describe_memory
        For reading the file of a model that is added: time; bytes.
    match_page
        Matches in one answer, at most.
    subscribers
        Streams of events at one time.
    heartbeat
        Seconds of silence after which a stream of events says that it is there.
    purge_every
        Seconds between two looks for registrations that expired.
    longest_ttl
        Seconds that a registration may last; None: without end.

    Raises
    ------
    ConfigError
        If a number is not above 0.

    Examples
    --------
    >>> Settings(page=50).page
    50
    """

    tokens: Path | None = None
    open: bool = False
    base: str | None = None
    page: int = 1000
    page_bytes: int = 4 * 2**20
    largest_document: int = 1_000_000
    largest_model: int = 64 * 2**20
    connections: int = 4096
    address_connections: int = 3072
    head_seconds: float = 10.0
    body_seconds: float = 120.0
    stall_seconds: float = 60.0
    requests: float = 2000.0
    queries: float = 50.0
    query_seconds: float = 10.0
    query_rows: int = 100_000
    query_bytes: int = 16 * 2**20
    query_length: int = 20_000
    describe_seconds: float = 60.0
    describe_memory: int = 2 * 2**30
    match_page: int = 1000
    subscribers: int = 2000
    heartbeat: float = 15.0
    purge_every: float = 1.0
    longest_ttl: float | None = None

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            if isinstance(value, int | float) and not isinstance(value, bool) and not value > 0:
                raise ConfigError(f"{name} is {value}, not above 0", where="Settings")
