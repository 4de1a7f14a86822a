"""Run the commands that docs/cli.md shows, and write down what they answer.

Run as `python tools/transcribe.py` after a change to what a command prints. Console blocks are checked by
tests/cli/test_docs.py; the text block (shoal doctor) depends on the machine and is only written.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "cli.md"
LEFT_OUT = {"COLUMNS", "FORCE_COLOR", "NO_COLOR", "SHOAL_DATA", "SHOAL_ISA"}
BLOCK = re.compile(r"^```(console|text)\n(\$ .*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ shoal (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)


def transcripts(text: str) -> list[tuple[str, str]]:
    """Return the commands of the console blocks with what follows each."""
    blocks = [block for kind, block in BLOCK.findall(text) if kind == "console"]
    return [(command, shown.rstrip("\n")) for block in blocks for command, shown in COMMAND.findall(block)]


def workplace(folder: Path) -> Path:
    """Return a folder in which the commands can run."""
    shutil.copytree(ROOT / "experiments", folder / "experiments")
    return folder


def answer(command: str, folder: Path) -> str:
    """Return what a command writes to stdout and stderr, as on a terminal but without its colours."""
    environment = {key: value for key, value in os.environ.items() if key not in LEFT_OUT}
    done = subprocess.run(
        [sys.executable, "-m", "shoal", *shlex.split(command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        check=False,
        cwd=folder,
        env=environment | {"PYTHONIOENCODING": "utf-8"},
    )
    return "\n".join(line.rstrip() for line in done.stdout.splitlines())


def main() -> int:
    """Write the page anew."""
    with tempfile.TemporaryDirectory() as name:
        folder = workplace(Path(name))

        def renew(block: re.Match[str]) -> str:
            kind, content = block.groups()
            # What depends on the machine is at least not about a folder that is gone.
            place = folder if kind == "console" else Path(folder.anchor)
            lines = [
                f"$ shoal {command}\n{answer(command, place)}\n" for command, _ in COMMAND.findall(content)
            ]
            return f"```{kind}\n{''.join(lines)}```"

        PAGE.write_text(BLOCK.sub(renew, PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    print(PAGE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
