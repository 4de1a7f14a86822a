"""ONNX models."""

from __future__ import annotations

from shoal.nn.exporters.onnx.model import to_onnx

__all__ = ["to_onnx"]
