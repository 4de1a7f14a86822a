"""Write the sequences of samples and answers that hold recurrent and integer operations to their bits.

    python -m tools.make_sequences

Answers of integers come from TensorFlow Lite's reference kernels, which share nothing with the runtime; those
of floats from the runtime itself, which they hold to the same bits on every processor, with every compiler.
Needs ai-edge-litert and tflite-micro. vectors/README.md describes the files.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.nn.importers.tflite import decode
from shoal.runtime import Executor
from tests.nn.importers.reference import reference, samples
from tests.nn.importers.tflite_cases import cases
from tools.make_vectors import ROOT, VECTORS

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SEQUENCES", "make", "read"]

HEAD = struct.Struct("<4s5I")
MAGIC, VERSION = b"SSEQ", 1
SAMPLES = 40
SEQUENCES = {
    "lstm": "lstm-int8",
    "lstm_cells": "lstm_10-int8",
    "lstm_float": "lstm-float32",
    "svdf": "svdf_rank-int8",
    "svdf_bytes": "svdf_bytes-int8",
    "types": "wide-int8",
    "uint8": "to_uint8-int8",
}


def make(name: str) -> bytes:
    """Return the content of one file."""
    content = cases()[SEQUENCES[name]]
    network = decode(content, name)
    image = network.plan(None).image()
    answer = Executor(image).predict if network.input_quantization is None else reference(content)
    xs = samples(network, SAMPLES)
    ys = [answer(x) for x in xs]
    head = HEAD.pack(MAGIC, VERSION, len(image), len(xs), xs[0].nbytes, ys[0].nbytes)
    return head + image + b"".join(part.tobytes() for part in (*xs, *ys))


def read(content: bytes) -> tuple[bytes, NDArray[Any], NDArray[Any]]:
    """Return the image, and samples and answers as bytes (samples, size)."""
    magic, version, size, count, x_size, y_size = HEAD.unpack_from(content)
    if (magic, version) != (MAGIC, VERSION):
        raise ValueError(f"no sequence of version {VERSION}")
    start = HEAD.size + size
    values = np.frombuffer(content, np.uint8, offset=start)
    x, y = values[: count * x_size], values[count * x_size :]
    return content[HEAD.size : start], x.reshape(count, x_size), y.reshape(count, y_size)


def main() -> None:
    """Write all files."""
    for name in SEQUENCES:
        path = VECTORS / f"{name}.seq"
        path.write_bytes(make(name))
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
