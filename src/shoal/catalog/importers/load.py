"""Any file or folder into documents."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.catalog.importers import files as model_files
from shoal.catalog.importers import reference, table, td, text, turtle
from shoal.catalog.importers.imported import Imported
from shoal.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["load"]

SUFFIXES = {".ttl", ".csv", ".json", ".jsonld", *model_files.SUFFIXES}


def load(
    paths: Path | str | Sequence[Path | str], files: Path | str | None = None, **fields: Any
) -> Imported:
    """Read documents from files; nothing is stored.

    Parameters
    ----------
    paths
        Files, or folders whose files are read (not those of folders in them), by their suffix:
        `.ttl` Turtle, of our own export or of the reference system; `.csv` a table of devices or models;
        `.json`, `.jsonld` Thing Descriptions; `.tflite`, `.onnx`, `.shoal` and other models.
    files
        Folder of the model files that a Turtle of the reference system describes.
    fields
        Of models, where their files are silent.

    Raises
    ------
    DocumentError, ModelError
        If one cannot be read; then none is.
    StorageError
        If a file is not there.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "devices.csv")
    ...     _ = path.write_text("id,title,ram_bytes" + chr(10) + "urn:dev:1,Press,262144" + chr(10))
    ...     load(path).documents[0].hardware.ram.free
    262144
    """
    given = [paths] if isinstance(paths, (str, Path)) else paths
    described: list[Path] = []  # together, as a model may stand in one file and a device in another
    parts: list[Imported] = []
    for path in _files(given):
        suffix = path.suffix.lower()
        if suffix in (".ttl", ".json", ".jsonld") and turtle.is_export(text.head(path)):
            parts.append(turtle.load(path))
        elif suffix == ".ttl":
            described.append(path)
        elif suffix == ".csv":
            parts.append(table.load(path))
        elif suffix in (".json", ".jsonld"):
            parts.append(td.load(path))
        elif suffix in model_files.SUFFIXES:
            parts.append(model_files.load(path, **fields))
        else:
            raise DocumentError.of("import", str(path), [("", f"no format has the suffix '{suffix}'")])
    if described:
        parts.insert(0, reference.load(described, files))
    if not parts:
        error = DocumentError.of("import", ", ".join(map(str, given)) or None, [("", "no file to read")])
        error.hint = f"files, or folders with {', '.join(sorted(SUFFIXES))}"
        raise error
    return Imported(
        tuple(document for part in parts for document in part.documents),
        tuple(defect for part in parts for defect in part.defects),
        {address: path for part in parts for address, path in part.files.items()},
    )


def _files(paths: Iterable[Path | str]) -> Iterable[Path]:
    for one in map(Path, paths):
        if one.is_dir():
            yield from sorted(
                path for path in one.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file()
            )
        else:
            yield one
