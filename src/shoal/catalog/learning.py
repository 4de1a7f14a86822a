"""Devices that learn: how far they are, and which of them are to learn together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from shoal.catalog.documents import LearningState
from shoal.errors import ConflictError, QueryError

if TYPE_CHECKING:
    from shoal.catalog.catalog import Catalog

__all__ = ["add_learning", "cohort"]


def add_learning(catalog: Catalog, device: str, *, actor: str = "", **fields: Any) -> LearningState:
    """Update how far a device has learnt; what is not said stays as it was.

    Parameters
    ----------
    device
        Its id, or its title where that is its alone.
    fields
        Of :class:`shoal.catalog.documents.LearningState`; `model` as `Catalog.model` takes it, `labels`
        replaces what was known of labels. `round` counts up; it begins anew at 0, or with another model.

    Raises
    ------
    UnknownError
        If there is no such device or model.
    ConflictError
        If the round is one before that of the last report.
    DocumentError
        If a field is wrong: nothing is stored.
    """
    with catalog.store.transaction():
        known = catalog.device(device).id
        if "model" in fields and fields["model"] is not None:
            fields["model"] = catalog.model(fields["model"]).sha256
        old = catalog.store.get("learning", known)
        body = (old.body if old is not None else {}) | fields | {"device": known}
        where = f"learning state of {known}"
        state = LearningState.checked(body, where)
        last = None if old is None else LearningState.checked(old.body, where)
        if last is not None and state.model == last.model and 0 < state.round < last.round:
            raise ConflictError(
                f"round {state.round} comes before round {last.round}, of the last report",
                where=where,
                hint="round=0 where the device begins anew",
            )
        catalog.add(state, actor=actor)
    return state


def cohort(catalog: Catalog, sparql: str, **parameters: Any) -> list[str]:
    """Return the ids of the devices that a query chooses, each once.

    Parameters
    ----------
    sparql
        A SELECT; its first column is of devices.
    parameters
        Of the query, as `Catalog.query` takes them.

    Raises
    ------
    QueryError
        If the query is not allowed, has more rows than its limits allow, or chooses what is no device.
    """
    results = catalog.query(sparql, parameters=parameters)
    hint = "SELECT ?device WHERE { ?device a shoal:Device }"
    if not results.variables:
        raise QueryError("a cohort is chosen by a SELECT", where=sparql[:100], hint=hint)
    if results.truncated:
        raise QueryError(f"more than {len(results):,} devices", where=sparql[:100], hint="higher limits")
    column = results.variables[0]
    ids = list(dict.fromkeys(_id(row[column]["value"]) for row in results.bindings if column in row))
    for one in ids:
        if catalog.store.get("device", one) is None:
            raise QueryError(f"'{one[:100]}' is no device of the catalog", where=f"?{column}", hint=hint)
    return ids


def _id(iri: str) -> str:
    """Return the id of the device that an IRI is of: the IRI, or what it quotes where the id is none."""
    quoted = iri.removeprefix("urn:shoal:device:")
    return iri if quoted == iri else unquote(quoted)
