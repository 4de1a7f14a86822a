"""The binding to the C runtime: the only place that touches ctypes.

One plain shared library for each instruction set lies in the package; the best one that this processor runs
is chosen when the first call is made. Every build, at every width, gives the same bits.
"""

from __future__ import annotations

from shoal.runtime.cohort import Visits, answer, serial, visit
from shoal.runtime.executor import Executor
from shoal.runtime.library import best_width, builds, isa
from shoal.runtime.records import Info, Phase

__all__ = ["Executor", "Info", "Phase", "Visits", "answer", "best_width", "builds", "isa", "serial", "visit"]
