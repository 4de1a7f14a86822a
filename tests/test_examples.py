"""The examples run, as a user starts them."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"


def test_the_comparison_on_sine_shows_what_meta_learning_is_for(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["compare_on_sine.py", "--json"])
    module = runpy.run_path(str(EXAMPLES / "compare_on_sine.py"))
    module["main"](devices=2000)
    found = json.loads(capsys.readouterr().out)
    assert found["TinyReptile"]["8"] < 0.3 * found["joint training, then fine-tuned"]["8"]
    assert found["TinyReptile"]["8"] < 0.3 * found["from scratch"]["8"]
    assert found["no adaptation"]["8"] == found["TinyReptile"]["0"]
