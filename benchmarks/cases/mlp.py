"""Visits per second of a small regression network: 32 SGD steps of 1-32-32-1 on a sine wave."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from benchmarks.cases.builds import builds
from benchmarks.compete import measure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.result import Effort, Result


def run(effort: Effort) -> Iterator[Result]:
    def one(
        name: str,
        setting: str,
        contender: str,
        devices: int,
        options: dict[str, Any],
        env: dict[str, str] | None = None,
    ) -> Result:
        argument = {
            "problem": "mlp",
            "size": {"devices": devices},
            "contender": contender,
            "options": options,
        }
        return measure("mlp", name, setting, argument | {"effort": asdict(effort)}, env)

    alone = 512 if effort.quick else 4096
    for build in builds():
        env = {"SHOAL_ISA": build}
        for width in (16, 8):
            # A small round, where each call's own cost shows, one that fits the cache, and one that does not.
            for devices in (1024,) if effort.quick else (64, 1024, 65_536):
                setting = f"{build}, {width}, {devices:,} devices"
                yield one("shoal lanes", setting, "shoal_runtime", devices, {"width": width}, env)
        yield one("shoal width 1", build, "shoal_runtime", alone, {"width": 1}, env)
        yield one("shoal serial", build, "shoal_runtime", alone, {"serial": True}, env)
    for batch in (64,) if effort.quick else (1, 8, 64, 256, 1024):
        for unroll in (1, 4):
            setting = f"batch {batch}, unroll {unroll}"
            yield one("jax vmap+scan", setting, "jax_scan", batch, {"unroll": unroll})
    for batch in (256,) if effort.quick else (64, 256, 1024):
        yield one("numpy batched", f"batch {batch}", "numpy_batched", batch, {})
    for batch in (256,) if effort.quick else (64, 256, 1024, 4096):
        yield one("torch.func vmap", f"batch {batch}", "torch_func", batch, {})
    for optimizer in ("by hand",) if effort.quick else ("foreach", "fused", "by hand"):
        yield one("torch eager", f"SGD {optimizer}", "torch_eager", 4, {"optimizer": optimizer})
