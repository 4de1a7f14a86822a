"""The command as a user runs it, and a small run to look at."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pytest

from shoal.cli import main

# A call of the command without a package that is installed.
WITHOUT = "import sys; sys.modules['{}'] = None; from shoal.cli import main; sys.exit(main(sys.argv[1:]))"
EXPERIMENT = """\
[network]
input_shape = [1]
loss = "mse"
layers = [{ type = "Dense", units = 8, activation = "tanh" }, { type = "Dense", units = 1 }]

[tasks]
type = "sine"
shots = 16
queries = 8

[algorithm]
type = "TinyReptile"
local_steps = 16

[run]
rounds = 200
seeds = [0, 1]
evaluate_every = 100
checkpoint_every = 50

[evaluation]
steps = [0, 1, 4, 8]
tasks_count = 20
"""


class Done(NamedTuple):
    """What a command wrote, and its exit code."""

    returncode: int
    stdout: str
    stderr: str


def called(*arguments, cwd):
    """Run a command in this process, as the program does."""
    out, err, before = io.StringIO(), io.StringIO(), Path.cwd()
    os.chdir(cwd)
    try:
        with redirect_stdout(out), redirect_stderr(err):
            code = main([str(one) for one in arguments])
    finally:
        os.chdir(before)
    return Done(code, out.getvalue(), err.getvalue())


def answer(done):
    """Return what a command wrote as JSON."""
    return json.loads(done.stdout)


def environment(**changes: str) -> dict[str, str]:
    """Return the environment without what would change the output."""
    left_out = {"COLUMNS", "FORCE_COLOR", "NO_COLOR", "SHOAL_ISA"}
    return {key: value for key, value in os.environ.items() if key not in left_out} | changes


@pytest.fixture(scope="session")
def shoal():
    def call(*arguments: object, cwd: Path | None = None, **changes: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "shoal", *map(str, arguments)],
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            cwd=cwd,
            env=environment(PYTHONIOENCODING="utf-8", **changes),
            timeout=120,
        )

    return call


@pytest.fixture(scope="session")
def finished(shoal, tmp_path_factory):
    """Return a folder with an experiment and its finished runs of two seeds."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "small.toml").write_text(EXPERIMENT, encoding="utf-8")
    done = shoal("run", "small.toml", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder, done
