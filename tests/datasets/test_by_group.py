from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.datasets import TaskFamily, by_group
from shoal.errors import ConfigError, InputError

ROOM = np.repeat(["attic", "barn", "cellar", "den", "eaves"], 8)
X = np.arange(40, dtype=np.float32).reshape(40, 1)
Y = (np.arange(40) % 3).astype(np.int64)
TIME = np.arange(40)[::-1].copy()


@given(st.integers(0, 2**64 - 1), st.integers(1, 4), st.integers(1, 4), st.booleans(), st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_devices_are_well_formed(seed: int, shots: int, queries: int, ordered: bool, held_out: int) -> None:
    family = by_group(
        X,
        Y,
        ROOM,
        shots=shots,
        queries=queries,
        held_out=held_out,
        order=TIME if ordered else None,
        seed=seed,
    )
    test = family.held_out()
    assert not set(family.names) & set(test.names)
    assert (family.clients, test.clients) == (5 - held_out, held_out)
    for part in (family, test):
        ids = np.arange(part.clients, dtype=np.uint64)
        batch = part.sample(seed, ids)
        assert batch.x is X
        for k, task in enumerate(batch):
            rows = np.concatenate([task.support_x, task.query_x])[:, 0].astype(int)
            assert set(ROOM[rows]) == {task.name}
            assert len(set(rows.tolist())) == shots + queries
            assert np.array_equal(np.concatenate([task.support_y, task.query_y]), Y[rows])
            alone = part.sample(seed, ids[k : k + 1])[0]
            assert np.array_equal(alone.support_x, task.support_x)
            if ordered:
                times = np.sort(TIME[task.name == ROOM])
                assert TIME[rows[:shots]].tolist() == times[:shots].tolist()
                assert TIME[rows[shots:]].tolist() == times[-queries:].tolist()


def test_values_and_classes_are_told_apart() -> None:
    arguments = {"shots": 2, "queries": 2}
    classes = by_group(X, Y, ROOM, **arguments)
    assert isinstance(classes, TaskFamily)
    assert (classes.kind, classes.outputs, classes.input_shape) == ("classification", 3, (1,))
    values = by_group(X, np.stack([X[:, 0], -X[:, 0]], axis=1), ROOM, **arguments)
    assert (values.kind, values.outputs) == ("regression", 2)
    task = values.sample(0, np.array([0]))[0]
    assert task.support_y.shape == (2, 2)
    assert np.array_equal(task.support_y[:, 0], task.support_x[:, 0])
    assert by_group(X, Y, ROOM, kind="regression", **arguments).sample(0, np.array([0]))[0].query_y.shape == (
        2,
        1,
    )


def test_groups_may_be_numbers_and_times_dates() -> None:
    days = np.datetime64("2026-01-01") + TIME
    family = by_group(X, Y, np.arange(40) // 8 * 10, shots=1, queries=1, held_out=[20, 40], order=days)
    assert family.names == ("0", "10", "30")
    assert family.held_out().names == ("20", "40")
    assert family.sample(0, np.array([0]))[0].support_x[0, 0] == 7


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shots": 6, "queries": 3}, "5 of 5 groups have fewer than 6 [+] 3"),
        ({"x": X[:0]}, "x is empty"),
        ({"y": Y[:3]}, "y has 3 entries"),
        ({"y": np.where(Y == 1, np.inf, Y)}, r"y\[1, 0\] is inf"),
        ({"y": np.zeros((40, 1, 1))}, "y has shape"),
        ({"group": ROOM[:, None]}, "group has shape"),
        ({"group": np.zeros(40, int)}, "1 of 1 groups are held out"),
        ({"held_out": 5}, "5 of 5 groups are held out"),
        ({"held_out": ["hall"]}, "group hall"),
        ({"order": np.full(40, np.nan)}, r"order\[0\] is nan"),
        ({"order": ROOM}, "order has shape"),
        ({"order": TIME[:3]}, "order has 3 entries"),
    ],
)
def test_bad_data_is_refused(change: dict, message: str) -> None:
    arguments = {"x": X, "y": Y, "group": ROOM, "shots": 2, "queries": 2} | change
    with pytest.raises(InputError, match=message):
        by_group(**arguments)


def test_a_small_group_is_named() -> None:
    with pytest.raises(InputError) as caught:
        by_group(X[:-5], Y[:-5], ROOM[:-5], shots=2, queries=2)
    assert caught.value.where == "group eaves"


@pytest.mark.parametrize("change", [{"shots": 0}, {"queries": 0}, {"kind": "ranking"}, {"held_out": 0}])
def test_bad_parameters_are_refused(change: dict) -> None:
    with pytest.raises(ConfigError, match=next(iter(change))):
        by_group(**({"x": X, "y": Y, "group": ROOM, "shots": 2, "queries": 2} | change))


@pytest.mark.parametrize("ids", [[5], [-1], [0.5]])
def test_a_device_that_does_not_exist_is_refused(ids: list) -> None:
    with pytest.raises(InputError, match="id"):
        by_group(X, Y, ROOM, shots=1, queries=1).sample(0, np.array(ids))


def test_rooms_of_a_real_data_set(data: Path) -> None:
    (path,) = (data / "room_climate").glob("*.npz")
    with np.load(path) as z:
        values, device, time = z["values"], z["location"].astype(np.int64) * 10 + z["node"], z["time_s"]
        occupied = (z["occupants"] > 0).astype(np.int64)
    family = by_group(values, occupied, device, shots=64, queries=64, held_out=3, order=time)
    assert (family.clients, family.held_out().clients) == (9, 3)
    assert family.sample(0, np.arange(9)).support_y.shape == (9, 64, 1)
