"""Reading the Turtle of the reference system."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from shoal.catalog.importers import text
from shoal.catalog.importers.imported import Imported
from shoal.catalog.importers.reference.devices import devices
from shoal.catalog.importers.reference.facts import Facts
from shoal.catalog.importers.reference.files import join
from shoal.catalog.importers.reference.models import models
from shoal.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.catalog.documents import Document, Model

__all__ = ["is_reference", "load"]

# A file that has one of these speaks the reference ontology.
SIGNS = ("tinyml-schema.org/", "w3id.org/tinyml-schema/", "http://w3id.org/s3n/")


def is_reference(content: str) -> bool:
    """Return whether Turtle is of the reference system."""
    return any(sign in content for sign in SIGNS)


def load(paths: Sequence[Path | str], files: Path | str | None = None) -> Imported:
    """Import models and devices that Turtle in the terms of the reference ontology describes.

    Memory becomes bytes. Known defects are repaired and reported, each with its line. Without `files` a model
    has an address that is derived from its IRI, and says of its computation what the Turtle says.

    Parameters
    ----------
    paths
        Turtle files.
    files
        Folder of model files. A file whose name is that of a model is described, and gives it its address,
        operators, tensors and counts; memory stays as the Turtle has it.

    Returns
    -------
    The same for the same files, so that a second import changes nothing.

    Raises
    ------
    DocumentError
        If a file is no Turtle, repairs included, or a model or a device lacks what it must have.
    StorageError
        If a file cannot be read.
    """
    documents: list[Document] = []
    facts = [Facts(text.read(Path(path)), Path(path).name) for path in paths]
    found: list[tuple[Facts, list[Model]]] = [(one, models(one)) for one in facts]
    described: dict[str, Path] = {}
    for one, said in found:
        joined = said
        if files is not None:
            joined, more = join(one, said, Path(files))
            described.update(more)
        documents += [*joined, *devices(one)]
    if not documents:
        where = ", ".join(one.file for one in facts)
        raise DocumentError.of("Turtle", where, [("", "it holds no model and no device")])
    defects = tuple(defect for one in facts for defect in sorted(one.defects))
    return Imported(tuple(documents), defects, described)
