"""The table of a network."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from shoal.nn.graph import Stored

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.nn.masks import Mask
    from shoal.nn.network import Network
    from shoal.nn.plan import Optimizer

__all__ = ["summary"]

HEADINGS = ("layer", "output", "parameters", "MACs", "trainable", "RAM")
LEFT = {0, 1, 4}


def summary(network: Network, optimizer: Optimizer | None) -> str:
    """Return one row for each layer and the totals.

    Parameters
    ----------
    network
        To describe.
    optimizer
        Whose memory is counted; None: the network only answers.
    """
    plan = network.plan(optimizer)
    values = dict.fromkeys((step.name for step in network.trace.steps), 0)
    for name, _, shape in plan.layout:
        values[name.rpartition(".")[0]] += math.prod(shape) * (1 + plan.slots)
    for op in network.trace.graph.ops:
        if isinstance(op.aux, Stored):
            values[op.aux.name.rpartition(".")[0]] += op.aux.shape[2]
    rows = [HEADINGS]
    parameters = macs = 0
    for step in network.trace.steps:
        count = sum(math.prod(spec.shape) for part, spec in step.arrays.items() if part != "scales")
        work = step.layer.macs(step.input_shape, step.output_shape)
        output = " x ".join(map(str, step.output_shape))
        parameters, macs = parameters + count, macs + work
        rows.append(
            (
                step.name,
                output,
                f"{count:,}",
                f"{work:,}",
                mask_text(step.mask),
                f"{4 * values[step.name]:,} B",
            )
        )
    ram = sum(plan.ram().values())
    use = "answer" if optimizer is None else f"learn with {optimizer}"
    rows += [
        ("working memory", "", "", "", "", f"{4 * plan.arena:,} B"),
        (f"total to {use}", "", f"{parameters:,}", f"{macs:,}", "", f"{ram:,} B"),
    ]
    return table(rows)


def mask_text(mask: Mask | None) -> str:
    """Return what learns in a word or two."""
    if mask is None:
        return ""
    if mask.runs:
        return f"{sum(count for _, count in mask.runs)} channels"
    if mask.weights:
        return "yes"
    return "bias" if mask.bias else "no"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return aligned columns with a line below the headings and one above the last two rows."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]

    def line(row: Sequence[str]) -> str:
        cells = (
            cell.ljust(width) if i in LEFT else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        return "  ".join(cells).rstrip()

    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    text = [line(row) for row in rows]
    return "\n".join([text[0], rule, *text[1:-2], rule, *text[-2:]])
