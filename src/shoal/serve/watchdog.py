"""Queries in a process that is killed when it takes too long."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from shoal.errors import QueryError, StorageError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Watchdog"]

PATIENCE = 60.0

logger = logging.getLogger(__name__)


class Watchdog:
    """A process that answers JSONPath queries, one at a time; started when needed, and again when killed.

    Parameters
    ----------
    file
        The catalog's.
    seconds
        For one query, waiting for others not counted.
    rows, size
        Results of one query; their bytes.
    """

    def __init__(self, file: Path, *, seconds: float, rows: int, size: int) -> None:
        self._file = file
        self._seconds = seconds
        self._rows = rows
        self._size = size
        self._process: asyncio.subprocess.Process | None = None
        self._lock = asyncio.Lock()
        self._busy = False

    async def ask(self, query: str) -> bytes:
        """Return the JSON array that a query finds.

        Raises
        ------
        QueryError
            If it cannot be read, finds too much, or takes too long.
        """
        async with self._lock:
            try:
                process = await self._running()
                self._busy = True
                content = await asyncio.wait_for(self._exchange(process, query), self._seconds)
            except TimeoutError:
                problem = f"the query takes longer than {self._seconds:g} s"
                raise QueryError(problem, where="query", hint="ask for less") from None
            except (asyncio.IncompleteReadError, ConnectionError):
                # Too much memory it would tell: the system ended it, or it ended by a fault.
                logger.exception("the process that answers JSONPath ended")
                raise QueryError("the query ended its process", where="query", hint="ask for less") from None
            finally:
                # Also where the client has gone meanwhile: nobody would read the rest of the answer.
                if self._busy:
                    await self._kill()
        if content[:1] == b"+":
            return content[1:]
        what, hint = json.loads(content[1:])
        raise QueryError(what, where="query", hint=hint)

    async def _exchange(self, process: asyncio.subprocess.Process, query: str) -> bytes:
        if process.stdin is None:
            raise ConnectionError
        process.stdin.write(json.dumps([query, self._rows, self._size]).encode() + b"\n")
        await process.stdin.drain()
        content = await self._receive(process)
        self._busy = False
        return content

    @staticmethod
    async def _receive(process: asyncio.subprocess.Process) -> bytes:
        if process.stdout is None:
            raise ConnectionError
        size = int.from_bytes(await process.stdout.readexactly(8), "big")
        return await process.stdout.readexactly(size)

    async def _running(self) -> asyncio.subprocess.Process:
        """Return the process, started where there is none."""
        if self._process is None or self._process.returncode is not None:
            self._busy = True  # nobody has use for one that is half started
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",  # no module of the folder that the server was started in
                "-m",
                "shoal.serve.jsonpath",
                str(self._file),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                start_new_session=True,  # Ctrl-C is the server's
            )
            try:
                # It begins to answer when it has read its modules: that is not the query's time.
                await asyncio.wait_for(self._receive(self._process), PATIENCE)
            except (TimeoutError, asyncio.IncompleteReadError) as error:
                what = "the process that answers JSONPath does not start"
                raise StorageError(what, where=str(self._file)) from error
            self._busy = False
        return self._process

    async def _kill(self) -> None:
        process, self._process, self._busy = self._process, None, False
        if process is not None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def stop(self) -> None:
        """End the process."""
        async with self._lock:
            await self._kill()
