"""The columns of the tables that can be imported: where each goes in a document, and what its cells are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.catalog.describe import observations
from shoal.catalog.importers.table import cells

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["DEVICES", "MODELS", "Column"]

Column = tuple[str, "Callable[[str], object]"]

# Column: path in the document, reading of a cell. An empty cell leaves the field out.
DEVICES: dict[str, Column] = {
    "id": ("id", str),
    "title": ("title", str),
    "description": ("description", str),
    "board": ("shoal:hardware.board", str),
    "core": ("shoal:hardware.core", str),
    "clock_hz": ("shoal:hardware.clock_hz", cells.whole),
    "ram_bytes": ("shoal:hardware.ram.total", cells.whole),
    "ram_reserved_bytes": ("shoal:hardware.ram.reserved", cells.whole),
    "flash_bytes": ("shoal:hardware.flash.total", cells.whole),
    "flash_reserved_bytes": ("shoal:hardware.flash.reserved", cells.whole),
    "sensors": ("shoal:hardware.sensors", observations),
    "runtimes": ("shoal:hardware.runtimes", cells.runtimes),
    "licences": ("shoal:hardware.licences", cells.listed),
}
MODELS: dict[str, Column] = {
    "file": ("file", str),
    "sha256": ("sha256", str),
    "name": ("name", str),
    "version": ("version", str),
    "format": ("format", str),
    "size_bytes": ("size", cells.whole),
    "title": ("title", str),
    "description": ("description", str),
    "task": ("task", str),
    "creator": ("creator", str),
    "created": ("created", str),
    "licence": ("licence", str),
    "reference": ("reference", str),
    "dataset": ("dataset", str),
    "tags": ("tags", cells.listed),
    "macs": ("macs", cells.whole),
    "parameters": ("parameters", cells.whole),
    "ram_bytes": ("inference.bytes", cells.whole),
    "training_ram_bytes": ("training.bytes", cells.whole),
    "train_last": ("train_last", cells.whole),
    "flash_bytes": ("flash.bytes", cells.whole),
    "clock_hz": ("clock_hz", cells.whole),
    "runtime": ("runtime", str),
    "runtime_version": ("runtime_version", str),
    "sensors": ("input.sensors", observations),
    "window": ("input.window", cells.whole),
    "channels": ("input.channels", cells.listed),
    "preparation": ("input.preparation", str),
    "metrics": ("metrics", cells.metrics),
}
