"""How well devices adapt: losses and accuracies after some steps, and how sure their means are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Adaptation", "combine"]

# Two-sided 95 % quantiles of Student's t for 1 to 30 degrees of freedom; beyond, the normal distribution's.
STUDENT = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip
NORMAL = 1.960


@dataclass(frozen=True, slots=True, eq=False)
class Adaptation:
    """Losses, and for classes accuracies, of devices on their queries after some steps on their support set.

    Attributes
    ----------
    steps
        After how many steps.
    losses
        (runs, tasks, steps), the mean over each task's queries.
    accuracies
        (runs, tasks, steps), from 0 to 1; None for a regression.
    failed
        Tasks whose learning diverged; they count with their start.

    Examples
    --------
    >>> one = Adaptation((0, 8), np.array([[[4.0, 1.0], [2.0, 1.0]]]), None)
    >>> one.loss, one.loss_interval.round(2)
    (array([3., 1.]), array([12.71,  0.  ]))
    """

    steps: tuple[int, ...]
    losses: NDArray[np.float64]
    accuracies: NDArray[np.float64] | None
    failed: int = 0

    @property
    def loss(self) -> NDArray[np.float64]:
        """Mean loss after each number of steps, (steps,)."""
        return mean(self.losses)

    @property
    def loss_interval(self) -> NDArray[np.float64]:
        """Half the 95 % confidence interval of `loss`, (steps,): over tasks, or over several runs."""
        return interval(self.losses)

    @property
    def accuracy(self) -> NDArray[np.float64] | None:
        """Mean accuracy after each number of steps, (steps,)."""
        return None if self.accuracies is None else mean(self.accuracies)

    @property
    def accuracy_interval(self) -> NDArray[np.float64] | None:
        """Half the 95 % confidence interval of `accuracy`, as for the loss."""
        return None if self.accuracies is None else interval(self.accuracies)

    def to_json(self) -> dict[str, Any]:
        """Return the values as JSON has them."""
        return {
            "steps": list(self.steps),
            "losses": self.losses.tolist(),
            "accuracies": None if self.accuracies is None else self.accuracies.tolist(),
            "failed": self.failed,
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Adaptation:
        """Return what :meth:`to_json` was given."""
        accuracies = values["accuracies"]
        return cls(
            tuple(values["steps"]),
            np.array(values["losses"], np.float64),
            None if accuracies is None else np.array(accuracies, np.float64),
            values["failed"],
        )


def combine(adaptations: Sequence[Adaptation]) -> Adaptation:
    """Join the evaluations of several runs, such as those of several seeds.

    Parameters
    ----------
    adaptations
        With the same steps and numbers of tasks.

    Returns
    -------
    Adaptation
        Its intervals are over the means of the runs.

    Raises
    ------
    InputError
        Where they differ in their steps or tasks, or there is none.
    """
    shapes = {(a.steps, a.losses.shape[1:], a.accuracies is None) for a in adaptations}
    if len(shapes) != 1:
        raise InputError(
            f"{len(shapes)} kinds of evaluations to combine", where="combine", hint="the same steps and tasks"
        )
    accuracies = [a.accuracies for a in adaptations if a.accuracies is not None]
    return Adaptation(
        adaptations[0].steps,
        np.concatenate([a.losses for a in adaptations]),
        np.concatenate(accuracies) if accuracies else None,
        sum(a.failed for a in adaptations),
    )


def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean over runs and tasks."""
    result: NDArray[np.float64] = values.mean(axis=(0, 1))
    return result


def interval(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return half the 95 % confidence interval of the mean; 0 for a single value."""
    points = values[0] if len(values) == 1 else values.mean(axis=1)
    n = len(points)
    if n == 1:
        return np.zeros(values.shape[2])
    quantile = STUDENT[n - 2] if n - 2 < len(STUDENT) else NORMAL
    result: NDArray[np.float64] = quantile * points.std(axis=0, ddof=1) / np.sqrt(n)
    return result
