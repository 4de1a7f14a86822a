"""Members of zip and tar archives, read in place: without extraction none can land outside a folder."""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from shoal.errors import InputError, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MEMBER_LIMIT = 16 << 20
TOTAL_LIMIT = 8 << 30
COUNT_LIMIT = 1_000_000


def zip_members(path: Path, wanted: Callable[[PurePosixPath], bool]) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Name and content of the wanted members of a zip file, in name order.

    Raises
    ------
    InputError
        For a name that leaves the archive, or a size beyond reason (a zip bomb).
    StorageError
        For a file that cannot be read or is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            budget = Budget(path)
            for info in sorted(archive.infolist(), key=lambda i: i.filename):
                name = budget.admit(info.filename, info.file_size)
                if not info.is_dir() and wanted(name):
                    with archive.open(info) as file:
                        yield name, budget.read(file.read(MEMBER_LIMIT + 1), info.filename)
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise StorageError(
            f"cannot read the archive: {error}", where=str(path), hint="download it again"
        ) from error


def tar_members(path: Path, wanted: Callable[[PurePosixPath], bool]) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Name and content of the wanted regular files of a tar file, in the order of the archive.

    Raises
    ------
    InputError
        For a name that leaves the archive, or a size beyond reason.
    StorageError
        For a file that cannot be read or is damaged.
    """
    try:
        with tarfile.open(path, "r|*") as archive:
            budget = Budget(path)
            for info in archive:
                name = budget.admit(info.name, info.size)
                file = archive.extractfile(info) if info.isreg() and wanted(name) else None
                if file is not None:
                    yield name, budget.read(file.read(MEMBER_LIMIT + 1), info.name)
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        raise StorageError(
            f"cannot read the archive: {error}", where=str(path), hint="download it again"
        ) from error


class Budget:
    """What one archive may still hold."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self.total = 0

    def admit(self, name: str, size: int) -> PurePosixPath:
        """Check the name and the declared size of a member."""
        self.count += 1
        pure = PurePosixPath(name)
        if pure.is_absolute() or ".." in pure.parts or "\\" in name or ":" in name or "\0" in name:
            raise InputError(
                f"member {name!r} leaves the archive", where=str(self.path), hint="do not use this file"
            )
        if size > MEMBER_LIMIT or self.count > COUNT_LIMIT:
            self.refuse(name)
        return pure

    def read(self, data: bytes, name: str) -> bytes:
        """Count what was unpacked, whatever size was declared."""
        self.total += len(data)
        if len(data) > MEMBER_LIMIT or self.total > TOTAL_LIMIT:
            self.refuse(name)
        return data

    def refuse(self, name: str) -> None:
        """Raise for an archive beyond reason."""
        raise InputError(
            f"member {name!r} is too large, or the archive is",
            where=str(self.path),
            hint="do not use this file",
        )
