"""The process that answers queries, seen from the catalog."""

from __future__ import annotations

import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from shoal import errors
from shoal.catalog.graph import folder_of
from shoal.catalog.query.frames import receive, send
from shoal.catalog.query.limits import Limits
from shoal.catalog.query.magic import Answers
from shoal.catalog.query.prepare import names_graphs, prepared
from shoal.catalog.query.results import Results
from shoal.catalog.store import Store
from shoal.errors import QueryError, StorageError

__all__ = ["Worker"]

# To read a catalog of a million devices into a new view.
PATIENCE = 3600.0
Message = dict[str, Any]


class Worker:
    """Answers queries in a process of its own, which is killed where a query takes too much.

    It holds the RDF view and follows the log of the catalog itself: an answer shows everything that was
    acknowledged before the question. One query runs at a time.

    Parameters
    ----------
    store
        The catalog's documents.
    folder
        Where the view is kept on disk; by default beside the catalog's file. Where another process has it, or
        the catalog is in memory, the view is in memory.
    answers
        What `shoal:canRun` and `shoal:matches` ask; None: they are refused.

    Examples
    --------
    >>> store = Store(None)
    >>> event = store.put("board", "nano33ble", {"name": "nano33ble"})
    >>> with Worker(store) as worker:
    ...     worker.query("SELECT ?name { ?board a shoal:Board ; schema:name ?name }").rows
    [{'name': 'nano33ble'}]
    """

    def __init__(self, store: Store, *, folder: Path | None = None, answers: Answers | None = None) -> None:
        self.store = store
        self.folder = folder or folder_of(store)
        self.answers = answers
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._sent = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._kill()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """End the process, and start no other one meanwhile: queries wait, as long as they may take."""
        with self._lock:
            self._kill()
            yield

    def query(self, sparql: str, *, limits: Limits | None = None) -> Results:
        """Return the answer to a query.

        Parameters
        ----------
        sparql
            SELECT, ASK, CONSTRUCT or DESCRIBE of SPARQL 1.1. The prefixes of the vocabulary need no
            declaration; without GRAPH and FROM the graphs of all documents are one.

        Raises
        ------
        QueryError
            If it cannot be read, is not allowed, or takes too much; the next query works.
        StorageError
            If the catalog cannot be read.
        """
        limits = limits or Limits()
        deadline = time.monotonic() + limits.seconds
        union = not names_graphs(sparql)
        sparql = prepared(sparql, self.answers)
        left = deadline - time.monotonic()
        if left <= 0:
            raise late(limits)
        if not self._lock.acquire(timeout=left):
            raise QueryError(
                f"other queries, or a rebuild, took {left:.3g} s, with what they had to read of the catalog",
                hint="try again",
            )
        try:
            return self._ask(sparql, limits, deadline, union=union)
        finally:
            self._lock.release()

    def refresh(self) -> int:
        """Bring the view to the state of the catalog; returns the revision."""
        return self.query("ASK {}", limits=Limits(seconds=PATIENCE)).revision

    def _ask(self, sparql: str, limits: Limits, deadline: float, *, union: bool = True) -> Results:
        began = time.monotonic()
        self._start()
        question = {"query": sparql, "union": union, "documents": self._news()}
        followed: Message | None = None
        try:
            self._send(question | {one: getattr(limits, one) for one in ("rows", "bytes", "memory")})
            followed = self._receive(PATIENCE)
            if "error" in followed:
                # What a process has of the catalog is not known after it: the next one begins anew.
                self._kill()
                raise failure(followed, limits)
            # To start and to follow the catalog is not the query's time.
            deadline += time.monotonic() - began
            answer = self._receive(max(deadline - time.monotonic(), 0.001))
        except TimeoutError:
            self._kill()
            raise late(limits) from None
        except EOFError:
            code = self._kill()
            if followed is None:
                raise StorageError(
                    f"the query process ended with {code} while it read the catalog",
                    where=str(self.store.path or "memory"),
                    hint="shoal catalog check",
                ) from None
            raise stopped(code, limits) from None
        except BaseException:
            self._kill()  # or the next query would read the answer to this one
            raise
        if "error" in answer:
            raise failure(answer, limits)
        # A process that cannot read the catalog counts what it was sent, not its events.
        revision = followed["revision"] if self.store.path is not None else self._sent
        return Results(**(answer | {"variables": tuple(answer.get("variables", ()))}), revision=revision)

    def _news(self) -> list[list[Any]]:
        """Return what changed in a catalog in memory, which the process cannot read."""
        if self.store.path is not None:
            return []
        last = {}
        for event in self.store.events(self._sent):
            last[event.kind, event.id] = event
            self._sent = event.sequence
        return [[kind, key, event.body] for (kind, key), event in last.items()]

    def _start(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        self._kill()
        self._sent = 0
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "shoal.catalog.query.process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,  # or a message would wait in a buffer that select() knows nothing of
            start_new_session=True,
        )
        path = None if self.store.path is None else str(self.store.path.resolve())
        folder = None if self.folder is None else str(self.folder.resolve())
        try:
            self._send({"path": path, "folder": folder})
            answer = self._receive(PATIENCE)
        except EOFError:
            raise StorageError(
                f"the query process ended with {self._kill()}", where=path or "memory"
            ) from None
        if "error" in answer:
            self._kill()
            raise failure(answer, Limits())

    def _send(self, message: Message) -> None:
        try:
            send(pipe(self._process.stdin if self._process else None), message)
        except BrokenPipeError:
            raise EOFError from None

    def _receive(self, seconds: float) -> Message:
        answers = pipe(self._process.stdout if self._process else None)
        ready, _, _ = select.select([answers], [], [], seconds)
        if not ready:
            raise TimeoutError
        message = receive(answers)
        if message is None:
            raise EOFError
        return message

    def _kill(self) -> int | None:
        """End the process; returns its exit code."""
        process, self._process = self._process, None
        if process is None:
            return None
        process.kill()
        code = process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()
        return code


def pipe(stream: IO[bytes] | None) -> IO[bytes]:
    """Return an end of a pipe.

    Raises
    ------
    EOFError
        If the process is gone.
    """
    if stream is None:
        raise EOFError
    return stream


def failure(message: Message, limits: Limits) -> Exception:
    """Return the error that a message tells of."""
    if message["error"] == "memory":
        return stopped(None, limits)
    kind = getattr(errors, message["error"], QueryError)
    error: Exception = kind(message["what"], where=message.get("where"), hint=message.get("hint"))
    return error


def late(limits: Limits) -> QueryError:
    """Return the error of a query whose time is over."""
    return QueryError(
        f"the query was stopped after {limits.seconds:g} s",
        hint="LIMIT, fewer optional or unconnected patterns, or a longer time",
    )


def stopped(code: int | None, limits: Limits) -> QueryError:
    """Return the error of a query whose process ended."""
    if code == -11:
        return QueryError("the query is nested too deeply for the engine", hint="a simpler one")
    size = f"{limits.memory // 2**20:,} MiB"
    return QueryError(f"the query took more memory than {size}", hint="LIMIT, or fewer unconnected patterns")
