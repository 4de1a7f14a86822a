"""The files of Keras 3."""

from __future__ import annotations

from shoal.nn.importers.keras.load import decode, load

__all__ = ["decode", "load"]
