"""The index of a store: begins where it was kept, follows the log, and is kept again."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from shoal.catalog.documents import Board, Hardware, Model, hardware_of
from shoal.catalog.matching.index import Index
from shoal.catalog.matching.keeping import restored, written

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from shoal.catalog.store import Store

__all__ = ["NAME", "Follower", "check", "rebuild"]

NAME = "matching"
KINDS = ("board", "device", "model")
MANY = 20_000  # changes that are as soon read from the documents as followed one by one


class Follower:
    """The index of a store.

    Parameters
    ----------
    store
        Where documents come from, and where the index is kept.

    Examples
    --------
    >>> from shoal.catalog.store import Store
    >>> store = Store(None)
    >>> follower = Follower(store)
    >>> td = {"id": "urn:dev:7", "title": "Seven", "shoal:hardware": {"board": "nano33ble"}}
    >>> event = store.put("device", "urn:dev:7", td)
    >>> list(follower.index().fleet.columns.slots)
    ['urn:dev:7']
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._lock = threading.Lock()
        self._index: Index | None = None
        self._boards: dict[str, Hardware] = {}
        self._revision = 0
        self._kept = 0

    def index(self) -> Index:
        """Return the index at the state of the store."""
        with self._lock:
            revision = self.store.revision
            index = self._begun()
            with index.lock:
                if revision - self._revision > MANY:
                    self._read(index)
                elif revision > self._revision:
                    self._follow(index)
                self._revision = max(self._revision, revision)
        return index

    def keep(self) -> None:
        """Write the index into the store, so that the next one begins there."""
        index = self._index
        if index is None or self.store.read_only or self._kept == self._revision:
            return
        with self._lock, index.lock:
            self.store.set_view(NAME, self._revision, written(index))
            self._kept = self._revision

    def _begun(self) -> Index:
        """Return the index, at first as it was kept."""
        if self._index is None:
            self._boards = {record.id: hardware(record.body) for record in self.store.records("board")}
            kept = self.store.view(NAME)
            index = None if kept is None or kept[0] > self.store.revision else restored(kept[1])
            if kept is None or index is None:
                index, self._revision = Index(), self.store.revision
                self._read(index)
            else:
                self._revision = self._kept = kept[0]
            self._index = index
        return self._index

    def _read(self, index: Index) -> None:
        """Read all documents."""
        self._boards = {record.id: hardware(record.body) for record in self.store.records("board")}
        models, devices = self.store.records("model"), self.store.records("device")
        for model in set(index.shelf.stock) - set(self.store.ids("model")):
            index.remove_model(model)
        for record in models:
            index.put_model(Model.model_validate(record.body))
        for device in set(index.fleet.columns.slots) - set(self.store.ids("device")):
            index.remove_device(device)
        index.put_devices((record.id, hardware_of(record.body, self._boards)) for record in devices)

    def _follow(self, index: Index) -> None:
        """Read what changed."""
        for event in self.store.events(self._revision, kinds=KINDS):
            body = event.body
            if event.kind == "model":
                if body is None:
                    index.remove_model(event.id)
                else:
                    index.put_model(Model.model_validate(body))
            elif event.kind == "device":
                if body is None:
                    index.remove_device(event.id)
                else:
                    index.put_device(event.id, hardware_of(body, self._boards))
            else:
                self._board(index, event.id, body)

    def _board(self, index: Index, name: str, body: Mapping[str, Any] | None) -> None:
        """Follow a board, and the devices that are filled up from it."""
        if body is None:
            self._boards.pop(name, None)
        else:
            self._boards[name] = hardware(body)
        for device in index.devices_on(name):
            record = self.store.get("device", device)
            if record is not None:
                index.put_device(device, hardware_of(record.body, self._boards))


def hardware(body: Mapping[str, Any]) -> Hardware:
    """Return the hardware of a board."""
    return Board.model_validate(body).hardware


def check(store: Store) -> list[str]:
    """Return how the index that a store keeps differs from its documents; nothing where none is kept."""
    kept = store.view(NAME)
    if kept is None:
        return []
    index = restored(kept[1])
    if index is None:
        return []  # of another version: it will be made anew
    follower = Follower(store)
    held, fresh = follower.index(), Index()
    Follower(store)._read(fresh)  # noqa: SLF001 - what the documents say, without what was kept
    found = []
    for what, old, new in (
        ("device", rows_of_devices(held), rows_of_devices(fresh)),
        ("model", rows_of_models(held), rows_of_models(fresh)),
    ):
        wrong = sorted(one for one in old.keys() | new.keys() if old.get(one) != new.get(one))
        found += [
            f"matching: the index does not hold {what} '{one}' as its document has it" for one in wrong[:10]
        ]
    return found


def rebuild(store: Store) -> None:
    """Make the index that a store keeps anew."""
    index = Index()
    follower = Follower(store)
    revision = store.revision
    follower._read(index)  # noqa: SLF001 - a rebuild does not begin where it was kept
    store.set_view(NAME, revision, written(index))


def rows_of_devices(index: Index) -> dict[str, object]:
    """Return what an index holds of each device."""
    return {one: index.fleet.facts(slot) for one, slot in index.fleet.columns.slots.items()}


def rows_of_models(index: Index) -> dict[str, object]:
    """Return what an index holds of each model."""
    shelf = index.shelf
    return {
        one: repr((shelf.needs(one, training=False), shelf.needs(one, training=True), stock))
        for one, stock in shelf.stock.items()
    }
