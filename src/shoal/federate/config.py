"""Experiments as TOML files.

A file has the sections ``[network]``, ``[tasks]``, ``[algorithm]``, ``[run]`` and, where the defaults do not
do, ``[cohort]`` and ``[evaluation]``. Their keys are the parameters of `nn.Network`, of the function in
`datasets` and the class in `federate` that ``type`` names, and of `Run`, `SimulatedCohort` and `Evaluation`.
Wherever one of these takes an object, an inline table with its ``type`` stands for it::

    server_lr = { type = "Linear", start = 1, end = 0 }
"""

from __future__ import annotations

import inspect
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal import datasets, learn, nn
from shoal.errors import ConfigError, StorageError
from shoal.federate import algorithms, codecs, schedules
from shoal.federate.check import nearest, seed, whole
from shoal.federate.evaluation import Evaluation, check_tasks
from shoal.federate.run import Run
from shoal.federate.simulated import SimulatedCohort
from shoal.federate.toml import Source
from shoal.nn import layers

if TYPE_CHECKING:
    from collections.abc import Callable

    from shoal.federate.algorithms import Algorithm

__all__ = ["Experiment", "load_experiment"]

SECTIONS = ("network", "tasks", "algorithm", "run", "cohort", "evaluation")


def classes_of(module: Any, base: type | tuple[type, ...] = object) -> dict[str, Callable[..., Any]]:
    """Return the public classes of a module that one can make, by name."""
    found = {name: getattr(module, name) for name in module.__all__}
    return {
        name: value
        for name, value in found.items()
        if isinstance(value, type) and issubclass(value, base) and not inspect.isabstract(value)
    }


def families_of(module: Any) -> dict[str, Callable[..., Any]]:
    """Return the functions of a module that need no argument, so that a file can call them."""
    found = {
        name: getattr(module, name) for name in module.__all__ if inspect.isfunction(getattr(module, name))
    }
    return {name: call for name, call in found.items() if not required(call)}


def required(call: Callable[..., Any]) -> list[str]:
    """Return the parameters that a call needs."""
    parameters = inspect.signature(call).parameters.values()
    positional = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    return [p.name for p in positional if p.default is p.empty]


LAYERS = {
    name: getattr(layers, name) for name in layers.__all__ if not inspect.isabstract(getattr(layers, name))
}
TASKS = families_of(datasets)
ALGORITHMS = classes_of(algorithms, algorithms.Algorithm)
# What may stand for a parameter inside an algorithm, an evaluation or a schedule.
PARTS = (
    classes_of(schedules)
    | classes_of(learn, (learn.SGD, learn.Momentum, learn.Adam))
    | {name: kind for name, kind in classes_of(codecs).items() if name != "Codec"}
)


@dataclass(frozen=True, slots=True, eq=False)
class Experiment:
    """What a file describes.

    Attributes
    ----------
    path
        Of the file.
    network
        Keyword arguments of `nn.Network` but for the seed, which is that of the run.
    tasks
        The family of tasks.
    algorithm
        What runs.
    run
        Keyword arguments of `Run`, its seed and folder excepted.
    seeds
        One run for each.
    cohort
        Keyword arguments of `SimulatedCohort`.
    """

    path: Path
    network: dict[str, Any]
    tasks: datasets.TaskFamily
    algorithm: Algorithm
    run: dict[str, Any]
    seeds: tuple[int, ...]
    cohort: dict[str, Any]

    def run_of(self, seed: int, folder: str | os.PathLike[str] | None = None) -> Run:
        """Return the run of one seed, which also draws the network's first weights.

        Parameters
        ----------
        seed
            Usually one of `seeds`.
        folder
            Where it is kept; None: nowhere.
        """
        network = nn.Network(**self.network, seed=seed)
        cohort = SimulatedCohort(self.tasks, **self.cohort, seed=seed)
        return Run(network, self.tasks, self.algorithm, **self.run, seed=seed, cohort=cohort, folder=folder)


def load_experiment(path: str | os.PathLike[str]) -> Experiment:
    """Read an experiment from a TOML file and check all of it.

    Parameters
    ----------
    path
        Of the file.

    Raises
    ------
    StorageError
        Where the file cannot be read.
    ConfigError
        For text that is not TOML, a missing section, an unknown key or type, or a value that cannot be used;
        it names the line and the key.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise StorageError(f"cannot read: {error.strerror}", where=os.fspath(path)) from error
    except UnicodeDecodeError:
        raise ConfigError("not UTF-8 text", where=os.fspath(path)) from None
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"not TOML: {error}", where=os.fspath(path)) from None
    return read(Source(os.fspath(path), text), content)


def read(source: Source, content: dict[str, Any]) -> Experiment:
    """Return the experiment that a file's content describes."""
    for name, value in content.items():
        if name not in SECTIONS or not isinstance(value, dict):
            raise source.error(f"no section {name!r}", (name,), nearest(name, SECTIONS))
    for name in SECTIONS[:4]:
        if name not in content:
            raise source.error(f"the section [{name}] is missing", (), f"[{name}]")
    network = section_network(source, content["network"])
    tasks = made(source, ("tasks",), content["tasks"], TASKS)
    algorithm = made(source, ("algorithm",), content["algorithm"], ALGORITHMS)
    settings = dict(content["run"])
    seeds = source.checked(("run", "seeds"), lambda: read_seeds(settings.pop("seeds", [0])))
    known_keys(
        source,
        ("run",),
        settings,
        allowed(Run, {"network", "tasks", "algorithm", "seed", "cohort", "folder", "evaluation"}),
        "seeds",
    )
    if "rounds" not in settings:
        raise source.error("rounds is missing", ("run",), "rounds = 1000")
    cohort = dict(content.get("cohort", {}))
    known_keys(source, ("cohort",), cohort, allowed(SimulatedCohort, {"tasks", "seed"}))
    settings["evaluation"] = made(source, ("evaluation",), content.get("evaluation", {}), {}, Evaluation)
    experiment = Experiment(Path(source.path), network, tasks, algorithm, settings, seeds, cohort)
    check_experiment(source, experiment)
    return experiment


def section_network(source: Source, section: dict[str, Any]) -> dict[str, Any]:
    """Return the keyword arguments of the network."""
    section = dict(section)
    known_keys(source, ("network",), section, allowed(nn.Network, {"seed"}))
    missing = [name for name in required(nn.Network) if name not in section]
    if missing:
        raise source.error(f"{missing[0]} is missing", ("network",), f"{missing[0]} = [...]")
    if not isinstance(section["layers"], list):
        raise source.error(
            "layers is no list", ("network", "layers"), 'layers = [{ type = "Dense", units = 32 }]'
        )
    stack = [
        made(source, ("network", "layers", i), entry, LAYERS) for i, entry in enumerate(section["layers"])
    ]
    return {key: plain(value) for key, value in section.items()} | {"layers": stack}


def made(
    source: Source,
    path: tuple[str | int, ...],
    table: Any,
    kinds: dict[str, Callable[..., Any]],
    default: Callable[..., Any] | None = None,
) -> Any:
    """Return the object that a table with a ``type`` describes."""
    if not isinstance(table, dict):
        raise source.error(f"{table!r} is no table", path, '{ type = "..." }')
    arguments = dict(table)
    call = default
    if default is None:
        name = arguments.pop("type", None)
        if name is None:
            raise source.error("type is missing", path, "type: " + nearest("", kinds))
        if not isinstance(name, str) or name not in kinds:
            raise source.error(f"no type {name!r}", (*path, "type"), nearest(name, kinds))
        call = kinds[name]
    if call is None:
        raise AssertionError
    known_keys(source, path, arguments, allowed(call, set()))
    missing = [name for name in required(call) if name not in arguments]
    if missing:
        raise source.error(f"{missing[0]} is missing", path, f"{missing[0]} = ...")
    values: dict[str, Any] = {}
    for key, value in arguments.items():
        place = (*path, key)
        if isinstance(value, dict):
            values[key] = made(source, place, value, PARTS)
        elif path[:2] == ("network", "layers") and key in {"layers", "shortcut"} and isinstance(value, list):
            values[key] = [made(source, (*place, i), entry, LAYERS) for i, entry in enumerate(value)]
        else:
            values[key] = plain(value)
    return source.checked(path, lambda: build(call, values))


def build(call: Callable[..., Any], values: dict[str, Any]) -> Any:
    """Make an object; a parameter such as `*layers` takes its list."""
    spread = next(
        (p for p in inspect.signature(call).parameters.values() if p.kind is p.VAR_POSITIONAL), None
    )
    return call(*values.pop(spread.name, ()), **values) if spread is not None else call(**values)


def allowed(call: Callable[..., Any], without: set[str]) -> list[str]:
    """Return the parameters that a call takes."""
    return [name for name in inspect.signature(call).parameters if name not in without]


def known_keys(
    source: Source, path: tuple[str | int, ...], table: dict[str, Any], names: list[str], *more: str
) -> None:
    """Check that all keys of a table are known."""
    for key in table:
        if key not in names and key not in more:
            raise source.error(f"unknown key {key!r}", (*path, key), nearest(key, [*names, *more]))


def plain(value: Any) -> Any:
    """Return a value with its lists as tuples, which frozen classes hold."""
    return tuple(plain(item) for item in value) if isinstance(value, list) else value


def read_seeds(value: Any) -> tuple[int, ...]:
    """Return the seeds: a list of them, or how many, counted from 0."""
    if isinstance(value, list):
        if not value or len(set(map(str, value))) != len(value):
            raise ConfigError(f"seeds is {value!r}", where="seeds", hint="seeds = [0, 1, 2], each once")
        return tuple(seed(item, "seeds") for item in value)
    return tuple(range(whole(value, "seeds")))


def check_experiment(source: Source, experiment: Experiment) -> None:
    """Make what the file describes once, so that an error shows before the first round."""
    network = source.checked(("network",), lambda: nn.Network(**experiment.network))
    source.checked(("network",), lambda: check_tasks(network, experiment.tasks))
    source.checked(("algorithm",), lambda: experiment.algorithm.plan(network))
    source.checked(("cohort",), lambda: SimulatedCohort(experiment.tasks, **experiment.cohort))
    source.checked(("run",), lambda: Run(network, experiment.tasks, experiment.algorithm, **experiment.run))
