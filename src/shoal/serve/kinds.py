"""Kinds of documents, as HTTP names and shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Query

from shoal.catalog.documents import KINDS
from shoal.serve.problem import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Kinds", "named", "shown", "stored"]

NAMES = {"device": "thing"}
# What a document does not say, and readers must not guess.
DEFAULTS = {"deployment": {"status": "planned"}}

Kinds = Annotated[
    list[str] | None, Query(description="kinds of documents, with commas between", examples=["thing,model"])
]


def named(kind: str) -> str:
    """Return the name of a kind of documents: the devices of the catalog are things here.

    Examples
    --------
    >>> named("device"), named("model")
    ('thing', 'model')
    """
    return NAMES.get(kind, kind)


def stored(names: Iterable[str]) -> set[str]:
    """Return the kinds that names mean; `device` is another name of things.

    Raises
    ------
    Refused
        400, where there is no such kind.

    Examples
    --------
    >>> sorted(stored(["thing,model", "device", "run"]))
    ['device', 'model', 'run']
    """
    known = {named(kind): kind for kind in KINDS}
    wanted = {part.strip() for one in names for part in one.split(",")}
    for one in sorted(wanted - known.keys() - set(KINDS)):
        text = f"no kind '{one[:50]}': {', '.join(sorted(known))}"
        raise Refused(400, f"kinds: {text}", fields=[("kinds", text)])
    return {known.get(one, one) for one in wanted}


def shown(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of a document as it is shown.

    Examples
    --------
    >>> shown("deployment", {"key": "hall-7"})
    {'status': 'planned', 'key': 'hall-7'}
    """
    return {**DEFAULTS.get(kind, {}), **body}
