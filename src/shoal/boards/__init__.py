"""Well-known microcontroller boards: processor, memory, sensors, names in toolchains, each with its source.

``BOARDS`` holds them by name, smallest RAM first. ``UNITS`` holds the properties that a sensor may observe,
each with its unit.
"""

from __future__ import annotations

from shoal.boards.board import Board
from shoal.boards.catalog import BOARDS, board
from shoal.boards.chip import Chip, Current
from shoal.boards.sensor import UNITS, Sensor

__all__ = ["BOARDS", "Board", "Chip", "Current", "Sensor", "UNITS", "board"]
