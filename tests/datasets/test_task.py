from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from shoal.datasets import TaskBatch, TaskFamily, sine


def batch(kind: str = "regression", names: tuple[str, ...] = ()) -> TaskBatch:
    rows = np.arange(8, dtype=np.uint32).reshape(2, 4)
    return TaskBatch(
        np.arange(16, dtype=np.float32).reshape(8, 2),
        rows[:, :3],
        rows[:, :3, None].astype(np.float32),
        rows[:, 3:],
        rows[:, 3:, None].astype(np.float32),
        kind=kind,
        names=names,
    )


def test_a_task_holds_the_samples_of_its_rows() -> None:
    task = batch()[1]
    assert task.support_x.tolist() == [[8, 9], [10, 11], [12, 13]]
    assert task.query_x.tolist() == [[14, 15]]
    assert task.support_y.tolist() == [[4], [5], [6]]
    assert task.name == ""


def test_class_numbers_are_flat() -> None:
    task = batch("classification", ("a", "b"))[1]
    assert task.support_y.tolist() == [4, 5, 6]
    assert task.query_y.tolist() == [7]
    assert task.name == "b"


def test_a_batch_is_a_sequence() -> None:
    tasks = list(batch())
    assert len(tasks) == len(batch()) == 2
    assert np.array_equal(batch()[-1].support_x, tasks[1].support_x)
    with pytest.raises(IndexError):
        batch()[2]


def test_a_task_is_a_copy() -> None:
    whole = batch()
    task = whole[0]
    task.support_x[:] = -1
    task.support_y[:] = -1
    assert whole[0].support_x.min() == 0
    assert whole[0].support_y.min() == 0


def test_tasks_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        batch().x = np.zeros((1, 1), np.float32)
    with pytest.raises(dataclasses.FrozenInstanceError):
        batch()[0].name = "other"


def test_the_protocol_tells_families_from_other_objects() -> None:
    assert isinstance(sine(), TaskFamily)
    assert not isinstance(batch(), TaskFamily)
