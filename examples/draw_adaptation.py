"""Draw how new devices adapt, from the folder of a run, as an SVG file.

The picture in README.md is made by:

    shoal demo
    python examples/draw_adaptation.py runs/demo docs/images/adaptation.svg
"""

from __future__ import annotations

import sys
from pathlib import Path

from shoal.cli import folder, plots


def main() -> int:
    """Draw the run that the command line names."""
    if len(sys.argv) != 3:
        print("usage: draw_adaptation.py RUN FILE.svg", file=sys.stderr)
        return 2
    run, target = map(Path, sys.argv[1:])
    judged = folder.read(run).judged
    if judged is None:
        print(f"error: {run} was not evaluated", file=sys.stderr)
        return 1
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(plots.standalone(plots.adaptation(judged)), encoding="utf-8")
    print(target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
