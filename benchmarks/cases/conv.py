"""Visits per second of a small image network: 25 SGD steps of four strided convolutions on 28x28 pixels."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from benchmarks.cases.builds import builds
from benchmarks.compete import measure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.result import Effort, Result

FILTERS = (32, 16)


def run(effort: Effort) -> Iterator[Result]:
    for filters in FILTERS[:1] if effort.quick else FILTERS:
        yield from compare(f"conv {filters}", filters, effort)


def compare(case: str, filters: int, effort: Effort) -> Iterator[Result]:
    def one(
        name: str,
        setting: str,
        contender: str,
        devices: int,
        options: dict[str, Any],
        env: dict[str, str] | None = None,
    ) -> Result:
        size = {"devices": devices, "filters": filters}
        argument = {"problem": "conv", "size": size, "contender": contender, "options": options}
        return measure(case, name, setting, argument | {"effort": asdict(effort)}, env)

    for build in builds():
        env = {"SHOAL_ISA": build}
        for width in (16, 8):
            yield one("shoal lanes", f"{build}, {width}", "shoal_runtime", 64, {"width": width}, env)
        yield one("shoal width 1", build, "shoal_runtime", 16, {"width": 1}, env)
    for channels_last in (False, True):
        layout = "channels last" if channels_last else "channels first"
        for optimizer in ("foreach",) if effort.quick else ("foreach", "by hand"):
            options = {"channels_last": channels_last, "optimizer": optimizer}
            yield one("torch eager", f"{layout}, SGD {optimizer}", "torch_eager", 2, options)
    for batch in (4,) if effort.quick else (1, 4, 16):
        for windows in ("product",) if effort.quick else ("convolution", "product"):
            setting = f"batch {batch}, windows by {windows}"
            yield one("jax vmap+scan", setting, "jax_scan", batch, {"windows": windows})
