"""``python -m benchmarks.board``: instructions, bytes and bits on emulated boards, as lines of JSON."""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.board.build import CORES, RUNTIME, Program, firmware, text
from benchmarks.board.emulate import run
from benchmarks.board.nets import NETS, SAMPLES, samples
from shoal.learn import SGD, Learner

if TYPE_CHECKING:
    from benchmarks.board.nets import Net


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.board", description=__doc__)
    parser.add_argument("nets", nargs="*", metavar="NET", help=f"of {', '.join(net.name for net in NETS)}")
    parser.add_argument("--core", nargs="+", choices=CORES, default=list(CORES))
    parser.add_argument("--level", nargs="+", choices=("2", "s", "3"), default=["2"], help="of optimization")
    parser.add_argument("--runtime", type=Path, default=RUNTIME, help="another copy of it, to compare")
    parser.add_argument("--sizes", action="store_true", help="bytes of each file as well")
    arguments = parser.parse_args()
    unknown = set(arguments.nets) - {net.name for net in NETS}
    if unknown:
        parser.error(f"unknown net {', '.join(sorted(unknown))}: one of {', '.join(n.name for n in NETS)}")
    for net in NETS:
        for core in arguments.core if net.name in (arguments.nets or [net.name]) else ():
            for level in arguments.level:
                figures = measure(net, core, f"-O{level}", arguments.runtime)
                if not arguments.sizes:
                    del figures["sizes"]
                print(json.dumps(figures), flush=True)


def measure(net: Net, core: str, level: str, runtime: Path) -> dict[str, Any]:
    """Return instructions of a call (a mean over the samples), bytes, and whether the bits are the host's."""
    network = net.make()
    x, targets = samples(network)
    program = Program(network.plan("sgd"), x.reshape(SAMPLES, -1), targets)
    with tempfile.TemporaryDirectory() as folder:
        linked = firmware(program, CORES[core], level, runtime, Path(folder))
        numbers, sizes = run(CORES[core], linked), text(linked)
    learner = Learner(network, SGD(0.01))
    for sample, target in zip(x, targets, strict=True):
        learner.learn_one(sample, int(target[0]) if network.loss == "cross_entropy" else target)
    per_call = 1 / (SAMPLES * CORES[core].ticks)
    return {
        "net": net.name,
        "core": core,
        "level": level,
        "predict": round(numbers["predict"] * per_call),
        "learn": round(numbers["learn"] * per_call),
        "goal": net.goal if core == "cortex-m4f" else None,
        "memory": numbers["memory"],
        "stack": numbers["stack"],
        "text": sum(sizes.values()),
        "same_bits": numbers["checksum"] == learner.checksum,
        "sizes": sizes,
    }


if __name__ == "__main__":
    main()
