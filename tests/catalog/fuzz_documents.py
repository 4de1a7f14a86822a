"""Mutates Thing Descriptions and TensorFlow Lite files: whatever the bytes, a document or a clear error.

    python -m tests.catalog.fuzz_documents td|tflite|zip [files] [seed]
    python -m tests.catalog.fuzz_documents atheris-td|atheris-tflite [libFuzzer options]

The first is a mutator of its own; the second is guided by coverage and needs `pip install atheris`. Memory
is limited and every file has five seconds. An error that is none of Shoal's ends the run and leaves the file
that caused it in fuzz_documents.failed.
"""

from __future__ import annotations

import inspect
import json
import os
import random
import resource
import signal
import struct
import sys
import time
from collections import Counter
from pathlib import Path

from shoal.catalog.describe import tflite
from shoal.catalog.documents import Device, Model, parse
from shoal.errors import DocumentError, ModelError
from tests.catalog.describe.metadata_writer import metadata
from tests.catalog.describe.test_tflite import small
from tests.catalog.documents.things import EXAMPLES
from tests.nn.importers.tflite_cases import cases

LIMIT = 3 << 30
LARGEST_SEED = 30_000
INTERESTING = (0, 1, 2, 127, 128, 255, 256, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
VALUES = (
    None, True, False, 0, -1, 1e308, 2**70, "", "x", "urn:a:b", "../../etc/passwd", "\u0000", "\ud800",
    "𝄞" * 50, [], {}, [[]], [None], {"": 0}, {"@id": "urn:a"}, {"@context": "https://evil.example/"},
    "om:gravity",
)  # fmt: skip
KEYS = (
    "@context", "@type", "id", "title", "security", "securityDefinitions", "properties", "forms", "href",
    "op", "items", "oneOf", "enum", "minimum", "unit", "links", "rel", "shoal:hardware", "shoal:observes",
    "shoal:axes", "ssn:hasSubSystem", "s3n:hasSystemCapability", "ssn-system:hasSystemProperty",
    "schema:value", "schema:unitCode",
)  # fmt: skip


def device(content):
    """Read a Thing Description; return what became of it."""
    try:
        td = parse(content, "request")
        one = Device.checked(td)
    except DocumentError as error:
        clear = error.fields and all(text for _, text in error.fields) and len(str(error)) < 100_000
        return "refused" if clear else unclear(error)
    assert one.body() is td
    json.dumps(one.body()).encode()
    return "taken"


def model(content):
    """Describe a TensorFlow Lite file; return what became of it."""
    try:
        found = tflite.facts(content, "mutated")
    except ModelError as error:
        return "refused" if error.where and error.what else unclear(error)
    fixed = {"sha256": "0" * 64, "name": "m", "version": "1.0.0", "format": "tflite", "size": len(content)}
    try:
        Model.checked(found | fixed)
    except DocumentError as error:
        return "refused by its document" if error.fields else unclear(error)
    return "described"


def unclear(error):
    """End the run with an error that does not say what is wrong."""
    raise AssertionError(error)


def mutated_td(rng, seeds):
    """Return a description with one to four changes: of its values, or of its text."""
    td = json.loads(rng.choice(seeds))
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        places = list(containers(td))
        if not places:
            break
        place = rng.choice(places)
        keys = list(place) if isinstance(place, dict) else range(len(place))
        kind = rng.random()
        if kind < 0.5 and keys:
            place[rng.choice(keys)] = json.loads(json.dumps(rng.choice(VALUES)))
        elif kind < 0.7 and keys and isinstance(place, dict):
            del place[rng.choice(keys)]
        elif kind < 0.9 and isinstance(place, dict):
            place[rng.choice(KEYS)] = json.loads(json.dumps(rng.choice((*VALUES, *places))))
        elif keys:
            place[rng.choice(keys)] = json.loads(json.dumps(rng.choice(places)))
    text = bytearray(json.dumps(td, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass"))
    if rng.random() < 0.2:
        for _ in range(rng.randrange(1, 4)):
            text[rng.randrange(len(text))] = rng.randrange(256)
    return bytes(text)


def containers(value):
    """Yield all objects and arrays."""
    if isinstance(value, dict | list):
        yield value
        for one in value.values() if isinstance(value, dict) else value:
            yield from containers(one)


def mutated_bytes(rng, seeds):
    """Return a file with one to four changes, most of them where its tables are: at both ends."""
    content = bytearray(rng.choice(seeds))
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        at = rng.randrange(max(len(content) - 4, 1))
        kind = rng.random()
        if kind < 0.35:
            content[at] ^= 1 << rng.randrange(8)
        elif kind < 0.5:
            content[at] = rng.randrange(256)
        elif kind < 0.7:
            struct.pack_into("<I", content, at, rng.choice(INTERESTING))
        elif kind < 0.85:
            near = struct.unpack_from("<I", content, at)[0] + rng.randrange(-8, 9)
            struct.pack_into("<I", content, at, near & 0xFFFFFFFF)
        elif kind < 0.95:
            size, other = rng.randrange(1, 64), rng.randrange(len(content))
            content[at : at + size] = content[other : other + size]
        else:
            del content[rng.randrange(at, len(content)) :]
            content += bytes(max(0, 16 - len(content)))
    return bytes(content)


def with_labels():
    """Return a small model with all that metadata can say, and a zip behind it."""
    said = metadata(name="n", description="d", license="MIT", mean=[1.0], std=[2.0], labels=["labels.txt"])
    return small(said, [("labels.txt", "yes\nno\n"), ("other.txt", "x" * 300)])


def models():
    """Return small real models, one of each operator, and one with metadata."""
    data = Path(os.environ.get("SHOAL_DATA") or Path(__file__).parents[3] / "shared" / "data")
    paths = sorted(data.glob("*/collected_models/*.tflite"))
    real = [content for path in paths if len(content := path.read_bytes()) < LARGEST_SEED]
    return [*real, *cases().values(), with_labels()]


def things():
    """Return the descriptions of the tests, and one with every term that tells of hardware."""
    return [json.dumps(one).encode() for one in (*EXAMPLES.values(), SENSING)]


SENSING = EXAMPLES["a lamp"] | {
    "shoal:hardware": {"board": "nano33ble", "ram": {"total": 9}, "sensors": [{"observes": "sound"}]},
    "ssn:hasSubSystem": [
        {"@type": "sosa_extend:Accelerometer"},
        {
            "s3n:hasSystemCapability": {
                "ssn-system:hasSystemProperty": [
                    {"@type": "s3n_extend:RAM", "schema:value": 172, "schema:unitCode": "om:kilobyte"}
                ]
            }
        },
    ],
    "properties": {
        "t": {"@type": "Thermometer", "minimum": 1, "maximum": 2, "unit": "DEG_C", "forms": [{"href": "/t"}]},
        "v": {"shoal:observes": "vibration", "shoal:axes": 3, "shoal:rate_hz": 9, "forms": [{"href": "/v"}]},
    },
}
KINDS = {
    "td": (device, mutated_td, things),
    "tflite": (model, mutated_bytes, models),
    "zip": (model, mutated_bytes, lambda: [with_labels()]),
}


def run(kind, count, seed):
    """Try so many mutated files."""
    attempt, mutate, corpus = KINDS[kind]
    rng, seeds = random.Random(seed), corpus()
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT))
    sys.stdout.write(f"{kind}: {len(seeds)} seeds, seed {seed}\n")
    results, start, longest = Counter(), time.monotonic(), 0.0
    for number in range(1, count + 1):
        content = mutate(rng, seeds)
        begin = time.monotonic()
        try:
            signal.alarm(5)
            results[attempt(content)] += 1
        except BaseException:
            Path("fuzz_documents.failed").write_bytes(content)
            raise
        longest = max(longest, time.monotonic() - begin)
        if number % 50_000 == 0 or number == count:
            rate = number / (time.monotonic() - start)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            known = f"{dict(results)}, {rate:.0f}/s, slowest {longest:.2f} s, {peak} MiB"
            sys.stdout.write(f"{number:,} files: {known}\n")
            sys.stdout.flush()
    signal.alarm(0)


def guided(kind, options):
    """Let libFuzzer look for new paths through the readers."""
    import atheris

    attempt, _, corpus = KINDS[kind]
    for name, module in list(sys.modules.items()):
        if name.startswith(("shoal.catalog.documents", "shoal.catalog.describe", "flatbuffers", "tflite")):
            for one in vars(module).values():
                for function in (one, *vars(one).values()) if inspect.isclass(one) else (one,):
                    if inspect.isfunction(function):
                        atheris.instrument_func(function)
    folder = Path(f"fuzz_{kind}_corpus")
    folder.mkdir(exist_ok=True)
    for number, content in enumerate(corpus()):
        (folder / f"{number}").write_bytes(content)
    atheris.Setup([sys.argv[0], str(folder), *options], lambda data: attempt(bytes(data)) and None)
    atheris.Fuzz()


def main():
    kind, *rest = sys.argv[1:] or ["td"]
    if kind.startswith("atheris-"):
        guided(kind.removeprefix("atheris-"), rest)
    else:
        count, seed = (int(text) for text in (rest + ["10000", "0"][len(rest) :])[:2])
        run(kind, count, seed)


if __name__ == "__main__":
    main()
