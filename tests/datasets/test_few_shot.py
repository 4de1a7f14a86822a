from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.datasets import TaskFamily, few_shot
from shoal.errors import ConfigError, InputError

CLASSES, EACH = 12, 10
# The first feature of a sample is its row, so that a task tells which samples it took.
X = np.stack([np.arange(CLASSES * EACH), np.repeat(np.arange(CLASSES), EACH)], axis=1).astype(np.float32)
Y = np.repeat(np.arange(CLASSES), EACH)
MAKER = np.tile(np.arange(EACH), CLASSES)


@given(
    seed=st.integers(0, 2**64 - 1),
    ids=st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=6),
    ways=st.integers(2, 4),
    shots=st.integers(1, 4),
    queries=st.integers(1, 5),
    apart=st.booleans(),
    test=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_tasks_are_well_formed(
    seed: int, ids: list[int], ways: int, shots: int, queries: int, apart: bool, test: bool
) -> None:
    family = few_shot(
        X, Y, ways, shots, queries, group=MAKER if apart else None, held_out_classes=[0, 3, 5, 7]
    )
    family = family.held_out() if test else family
    array = np.array(ids, np.uint64)
    batch = family.sample(seed, array)
    assert batch.x is family.x
    for k, task in enumerate(batch):
        alone = family.sample(seed, array[k : k + 1])[0]
        assert np.array_equal(task.support_x, alone.support_x)
        assert np.array_equal(task.query_x, alone.query_x)
        assert task.support_y.tolist() == list(range(ways)) * shots
        assert task.query_y.tolist() == list(range(ways)) * queries
        rows = np.concatenate([task.support_x, task.query_x])[:, 0]
        assert len(set(rows.tolist())) == ways * (shots + queries)
        of_class = task.support_x[:ways, 1]
        assert len(set(of_class.tolist())) == ways
        assert np.array_equal(task.support_x[:, 1], np.tile(of_class, shots))
        assert np.array_equal(task.query_x[:, 1], np.tile(of_class, queries))
        assert set(of_class.tolist()) <= ({0, 3, 5, 7} if test else {1, 2, 4, 6, 8, 9, 10, 11})
        if apart:
            makers = [set(MAKER[part[:, 0].astype(int)].tolist()) for part in (task.support_x, task.query_x)]
            assert not makers[0] & makers[1]


@given(st.data(), st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_unequal_classes_and_makers_stay_apart(data: st.DataObject, seed: int) -> None:
    sizes = data.draw(st.lists(st.lists(st.integers(1, 4), min_size=6, max_size=6), min_size=4, max_size=6))
    y = np.concatenate([np.full(sum(s), c) for c, s in enumerate(sizes)])
    maker = np.concatenate([np.repeat(np.arange(6), s) for s in sizes])
    x = np.stack([np.arange(len(y)), y, maker], axis=1)
    family = few_shot(x, y, 2, 2, 3, group=maker, held_out_classes=[0, 1], seed=seed)
    for task in family.sample(seed, np.arange(8, dtype=np.uint64)):
        assert not set(task.support_x[:, 2].tolist()) & set(task.query_x[:, 2].tolist())
        for part, y_part in ((task.support_x, task.support_y), (task.query_x, task.query_y)):
            assert len(set(part[:, 0].tolist())) == len(part)
            assert len({(c, k) for c, k in zip(part[:, 1].tolist(), y_part.tolist(), strict=True)}) == 2


def test_every_class_and_sample_is_drawn() -> None:
    family = few_shot(X, Y, 3, 2, 2, held_out_classes=[9, 10, 11])
    batch = family.sample(0, np.arange(500, dtype=np.uint64))
    assert np.array_equal(np.unique(batch.support), np.arange(9 * EACH))
    seen = np.bincount(Y[batch.support[:, 0]])
    # Label 0 goes to each of the nine classes alike: 56 times +- 7.
    assert seen.min() > 25
    assert seen.max() < 90


def test_the_held_out_classes_follow_the_seed() -> None:
    def test_classes(seed: int) -> set[float]:
        family = few_shot(X, Y, 2, 1, 1, seed=seed).held_out()
        return set(family.sample(0, np.arange(50)).x[family.table.rows[family.table.starts], 1].tolist())

    assert test_classes(0) == test_classes(0)
    assert len({frozenset(test_classes(s)) for s in range(10)}) > 3
    assert len(few_shot(X, Y, 2, 1, 1, held_out_classes=5).held_out().table.counts) == 5


def test_rotations_are_classes_of_their_own() -> None:
    x = np.zeros((40, 3, 3, 1), np.float32)
    x[:, 0, 1] = np.arange(1, 41).reshape(-1, 1)
    y = np.repeat([2, 5, 6, 9], 10)
    family = few_shot(x, y, 8, 2, 2, classes=[2, 5], held_out_classes=[6, 9], rotations=True)
    assert family.x.shape == (160, 3, 3, 1)
    for part, rows in ((family, set(range(1, 21))), (family.held_out(), set(range(21, 41)))):
        task = part.sample(0, np.arange(1))[0]
        kinds = set()
        for label in range(8):
            images = task.support_x[task.support_y == label]
            where = {tuple(np.argwhere(i[..., 0])[0].tolist()) for i in images}
            assert len(where) == 1
            source = {(int(i.max()) - 1) // 10 for i in images}
            assert len(source) == 1
            assert {int(i.max()) for i in images} <= rows
            kinds.add((*where, *source))
        assert len(kinds) == 8


def test_the_data_set_is_shared_not_copied() -> None:
    family = few_shot(X, Y, 2, 1, 1)
    assert isinstance(family, TaskFamily)
    assert family.x is X
    assert family.held_out().x is X
    assert family.held_out().held_out() is family.held_out()
    assert (family.input_shape, family.outputs, family.kind, family.clients) == (
        (2,),
        2,
        "classification",
        None,
    )
    batch = family.sample(0, np.arange(3))
    assert batch.support.dtype == np.uint32
    assert batch.support.flags.c_contiguous
    assert batch.support_y.shape == (3, 2, 1)
    assert batch.support_y.flags.c_contiguous
    assert few_shot(X[:, ::-1], Y, 2, 1, 1).x.flags.c_contiguous


@pytest.mark.parametrize("group", [None, MAKER])
def test_an_empty_draw_is_empty(group: np.ndarray | None) -> None:
    batch = few_shot(X, Y, 2, 1, 1, group=group).sample(0, np.array([], np.uint64))
    assert len(batch) == 0
    assert batch.support.shape == (0, 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": X[:0]}, "x is empty"),
        ({"x": X[:, 0]}, r"x has shape \(120,\)"),
        ({"x": np.where(X == 7, np.nan, X)}, r"x\[7, 0\] is nan"),
        ({"x": np.where(X == 9, 1e39, X.astype(np.float64))}, r"x\[9, 0\] is 1e\+39"),
        ({"x": X.astype(str)}, "x has type"),
        ({"x": [[1.0], [1.0, 2.0]]}, "ragged"),
        ({"y": Y[:-1]}, "y has 119 entries for 120 samples"),
        ({"y": Y - 1}, r"y\[0\] is -1"),
        ({"y": Y + 0.5}, r"y\[0\] is 0.5"),
        ({"y": np.where(Y == 2, np.nan, Y)}, r"y\[20\] is nan"),
        ({"y": Y[:, None]}, r"y has shape"),
        ({"ways": 13, "held_out_classes": [0]}, "training classes for 13 ways"),
        ({"ways": 9}, "9"),
        ({"held_out_classes": [1]}, "1 held-out classes for 2 ways"),
        ({"held_out_classes": [1, 99]}, "class 99"),
        ({"classes": [1, 77]}, "class 77"),
        ({"shots": 6, "queries": 5}, "class .* has 10 samples, a task needs 6 [+] 5"),
        ({"group": MAKER[:5]}, "group has 5 entries"),
        ({"group": MAKER / 2}, "group has"),
        ({"group": np.zeros(120, int)}, "1 groups cannot serve"),
        ({"group": MAKER // 5, "shots": 6, "queries": 4}, "2 groups cannot serve 6 shots"),
        ({"rotations": True}, "rotations need|x has shape"),
    ],
)
def test_bad_data_is_refused(change: dict, message: str) -> None:
    arguments = {"x": X, "y": Y, "ways": 2, "shots": 1, "queries": 1} | change
    with pytest.raises(InputError, match=message):
        few_shot(**arguments)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ways": 1}, "ways is 1"),
        ({"shots": 0}, "shots is 0"),
        ({"queries": 0}, "queries is 0"),
        ({"held_out_classes": 0}, "held_out_classes is 0"),
        ({"classes": [0, 1, 2], "held_out_classes": [2, 3]}, "class 2 is trained on and held out"),
        ({"seed": -1}, "seed -1"),
    ],
)
def test_bad_parameters_are_refused(change: dict, message: str) -> None:
    arguments = {"x": X, "y": Y, "ways": 2, "shots": 1, "queries": 1} | change
    with pytest.raises(ConfigError, match=message):
        few_shot(**arguments)


def test_new_devices_may_have_fewer_shots_than_those_trained_on():
    x, y = np.random.default_rng(0).normal(size=(120, 3)), np.arange(120) % 6
    family = few_shot(x, y, 2, 10, 3, held_out_classes=[4, 5], held_out_shots=5)
    ids = np.arange(4, dtype=np.uint64)
    assert family.sample(0, ids).support.shape == (4, 20)
    assert family.held_out().sample(0, ids).support.shape == (4, 10)
    with pytest.raises(ConfigError, match="held_out_shots"):
        few_shot(x, y, 2, 10, 3, held_out_shots=0)
