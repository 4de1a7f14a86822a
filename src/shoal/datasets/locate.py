"""Where the data sets lie on this machine, and how a prepared one is read."""

from __future__ import annotations

import os
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import ConfigError, InputError, StorageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

VARIABLE = "SHOAL_DATA"


def data_root(root: str | os.PathLike[str] | None, *, create: bool = False) -> Path:
    """Folder that holds the data sets.

    Parameters
    ----------
    root
        The folder; None for the one that the environment variable SHOAL_DATA names.
    create
        Makes the folder where it is missing, to download into.

    Raises
    ------
    ConfigError
        Where neither is given.
    StorageError
        Where the folder does not exist or cannot be made.
    """
    source = f"root = {root}" if root is not None else f"{VARIABLE} = {os.environ.get(VARIABLE)}"
    name = root if root is not None else os.environ.get(VARIABLE)
    if not name:
        raise ConfigError(
            "no data folder is given",
            where=f"root and the environment variable {VARIABLE}",
            hint=f"export {VARIABLE}=/path/to/data, or pass root=",
        )
    path = Path(name)
    if create:
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"cannot make the data folder: {error}", where=source) from error
    if not path.is_dir():
        raise StorageError(f"data folder {path} does not exist", where=source)
    return path


def candidates(root: Path, name: str) -> list[Path]:
    """Folders in which a data set may lie: the root itself or one named after the set."""
    return [root, root / name]


def load_arrays(path: Path, *names: str) -> tuple[NDArray[Any], ...]:
    """Read arrays from an .npz file; never unpickles.

    Raises
    ------
    StorageError
        For a file that cannot be read.
    InputError
        For an array that is missing, or one of Python objects.
    """
    try:
        # Opened here: numpy leaves its own handle open when the archive is damaged.
        with path.open("rb") as file:
            archive = np.load(file, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise InputError("one array, no archive of named ones", where=str(path), hint="np.savez")
            missing = [name for name in names if name not in archive.files]
            if missing:
                raise InputError(
                    f"array {missing[0]!r} is missing", where=str(path), hint="the prepared data set"
                )
            arrays = tuple(archive[name] for name in names)
            for name, array in zip(names, arrays, strict=True):
                if not isinstance(array, np.ndarray):  # numpy returns the bytes of a member that is no array
                    raise InputError(f"{name!r} is no array", where=str(path), hint="np.savez")
            return arrays
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise StorageError(f"cannot read the arrays: {error}", where=str(path)) from error
    except InputError:
        raise
    except ValueError as error:  # pickled objects, or no array at all
        raise InputError(f"no plain arrays: {error}", where=str(path)) from error
