"""`shoal model add`, `list`, `show`: the models of a catalog."""

from __future__ import annotations

import shlex
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from shoal.cli import console, model_text
from shoal.cli.catalogs import CatalogOption, Count, listing, opened, place, with_catalog
from shoal.cli.console import FormatOption
from shoal.cli.model import model
from shoal.errors import ConfigError

if TYPE_CHECKING:
    from shoal.catalog import Catalog
    from shoal.catalog.describe import Description

__all__ = ["add", "list_", "show"]

QUESTIONS = {
    "name": "name",
    "version": "version",
    "task": "task (classification, regression, anomaly detection, ...)",
    "licence": "licence (SPDX identifier, such as Apache-2.0)",
    "sensors": "sensors (such as: acceleration, -4..4 G, 119 Hz, 3 axes; several after a semicolon)",
}


@model.command(help_epilogue="")
def add(
    file: Path,
    /,
    *,
    name: str | None = None,
    version: str | None = None,
    title: str | None = None,
    description: str | None = None,
    task: str | None = None,
    licence: str | None = None,
    creator: str | None = None,
    dataset: str | None = None,
    reference: str | None = None,
    runtime: str | None = None,
    train_last: int | None = None,
    sensor: Annotated[list[str] | None, Parameter(negative=())] = None,
    label: Annotated[list[str] | None, Parameter(negative=())] = None,
    tag: Annotated[list[str] | None, Parameter(negative=())] = None,
    metric: Annotated[list[str] | None, Parameter(negative=())] = None,
    sidecar: Path | None = None,
    ask: bool = True,
    catalog: CatalogOption = None,
    output_format: FormatOption = "table",
) -> None:
    """Describe a model's file and put both into the catalog.

    Operators, tensors, work and memory are read from the file; what it does not say comes from options, from
    a TOML file beside it, or, on a terminal, from you. The same file again changes nothing but what is said
    anew.

    Parameters
    ----------
    file
        The model: of TensorFlow Lite, ONNX, Shoal, Keras or PyTorch.
    name
        In the catalog; that of the file by default.
    version
        Semantic version; by default the patch after the newest of this name.
    title
        Name in prose.
    description
        What it is for.
    task
        classification, regression, anomaly detection, ...
    licence
        SPDX identifier, such as Apache-2.0.
    creator
        Who made it.
    dataset
        What it was trained on.
    reference
        Where to read more.
    runtime
        What runs it; any runtime that has its operators by default.
    train_last
        How many of the last layers with parameters learn on the device: memory is computed for these.
    sensor
        What must be observed, for instance "acceleration, -4..4 G, 119 Hz, 3 axes; Microphone"; may be given
        several times.
    label
        Name of an output, in order; may be given several times.
    tag
        A word to find it by; may be given several times.
    metric
        A figure of merit, for instance accuracy=0.92; may be given several times.
    sidecar
        A TOML file with fields of the model; by default the one beside the file.
    ask
        Whether to ask on a terminal for what is left.
    """
    from shoal.catalog import describe
    from shoal.catalog.describe.describe import document

    given = {
        "name": name, "version": version, "title": title, "description": description, "task": task,
        "licence": licence, "creator": creator, "dataset": dataset, "reference": reference,
        "runtime": runtime, "train_last": train_last, "sensors": sensor, "labels": label, "tags": tag,
        "metrics": None if metric is None else [figure(one) for one in metric],
    }  # fmt: skip
    said: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    known = describe.read(file, beside=sidecar, **said)
    if ask and sys.stdin.isatty() and sys.stderr.isatty():
        with opened(catalog) if place(catalog).exists() else nullcontext() as there:
            answers = asked(known, file, there)
        if answers:
            said |= answers
            known = describe.read(file, beside=sidecar, **said)
    document(known, str(file))  # what cannot be described makes no catalog
    with opened(catalog, make=True) as found:
        added = found.add_model(file, beside=sidecar, **said)
    left = [one for one in ("task", "licence") if not getattr(added, one)]
    left += [] if added.input.sensors else ["sensor"]
    if left:
        console.note(f"not said: {', '.join(f'--{one}' for one in left)}")
    if output_format == "json":
        console.json_result({"id": added.id} | added.body())
    else:
        model_text.show(added)
        for line in known.notes:
            console.note(line, "yellow")
    console.next_command(with_catalog(f"shoal match {shlex.quote(added.name)}", catalog))


def figure(text: str) -> dict[str, Any]:
    """Return a figure of merit.

    Examples
    --------
    >>> figure("accuracy=0.92")
    {'name': 'accuracy', 'value': 0.92}
    """
    name, _, value = text.partition("=")
    try:
        return {"name": name.strip(), "value": float(value)}
    except ValueError:
        raise ConfigError(f"{text!r} is no figure of merit", where="--metric", hint="accuracy=0.92") from None


def asked(known: Description, file: Path, catalog: Catalog | None) -> dict[str, Any]:
    """Return the answers to what is left to be said; an empty answer leaves it open."""
    from shoal.catalog.describe.describe import plain_name
    from shoal.catalog.versions import next_patch

    answers: dict[str, Any] = {}
    if catalog is not None and catalog.find_model(known.fields["sha256"]) is not None:
        return answers
    for field in known.missing:
        default = plain_name(file.stem) if field == "name" else ""
        if field == "version":
            name = answers.get("name") or known.fields.get("name") or ""
            default = next_patch(catalog.versions(name) if catalog is not None else ())
        sys.stderr.write(f"{QUESTIONS[field]}{f' [{default}]' if default else ''}: ")
        sys.stderr.flush()
        answer = sys.stdin.readline().strip() or default
        if answer:
            answers[field] = answer
    return answers


@model.command(name="list", help_epilogue="")
def list_(
    *,
    limit: Count = 100,
    catalog: CatalogOption = None,
    output_format: FormatOption = "table",
) -> None:
    """List the models of the catalog.

    Parameters
    ----------
    limit
        At most so many.
    """
    from shoal.catalog.documents import Model
    from shoal.catalog.versions import order

    with opened(catalog) as found:
        known = [one for one in found.list("model") if isinstance(one, Model)]
    known.sort(key=lambda one: (one.name.lower(), order(one.version)))
    models = known[:limit]
    if output_format == "json":
        console.json_result([{"id": one.id} | one.body() for one in models])
        return
    rows = [
        (
            one.name,
            one.version,
            one.format,
            one.task,
            *map(model_text.amount, (one.inference, one.training, one.flash)),
        )
        for one in models
    ]
    columns = ("model", "version", "format", "task", "RAM", "RAM to learn", "flash")
    listing("model", len(known), columns, rows, left=(0, 1, 2, 3))


@model.command(help_epilogue="")
def show(
    name: str,
    /,
    *,
    catalog: CatalogOption = None,
    output_format: FormatOption = "table",
) -> None:
    """Show what the catalog knows of a model.

    Parameters
    ----------
    name
        NAME (its newest version), NAME:VERSION, NAME@ALIAS, or the beginning of its SHA-256.
    """
    with opened(catalog) as found:
        shown = found.model(name)
    if output_format == "json":
        console.json_result({"id": shown.id} | shown.body())
    else:
        model_text.show(shown)
