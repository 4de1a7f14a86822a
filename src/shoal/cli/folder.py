"""Reading the folder of a run, or of the runs of several seeds, whatever state it is in."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shoal.cli import judged
from shoal.errors import ShoalError, StateError, StorageError
from shoal.federate.config import ALGORITHMS, PARTS
from shoal.federate.history import History, from_line
from shoal.federate.journal import METRICS, MODEL, RUN
from shoal.nn import Network, storage
from shoal.nn.spec import layers_from_json

if TYPE_CHECKING:
    from pathlib import Path

    from shoal.cli.judged import Judged
    from shoal.nn import Plan

__all__ = ["OneRun", "Runs", "read"]


@dataclass(frozen=True, slots=True, eq=False)
class OneRun:
    """What the folder of a run holds.

    Parameters
    ----------
    path
        The folder.
    config, environment
        Of the run.
    history
        What happened.
    judged
        How new devices adapt; None where that is not known.
    missing
        What the folder does not hold.
    """

    path: Path
    config: dict[str, Any]
    environment: dict[str, Any]
    history: History
    judged: Judged | None
    missing: tuple[str, ...]

    @property
    def algorithm(self) -> str:
        """Name of the algorithm."""
        return str(part(self.config, "algorithm", "type"))

    @property
    def seed(self) -> object:
        """Seed of the run."""
        return self.config.get("seed")

    def plans(self) -> tuple[Plan, Plan] | None:
        """Return what a device runs to learn and to answer.

        None where the description has parts of the user's own.
        """
        try:
            description = self.config["network"]
            layers = layers_from_json(description["layers"], str(self.path / RUN))
            network = Network(layers, tuple(description["input_shape"]), description["loss"])
            return revived(self.config["algorithm"]).plan(network), network.plan(None)
        except (ShoalError, KeyError, TypeError, ValueError, AttributeError):
            return None


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """Runs of one experiment, one for each seed.

    Parameters
    ----------
    path
        What was read.
    runs
        At least one.
    judged
        Of all of them together; None where one is missing or they do not fit each other.
    missing
        What the folder does not hold, a line each.
    """

    path: Path
    runs: list[OneRun]
    judged: Judged | None
    missing: list[str]


def read(path: Path) -> Runs:
    """Read a run, or those in the folders below.

    Raises
    ------
    StorageError
        Where there is no folder.
    StateError
        Where it holds no run, or one that is damaged.
    """
    hint = "shoal demo, or shoal run FILE"
    if not path.is_dir():
        raise StorageError(f"there is no folder '{path}'", where="the argument RUN", hint=hint)
    folders = [path] if (path / RUN).exists() else sorted(file.parent for file in path.glob(f"*/{RUN}"))
    if not folders:
        raise StateError(f"no run: '{RUN}' is missing", where=str(path), hint=hint)
    runs = [read_one(folder) for folder in folders]
    missing = [line if len(runs) == 1 else f"{run.path.name}: {line}" for run in runs for line in run.missing]
    found = [run.judged for run in runs if run.judged is not None]
    together = None
    if len(found) == len(runs):
        try:
            together = judged.combined(found)
        except ShoalError:
            missing.append("a common evaluation: the runs were judged in different ways")
    return Runs(path, runs, together, missing)


def read_one(folder: Path) -> OneRun:
    """Read the folder of one run."""
    where = str(folder / RUN)
    try:
        content = json.loads(storage.read(folder / RUN))
        config, environment = content["config"], content.get("environment", {})
    except (ValueError, KeyError, TypeError, AttributeError):
        config = environment = None
    if not isinstance(config, dict) or not isinstance(environment, dict):
        raise StateError("not the description of a run", where=where, hint="another folder")
    history, missing = read_metrics(folder)
    rounds, done = config.get("rounds"), len(history.rows)
    if isinstance(rounds, int) and done < rounds:
        missing.append(f"{rounds - done:,} of {rounds:,} rounds: the run is not finished, resume it")
    elif not (folder / MODEL).exists():
        missing.append(f"{MODEL}: the run is not finished, resume it")
    found = judged.read(folder)
    if found is None:
        missing.append(f"{judged.FILE}: how new devices adapt, and the controls; shoal run ends with it")
    return OneRun(folder, config, environment, history, found, tuple(missing))


def read_metrics(folder: Path) -> tuple[History, list[str]]:
    """Return what happened, and what is missing of it."""
    path = folder / METRICS
    history = History()
    if not path.exists():
        return history, [f"{METRICS}: nothing is known of the rounds"]
    lines = storage.read(path).split(b"\n")
    # A run that is killed while it writes leaves its last line without an end.
    cut = lines.pop()
    for number, line in enumerate(lines, 1):
        try:
            history.add([from_line(line.decode())])
        except (ValueError, KeyError, TypeError, AttributeError):
            where = f"{path}:{number}"
            raise StateError(
                "a damaged line", where=where, hint="resume the run, or another folder"
            ) from None
    return history, ["the end of the metrics: their last line is cut off"] if cut else []


def revived(value: Any) -> Any:
    """Return the object that a description in run.json stands for."""
    if isinstance(value, dict):
        arguments = {key: revived(item) for key, item in value.items() if key != "type"}
        return (ALGORITHMS | PARTS)[value["type"]](**arguments)
    return tuple(map(revived, value)) if isinstance(value, list) else value


def part(values: Any, *keys: str) -> Any:
    """Return a value inside a description, "?" where there is none."""
    for key in keys:
        if not isinstance(values, dict) or key not in values:
            return "?"
        values = values[key]
    return values
