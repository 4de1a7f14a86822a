"""The progress bar of a run: on stderr, and only on a terminal."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from types import TracebackType

    from shoal.federate.history import History

__all__ = ["Bar"]


class Bar:
    """Rounds done, the latest loss and accuracy, and bytes.

    Parameters
    ----------
    rounds
        Of the run.
    shown
        False never shows it.
    """

    def __init__(self, rounds: int, *, shown: bool) -> None:
        self.rounds = rounds
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not (shown and sys.stderr.isatty()),
            transient=True,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        self._task = self._progress.add_task("rounds", total=self.rounds, figures="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, history: History) -> None:
        """Show where the run is."""
        if not self._progress.disable:
            self._progress.update(self._task, completed=len(history.rows), figures=figures(history))


def figures(history: History) -> str:
    """Return the latest figures in one line.

    Examples
    --------
    >>> from shoal.federate.history import History, Row
    >>> figures(History([Row(1, 0.25, 4618, 4618, 1, 0)]))
    'loss 0.2500  up 4.6 kB  down 4.6 kB'
    """
    parts = []
    # A thousand rounds at most, so that showing stays cheap in a long run.
    losses = [row.loss for row in history.rows[-1000:] if row.loss is not None]
    if losses:
        parts.append(f"loss {math.fsum(losses) / len(losses):.4f}")
    accuracy = history.evaluations[-1].adaptation.accuracy if history.evaluations else None
    if accuracy is not None:
        parts.append(f"accuracy {accuracy[-1]:.1%}")
    if history.rows:
        parts += [f"up {size(history.total('bytes_up'))}", f"down {size(history.total('bytes_down'))}"]
    return "  ".join(parts)


def size(count: float) -> str:
    """Return a number of bytes with a unit."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"
