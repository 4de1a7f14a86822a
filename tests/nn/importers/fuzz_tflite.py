"""Mutates TensorFlow Lite files and imports them: whatever the bytes, a clear error or a network that runs.

    python -m tests.nn.importers.fuzz_tflite [files] [seed]

Memory is limited and every file has five seconds. An error that is not a ModelError ends the run and leaves
the file that caused it in fuzz_tflite.failed.
"""

from __future__ import annotations

import os
import random
import resource
import signal
import struct
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from unittest.mock import patch

import flatbuffers
import numpy as np

from shoal.errors import ConfigError
from shoal.nn.importers.errors import ModelError
from shoal.nn.importers.tflite import decode
from shoal.runtime import Executor
from tests.nn.importers.tflite_cases import cases

INTERESTING = (0, 1, 2, 3, 4, 127, 128, 255, 256, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
LARGEST_SEED = 100_000
LARGEST_RUN = 1 << 22  # multiply-accumulates
LIMIT = 3 << 30


def corpus(data):
    """Return the small real models and one model of each operator."""
    paths = sorted([*data.glob("*/collected_models/*.tflite"), *data.glob("*/models/*.tflite")])
    real = [content for path in paths if len(content := path.read_bytes()) < LARGEST_SEED]
    return real + list(cases().values())


def positions(content):
    """Return where the reader looks: at values and short lists, and at offsets and counts.

    A random byte of the file would nearly always be a weight.
    """
    values, structure = set(), set()
    get, vector = flatbuffers.encode.Get, flatbuffers.encode.GetVectorAsNumpy
    offsets = (flatbuffers.packer.uoffset, flatbuffers.packer.soffset, flatbuffers.packer.voffset)

    def seen(kind, buffer, head):
        (structure if kind in offsets else values).update(range(head, head + kind.size))
        return get(kind, buffer, head)

    def seen_list(kind, buffer, count, offset):
        array = vector(kind, buffer, count, offset)
        values.update(range(offset, offset + min(array.nbytes, 64)))
        return array

    with (
        patch.object(flatbuffers.encode, "Get", seen),
        patch.object(flatbuffers.encode, "GetVectorAsNumpy", seen_list),
        suppress(ModelError),
    ):
        decode(content, "seed")
    return sorted(values), sorted(structure)


def mutated(rng, seeds):
    """Return one of the files with one to four changes."""
    content, (values, structure) = rng.choice(seeds)
    places = values if rng.random() < 0.7 else structure
    content = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        at = rng.choice(places) if rng.random() < 0.9 else rng.randrange(len(content))
        at = min(at, len(content) - 4)
        kind = rng.random()
        if kind < 0.35:
            content[at] ^= 1 << rng.randrange(8)
        elif kind < 0.5:
            content[at] = rng.randrange(256)
        elif kind < 0.65:
            struct.pack_into("<I", content, at, rng.choice(INTERESTING))
        elif kind < 0.8:
            near = struct.unpack_from("<I", content, at)[0] + rng.randrange(-8, 9)
            struct.pack_into("<I", content, at, near & 0xFFFFFFFF)
        elif kind < 0.9:
            other = min(rng.choice(places), len(content) - 4)
            content[at : at + 4] = content[other : other + 4]
        elif kind < 0.95:
            size = rng.randrange(1, 64)
            other = rng.randrange(len(content))
            content[at : at + size] = content[other : other + size]
        else:
            del content[rng.randrange(at, len(content)) :]
            content += bytes(max(0, 16 - len(content)))
    return bytes(content)


def attempt(content):
    """Import and run; return what became of the file."""
    try:
        network = decode(content, "mutated")
    except ModelError as error:
        if not (error.where and error.what):
            raise AssertionError(error) from error
        return "refused"
    plan = network.plan(None)
    macs = sum(step.layer.macs(step.input_shape, step.output_shape) for step in network.trace.steps)
    if macs > LARGEST_RUN or 4 * plan.arena > LARGEST_RUN:
        return "imported"
    try:
        image = plan.image()
    except ConfigError:
        return "too large for an image"
    executor = Executor(image)
    answer = executor.predict(np.zeros(network.input_shape, plan.input_type))
    assert answer.size == np.prod(network.output_shape)
    return "imported and run"


def main():
    count, seed = (int(text) for text in (sys.argv[1:] + ["10000", "0"][len(sys.argv) - 1 :])[:2])
    rng = random.Random(seed)
    data = Path(os.environ.get("SHOAL_DATA") or Path(__file__).parents[4] / "shared" / "data")
    seeds = [(content, positions(content)) for content in corpus(data)]
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT))
    read = sum(len(part) for _, places in seeds for part in places)
    sys.stdout.write(f"{len(seeds)} models, {read:,} bytes of them are read, seed {seed}\n")
    results, start, longest = Counter(), time.monotonic(), 0.0
    for number in range(1, count + 1):
        content = mutated(rng, seeds)
        begin = time.monotonic()
        try:
            signal.alarm(5)
            results[attempt(content)] += 1
        except BaseException:
            Path("fuzz_tflite.failed").write_bytes(content)
            raise
        longest = max(longest, time.monotonic() - begin)
        if number % 10_000 == 0 or number == count:
            rate = number / (time.monotonic() - start)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            known = f"{dict(results)}, {rate:.0f}/s, slowest {longest:.2f} s, {peak} MiB"
            sys.stdout.write(f"{number:,} files: {known}\n")
            sys.stdout.flush()
    signal.alarm(0)


if __name__ == "__main__":
    main()
