"""Prints the table of docs/models.md.

python -m tests.nn.importers.models_table [samples]
"""

from __future__ import annotations

import sys

import numpy as np

from shoal.nn.importers.tflite import load
from shoal.runtime import Executor
from tests.nn.importers.reference import REFUSED, golden, heads, models, reference, samples


def row(name, path, head, count):
    """Return one row: how many answers are equal, how far others are, and the working memory."""
    network = load(path)
    plan, answer = network.plan(None), reference(path.read_bytes())
    here = Executor(plan.image())
    pairs = [(x, answer(x)) for x in samples(network, count)] + golden(name)
    equal, worst = 0, 0.0
    for number, (x, y) in enumerate(pairs):
        if number == count:
            here.reset()  # the golden vectors begin anew
        given, wanted = here.predict(x), np.reshape(y, -1)
        equal += given.dtype == wanted.dtype and given.tobytes() == wanted.tobytes()
        far = np.abs(given.astype(float) - wanted).max() / max(1.0, np.abs(wanted.astype(float)).max())
        worst = max(worst, far)
    kinds = f"{plan.input_type} → {plan.output_type}"
    found = "equal" if equal == len(pairs) else f"{worst:.1e}"
    return f"| {name} | {kinds} | {len(pairs):,} | {found} | {4 * plan.arena:,} | {head} |"


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    known = heads()
    for name, path in models().items():
        if name in REFUSED:
            line = f"| {name} | – | – | refused: {REFUSED[name]} | – | – |"
        else:
            line = row(name, path, f"{known[name]:,}" if name in known else "refused", count)
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
