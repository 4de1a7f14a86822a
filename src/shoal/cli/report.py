"""`shoal report`: one self-contained page about a run."""

from __future__ import annotations

from pathlib import Path

from shoal.cli import console

__all__ = ["REPORT", "report", "write"]

REPORT = "report.html"


def report(run: Path, /, *, output: Path | None = None) -> None:
    """Write a page about a run: one HTML file that needs no network.

    Parameters
    ----------
    run
        Folder of a run, or one with the runs of several seeds.
    output
        The file to write; report.html in the folder by default.
    """
    path = run / REPORT if output is None else output
    for line in write(run, path):
        console.note(f"missing: {line}", "yellow")
    console.text(str(path))


def write(run: Path, path: Path) -> list[str]:
    """Write the report of a run to a file.

    Returns
    -------
    What the folder does not hold, a line each.
    """
    from shoal.cli.folder import read
    from shoal.cli.page import page
    from shoal.nn import storage

    found = read(run)
    storage.write(path, page(found).encode())
    return found.missing
