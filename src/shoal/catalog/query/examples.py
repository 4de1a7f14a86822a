"""Queries that come with Shoal."""

from __future__ import annotations

from importlib import resources

from shoal.catalog.documents import Query

__all__ = ["examples"]


def examples() -> dict[str, Query]:
    """Return the queries that come with Shoal by name: six of the reference system, repaired, and more.

    Examples
    --------
    >>> examples()["4-all-devices"].title
    'Every device with its memory and what it observes.'
    """
    found = {}
    folder = resources.files("shoal.catalog.query") / "examples"
    for file in sorted(folder.iterdir(), key=lambda one: one.name):
        name, _, ending = file.name.rpartition(".")
        if ending == "rq":
            text = file.read_text(encoding="utf-8")
            found[name] = Query(name=name, title=text.partition("\n")[0].lstrip("# "), sparql=text)
    return found
