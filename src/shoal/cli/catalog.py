"""`shoal catalog`: the file itself, and what happened in it."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from shoal.cli import console
from shoal.cli.catalogs import CatalogOption, opened, place, table, with_catalog
from shoal.cli.console import FormatOption
from shoal.errors import UnknownError

if TYPE_CHECKING:
    from shoal.catalog import Catalog
    from shoal.catalog.store import Event

__all__ = ["catalog"]

catalog = App(
    name="catalog", help="The catalog: check it, keep it, fill it, empty it.", help_flags=["--help", "-h"]
)


@catalog.command(help_epilogue="")
def check(*, catalog: CatalogOption = None, output_format: FormatOption = "table") -> int:
    """Check that the documents are what the log of changes says, and every view is what the documents say.

    Exit code 0 where all is well, 1 otherwise.
    """
    with opened(catalog) as found:
        problems = list(found.check())
        events = found.store.revision
    if output_format == "json":
        console.json_result({"ok": not problems, "events": events, "problems": problems})
    else:
        for problem in problems:
            console.text(problem, "bold red")
        line = f"{console.counted(events, 'change')}, {console.counted(len(problems), 'problem')}"
        console.text(line, "bold red" if problems else "green")
    if problems:
        console.next_command(with_catalog("shoal catalog rebuild", catalog))
    return 1 if problems else 0


@catalog.command(help_epilogue="")
def rebuild(*, catalog: CatalogOption = None) -> None:
    """Compute the documents and every view anew from the log of changes."""
    with opened(catalog) as found:
        found.rebuild()
        console.text(f"{place(catalog)}: rebuilt from {found.store.revision:,} changes")
    console.next_command(with_catalog("shoal catalog check", catalog))


@catalog.command(help_epilogue="")
def compact(
    *,
    drop_removed: Annotated[bool, Parameter(negative=())] = False,
    catalog: CatalogOption = None,
    output_format: FormatOption = "table",
) -> None:
    """Give the disk back what the catalog does not need; only while nobody writes.

    Documents and their history stay, and so do the files of removed models, unless told otherwise.

    Parameters
    ----------
    drop_removed
        Remove the files of models that were removed from the catalog: they cannot be had back.
    """
    with opened(catalog) as found:
        done = found.compact(removed=drop_removed)
    if output_format == "json":
        console.json_result(asdict(done))
        return
    files = f", {console.counted(done.removed, 'file')} removed" if done.removed else ""
    freed = console.size(max(done.before - done.after, 0))
    console.text(f"{place(catalog)}: {console.size(done.after)}, {freed} given back{files}")
    if done.kept:
        of = f"{console.counted(done.kept, 'file')} of removed models"
        console.note(f"{of}, {console.size(done.kept_bytes)}, left: --drop-removed")


@catalog.command(help_epilogue="")
def backup(file: Path, /, *, catalog: CatalogOption = None) -> None:
    """Copy the catalog into one file while others may write.

    Parameters
    ----------
    file
        The copy; an old one is replaced when the new one is complete.
    """
    with opened(catalog) as found:
        found.backup(file)
    console.text(f"{file}: {console.size(file.stat().st_size)}")
    console.next_command(f"shoal catalog restore {shlex.quote(str(file))} --catalog NEW")


@catalog.command(help_epilogue="")
def restore(file: Path, /, *, catalog: CatalogOption = None) -> None:
    """Make a new catalog of a backup that checks clean; there may be no file of its name.

    Parameters
    ----------
    file
        The backup.
    """
    from shoal.catalog import Catalog

    Catalog.restore(file, place(catalog))
    console.text(f"{place(catalog)}: restored from {file}")
    console.next_command(with_catalog("shoal catalog check", catalog))


@catalog.command(help_epilogue="")
def alias(name: str, alias: str, version: str | None = None, /, *, catalog: CatalogOption = None) -> None:
    """Let NAME@ALIAS mean a version of a model, from now on: keywords@champion.

    Parameters
    ----------
    name
        Of the model.
    alias
        For instance champion.
    version
        Of the model; the newest by default.
    """
    with opened(catalog) as found:
        chosen = found.model(name if version is None else f"{name}:{version}")
        found.alias(chosen.name, alias, chosen.id)
    console.text(f"{chosen.name}@{alias} is {chosen.name}:{chosen.version}")
    console.next_command(with_catalog(f"shoal match {shlex.quote(f'{chosen.name}@{alias}')}", catalog))


@catalog.command(help_epilogue="")
def remove(kind: str, name: str, /, *, catalog: CatalogOption = None) -> None:
    """Remove a document; its history stays, and what another document needs cannot be removed.

    Parameters
    ----------
    kind
        model, device, board, alias, deployment, run, measurement, learning or query.
    name
        Id of the document; a model and a device may be named as elsewhere.
    """
    with opened(catalog) as found:
        key = identified(found, kind, name)
        found.remove(kind, key)
    console.text(f"removed: {kind} {key}")
    console.next_command(with_catalog(f"shoal catalog history {kind} {shlex.quote(key)}", catalog))


def identified(catalog: Catalog, kind: str, name: str) -> str:
    """Return the id of a document: a model and a device have other names too."""
    if kind == "model" and not name.startswith("sha256:"):
        return catalog.model(name).id
    return catalog.device(name).id if kind == "device" else name


def remembered(catalog: Catalog, kind: str, name: str) -> str:
    """Return the id of a document that is there or was."""
    try:
        return identified(catalog, kind, name)
    except UnknownError as error:
        gone = None if error.what.startswith("more than one") else departed(catalog, kind, name)
        if gone is None:
            raise
        return gone


def departed(catalog: Catalog, kind: str, name: str) -> str | None:
    """Return the id of the model or the device that left last under a name; None where none did."""
    found = None
    for event in catalog.store.events(kinds={kind}):
        if event.action == "deleted" and (event.id == name or name in names(event)):
            found = event.id
    return found


def names(event: Event) -> tuple[str, ...]:
    """Return the names of a model or a device before it was removed."""
    body = event.before or {}
    if event.kind == "device":
        return (body["title"],)
    return body["name"], f"{body['name']}:{body['version']}", body["sha256"]


@catalog.command(help_epilogue="")
def history(
    kind: str, name: str, /, *, catalog: CatalogOption = None, output_format: FormatOption = "table"
) -> None:
    """Show what happened to a document, also to one that is gone.

    Parameters
    ----------
    kind
        model, device, board, alias, deployment, run, measurement, learning or query.
    name
        Id of the document; a model and a device may be named as elsewhere, also by a name that is gone.
    """
    with opened(catalog) as found:
        name = remembered(found, kind, name)
        events = list(found.history(kind, name))
    if output_format == "json":
        console.json_result([as_json(one) for one in events])
        return
    rows = [
        (str(one.sequence), stamp(one.at), one.action, one.actor, ", ".join(changes(one.before, one.body)))
        for one in events
    ]
    table(f"{kind} {name}", ("change", "at", "", "by", "fields"), rows, left=(1, 2, 3, 4))


def as_json(event: Event) -> dict[str, Any]:
    """Return a change, for programs."""
    return {
        "sequence": event.sequence,
        "at": stamp(event.at),
        "action": event.action,
        "actor": event.actor,
        "body": event.body,
    }


def stamp(at: float) -> str:
    """Return a time as people and programs read it.

    Examples
    --------
    >>> stamp(0)
    '1970-01-01T00:00:00Z'
    """
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def changes(before: dict[str, object] | None, after: dict[str, object] | None) -> list[str]:
    """Return the fields that differ; none where there was or is no document.

    Examples
    --------
    >>> changes({"task": "a", "size": 3}, {"task": "b", "size": 3})
    ['task']
    """
    if before is None or after is None:
        return []
    return [name for name in {**before, **after} if before.get(name) != after.get(name)]
