"""Checkpoints of a run: written at once or not at all, two of them kept.

A checkpoint is 24 bytes of header, the parameters, and a CRC-32 over all that comes before it; little-endian:

====== ===== ========================================
offset bytes meaning
====== ===== ========================================
0      4     "SHCK"
4      4     version, 1
8      4     rounds done
12     4     parameters, n
16     8     bytes of the metrics file at that time
24     4n    parameters, binary32
24+4n  4     CRC-32 (IEEE 802.3)
====== ===== ========================================
"""

from __future__ import annotations

import logging
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from shoal.errors import StateError, StorageError
from shoal.nn import storage

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["Checkpoint", "latest", "save"]

HEADER = struct.Struct("<4sIIIQ")
MAGIC, VERSION = b"SHCK", 1
KEPT = 2

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """Where a run can go on.

    Parameters
    ----------
    round
        Rounds done.
    parameters
        Of the server, (parameters,).
    metrics
        Bytes of the metrics file up to this round.
    """

    round: int
    parameters: NDArray[np.float32]
    metrics: int

    def encode(self) -> bytes:
        """Return the bytes of the file."""
        head = HEADER.pack(MAGIC, VERSION, self.round, self.parameters.size, self.metrics)
        body = head + self.parameters.astype("<f4").tobytes()
        return body + struct.pack("<I", zlib.crc32(body))

    @classmethod
    def decode(cls, content: bytes, count: int, where: str) -> Checkpoint:
        """Return the checkpoint that these bytes are.

        Raises
        ------
        StateError
            Where they are damaged, or of a network with other than `count` parameters.
        """
        if len(content) < HEADER.size + 4 or content[:4] != MAGIC:
            raise StateError("not a checkpoint, or cut short", where=where)
        _, version, round, numbers, metrics = HEADER.unpack_from(content)
        if struct.unpack("<I", content[-4:])[0] != zlib.crc32(content[:-4]):
            raise StateError("the checkpoint is damaged: its checksum is wrong", where=where)
        if version != VERSION or len(content) != HEADER.size + 4 * numbers + 4:
            raise StateError(f"a checkpoint of version {version} with {len(content)} bytes", where=where)
        if numbers != count:
            raise StateError(f"a checkpoint of {numbers} parameters, the network has {count}", where=where)
        parameters = np.frombuffer(content, "<f4", numbers, HEADER.size).astype(np.float32)
        if not np.isfinite(parameters).all():
            raise StateError("the checkpoint holds a value that is not finite", where=where)
        return cls(round, parameters, metrics)


def path_of(folder: Path, round: int) -> Path:
    """Return the file of the checkpoint after a round."""
    return folder / f"checkpoint-{round:010d}.bin"


def files(folder: Path) -> list[Path]:
    """Return the checkpoints of a folder, oldest first."""
    return sorted(folder.glob("checkpoint-*.bin"))


def save(folder: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint and remove all but the last two.

    Raises
    ------
    StorageError
        Where it cannot be written; the ones before are then still there.
    """
    target = path_of(folder, checkpoint.round)
    storage.write(target, checkpoint.encode())
    try:
        for old in [file for file in files(folder) if file <= target][:-KEPT]:
            old.unlink()
    except OSError as error:
        raise StorageError(f"cannot remove: {error.strerror}", where=str(folder)) from error


def latest(folder: Path, count: int) -> Checkpoint | None:
    """Return the newest sound checkpoint, None where there is no file of one.

    Raises
    ------
    StateError
        Where there are files, and all of them are damaged.
    """
    problem: StateError | None = None
    for file in reversed(files(folder)):
        try:
            return Checkpoint.decode(storage.read(file), count, str(file))
        except StateError as error:
            logger.warning("%s: %s; trying the checkpoint before", file, error.what)
            problem = problem or error
    if problem is not None:
        raise StateError(problem.what, where=problem.where, hint="start anew in another folder") from None
    return None
