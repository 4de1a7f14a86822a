"""The index of a catalog: which devices a model fits, which models a device runs."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from shoal.catalog.matching.answers import Answer, Matches
from shoal.catalog.matching.checking import Facts, amounts, conditions, facts_of
from shoal.catalog.matching.condition import NEVER, NOTHING, Match
from shoal.catalog.matching.coverage import Coverage, coverage_of
from shoal.catalog.matching.fleet import Fleet
from shoal.catalog.matching.nearby import Gain, Wanted, WhatIf, gains, near_misses, near_models
from shoal.catalog.matching.needs import ALL, Needs, needs_of
from shoal.catalog.matching.shelf import Shelf, Stock
from shoal.catalog.matching.traits import Traits
from shoal.errors import ConfigError, UnknownError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from shoal.catalog.documents import Hardware, Model

__all__ = ["Index"]


class Index:
    """Models and devices in columns, which answer as :func:`check` would of each pair.

    Safe among threads. A change is visible in the next answer.

    Examples
    --------
    >>> from shoal.catalog.documents import Capacity, Hardware, Model, Need, Operator, Runtime
    >>> index = Index()
    >>> for name, ram in ("small", 6144), ("large", 262144):
    ...     index.put_device(name, Hardware(ram=Capacity(total=ram), flash=Capacity(total=65536),
    ...                                     runtimes=[Runtime(name="shoal")]))
    >>> softmax = Operator(name="SOFTMAX", version=2, dtype="int8")
    >>> wake = Model(sha256="0" * 64, name="wake", version="1.0.0", format="tflite", size=18712,
    ...              inference=Need(bytes=7584), operators=[softmax])
    >>> answer = index.devices_for(wake)
    >>> answer.count, answer.first()
    (1, ['large'])
    >>> index.near(wake)[0].reasons
    ('RAM: needs 7,584 B, has 6,144 B, 1,440 B short',)
    >>> print(index.what_if(wake, ram=-1440), index.gains(wake)[0], sep="; ")
    fits 1 device; 1 more; 1 more if 1,440 B less RAM
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.traits = Traits()
        self.fleet = Fleet(self.traits, self.lock)
        self.shelf = Shelf(self.traits)
        self.boards: list[str] = [""]

    def put_device(self, id: str, hardware: Hardware) -> None:
        """Add a device, or change it."""
        self.fleet.put(id, facts_of(hardware), self._board(hardware))

    def put_devices(self, devices: Iterable[tuple[str, Hardware]]) -> None:
        """Add or change many devices at once."""
        self.fleet.put_many((id, facts_of(one), self._board(one)) for id, one in devices)

    def remove_device(self, id: str) -> None:
        """Remove a device; nothing happens where there is none."""
        self.fleet.remove(id)

    def devices_on(self, board: str) -> list[str]:
        """Return the devices of a board."""
        with self.lock:
            if board not in self.boards:
                return []
            slots = self.fleet.columns.used()
            return self.fleet.ids(slots[self.fleet.columns["board"][slots] == self.boards.index(board)])

    def put_model(self, model: Model) -> None:
        """Add a model, or change it."""
        with self.lock:
            shelve(self.shelf, model, ALL)

    def remove_model(self, id: str) -> None:
        """Remove a model; nothing happens where there is none."""
        with self.lock:
            self.shelf.remove(id)

    def devices_for(
        self, model: Model | str, *, training: bool = False, rule: Collection[str] = ALL
    ) -> Answer:
        """Return the devices that a model fits, those with most free RAM first.

        Parameters
        ----------
        model
            A document, or the id of one that is here.
        training
            Whether it shall learn there.
        rule
            What is asked, of a document.

        Raises
        ------
        UnknownError
            Where there is no such model.
        """
        name, needs = self._needs(model, training, rule)
        with self.lock:
            wanted = self._wanted(needs)
            count = self.fleet.number(wanted.ram, wanted.flash, wanted.groups)

        def ids(offset: int, limit: int | None) -> list[str]:
            with self.lock:
                now = self._wanted(needs)
                return self.fleet.ids(self.fleet.rows(now.ram, now.flash, now.groups, offset, limit, count))

        return Answer(count, ids, lambda device: self._match(name, needs, wanted.klass, device))

    def models_for(
        self,
        device: Hardware | str,
        *,
        training: bool = False,
        metric: str = "accuracy",
        task: str = "",
    ) -> Answer:
        """Return the models that a device runs: the best by a figure of merit first, then the smallest.

        Parameters
        ----------
        device
            Its hardware, or the id of one that is here.
        training
            Whether they shall learn there.
        metric
            The figure of merit; less is better of one with `loss`, `error` or `latency` in its name.
        task
            Only models of this task.

        Raises
        ------
        UnknownError
            Where there is no such device.
        """
        name = device if isinstance(device, str) else ""
        facts = self._facts(device) if isinstance(device, str) else facts_of(device)
        with self.lock:
            classes = self.traits.classes_for(self.traits.group(facts))
            slots = self.shelf.rows(
                facts.ram, facts.flash, classes, training=training, metric=metric, task=task
            )
            found = [str(self.shelf.columns.ids[slot]) for slot in slots.tolist()]

        def ids(offset: int, limit: int | None) -> list[str]:
            return found[offset : None if limit is None else offset + limit]

        def match(model: str) -> Match:
            return Match(model, name, conditions(self._needs(model, training, ALL)[1], facts))

        return Answer(len(found), ids, match)

    def pairs(self, device: str | None = None, model: str | None = None) -> Iterator[tuple[str, str]]:
        """Yield the ids of the devices and models that match, of one device or one model, or of all.

        One that is not here matches nothing.
        """
        if device is not None and model is not None:
            if (
                device in self.fleet.columns.slots
                and model in self.shelf.stock
                and self.explain(model, device).fits
            ):
                yield device, model
        elif device is not None:
            if device in self.fleet.columns.slots:
                yield from ((device, one) for one in self.models_for(device).all())
        else:
            for chosen in [model] if model is not None else sorted(self.shelf.stock):
                if chosen in self.shelf.stock:
                    yield from ((one, chosen) for one in self.devices_for(chosen).all())

    def explain(self, model: Model | str, device: str, *, training: bool = False) -> Match:
        """Return every condition of one model on one device."""
        name, needs = self._needs(model, training, ALL)
        with self.lock:
            return self._match(name, needs, self.traits.klass(needs), device)

    def near(
        self, model: Model | str, limit: int = 10, *, training: bool = False, rule: Collection[str] = ALL
    ) -> tuple[Match, ...]:
        """Return the devices that fail one condition only, those first that miss least of it."""
        name, needs = self._needs(model, training, rule)
        with self.lock:
            wanted = self._wanted(needs)
            found = self.fleet.ids(near_misses(self.fleet, wanted, limit))
            return tuple(self._match(name, needs, wanted.klass, one) for one in found)

    def near_models(self, device: str, limit: int = 10, *, training: bool = False) -> tuple[Match, ...]:
        """Return the models that fail one condition only, those first that miss least of it."""
        facts = self._facts(device)
        with self.lock:
            slots = near_models(self.shelf, facts, limit, training=training)
            found = [str(self.shelf.columns.ids[slot]) for slot in slots.tolist()]
            return tuple(self.explain(one, device, training=training) for one in found)

    def match(
        self,
        model: Model | str | None = None,
        device: str | None = None,
        *,
        training: bool = False,
        limit: int = 100,
        offset: int = 0,
        near: int = 10,
        metric: str = "accuracy",
    ) -> Matches:
        """Return what matches a model or a device, or whether one runs on the other, with all conditions.

        Raises
        ------
        ConfigError
            Where neither is given.
        """
        if model is not None and device is not None:
            match = self.explain(model, device, training=training)
            return Matches(1, (match,)) if match.fits else Matches(0, (), (match,))
        if model is not None:
            answer = self.devices_for(model, training=training)
            missed = self.near(model, near, training=training) if near else ()
        elif device is not None:
            answer = self.models_for(device, training=training, metric=metric)
            missed = self.near_models(device, near, training=training) if near else ()
        else:
            raise ConfigError(
                "neither a model nor a device", where="match", hint="one of them, both, or coverage() of all"
            )
        return Matches(answer.count, answer.matches(limit, offset), missed)

    def what_if(
        self,
        model: Model | str,
        *,
        ram: int = 0,
        flash: int = 0,
        clock: int = 0,
        training: bool = False,
    ) -> WhatIf:
        """Return how many devices a model would fit that needed more or, with negative numbers, less.

        Parameters
        ----------
        ram, flash, clock
            Bytes and Hz that are added to what the model needs.
        """
        _, needs = self._needs(model, training, ALL)
        changed = replace(
            needs,
            ram=added(needs.ram, ram),
            flash=added(needs.flash, flash),
            clock=added(needs.clock, clock),
        )
        with self.lock:
            counts = [
                self.fleet.number(one.ram, one.flash, one.groups)
                for one in map(self._wanted, (needs, changed))
            ]
        return WhatIf(*counts)

    def gains(
        self,
        model: Model | str,
        what: Literal["RAM", "flash"] = "RAM",
        limit: int = 10,
        *,
        training: bool = False,
    ) -> list[Gain]:
        """Return the smallest savings of memory that gain devices, each with all that it gains."""
        _, needs = self._needs(model, training, ALL)
        with self.lock:
            return gains(self.fleet, self._wanted(needs), what, limit)

    def coverage(
        self,
        models: Iterable[Model] | None = None,
        *,
        training: bool = False,
        devices: bool = False,
        rule: Collection[str] = ALL,
    ) -> Coverage:
        """Return how many devices each model fits.

        Parameters
        ----------
        models
            Documents, by a rule; None: those that are here, by all that they need.
        training
            Whether they shall learn there.
        devices
            Whether to say how many models each device runs, too.
        rule
            What is asked, of documents.
        """
        with self.lock:
            shelf = self.shelf
            if models is not None:
                shelf = Shelf(self.traits)
                for one in models:
                    shelve(shelf, one, rule)
            return coverage_of(shelf, self.fleet, training=training, devices=devices)

    def _board(self, hardware: Hardware) -> int:
        """Return the number of a device's board, 0 for none."""
        name = hardware.board or ""
        if name not in self.boards:
            with self.lock:
                self.boards.append(name)
        return self.boards.index(name)

    def _needs(self, model: Model | str, training: bool, rule: Collection[str]) -> tuple[str, Needs]:
        """Return the id of a model and what it needs."""
        if not isinstance(model, str):
            return model.id, needs_of(model, training=training, rule=rule)
        with self.lock:
            if model not in self.shelf.stock:
                raise UnknownError(f"no model '{model}'", hint="shoal model list")
            return model, self.shelf.needs(model, training=training)

    def _wanted(self, needs: Needs) -> Wanted:
        """Return what is looked for in the fleet."""
        klass = self.traits.klass(needs)
        return Wanted(klass, needs.ram, needs.flash, self.traits.groups_for(klass))

    def _match(self, model: str, needs: Needs, klass: int, device: str) -> Match:
        """Return every condition of a model, which is of a class, on a device."""
        with self.lock:
            ram, flash, group, *_ = self.fleet.columns.row(self._slot(device))
            clock = self.traits.groups.keys[group].clock
            judged = self.traits.conditions(klass, group)
            return Match(model, device, (*judged, *amounts(needs, ram, flash, clock)))

    def _slot(self, device: str) -> int:
        """Return the slot of a device."""
        slot = self.fleet.columns.slots.get(device)
        if slot is None:
            raise UnknownError(f"no device '{device}'", hint="shoal device list")
        return slot

    def _facts(self, device: str) -> Facts:
        """Return what a device has."""
        with self.lock:
            return self.fleet.facts(self._slot(device))


def shelve(shelf: Shelf, model: Model, rule: Collection[str]) -> None:
    """Put what a model needs by a rule onto a shelf."""
    stock = Stock(model.size, model.task, {one.name: one.value for one in reversed(model.metrics)})
    learn = needs_of(model, training=True, rule=rule)
    shelf.put(model.id, needs_of(model, rule=rule), learn, stock)


def added(need: int, more: int) -> int:
    """Return a changed need; what does not matter or is not known stays so."""
    return need if need in (NOTHING, NEVER) else max(0, need + more)
