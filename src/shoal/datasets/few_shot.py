"""N-way few-shot classification: each task is to tell a few classes apart from a few samples of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.datasets import validate
from shoal.datasets.random import bits, choose, derive
from shoal.datasets.table import DRAWERS, Table
from shoal.datasets.task import Kind, Split, TaskBatch
from shoal.errors import ConfigError, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

CLASSES = 0
# Mixed into the class draw so that train and test tasks with one id have nothing in common.
TEST = 16


def few_shot(
    x: ArrayLike,
    y: ArrayLike,
    ways: int,
    shots: int,
    queries: int,
    *,
    classes: Sequence[int] | None = None,
    held_out_classes: Sequence[int] | int | None = None,
    group: ArrayLike | None = None,
    rotations: bool = False,
    held_out_shots: int | None = None,
    seed: int = 0,
) -> FewShot:
    """Family of N-way tasks over the classes of a data set.

    A task draws `ways` classes, numbers them 0 to ways - 1, and draws `shots` and `queries` samples of each,
    all different. The samples of a set are interleaved by class: 0, 1, ..., ways - 1, 0, 1, ...

    Parameters
    ----------
    x
        Inputs (samples, *shape), finite. Kept without a copy where it is C-contiguous float32.
    y
        Class of each sample (samples,).
    ways
        Classes per task, at least 2.
    shots, queries
        Support and query samples per class.
    classes
        Classes to train on; None for all that are not held out.
    held_out_classes
        Classes of the held-out tasks, or their number, drawn with `seed`. None holds out a fifth of the
        classes, and at least `ways`.
    group
        Who made each sample (samples,). Where given, support and query samples of a task come from different
        groups.
    rotations
        Makes each turn of a square image by 90 degrees a class of its own; `x` becomes four times as large.
        The turns of a held-out class are held out with it.
    held_out_shots
        Support samples per class of held-out tasks; None: as many as to train on.
    seed
        Draws the held-out classes.

    Returns
    -------
    FewShot
        A `TaskFamily` with unlimited clients: every id is another task.

    Raises
    ------
    InputError
        For arrays of unequal length, values that are not finite, labels that are not class numbers, fewer
        classes than `ways`, or a class with fewer samples than a task needs.
    ConfigError
        For a count that cannot be used, or classes that are both trained on and held out.

    Examples
    --------
    >>> x, y = np.random.default_rng(0).normal(size=(60, 4)), np.arange(60) % 6
    >>> family = few_shot(x, y, 2, 1, 3, held_out_classes=[4, 5])
    >>> task = family.sample(0, np.array([7], np.uint64))[0]
    >>> task.support_y.tolist(), task.query_y.tolist()
    ([0.0, 1.0], [0.0, 1.0, 0.0, 1.0, 0.0, 1.0])
    """
    validate.count(ways, "ways", 2)
    validate.count(shots, "shots")
    validate.count(queries, "queries")
    if held_out_shots is not None:
        validate.count(held_out_shots, "held_out_shots")
    data = validate.samples(x)
    label = validate.labels(y, len(data))
    drawer = None if group is None else np.unique(validate.groups(group, len(data)), return_inverse=True)[1]
    train, test = split_classes(np.unique(label), ways, classes, held_out_classes, seed)
    if rotations:
        data, label = rotate(data, label)
        drawer = None if drawer is None else np.tile(drawer, 4)
        quarter = int(label.max() + 1) // 4
        train, test = (np.concatenate([c + quarter * k for k in range(4)]) for c in (train, test))
    for name, part in (("training", train), ("held-out", test)):
        if len(part) < ways:
            raise InputError(
                f"{len(part)} {name} classes for {ways} ways",
                where="y",
                hint=f"ways = {len(part)}, or more classes",
            )
    table, present = Table.of(label)

    def family(chosen: NDArray[np.int64], split: Split, shots: int, unseen: FewShot | None) -> FewShot:
        part = table.take(np.searchsorted(present, chosen))
        for c, n in zip(chosen, part.counts, strict=True):
            if n < shots + queries:
                raise InputError(
                    f"class {c} has {n} samples, a task needs {shots} + {queries}",
                    where="y",
                    hint="fewer shots or queries, or leave the class out",
                )
        return FewShot(
            x=data,
            table=part,
            pools=np.array([0, len(chosen)]),
            names=(),
            ways=ways,
            shots=shots,
            queries=queries,
            ordered=False,
            drawer=None if drawer is None else Drawers.of(drawer, part, chosen, shots, queries),
            split=split,
            unseen=unseen,
        )

    unseen = family(test, "test", held_out_shots or shots, None)
    return family(train, "train", shots, unseen)


@dataclass(frozen=True, slots=True, eq=False)
class Drawers:
    """Who made each sample, and how many of them serve the support set of a task.

    Parameters
    ----------
    group
        Group number of each row of the data set (samples,).
    count
        Number of groups.
    support
        Groups per task that serve its support set; the others serve its query set.
    """

    group: NDArray[np.int64]
    count: int
    support: int

    @classmethod
    def of(
        cls, group: NDArray[np.int64], table: Table, classes: NDArray[np.int64], shots: int, queries: int
    ) -> Drawers:
        """Choose the split of the groups that every class can serve, whichever groups fall on a side."""
        count = int(group.max()) + 1
        made = np.zeros((len(table.counts), count), np.int64)
        for entry, (start, n) in enumerate(zip(table.starts, table.counts, strict=True)):
            made[entry] = np.bincount(group[table.rows[start : start + n]], minlength=count)
        # fewest[k - 1]: samples of the poorest class in the k groups that made least of it.
        fewest = np.cumsum(np.sort(made, axis=1), axis=1).min(axis=0)
        support = int(np.searchsorted(fewest, shots)) + 1
        if support >= count or fewest[count - support - 1] < queries:
            poorest = classes[np.sort(made, axis=1)[:, : count // 2 + 1].sum(axis=1).argmin()]
            raise InputError(
                f"{count} groups cannot serve {shots} shots and {queries} queries apart",
                where=f"group, for class {poorest}",
                hint="fewer shots or queries, or no group",
            )
        return cls(group, count, support)

    def mark(
        self, seed: int, ids: NDArray[np.uint64], table: Table, entries: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Mark the rows of entries (tasks, ways) that may go to the support (tasks * ways, largest count)."""
        chosen = np.zeros((len(ids), self.count), np.bool_)
        np.put_along_axis(chosen, choose(seed, ids, DRAWERS, self.count, self.support), True, axis=1)
        place = table.starts[entries][..., None] + np.arange(int(table.counts.max()))
        groups = self.group[table.rows[np.minimum(place, len(table.rows) - 1)]]
        marks = np.take_along_axis(chosen[:, None, :], groups, axis=2)
        return marks.reshape(-1, groups.shape[2])


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FewShot:
    """The family that `few_shot` makes, also over the words of one speaker at a time.

    Parameters
    ----------
    x
        The data set (samples, *shape).
    table
        Rows of each class.
    pools
        A task draws its classes from one pool: entries `pools[i]` to `pools[i + 1]` of the table. The pool of
        a task is its id modulo the number of pools.
    names
        Names of the pools, or nothing.
    ways, shots, queries
        Classes per task, support and query samples per class.
    ordered
        Takes the first rows of a class as support and the last ones as query instead of drawing them.
    drawer
        Who made which sample, where support and query are to come from different groups.
    split
        Which tasks these are.
    unseen
        The family of held-out tasks; None for one that is itself held out.
    """

    x: NDArray[np.float32]
    table: Table
    pools: NDArray[np.int64]
    names: tuple[str, ...]
    ways: int
    shots: int
    queries: int
    ordered: bool
    drawer: Drawers | None
    split: Split
    unseen: FewShot | None

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input."""
        return self.x.shape[1:]

    @property
    def outputs(self) -> int:
        """Number of outputs: the ways."""
        return self.ways

    @property
    def kind(self) -> Kind:
        """What the targets are."""
        return "classification"

    @property
    def clients(self) -> int | None:
        """Number of devices: unlimited."""
        return None

    def held_out(self) -> FewShot:
        """Return the family of unseen classes."""
        return self if self.unseen is None else self.unseen

    def sample(self, seed: int, ids: NDArray[np.uint64]) -> TaskBatch:
        """Draw the tasks with these ids."""
        ids = validate.ids(ids, None)
        n = len(ids)
        pool = (ids % np.uint64(len(self.pools) - 1)).astype(np.int64)
        first, last = self.pools[pool], self.pools[pool + 1]
        stream = CLASSES + (TEST if self.split == "test" else 0)
        entries = first[:, None] + choose(seed, ids, stream, last - first, self.ways)
        flat, own = entries.reshape(-1), derive(ids, self.ways).reshape(-1)
        if self.ordered:
            support, query = self.table.ends(flat, self.shots, self.queries)
        elif self.drawer is None:
            support, query = self.table.draw(seed, own, flat, self.shots, self.queries)
        else:
            marks = self.drawer.mark(seed, ids, self.table, entries)
            support, query = self.table.draw_apart(
                seed, own, flat, self.shots, self.queries, in_support=marks
            )
        return TaskBatch(
            self.x,
            interleave(support, self.ways),
            self._labels(n, self.shots),
            interleave(query, self.ways),
            self._labels(n, self.queries),
            kind="classification",
            names=tuple(self.names[p] for p in pool) if self.names else (),
        )

    def _labels(self, tasks: int, each: int) -> NDArray[np.float32]:
        one = np.tile(np.arange(self.ways, dtype=np.float32), each)
        return np.tile(one[None, :, None], (tasks, 1, 1))


def interleave(rows: NDArray[np.uint32], ways: int) -> NDArray[np.uint32]:
    """Order rows (tasks * ways, each) as (tasks, each * ways): one of each class, then the next of each."""
    each = rows.shape[1]
    return np.ascontiguousarray(rows.reshape(-1, ways, each).transpose(0, 2, 1)).reshape(-1, each * ways)


def rotate(x: NDArray[np.float32], label: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Append the three turns of square images as classes of their own."""
    if x.ndim < 3 or x.shape[1] != x.shape[2]:
        raise InputError(
            f"x has shape {x.shape}", where="x", hint="rotations need (samples, size, size, ...)"
        )
    turned = np.concatenate([np.rot90(x, k, axes=(1, 2)) for k in range(4)])
    # Classes may leave gaps, so the k-th turn is numbered from k times the highest class + 1.
    numbers = int(label.max()) + 1
    return turned, np.concatenate([label + numbers * k for k in range(4)])


def split_classes(
    present: NDArray[np.int64],
    ways: int,
    classes: Sequence[int] | None,
    held_out: Sequence[int] | int | None,
    seed: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Classes to train on and to hold out, sorted."""
    free = present if classes is None else np.setdiff1d(present, known(classes, present, "classes"))
    if held_out is None or isinstance(held_out, (int, np.integer)):
        number = (
            max(ways, len(present) // 5) if held_out is None else validate.count(held_out, "held_out_classes")
        )
        if number > len(free):
            raise InputError(
                f"{len(free)} classes are left to hold out {number}",
                where="y",
                hint="fewer ways or training classes",
            )
        keys = bits(seed, free.astype(np.uint64), CLASSES, 1)[:, 0]
        test = np.sort(free[np.argsort(keys, kind="stable")[:number]])
    else:
        test = known(held_out, present, "held_out_classes")
    train = np.setdiff1d(present, test) if classes is None else known(classes, present, "classes")
    both = np.intersect1d(train, test)
    if both.size:
        raise ConfigError(f"class {both[0]} is trained on and held out", where="classes, held_out_classes")
    return train, test


def known(chosen: Sequence[int], present: NDArray[np.int64], name: str) -> NDArray[np.int64]:
    """Check that chosen classes exist; returns them sorted."""
    wanted: NDArray[Any] = np.unique(np.asarray(list(chosen)))
    missing = np.setdiff1d(wanted, present)
    if missing.size:
        raise InputError(f"class {missing[0]} is not in the data", where=name, hint=f"{summary(present)}")
    return wanted.astype(np.int64)


def summary(present: NDArray[np.int64]) -> str:
    """Say which classes exist."""
    shown = ", ".join(str(c) for c in present[:10])
    return f"one of {shown}" + (f", ... ({len(present)} in all)" if len(present) > 10 else "")
