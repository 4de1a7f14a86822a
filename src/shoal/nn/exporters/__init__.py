"""Networks for other tools; a network's own file is in the safetensors format already."""

from __future__ import annotations

from shoal.nn.exporters.onnx import to_onnx

__all__ = ["to_onnx"]
