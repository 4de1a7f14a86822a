"""Many simulated devices at once: lanes and threads."""

from __future__ import annotations

import ctypes
import functools
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from shoal.errors import ConfigError, InputError
from shoal.runtime.executor import Executor
from shoal.runtime.library import best_width, buffer, check, function, pointers
from shoal.runtime.records import (
    AnswerRecord,
    Info,
    Phase,
    SerialRecord,
    StreamRecord,
    VisitRecord,
    phase_records,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Visits", "answer", "serial", "visit"]

Floats = NDArray[np.float32]
Rows = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Visits:
    """What devices answer: ``end`` (devices, marks, values), ``loss`` and ``status`` (devices,).

    ``status`` is 0, or the negative status of the runtime for a device that failed, whose ``end`` is then its
    start.
    """

    end: Floats
    loss: Floats
    status: NDArray[np.int32]


@functools.lru_cache(maxsize=16)
def memory_size(image: bytes, width: int) -> int:
    size = ctypes.c_size_t()
    blob, _ = loaded(image)
    check(function("shoal_cohort_memory", width)(ctypes.byref(size), *pointers(blob)), "image")
    return size.value


def as_array(array: Any, kind: type[np.generic], name: str, ndim: int | None = None) -> NDArray[Any]:
    out = np.ascontiguousarray(array, dtype=kind)
    if ndim is not None and out.ndim != ndim:
        raise InputError(f"{name} has {out.ndim} dimensions, expected {ndim}", where=name)
    return out


def split(devices: int, width: int, threads: int) -> list[slice]:
    groups = math.ceil(devices / width)
    share = max(1, math.ceil(groups / max(1, threads))) * width
    return [slice(first, min(first + share, devices)) for first in range(0, devices, share)]


def checked_width(width: int | None) -> int:
    if width not in {None, 1, 8, 16}:
        raise ConfigError(f"width is {width}", where="width", hint="1, 8 or 16")
    return width or best_width()


def each_part(parts: list[slice], work: Callable[[slice], int], where: str) -> None:
    if len(parts) == 1:
        statuses = [work(parts[0])]
    else:
        with ThreadPoolExecutor(len(parts)) as pool:
            statuses = list(pool.map(work, parts))
    for status in statuses:
        check(status, where)


def stream_record(
    x: Floats, row: Rows, targets: Floats | None, counts: Rows | None, part: slice
) -> StreamRecord:
    own = row[part]
    return StreamRecord(
        x.ctypes.data,
        len(x),
        own.ctypes.data,
        None if targets is None else targets[part].ctypes.data,
        None if counts is None else counts[part].ctypes.data,
        own.shape[0],
        own.shape[1],
    )


@functools.lru_cache(maxsize=16)
def loaded(image: bytes) -> tuple[NDArray[np.uint8], Info]:
    """Return the image where the runtime can read it, and its numbers."""
    executor = Executor(image)
    return executor.image, executor.info


def check_stream(info: Info, x: Floats, row: Rows, targets: Floats | None, counts: Rows | None) -> None:
    devices, samples = row.shape
    if x.size == 0 or row.size == 0:
        raise InputError("there are no samples", where="x" if x.size == 0 else "row")
    if x.size != len(x) * info.inputs:
        raise InputError(
            f"samples of {x.size // len(x)} values", where="x", hint=f"{info.inputs} values each"
        )
    if targets is not None and targets.shape != (devices, samples, info.targets):
        hint = f"shape ({devices}, {samples}, {info.targets})"
        raise InputError(f"targets of shape {targets.shape}", where="targets", hint=hint)
    if counts is not None and counts.shape != (devices,):
        raise InputError(f"counts of shape {counts.shape}", where="counts", hint=f"shape ({devices},)")


def check_start(info: Info, start: Floats, devices: int) -> None:
    if start.ndim > 2 or start.shape[-1] > info.state or (start.ndim == 2 and len(start) != devices):
        hint = f"at most {info.state} values, once or for each of {devices} devices"
        raise InputError(f"a start of shape {start.shape}", where="start", hint=hint)


def visit(
    image: bytes,
    *,
    x: Floats,
    row: Rows,
    targets: Floats,
    phases: Sequence[Phase],
    start: Floats,
    width: int | None = None,
    counts: Rows | None = None,
    marks: Sequence[int] | None = None,
    end_count: int | None = None,
    threads: int = 1,
    out: Floats | None = None,
) -> Visits:
    """Let simulated devices learn, each from its own samples.

    Parameters
    ----------
    image
        A plan's image with a learning part.
    x
        Store of samples (rows, ...), finite.
    row
        Which row of the store each sample is (devices, samples).
    targets
        What each sample should answer (devices, samples, targets): values, or one class number.
    phases
        What a visit does, in order.
    start
        Leading values of the state (count,) for all devices, or (devices, count); the rest starts at 0.
    width
        Lanes: 1, 8 or 16; by default the fastest. It changes no bit of the result.
    counts
        Samples of each device (devices,), by default all.
    marks
        After how many samples the values are kept; by default at the end.
    end_count
        How many leading values of the state are kept; by default as many as `start` has.
    threads
        Threads to share the devices among.
    out
        Array of the answer's shape to write `end` into, instead of new memory.

    Raises
    ------
    ImageError, InputError, ConfigError
        Where the image, the arrays or the phases do not fit each other.
    """
    width = checked_width(width)
    x = as_array(x, np.float32, "x")
    row = as_array(row, np.uint32, "row", 2)
    targets = as_array(targets, np.float32, "targets")
    start = as_array(start, np.float32, "start")
    if counts is not None:
        counts = as_array(counts, np.uint32, "counts", 1)
    blob, info = loaded(image)
    devices = row.shape[0]
    check_stream(info, x, row, targets, counts)
    check_start(info, start, devices)
    own_start = start.ndim == 2
    kept = start.shape[-1] if end_count is None else end_count
    at = None if marks is None else as_array(marks, np.uint32, "marks", 1)
    shape = (devices, 1 if at is None else len(at), kept)
    if out is not None and not (out.shape == shape and out.dtype == np.float32 and out.flags.c_contiguous):
        raise InputError(f"out has shape {out.shape}", where="out", hint=f"float32 {shape}, contiguous")
    end = np.empty(shape, np.float32) if out is None else out
    loss = np.empty(devices, np.float32)
    status = np.empty(devices, np.int32)
    records = phase_records(phases)
    call = function("shoal_cohort_visit", width)

    def work(part: slice) -> int:
        memory = buffer(memory_size(image, width))
        request = VisitRecord(
            stream_record(x, row, targets, counts, part),
            records,
            len(records),
            (start[part] if own_start else start).ctypes.data,
            start.shape[1] if own_start else 0,
            start.shape[-1],
            None if at is None else at.ctypes.data,
            0 if at is None else len(at),
            end[part].ctypes.data,
            kept,
            loss[part].ctypes.data,
            status[part].ctypes.data,
        )
        return call(ctypes.byref(request), *pointers(blob, memory))

    each_part(split(devices, width, threads), work, "visit")
    return Visits(end, loss, status)


def answer(
    image: bytes,
    *,
    x: Floats,
    row: Rows,
    start: Floats,
    targets: Floats | None = None,
    width: int | None = None,
    threads: int = 1,
) -> tuple[Floats, Floats | None]:
    """Answer samples without learning; parameters as in :func:`visit`.

    Returns
    -------
    Outputs (devices, samples, outputs), and with `targets` the losses (devices, samples).
    """
    width = checked_width(width)
    x = as_array(x, np.float32, "x")
    row = as_array(row, np.uint32, "row", 2)
    start = as_array(start, np.float32, "start")
    if targets is not None:
        targets = as_array(targets, np.float32, "targets")
    blob, info = loaded(image)
    check_stream(info, x, row, targets, None)
    check_start(info, start, row.shape[0])
    own_start = start.ndim == 2
    y = np.empty((*row.shape, info.outputs), np.float32)
    loss = None if targets is None else np.empty(row.shape, np.float32)
    call = function("shoal_cohort_answer", width)

    def work(part: slice) -> int:
        memory = buffer(memory_size(image, width))
        request = AnswerRecord(
            stream_record(x, row, targets, None, part),
            (start[part] if own_start else start).ctypes.data,
            start.shape[1] if own_start else 0,
            start.shape[-1],
            y[part].ctypes.data,
            None if loss is None else loss[part].ctypes.data,
        )
        return call(ctypes.byref(request), *pointers(blob, memory))

    each_part(split(row.shape[0], width, threads), work, "answer")
    return y, loss


def serial(
    image: bytes,
    *,
    x: Floats,
    row: Rows,
    targets: Floats,
    phases: Sequence[Phase],
    parameters: Floats,
    server_rate: Floats,
) -> Visits:
    """Let devices visit one after the other; after each, ``p = p + server_rate * (end - p)``.

    `parameters` (P,) is changed in place; `server_rate` (devices,) holds the rate of each visit. A device
    that fails moves nothing. Other parameters are those of :func:`visit`.
    """
    x = as_array(x, np.float32, "x")
    row = as_array(row, np.uint32, "row", 2)
    targets = as_array(targets, np.float32, "targets")
    rates = as_array(server_rate, np.float32, "server_rate", 1)
    blob, info = loaded(image)
    devices = row.shape[0]
    check_stream(info, x, row, targets, None)
    if rates.size != devices:
        raise InputError(f"{rates.size} server rates for {devices} devices", where="server_rate")
    if not (
        parameters.size == info.parameters
        and parameters.dtype == np.float32
        and parameters.flags.c_contiguous
    ):
        raise InputError(
            f"parameters: {parameters.dtype} of shape {parameters.shape}",
            where="parameters",
            hint=f"contiguous float32 of shape ({info.parameters},)",
        )
    loss = np.empty(devices, np.float32)
    status = np.empty(devices, np.int32)
    records = phase_records(phases)
    request = SerialRecord(
        VisitRecord(
            stream=stream_record(x, row, targets, None, slice(None)),
            phases=records,
            phase_count=len(records),
            loss=loss.ctypes.data,
            status=status.ctypes.data,
        ),
        parameters.ctypes.data,
        rates.ctypes.data,
    )
    call = function("shoal_cohort_serial", 1)
    memory = buffer(memory_size(image, 1))
    check(call(ctypes.byref(request), *pointers(blob, memory)), "serial")
    return Visits(np.empty((devices, 0, 0), np.float32), loss, status)
