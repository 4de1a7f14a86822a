"""Plots as SVG: text stays text, colours are the page's, in light and in dark."""

from __future__ import annotations

import io
import math
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.cli.judged import LABELS
from shoal.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from shoal.cli.judged import Judged
    from shoal.federate import Evaluated

__all__ = ["PALETTE", "adaptation", "loss", "progress", "standalone", "traffic"]

# What matplotlib draws with, and the page's variable that takes its place.
COLOURS = {"#000001": "--ink", "#000002": "--grid", "#000003": "--c1", "#000004": "--c2", "#000005": "--c3"}
INK, GRID, FIRST, SECOND, THIRD = COLOURS
PALETTE = {
    "light": {
        "--ink": "#3b4754",
        "--grid": "#dfe4ea",
        "--c1": "#0a7d83",
        "--c2": "#c8571b",
        "--c3": "#7a8594",
    },
    "dark": {
        "--ink": "#b6c2cf",
        "--grid": "#323b47",
        "--c1": "#3fc1c4",
        "--c2": "#f0955a",
        "--c3": "#94a0ae",
    },
}
CASES = {"learnt": (FIRST, "-", "o"), "from_scratch": (SECOND, "-", "s"), "no_adaptation": (THIRD, "--", "")}
STYLE = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": GRID,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": GRID,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "lines.linewidth": 2,
    "lines.markersize": 5,
}
BINS = 300


def adaptation(judged: Judged) -> str:
    """Return what new devices reach after each number of steps, with 95 % confidence bands."""
    with drawing("adaptation") as (figure, axes):
        steps = np.array(judged.learnt.steps)
        percent = judged.metric == "accuracy"
        for name, (mean, interval) in judged.curves().items():
            colour, line, marker = CASES[name]
            scale = 100 if percent else 1
            low, high = (mean - interval) * scale, (mean + interval) * scale
            axes.fill_between(steps, low, high, color=colour, alpha=0.18, linewidth=0)
            axes.plot(steps, mean * scale, color=colour, linestyle=line, marker=marker, label=LABELS[name])
        if len(steps) > 1 and steps[-1] > 10:
            axes.set_xscale("symlog", base=2, linthresh=1, linscale=0.6)
        axes.set_xticks(steps if len(steps) <= 12 else steps[:: -(-len(steps) // 12)])
        axes.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
        axes.minorticks_off()
        axes.set_xlabel("steps on the new device")
        axes.set_ylabel("accuracy (%)" if percent else "loss")
        if not percent:
            axes.set_ylim(bottom=0)
        axes.legend(loc="best")
        return svg(figure, "adaptation")


def loss(rounds: NDArray[Any], losses: NDArray[Any]) -> str:
    """Return the training loss over the rounds: the mean of neighbours, and where four fifths of them lie."""
    with drawing("loss") as (figure, axes):
        parts = [
            part for part in np.array_split(np.arange(len(rounds)), min(len(rounds), BINS // 2)) if part.size
        ]
        kept = [part[np.isfinite(losses[part])] for part in parts]
        kept = [part for part in kept if part.size]
        x = [rounds[part].mean() for part in kept]
        low, high = ([np.quantile(losses[part], q) for part in kept] for q in (0.1, 0.9))
        axes.fill_between(x, low, high, color=FIRST, alpha=0.18, linewidth=0)
        axes.plot(x, [losses[part].mean() for part in kept], color=FIRST)
        axes.set_ylim(bottom=0)
        axes.set_xlabel("rounds")
        axes.set_ylabel("training loss")
        return svg(figure, "loss")


def progress(evaluations: Sequence[Evaluated]) -> str:
    """Return what new devices reach after the last number of steps, over the rounds."""
    with drawing("progress") as (figure, axes):
        rounds = [evaluation.round for evaluation in evaluations]
        steps = evaluations[0].adaptation.steps
        chosen = dict.fromkeys((len(steps) - 1, len(steps) // 2))
        percent = evaluations[0].adaptation.accuracies is not None
        for place, colour in zip(chosen, (FIRST, SECOND), strict=False):
            points = [point(evaluation, place) for evaluation in evaluations]
            mean, interval = np.array(points).T * (100 if percent else 1)
            axes.fill_between(rounds, mean - interval, mean + interval, color=colour, alpha=0.18, linewidth=0)
            axes.plot(rounds, mean, color=colour, marker="o", label=f"after {steps[place]} steps")
        axes.set_xlabel("rounds")
        axes.set_ylabel("accuracy (%)" if percent else "loss")
        axes.legend(loc="best")
        return svg(figure, "progress")


def traffic(rounds: NDArray[Any], up: NDArray[Any], down: NDArray[Any]) -> str:
    """Return the bytes that travelled, added up."""
    with drawing("traffic") as (figure, axes):
        largest = max(int(up.sum()), int(down.sum()), 1)
        power = min(int(math.log10(largest)) // 3, 4)
        places = np.unique(np.linspace(0, len(rounds) - 1, min(len(rounds), BINS)).astype(int))
        for values, colour, line, label in ((down, SECOND, "-", "down"), (up, FIRST, "--", "up")):
            total = np.cumsum(values.astype(np.float64))[places] / 1000**power
            axes.plot(rounds[places], total, color=colour, linestyle=line, label=label)
        axes.set_ylim(bottom=0)
        axes.set_xlabel("rounds")
        axes.set_ylabel(f"sent so far ({('B', 'kB', 'MB', 'GB', 'TB')[power]})")
        axes.legend(loc="best")
        return svg(figure, "traffic")


def point(evaluation: Evaluated, place: int) -> tuple[float, float]:
    """Return mean and interval of an evaluation at one number of steps."""
    found = evaluation.adaptation
    accuracy, interval = found.accuracy, found.accuracy_interval
    if accuracy is None or interval is None:
        accuracy, interval = found.loss, found.loss_interval
    return float(accuracy[place]), float(interval[place])


@contextmanager
def drawing(name: str) -> Iterator[tuple[Any, Any]]:
    """Yield a figure with one axes, while the house style holds."""
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError("matplotlib", "plot") from None
    # The salt makes the names of clip paths and markers stable, and different in each plot of a page.
    with mpl.rc_context(STYLE | {"svg.hashsalt": name}):
        figure = Figure(figsize=(5.2, 3.2), layout="constrained")
        yield figure, figure.add_subplot()


def svg(figure: Any, name: str) -> str:
    """Return a figure as an element for a page."""
    buffer = io.StringIO()
    metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(buffer, format="svg", transparent=True, metadata=metadata)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"\s*<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'<g id="[a-z0-9_.]+">', "<g>", text, flags=re.IGNORECASE)
    head = rf'<svg {NAMESPACES} \1 role="img" aria-label="{name}">'
    text = re.sub(r'<svg [^>]*?(viewBox="[^"]+")[^>]*>', head, text, count=1)
    text = re.sub(r"font: ([0-9.]+)px [^;\"]+", r"font-size: \1px", text)
    for colour, variable in COLOURS.items():
        text = text.replace(colour, f"var({variable})")
    return text.strip()


NAMESPACES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


def standalone(text: str) -> str:
    """Return an element as a file of its own, with its colours in light and in dark."""
    light, dark = (";".join(f"{k}:{v}" for k, v in PALETTE[theme].items()) for theme in ("light", "dark"))
    style = (
        f"<style>svg{{{light};font-family:system-ui,sans-serif}}"
        f"@media(prefers-color-scheme:dark){{svg{{{dark}}}}}</style>"
    )
    return text.replace(">", f">{style}", 1) + "\n"
