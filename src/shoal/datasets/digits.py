"""Handwritten digits of 8 x 8 pixels: a few-shot family that needs no download."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shoal.datasets.few_shot import FewShot, few_shot
from shoal.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Sequence


def digits(
    ways: int = 3,
    shots: int = 5,
    queries: int = 15,
    *,
    train_classes: Sequence[int] = (0, 1, 2, 3, 4, 5, 6),
) -> FewShot:
    """Family of few-shot tasks on the handwritten digits that come with scikit-learn.

    Parameters
    ----------
    ways
        Digits per task.
    shots, queries
        Support and query images per digit.
    train_classes
        Digits to train on; the others are held out, so that a new device learns digits that were never seen.

    Returns
    -------
    FewShot
        A `TaskFamily` over 1797 images (8, 8, 1) with values in [0, 1].

    Raises
    ------
    MissingExtraError
        Without scikit-learn.
    InputError
        For fewer than `ways` digits on either side.

    References
    ----------
    Alpaydin, Kaynak: Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998.

    Examples
    --------
    >>> family = digits()
    >>> family.input_shape, family.outputs, family.x.shape
    ((8, 8, 1), 3, (1797, 8, 8, 1))
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise MissingExtraError("scikit-learn", "demo") from None
    pixels, label = load_digits(return_X_y=True)
    images = (pixels.reshape(-1, 8, 8, 1) / 16).astype(np.float32)
    held_out = sorted(set(range(10)) - set(train_classes))
    return few_shot(images, label, ways, shots, queries, classes=train_classes, held_out_classes=held_out)
