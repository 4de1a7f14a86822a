"""Devices that are given by the data: one per speaker, room, user or machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.datasets import validate
from shoal.datasets.random import bits
from shoal.datasets.table import Table
from shoal.datasets.task import Kind, Split, TaskBatch
from shoal.errors import ConfigError, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray


def by_group(
    x: ArrayLike,
    y: ArrayLike,
    group: ArrayLike,
    *,
    shots: int,
    queries: int,
    held_out: Sequence[Any] | int | None = None,
    order: ArrayLike | None = None,
    kind: Kind | None = None,
    seed: int = 0,
) -> Grouped:
    """Family with one device per group of a data set.

    Parameters
    ----------
    x
        Inputs (samples, *shape), finite. Kept without a copy where it is C-contiguous float32.
    y
        Class numbers (samples,), the same for all devices, or values (samples,) or (samples, outputs).
    group
        The device of each sample (samples,): integers or strings.
    shots, queries
        Support and query samples per device.
    held_out
        Groups to evaluate on, or their number, drawn with `seed`. None holds out a fifth, at least one.
    order
        Time of each sample (samples,). Where given, the support set is the first `shots` samples of a device
        and the query set its last `queries`; otherwise both are drawn.
    kind
        None takes integers in `y` as classes and anything else as values.
    seed
        Draws the held-out groups.

    Returns
    -------
    Grouped
        A `TaskFamily`; id i is the i-th group in sorted order.

    Raises
    ------
    InputError
        For arrays of unequal length, values that are not finite, labels that are not class numbers, or groups
        with fewer than `shots + queries` samples.
    ConfigError
        For a count that cannot be used.

    Examples
    --------
    >>> x, y, room = np.arange(12.0).reshape(12, 1), np.arange(12.0), np.repeat(["hall", "lab", "office"], 4)
    >>> family = by_group(x, y, room, shots=3, queries=1, held_out=["office"], order=np.arange(12))
    >>> family.clients, family.kind
    (2, 'regression')
    >>> task = family.sample(0, np.array([1], np.uint64))[0]
    >>> task.name, task.support_x[:, 0].tolist(), task.query_y.tolist()
    ('lab', [4.0, 5.0, 6.0], [[7.0]])
    """
    shots, queries = validate.count(shots, "shots"), validate.count(queries, "queries")
    data = validate.samples(x)
    if kind not in (None, "regression", "classification"):
        raise ConfigError(f"kind is {kind!r}", where="kind", hint="regression or classification")
    if kind is None:
        kind = "classification" if np.asarray(y).dtype.kind in "biu" else "regression"
    if kind == "classification":
        label = validate.labels(y, len(data))
        target, outputs = label[:, None].astype(np.float32), int(label.max()) + 1
    else:
        target = validate.targets(y, len(data))
        outputs = target.shape[1]
    device = validate.groups(group, len(data))
    time = None if order is None else validate.order(order, len(data))
    table, present = Table.of(device, time)
    small = [str(g) for g in present[table.counts < shots + queries]]
    if small:
        raise InputError(
            f"{len(small)} of {len(present)} groups have fewer than {shots} + {queries} samples",
            where="group " + ", ".join(small[:10]) + (", ..." if len(small) > 10 else ""),
            hint="fewer shots or queries, or leave these groups out",
        )
    test = split_groups(present, held_out, seed)

    def family(chosen: NDArray[np.bool_], split: Split, unseen: Grouped | None) -> Grouped:
        return Grouped(
            x=data,
            y=target,
            table=table.take(np.flatnonzero(chosen)),
            names=tuple(str(g) for g in present[chosen]),
            shots=shots,
            queries=queries,
            ordered=time is not None,
            outputs=outputs,
            kind=kind,
            split=split,
            unseen=unseen,
        )

    return family(~test, "train", family(test, "test", None))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Grouped:
    """The family that `by_group` makes.

    Parameters
    ----------
    x
        The data set (samples, *shape).
    y
        Targets (samples, targets).
    table
        Rows of each device.
    names
        Name of each device.
    shots, queries
        Support and query samples per device.
    ordered
        Takes the first and the last samples of a device instead of drawing them.
    outputs
        Outputs that a network needs.
    kind
        What the targets are.
    split
        Which devices these are.
    unseen
        The family of held-out devices; None for one that is itself held out.
    """

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    table: Table
    names: tuple[str, ...]
    shots: int
    queries: int
    ordered: bool
    outputs: int
    kind: Kind
    split: Split
    unseen: Grouped | None

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input."""
        return self.x.shape[1:]

    @property
    def clients(self) -> int | None:
        """Number of devices."""
        return len(self.names)

    def held_out(self) -> Grouped:
        """Return the family of unseen devices."""
        return self if self.unseen is None else self.unseen

    def sample(self, seed: int, ids: NDArray[np.uint64]) -> TaskBatch:
        """Draw the tasks of the devices with these ids, 0 to clients - 1."""
        ids = validate.ids(ids, self.clients)
        entries = ids.astype(np.int64)
        if self.ordered:
            support, query = self.table.ends(entries, self.shots, self.queries)
        else:
            support, query = self.table.draw(seed, ids, entries, self.shots, self.queries)
        support, query = np.ascontiguousarray(support), np.ascontiguousarray(query)
        return TaskBatch(
            self.x,
            support,
            self.y[support],
            query,
            self.y[query],
            kind=self.kind,
            names=tuple(self.names[e] for e in entries),
        )


def split_groups(present: NDArray[Any], held_out: Sequence[Any] | int | None, seed: int) -> NDArray[np.bool_]:
    """Mark the groups to hold out (groups,), leaving at least one on either side."""
    if held_out is None or isinstance(held_out, (int, np.integer)):
        number = max(1, len(present) // 5) if held_out is None else validate.count(held_out, "held_out")
        keys = bits(seed, np.arange(len(present), dtype=np.uint64), 0, 1)[:, 0]
        test = np.zeros(len(present), np.bool_)
        test[np.argsort(keys, kind="stable")[:number]] = True
    else:
        # Through strings, so that a list of names and one of numbers are compared alike.
        test = np.isin(present.astype(str), [str(g) for g in held_out])
        missing = sorted({str(g) for g in held_out} - set(present.astype(str).tolist()))
        if missing:
            raise InputError(f"group {missing[0]} is not in the data", where="held_out")
    if not test.any() or test.all():
        raise InputError(
            f"{int(test.sum())} of {len(present)} groups are held out",
            where="held_out",
            hint="at least one on each side",
        )
    return test
