"""What docs/catalog.md shows is what happens: its transcripts are run, one after the other.

    python -m tests.cli.test_catalog_docs

writes them anew after a change to what a command prints.
"""

from __future__ import annotations

import json
import re
import runpy
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

from tools import transcribe

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "catalog.md"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return prepared(tmp_path_factory.mktemp("docs"))


def prepared(folder):
    """Return the folder with the models of the example and the board of the page."""
    example = runpy.run_path(str(ROOT / "examples" / "catalog.py"))
    example["models"](folder)
    block = re.search(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert json.loads(block[1]) == example["node"]().body()
    (folder / "hall-node.json").write_text(block[1])
    return folder


def test_the_transcripts_are_real(folder):
    text = PAGE.read_text(encoding="utf-8")
    found = transcribe.transcripts(text)
    assert len(found) > 10
    for command, expected in found:
        assert transcribe.answer(command, folder) == expected, f"shoal {command}: {__doc__}"


def test_the_example_runs(tmp_path, capsys):
    runpy.run_path(str(ROOT / "examples" / "catalog.py"))["main"](tmp_path)
    shown = capsys.readouterr().out
    assert "gesture: 3 devices" in shown
    assert "wake, 4 kB smaller: fits 1 device; 2 more" in shown
    assert "4 of 6 pairs" in shown
    assert "asked in SPARQL: Hall 1, Hall 2, Press" in shown


def main():
    """Write the page anew."""
    folder = prepared(Path(tempfile.mkdtemp()))

    def renew(block):
        if block[1] != "console":
            return block[0]
        lines = [
            f"$ shoal {command}\n{transcribe.answer(command, folder)}\n"
            for command, _ in transcribe.COMMAND.findall(block[2])
        ]
        return f"```console\n{''.join(lines)}```"

    PAGE.write_text(transcribe.BLOCK.sub(renew, PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    shutil.rmtree(folder)
    sys.stdout.write(f"{PAGE}\n")


if __name__ == "__main__":
    main()
