"""Compare algorithms on new sine waves: the mean squared error before and after eight steps on eight samples.

Every algorithm sees 20,000 devices with 32 samples each; the network, its seeds and the new devices are the
same for all. A step takes one sample, or all eight where the algorithm learns in batches. Prints a table, or
JSON with --json:

    python examples/compare_on_sine.py
"""

from __future__ import annotations

import json
import sys

from shoal import datasets, federate, learn, nn

DEVICES, SEEDS, STEPS = 20_000, range(5), (0, 1, 8)
FALLING = federate.Linear(1.0, 0.0)
# Name: algorithm, devices in each round, samples of a new device's step.
ALGORITHMS = {
    "TinyReptile": (federate.TinyReptile(32, 0.02, FALLING), 1, 1),
    "Reptile, 5 devices a round, batch 1": (
        federate.Reptile(5, 32, 1, learn.SGD(0.02), server_lr=FALLING),
        5,
        1,
    ),
    "Reptile, 5 devices a round, batch 8": (
        federate.Reptile(5, 32, 8, learn.SGD(0.02), server_lr=FALLING),
        5,
        8,
    ),
    "joint training, then fine-tuned": (federate.JointTraining(10, 32, 10, learn.SGD(0.02)), 10, 8),
}


def network(seed: int) -> nn.Network:
    """Return the network that all start from."""
    layers = [nn.Dense(32, "tanh"), nn.Dense(32, "tanh"), nn.Dense(1)]
    return nn.Network(layers, input_shape=(1,), loss="mse", seed=seed)


def main(devices: int = DEVICES) -> None:
    """Train, evaluate and print."""
    tasks = datasets.sine(shots=32, queries=32)
    found = {name: [] for name in [*ALGORITHMS, "from scratch", "no adaptation"]}
    for seed in SEEDS:
        for name, (algorithm, clients, batch) in ALGORITHMS.items():
            run = federate.Run(network(seed), tasks, algorithm, devices // clients, seed)
            run.execute(progress=False)
            found[name].append(judged(run.network, seed, batch))
            if name == "TinyReptile":
                found["no adaptation"].append(judged(run.network, seed, 1, federate.NoAdaptation()))
        found["from scratch"].append(judged(network(seed), seed, 1, federate.FromScratch()))
    rows = {name: federate.combine(each) for name, each in found.items()}
    if "--json" in sys.argv:
        print(
            json.dumps({name: dict(zip(STEPS, map(float, a.loss), strict=True)) for name, a in rows.items()})
        )
        return
    print(f"{'mean squared error after':40s}" + "".join(f"{f'{s} steps':>16s}" for s in STEPS))
    for name, a in rows.items():
        cells = (
            f"{loss:.3f} ± {interval:.3f}" for loss, interval in zip(a.loss, a.loss_interval, strict=True)
        )
        print(f"{name:40s}" + "".join(f"{cell:>16s}" for cell in cells))
    print(f"{len(SEEDS)} seeds, 500 new devices each; ±: 95 % confidence over seeds")


def judged(start, seed, batch, control=None):
    """Return how well 500 new devices with eight samples each adapt."""
    return federate.evaluate(
        start,
        datasets.sine(shots=8, queries=32),
        steps=STEPS,
        optimizer=learn.SGD(0.02),
        tasks_count=500,
        seed=seed,
        batch=batch,
        control=control,
    )


if __name__ == "__main__":
    main()
