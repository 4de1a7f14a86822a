"""`shoal demo`: a fleet meta-learns on real data, a new device adapts."""

from __future__ import annotations

import itertools
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.cli import console
from shoal.errors import MissingExtraError

if TYPE_CHECKING:
    from shoal.datasets import FewShot
    from shoal.nn import Network

__all__ = ["demo"]

WAYS, SHOTS = 5, 5
SEEN = (0, 1, 2, 3, 4, 5, 6)
RATE = 0.05
NEW = 200


def demo(*, seed: int = 0, folder: Path = Path("runs/demo"), rounds: int = 10_000) -> None:
    """Meta-train a fleet on real data and let new devices adapt: less than a minute, no network.

    Simulated microcontrollers see handwritten digits, upright and turned, each device five kinds of them.
    One after the other they learn from 25 samples, one at a time (TinyReptile). Then new devices learn kinds
    that nobody in the fleet has seen, from five samples each, next to two controls: the same start without
    learning, and learning from scratch.

    Parameters
    ----------
    seed
        Draws devices, samples and first weights; equal seeds give equal bits.
    folder
        Where the run is kept; where one is there already, a number is added.
    rounds
        How many devices take part in training.
    """
    from shoal import federate
    from shoal.cli import judged, memory, results

    tasks = digits()
    network = small_network(seed)
    folder = free(folder)
    run = federate.Run(
        network,
        tasks,
        federate.TinyReptile(local_steps=WAYS * SHOTS, local_lr=RATE, server_lr=federate.Linear(0.3, 0.0)),
        rounds,
        seed=seed,
        folder=folder,
        evaluate_every=max(1, rounds // 6),
        evaluation=federate.Evaluation(steps=(0, 1, 2, 4, 8, 16, 32, 64), tasks_count=NEW, seed=seed),
    )
    count = network.parameters.size
    console.note(f"{rounds:,} devices learn one after the other ({count:,} parameters, batch 1)")
    try:
        history = run.execute()
    except KeyboardInterrupt:
        hint = f"shoal report {shlex.quote(str(folder))} shows what was done; shoal demo begins anew"
        raise KeyboardInterrupt(hint) from None
    up, down = (console.size(history.total(name)) for name in ("bytes_up", "bytes_down"))
    console.note(f"{up} went up, {down} down; {NEW} new devices adapt to kinds that nobody has seen")
    found = judged.judge(run, threads=2)
    judged.write(folder, found)
    title = f"Accuracy on unseen kinds of digits after so many samples (guessing gives {1 / WAYS:.0%})"
    results.show(found, title)
    console.text("bar: meta-learnt; mark: from scratch; ±: 95 % confidence over devices\n", "dim")
    memory.show(memory.needs(run.algorithm.plan(run.network), run.network.plan(None)))
    report_of(folder)


def digits() -> FewShot:
    """Return tasks on turned digits: 28 kinds to train on, 12 that stay unseen."""
    from shoal.datasets import few_shot

    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise MissingExtraError("scikit-learn", "demo") from None
    pixels, label = load_digits(return_X_y=True)
    images = (pixels.reshape(-1, 8, 8, 1) / 16).astype("float32")
    unseen = [digit for digit in range(10) if digit not in SEEN]
    return few_shot(images, label, WAYS, SHOTS, 15, classes=SEEN, held_out_classes=unseen, rotations=True)


def small_network(seed: int) -> Network:
    """Return two small convolutions and a dense layer."""
    from shoal import nn

    layers = [
        nn.Conv2D(8, 3, padding="same"),
        nn.GroupNorm(2),
        nn.Tanh(),
        nn.MaxPool2D(2),
        nn.Conv2D(16, 3, padding="same"),
        nn.GroupNorm(4),
        nn.Tanh(),
        nn.MaxPool2D(2),
        nn.Flatten(),
        nn.Dense(WAYS),
        nn.Softmax(),
    ]
    return nn.Network(layers, input_shape=(8, 8, 1), loss="cross_entropy", seed=seed)


def free(folder: Path) -> Path:
    """Return the folder, or the first with a number that does not exist."""
    numbered = (folder.with_name(f"{folder.name}-{i}") for i in itertools.count(2))
    return next(path for path in itertools.chain([folder], numbered) if not path.exists())


def report_of(folder: Path) -> None:
    """Write the report, or say what it needs; name the next command."""
    from shoal.cli.report import REPORT, write

    quoted = shlex.quote(str(folder))
    try:
        write(folder, folder / REPORT)
    except MissingExtraError as problem:
        console.note(f"no report: {problem.what} ({problem.hint}, then: shoal report {quoted})")
        console.next_command("shoal doctor")
        return
    console.text(f"\nreport {folder / REPORT}")
    experiment = Path("experiments/sine.toml")
    console.next_command(f"shoal run {experiment}" if experiment.exists() else "shoal run -h")
