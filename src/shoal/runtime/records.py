"""The structures of the C runtime's headers, and the frozen ones that Python shows instead."""

from __future__ import annotations

import ctypes
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shoal.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "AnswerRecord",
    "Info",
    "InfoRecord",
    "OptimizerRecord",
    "Phase",
    "PhaseRecord",
    "SerialRecord",
    "StreamRecord",
    "VisitRecord",
    "phase_records",
]


# The layers of an image are numbered with one byte.
LAYERS = 256


class OptimizerRecord(ctypes.Structure):
    """``struct shoal_optimizer``."""

    _fields_ = [
        (name, ctypes.c_float) for name in ("rate", "momentum", "beta1", "beta2", "epsilon", "proximal")
    ]


class InfoRecord(ctypes.Structure):
    """``struct shoal_info``."""

    _fields_ = [
        (name, ctypes.c_uint32)
        for name in (
            "inputs",
            "outputs",
            "active",
            "targets",
            "parameters",
            "state",
            "arena",
            "layers",
            "steps",
            "pending",
            "input_type",
            "output_type",
            "quantized",
        )
    ]


class PhaseRecord(ctypes.Structure):
    """``struct shoal_phase``."""

    _fields_ = [
        ("optimizer", OptimizerRecord),
        ("samples", ctypes.c_uint32),
        ("batch", ctypes.c_uint32),
        ("frozen", ctypes.c_uint8 * 32),
    ]


class StreamRecord(ctypes.Structure):
    """``struct shoal_stream``."""

    _fields_ = [
        ("x", ctypes.c_void_p),
        ("rows", ctypes.c_size_t),
        ("row", ctypes.c_void_p),
        ("targets", ctypes.c_void_p),
        ("counts", ctypes.c_void_p),
        ("devices", ctypes.c_size_t),
        ("samples", ctypes.c_size_t),
    ]


class VisitRecord(ctypes.Structure):
    """``struct shoal_visit``."""

    _fields_ = [
        ("stream", StreamRecord),
        ("phases", ctypes.POINTER(PhaseRecord)),
        ("phase_count", ctypes.c_size_t),
        ("start", ctypes.c_void_p),
        ("start_stride", ctypes.c_size_t),
        ("start_count", ctypes.c_size_t),
        ("marks", ctypes.c_void_p),
        ("mark_count", ctypes.c_size_t),
        ("end", ctypes.c_void_p),
        ("end_count", ctypes.c_size_t),
        ("loss", ctypes.c_void_p),
        ("status", ctypes.c_void_p),
    ]


class AnswerRecord(ctypes.Structure):
    """``struct shoal_answer``."""

    _fields_ = [
        ("stream", StreamRecord),
        ("start", ctypes.c_void_p),
        ("start_stride", ctypes.c_size_t),
        ("start_count", ctypes.c_size_t),
        ("y", ctypes.c_void_p),
        ("loss", ctypes.c_void_p),
    ]


class SerialRecord(ctypes.Structure):
    """``struct shoal_serial``."""

    _fields_ = [("visit", VisitRecord), ("parameters", ctypes.c_void_p), ("server_rate", ctypes.c_void_p)]


@dataclass(frozen=True, slots=True)
class Info:
    """Numbers of one open network; state and arena in words of four bytes, types are ``enum shoal_type``."""

    inputs: int
    outputs: int
    active: int
    targets: int
    parameters: int
    state: int
    arena: int
    layers: int
    steps: int
    pending: int
    input_type: int
    output_type: int
    quantized: int


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of a visit: samples in a row, learnt with one setting.

    Parameters
    ----------
    rate
        Learning rate, >= 0.
    samples
        How many; the last phase takes what is left.
    batch
        Samples for each update; more than 1 only with an image that accumulates.
    momentum, beta1, beta2, epsilon
        Settings of momentum and Adam.
    proximal
        Pull towards where the phase began (FedProx's mu); needs an image with an anchor.
    frozen
        Numbers of the layers that do not learn in this phase.
    """

    rate: float
    samples: int
    batch: int = 1
    momentum: float = 0.9
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-7
    proximal: float = 0.0
    frozen: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.samples < 1 << 32 or not 0 < self.batch < 1 << 32:
            raise ConfigError(f"{self.samples} samples in batches of {self.batch}", where="Phase")
        if not all(0 <= layer < LAYERS for layer in self.frozen):
            raise ConfigError(f"frozen layers {self.frozen}", where="Phase", hint=f"0 to {LAYERS - 1}")
        settings = (self.rate, self.momentum, self.beta1, self.beta2, self.epsilon, self.proximal)
        if not all(0 <= value < math.inf for value in settings):
            raise ConfigError(f"settings {settings}", where="Phase", hint="finite, 0 or more")


def phase_records(phases: Sequence[Phase]) -> ctypes.Array[PhaseRecord]:
    """Return phases as the C library takes them."""
    records = (PhaseRecord * len(phases))()
    for record, phase in zip(records, phases, strict=True):
        record.optimizer = OptimizerRecord(
            phase.rate, phase.momentum, phase.beta1, phase.beta2, phase.epsilon, phase.proximal
        )
        record.samples, record.batch = phase.samples, phase.batch
        for layer in phase.frozen:
            record.frozen[layer >> 3] |= 1 << (layer & 7)
    return records
