"""Shoal: microcontrollers that keep learning, fleets that share what they learnt."""

from __future__ import annotations

from shoal import datasets, errors, federate, learn, nn
from shoal.errors import ShoalError

__all__ = ["ShoalError", "__version__", "datasets", "errors", "federate", "learn", "nn"]

__version__ = "0.1.0"
