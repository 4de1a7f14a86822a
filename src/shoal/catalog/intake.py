"""How files become documents of the catalog, and records documents again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shoal.catalog import versions
from shoal.catalog.documents import KINDS, Device, Document, Model
from shoal.errors import ConflictError, StorageError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from shoal.catalog.catalog import Catalog
    from shoal.catalog.store import Record

__all__ = ["add_model", "loaded", "read_file"]


def add_model(
    catalog: Catalog,
    path: Path,
    name: str | None,
    version: str | None,
    fields: Mapping[str, Any],
    actor: str,
) -> Model:
    """Describe a model's file and store both; see :meth:`shoal.catalog.Catalog.add_model`."""
    from shoal.catalog.describe.describe import document, read

    content = read_file(path)
    described = read(path, name=name, version=version, **fields)
    given = document(described, str(path))
    with catalog.store.transaction():
        if catalog.store.write_blob(content) != given.sha256:
            raise StorageError("the file changed while it was read", where=str(path), hint="try again")
        model = completed(catalog, given, set(described.missing))
        catalog.add(model, actor=actor)
    return model


def completed(catalog: Catalog, given: Model, unsaid: Collection[str]) -> Model:
    """Return a model with what was said of its file before, and a version."""
    old = catalog.find_model(given.sha256)
    if old is None:
        if "version" not in unsaid:
            return given
        version = versions.next_patch(catalog.versions(given.name))
        return given.model_copy(update={"version": version})
    said = {key: value for key, value in given.body().items() if key not in unsaid}
    body = old.body() | said | {"input": old.body().get("input", {}) | said.get("input", {})}
    model = Model.checked(body, given.id)
    if (old.name, old.version) != (model.name, model.version):
        raise ConflictError(
            f"the file is in the catalog as {old.name}:{old.version}, not {model.name}:{model.version}",
            where=given.id,
            hint=f"its name and version; another name: shoal catalog alias {old.name} ALIAS {old.version}",
        )
    return model


def loaded(record: Record) -> Document:
    """Return the document of a record; it was checked when it came in."""
    if record.kind == "device":
        return Device.model_construct(td=record.body)
    return KINDS[record.kind].model_validate(record.body)


def read_file(path: Path) -> bytes:
    """Return the content of a file.

    Raises
    ------
    StorageError
        Where it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise StorageError(
            f"cannot read: {error.strerror}", where=str(path), hint="look at the path"
        ) from error
