"""The folder in which a view is on disk: whose files these are, and how they make way for new ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shoal.errors import StorageError

__all__ = ["STALE", "DamagedError", "InUseError", "check_ours", "empty", "engine", "outdate"]

STALE = "STALE"  # a file in the folder of a view: it must be built anew
# What the engine names its files.
OURS = re.compile(
    r"CURRENT|IDENTITY|LOCK|STALE|LOG(\.old\.\d+)?|(MANIFEST|OPTIONS)-\d+(\.dbtmp)?|\d+(\.(log|sst|blob|dbtmp))?"
)


class InUseError(StorageError):
    """A folder that is open already: each is for one process at a time."""


class DamagedError(StorageError):
    """A folder that cannot be read or written, or holds something else than a view."""


def check_ours(path: Path) -> None:
    """Check that a folder has nothing in it but files of a view, or is not there.

    Raises
    ------
    DamagedError
        If it has, or is no folder.
    """
    if not path.exists():
        return
    names = [one.name for one in path.iterdir()] if path.is_dir() else ["a file"]
    others = [name for name in names if not OURS.fullmatch(name)]
    if others:
        raise DamagedError(f"here is no RDF view: {others[0]}", where=str(path), hint="move it elsewhere")


def empty(path: Path) -> None:
    """Remove the files of a view that nobody has open.

    Raises
    ------
    InUseError
        If another process has it.
    DamagedError
        If there is anything else.
    OSError
        If they cannot be removed.
    """
    import fcntl

    check_ours(path)
    if not path.exists():
        return
    with (path / "LOCK").open("a") as lock:
        try:
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # as the engine does
        except OSError:
            raise in_use(path) from None
        for file in sorted(path.iterdir(), key=lambda one: one.name == "LOCK"):  # that one last
            file.unlink()


def outdate(path: Path) -> None:
    """Let whoever has the view in a folder, or opens it next, build it anew before the next answer."""
    (path / STALE).touch()


@contextmanager
def engine(path: Path | None) -> Iterator[None]:
    """Tell what the engine says of damaged files in our words.

    Raises
    ------
    InUseError
        If another process has the folder.
    DamagedError
        If it cannot be read or written.
    """
    try:
        yield
    except StorageError:
        raise  # of what was read meanwhile
    except (OSError, RuntimeError) as error:  # the second: it is damaged
        if path is None:
            raise
        if f"{path / 'LOCK'}:" in str(error):
            raise in_use(path) from error
        said = str(error).partition("\n")[0]
        raise DamagedError(
            f"the RDF view cannot be read or written: {said}", where=str(path), hint="shoal catalog rebuild"
        ) from error


def in_use(path: Path) -> InUseError:
    """Return the error of a folder that another process has."""
    return InUseError("the RDF view is open already", where=str(path), hint="end the process that has it")
