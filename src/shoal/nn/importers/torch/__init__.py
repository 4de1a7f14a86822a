"""PyTorch: modules, exported programs and their files."""

from __future__ import annotations

from shoal.nn.importers.torch.load import decode, load

__all__ = ["decode", "load"]
