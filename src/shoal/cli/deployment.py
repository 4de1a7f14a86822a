"""`shoal deployment`: which model is meant to run on which device, and what became of it."""

from __future__ import annotations

import shlex
import uuid
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from cyclopts import App

from shoal.cli import console
from shoal.cli.catalogs import CatalogOption, Count, listing, opened, table, title_of, with_catalog
from shoal.cli.console import Format, FormatOption
from shoal.cli.match import verdict
from shoal.errors import ConflictError

if TYPE_CHECKING:
    from shoal.catalog import Catalog
    from shoal.catalog.documents import Deployment

__all__ = ["deployment"]

deployment = App(
    name="deployment",
    help="Deployments: which model is meant to run where, and what became of it.",
    help_flags=["--help", "-h"],
)

Status: TypeAlias = Literal["planned", "active", "failed", "removed"]


@deployment.command(help_epilogue="")
def plan(
    model: str,
    device: str,
    /,
    *,
    key: str | None = None,
    note: str = "",
    catalog: CatalogOption = None,
    output_format: FormatOption = "table",
) -> None:
    """Plan to run a model on a device; where it does not fit, this is said.

    Parameters
    ----------
    model
        NAME (its newest version), NAME:VERSION, NAME@ALIAS, or the beginning of its SHA-256.
    device
        Id or title of the device.
    key
        Name of the deployment; a new one by default.
    note
        What else there is to say.
    """
    from shoal.catalog.documents import Deployment

    with opened(catalog) as found:
        body = {
            "key": str(uuid.uuid4()) if key is None else key,
            "model": found.model(model).sha256,
            "device": found.device(device).id,
            "note": note,
        }
        planned = Deployment.checked(body, "shoal deployment plan")
        with found.store.transaction():
            if found.store.get("deployment", planned.key) is not None:
                raise ConflictError(
                    f"there is a deployment '{planned.key}' already", where="--key", hint="another key"
                )
            found.add(planned)
        (match,) = found.match(f"sha256:{planned.model}", planned.device)
        write(planned, found, output_format)
    if not match.fits:
        console.note(f"{verdict(match)[0]}: {'; '.join(match.reasons)}", "yellow")
    command = f"shoal deployment report {shlex.quote(planned.key)} active"
    console.next_command(with_catalog(command, catalog))


@deployment.command(help_epilogue="")
def report(
    key: str,
    status: Status,
    /,
    *,
    checksum: str | None = None,
    note: str | None = None,
    started: str | None = None,
    ended: str | None = None,
    catalog: CatalogOption = None,
    output_format: FormatOption = "table",
) -> None:
    """Report what became of a deployment.

    Parameters
    ----------
    key
        Of the deployment.
    status
        planned, active, failed or removed.
    checksum
        Of the state that the device reports.
    note
        What else there is to say.
    started
        When it began to run, for instance 2026-03-01T12:00:00Z.
    ended
        When it ended.
    """
    from shoal.catalog.documents import Deployment

    given = {"status": status, "checksum": checksum, "note": note, "started": started, "ended": ended}
    said = {name: value for name, value in given.items() if value is not None}
    with opened(catalog) as found:
        with found.store.transaction():
            body = found.get("deployment", key).body() | said
            reported = Deployment.checked(body, "shoal deployment report")
            found.add(reported)
        write(reported, found, output_format)
    console.next_command(with_catalog(f"shoal catalog history deployment {shlex.quote(key)}", catalog))


@deployment.command(name="list", help_epilogue="")
def list_(
    *,
    limit: Count = 100,
    catalog: CatalogOption = None,
    output_format: FormatOption = "table",
) -> None:
    """List the deployments of the catalog.

    Parameters
    ----------
    limit
        At most so many.
    """
    from shoal.catalog.documents import Deployment

    with opened(catalog) as found:
        total = found.store.count("deployment")
        listed = [one for one in found.list("deployment", limit=limit) if isinstance(one, Deployment)]
        rows = [(one.key, *titles(one, found), one.status, one.note) for one in listed]
    if output_format == "json":
        console.json_result([as_json(one) for one in listed])
        return
    columns = ("deployment", "model", "device", "status", "note")
    listing("deployment", total, columns, rows, left=range(len(columns)))


@deployment.command(help_epilogue="")
def show(
    key: str,
    /,
    *,
    catalog: CatalogOption = None,
    output_format: FormatOption = "table",
) -> None:
    """Show a deployment.

    Parameters
    ----------
    key
        Of the deployment.
    """
    from shoal.catalog.documents import Deployment

    with opened(catalog) as found:
        shown = found.get("deployment", key)
        assert isinstance(shown, Deployment)  # noqa: S101
        write(shown, found, output_format)


def write(one: Deployment, catalog: Catalog, output_format: Format) -> None:
    """Write a deployment."""
    if output_format == "json":
        console.json_result(as_json(one))
        return
    model, device = titles(one, catalog)
    rows = [(name, str(value)) for name, value in as_json(one).items() if name not in ("model", "device")]
    table(f"{model} on {device}", ("", ""), rows, left=(0, 1))


def titles(one: Deployment, catalog: Catalog) -> tuple[str, str]:
    """Return the names of the model and the device."""
    return title_of(catalog, "model", f"sha256:{one.model}"), title_of(catalog, "device", one.device)


def as_json(one: Deployment) -> dict[str, Any]:
    """Return a deployment for programs: its status is there from the beginning."""
    return {"key": one.key, "status": one.status} | one.body()
