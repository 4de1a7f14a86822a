"""Tables for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.result import Result
    from benchmarks.targets import Verdict


def number(value: float | None) -> str:
    """Short, with all its figures in front of the point: 183,204 or 12.3 or 1.7e-07."""
    if value is None:
        return ""
    if value and abs(value) < 0.01:
        return f"{value:.1e}"
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def of_case(case: str, results: Sequence[Result]) -> Table:
    """One case: a row for each contender and setting."""
    columns = list(dict.fromkeys(key for result in results for key in result.values))
    table = Table(title=case, title_justify="left", title_style="bold", expand=False)
    table.add_column("who", no_wrap=True)
    table.add_column("setting")
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    for result in results:
        cells = [number(result.values.get(column)) for column in columns]
        table.add_row(result.contender, result.missing or result.setting, *cells)
    return table


def of_targets(verdicts: Sequence[Verdict]) -> Table:
    """What was to be reached."""
    table = Table(title="targets", title_justify="left", title_style="bold")
    for name in ("case", "figure", "of", "over that of", "measured", "target", ""):
        table.add_column(name, justify="right" if name in {"measured", "target"} else "left")
    words = {True: "met", False: "[bold red]not met[/]", None: "no figure"}
    for verdict in verdicts:
        target, unit = verdict.target, "x" if verdict.target.than else ""
        measured = "" if verdict.value is None else number(verdict.value) + unit
        asked = ("<= " if target.at_most else ">= ") + number(target.bound) + unit
        table.add_row(
            target.case, target.figure, target.who, target.than, measured, asked, words[verdict.met]
        )
    return table
