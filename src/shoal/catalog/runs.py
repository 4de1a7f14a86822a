"""Finished runs: the model, the run and what was measured, from the folder that a run leaves."""

from __future__ import annotations

import json
import math
import re
import statistics
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.catalog.describe.describe import plain_name
from shoal.catalog.documents import Measurement, Metric, Run
from shoal.errors import StateError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from shoal.catalog.catalog import Catalog

__all__ = ["add_run"]

RUN, METRICS, MODEL, ADAPTATION = "run.json", "metrics.jsonl", "model.shoal", "adaptation.json"
# Two-sided 95 % quantile of the normal distribution: the mean of so many devices or more is nearly normal.
NORMAL, MANY = 1.960, 30


@dataclass(frozen=True, slots=True)
class Adapted:
    """How new devices adapt: a figure after a number of steps, with its 95 % interval where that is known."""

    quantity: str
    steps: int
    value: float
    interval: tuple[float, float] | None
    devices: int

    @property
    def name(self) -> str:
        """What it is called among the metrics of a model."""
        return f"{self.quantity} after {self.steps} steps"


def add_run(
    catalog: Catalog,
    folder: Path | str,
    *,
    name: str | None = None,
    version: str | None = None,
    base: str | None = None,
    cohort: str = "",
    devices: Sequence[str] = (),
    actor: str = "",
    **fields: Any,
) -> Run:
    """Register a finished run: its model with the file, the run, and what was measured, all or nothing.

    The same folder again changes nothing.

    Parameters
    ----------
    folder
        Of the run, as :class:`shoal.federate.Run` left it; with `adaptation.json`, as `shoal run` leaves it,
        how new devices adapt is registered too.
    name
        Of the model; by default that of the folder, or of the folder around it for `seed-0` and the like.
    version
        By default the patch after the newest of this name.
    base
        The model that it began with, as `Catalog.model` takes it.
    cohort, devices
        The query that chose the devices, and their ids.
    fields
        Of the model, as `Catalog.add_model` takes them.

    Raises
    ------
    StateError
        If the folder holds no run, one that is not finished, or a damaged one.
    StorageError
        If it cannot be read.
    """
    folder = Path(folder)
    said = _object(folder / RUN)
    config, environment = said.get("config"), said.get("environment")
    if not isinstance(config, dict) or not isinstance(environment, dict):
        raise StateError("not the description of a run", where=str(folder / RUN), hint="another folder")
    if not (folder / MODEL).exists():
        raise StateError("the run is not finished", where=str(folder), hint="shoal run FILE --resume")
    adapted = list(_adapted(folder / ADAPTATION))
    tasks = _kind(config.get("tasks"))
    last = max(adapted, key=lambda one: (one.quantity == "accuracy", one.steps), default=None)
    metrics = () if last is None else (Metric(name=last.name, value=last.value, dataset=tasks),)
    name = name or _name(folder)
    with catalog.store.transaction():
        began = None if base is None else catalog.model(base).sha256
        digest = catalog.store.write_blob(_read(folder / MODEL))
        key = f"{name}/{plain_name(folder.name, 'run')}/{digest[:12]}"
        model = catalog.add_model(
            folder / MODEL,
            name=name,
            version=version,
            actor=actor,
            **{"dataset": tasks, "metrics": metrics, "lineage": {"run": key, "base": began}} | fields,
        )
        old = catalog.store.get("run", key)
        # When the files were written is known the first time; later they may be copies.
        started = old.body.get("started") if old is not None else _written(folder / RUN)
        ended = old.body.get("ended") if old is not None else _written(folder / MODEL)
        run = Run.checked(
            {
                "key": key,
                "algorithm": _kind(config.get("algorithm")),
                "tasks": tasks,
                "rounds": config.get("rounds"),
                "seed": config.get("seed"),
                "revision": environment.get("git") or "",
                "started": started,
                "ended": ended,
                "produced": model.sha256,
                "base": began,
                "cohort": cohort,
                "devices": list(devices),
                "metrics": [one.model_dump() for one in metrics],
                "config": config,
                "environment": environment,
            },
            str(folder / RUN),
        )
        catalog.add(run, actor=actor)
        for measurement in _measurements(run, adapted, _totals(folder / METRICS), ended):
            catalog.add(measurement, actor=actor)
    return run


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        hint = "the folder of a run, such as runs/sine/seed-0"
        raise StateError("no run here", where=str(path), hint=hint) from None
    except OSError as error:
        raise StorageError(f"cannot read: {error.strerror}", where=str(path)) from error


def _object(path: Path) -> dict[str, Any]:
    """Return the object that a file holds."""
    content = _read(path)
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise StateError("a damaged file", where=str(path), hint="another folder")
    return value


def _adapted(path: Path) -> Iterator[Adapted]:
    """Yield loss, and accuracy where there are classes, after each number of steps."""
    if not path.exists():
        return
    try:
        learnt = _object(path)["learnt"]
        for quantity, values in (("loss", learnt["losses"]), ("accuracy", learnt["accuracies"])):
            if values is None:
                continue
            for i, steps in enumerate(learnt["steps"]):
                points = [float(task[i]) for run in values for task in run]
                if not all(map(math.isfinite, points)):
                    continue
                value, interval = statistics.fmean(points), None
                if len(points) >= MANY:
                    half = NORMAL * statistics.stdev(points) / math.sqrt(len(points))
                    interval = (value - half, value + half)
                yield Adapted(quantity, int(steps), value, interval, len(points))
    except (KeyError, TypeError, ValueError, IndexError):
        raise StateError("a damaged evaluation", where=str(path), hint="run again") from None


def _totals(path: Path) -> dict[str, int]:
    """Return the bytes that all clients sent and got."""
    totals = {"bytes_up": 0, "bytes_down": 0}
    for number, line in enumerate(_read(path).splitlines(), 1):
        try:
            row = json.loads(line)
            for key in totals:
                totals[key] += int(row.get(key, 0))
        except (ValueError, TypeError, AttributeError, RecursionError):
            raise StateError("a damaged line", where=f"{path}:{number}", hint="another folder") from None
    return totals


def _measurements(
    run: Run, adapted: list[Adapted], totals: dict[str, int], at: object
) -> Iterator[Measurement]:
    shared = {"run": run.key, "model": run.produced, "at": at}
    for one in adapted:
        body: dict[str, Any] = {
            "key": f"{run.key}/{one.quantity}-{one.steps}",
            "quantity": one.quantity,
            "value": one.value,
            "unit": "",
            "method": f"after {one.steps} steps, mean over {one.devices} new devices",
            "interval": one.interval,
        }
        yield Measurement.checked(shared | body, run.key)
    for name, value in totals.items():
        body = {
            "key": f"{run.key}/{name.replace('_', '-')}",
            "quantity": "other",
            "value": value,
            "unit": "BYTE",
            "method": f"{name.replace('_', ' ')}, of all clients, as encoded",
        }
        yield Measurement.checked(shared | body, run.key)


def _written(path: Path) -> str:
    """Return when a file was written, in whole seconds."""
    return datetime.fromtimestamp(int(path.stat().st_mtime), UTC).isoformat()


def _kind(value: object) -> str:
    """Return the name of a part of a configuration."""
    return str(value.get("type", ""))[:200] if isinstance(value, dict) else ""


def _name(folder: Path) -> str:
    """Return a name for what a folder holds.

    Examples
    --------
    >>> _name(Path("runs/sine/seed-0")), _name(Path("runs/My fan"))
    ('sine', 'My-fan')
    """
    folder = folder.resolve()
    chosen = folder.parent if re.fullmatch(r"seed-\d+", folder.name) else folder
    return plain_name(chosen.name, "run")
