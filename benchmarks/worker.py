"""Runs in the process that ``isolate.call`` starts: ``python -m benchmarks.worker MODULE ARGUMENT``."""

from __future__ import annotations

import importlib
import json
import sys

from benchmarks import isolate

PEERS = {"jax": "pip install jax", "torch": "pip install torch==2.13.0"}


def main(module: str, argument: str) -> None:
    isolate.pin()
    try:
        answer = importlib.import_module(module).main(json.loads(argument))
    except ModuleNotFoundError as error:
        if error.name not in PEERS:
            raise
        answer = {"skipped": f"{error.name} is not installed: {PEERS[error.name]}"}
    except isolate.Skipped as reason:
        answer = {"skipped": str(reason)}
    print(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
