"""`shoal run`: an experiment from a TOML file."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from shoal.cli import console
from shoal.cli.console import FormatOption
from shoal.errors import ConfigError

if TYPE_CHECKING:
    from shoal.federate import Experiment, Run

__all__ = ["run"]


def run(
    file: Path,
    /,
    *,
    folder: Path | None = None,
    seed: Annotated[list[int] | None, Parameter(negative=())] = None,
    resume: Annotated[bool, Parameter(negative=())] = False,
    catalog: Path | None = None,
    output_format: FormatOption = "table",
) -> None:
    """Execute an experiment that a TOML file describes.

    For each seed the rounds run, then new devices adapt from what was learnt, from scratch, and not at all.
    What happened is kept in FOLDER/seed-N. An interrupted run goes on with --resume.

    Parameters
    ----------
    file
        The experiment, for instance experiments/sine.toml.
    folder
        Where runs are kept; runs/NAME by default, with the name of the file.
    seed
        Seed of the run, in place of those in the file; may be given several times.
    resume
        Go on from the last checkpoints; what is not begun begins.
    catalog
        A catalog where the finished runs are registered, with their models and figures; made if need be.
    """
    from shoal.cli import judged, results
    from shoal.federate import load_experiment

    experiment = load_experiment(file)
    folder = Path("runs", file.stem) if folder is None else folder
    seeds = tuple(experiment.seeds if seed is None else dict.fromkeys(seed))
    chosen = [f"--seed={number}" for number in seed or ()]
    again = shlex.join(["shoal", "run", str(file), "--folder", str(folder), *chosen])
    if not resume:
        for number in seeds:
            if (place(folder, number) / "run.json").exists():
                raise ConfigError(
                    "the folder holds a run",
                    where=str(place(folder, number)),
                    hint=f"{again} --resume, or another --folder",
                )
    try:
        runs = [execute(experiment, number, folder, resume=resume) for number in seeds]
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"{again} --resume") from None
    if catalog is not None:
        register(catalog, [place(folder, number) for number in seeds])
    found = [judged.read(place(folder, number)) for number in seeds]
    together = judged.combined([one for one in found if one is not None])
    if output_format == "json":
        console.json_result(summary(runs, folder) | together.to_json())
    else:
        devices = together.learnt.losses.shape[1]
        over = f"{len(seeds)} seeds" if len(seeds) > 1 else f"{devices} new devices"
        title = f"{file.stem}: {together.metric}, mean and 95 % confidence interval over {over}"
        results.show(together, title)
    done = folder if len(seeds) > 1 else place(folder, seeds[0])
    console.next_command(f"shoal report {shlex.quote(str(done))}")


def place(folder: Path, seed: int) -> Path:
    """Return the folder of one seed."""
    return folder / f"seed-{seed}"


def execute(experiment: Experiment, seed: int, folder: Path, *, resume: bool) -> Run:
    """Execute one seed and judge it."""
    from shoal.cli import judged

    run = experiment.run_of(seed, place(folder, seed))
    name = type(run.algorithm).__name__
    console.note(f"seed {seed}: {run.rounds:,} rounds of {name}, kept in {run.folder}")
    run.execute(resume=resume)
    console.note(f"seed {seed}: {run.evaluation.tasks_count} new devices adapt")
    judged.write(place(folder, seed), judged.judge(run))
    return run


def register(path: Path, folders: list[Path]) -> None:
    """Register finished runs in a catalog."""
    from shoal.catalog.runs import add_run
    from shoal.cli.catalogs import opened

    with opened(path, make=True) as catalog:
        for folder in folders:
            run = add_run(catalog, folder)
            model = catalog.model(run.produced or "")
            console.note(f"{folder}: registered as {model.name}:{model.version} in {path}")


def summary(runs: list[Run], folder: Path) -> dict[str, object]:
    """Return what was done, for programs."""
    return {
        "folder": str(folder),
        "runs": [
            {
                "seed": run.seed,
                "folder": str(run.folder),
                "rounds": run.rounds,
                "bytes_up": run.history.total("bytes_up"),
                "bytes_down": run.history.total("bytes_down"),
                "clients": run.history.total("clients"),
                "failed": run.history.total("failed"),
            }
            for run in runs
        ],
    }
