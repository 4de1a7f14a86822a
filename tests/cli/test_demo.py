"""`shoal demo`, shortened."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from shoal import federate
from tests.cli.conftest import WITHOUT, environment

pytest.importorskip("sklearn", reason="scikit-learn (the demo's digits) is not installed")


@pytest.fixture(scope="module")
def done(shoal, tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    return folder, shoal("demo", "--rounds", 1000, cwd=folder)


def test_it_shows_adaptation_and_boards_and_writes_the_report(done):
    folder, result = done
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0].startswith("Accuracy on unseen kinds of digits")
    assert [line.split()[0] for line in lines[2:10]] == ["0", "1", "2", "4", "8", "16", "32", "64"]
    assert all("±" in line and "┃" in line for line in lines[2:10])
    assert any(re.match(r"Arduino Nano 33 BLE Sense .* learns *$", line) for line in lines)
    assert f"report {folder.joinpath('runs/demo/report.html').relative_to(folder)}" in lines
    assert (folder / "runs/demo/report.html").stat().st_size > 20_000
    assert "1,000 devices learn one after the other" in result.stderr
    assert result.stderr.splitlines()[-1].startswith("next  shoal ")


def test_the_new_devices_learn_faster_than_both_controls(done):
    folder, _ = done
    kept = json.loads((folder / "runs/demo/adaptation.json").read_text())
    found = {name: federate.Adaptation.from_json(value) for name, value in kept.items()}
    low = {name: a.accuracy - a.accuracy_interval for name, a in found.items()}
    high = {name: a.accuracy + a.accuracy_interval for name, a in found.items()}
    at = found["learnt"].steps.index(16)
    assert low["learnt"][at] > high["from_scratch"][at] + 0.2
    assert low["learnt"][at] > high["no_adaptation"][at] + 0.2


def test_a_second_demo_keeps_the_first(shoal, done):
    folder, _ = done
    before = (folder / "runs/demo/model.shoal").read_bytes()
    again = shoal("demo", "--rounds", 1000, cwd=folder)
    assert again.returncode == 0
    assert (folder / "runs/demo-2/model.shoal").read_bytes() == before
    assert (folder / "runs/demo/model.shoal").read_bytes() == before


@pytest.mark.parametrize(
    ("module", "code", "words"),
    [
        ("sklearn", 1, ["error: scikit-learn is not installed", "pip install 'shoal[demo]'"]),
        ("matplotlib", 0, ["no report: matplotlib is not installed", "pip install 'shoal[plot]'"]),
    ],
)
def test_without_an_extra_it_says_how_to_get_it(tmp_path, module, code, words):
    command = [sys.executable, "-c", WITHOUT.format(module), "demo", "--rounds", "50"]
    result = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment()
    )
    assert result.returncode == code, result.stderr
    assert all(word in result.stderr for word in words)
