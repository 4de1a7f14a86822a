"""ONNX files."""

from __future__ import annotations

from shoal.nn.importers.onnx.load import decode, load

__all__ = ["decode", "load"]
