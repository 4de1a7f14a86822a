"""Prints what docs/importing.md says of real models: the ONNX cases, and architectures of Keras.

    python -m tests.nn.importers.imports_table

Needs onnx, keras, torch and the data. Weights are random, and so are 10 samples of each architecture.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from shoal.nn.importers.keras import load
from shoal.runtime import Executor
from tests.nn.importers.onnx_models import case_names, outcome

SHAPE, CLASSES, SAMPLES = (64, 64, 3), 10, 10


def cases():
    """Return a line for each reason, with the number of cases."""
    found = Counter()
    for name in case_names():
        what = outcome(name)
        operator = re.search(r"operator '(\w+)' is not supported", what)
        reason = f"operator {operator[1]}" if operator else re.sub(r"^.*?: (?=[^:]*$)", "", what)
        reason = re.sub(r"[(\[][\d, ]+[)\]]|'[^']*'|\d+(?= values)", "…", reason)
        found["the input has values of another type" if "has values of" in reason else reason] += 1
    return [f"| {reason} | {count} |" for reason, count in found.most_common()]


def architectures():
    """Return a line for each architecture."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras

    made = keras.applications
    makers = {
        "MobileNet, width 0.25": lambda **options: made.MobileNet(alpha=0.25, **options),
        "MobileNetV2, width 0.35": lambda **options: made.MobileNetV2(alpha=0.35, **options),
        "ResNet50": made.ResNet50,
    }
    draw, lines = np.random.default_rng(0), []
    for name, make in makers.items():
        keras.utils.set_random_seed(0)
        model = make(input_shape=SHAPE, weights=None, classes=CLASSES, classifier_activation=None)
        with tempfile.TemporaryDirectory() as folder:
            model.save(Path(folder) / "m.keras")
            network = load(Path(folder) / "m.keras")
        device, worst = Executor(network.plan(None).image()), 0.0
        for _ in range(SAMPLES):
            x = draw.standard_normal(SHAPE).astype(np.float32)
            expected = keras.ops.convert_to_numpy(model(x[np.newaxis])).reshape(-1)
            worst = max(worst, float(np.abs(device.predict(x) - expected).max() / np.abs(expected).max()))
        count = sum(array.size for array in network.arrays.values())
        lines.append(
            f"| {name} | {len(model.layers)} | {len(network.trace.steps)} | {count:,} | {worst:.1e} |"
        )
    return lines


if __name__ == "__main__":
    sys.stdout.write("\n".join([*cases(), *architectures()]) + "\n")
