"""Batched Reptile in PyTorch on the network and the tasks of experiments/omniglot.toml.

Nichol, Achiam, Schulman, 2018, algorithm 2: 5 tasks a round, 10 inner steps of SGD on batches of 5 of 10
shots, outer rate falling linearly to 0; new tasks: 50 steps on batches of 5. --adam takes the inner steps of
the published code instead: 5 steps of Adam (beta1 = 0, rate 0.001) on batches of 10, outer rate from 1.

    python -m benchmarks.omniglot_reptile --rounds 8000
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time

import numpy as np
import torch
from numpy.typing import NDArray

from shoal import datasets

WAYS, FILTERS, GROUPS = 5, 32, 4


def network(seed: int) -> torch.nn.Sequential:
    """Build the network; padding as "same" does it, He's and Glorot's initial weights as Shoal draws them."""
    torch.manual_seed(seed)
    layers: list[torch.nn.Module] = []
    channels, size = 1, 28
    for _ in range(4):
        total = (math.ceil(size / 2) - 1) * 2 + 3 - size
        before = total // 2
        layers += [
            torch.nn.ZeroPad2d((before, total - before, before, total - before)),
            torch.nn.Conv2d(channels, FILTERS, 3, 2, bias=False),
            torch.nn.GroupNorm(GROUPS, FILTERS),
            torch.nn.ReLU(),
        ]
        torch.nn.init.kaiming_uniform_(layers[-3].weight)
        channels, size = FILTERS, math.ceil(size / 2)
    layers += [torch.nn.Flatten(), torch.nn.Linear(channels * size * size, WAYS)]
    torch.nn.init.xavier_uniform_(layers[-1].weight)
    torch.nn.init.zeros_(layers[-1].bias)
    return torch.nn.Sequential(*layers)


def learn(
    model: torch.nn.Module, x: torch.Tensor, y: torch.Tensor, steps: int, batch: int, seed: int, adam: bool
) -> None:
    """Take steps on batches that pass through the samples again and again, each time reordered."""
    optimizer: torch.optim.Optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    if adam:
        optimizer = torch.optim.Adam(model.parameters(), lr=0.001, betas=(0.0, 0.999))
    order = np.random.default_rng(seed)
    rows = np.concatenate([order.permutation(len(x)) for _ in range(-(-steps * batch // len(x)))])
    for step in range(steps):
        chosen = rows[step * batch : (step + 1) * batch]
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x[chosen]), y[chosen]).backward()
        optimizer.step()


def tensors(
    x: NDArray[np.float32], row: NDArray[np.uint32], label: NDArray[np.float32]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return images (n, 1, 28, 28) and class numbers (n,)."""
    return torch.from_numpy(x[row][:, None, :, :, 0]), torch.from_numpy(label[:, 0].astype(np.int64))


def accuracy(model: torch.nn.Sequential, tasks: int, seed: int, adam: bool) -> NDArray[np.float64]:
    """Return the accuracy on the queries of each new task after 50 steps."""
    family = datasets.omniglot(ways=WAYS, shots=10, queries=10, rotations=True, held_out_shots=5).held_out()
    batch = family.sample(seed, np.arange(tasks, dtype=np.uint64))
    start = {name: value.clone() for name, value in model.state_dict().items()}
    found = np.empty(tasks)
    for i in range(tasks):
        model.load_state_dict(start)
        learn(model, *tensors(batch.x, batch.support[i], batch.support_y[i]), 50, 5, i, adam)
        x, y = tensors(batch.x, batch.query[i], batch.query_y[i])
        with torch.no_grad():
            found[i] = (model(x).argmax(1) == y).float().mean().item()
    model.load_state_dict(start)
    return found


def main() -> None:
    """Meta-train, evaluate and print one line of JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=8000)
    parser.add_argument("--tasks", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--adam", action="store_true")
    options = parser.parse_args()
    steps, size, outer = (5, 10, 1.0) if options.adam else (10, 5, 0.5)
    torch.set_num_threads(1)
    family = datasets.omniglot(ways=WAYS, shots=10, queries=10, rotations=True)
    model = network(options.seed)
    began = time.process_time()
    for round_number in range(options.rounds):
        ids = np.arange(5 * round_number, 5 * round_number + 5, dtype=np.uint64)
        batch = family.sample(options.seed, ids)
        start = {name: value.clone() for name, value in model.state_dict().items()}
        mean = {name: torch.zeros_like(value) for name, value in start.items()}
        for i in range(5):
            model.load_state_dict(start)
            learn(
                model,
                *tensors(batch.x, batch.support[i], batch.support_y[i]),
                steps,
                size,
                int(ids[i]),
                options.adam,
            )
            for name, value in model.state_dict().items():
                mean[name] += value / 5
        rate = outer * (1 - round_number / options.rounds)
        model.load_state_dict({name: start[name] + rate * (mean[name] - start[name]) for name in start})
        if round_number % 500 == 0:
            print(f"round {round_number}: {time.process_time() - began:.0f} s", file=sys.stderr)
    found = accuracy(model, options.tasks, 0, options.adam)
    print(
        json.dumps(
            {
                "contender": f"torch {torch.__version__}, batched Reptile",
                "inner": "Adam" if options.adam else "SGD",
                "rounds": options.rounds,
                "tasks_seen": 5 * options.rounds,
                "cpu_s": round(time.process_time() - began),
                "accuracy": round(float(found.mean()), 4),
                "interval95": round(float(1.96 * found.std(ddof=1) / np.sqrt(len(found))), 4),
            }
        )
    )


if __name__ == "__main__":
    main()
