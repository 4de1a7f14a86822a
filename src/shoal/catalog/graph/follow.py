"""Keeping a view at the state of the catalog."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from pyoxigraph import Literal, NamedNode, Quad

from shoal.catalog.documents import KINDS, Board, Device, Hardware
from shoal.catalog.graph.graphs import quads
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
        Built anew where it is of another release, of another catalog that is further, or was left half built.

    Examples
    --------
    >>> from shoal.catalog.graph.view import Local
    >>> store, view = Store(None), Local(None)
    >>> event = store.put("alias", "wake@champion", {"name": "wake", "alias": "champion", "model": "0" * 64})
    >>> follow(view, store)
    1
    """
    at = view.revision()
    if at is None or at > store.revision:
        at = rebuild(view, store)
    boards = Boards(store)
    events = store.events(at)
    while batch := list(islice(events, BATCH)):
        last = {(event.kind, event.id): event.text for event in batch}
        view.apply(list(changes(view, store, last, boards)), batch[-1].sequence)
        at = batch[-1].sequence
    return at


def rebuild(view: View, store: Store) -> int:
    """Build a view anew; returns the revision."""
    revision = store.revision
    view.clear()
    view.load(everything(store))
    view.apply([Change(VOCABULARY, vocabulary())], revision)
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

    One that has none (a Thing Description with a context that is not bundled) has a `shoal:problem` instead.
    """
    document = Device.model_construct(td=body) if kind == "device" else KINDS[kind].model_validate(body)
    try:
        return quads(document, boards)
    except DocumentError as error:
        # Stored past the catalog's door: it is in the graph by its problem, and stops nobody else.
        graph = NamedNode(graph_iri(kind, document.id))
        return [Quad(graph, node("shoal:problem"), Literal(error.what), graph)]
