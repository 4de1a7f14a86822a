"""The TOML file beside a model: what its file does not say."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from shoal.catalog.documents import Model
from shoal.catalog.documents.limits import LARGEST, check
from shoal.errors import DocumentError, StorageError

__all__ = ["read"]

# Besides the fields of the document: the sensors of its input and the labels of its output, without detours.
SHORT = ("labels", "sensors")


def read(model: Path, beside: str | os.PathLike[str] | None) -> dict[str, Any]:
    """Return what a sidecar says, nothing where there is none.

    Parameters
    ----------
    model
        The model's file.
    beside
        The sidecar; None: the file beside the model with the suffix .toml, if it exists.

    Raises
    ------
    StorageError
        If a file that is named does not exist or cannot be read.
    DocumentError
        If it is not TOML or has a key that is no field.
    """
    path = model.with_suffix(".toml") if beside is None else Path(beside)
    if beside is None and not path.is_file():
        return {}
    where = os.fspath(path)
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise StorageError(f"cannot read: {error.strerror}", where=where) from error
    if len(content) > LARGEST:
        raise DocumentError.of("sidecar", where, [("", f"more than {LARGEST:,} bytes")])
    try:
        said = tomllib.loads(content.decode())
    except (ValueError, RecursionError) as error:
        raise DocumentError.of("sidecar", where, [("", f"not TOML: {error}")]) from None
    known = {*Model.model_fields, *SHORT}
    wrong = [(key, "no field of a model") for key in said if key not in known]
    if wrong:
        raise DocumentError.of("sidecar", where, wrong)
    check({key: str(value) for key, value in said.items()}, "sidecar", where)
    return said
