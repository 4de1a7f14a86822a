from __future__ import annotations

import sys

import numpy as np
import pytest

from shoal.datasets import digits
from shoal.errors import InputError, MissingExtraError


def test_held_out_digits_are_never_seen() -> None:
    pytest.importorskip("sklearn")
    family = digits()
    assert (family.input_shape, family.outputs) == ((8, 8, 1), 3)
    assert family.x.min() == 0
    assert family.x.max() == 1
    digit = np.repeat(np.arange(10), np.bincount(load_labels()))
    assert len(digit) == len(family.x)
    for part, allowed in ((family, {0, 1, 2, 3, 4, 5, 6}), (family.held_out(), {7, 8, 9})):
        batch = part.sample(0, np.arange(100, dtype=np.uint64))
        rows = np.concatenate([batch.support, batch.query], axis=1)
        assert set(load_labels()[rows].ravel().tolist()) == allowed
        assert rows.shape == (100, 3 * 20)


def load_labels() -> np.ndarray:
    from sklearn.datasets import load_digits

    return load_digits().target


def test_the_training_digits_can_be_chosen() -> None:
    pytest.importorskip("sklearn")
    batch = digits(2, 1, 1, train_classes=(8, 9)).sample(0, np.arange(20))
    assert set(load_labels()[batch.support].ravel().tolist()) == {8, 9}
    with pytest.raises(InputError, match="1 held-out classes for 2 ways"):
        digits(2, train_classes=range(9))


def test_a_missing_scikit_learn_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(MissingExtraError, match="scikit-learn") as caught:
        digits()
    assert "shoal[demo]" in str(caught.value)
