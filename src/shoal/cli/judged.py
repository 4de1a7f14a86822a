"""What a run is judged by: how new devices adapt from it, next to the two controls."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from shoal import federate
from shoal.errors import StateError
from shoal.nn import storage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from shoal.federate import Adaptation, Run

__all__ = ["FILE", "LABELS", "Judged", "combined", "judge", "read", "write"]

FILE = "adaptation.json"
LABELS = {"learnt": "meta-learnt", "from_scratch": "from scratch", "no_adaptation": "no adaptation"}


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Adaptation of new devices, the same ones in each case.

    Parameters
    ----------
    learnt
        From the start that the run found.
    from_scratch
        From random parameters.
    no_adaptation
        From the start that the run found, without learning.
    """

    learnt: Adaptation
    from_scratch: Adaptation
    no_adaptation: Adaptation

    @property
    def metric(self) -> str:
        """What is measured."""
        return "loss" if self.learnt.accuracies is None else "accuracy"

    def curves(self) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """Return mean and half the 95 % confidence interval after each number of steps, by case."""
        return {field.name: curve(getattr(self, field.name)) for field in fields(self)}

    def to_json(self) -> dict[str, Any]:
        """Return means and intervals as JSON has them."""
        named = {
            name: {"mean": mean.tolist(), "interval": interval.tolist()}
            for name, (mean, interval) in self.curves().items()
        }
        devices = self.learnt.losses.shape[1]
        return {"metric": self.metric, "devices": devices, "steps": list(self.learnt.steps), **named}


def curve(adaptation: Adaptation) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return accuracy, or for a regression loss, and half its 95 % confidence interval."""
    accuracy, interval = adaptation.accuracy, adaptation.accuracy_interval
    if accuracy is None or interval is None:
        return adaptation.loss, adaptation.loss_interval
    return accuracy, interval


def judge(run: Run, threads: int = 1) -> Judged:
    """Evaluate what a run learnt and both controls, as the run says."""
    how = run.evaluation

    def evaluate(control: federate.NoAdaptation | federate.FromScratch | None) -> Adaptation:
        return federate.evaluate(
            run.network,
            run.tasks,
            steps=how.steps,
            optimizer=how.optimizer or run.algorithm.local_optimizer,
            tasks_count=how.tasks_count,
            seed=how.seed,
            batch=how.batch,
            control=control,
            threads=threads,
        )

    return Judged(evaluate(None), evaluate(federate.FromScratch(run.seed)), evaluate(federate.NoAdaptation()))


def combined(several: Sequence[Judged]) -> Judged:
    """Join those of several seeds; intervals are then over the seeds."""
    names = [field.name for field in fields(Judged)]
    return Judged(*(federate.combine([getattr(one, name) for one in several]) for name in names))


def write(folder: Path, judged: Judged) -> None:
    """Keep it in the folder of its run."""
    values = {field.name: getattr(judged, field.name).to_json() for field in fields(judged)}
    storage.write(folder / FILE, (json.dumps(values) + "\n").encode())


def read(folder: Path) -> Judged | None:
    """Return what a run's folder keeps, None where it keeps nothing.

    Raises
    ------
    StateError
        Where the file is damaged.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        values = json.loads(storage.read(path))
        judged = Judged(*(federate.Adaptation.from_json(values[field.name]) for field in fields(Judged)))
        shapes = {getattr(judged, field.name).losses.shape for field in fields(Judged)}
        if len(shapes) != 1 or shapes.pop()[1:] != (judged.learnt.losses.shape[1], len(judged.learnt.steps)):
            raise ValueError("arrays of different shapes")
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        hint = "remove the file, or run again"
        raise StateError("the evaluation is damaged", where=str(path), hint=hint) from None
    return judged
