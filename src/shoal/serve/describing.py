"""Models that somebody sends: a process that may be killed reads their files, what it says is stored."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from shoal import errors
from shoal.catalog.describe.describe import Description, document
from shoal.catalog.intake import completed, read_file
from shoal.errors import DocumentError, ModelError, ShoalError, StorageError
from shoal.serve.problem import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from shoal.catalog import Catalog
    from shoal.catalog.documents import Model
    from shoal.serve.settings import Settings

__all__ = ["add_model"]


def add_model(
    catalog: Catalog, file: Path, fields: Mapping[str, Any], settings: Settings, actor: str
) -> Model:
    """Store a model and its file, as `Catalog.add_model`; this process does not look into the file.

    Raises
    ------
    ModelError
        If the file is damaged, or takes too much time or memory to read.
    DocumentError
        If a field is wrong.
    Refused
        501, where a package is missing that reads such files.
    """
    described = describe(file, fields, settings)
    given = document(described, file.name)
    content = read_file(file)
    with catalog.store.transaction():
        if catalog.store.write_blob(content) != given.sha256:
            raise StorageError("the file changed while it was read", hint="try again")
        model = completed(catalog, given, set(described.missing))
        catalog.add(model, actor=actor)
    return model


def describe(file: Path, fields: Mapping[str, Any], settings: Settings) -> Description:
    """Return what is known of a model's file."""
    try:
        ended = subprocess.run(
            # -P: no module of the folder that the server was started in.
            [sys.executable, "-P", "-m", "shoal.serve.reader"],
            input=json.dumps([str(file), fields, settings.describe_memory]).encode(),
            stdout=subprocess.PIPE,
            timeout=settings.describe_seconds,
            start_new_session=True,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ModelError(f"the file takes longer than {settings.describe_seconds:g} s to read") from None
    if ended.returncode != 0:
        raise ModelError(f"the file ended the process that read it ({ended.returncode})")
    answer = json.loads(ended.stdout)
    if "error" in answer:
        raise failure(answer)
    return Description(answer["fields"], tuple(answer["missing"]), tuple(answer["notes"]))


def failure(answer: Mapping[str, Any]) -> Exception:
    """Return the error that the process tells of."""
    if answer["error"] == "MissingExtraError":
        return Refused(501, answer["what"])
    error: ShoalError = getattr(errors, answer["error"])(answer["what"], hint=answer["hint"])
    if isinstance(error, DocumentError):
        error.fields = tuple((place, problem) for place, problem in answer["fields"])
    return error
