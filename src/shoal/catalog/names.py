"""Models by name, version, alias or digest."""

from __future__ import annotations

import difflib
import json
import re
import threading
from bisect import bisect_left, insort
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shoal.catalog.versions import newest
from shoal.errors import UnknownError

if TYPE_CHECKING:
    from shoal.catalog.store import Store

__all__ = ["Names"]

SHORTEST = 6  # digits of a digest that can be taken for one


@dataclass(slots=True)
class Table:
    """The names of the models at a revision of the store."""

    revision: int = -1
    names: dict[str, tuple[str, str]] = field(default_factory=dict)  # and versions, by SHA-256
    digests: list[str] = field(default_factory=list)  # sorted
    versions: dict[str, dict[str, str]] = field(default_factory=dict)  # SHA-256 by name and version

    def copy(self) -> Table:
        """Return a table that goes its own way."""
        return Table(self.revision, self.names.copy(), self.digests.copy(), self.versions.copy())

    def follow(self, store: Store) -> None:
        """Take up what happened in the store since."""
        revision = store.revision
        if revision == self.revision:
            return
        if self.revision < 0:
            for record in store.records("model"):
                self.put(record.id, record.text)
        else:
            for event in store.events(self.revision, kinds={"model"}):
                self.put(event.id, event.text)
        self.revision = revision

    def put(self, id: str, text: str | None) -> None:
        """Take up a model as it is now; None: it is gone."""
        digest = id.removeprefix("sha256:")
        old = self.names.pop(digest, None)
        if old is not None:
            del self.digests[bisect_left(self.digests, digest)]
            left = {version: one for version, one in self.versions.pop(old[0]).items() if one != digest}
            if left:
                self.versions[old[0]] = left
        if text is not None:
            body = json.loads(text)
            name, version = body["name"], body["version"]
            self.names[digest] = name, version
            insort(self.digests, digest)
            # A new one: copies of the table share the old one.
            self.versions[name] = self.versions.get(name, {}) | {version: digest}


class Names:
    """The names of all models, kept in memory; follows the store.

    Parameters
    ----------
    store
        Where the models are.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        # The store's lock goes first everywhere: in memory, who is in a transaction has it already.
        self._lock = threading.Lock()
        self._table = Table()
        self._within: tuple[tuple[int, int], Table] | None = None

    def versions(self, name: str) -> dict[str, str]:
        """Return the SHA-256 of each version of a model."""
        with self._store.reading(), self._lock:
            return dict(self._now().versions.get(name, {}))

    def all(self) -> list[str]:
        """Return the names, sorted."""
        with self._store.reading(), self._lock:
            return sorted(self._now().versions)

    def digest(self, reference: str) -> str:
        """Return the SHA-256 of the model that is meant.

        Parameters
        ----------
        reference
            `name` (its newest version), `name:version`, `name@alias`, a SHA-256 or its beginning.

        Raises
        ------
        UnknownError
            Where there is none, or more than one.
        """
        name, at, alias = reference.partition("@")
        if at:
            return self._of_alias(name, alias)
        with self._store.reading(), self._lock:
            return self._of_table(self._now(), reference)

    def _of_table(self, table: Table, reference: str) -> str:
        name, colon, version = reference.partition(":")
        versions = table.versions.get(name, {})
        if colon and name != "sha256":
            if version not in versions:
                raise self._unknown(reference, [f"{name}:{version}" for version in versions])
            return versions[version]
        if not colon and versions:
            return versions[newest(versions)]
        return self._of_beginning(table, reference)

    def _of_alias(self, name: str, alias: str) -> str:
        record = self._store.get("alias", f"{name}@{alias}")
        if record is None:
            others = [one.id for one in self._store.records("alias", after=f"{name}@", limit=20)]
            raise self._unknown(f"{name}@{alias}", [one for one in others if one.startswith(f"{name}@")])
        return str(record.body["model"])

    def _of_beginning(self, table: Table, reference: str) -> str:
        digits = reference.removeprefix("sha256:").lower()
        if len(digits) >= SHORTEST and re.fullmatch("[0-9a-f]+", digits):
            place = bisect_left(table.digests, digits)
            found = [one for one in table.digests[place : place + 2] if one.startswith(digits)]
            if len(found) > 1:
                hint = ", ".join(":".join(table.names[one]) for one in found)
                raise UnknownError(f"more than one model begins with {digits}", where="model", hint=hint)
            if found:
                return found[0]
        raise self._unknown(reference, list(table.versions))

    @staticmethod
    def _unknown(reference: str, names: list[str]) -> UnknownError:
        near = difflib.get_close_matches(reference, names, n=3, cutoff=0.5) or sorted(names)[:3]
        return UnknownError(
            f"no model '{reference}'", where="model", hint=", ".join(near) or "shoal model add FILE"
        )

    def _now(self) -> Table:
        """Return the names at the state of the store; within a transaction, those that it may give."""
        transaction = self._store.within
        if transaction is None:
            self._within, table = None, self._table
        elif self._within is not None and self._within[0] == transaction:
            table = self._within[1]
        else:
            table = self._table.copy()
            self._within = transaction, table
        table.follow(self._store)
        return table
