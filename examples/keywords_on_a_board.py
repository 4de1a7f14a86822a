"""A keyword net learns a new voice on a microcontroller with 256 KB of RAM and 1 MB of flash.

A convolutional net of the size and shape of MLPerf Tiny's learns 12 words from 18 speakers, here. It is
quantized to int8 and linked into the firmware of an emulated Cortex-M4F, by a linker script that knows no
more memory than that. There its int8 weights go on learning, from five takes of each word by a speaker whom
it never heard.

    SHOAL_DATA=... python examples/keywords_on_a_board.py [--layers all|last] [--speakers 1] [--json]

The data are the log-mel maps of the Arabic Speech Commands, see ``shoal.datasets.keywords``.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from shoal import datasets, devices, learn, nn

WORDS = ("backward", "cancel", "close", "digit", "direction", "disable")
WORDS += ("down", "eight", "enable", "enter", "five", "forward")
TAKES, HELD_OUT = 5, 6
BANDS, CEPSTRA = 40, 10
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Found:
    """What one speaker's device showed; memory in bytes, instructions of one call."""

    speaker: str
    before: float
    after: float
    ram: int
    flash: int
    stack: int
    predict: int
    learn: int
    same_bits: bool


def cepstra(maps: Floats) -> Floats:
    """Return the first coefficients of each frame's cosine transform: log-mel becomes MFCC."""
    k, n = np.arange(CEPSTRA)[:, None], np.arange(BANDS)
    basis = np.cos(np.pi / BANDS * (n + 0.5) * k).astype(np.float32)
    return np.einsum("nfbc,kb->nfkc", maps, basis)


def ds_cnn(filters: int = 64) -> nn.Network:
    """Return the separable net of Zhang et al., Hello Edge (2017), in the size of MLPerf Tiny's."""
    layers: list[nn.Layer] = [nn.Conv2D(filters, (10, 4), 2, activation="relu")]
    for _ in range(4):
        layers += [nn.DepthwiseConv2D(3, activation="relu"), nn.Conv2D(filters, 1, activation="relu")]
    layers += [nn.AveragePool2D((25, 5)), nn.Flatten(), nn.Dense(len(WORDS), "softmax")]
    return nn.Network(layers, (49, CEPSTRA, 1), loss="cross_entropy", seed=0)


def train(x: Floats, y: Floats, epochs: int) -> nn.Network:
    """Learn the words from many speakers, in float32; each clip shifted a little in time, anew each epoch."""
    rng = np.random.default_rng(0)
    network = ds_cnn()
    for rate, share in ((0.002, 2 / 3), (0.0005, 1 / 3)):
        learner = learn.Learner(network, learn.Adam(rate), batch=8)
        for _ in range(max(round(epochs * share), 1)):
            order = rng.permutation(len(x))
            shifted = np.stack([np.roll(clip, rng.integers(-4, 5), 0) for clip in x[order]])
            learner.learn_many(shifted, y[order])
        network = learner.learned_network()
    return network


def adapt(
    network: nn.Network, task: datasets.Task, scale: tuple[Floats, Floats], passes: int, core: str
) -> Found:
    """Let a board learn one speaker's takes, and judge it by others."""
    optimizer = learn.SGD(0.003)
    support, query = ((cepstra(x) - scale[0]) / scale[1] for x in (task.support_x, task.query_x))
    order = np.concatenate([np.random.default_rng(i).permutation(len(support)) for i in range(passes)])
    twin = learn.Learner(network, optimizer)
    twin.learn_many(support[order], task.support_y[order])
    with devices.emulate(network, core, optimizer) as board:
        before = (board.predict_many(query).argmax(1) == task.query_y).mean()
        board.learn_many(support[order], task.support_y[order])
        after = (board.predict_many(query).argmax(1) == task.query_y).mean()
        footprint = twin.footprint(core)
        return Found(
            speaker=task.name,
            before=round(float(before), 3),
            after=round(float(after), 3),
            ram=footprint.ram,
            flash=footprint.flash,
            stack=board.stack_used,
            predict=board.count("predict"),
            learn=board.count("learn"),
            same_bits=board.checksum == twin.checksum,
        )


def main(arguments: list[str] | None = None, epochs: int = 12, passes: int = 3) -> int:
    """Train here, adapt there, and say what it took and gave."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layers", choices=("all", "last"), default="all", help="what learns on the board")
    parser.add_argument("--core", default="cortex-m4f")
    parser.add_argument("--speakers", type=int, default=1, help=f"new ones, 1 to {HELD_OUT}")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)

    takes = len(WORDS) * TAKES
    family = datasets.keywords(words=WORDS, ways=None, shots=takes, queries=takes, held_out=HELD_OUT)
    if not isinstance(family, datasets.Grouped):
        raise TypeError("keywords without ways are grouped by speaker")
    known = family.sample(0, np.arange(len(family.names), dtype=np.uint64))
    rows = np.concatenate([known.support.ravel(), known.query.ravel()])
    x, y = cepstra(family.x[rows]), family.y[rows].ravel()
    scale = x.mean((0, 1)), x.std((0, 1))
    x = (x - scale[0]) / scale[1]
    network = learn.quantize(train(x, y, epochs), x[:200])
    if options.layers == "all":
        network = network.train(on_integers=True)
    else:
        network = network.train_last(1, on_integers=True)

    new = family.held_out()
    for number in range(min(options.speakers, len(new.names))):
        task = new.sample(0, np.array([number], np.uint64))[0]
        found = adapt(network, task, scale, passes, options.core)
        if options.json:
            print(json.dumps(asdict(found)), flush=True)
            continue
        print(f"speaker {found.speaker}: {found.before:.1%} of the words before, {found.after:.1%} after")
        print(
            f"  memory of the network {found.ram:,} B RAM, {found.flash:,} B flash, stack {found.stack:,} B"
        )
        print(f"  {found.predict:,} instructions to answer, {found.learn:,} to learn")
        print(f"  the same bits as in this process: {'yes' if found.same_bits else 'NO'}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
