"""`shoal find`: search in the catalog."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from shoal.cli import console
from shoal.cli.catalogs import CatalogOption, Count, opened, table
from shoal.cli.console import Format, FormatOption
from shoal.errors import ConfigError

if TYPE_CHECKING:
    from shoal.catalog.search import Similar

__all__ = ["find"]


def find(
    text: str = "",
    /,
    *words: str,
    kind: Annotated[list[str] | None, Parameter(negative=())] = None,
    like: str | None = None,
    limit: Count = 20,
    catalog: CatalogOption = None,
    output_format: FormatOption = "table",
) -> int:
    """Search names, descriptions, operators, sensors, labels and tags; or find models that resemble one.

    All words must occur; "side by side" in quotes, -word leaves out, wak* finds what begins so. Exit code 0
    where something is found, 1 otherwise.

    Parameters
    ----------
    text
        Words to find.
    words
        More of them.
    kind
        Only documents of this kind: model, device, board, ...; may be given several times.
    like
        Instead of words: a model; those whose tensors, operators and text are like its own are found.
    limit
        At most so many.
    """
    asked = " ".join([text, *words]).strip()
    if bool(asked) == (like is not None):
        raise ConfigError("words or a model, one of them", where="shoal find", hint="TEXT, or --like MODEL")
    with opened(catalog) as found:
        if like is not None:
            return show_similar(found.similar(like, limit=limit), like, output_format)
        hits = found.find(asked, kinds=kind, limit=limit)
    if output_format == "json":
        console.json_result(
            [{"kind": one.kind, "id": one.id, "title": one.title, "score": one.score} for one in hits]
        )
    else:
        rows = [(one.kind, one.title, one.id[:40], one.excerpt) for one in hits]
        table(f"{len(hits)} found", ("kind", "", "id", "where"), rows, left=(0, 1, 2, 3))
    return 0 if hits else 1


def show_similar(found: Sequence[Similar], like: str, output_format: Format) -> int:
    """Write the models that resemble one."""
    if output_format == "json":
        console.json_result([asdict(one) for one in found])
    else:
        rows = [
            (
                f"{one.name}:{one.version}",
                f"{one.score:.2f}",
                f"{one.tensors:.2f}",
                f"{one.operators:.2f}",
                f"{one.text:.2f}",
            )
            for one in found
        ]
        table(f"like {like}", ("model", "score", "tensors", "operators", "text"), rows)
    return 0 if found else 1
