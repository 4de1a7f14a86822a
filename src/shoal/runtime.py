"""The binding to the C runtime: the only place that touches ctypes.

One plain shared library for each instruction set lies in the package; the best one that this processor runs is
chosen when the first call is made. Every build, at every width, gives the same bits.
"""

from __future__ import annotations

import ctypes
import functools
import math
import os
import platform
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from shoal.errors import ConfigError, DivergedError, ImageError, InputError, ShoalError, StateError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Executor", "Info", "Phase", "Visits", "answer", "best_width", "isa", "serial", "visit"]

Floats = NDArray[np.float32]
Rows = NDArray[np.uint32]

_ALIGNMENT = 64
_NOT_FINITE = -9
_LABEL = -10
_ERRORS: dict[int, type[ShoalError]] = {
    **dict.fromkeys((-1, -2, -3, -5, -6, -7), ImageError),
    **dict.fromkeys((-4, -13), StateError),
    **dict.fromkeys((-8, _LABEL, -12), InputError),
    **dict.fromkeys((-11, -14), ConfigError),
    _NOT_FINITE: DivergedError,
}


class _Optimizer(ctypes.Structure):
    _fields_ = [(name, ctypes.c_float) for name in ("rate", "momentum", "beta1", "beta2", "epsilon", "proximal")]


class _Info(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_uint32)
        for name in ("inputs", "outputs", "active", "targets", "parameters", "state", "arena", "layers", "steps", "pending")
    ]


class _Phase(ctypes.Structure):
    _fields_ = [
        ("optimizer", _Optimizer),
        ("samples", ctypes.c_uint32),
        ("batch", ctypes.c_uint32),
        ("frozen", ctypes.c_uint8 * 32),
    ]


class _Stream(ctypes.Structure):
    _fields_ = [
        ("x", ctypes.c_void_p),
        ("rows", ctypes.c_size_t),
        ("row", ctypes.c_void_p),
        ("targets", ctypes.c_void_p),
        ("counts", ctypes.c_void_p),
        ("devices", ctypes.c_size_t),
        ("samples", ctypes.c_size_t),
    ]


class _Visit(ctypes.Structure):
    _fields_ = [
        ("stream", _Stream),
        ("phases", ctypes.POINTER(_Phase)),
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


class _Answer(ctypes.Structure):
    _fields_ = [
        ("stream", _Stream),
        ("start", ctypes.c_void_p),
        ("start_stride", ctypes.c_size_t),
        ("start_count", ctypes.c_size_t),
        ("y", ctypes.c_void_p),
        ("loss", ctypes.c_void_p),
    ]


class _Serial(ctypes.Structure):
    _fields_ = [("visit", _Visit), ("parameters", ctypes.c_void_p), ("server_rate", ctypes.c_void_p)]


@dataclass(frozen=True, slots=True)
class Info:
    """Numbers of one open network, in values of four bytes."""

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


@dataclass(frozen=True, slots=True)
class Visits:
    """What devices answer: ``end`` (devices, marks, values), ``loss`` and ``status`` (devices,).

    ``status`` is 0, or the negative status of the runtime for a device that failed; its ``end`` is then its start.
    """

    end: Floats
    loss: Floats
    status: NDArray[np.int32]


def _builds() -> list[str]:
    machine = platform.machine().lower()
    if machine in {"aarch64", "arm64"}:
        return ["neon"]
    return ["avx512", "avx2", "baseline"] if machine in {"x86_64", "amd64"} else ["baseline"]


def _open(build: str) -> ctypes.CDLL:
    # An editable install keeps Python files in the source tree and the built libraries elsewhere on the path.
    folders = list(sys.modules["shoal"].__path__)
    for folder in folders:
        for suffix in ("so", "dylib", "dll"):
            path = Path(folder) / "_lib" / f"shoal_{build}.{suffix}"
            if path.exists():
                return ctypes.CDLL(str(path))
    raise ShoalError(
        f"the C runtime is not built: no library for '{build}'",
        where=", ".join(f"{folder}/_lib" for folder in folders),
        hint="pip install --force-reinstall shoal, or in a checkout: make demo",
    )


@functools.cache
def _library() -> tuple[str, ctypes.CDLL]:
    builds = _builds()
    wanted = os.environ.get("SHOAL_ISA")
    if wanted is not None and wanted not in builds:
        raise ConfigError(f"SHOAL_ISA is '{wanted}'", where="environment", hint=f"one of {', '.join(builds)}")
    library = _open(builds[-1])
    library.shoal_cohort_isa.restype = ctypes.c_char_p
    best = library.shoal_cohort_isa().decode()
    if wanted is not None and builds.index(wanted) < builds.index(best):
        raise ConfigError(
            f"SHOAL_ISA is '{wanted}', this processor runs '{best}'", where="environment", hint=f"SHOAL_ISA={best}"
        )
    build = wanted or best
    library = _open(build)
    library.shoal_status_text.restype = ctypes.c_char_p
    library.shoal_info.restype = _Info
    library.shoal_state_size.restype = ctypes.c_size_t
    library.shoal_state.restype = ctypes.c_void_p
    library.shoal_checksum.restype = ctypes.c_uint32
    return build, library


def isa() -> str:
    """Instruction set of the build in use: ``avx512``, ``avx2``, ``baseline`` or ``neon``.

    ``SHOAL_ISA`` in the environment chooses another one that the processor runs.
    """
    return _library()[0]


def best_width() -> int:
    """Number of lanes that is fastest with the build in use."""
    return 16 if isa() == "avx512" else 8


def _error(status: int, where: str) -> ShoalError:
    text = _library()[1].shoal_status_text(status).decode()
    return _ERRORS.get(status, ShoalError)(text, where=where)


def _check(status: int, where: str) -> None:
    if status != 0:
        raise _error(status, where)


def _buffer(size: int) -> NDArray[np.uint8]:
    """Uninitialised memory that starts at a multiple of 64 bytes."""
    raw = np.empty(size + _ALIGNMENT, np.uint8)
    skip = -raw.ctypes.data % _ALIGNMENT
    return raw[skip : skip + size]


def _function(name: str, width: int) -> Callable[..., int]:
    return getattr(_library()[1], name if width == 1 else f"{name}_w{width}")  # type: ignore[no-any-return]


def _aligned(image: bytes) -> NDArray[np.uint8]:
    copy = _buffer(len(image))
    copy[:] = np.frombuffer(image, np.uint8)
    return copy


@functools.lru_cache(maxsize=16)
def _memory_size(image: bytes, width: int) -> int:
    size = ctypes.c_size_t()
    blob, _ = _loaded(image)
    _check(_function("shoal_cohort_memory", width)(ctypes.byref(size), *_pointers(blob)), "image")
    return size.value


def _as(array: Any, kind: type[np.generic], name: str, ndim: int | None = None) -> NDArray[Any]:
    out = np.ascontiguousarray(array, dtype=kind)
    if ndim is not None and out.ndim != ndim:
        raise InputError(f"{name} has {out.ndim} dimensions, expected {ndim}", where=name)
    return out


def _split(devices: int, width: int, threads: int) -> list[slice]:
    groups = math.ceil(devices / width)
    share = max(1, math.ceil(groups / max(1, threads))) * width
    return [slice(first, min(first + share, devices)) for first in range(0, devices, share)]


def _width(width: int | None) -> int:
    if width not in {None, 1, 8, 16}:
        raise ConfigError(f"width is {width}", where="width", hint="1, 8 or 16")
    return width or best_width()


def _each(parts: list[slice], work: Callable[[slice], int], where: str) -> None:
    if len(parts) == 1:
        statuses = [work(parts[0])]
    else:
        with ThreadPoolExecutor(len(parts)) as pool:
            statuses = list(pool.map(work, parts))
    for status in statuses:
        _check(status, where)


def _stream(x: Floats, row: Rows, targets: Floats | None, counts: Rows | None, part: slice) -> _Stream:
    own = row[part]
    return _Stream(
        x.ctypes.data,
        len(x),
        own.ctypes.data,
        None if targets is None else targets[part].ctypes.data,
        None if counts is None else counts[part].ctypes.data,
        own.shape[0],
        own.shape[1],
    )


def _phases(phases: Sequence[Phase]) -> ctypes.Array[_Phase]:
    records = (_Phase * len(phases))()
    for record, phase in zip(records, phases, strict=True):
        record.optimizer = _Optimizer(
            phase.rate, phase.momentum, phase.beta1, phase.beta2, phase.epsilon, phase.proximal
        )
        record.samples, record.batch = phase.samples, phase.batch
        for layer in phase.frozen:
            record.frozen[layer >> 3] |= 1 << (layer & 7)
    return records


@functools.lru_cache(maxsize=16)
def _loaded(image: bytes) -> tuple[NDArray[np.uint8], Info]:
    """Return the image where the runtime can read it, and its numbers."""
    executor = Executor(image)
    return executor.image, executor.info


def _check_stream(info: Info, x: Floats, row: Rows, targets: Floats | None, counts: Rows | None) -> None:
    devices, samples = row.shape
    if x.size == 0 or row.size == 0:
        raise InputError("there are no samples", where="x" if x.size == 0 else "row")
    if x.size != len(x) * info.inputs:
        raise InputError(f"samples of {x.size // len(x)} values", where="x", hint=f"{info.inputs} values each")
    if targets is not None and targets.shape != (devices, samples, info.targets):
        hint = f"shape ({devices}, {samples}, {info.targets})"
        raise InputError(f"targets of shape {targets.shape}", where="targets", hint=hint)
    if counts is not None and counts.shape != (devices,):
        raise InputError(f"counts of shape {counts.shape}", where="counts", hint=f"shape ({devices},)")


def _check_start(info: Info, start: Floats, devices: int) -> None:
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
    width = _width(width)
    x = _as(x, np.float32, "x")
    row = _as(row, np.uint32, "row", 2)
    targets = _as(targets, np.float32, "targets")
    start = _as(start, np.float32, "start")
    if counts is not None:
        counts = _as(counts, np.uint32, "counts", 1)
    blob, info = _loaded(image)
    devices = row.shape[0]
    _check_stream(info, x, row, targets, counts)
    _check_start(info, start, devices)
    own_start = start.ndim == 2
    kept = start.shape[-1] if end_count is None else end_count
    at = None if marks is None else _as(marks, np.uint32, "marks", 1)
    shape = (devices, 1 if at is None else len(at), kept)
    if out is not None and not (out.shape == shape and out.dtype == np.float32 and out.flags.c_contiguous):
        raise InputError(f"out has shape {out.shape}", where="out", hint=f"float32 {shape}, contiguous")
    end = np.empty(shape, np.float32) if out is None else out
    loss = np.empty(devices, np.float32)
    status = np.empty(devices, np.int32)
    records = _phases(phases)
    call = _function("shoal_cohort_visit", width)

    def work(part: slice) -> int:
        memory = _buffer(_memory_size(image, width))
        request = _Visit(
            _stream(x, row, targets, counts, part),
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
        return call(ctypes.byref(request), *_pointers(blob, memory))

    _each(_split(devices, width, threads), work, "visit")
    return Visits(end, loss, status)


def _pointers(*buffers: NDArray[np.uint8]) -> list[Any]:
    return [f(v) for b in buffers for f, v in ((ctypes.c_void_p, b.ctypes.data), (ctypes.c_size_t, b.size))]


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
    width = _width(width)
    x = _as(x, np.float32, "x")
    row = _as(row, np.uint32, "row", 2)
    start = _as(start, np.float32, "start")
    if targets is not None:
        targets = _as(targets, np.float32, "targets")
    blob, info = _loaded(image)
    _check_stream(info, x, row, targets, None)
    _check_start(info, start, row.shape[0])
    own_start = start.ndim == 2
    y = np.empty((*row.shape, info.outputs), np.float32)
    loss = None if targets is None else np.empty(row.shape, np.float32)
    call = _function("shoal_cohort_answer", width)

    def work(part: slice) -> int:
        memory = _buffer(_memory_size(image, width))
        request = _Answer(
            _stream(x, row, targets, None, part),
            (start[part] if own_start else start).ctypes.data,
            start.shape[1] if own_start else 0,
            start.shape[-1],
            y[part].ctypes.data,
            None if loss is None else loss[part].ctypes.data,
        )
        return call(ctypes.byref(request), *_pointers(blob, memory))

    _each(_split(row.shape[0], width, threads), work, "answer")
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

    `parameters` (P,) is changed in place; `server_rate` (devices,) holds the rate of each visit. A device that fails
    moves nothing. Other parameters are those of :func:`visit`.
    """
    x = _as(x, np.float32, "x")
    row = _as(row, np.uint32, "row", 2)
    targets = _as(targets, np.float32, "targets")
    rates = _as(server_rate, np.float32, "server_rate", 1)
    blob, info = _loaded(image)
    devices = row.shape[0]
    _check_stream(info, x, row, targets, None)
    if rates.size != devices:
        raise InputError(f"{rates.size} server rates for {devices} devices", where="server_rate")
    if not (parameters.size == info.parameters and parameters.dtype == np.float32 and parameters.flags.c_contiguous):
        raise InputError(
            f"parameters: {parameters.dtype} of shape {parameters.shape}",
            where="parameters",
            hint=f"contiguous float32 of shape ({info.parameters},)",
        )
    loss = np.empty(devices, np.float32)
    status = np.empty(devices, np.int32)
    records = _phases(phases)
    request = _Serial(
        _Visit(
            stream=_stream(x, row, targets, None, slice(None)),
            phases=records,
            phase_count=len(records),
            loss=loss.ctypes.data,
            status=status.ctypes.data,
        ),
        parameters.ctypes.data,
        rates.ctypes.data,
    )
    call = _function("shoal_cohort_serial", 1)
    memory = _buffer(_memory_size(image, 1))
    _check(call(ctypes.byref(request), *_pointers(blob, memory)), "serial")
    return Visits(np.empty((devices, 0, 0), np.float32), loss, status)


class Executor:
    """One open network on the runtime at width 1: what a device holds.

    Parameters
    ----------
    image
        A plan's image.

    Raises
    ------
    ImageError
        If the runtime refuses the image.
    """

    def __init__(self, image: bytes) -> None:
        self._c = _library()[1]
        self.image = _aligned(image)
        size = ctypes.c_size_t()
        where = f"image of {len(image)} bytes"
        _check(self._c.shoal_memory_needed(ctypes.byref(size), *_pointers(self.image)), where)
        self._memory = _buffer(size.value)
        self._net = ctypes.c_void_p()
        _check(self._c.shoal_open(ctypes.byref(self._net), *_pointers(self.image, self._memory)), where)
        info = self.info
        self._y = np.empty(info.outputs, np.float32)
        self._loss = ctypes.c_float()

    @property
    def info(self) -> Info:
        """The network's numbers."""
        raw = self._c.shoal_info(self._net)
        return Info(*(getattr(raw, name) for name, _ in _Info._fields_))

    @property
    def memory(self) -> int:
        """Bytes that this network occupies here; pointers are longer than a microcontroller's."""
        return self._memory.size

    @property
    def state(self) -> Floats:
        """Everything that learning changes, in place: parameters first."""
        address = self._c.shoal_state(self._net)
        offset = address - self._memory.ctypes.data
        return self._memory[offset : offset + 4 * self.info.state].view(np.float32)

    @property
    def parameters(self) -> Floats:
        """The trainable values, in place."""
        return self.state[: self.info.parameters]

    @staticmethod
    def _vector(values: Floats) -> tuple[Floats, ctypes.c_void_p, ctypes.c_size_t]:
        flat = np.ascontiguousarray(values, np.float32).reshape(-1)
        return flat, ctypes.c_void_p(flat.ctypes.data), ctypes.c_size_t(flat.size)

    def predict(self, x: Floats) -> Floats:
        """Outputs (outputs,) for one sample; changes nothing."""
        kept, *x_pair = self._vector(x)
        _, *y_pair = self._vector(self._y)
        _check(self._c.shoal_predict(self._net, *x_pair, *y_pair), "predict")
        del kept
        return self._y.copy()

    def _with_target(self, call: Callable[..., int], where: str, x: Floats, target: Floats) -> tuple[Floats, float]:
        kept_x, *x_pair = self._vector(x)
        kept_t, *t_pair = self._vector(target)
        _, *y_pair = self._vector(self._y)
        _check(call(self._net, *x_pair, *t_pair, *y_pair, ctypes.byref(self._loss)), where)
        del kept_x, kept_t
        return self._y.copy(), self._loss.value

    def score(self, x: Floats, target: Floats) -> tuple[Floats, float]:
        """Outputs and loss of one sample; nothing is learnt."""
        return self._with_target(self._c.shoal_score, "score", x, target)

    def learn(self, x: Floats, target: Floats) -> tuple[Floats, float]:
        """Outputs and loss before the step, then one step (or one more gradient to accumulate)."""
        return self._with_target(self._c.shoal_learn, "learn", x, target)

    def apply(self) -> None:
        """Take one step with the mean of the accumulated gradients."""
        _check(self._c.shoal_apply(self._net), "apply")

    def observe(self, x: Floats) -> None:
        """Let running statistics see one sample."""
        kept, *x_pair = self._vector(x)
        _check(self._c.shoal_observe(self._net, *x_pair), "observe")
        del kept

    def grow(self) -> None:
        """Take one more class into use."""
        _check(self._c.shoal_grow(self._net), "grow")

    def set_optimizer(self, phase: Phase) -> None:
        """Set rate and decay of the next steps."""
        values = _phases([phase])[0].optimizer
        _check(self._c.shoal_set_optimizer(self._net, ctypes.byref(values)), "optimizer")

    def set_trainable(self, layer: int, trainable: bool) -> None:
        """Freeze or thaw layer number `layer`."""
        _check(self._c.shoal_set_trainable(self._net, ctypes.c_uint32(layer), ctypes.c_bool(trainable)), "layer")

    def set_anchor(self) -> None:
        """Remember the present parameters as the anchor."""
        _check(self._c.shoal_set_anchor(self._net), "anchor")

    def save(self) -> bytes:
        """The whole state, exact."""
        out = np.empty(self._c.shoal_state_size(self._net), np.uint8)
        _check(self._c.shoal_save(self._net, *_pointers(out)), "save")
        return out.tobytes()

    def load(self, saved: bytes) -> None:
        """Restore what :meth:`save` returned; a damaged or foreign state changes nothing."""
        data = np.frombuffer(saved, np.uint8)
        status = self._c.shoal_load(self._net, *_pointers(data))
        if status != 0:
            raise StateError(_error(status, "load").what, where=f"saved state of {len(saved)} bytes")

    def checksum(self) -> int:
        """CRC-32 of the parameters: equal sums mean equal bits."""
        return int(self._c.shoal_checksum(self._net))
