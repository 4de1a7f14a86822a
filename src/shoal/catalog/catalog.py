"""The catalog: one file with models, devices and what happens to them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from shoal.catalog import intake, references, search
from shoal.catalog.counts import check_counts
from shoal.catalog.documents import (
    Alias,
    Board,
    Device,
    Document,
    Model,
    board_document,
    kind_of,
    parse,
)
from shoal.catalog.matching.follow import NAME as COLUMNS
from shoal.catalog.matching.follow import Follower
from shoal.catalog.names import Names
from shoal.catalog.questions import Questions
from shoal.catalog.store import Store
from shoal.catalog.versions import next_patch
from shoal.catalog.views import VIEWS, forget
from shoal.errors import ConfigError, ConflictError, StorageError, UnknownError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from types import TracebackType

    from shoal.catalog.documents import LearningState, Run
    from shoal.catalog.graph import Endpoint
    from shoal.catalog.matching import Coverage, Index, Matches, WhatIf
    from shoal.catalog.query import Limits, Results
    from shoal.catalog.search import Found, Similar
    from shoal.catalog.store import Compaction, Event
    from shoal.catalog.unsure import Unsure

__all__ = ["Catalog"]

# Events after which the columns are written into the file, so that the next one begins there.
WORTH_KEEPING = 5000


class Catalog:
    """Models, devices and what happens to them, in one file.

    Parameters
    ----------
    path
        Made where it does not exist; None: in memory.
    read_only
        Refuse to write; the file must exist.
    endpoint
        A SPARQL 1.1 server that holds the graph for queries, instead of a process beside the file.

    Attributes
    ----------
    store
        Documents and the log of their changes.

    Raises
    ------
    StorageError
        From every method, where the file cannot be read or written, is damaged or is no catalog.

    Examples
    --------
    >>> with Catalog(None) as catalog:
    ...     board = catalog.add_board("nano33ble")
    ...     catalog.get("board", "nano33ble").hardware.ram.total
    262144
    """

    def __init__(
        self, path: Path | str | None, *, read_only: bool = False, endpoint: Endpoint | None = None
    ) -> None:
        self.store = Store(path, read_only=read_only)
        self._names = Names(self.store)
        self._questions = Questions(self, endpoint)
        self._columns = Follower(self.store)

    def close(self) -> None:
        """Close the file; what queries and matching would need long to compute again is kept."""
        if self.store.closed:
            return
        try:
            self._questions.close()
            if self.store.revision - (self.store.view_revision(COLUMNS) or 0) >= WORTH_KEEPING:
                self._columns.keep()
        finally:
            self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def add(self, document: Document, *, actor: str = "") -> Event:
        """Store a document; one that is there already in the same form stays as it is.

        Raises
        ------
        UnknownError
            Where it names a model, a device, a board or a run that is not there; what a run, a measurement or
            a learning state named before may be gone since.
        ConflictError
            Where another model has its name and version, or it is an alias for a model of another name.
        """
        with self.store.transaction():
            references.check_records(self.store, document)
            return self._put(document, actor)

    def add_many(
        self, documents: Iterable[Document], *, files: Mapping[str, Path] | None = None, actor: str = ""
    ) -> list[int]:
        """Store documents and the files of models, all of them or none.

        Runs, measurements, learning states and deployments that ended may name what is not there: they come
        from where it was removed since.

        Parameters
        ----------
        files
            By their SHA-256.

        Returns
        -------
        Numbers of the events, for those that changed.

        Raises
        ------
        StorageError
            Where a file cannot be read, or has another digest.
        UnknownError, ConflictError
            As :meth:`add`.
        """
        with self.store.transaction():
            before = self.store.revision
            for digest, path in (files or {}).items():
                if self.store.write_blob(intake.read_file(path)) != digest:
                    raise StorageError(
                        "the file changed while it was read", where=str(path), hint="try again"
                    )
            for document in documents:
                self._put(document, actor)
            return list(range(before + 1, self.store.revision + 1))

    def add_model(
        self,
        path: Path | str,
        *,
        name: str | None = None,
        version: str | None = None,
        actor: str = "",
        **fields: Any,
    ) -> Model:
        """Describe a model's file and store both; the same file again is no event.

        Parameters
        ----------
        path
            TensorFlow Lite, ONNX, Shoal or another model.
        name
            By default that of the file.
        version
            By default the patch after the newest of this name.
        fields
            What the file does not say, see :func:`shoal.catalog.describe.describe`.

        Raises
        ------
        ModelError
            Where the file is damaged.
        ConflictError
            Where the file is there under another name, or another file under this name and version.
        """
        return intake.add_model(self, Path(path), name, version, fields, actor)

    def add_device(self, td: Path | str | Mapping[str, Any], *, actor: str = "") -> Device:
        """Store a device by its Thing Description.

        Parameters
        ----------
        td
            As a file, or as `json.loads` gives it.

        Raises
        ------
        DocumentError
            Where it is none, or breaks a rule of the specification.
        UnknownError
            Where it names a board that neither the catalog has nor comes with Shoal.
        """
        if isinstance(td, str | Path):
            device = Device.checked(parse(intake.read_file(Path(td)), "Thing Description", str(td)), str(td))
        else:
            body: object = td
            device = Device.checked(dict(body) if isinstance(body, Mapping) else body)
        self.add(device, actor=actor)
        return device

    def add_board(self, board: Board | Path | str, *, actor: str = "") -> Board:
        """Store a type of device.

        Parameters
        ----------
        board
            A document, a file of one (.json), or the name of a board that comes with Shoal.
        """
        if isinstance(board, Board):
            document = board
        elif isinstance(board, str) and not board.endswith(".json"):
            known = board_document(board)
            if known is None:
                raise UnknownError(
                    f"no board '{board}' comes with Shoal", where="board", hint="shoal board list"
                )
            document = known
        else:
            document = Board.checked(
                parse(intake.read_file(Path(board)), "board document", str(board)), str(board)
            )
        self.add(document, actor=actor)
        return document

    def add_run(self, folder: Path | str, **fields: Any) -> Run:
        """Register a finished run and its model; see :func:`shoal.catalog.runs.add_run`."""
        from shoal.catalog.runs import add_run

        return add_run(self, folder, **fields)

    def add_learning(self, device: str, **fields: Any) -> LearningState:
        """Update how far a device has learnt; see :func:`shoal.catalog.learning.add_learning`."""
        from shoal.catalog.learning import add_learning

        return add_learning(self, device, **fields)

    def alias(self, name: str, alias: str, model: str, *, actor: str = "") -> Event:
        """Let `name@alias` mean a version of the model, from now on.

        Parameters
        ----------
        model
            As :meth:`model` takes it.

        Raises
        ------
        DocumentError
            Where it cannot be a name.
        """
        body = {"name": name, "alias": alias, "model": self.model(model).sha256}
        return self.add(Alias.checked(body, f"{name}@{alias}"), actor=actor)

    def remove(self, kind: str, id: str, *, actor: str = "") -> Event:
        """Remove a document; its history stays.

        Raises
        ------
        UnknownError
            Where there is none.
        ConflictError
            Where an alias or a deployment needs it, or a device its board.
        """
        with self.store.transaction():
            references.check_needed(self.store, kind_of(kind).kind, id)
            return self.store.remove(kind, id, actor=actor)

    def purge(self, now: float, *, actor: str = "expiry") -> Sequence[Event]:
        """Remove the documents that expired by `now`, in seconds since 1970; deployments on devices end.

        Returns
        -------
        What happened.
        """
        with self.store.transaction():
            before = self.store.revision
            for kind, id in self.store.expired(now):
                if kind == "device":
                    references.end_deployments(self.store, id, actor)
            self.store.purge(now, actor=actor)
            return [*self.store.events(before)]

    def get(self, kind: str, id: str) -> Document:
        """Return a document.

        Raises
        ------
        UnknownError
            Where there is none.
        """
        record = self.store.get(kind_of(kind).kind, id)
        if record is None:
            raise UnknownError(f"no {kind} '{id}'", where=kind, hint=f"shoal find '{id}'")
        return intake.loaded(record)

    def list(self, kind: str, *, offset: int = 0, limit: int | None = None) -> list[Document]:
        """Return the documents of a kind in the order of their ids; `limit` None: all."""
        check_counts(offset=offset, limit=limit)
        records = self.store.records(kind_of(kind).kind, offset=offset, limit=limit)
        return [intake.loaded(record) for record in records]

    def model(self, reference: str) -> Model:
        """Return a model.

        Parameters
        ----------
        reference
            `keywords` (the newest version), `keywords:1.0.0`, `keywords@champion`, a SHA-256 or its
            beginning.

        Raises
        ------
        UnknownError
            Where there is none, or more than one.
        """
        found = self.find_model(self._names.digest(reference))
        if found is None:
            raise UnknownError(f"no model '{reference}'", where="model")
        return found

    def find_model(self, sha256: str) -> Model | None:
        """Return the model of a file, None where it is not there."""
        record = self.store.get("model", f"sha256:{sha256}")
        return None if record is None else Model.model_validate(record.body)

    def device(self, reference: str) -> Device:
        """Return a device.

        Parameters
        ----------
        reference
            Its id, or its title where no other has it.

        Raises
        ------
        UnknownError
            Where there is none, or more than one.
        """
        record = self.store.get("device", reference)
        if record is None:
            found = search.titled(self.store, "device", reference)
            if len(found) != 1:
                problem = "more than one device" if found else "no device"
                hint = ", ".join(found) or f"shoal find '{reference}'"
                raise UnknownError(f"{problem} '{reference}'", where="device", hint=hint)
            record = self.store.get("device", found[0])
        if record is None:
            raise UnknownError(f"no device '{reference}'", where="device", hint="shoal device list")
        return Device.model_construct(td=record.body)

    def versions(self, name: str) -> Mapping[str, str]:
        """Return the SHA-256 of each version of a model; none where there is no model of this name."""
        return self._names.versions(name)

    def model_file(self, reference: str) -> bytes:
        """Return the file of a model."""
        return self.store.read_blob(self.model(reference).sha256)

    def history(self, kind: str, id: str) -> Sequence[Event]:
        """Return what happened to a document, oldest first; also to one that is gone.

        Raises
        ------
        UnknownError
            Where there was none, or there is no such kind.
        """
        events = self.store.history(kind_of(kind).kind, id)
        if not events:
            raise UnknownError(f"there was no {kind} '{id}'", where=kind, hint=f"shoal find '{id}'")
        return events

    def events(self, after: int = 0) -> Iterator[Event]:
        """Return what happened behind an event's number, oldest first."""
        return self.store.events(after)

    def match(
        self,
        model: Model | str | None = None,
        device: str | None = None,
        *,
        training: bool = False,
        limit: int = 100,
        offset: int = 0,
        near: int = 10,
        rule: Collection[str] | None = None,
    ) -> Matches:
        """Return the devices that a model runs on, the models that a device runs, or all about one of each.

        Parameters
        ----------
        model, device
            As :meth:`model` and :meth:`device` take them; a model need not be in the catalog.
        training
            Whether the model shall learn there.
        limit, offset
            A page of what matches.
        near
            At most so many that fail one condition only.
        rule
            What is asked of a model's devices, for instance :data:`shoal.catalog.matching.REFERENCE_RULE`
            (sensors, RAM and flash); None: everything.

        Raises
        ------
        UnknownError
            Where there is no such model or device.
        ConfigError
            Where neither is given, a rule is given without a model or asks for what there is not, or a number
            is negative.
        """
        check_counts(limit=limit, offset=offset, near=near)
        place = None if device is None else self.device(device).id
        if rule is not None:
            return self._by_rule(model, place, rule, training=training, limit=limit, offset=offset, near=near)
        wanted = f"sha256:{self._names.digest(model)}" if isinstance(model, str) else model
        return self.index.match(wanted, place, training=training, limit=limit, offset=offset, near=near)

    def _by_rule(
        self,
        model: Model | str | None,
        device: str | None,
        rule: Collection[str],
        *,
        training: bool,
        limit: int,
        offset: int,
        near: int,
    ) -> Matches:
        from shoal.catalog.matching import Matches

        if model is None:
            raise ConfigError("a rule is asked of a model", where="rule", hint="a model")
        wanted = self.model(model) if isinstance(model, str) else model
        index = self.index
        answer = index.devices_for(wanted, training=training, rule=rule)
        if device is not None:
            one = answer.match(device)
            return Matches(1, (one,)) if one.fits else Matches(0, (), (one,))
        missed = index.near(wanted, near, training=training, rule=rule) if near else ()
        return Matches(answer.count, answer.matches(limit, offset), missed)

    def unsure(
        self, model: Model | str, *, training: bool = False, rule: Collection[str] | None = None
    ) -> Unsure:
        """Return the devices that a model would fit but for what is not known of them.

        Parameters
        ----------
        model, training, rule
            As :meth:`match` takes them.
        """
        from shoal.catalog.matching.needs import ALL
        from shoal.catalog.unsure import unsure

        wanted = self.model(model) if isinstance(model, str) else model
        return unsure(self.index, wanted, training=training, rule=ALL if rule is None else rule)

    @property
    def index(self) -> Index:
        """The columns that answer :meth:`match`, at the state of the store.

        Raises
        ------
        ConflictError
            Within a transaction: what it wrote may yet be undone.
        """
        self._check_outside("matching")
        return self._columns.index()

    def coverage(
        self, *, training: bool = False, devices: bool = False, rule: Collection[str] | None = None
    ) -> Coverage:
        """Return how many devices each model fits, by all that it needs or by a rule as in `match`.

        Parameters
        ----------
        training
            Whether the models shall learn there.
        devices
            Whether to say how many models each device runs, too.
        rule
            What is asked; None: everything.
        """
        if rule is None:
            return self.index.coverage(training=training, devices=devices)
        # Read before the index is locked: a writer may hold the store and wait for the index.
        models = [one for one in self.list("model") if isinstance(one, Model)]
        return self.index.coverage(models, training=training, devices=devices, rule=rule)

    def what_if(
        self, model: Model | str, *, ram: int = 0, flash: int = 0, clock: int = 0, training: bool = False
    ) -> WhatIf:
        """Return how many devices a model would fit that needed so many more bytes or Hz; negative: fewer."""
        wanted = self.model(model).id if isinstance(model, str) else model
        return self.index.what_if(wanted, ram=ram, flash=flash, clock=clock, training=training)

    def query(
        self, sparql: str, *, parameters: Mapping[str, object] | None = None, limits: Limits | None = None
    ) -> Results:
        """Return the answer to a query.

        Parameters
        ----------
        sparql
            SELECT, ASK, CONSTRUCT or DESCRIBE of SPARQL 1.1, or the name of a query: a saved one, or else one
            that comes with Shoal.
        parameters
            Values of its parameters, `$name` in the text.
        limits
            Of time, memory and rows.

        Raises
        ------
        QueryError
            Where it cannot be read, is not allowed, or takes too much; the next query works.
        """
        self._check_outside("a query")
        return self._questions.ask(sparql, parameters or {}, limits)

    def cohort(self, sparql: str, **parameters: Any) -> Sequence[str]:
        """Return the ids of the devices that a query chooses; see :func:`shoal.catalog.learning.cohort`."""
        from shoal.catalog.learning import cohort

        return cohort(self, sparql, **parameters)

    def find(
        self, text: str, *, kinds: Collection[str] | None = None, limit: int = 20, offset: int = 0
    ) -> Sequence[Found]:
        """Return the documents that have all the words, best first; see :func:`shoal.catalog.search.find`.

        Raises
        ------
        UnknownError
            Where there is no such kind of document.
        QueryError
            Where there are too many words, or none but those to leave out.
        """
        check_counts(limit=limit, offset=offset)
        for kind in kinds or ():
            kind_of(kind)
        return search.find(self.store, text, kinds=kinds, limit=limit, offset=offset)

    def similar(self, model: Model | str, *, limit: int = 10) -> Sequence[Similar]:
        """Return the models that resemble one most; see :func:`shoal.catalog.search.similar`."""
        check_counts(limit=limit)
        wanted = self.model(model) if isinstance(model, str) else model
        return search.similar(self.store, wanted, limit=limit)

    def check(self) -> Sequence[str]:
        """Return what is wrong with the file and with its views, nothing where all is well."""
        found = self.store.check()
        if not found:
            self._questions.close()
            found = references.dangling(self.store)
            for view in VIEWS.values():
                found += view.check(self.store)
        return found

    def rebuild(self) -> None:
        """Compute the documents anew from the log, then every view; queries wait meanwhile.

        Where another process has the RDF view, that one makes it anew, before it answers the next query.
        """
        with self._questions.paused():
            self.store.rebuild()
            self._columns = Follower(self.store)
            for view in VIEWS.values():
                view.rebuild(self.store)

    def compact(self, *, removed: bool = False) -> Compaction:
        """Remove files that no model has, and give back what is free; see :meth:`Store.compact`."""
        return self.store.compact(removed=removed)

    def backup(self, path: Path | str) -> None:
        """Copy everything into one file while others write; an older backup there is replaced in the end.

        Raises
        ------
        ConflictError
            Where there is another file or another catalog.
        """
        self.store.backup(path)

    @staticmethod
    def restore(backup: Path | str, path: Path | str) -> None:
        """Make a catalog of a backup that checks clean; there may be no file of this name."""
        Store.restore(backup, path)
        forget(Path(path))

    def _put(self, document: Document, actor: str) -> Event:
        """Store a document that finds what it needs."""
        with self.store.transaction():
            references.check_references(self.store, document)
            if isinstance(document, Model):
                self._check_name(document)
            return self.store.put(document.kind, document.id, document.body(), actor=actor)

    def _check_outside(self, what: str) -> None:
        if self.store.within is not None:
            raise ConflictError(f"{what} within a transaction", where="catalog", hint="after the transaction")

    def _check_name(self, model: Model) -> None:
        other = self._names.versions(model.name).get(model.version)
        if other not in (None, model.sha256):
            raise ConflictError(
                f"{model.name}:{model.version} is another model, {other}",
                where=model.id,
                hint=f"version {next_patch(self._names.versions(model.name))}",
            )
