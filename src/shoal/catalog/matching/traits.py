"""What devices are beside their memory, and what models ask of that: distinct ones, judged once.

Many devices share sensors, runtimes, licences and clock: they are one *group*. Many models ask for the same:
they are one *class*. Which class runs in which group is a matter of three tables and a comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from shoal.catalog.matching.checking import (
    Facts,
    licence_conditions,
    runtime_conditions,
    sensor_conditions,
)
from shoal.catalog.matching.condition import Condition, missing_of
from shoal.catalog.matching.licensing import Licences
from shoal.catalog.matching.needs import Needs, SensorsNeed
from shoal.catalog.matching.running import Engines, RuntimeNeed
from shoal.catalog.matching.sensing import Sensors
from shoal.catalog.matching.table import Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Traits"]

REMEMBERED = 4096
# What judges the pairs of each table.
JUDGES: tuple[Callable[[Any, Any], list[Condition]], ...] = (
    sensor_conditions,
    runtime_conditions,
    licence_conditions,
)


class Key(NamedTuple):
    """A group or a class: numbers in the three tables, and the clock."""

    sensors: int
    runtimes: int
    licences: int
    clock: int


class Keys:
    """Distinct keys, numbered, with their columns."""

    def __init__(self) -> None:
        self.keys: list[Key] = []
        self._numbers: dict[Key, int] = {}
        self._columns = np.empty((0, 4), np.int64)

    def number(self, key: Key) -> int:
        """Return the number of a key; a new one gets the next."""
        number = self._numbers.setdefault(key, len(self.keys))
        if number == len(self.keys):
            self.keys.append(key)
        return number

    @property
    def columns(self) -> NDArray[np.int64]:
        """The keys as rows, (count, 4)."""
        if len(self._columns) != len(self.keys):
            new = np.array(self.keys[len(self._columns) :], np.int64).reshape(-1, 4)
            self._columns = np.concatenate([self._columns, new])
        return self._columns


class Traits:
    """The groups of devices, the classes of models, and who runs where.

    Examples
    --------
    >>> traits = Traits()
    >>> slow, fast = traits.group(Facts(clock=48_000_000)), traits.group(Facts(clock=133_000_000))
    >>> traits.groups_for(traits.klass(Needs(clock=64_000_000))).tolist()
    [False, True]
    """

    def __init__(self) -> None:
        self.sensors: Table[SensorsNeed, Sensors] = Table(
            lambda need, have: fit(sensor_conditions(need, have))
        )
        self.runtimes: Table[RuntimeNeed, Engines] = Table(
            lambda need, have: fit(runtime_conditions(need, have))
        )
        self.licences: Table[str | None, Licences] = Table(
            lambda need, have: fit(licence_conditions(need, have))
        )
        self.groups = Keys()
        self.classes = Keys()
        self._lacks_for: dict[int, NDArray[np.float64]] = {}
        self._groups_for: dict[int, NDArray[np.bool_]] = {}
        self._judged: dict[tuple[int, int, int], list[Condition]] = {}
        self._conditions: dict[tuple[int, int], tuple[Condition, ...]] = {}

    def group(self, facts: Facts) -> int:
        """Return the number of the group that a device is in."""
        return self.groups.number(
            Key(
                self.sensors.have(facts.sensors),
                self.runtimes.have(facts.runtimes),
                self.licences.have(facts.licences),
                facts.clock,
            )
        )

    def klass(self, needs: Needs) -> int:
        """Return the number of the class that a model is in."""
        return self.classes.number(
            Key(
                self.sensors.need(needs.sensors),
                self.runtimes.need(needs.runtime),
                self.licences.need(needs.licence),
                needs.clock,
            )
        )

    def facts(self, group: int, ram: int, flash: int) -> Facts:
        """Return what a device of a group has."""
        sensors, runtimes, licences, clock = self.groups.keys[group]
        return Facts(
            self.sensors.haves[sensors],
            self.runtimes.haves[runtimes],
            self.licences.haves[licences],
            ram,
            flash,
            clock,
        )

    def needs(self, klass: int, ram: int, flash: int) -> Needs:
        """Return what a model of a class needs."""
        sensors, runtimes, licences, clock = self.classes.keys[klass]
        return Needs(
            self.sensors.needs[sensors],
            self.runtimes.needs[runtimes],
            self.licences.needs[licences],
            ram,
            flash,
            clock,
        )

    def groups_for(self, klass: int) -> NDArray[np.bool_]:
        """Return in which groups a class runs."""
        found = self._groups_for.get(klass)
        if found is not None and len(found) == len(self.groups.keys):
            return found
        key, groups = self.classes.keys[klass], self.groups.columns
        mask: NDArray[np.bool_] = groups[:, 3] >= key.clock
        for column, (table, need) in enumerate(zip(self.tables, key, strict=False)):
            mask &= table.row(need)[groups[:, column]]
        remember(self._groups_for, klass, mask)
        return mask

    def lacks_for(self, klass: int) -> NDArray[np.float64]:
        """Return for each group what it misses of the one condition that a class fails there.

        A fraction; 0 where none fails, or several.
        """
        found = self._lacks_for.get(klass)
        if found is not None and len(found) == len(self.groups.keys):
            return found
        key, groups = self.classes.keys[klass], self.groups.columns
        rows = [table.row(key[i])[groups[:, i]] for i, table in enumerate(self.tables)]
        rows.append(groups[:, 3] >= key.clock)
        failed = np.sum(~np.array(rows), axis=0)
        lack = np.zeros(len(groups))
        for table, row in enumerate(rows):
            only = np.flatnonzero((failed == 1) & ~row)
            # Several groups have the same sensors, the same runtimes or the same clock.
            for have in np.unique(groups[only, table]).tolist():
                lack[only[groups[only, table] == have]] = self._lack(table, key[table], have)
        remember(self._lacks_for, klass, lack)
        return lack

    def failed_by_class(self, group: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return how many conditions each class fails in a group, and the sum of what is missing of them."""
        have, classes = self.groups.keys[group], self.classes.columns
        short = classes[:, 3] > have.clock
        failed = short.astype(np.int64)
        lack = np.array([missing_of(need, have.clock) for need in classes[:, 3].tolist()], np.float64)
        for table in range(len(self.tables)):
            # Several classes ask for the same.
            needs, places = np.unique(classes[:, table], return_inverse=True)
            judged = [self.judged(table, need, have[table]) for need in needs.tolist()]
            missing = [[one.missing for one in found if not one.fits] for found in judged]
            failed += np.array([len(one) for one in missing], np.int64)[places]
            lack += np.array([sum(one) for one in missing], np.float64)[places]
        return failed, lack

    def _lack(self, table: int, need: int, have: int) -> float:
        """Return the fraction that is missing of the one condition that fails, 0 where several do."""
        if table == len(self.tables):
            return missing_of(need, have)
        failing = [one.missing for one in self.judged(table, need, have) if not one.fits]
        return failing[0] if len(failing) == 1 else 0.0

    def classes_for(self, group: int) -> NDArray[np.bool_]:
        """Return which classes run in a group."""
        key, classes = self.groups.keys[group], self.classes.columns
        mask: NDArray[np.bool_] = classes[:, 3] <= key.clock
        for column, (table, have) in enumerate(zip(self.tables, key, strict=False)):
            mask &= table.column(have)[classes[:, column]]
        return mask

    def all(self) -> NDArray[np.bool_]:
        """Return which classes run in which groups, (classes, groups)."""
        classes, groups = self.classes.columns, self.groups.columns
        mask: NDArray[np.bool_] = classes[:, None, 3] <= groups[None, :, 3]
        for column, table in enumerate(self.tables):
            mask &= table.matrix()[classes[:, column]][:, groups[:, column]]
        return mask

    @property
    def tables(self) -> tuple[Table, Table, Table]:  # type: ignore[type-arg]
        """The three tables, in the order of a key."""
        return self.sensors, self.runtimes, self.licences

    def conditions(self, klass: int, group: int) -> tuple[Condition, ...]:
        """Return the conditions of a class in a group, but for those of amounts."""
        found = self._conditions.get((klass, group))
        if found is None:
            need, have = self.classes.keys[klass], self.groups.keys[group]
            found = tuple(one for table in range(3) for one in self.judged(table, need[table], have[table]))
            remember(self._conditions, (klass, group), found)
        return found

    def judged(self, table: int, need: int, have: int) -> list[Condition]:
        """Return the conditions that something of a table decides, once more where it was asked before."""
        found = self._judged.get((table, need, have))
        if found is None:
            found = JUDGES[table](self.tables[table].needs[need], self.tables[table].haves[have])
            remember(self._judged, (table, need, have), found)
        return found


def fit(conditions: Iterable[Condition]) -> bool:
    """Whether all conditions hold."""
    return all(one.fits for one in conditions)


def remember(answers: dict[Any, Any], question: object, answer: object) -> None:
    """Keep an answer, and forget all others where there are too many."""
    if len(answers) >= REMEMBERED:
        answers.clear()
    answers[question] = answer
