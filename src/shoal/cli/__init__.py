"""The command `shoal`."""

from __future__ import annotations

from shoal.cli.app import main

__all__ = ["main"]
