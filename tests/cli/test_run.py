"""`shoal run`."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from shoal import federate, nn
from tests.cli.conftest import EXPERIMENT, environment


def test_the_table_is_on_stdout_and_the_progress_on_stderr(finished):
    _, done = finished
    lines = done.stdout.splitlines()
    assert lines[0] == "small: loss, mean and 95 % confidence interval over 2 seeds"
    assert lines[1].split("  ")[0] == "steps"
    assert [line.split()[0] for line in lines[2:]] == ["0", "1", "4", "8"]
    assert "seed 0: 200 rounds of TinyReptile" in done.stderr
    assert done.stderr.splitlines()[-1] == "next  shoal report runs/small"


def test_a_run_is_kept_with_its_controls(finished):
    folder, _ = finished
    for seed in (0, 1):
        place = folder / "runs" / "small" / f"seed-{seed}"
        kept = json.loads((place / "adaptation.json").read_text())
        learnt, scratch, still = (
            federate.Adaptation.from_json(kept[name]) for name in ("learnt", "from_scratch", "no_adaptation")
        )
        assert learnt.losses.shape == scratch.losses.shape == still.losses.shape == (1, 20, 4)
        assert np.ptp(still.losses, axis=2).max() == 0
        assert np.array_equal(still.losses[..., 0], learnt.losses[..., 0])
        experiment = federate.load_experiment(folder / "small.toml")
        again = federate.evaluate(
            nn.load(place / "model.shoal"),
            experiment.tasks,
            steps=(0, 1, 4, 8),
            tasks_count=20,
            optimizer=experiment.algorithm.local_optimizer,
        )
        assert np.array_equal(again.losses, learnt.losses)


def test_json_for_one_seed(shoal, finished):
    folder, _ = finished
    done = shoal("run", "small.toml", "--resume", "--seed", 1, "--format", "json", cwd=folder)
    assert done.returncode == 0
    answer = json.loads(done.stdout)
    assert answer["runs"] == [
        {
            "seed": 1,
            "folder": "runs/small/seed-1",
            "rounds": 200,
            "bytes_up": 200 * 4 * 25 + 200 * 6,
            "bytes_down": 200 * 4 * 25 + 200 * 6,
            "clients": 200,
            "failed": 0,
        }
    ]
    assert answer["metric"] == "loss"
    assert answer["steps"] == [0, 1, 4, 8]
    assert all(len(answer[name]["mean"]) == 4 for name in ("learnt", "from_scratch", "no_adaptation"))


def test_a_run_is_never_overwritten(shoal, finished):
    folder, _ = finished
    before = (folder / "runs/small/seed-0/model.shoal").read_bytes()
    done = shoal("run", "small.toml", cwd=folder)
    assert done.returncode == 1
    assert "error: the folder holds a run" in done.stderr
    assert "--resume" in done.stderr
    assert (folder / "runs/small/seed-0/model.shoal").read_bytes() == before


@pytest.mark.parametrize(
    ("old", "new", "what", "where"),
    [
        ('"TinyReptile"', '"TinyReptil"', "TinyReptil", "small.toml:12: algorithm.type"),
        ("rounds = 200", "rounds = -1", "rounds", "small.toml:16: run.rounds"),
        ("local_steps", "local_stepz", "local_stepz", "small.toml:13: algorithm.local_stepz"),
        ("[run]", "[run", "TOML", "small.toml"),
    ],
)
def test_a_mistake_in_the_file_is_shown_with_its_line(shoal, tmp_path, old, new, what, where):
    (tmp_path / "small.toml").write_text(EXPERIMENT.replace(old, new), encoding="utf-8")
    done = shoal("run", "small.toml", cwd=tmp_path)
    assert done.returncode == 1
    assert what in done.stderr.splitlines()[0]
    assert where in done.stderr.splitlines()[1]
    assert not (tmp_path / "runs").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
def test_an_interrupted_run_says_how_to_go_on_and_ends_with_the_same_bits(shoal, tmp_path):
    text = EXPERIMENT.replace("rounds = 200", "rounds = 15000").replace("seeds = [0, 1]", "seeds = [5]")
    text = text.replace("evaluate_every = 100", "evaluate_every = 1000")
    (tmp_path / "long.toml").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "shoal", "run", "long.toml"]
    place = tmp_path / "runs/long/seed-5"
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
        # Who starts the tests in the background ignores the signal, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 (no threads here)
    ) as process:
        end = time.monotonic() + 60
        while not list(place.glob("checkpoint-*")) and time.monotonic() < end:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert stdout == ""
    assert "error: interrupted" in stderr
    assert "  try    shoal run long.toml --folder runs/long --resume" in stderr
    assert not (place / "model.shoal").exists()
    assert shoal("run", "long.toml", "--folder", "runs/long", "--resume", cwd=tmp_path).returncode == 0
    assert shoal("run", "long.toml", "--folder", "whole", cwd=tmp_path).returncode == 0
    for name in ("model.shoal", "metrics.jsonl", "adaptation.json"):
        assert (place / name).read_bytes() == (tmp_path / "whole/seed-5" / name).read_bytes()
