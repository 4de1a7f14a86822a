"""TensorFlow Lite models: float32, int8 and uint8."""

from __future__ import annotations

from shoal.nn.importers.tflite.load import decode, load

__all__ = ["decode", "load"]
