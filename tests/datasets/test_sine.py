from __future__ import annotations

from math import inf, pi

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.datasets import TaskFamily, sine
from shoal.datasets.sine import sin
from shoal.errors import ConfigError, InputError

GOLDEN_X = [3230732881, 3225527256, 3224408996, 3222052609, 1079016672, 3220751612]
GOLDEN_Y = [1055831957, 3216269993, 3228333610, 3230326154]
IDS = st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=12)


@given(st.integers(0, 2**64 - 1), IDS, st.integers(1, 9), st.integers(1, 9), st.booleans())
@settings(deadline=None)
def test_a_task_depends_on_seed_and_id_only(
    seed: int, ids: list[int], shots: int, queries: int, test: bool
) -> None:
    family = sine(shots, queries)
    family = family.held_out() if test else family
    array = np.array(ids, np.uint64)
    batch = family.sample(seed, array)
    for k in range(len(ids)):
        together, alone = batch[k], family.sample(seed, array[k : k + 1])[0]
        for name in ("support_x", "support_y", "query_x", "query_y"):
            assert np.array_equal(getattr(together, name), getattr(alone, name))


@given(st.integers(0, 2**32))
@settings(max_examples=30, deadline=None)
def test_values_are_a_sine_in_range(seed: int) -> None:
    family = sine()
    ids = np.arange(20, dtype=np.uint64)
    batch = family.sample(seed, ids)
    amplitude, phase = family.parameters(seed, ids)
    for k, task in enumerate(batch):
        x = np.concatenate([task.support_x, task.query_x])[:, 0].astype(np.float64)
        y = np.concatenate([task.support_y, task.query_y])[:, 0].astype(np.float64)
        assert x.min() >= -5
        assert x.max() <= 5
        # A sin(x + phi) = a sin x + b cos x: fitted without knowledge of the family.
        basis = np.stack([np.sin(x), np.cos(x)], axis=1)
        (a, b), *_ = np.linalg.lstsq(basis, y, rcond=None)
        assert np.abs(basis @ [a, b] - y).max() < 1e-5
        assert 0.1 - 1e-6 <= np.hypot(a, b) <= 5 + 1e-6
        assert np.hypot(a, b) == pytest.approx(amplitude[k], abs=1e-5)
        assert np.cos(np.arctan2(b, a) - phase[k]) == pytest.approx(1, abs=1e-6)
        assert 0 <= phase[k] <= np.float32(2 * pi)


def test_amplitudes_phases_and_inputs_fill_their_ranges() -> None:
    family = sine(amplitude=(1, 2), phase=(0, 1), x=(-1, 3))
    ids = np.arange(5000, dtype=np.uint64)
    amplitude, phase = family.parameters(0, ids)
    x = family.sample(0, ids).x
    for values, low, high in ((amplitude, 1, 2), (phase, 0, 1), (x, -1, 3)):
        assert low <= values.min() < low + 0.01 * (high - low)
        assert high >= values.max() > high - 0.01 * (high - low)
        assert values.mean() == pytest.approx((low + high) / 2, abs=0.02 * (high - low))


def test_the_store_is_ready_for_c() -> None:
    batch = sine(shots=5, queries=3).sample(0, np.arange(7, dtype=np.uint64))
    assert batch.x.shape == (56, 1)
    assert batch.x.dtype == np.float32
    for rows, y, width in ((batch.support, batch.support_y, 5), (batch.query, batch.query_y, 3)):
        assert rows.dtype == np.uint32
        assert rows.shape == (7, width)
        assert y.dtype == np.float32
        assert y.shape == (7, width, 1)
        assert rows.flags.c_contiguous
        assert y.flags.c_contiguous
    assert np.array_equal(
        np.sort(np.concatenate([batch.support.ravel(), batch.query.ravel()])), np.arange(56)
    )


def test_many_blocks_agree_with_one() -> None:
    family = sine()
    ids = np.arange(3000, dtype=np.uint64)
    assert np.array_equal(family.sample(9, ids).x[-64:], family.sample(9, ids[-1:]).x)


def test_held_out_waves_are_others() -> None:
    family = sine()
    test = family.held_out()
    assert isinstance(family, TaskFamily)
    assert (family.split, test.split, test.held_out()) == ("train", "test", test)
    assert (family.input_shape, family.outputs, family.kind, family.clients) == ((1,), 1, "regression", None)
    ids = np.arange(1000, dtype=np.uint64)
    a, b = family.parameters(0, ids), test.parameters(0, ids)
    assert not np.intersect1d(a[0], b[0]).size > 5
    assert np.abs(np.corrcoef(a[0], b[0])[0, 1]) < 0.15
    assert not np.array_equal(family.sample(0, ids[:2]).x, family.sample(1, ids[:2]).x)


def test_an_empty_draw_is_empty() -> None:
    assert len(sine().sample(0, np.array([], np.uint64))) == 0


def test_the_sine_is_accurate() -> None:
    angle = np.linspace(-4 * pi, 4 * pi, 100001, dtype=np.float32)
    assert np.abs(sin(angle) - np.sin(angle.astype(np.float64))).max() < 1e-6
    assert np.abs(sin(angle)).max() <= 1


def test_the_same_bits_everywhere() -> None:
    # Golden bits: integer hashing and single IEEE-754 operations leave no room for another answer.
    batch = sine(shots=2, queries=1).sample(7, np.array([0, 2**64 - 1], np.uint64))
    assert batch.x.ravel().view(np.uint32).tolist() == GOLDEN_X
    assert batch.support_y.ravel().view(np.uint32).tolist() == GOLDEN_Y


@pytest.mark.parametrize("arguments", [{"shots": 0}, {"queries": -1}, {"shots": 2.5}, {"shots": True}])
def test_counts_are_checked(arguments: dict) -> None:
    (name,) = arguments
    with pytest.raises(ConfigError, match=name):
        sine(**arguments)


@pytest.mark.parametrize("arguments", [{"amplitude": (2, 1)}, {"phase": (0, inf)}, {"x": (float("nan"), 1)}])
def test_ranges_are_checked(arguments: dict) -> None:
    (name,) = arguments
    with pytest.raises(ConfigError, match=name):
        sine(**arguments)


@pytest.mark.parametrize("ids", [np.array([-1]), np.array([0.5]), np.array([[1]]), np.array(["a"])])
def test_ids_are_checked(ids: np.ndarray) -> None:
    with pytest.raises(InputError, match="id"):
        sine().sample(0, ids)


def test_a_batch_beyond_the_row_numbers_is_refused() -> None:
    with pytest.raises(InputError, match="too many at once"):
        sine(shots=2**31, queries=2**31).sample(0, np.arange(2, dtype=np.uint64))
