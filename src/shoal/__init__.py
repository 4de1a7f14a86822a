"""Shoal: microcontrollers that keep learning, fleets that share what they learnt."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from shoal.errors import ShoalError

if TYPE_CHECKING:
    from shoal import catalog, datasets, devices, errors, federate, learn, nn
    from shoal.catalog import Catalog

__all__ = [
    "Catalog",
    "ShoalError",
    "__version__",
    "catalog",
    "datasets",
    "devices",
    "errors",
    "federate",
    "learn",
    "nn",
]

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Import a subpackage when it is first used, so that `import shoal` costs next to nothing."""
    if name == "Catalog":
        return importlib.import_module("shoal.catalog").Catalog
    if name in __all__:
        return importlib.import_module(f"shoal.{name}")
    raise AttributeError(f"module 'shoal' has no attribute '{name}'")
