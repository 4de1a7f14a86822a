"""The rows of a table as documents, or all that is wrong with them."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.catalog.documents import Device, Model
from shoal.catalog.documents.thing import TD_1_1
from shoal.catalog.importers import text
from shoal.catalog.importers.imported import Imported
from shoal.catalog.importers.table.columns import DEVICES, MODELS
from shoal.errors import DocumentError, ModelError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from shoal.catalog.documents import Document
    from shoal.catalog.importers.table.columns import Column

__all__ = ["load"]

# Errors that one message holds.
MOST = 100


def load(path: Path) -> Imported:
    """Import a table of devices or of models: all rows, or none.

    The first row names the columns, in any order. A table with a column `id` is of devices, one with
    `file` or `sha256` of models; `file` is a path below the folder of the table.

    Raises
    ------
    DocumentError
        With each cell that is wrong by row (as in a spreadsheet, the header is row 1) and column.
    StorageError
        If it cannot be read.
    """
    rows = csv.reader(io.StringIO(text.read(path)), strict=True)
    try:
        header = [name.strip() for name in next(rows, [])]
        columns = DEVICES if "id" in header else MODELS
        _check(header, columns, path)
        problems: list[tuple[str, str]] = []
        documents: list[Document] = []
        files: dict[str, Path] = {}
        seen: dict[str, int] = {}
        for number, row in enumerate(rows, 2):
            if not any(cell.strip() for cell in row):
                continue
            try:
                document = _document(header, row, columns, path, files)
                first = seen.setdefault(document.id, number)
                if first != number:
                    raise WrongError([("id" if columns is DEVICES else "sha256", f"as in row {first}")])
                documents.append(document)
            except WrongError as wrong:
                problems += [
                    (f"row {number}, column {name}" if name else f"row {number}", problem)
                    for name, problem in wrong.fields
                ]
            if len(problems) >= MOST:
                break
    except csv.Error as error:
        raise DocumentError.of("table", f"{path}:{rows.line_num}", [("", f"not CSV: {error}")]) from None
    if not problems and not documents:
        problems = [("", "no rows")]
    if problems:
        raise DocumentError.of("table", str(path), problems)
    return Imported(tuple(documents), files=files)


class WrongError(ValueError):
    """Columns of a row that are wrong, each with what is wrong there."""

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        super().__init__()
        self.fields = fields


def _check(header: list[str], columns: Mapping[str, Column], path: Path) -> None:
    known = ", ".join(columns)
    wrong = [
        (name or "(no name)", f"no such column; there are {known}") for name in header if name not in columns
    ]
    wrong += [(name, "twice") for name in sorted(set(header)) if header.count(name) > 1]
    if columns is MODELS and not {"file", "sha256"} & set(header):
        wrong.insert(0, ("", "neither a column id (of devices) nor file or sha256 (of models)"))
    if wrong:
        raise DocumentError.of("header of the table", str(path), wrong)


def _document(
    header: list[str], row: list[str], columns: Mapping[str, Column], path: Path, files: dict[str, Path]
) -> Document:
    if len(row) != len(header):
        raise WrongError([("", f"{len(row)} cells, not {len(header)}")])
    body: dict[str, Any] = {}
    wrong: list[tuple[str, str]] = []
    for name, cell in zip(header, row, strict=True):
        if cell.strip():
            place, reading = columns[name]
            try:
                _put(body, place.split("."), reading(cell.strip()))
            except ValueError as error:
                wrong.append((name, str(error)))
    if wrong:
        raise WrongError(wrong)
    try:
        return _device(body) if columns is DEVICES else _model(body, path.parent, files)
    except DocumentError as error:
        raise WrongError([(_column(field, columns), problem) for field, problem in error.fields]) from None
    except (ModelError, StorageError) as error:
        raise WrongError([("file", error.what)]) from None


def _device(body: dict[str, Any]) -> Device:
    td = {
        "@context": TD_1_1,
        "securityDefinitions": {"nosec_sc": {"scheme": "nosec"}},
        "security": "nosec_sc",
    }
    return Device.checked(td | body)


def _model(body: dict[str, Any], folder: Path, files: dict[str, Path]) -> Model:
    for need in ("inference", "training", "flash"):
        if need in body:
            body[need] |= {"provenance": "declared", "method": "table"}
    name = body.pop("file", None)
    if name is None:
        return Model.checked(body)
    from shoal.catalog.describe import describe

    path = within(folder, name)
    model = describe(
        path, **{key: value for key, value in body.items() if key not in ("sha256", "size", "format")}
    )
    for key in ("sha256", "size", "format"):
        if key in body and body[key] != getattr(model, key):
            raise WrongError(
                [(f"{key}_bytes" if key == "size" else key, f"the file has {getattr(model, key)}")]
            )
    files[model.sha256] = path
    return model


def within(folder: Path, name: str) -> Path:
    """Return a file below a folder.

    Raises
    ------
    WrongError
        If the name leads elsewhere, over links too.
    """
    path = Path(folder, name)
    try:
        inside = path.resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError):
        inside = False
    if not inside or "\0" in name:
        raise WrongError([("file", f"{name[:100]!r} is not below the folder of the table")])
    return path


def _put(body: dict[str, Any], place: list[str], value: object) -> None:
    for step in place[:-1]:
        body = body.setdefault(step, {})
    body[place[-1]] = value


def _column(field: str, columns: Mapping[str, Column]) -> str:
    """Return the column that a field of a document is filled from; the field where there is none."""
    fits: Iterator[str] = (name for name, (place, _) in columns.items() if field.startswith(place))
    return max(fits, key=lambda name: len(columns[name][0]), default=field)
