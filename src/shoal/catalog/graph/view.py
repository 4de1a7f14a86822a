"""The RDF view of a catalog in the engine that comes with Shoal, on disk or in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Protocol

from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, Store, parse

from shoal.catalog.graph.folder import STALE, check_ours, engine
from shoal.catalog.graph.triples import node

__all__ = [
    "VOCABULARY",
    "Change",
    "Local",
    "State",
    "View",
    "changes_as_update",
    "mapping",
    "state_of",
    "vocabulary",
]

# Where the vocabulary is, among the graphs; and where the view notes what it holds.
VOCABULARY = "https://w3id.org/shoal/vocabulary"
NOTES = NamedNode("urn:shoal:view")
REVISION, CHECKSUM, MAPPING = node("shoal:revision"), node("shoal:checksum"), node("shoal:mapping")
# The last event that a view holds: its number and its checksum (of number 0: none).
State = tuple[int, int | None]


@dataclass(frozen=True, slots=True)
class Change:
    """A graph and what it holds from now on; nothing where the document is gone."""

    graph: str
    quads: list[Quad]


class View(Protocol):
    """What holds the graphs of a catalog: the engine that comes with Shoal, or an endpoint."""

    def state(self) -> State | None:
        """Return the last event of the catalog that it holds, None where it must be built anew."""

    def clear(self) -> None:
        """Forget everything."""

    def load(self, quads: Iterable[Quad]) -> None:
        """Add many quads, not necessarily at once; the revision follows when all are there."""

    def apply(self, changes: Iterable[Change], revision: int, checksum: int | None = None) -> None:
        """Replace graphs and the last event, all at once or not at all."""

    def devices_on(self, board: str) -> list[str]:
        """Return the ids of the devices that name a board, given by its IRI."""


class Local:
    """Graphs in this process.

    Parameters
    ----------
    path
        A folder, for one process at a time; None: in memory.

    Raises
    ------
    InUseError
        If it is open already.
    StorageError
        From every method, if the folder cannot be read or written, or is none of a view.

    Examples
    --------
    >>> view = Local(None)
    >>> view.revision() is None
    True
    >>> quad = Quad(node("shoal:a"), node("rdfs:label"), Literal("a"), NamedNode("urn:g"))
    >>> view.apply([Change("urn:g", [quad])], 7)
    >>> view.revision(), len(view.store)
    (7, 3)
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        if path is not None:
            check_ours(path)
        with engine(path):
            self.store = Store() if path is None else Store(str(path))

    @property
    def on_disk(self) -> bool:
        """Whether it outlives this process."""
        return self.path is not None

    def revision(self) -> int | None:
        """Return the revision of the catalog that it holds, None where it must be built anew."""
        state = self.state()
        return None if state is None else state[0]

    def state(self) -> State | None:
        """Return the last event of the catalog that it holds, None where it must be built anew."""
        if self.path is not None and (self.path / STALE).exists():
            return None
        with engine(self.path):
            notes = {
                quad.predicate.value: quad.object.value
                for quad in self.store.quads_for_pattern(NOTES, None, None, NOTES)
                if isinstance(quad.object, Literal)
            }
        return state_of(notes, mapping())

    def clear(self) -> None:
        """Forget everything."""
        with engine(self.path):
            self.store.clear()  # the notes too: now the file says nothing that they do not
        if self.path is not None:
            (self.path / STALE).unlink(missing_ok=True)

    def load(self, quads: Iterable[Quad]) -> None:
        """Add many quads."""
        with engine(self.path):
            self.store.bulk_extend(quads)
            if self.on_disk:
                self.store.optimize()  # queries take a third of the time after it

    def apply(self, changes: Iterable[Change], revision: int, checksum: int | None = None) -> None:
        """Replace graphs and the last event, all at once or not at all."""
        update = changes_as_update(changes, revision, checksum)
        with engine(self.path):
            self.store.update(update)

    def devices_on(self, board: str) -> list[str]:
        """Return the ids of the devices that name a board, given by its IRI."""
        with engine(self.path):
            return [
                quad.subject.value
                for quad in self.store.quads_for_pattern(None, node("shoal:board"), NamedNode(board), None)
                if isinstance(quad.subject, NamedNode)
            ]


def state_of(notes: Mapping[str, str], ours: str) -> State | None:
    """Return the last event that a view holds by its notes, None where it is of another release or has none.

    Parameters
    ----------
    ours
        The mapping of this release.
    """
    if notes.get(MAPPING.value) != ours or REVISION.value not in notes:
        return None
    checksum = notes.get(CHECKSUM.value)
    return int(notes[REVISION.value]), None if checksum is None else int(checksum)


def changes_as_update(changes: Iterable[Change], revision: int, checksum: int | None = None) -> str:
    """Return the SPARQL update that replaces graphs, the notes on the last event among them.

    Examples
    --------
    >>> print(changes_as_update([Change("urn:g", [])], 7).splitlines()[0])
    DROP SILENT GRAPH <urn:g> ;
    """
    lines = []
    for change in changes:
        lines.append(f"DROP SILENT GRAPH <{change.graph}> ;")
        if change.quads:
            inner = " ".join(f"{quad.triple} ." for quad in change.quads)
            lines.append(f"INSERT DATA {{ GRAPH <{change.graph}> {{ {inner} }} }} ;")
    lines.append(f"DROP SILENT GRAPH {NOTES} ;")
    note = f"{NOTES} {REVISION} {revision} ; {MAPPING} {Literal(mapping())}"
    note += "" if checksum is None else f" ; {CHECKSUM} {Literal(str(checksum))}"
    lines.append(f"INSERT DATA {{ GRAPH {NOTES} {{ {note} }} }}")
    return "\n".join(lines)


@cache
def vocabulary_text() -> bytes:
    """Return the vocabulary as Turtle."""
    return (resources.files("shoal.catalog.vocabulary") / "shoal.ttl").read_bytes()


def vocabulary() -> list[Quad]:
    """Return the graph of the vocabulary: properties, classes of sensors and which is a kind of which."""
    graph = NamedNode(VOCABULARY)
    return [
        Quad(quad.subject, quad.predicate, quad.object, graph)
        for quad in parse(vocabulary_text(), format=RdfFormat.TURTLE, base_iri=VOCABULARY)
    ]


@cache
def mapping() -> str:
    """Return what tells a view of this release from one of another, which must be built anew."""
    return f"2-{hashlib.sha256(vocabulary_text()).hexdigest()[:12]}"
