"""Why matches of the reference system's rule are none under the complete rule: every pair with its reasons.

Run as `python -m tests.catalog.matching.reference_table [folder of the data]`.
"""
# ruff: noqa: T201 - a program that prints

from __future__ import annotations

import csv
import os
import sys
from collections import Counter
from pathlib import Path

from shoal.catalog import importers
from shoal.catalog.documents import Device, Hardware, Model, Runtime
from shoal.catalog.matching import ALL, REFERENCE_RULE, Match, check

# What the reference system takes for granted and does not say: TensorFlow Lite Micro is on every device.
RUNTIME = Runtime(name="tflite-micro")
# And the rates of its sensors: those at which its models were tested, as their descriptions say.
RATES = {"acceleration": 119.0, "angular velocity": 119.0, "sound": 20_000.0}
SLOWER = RATES | {"sound": 16_000.0}


def documents(folder: Path) -> tuple[list[Model], list[Device]]:
    """Return the 23 models, with their files, and the 9 devices."""
    turtle = sorted((folder / "semantic_description").glob("*.ttl"))
    imported = importers.load(turtle, files=folder / "collected_models").documents
    return (
        [one for one in imported if isinstance(one, Model)],
        [one for one in imported if isinstance(one, Device)],
    )


def expected(folder: Path) -> set[tuple[str, str]]:
    """Return the pairs of the reference system's rule, as an independent program computed them."""
    with (folder / "derived" / "matches_reference_rule.csv").open() as file:
        rows = list(csv.DictReader(file))
    facts = {"model", "ram_kB", "flash_kB", "sensors"}
    return {
        (row["model"], device)
        for row in rows
        for device, verdict in row.items()
        if device not in facts and verdict == "ok"
    }


def stages(device: Device):
    """Return the hardware as the data says it, with the runtime, and with the rates too."""
    said = device.hardware
    running = said.model_copy(update={"runtimes": (RUNTIME,)})
    return {
        "as the data says": said,
        "with its runtime": running,
        "with runtime and rates": rated(running, RATES),
        "with microphones at 16 kHz": rated(running, SLOWER),
    }


def rated(hardware: Hardware, rates: dict[str, float]) -> Hardware:
    """Return hardware whose sensors have these rates."""
    sensors = (one.model_copy(update={"rate_hz": rates.get(one.observes)}) for one in hardware.sensors or ())
    return hardware.model_copy(update={"sensors": tuple(sensors)})


def judged(folder: Path, rule=ALL) -> dict[str, list[Match]]:
    """Return every pair at each stage."""
    models, devices = documents(folder)
    found: dict[str, list[Match]] = {}
    for device in devices:
        for stage, hardware in stages(device).items():
            found.setdefault(stage, []).extend(
                Match(model.name, device.title, check(model, hardware, rule=rule)) for model in models
            )
    return found


def causes(match: Match) -> str:
    """Return the conditions that fail, in short."""
    failing = {one.name.split(":")[0]: one for one in match.conditions if not one.fits}
    return ", ".join(
        f"{name} {'not known' if 'not known' in one.have else 'too little'}" for name, one in failing.items()
    )


def main() -> None:
    """Print the table."""
    default = os.environ.get("SHOAL_DATA") or Path(__file__).parents[4] / "shared" / "data"
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(default) / "seloc"
    pairs = expected(folder)
    by_rule = {
        (one.model, one.device) for one in judged(folder, REFERENCE_RULE)["as the data says"] if one.fits
    }
    print(f"the reference rule: {len(by_rule)} of 207 pairs, {len(by_rule ^ pairs)} unlike its own")
    for stage, matches in judged(folder).items():
        lost = [one for one in matches if (one.model, one.device) in pairs and not one.fits]
        gained = [one for one in matches if (one.model, one.device) not in pairs and one.fits]
        print(f"\n{stage}: {sum(one.fits for one in matches)} match, {len(gained)} more, {len(lost)} fewer")
        for cause, count in Counter(map(causes, lost)).most_common():
            print(f"  {count:>3}  {cause}")
        if stage == "with microphones at 16 kHz":
            for one in lost:
                print(f"       {one.model} on {one.device}: {'; '.join(one.reasons)}")


if __name__ == "__main__":
    main()
