"""``python -m benchmarks [CASE ...] [--quick] [--output FILE]``."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks import report
from benchmarks.result import Effort, Result
from benchmarks.targets import judge

CASES = ("mlp", "conv", "scale", "size")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure Shoal beside its peers."
    )
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(CASES)}; all by default")
    parser.add_argument("--quick", action="store_true", help="few settings, short runs: to see that it works")
    parser.add_argument("--output", type=Path, default=Path("build/bench.json"), help="where the figures go")
    arguments = parser.parse_args()
    unknown = set(arguments.cases) - set(CASES)
    if unknown:
        parser.error(f"unknown case {', '.join(sorted(unknown))}: one of {', '.join(CASES)}")
    effort = Effort(repeats=2, seconds=0.2, quick=True) if arguments.quick else Effort()
    console = Console()
    # Where the output is a file there is no width to fit into.
    if not console.is_terminal:
        console = Console(width=160)
    results = measure(arguments.cases or CASES, effort, console)
    verdicts = judge(results)
    for case in dict.fromkeys(result.case for result in results):
        console.print(report.of_case(case, [result for result in results if result.case == case]))
    if verdicts:
        console.print(report.of_targets(verdicts))
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    record = {
        "format": 1,
        "machine": machine(),
        "effort": asdict(effort),
        "results": [asdict(result) for result in results],
        "targets": [asdict(verdict) for verdict in verdicts],
    }
    arguments.output.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    console.print(f"figures in {arguments.output}; rate: median per CPU second of one core")


def measure(cases: list[str] | tuple[str, ...], effort: Effort, console: Console) -> list[Result]:
    """Run the cases, and say as they go which figure is there."""
    results = []
    for case in cases:
        for result in importlib.import_module(f"benchmarks.cases.{case}").run(effort):
            results.append(result)
            figure = result.missing or ", ".join(f"{k} {report.number(v)}" for k, v in result.values.items())
            console.print(
                f"[dim]{result.case}: {result.contender} {result.setting}: {figure}[/]", highlight=False
            )
    return results


def machine() -> dict[str, Any]:
    """Where this was measured, and with which versions."""
    versions = {}
    for name in ("shoal", "numpy", "jax", "torch"):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "not installed"
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
    return {
        "system": platform.platform(),
        "processor": model or platform.processor(),
        "cores": os.cpu_count(),
        "load": list(os.getloadavg()) if hasattr(os, "getloadavg") else [],
        "python": platform.python_version(),
        "versions": versions,
    }


if __name__ == "__main__":
    main()
