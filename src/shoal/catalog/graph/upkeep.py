"""The RDF view on disk, checked against the documents and made anew."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pyoxigraph import BlankNode, NamedNode, Quad

from shoal.catalog.graph.folder import DamagedError, InUseError, empty, engine, outdate
from shoal.catalog.graph.follow import ORDER, Boards, follow, graph_of
from shoal.catalog.graph.follow import rebuild as build
from shoal.catalog.graph.view import VOCABULARY, Local, vocabulary
from shoal.catalog.vocabulary import graph_iri
from shoal.errors import StorageError

if TYPE_CHECKING:
    from shoal.catalog.store import Store

__all__ = ["check", "folder_of", "rebuild"]

ENOUGH = 10


def folder_of(store: Store) -> Path | None:
    """Return where the view of a catalog is, None where that is in memory.

    Examples
    --------
    >>> from shoal.catalog.store import Store
    >>> folder_of(Store(None)) is None
    True
    """
    return None if store.path is None else Path(f"{store.path}.rdf")


def check(store: Store) -> list[str]:
    """Return how the view on disk differs from the documents; nothing where it does not, or there is none."""
    folder = folder_of(store)
    if folder is None or not folder.exists():
        return []
    try:
        view = Local(folder)
        if view.revision() is None:
            return []  # of another release, or left half built: it will be made anew
        follow(view, store)
        with engine(folder):
            return differences(view, store)
    except InUseError:
        return []  # another process has it, and keeps it as the documents are
    except DamagedError as error:
        return [f"rdf: {error.what}"]


def rebuild(store: Store) -> None:
    """Make the view on disk anew, if there is one; a process that has it does that before its next answer.

    Files that are damaged are replaced like all others; what is no file of a view is left alone.

    Raises
    ------
    StorageError
        If it cannot be written, or there is something else in its place.
    """
    folder = folder_of(store)
    if folder is None or not folder.exists():
        return
    try:
        with suppress(DamagedError):
            Local(folder)  # or another process has it
        empty(folder)
        build(Local(folder), store)
    except InUseError:
        outdate(folder)
    except StorageError:
        raise
    except OSError as error:
        raise StorageError(f"the RDF view cannot be written: {error}", where=str(folder)) from error


def differences(view: Local, store: Store) -> list[str]:
    """Return the graphs that are not as the documents have them, ten at most."""
    boards = Boards(store)
    wanted = {VOCABULARY}
    found = (
        [] if alike(held(view, VOCABULARY), vocabulary()) else ["rdf: the vocabulary is not as it should be"]
    )
    for kind in ORDER:
        for record in store.records(kind):
            name = graph_iri(kind, record.id)
            wanted.add(name)
            if not alike(held(view, name), graph_of(kind, record.body, boards.known(kind))):
                found.append(f"rdf: the graph of {kind} '{record.id}' is not as its document has it")
            if len(found) >= ENOUGH:
                return found
    others = (name.value for name in view.store.named_graphs() if isinstance(name, NamedNode))
    found += [
        f"rdf: {name} is the graph of no document"
        for name in others
        if name not in wanted | {"urn:shoal:view"}
    ]
    return found[:ENOUGH]


def held(view: Local, name: str) -> Iterable[Quad]:
    """Return what a view has in a graph."""
    return view.store.quads_for_pattern(None, None, None, NamedNode(name))


def alike(ours: Iterable[Quad], theirs: Iterable[Quad]) -> bool:
    """Whether a graph of a view says the same as another; nodes without a name count as one."""

    def known(quad: Quad) -> tuple[str, ...]:
        return tuple(
            "_:" if isinstance(term, BlankNode) else str(term)
            for term in (quad.subject, quad.predicate, quad.object)
        )

    # The engine writes some numbers in its own way: both sides must have been through it.
    same = Local(None).store
    same.extend(theirs)
    return sorted(map(known, ours)) == sorted(map(known, same))
