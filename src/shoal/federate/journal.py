"""The folder of a run: what it is, what happened, and where it can go on.

=============== ==================================================================
run.json        configuration and environment
metrics.jsonl   one line for each round, evaluation and client that was dropped
checkpoint-*    the last two
model.shoal     the final network
model.img       its image, for a device that learns as the clients did
=============== ==================================================================
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from shoal.errors import ConfigError, StateError, StorageError
from shoal.federate.checkpoint import Checkpoint, latest, save
from shoal.federate.describe import environment
from shoal.federate.history import History, from_line, to_line
from shoal.nn import storage

if TYPE_CHECKING:
    from collections.abc import Iterable
    from io import BufferedWriter
    from types import TracebackType

    import numpy as np
    from numpy.typing import NDArray

    from shoal.federate.history import Evaluated, Failure, Row
    from shoal.nn import Network

__all__ = ["Journal"]

RUN, METRICS, MODEL, IMAGE = "run.json", "metrics.jsonl", "model.shoal", "model.img"


class Journal:
    """The folder of one run, open for writing.

    Parameters
    ----------
    folder
        Made where it does not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._metrics: BufferedWriter | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._metrics is not None:
            # On a full disk the rest cannot be written either; the last checkpoint counts.
            with suppress(OSError):
                self._metrics.close()

    def start(self, config: dict[str, Any]) -> None:
        """Begin a run in an empty folder.

        Raises
        ------
        ConfigError
            Where the folder holds a run.
        StorageError
            Where it cannot be written.
        """
        if (self.folder / RUN).exists() or any(self.folder.glob("checkpoint-*")):
            raise ConfigError(
                "the folder holds a run",
                where=str(self.folder),
                hint="execute(resume=True), or another folder",
            )
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"cannot make the folder: {error.strerror}", where=str(self.folder)) from error
        self._open(0)
        text = json.dumps({"config": config, "environment": environment()}, indent=2) + "\n"
        storage.write(self.folder / RUN, text.encode())

    def resume(self, config: dict[str, Any], count: int) -> tuple[Checkpoint | None, History]:
        """Go on with the run in the folder; begin it where there is none.

        Parameters
        ----------
        config
            Which the run must have.
        count
            Parameters of its network.

        Returns
        -------
        The checkpoint to go on from, None to begin, and what happened up to it.

        Raises
        ------
        StateError
            Where the folder holds another run, or is damaged.
        """
        if not (self.folder / RUN).exists():
            self.start(config)
            return None, History()
        self._tidy()
        found = self._read_config()
        for key in sorted(config.keys() | found.keys()):
            ours, theirs = json.dumps(config.get(key)), json.dumps(found.get(key))
            if ours != theirs:
                raise StateError(
                    f"the folder holds another run: its {key} is {shorten(theirs)}, not {shorten(ours)}",
                    where=str(self.folder / RUN),
                    hint="the same parameters, or another folder",
                )
        checkpoint = latest(self.folder, count)
        if checkpoint is None:
            self._open(0)
            return None, History()
        history = self._read_metrics(checkpoint.metrics)
        self._open(checkpoint.metrics)
        return checkpoint, history

    def write(self, entries: Iterable[Row | Failure | Evaluated]) -> None:
        """Append to the metrics."""
        try:
            self._file.write("".join(map(to_line, entries)).encode())
        except OSError as error:
            raise self._full(error) from error

    def checkpoint(self, round: int, parameters: NDArray[np.float32]) -> None:
        """Make everything up to a round last."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._full(error) from error
        save(self.folder, Checkpoint(round, parameters, self._file.tell()))

    def finish(self, network: Network, image: bytes) -> None:
        """Write the final network."""
        network.save(self.folder / MODEL)
        storage.write(self.folder / IMAGE, image)

    @property
    def _file(self) -> BufferedWriter:
        if self._metrics is None:
            raise AssertionError
        return self._metrics

    def _open(self, length: int) -> None:
        """Open the metrics, cut to a length."""
        path = self.folder / METRICS
        try:
            self._metrics = path.open("ab")
            if self._metrics.tell() != length:
                self._metrics.truncate(length)
        except OSError as error:
            raise self._full(error) from error

    def _full(self, error: OSError) -> StorageError:
        return StorageError(
            f"cannot write: {error.strerror}",
            where=str(self.folder / METRICS),
            hint="make room, then execute(resume=True): the run goes on from its last checkpoint",
        )

    def _tidy(self) -> None:
        """Remove what a run that was killed had half written."""
        try:
            for file in self.folder.glob(".*.part"):
                file.unlink()
        except OSError as error:
            raise StorageError(f"cannot remove: {error.strerror}", where=str(self.folder)) from error

    def _read_config(self) -> dict[str, Any]:
        path = self.folder / RUN
        try:
            config = json.loads(storage.read(path))["config"]
        except (ValueError, KeyError, TypeError):
            config = None
        if not isinstance(config, dict):
            raise StateError("not the description of a run", where=str(path), hint="another folder")
        return config

    def _read_metrics(self, length: int) -> History:
        """Return what happened, from the first `length` bytes of the metrics."""
        path = self.folder / METRICS
        content = storage.read(path) if path.exists() else b""
        if len(content) < length:
            raise StateError(
                f"{len(content)} bytes, the checkpoint knows of {length}",
                where=str(path),
                hint="another folder",
            )
        history = History()
        for number, line in enumerate(content[:length].splitlines(), 1):
            try:
                history.add([from_line(line.decode())])
            except (ValueError, KeyError, TypeError):
                raise StateError("a damaged line", where=f"{path}:{number}", hint="another folder") from None
        return history


def shorten(text: str) -> str:
    """Return a text of at most 60 characters."""
    return text if len(text) <= 60 else text[:57] + "..."
