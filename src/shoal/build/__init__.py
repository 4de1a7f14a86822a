"""Firmware projects from a network: for Arduino, PlatformIO, Zephyr, ESP-IDF, CMake and QEMU."""

from __future__ import annotations

from shoal.build.advice import Advice, advice
from shoal.build.emulation import Trial, emulated
from shoal.build.firmware import Firmware, supported_board
from shoal.build.project import project, project_files
from shoal.build.requirements import Requirements, requirements
from shoal.build.selection import config_header, source_files
from shoal.build.sources import sources
from shoal.build.target import Target
from shoal.build.targets import TARGETS
from shoal.build.training import Training, firmware, project_name

__all__ = [
    "Advice",
    "Firmware",
    "Requirements",
    "TARGETS",
    "Target",
    "Training",
    "Trial",
    "advice",
    "config_header",
    "emulated",
    "firmware",
    "project",
    "project_files",
    "project_name",
    "requirements",
    "source_files",
    "sources",
    "supported_board",
]
