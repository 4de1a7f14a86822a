"""`shoal catalog import`, `export`, `schema`: what comes in and what goes out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from cyclopts import Parameter

from shoal.cli import console
from shoal.cli.catalog import catalog
from shoal.cli.catalogs import CatalogOption, opened, with_catalog, written
from shoal.cli.console import FormatOption
from shoal.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.catalog import Catalog
    from shoal.catalog.documents import Document

__all__ = ["export", "import_", "schema"]

ExportFormat: TypeAlias = Literal["turtle", "jsonld", "td", "card", "cyclonedx", "mldcat", "reference"]


@catalog.command(help_epilogue="")
def schema(kind: str, /) -> None:
    """Show the JSON Schema of a kind of document.

    Parameters
    ----------
    kind
        model, device (a Thing Description), board, alias, deployment, run, measurement, learning or query.
    """
    from shoal.catalog import documents

    console.json_result(documents.schema(kind))


@catalog.command(name="import", help_epilogue="")
def import_(
    *files: Path,
    models: Path | None = None,
    catalog: CatalogOption = None,
    output_format: FormatOption = "table",
) -> None:
    """Take in models and devices: Turtle, Thing Descriptions, CSV, model files; all of them or none.

    What the files do wrong is reported with its line and what was taken instead. The same files again change
    nothing.

    Parameters
    ----------
    files
        Files, or folders of them.
    models
        Folder of the model files that a Turtle of the reference system describes.
    """
    from shoal.catalog import importers

    if not files:
        raise ConfigError("no file to read", where="the argument FILES", hint="shoal catalog import FOLDER")
    read = importers.load(files, models)
    events = written(catalog, lambda found: found.add_many(read.documents, files=read.files))
    if output_format == "json":
        console.json_result(
            {
                "documents": [{"kind": one.kind, "id": one.id} for one in read.documents],
                "changes": len(events),
                "defects": [
                    {"file": one.file, "line": one.line, "problem": one.problem, "fix": one.fix}
                    for one in read.defects
                ],
            }
        )
    else:
        for defect in read.defects:
            console.note(str(defect), "yellow")
        kinds = [one.kind for one in read.documents]
        counts = ", ".join(console.counted(kinds.count(kind), kind) for kind in dict.fromkeys(kinds))
        defects = console.counted(len(read.defects), "defect")
        console.text(f"{counts}: {console.counted(len(events), 'change')}, {defects} repaired")
    console.next_command(with_catalog("shoal match", catalog))


@catalog.command(help_epilogue="")
def export(
    to: ExportFormat,
    *names: str,
    kind: Annotated[list[str] | None, Parameter(negative=())] = None,
    output: Path | None = None,
    catalog: CatalogOption = None,
) -> None:
    """Write documents for other programs, to standard output or a file.

    Parameters
    ----------
    to
        turtle or jsonld: the graph, with the documents in it, which can be imported again. td: Thing
        Descriptions. card: the Hugging Face model card of a model. cyclonedx: a CycloneDX 1.7 bill of
        materials. mldcat: MLDCAT-AP. reference: the ontology of the reference system.
    names
        Models, as elsewhere, and devices, by id or title; everything by default.
    kind
        Only documents of this kind; may be given several times.
    output
        The file; replaced when it is complete.
    """
    from shoal.catalog import exporters
    from shoal.nn import storage

    with opened(catalog) as found:
        text = exporters.dump(chosen(found, names, kind or ()), to)
    if output is None:
        sys.stdout.write(text)
    else:
        storage.write(output, text.encode())
        console.text(f"{output}: {console.size(len(text.encode()))}")


def chosen(catalog: Catalog, names: Sequence[str], kinds: Sequence[str]) -> list[Document]:
    """Return the documents of these names and kinds.

    Raises
    ------
    UnknownError
        If a name is neither that of a model nor that of a device.
    """
    from shoal.catalog.documents import KINDS
    from shoal.errors import UnknownError

    if not names:
        return [document for kind in kinds or KINDS for document in catalog.list(kind)]
    found: list[Document] = []
    for name in names:
        try:
            found.append(catalog.model(name))
        except UnknownError as error:
            try:
                found.append(catalog.device(name))
            except UnknownError:
                problem = f"no model and no device '{name}'"
                raise UnknownError(problem, where="export", hint=error.hint) from None
    return [one for one in found if not kinds or one.kind in kinds]
