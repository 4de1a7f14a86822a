"""What happened in a run."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from shoal.federate.adaptation import Adaptation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["Evaluated", "Failure", "History", "Row"]


class Row(NamedTuple):
    """One round.

    Attributes
    ----------
    round
        Number of rounds done, 1 for the first.
    loss
        Mean over the clients that arrived of their losses before each step, None where none did.
    bytes_up, bytes_down
        Of all clients, as encoded.
    clients, failed
        How many arrived and how many did not, of those that were reached.
    """

    round: int
    loss: float | None
    bytes_up: int
    bytes_down: int
    clients: int
    failed: int


class Failure(NamedTuple):
    """A client that was dropped for what it computed; one that got lost is only counted."""

    round: int
    client: int
    failure: str


class Evaluated(NamedTuple):
    """How well new devices adapt after some rounds."""

    round: int
    adaptation: Adaptation


@dataclass(slots=True)
class History:
    """What happened in a run, in order.

    Attributes
    ----------
    rows
        One for each round.
    evaluations
        At the rounds that were evaluated.
    failures
        Clients that were dropped for what they computed.

    Examples
    --------
    >>> history = History([Row(1, 4.0, 10, 10, 1, 0), Row(2, 2.0, 10, 10, 1, 0)])
    >>> history.column("loss"), history.total("bytes_up")
    (array([4., 2.]), 20)
    """

    rows: list[Row] = field(default_factory=list)
    evaluations: list[Evaluated] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    def column(self, name: str) -> NDArray[Any]:
        """Return a column of the rounds by name, (rounds,); a loss of nobody is NaN."""
        place = Row._fields.index(name)
        return np.array([math.nan if row[place] is None else row[place] for row in self.rows])

    def total(self, name: str) -> int:
        """Return the sum of a column of whole numbers."""
        return sum(int(value) for value in self.column(name))

    def add(self, entries: Iterable[Row | Failure | Evaluated]) -> None:
        """Append what happened."""
        for entry in entries:
            if isinstance(entry, Row):
                self.rows.append(entry)
            elif isinstance(entry, Failure):
                self.failures.append(entry)
            else:
                self.evaluations.append(entry)


def to_line(entry: Row | Failure | Evaluated) -> str:
    """Return an entry as one line of JSON."""
    if isinstance(entry, Evaluated):
        return json.dumps({"round": entry.round, "evaluation": entry.adaptation.to_json()}) + "\n"
    return json.dumps(entry._asdict()) + "\n"


def from_line(line: str) -> Row | Failure | Evaluated:
    """Return the entry of a line that :func:`to_line` wrote.

    Raises
    ------
    ValueError, KeyError, TypeError
        For any other line.
    """
    values = json.loads(line)
    if "evaluation" in values:
        return Evaluated(int(values["round"]), Adaptation.from_json(values["evaluation"]))
    if "failure" in values:
        return Failure(**values)
    return Row(**values)
