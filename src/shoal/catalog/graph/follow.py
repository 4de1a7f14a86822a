"""Keeping a view at the state of the catalog."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from pyoxigraph import Literal, NamedNode, Quad, Triple

from shoal.catalog.documents import KINDS, Board, Device, Hardware
from shoal.catalog.graph.graphs import quads
from shoal.catalog.graph.things import hardware_triples
from shoal.catalog.graph.triples import node
from shoal.catalog.graph.view import VOCABULARY, Change, View, vocabulary
from shoal.catalog.store import Store
from shoal.catalog.vocabulary import document_iri, graph_iri
from shoal.errors import DocumentError

__all__ = ["follow", "graph_of", "rebuild"]

# Events per transaction.
BATCH = 500
# Boards first: they tell what the descriptions of devices leave out.
ORDER = ("board", *(kind for kind in KINDS if kind != "board"))


def follow(view: View, store: Store) -> int:
    """Bring a view to the state of the catalog; returns the revision.

    Parameters
    ----------
    view
        Built anew where it is of another release, was left half built, or holds an event that the catalog has
        not: that of another catalog, or of this one before a backup of it was restored.

    Examples
    --------
    >>> from shoal.catalog.graph.view import Local
    >>> store, view = Store(None), Local(None)
    >>> event = store.put("alias", "wake@champion", {"name": "wake", "alias": "champion", "model": "0" * 64})
    >>> follow(view, store)
    1
    """
    state = view.state()
    at = state[0] if state is not None and state[1] == store.checksum_at(state[0]) else rebuild(view, store)
    boards = Boards(store)
    events = store.events(at)
    while batch := list(islice(events, BATCH)):
        last = {(event.kind, event.id): event.text for event in batch}
        at = batch[-1].sequence
        view.apply(list(changes(view, store, last, boards)), at, store.checksum_at(at))
    return at


def rebuild(view: View, store: Store) -> int:
    """Build a view anew; returns the revision."""
    revision = store.revision
    view.clear()
    view.load(everything(store))
    view.apply([Change(VOCABULARY, vocabulary())], revision, store.checksum_at(revision))
    return revision


def everything(store: Store) -> Iterator[Quad]:
    """Yield the graphs of all documents."""
    boards = Boards(store)
    for kind in ORDER:
        for record in store.records(kind):
            yield from graph_of(kind, record.body, boards.known(kind))


def changes(
    view: View, store: Store, texts: Mapping[tuple[str, str], str | None], boards: Boards
) -> Iterator[Change]:
    """Yield the graphs of documents, and those of the devices whose board is among them."""
    for (kind, key), text in texts.items():
        boards.forget(kind)
        new = [] if text is None else graph_of(kind, json.loads(text), boards.known(kind))
        yield Change(graph_iri(kind, key), new)
        if kind == "board":
            for device in view.devices_on(document_iri("board", key)):
                record = store.get("device", device)
                if record is not None and ("device", device) not in texts:
                    yield Change(
                        graph_iri("device", device), graph_of("device", record.body, boards.known("device"))
                    )


class Boards:
    """The hardware of the catalog's own boards, read when it is first needed."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.hardware: dict[str, Hardware] | None = None

    def known(self, kind: str) -> dict[str, Hardware] | None:
        """Return the boards by name for a device; other kinds need none."""
        if kind != "device":
            return None
        if self.hardware is None:
            self.hardware = {}
            for record in self.store.records("board"):
                board = Board.model_validate(record.body)
                self.hardware[board.name] = board.hardware
        return self.hardware

    def forget(self, kind: str) -> None:
        """Read them again, if it was one of them that changed."""
        if kind == "board":
            self.hardware = None


def graph_of(kind: str, body: Any, boards: Mapping[str, Hardware] | None = None) -> list[Quad]:
    """Return the graph of a body from the store, where it was checked when it came in.

    Where it has none, it is there by its `shoal:problem`, and stops nobody else; a device whose description
    is no JSON-LD that is read here keeps its name and its hardware.
    """
    document = Device.model_construct(td=body) if kind == "device" else KINDS[kind].model_validate(body)
    try:
        return quads(document, boards)
    except DocumentError as error:
        graph, problem = NamedNode(graph_iri(kind, document.id)), Literal(error.what)
        known = own_triples(document, boards) if isinstance(document, Device) else []
        name = known[0].subject if known else graph
        return [
            *(Quad(one.subject, one.predicate, one.object, graph) for one in known),
            Quad(name, node("shoal:problem"), problem, graph),
        ]


def own_triples(device: Device, boards: Mapping[str, Hardware] | None) -> list[Triple]:
    """Return what is known of a device without its description; nothing where not even that can be told."""
    try:
        return list(dict.fromkeys(hardware_triples(device, device.hardware_with(boards) if boards else None)))
    except ValueError:  # its id is no IRI, or it was stored past the catalog's door
        return []
