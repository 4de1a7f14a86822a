"""The examples run, as a user starts them."""

from __future__ import annotations

import json
import os
import runpy
import shutil
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


def test_the_comparison_on_sine_shows_what_meta_learning_is_for(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["compare_on_sine.py", "--json"])
    module = runpy.run_path(str(EXAMPLES / "compare_on_sine.py"))
    module["main"](devices=2000)
    found = json.loads(capsys.readouterr().out)
    assert found["TinyReptile"]["8"] < 0.3 * found["joint training, then fine-tuned"]["8"]
    assert found["TinyReptile"]["8"] < 0.3 * found["from scratch"]["8"]
    assert found["no adaptation"]["8"] == found["TinyReptile"]["0"]


@pytest.mark.skipif(
    not (shutil.which("arm-none-eabi-gcc") and shutil.which("qemu-system-arm")),
    reason="tools/toolchain.sh installs the cross compiler and QEMU",
)
def test_a_keyword_net_learns_on_integers_within_256_kilobytes(monkeypatch, capsys):
    data = Path(os.environ.get("SHOAL_DATA") or Path(__file__).parents[2] / "shared" / "data")
    if not data.is_dir():
        pytest.skip("SHOAL_DATA is not set and ../shared/data does not exist")
    monkeypatch.setenv("SHOAL_DATA", str(data))
    module = runpy.run_path(str(EXAMPLES / "keywords_on_a_board.py"))
    module["main"].__globals__["TAKES"] = (
        1  # of each word: the board computes 17 million instructions for one
    )
    module["main"](["--json", "--layers", "last"], epochs=1, passes=1)
    found = json.loads(capsys.readouterr().out)
    assert found["same_bits"]
    assert found["ram"] + found["stack"] < 24 * 1024
    assert found["flash"] < 48 * 1024
    assert found["predict"] < found["learn"] < 1.2 * found["predict"]
