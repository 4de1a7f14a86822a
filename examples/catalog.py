"""Two models and three devices in a catalog: what runs where, why not, and what would change it.

Writes the model files and the catalog into a folder, a temporary one by default:

    python examples/catalog.py [folder]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import shoal
from shoal import nn
from shoal.catalog.documents import Board, Capacity, Hardware, Runtime, Sensor


def models(folder: Path) -> dict[str, Path]:
    """Write a small and a larger model, whose last layers learn on the device."""
    gesture = nn.Network(
        [nn.Dense(32, "relu"), nn.Dense(4, "softmax")], input_shape=(150,), loss="cross_entropy", seed=0
    )
    wake = nn.Network(
        [nn.Conv2D(4, 5, 2, activation="relu"), nn.Flatten(), nn.Dense(2, "softmax")],
        input_shape=(49, 40, 1),
        loss="cross_entropy",
        seed=0,
    )
    paths = {"gesture": folder / "gesture.shoal", "wake": folder / "wake.shoal"}
    gesture.train_last(1).save(paths["gesture"])
    wake.train_last(1).save(paths["wake"])
    return paths


def node() -> Board:
    """Return a board of one's own: little memory, an accelerometer, a microphone."""
    return Board(
        name="hall-node",
        title="Hall node",
        hardware=Hardware(
            core="cortex-m0+",
            clock_hz=48_000_000,
            ram=Capacity(total=20_480, reserved=8_192),
            flash=Capacity(total=131_072, reserved=32_768),
            sensors=(
                Sensor(observes="acceleration", low=-8, high=8, unit="G", rate_hz=400, axes=3),
                Sensor(observes="sound", rate_hz=16_000),
            ),
            runtimes=(Runtime(name="shoal", training=True),),
        ),
    )


def main(folder: Path) -> None:
    """Fill the catalog and ask it."""
    files = models(folder)
    with shoal.Catalog(folder / "catalog.shoal") as catalog:
        gesture = catalog.add_model(
            files["gesture"], task="classification", licence="MIT", sensors=["acceleration, -4..4 G, 100 Hz"]
        )
        wake = catalog.add_model(
            files["wake"], task="classification", licence="Apache-2.0", sensors=["Microphone"]
        )
        board = catalog.add_board(node())
        for number in (1, 2):
            catalog.add_device(board.thing(f"urn:dev:ops:32473-hall-{number}", f"Hall {number}"))
        nano = catalog.add_board("nano33ble")
        catalog.add_device(nano.thing("urn:dev:ops:32473-press", "Press"))

        for model in (gesture, wake):
            found = catalog.match(model=model.id)
            print(f"{model.name}: {found.count} devices")
            for match in (*found.matches, *found.near):
                print(f"  {match.device}: {'fits' if match.fits else match.reasons[0]}")
        print(f"wake, 4 kB smaller: {catalog.what_if(wake.id, ram=-4_000)}")
        covered = catalog.coverage(devices=True)
        print(f"{covered.pairs} of {len(covered.models) * len(covered.devices)} pairs")
        names = catalog.query(
            "SELECT ?name { ?device shoal:canRun $model ; schema:name ?name }",
            parameters={"model": "gesture"},
        )
        print("asked in SPARQL:", ", ".join(sorted(row["name"] for row in names)))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as name:
            main(Path(name))
