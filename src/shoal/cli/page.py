"""The page of a report: one HTML file with everything inside."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

import shoal
from shoal.cli import plots
from shoal.cli.console import size
from shoal.cli.folder import part
from shoal.cli.judged import LABELS
from shoal.cli.memory import Need, needs
from shoal.cli.results import value
from shoal.cli.style import CSS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shoal.cli.folder import OneRun, Runs

__all__ = ["page"]


def page(runs: Runs) -> str:
    """Return the report of runs as HTML."""
    first = runs.runs[0]
    # The rounds of several seeds look alike: those of the first are shown.
    whose = f"Of seed {first.seed}. " if len(runs.runs) > 1 else ""
    body = [
        header(runs),
        note(runs.missing),
        figures(runs),
        adaptation(runs),
        training(first, whose),
        traffic(first, whose),
        memory(first),
        configuration(runs),
    ]
    title = escape(name_of(runs))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title} · Shoal</title>\n<style>{CSS}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(item for item in body if item)
        + f"\n</main>\n<footer>Written by shoal {escape(shoal.__version__)}.</footer>\n</body>\n</html>\n"
    )


def name_of(runs: Runs) -> str:
    """Return a name for the page."""
    resolved = runs.path.resolve()
    return f"{resolved.parent.name}/{resolved.name}" if resolved.name.startswith("seed-") else resolved.name


def header(runs: Runs) -> str:
    """Return the title."""
    first = runs.runs[0]
    seeds = ", ".join(escape(str(run.seed)) for run in runs.runs)
    tasks = part(first.config, "tasks", "type")
    rounds = plural(len(first.history.rows), "round")
    line = f"{escape(first.algorithm)} on {escape(str(tasks))} tasks, {rounds}, seed {seeds}"
    return f"<header><h1>{escape(name_of(runs))}</h1><p>{line}</p></header>"


def note(missing: Iterable[str]) -> str:
    """Return what is missing."""
    items = "".join(f"<li>{escape(line)}</li>" for line in missing)
    return f"<aside><strong>Not everything is here:</strong><ul>{items}</ul></aside>" if items else ""


def figures(runs: Runs) -> str:
    """Return the key figures."""
    cards = []
    if runs.judged is not None:
        curves, steps = runs.judged.curves(), runs.judged.learnt.steps
        percent = runs.judged.metric == "accuracy"
        gap = curves["learnt"][0] - curves["from_scratch"][0]
        at = int(gap.argmax()) if percent else len(steps) - 1
        mean, scratch = (curves[name][0][at] for name in ("learnt", "from_scratch"))
        shown, other = (f"{100 * v:.1f} %" if percent else f"{v:.4f}" for v in (mean, scratch))
        after = f"{runs.judged.metric} of a new device after {plural(steps[at], 'step')}"
        widest = ", where they differ most" if percent else ""
        cards.append((shown, f"{after}, from scratch {other}{widest}"))
    history = runs.runs[0].history
    if history.rows:
        up, down = history.total("bytes_up"), history.total("bytes_down")
        cards.append((size(up), f"sent up in {plural(len(history.rows), 'round')}, {size(down)} down"))
    plans = runs.runs[0].plans()
    if plans is not None:
        need = needs(*plans)[0]
        cards.append((f"{need.training.ram:,} B", f"of RAM to learn, {need.inference.ram:,} B to answer"))
    inner = "".join(f"<div><b>{escape(a)}</b><span>{escape(b)}</span></div>" for a, b in cards)
    return f'<div class="cards">{inner}</div>'


def adaptation(runs: Runs) -> str:
    """Return curve and table of adaptation."""
    judged = runs.judged
    if judged is None:
        return ""
    percent = judged.metric == "accuracy"
    over = f"{len(runs.runs)} seeds" if len(runs.runs) > 1 else f"{judged.learnt.losses.shape[1]} new devices"
    curves = judged.curves()
    rows = [
        [str(steps), *(value(mean[i], interval[i], percent=percent) for mean, interval in curves.values())]
        for i, steps in enumerate(judged.learnt.steps)
    ]
    return section(
        "How a new device adapts",
        f"Mean {judged.metric} on samples that the device did not learn from; bands and ± are 95 % "
        f"confidence intervals over {over}. All cases have the same devices and samples.",
        plot(plots.adaptation(judged)),
        table(["steps", *(LABELS[name] for name in curves)], rows),
    )


def training(run: OneRun, whose: str) -> str:
    """Return loss and evaluations over the rounds."""
    if not run.history.rows:
        return ""
    losses = run.history.column("loss")
    parts = []
    if np.isfinite(losses).any():
        parts.append(plot(plots.loss(run.history.column("round"), losses)))
    if len(run.history.evaluations) > 1:
        parts.append(
            "<p>New devices, evaluated during training:</p>" + plot(plots.progress(run.history.evaluations))
        )
    failed = run.history.total("failed")
    text = (
        f"{whose}Loss of the clients before each of their steps: mean of neighbouring rounds, and the band "
        "in which four fifths of them lie. "
        f"{plural(run.history.total('clients'), 'visit')}, {failed:,} failed."
    )
    return section("Training", text, *parts)


def traffic(run: OneRun, whose: str) -> str:
    """Return the bytes that travelled."""
    if not run.history.rows:
        return ""
    rounds, up, down = (run.history.column(name) for name in ("round", "bytes_up", "bytes_down"))
    rows = [
        [label, size(int(values.sum())), f"{values.mean():,.0f} B", f"{int(values.max()):,} B"]
        for label, values in (("up", up), ("down", down))
    ]
    return section(
        "Bytes",
        f"{whose}As encoded, of all clients.",
        plot(plots.traffic(rounds, up, down)),
        table(["", "in all", "mean round", "largest round"], rows),
    )


def memory(run: OneRun) -> str:
    """Return RAM by part and by board."""
    plans = run.plans()
    if plans is None:
        return section("RAM", "Not known: the description has parts that are not Shoal's own.")
    found = needs(*plans)
    need = found[0]
    bars = stack("learning", need.training.parts, need.training.ram) + stack(
        "answering", need.inference.parts, need.training.ram
    )
    rows = [
        [
            n.board.title,
            n.board.core,
            f"{n.board.ram_bytes:,}",
            f"{n.board.margin(n.training.ram):+,}",
            badge(n),
        ]
        for n in found
    ]
    return section(
        "RAM",
        "Exact, from the plan, in bytes; what is left on a board is for the firmware itself. "
        f"The image takes {need.training.flash:,} B of flash.",
        bars,
        table(["board", "core", "has", "left", ""], rows, words=(0, 1, 4)),
    )


def badge(need: Need) -> str:
    """Return whether a network fits."""
    kind = {"learns": "good", "answers": "half"}.get(need.verdict, "bad")
    return f'<span class="{kind}">{need.verdict}</span>'


def stack(label: str, parts: dict[str, int], whole: int) -> str:
    """Return RAM as a bar of its parts."""
    # A part keeps its colour from bar to bar, so the unused ones count too.
    used = [(f"p{i}", name, count) for i, (name, count) in enumerate(parts.items()) if count]
    cells = "".join(
        f'<i class="{kind}" style="width:{100 * count / whole:.2f}%"></i>' for kind, _, count in used
    )
    keys = "".join(f'<li><i class="{kind}"></i>{escape(name)} {count:,}</li>' for kind, name, count in used)
    total = sum(parts.values())
    head = f'<p class="label">{label}: {total:,} B</p>'
    return f'{head}<div class="stack">{cells}</div><ul class="keys">{keys}</ul>'


def configuration(runs: Runs) -> str:
    """Return what was run, and where."""
    first = runs.runs[0]
    settings = [[escape(name), setting(value)] for name, value in first.config.items() if name != "seed"]
    settings.append(
        ["seeds" if len(runs.runs) > 1 else "seed", ", ".join(escape(str(run.seed)) for run in runs.runs)]
    )
    places = [[escape(str(name)), escape(str(value))] for name, value in first.environment.items()]
    return section("Configuration", "", table(["", ""], settings, words=(0, 1))) + section(
        "Environment", "", table(["", ""], places, words=(0, 1))
    )


def setting(value: Any) -> str:
    """Return a value of the configuration; long ones can be opened."""
    if not isinstance(value, dict | list):
        return escape(str(value))
    name = f"{len(value)} values" if isinstance(value, list) else str(value.get("type", "show"))
    if isinstance(value, dict) and isinstance(value.get("layers"), list):
        name = ", ".join(str(part(layer, "layer")) for layer in value["layers"])
    inner = escape(json.dumps(value, indent=1))
    return f"<details><summary>{escape(name)}</summary><pre>{inner}</pre></details>"


def section(title: str, text: str, *parts: str) -> str:
    """Return a part of the page."""
    intro = f"<p>{escape(text)}</p>" if text else ""
    return f"<section><h2>{escape(title)}</h2>{intro}{''.join(parts)}</section>"


def plot(svg: str) -> str:
    """Return a plot."""
    return f"<figure>{svg}</figure>"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], words: Sequence[int] = (0,)) -> str:
    """Return a table that scrolls by itself where it is too wide; cells are HTML."""
    kinds = ["w" if i in words else "n" for i in range(len(columns))]
    head = "".join(
        f'<th class="{kind}">{escape(name)}</th>' for kind, name in zip(kinds, columns, strict=True)
    )
    head = f"<thead><tr>{head}</tr></thead>" if any(columns) else ""
    lines = (
        "<tr>"
        + "".join(f'<td class="{kind}">{cell}</td>' for kind, cell in zip(kinds, row, strict=True))
        + "</tr>"
        for row in rows
    )
    return f'<div class="scroll"><table>{head}<tbody>{"".join(lines)}</tbody></table></div>'


def plural(count: int, word: str) -> str:
    """Return a number with its word.

    Examples
    --------
    >>> plural(1, "step"), plural(2000, "step")
    ('1 step', '2,000 steps')
    """
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"
