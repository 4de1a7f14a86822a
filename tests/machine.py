"""An interpreter of images in float64, written from ``runtime/IMAGE.md`` alone."""

from __future__ import annotations

import math
import struct
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

DEFAULTS = {"rate": 0.01, "momentum": 0.9, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-7, "proximal": 0.0}
LEAST_NORMAL = 1.17549435e-38
NONE = 0xFFFF
ADD, SOFTMAX, GROUP_NORM, STANDARDIZE, MSE, BCE, CROSS_ENTROPY, BACK = 6, 12, 13, 14, 32, 33, 34, 64
IN_PLACE = {*range(ADD, SOFTMAX + 1), STANDARDIZE, MSE, BCE, CROSS_ENTROPY}


@dataclass
class Operation:
    """A record of an image."""

    code: int
    flags: int
    layer: int
    groups: int
    tensors: dict[str, int]
    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int, int, int]
    runs: list[tuple[int, int]]
    value: tuple[float, float]


@dataclass
class Image:
    """The content of an image, every field checked as far as the format says."""

    flags: int
    parameters: int
    statistics: int
    arena: int
    input: int
    output: int
    optimizer: int
    active: int
    tensors: list[tuple[int, tuple[int, int, int], int, int]]  # offset, shape, space, grows
    forward: list[Operation]
    learning: list[Operation]
    constants: Array
    initial: Array


def read_image(image: bytes) -> Image:
    """Take an image apart."""
    magic, version, flags, size, checksum = struct.unpack_from("<4sHHII", image, 0)
    assert (magic, version, size) == (b"SHOL", 2, len(image))
    assert flags <= 3
    assert checksum == zlib.crc32(image[16:])
    counts = struct.unpack_from("<8I", image, 16)
    tensor_count, forward, learning, run_count, parameters, statistics, arena, constant_count = counts
    input_, output, optimizer, zero, active, zeros = struct.unpack_from("<HHBBHQ", image, 48)
    assert zero == zeros == 0
    assert optimizer <= 3
    assert (learning == 0) == (optimizer == 0)
    at = 64
    tensors = []
    for _ in range(tensor_count):
        offset, h, w, c, space, grows, kind, zero_point = struct.unpack_from("<4I4B", image, at)
        assert kind == zero_point == 0, "integers have an oracle of their own"
        assert min(h, w, c) >= 1
        tensors.append((offset, (h, w, c), space, grows))
        at += 20
    runs_at = at + 36 * (forward + learning)
    operations = []
    for _ in range(forward + learning):
        code, op_flags, layer, groups, *rest = struct.unpack_from("<4B6H8B2H2f", image, at)
        names = ("in", "in2", "out", "weights", "bias", "aux")
        first, count = rest[14:16]
        assert first + count <= run_count
        runs = [struct.unpack_from("<HH", image, runs_at + 4 * i) for i in range(first, first + count)]
        operations.append(
            Operation(
                code,
                op_flags,
                layer,
                groups,
                dict(zip(names, rest[:6], strict=True)),
                tuple(rest[6:8]),
                tuple(rest[8:10]),
                tuple(rest[10:14]),
                runs,
                tuple(rest[16:]),
            )
        )
        at += 36
    at += 4 * run_count
    constants = np.frombuffer(image, "<f4", constant_count, at).astype(np.float64)
    at += 4 * constant_count
    initial = np.frombuffer(image, "<f4", parameters, at).astype(np.float64)
    assert at + 4 * parameters == len(image)
    return Image(
        flags,
        parameters,
        statistics,
        arena,
        input_,
        output,
        optimizer,
        active,
        tensors,
        operations[:forward],
        operations[forward:],
        constants,
        initial,
    )


@dataclass
class Machine:
    """Executes an image in float64, in one arena at the image's own offsets.

    Before each sample the arena is filled with NaN, and so is each output before it is computed: a value that
    is read too early, too late or through another one's memory shows.
    """

    image: Image
    arena: Array = field(init=False)
    state: Array = field(init=False)
    active: int = field(init=False)
    settings: dict[str, float] = field(default_factory=lambda: dict(DEFAULTS))
    steps: int = 0
    pending: int = 0

    def __post_init__(self) -> None:
        image = self.image
        self.slot_names = {0: [], 1: [], 2: ["m"], 3: ["m", "v"]}[image.optimizer]
        self.slot_names = self.slot_names + ["sum"] * (image.flags & 1) + ["anchor"] * (image.flags >> 1)
        self.state = np.zeros(image.parameters * (1 + len(self.slot_names)) + image.statistics)
        self.state[: image.parameters] = image.initial
        self.arena = np.full(image.arena, np.nan)
        self.active = image.active

    # Memory

    @property
    def parameters(self) -> Array:
        """Values that learn."""
        return self.state[: self.image.parameters]

    def slot(self, name: str) -> Array:
        """Values of a slot, one for each parameter."""
        start = (1 + self.slot_names.index(name)) * self.image.parameters
        return self.state[start : start + self.image.parameters]

    def tensor(self, number: int) -> Array:
        """Return a view of the values of a tensor that are in use."""
        offset, shape, space, grows = self.image.tensors[number]
        size = math.prod(shape)
        memory = (self.arena, self.state, self.image.constants)[space]
        assert offset + size <= memory.size
        view = memory[offset : offset + size].reshape(shape)
        assert np.shares_memory(view, memory) or size == 0
        return view[..., : self.active] if grows else view

    def place(self, number: int) -> tuple[int, int, int]:
        """Return space, first and end of a tensor."""
        offset, shape, space, _ = self.image.tensors[number]
        return space, offset, offset + math.prod(shape)

    # Use

    def predict(self, x: ArrayLike) -> Array:
        """Return the answer, outputs in reserve 0."""
        self.run_forward(x, observe=False)
        return self.answer()

    def learn(self, x: ArrayLike, target: ArrayLike) -> tuple[Array, float]:
        """Learn one sample; return the answer and the loss before."""
        self.run_forward(x, observe=True)
        y = self.answer()
        accumulating = self.image.flags & 1
        if accumulating:
            self.pending += 1
        else:
            self.steps += 1
        first, *rest = self.image.learning
        loss = self.run_loss(first, np.asarray(target, np.float64).reshape(-1))
        for op in rest:
            self.run(op)
        return y, loss

    def apply(self) -> None:
        """Take a step with the mean of the gradients added up."""
        self.steps += 1
        g = self.slot("sum") / self.pending
        if "anchor" in self.slot_names:
            g = g + self.settings["proximal"] * (self.parameters - self.slot("anchor"))
        self.descend(slice(0, self.image.parameters), g)
        self.slot("sum")[:] = 0
        self.pending = 0

    def answer(self) -> Array:
        """Return a copy of the output."""
        y = np.zeros(self.image.tensors[self.image.output][1])
        values = self.tensor(self.image.output)
        y[..., : values.shape[-1]] = values
        return y

    def run_forward(self, x: ArrayLike, *, observe: bool) -> None:
        """Run the forward operations."""
        self.arena[:] = np.nan
        sample = self.tensor(self.image.input)
        sample[...] = np.asarray(x, np.float64).reshape(sample.shape)
        self.observing = observe
        for op in self.image.forward:
            self.run(op)

    # Operations

    def inputs(self, op: Operation) -> dict[str, Array]:
        """Check the rules of overlap, overwrite the output, then return the values that are read."""
        part = op.tensors
        code = op.code - BACK if op.code > BACK else op.code
        source = "in2" if op.code > BACK else "in"
        read = {name: number for name, number in part.items() if number != NONE and name != "out"}
        if part["out"] != NONE:
            space, first, end = self.place(part["out"])
            overlapping = {
                name: self.place(number)
                for name, number in read.items()
                if self.place(number)[0] == space
                and self.place(number)[2] > first
                and end > self.place(number)[1]
            }
            in_place = code in IN_PLACE and overlapping == {source: (space, first, end)}
            assert in_place or not overlapping, f"operation {op.code}: out overlaps {[*overlapping]}"
            if not in_place:
                self.tensor(part["out"])[...] = np.nan
        if op.code == GROUP_NORM:
            self.tensor(part["aux"])[...] = np.nan
        values = {name: self.tensor(number) for name, number in read.items()}
        for name in ("in", "in2"):
            # The gradient's x is only read where weights learn or its values matter.
            if name in values and not (op.code > BACK and name == "in"):
                assert np.isfinite(values[name]).all(), f"operation {op.code} reads {name} before it is there"
        return {name: value.copy() if name in {"in", "in2"} else value for name, value in values.items()}

    def run(self, op: Operation) -> None:
        """Execute one operation."""
        v = self.inputs(op)
        if op.code > BACK:
            self.run_backward(op, v)
            return
        out = self.tensor(op.tensors["out"])
        if op.code == STANDARDIZE:
            n = v["in"].size
            statistics = v["aux"].reshape(-1)
            mean, spread, count = statistics[:n], statistics[n : 2 * n], statistics[2 * n :]
            if self.observing:
                observe(v["in"].reshape(-1), mean, spread, count, op.value[1])
            deviation = deviation_of(spread, count[0], op)
            out[...] = ((v["in"].reshape(-1) - mean) / deviation).reshape(out.shape)
        elif op.code == GROUP_NORM:
            normalise_groups(v, out, op)
        else:
            out[...] = forward_value(op, v, out.shape)

    def run_loss(self, op: Operation, target: Array) -> float:
        """Compute the loss and the gradient that it starts."""
        v = self.inputs(op)["in"].reshape(-1)
        out = self.tensor(op.tensors["out"])
        n = v.size
        if op.code == CROSS_ENTROPY:
            d = v.copy()
            d[int(target[0])] -= 1.0
            loss = -math.log(max(v[int(target[0])], LEAST_NORMAL))
        elif op.code == BCE:
            t = target[:n]
            d = (0.5 + 0.5 * np.tanh(0.5 * v) - t) / n
            loss = float((np.maximum(v, 0) - v * t + np.log(1 + np.exp(-np.abs(v)))).sum() / n)
        else:
            assert op.code == MSE
            d = 2 * (v - target[:n]) / n
            loss = float(((v - target[:n]) ** 2).sum() / n)
        out[...] = d.reshape(out.shape)
        return loss

    def run_backward(self, op: Operation, v: dict[str, Array]) -> None:
        """Execute the backward operation of code op.code - 64."""
        code = op.code - BACK
        out = self.tensor(op.tensors["out"]) if op.tensors["out"] != NONE else None
        dx, weights, bias = gradients_of(code, op, v, out.shape if out is not None else v["in"].shape)
        if out is not None:
            assert np.isfinite(dx).all(), f"operation {op.code} gives a gradient from values that are gone"
            out[...] = dx
        if op.flags & 1:
            assert np.isfinite(weights).all(), f"operation {op.code} learns from values that are gone"
            self.learn_tensor(op, op.tensors["weights"], weights)
        if op.flags & 2:
            self.learn_tensor(op, op.tensors["bias"], bias)

    def learn_tensor(self, op: Operation, number: int, g: Array) -> None:
        """Update the runs of output channels of one array from its gradient."""
        offset, shape, space, _ = self.image.tensors[number]
        assert space == 1
        assert offset + math.prod(shape) <= self.image.parameters
        full = np.zeros(shape)
        full[..., : g.shape[-1]] = g.reshape(*shape[:2], -1)
        learns = np.zeros(shape, bool)
        for first, count in op.runs or [(0, shape[2])]:
            learns[..., first : first + count] = True
        learns[..., g.shape[-1] :] = False
        where = offset + np.flatnonzero(learns)
        if self.image.flags & 1:
            self.slot("sum")[where] += full[learns]
        else:
            self.descend(where, full[learns])

    def descend(self, where: Any, g: Array) -> None:
        """Change parameters as the optimizer says."""
        s, w = self.settings, self.parameters
        if self.image.optimizer == 1:
            w[where] -= s["rate"] * g
            return
        m = self.slot("m")
        if self.image.optimizer == 2:
            m[where] = s["momentum"] * m[where] + g
            w[where] -= s["rate"] * m[where]
            return
        v = self.slot("v")
        m[where] = s["beta1"] * m[where] + (1 - s["beta1"]) * g
        v[where] = s["beta2"] * v[where] + (1 - s["beta2"]) * (g * g)
        mean = m[where] / (1 - s["beta1"] ** self.steps)
        square = v[where] / (1 - s["beta2"] ** self.steps)
        w[where] -= s["rate"] * (mean / (np.sqrt(square) + s["epsilon"]))


def execute_image(image: bytes, **settings: float) -> Machine:
    """Open an image in the interpreter."""
    return Machine(read_image(image), settings=DEFAULTS | settings)


def positions(op: Operation, x: tuple[int, ...], y: tuple[int, ...]) -> Any:
    """Yield output row and column, kernel index, input row and column, without those in the padding."""
    for oy in range(y[0]):
        for ox in range(y[1]):
            for ky in range(op.kernel[0]):
                for kx in range(op.kernel[1]):
                    iy = oy * op.stride[0] + ky - op.padding[0]
                    ix = ox * op.stride[1] + kx - op.padding[1]
                    if 0 <= iy < x[0] and 0 <= ix < x[1]:
                        yield oy, ox, ky * op.kernel[1] + kx, iy, ix


def forward_value(op: Operation, v: dict[str, Array], shape: tuple[int, ...]) -> Array:
    """Return the output of a forward operation that only depends on its inputs."""
    x = v["in"]
    n = shape[2]
    if op.code in {1, 2, 3}:
        y = np.zeros(shape)
        if "bias" in v:
            y += v["bias"][..., :n]
        if op.code == 1:
            return y + x.reshape(-1) @ v["weights"][0][:, :n]
        for oy, ox, k, iy, ix in positions(op, x.shape, shape):
            if op.code == 2:
                y[oy, ox] += x[iy, ix] @ v["weights"][k]
            else:
                y[oy, ox] += np.repeat(x[iy, ix], n // x.shape[2]) * v["weights"][0, k]
        return y
    if op.code in {4, 5}:
        seen: dict[tuple[int, int], list[Array]] = {}
        for oy, ox, _, iy, ix in positions(op, x.shape, shape):
            seen.setdefault((oy, ox), []).append(x[iy, ix])
        y = np.zeros(shape)
        for place, values in seen.items():
            y[place] = np.max(values, axis=0) if op.code == 4 else np.mean(values, axis=0)
        return y
    if op.code == ADD:
        return x + v["in2"]
    if op.code == SOFTMAX:
        e = np.exp(x - x.max())
        return e / e.sum()
    return {
        7: lambda: np.maximum(x, 0),
        8: lambda: np.minimum(np.maximum(x, 0), 6),
        9: lambda: np.where(x < 0, op.value[0] * x, x),
        10: lambda: np.tanh(x),
        11: lambda: 0.5 + 0.5 * np.tanh(0.5 * x),
    }[op.code]()


def gradients_of(
    code: int, op: Operation, v: dict[str, Array], shape: tuple[int, ...]
) -> tuple[Array, Array, Array]:
    """Return the gradients of input, weights and bias; ``shape`` is the input's."""
    dy = v["in2"]
    nothing = np.zeros(0)
    if code == ADD:
        return v["in"] + dy, nothing, nothing
    if code in {1, 2, 3}:
        x, w, n = v["in"], v["weights"], dy.shape[2]
        dx, dw, db = np.zeros(shape), np.zeros((*w.shape[:2], n)), dy.sum((0, 1))
        if code == 1:
            d = dy.reshape(-1)
            return (w[0][:, :n] @ d).reshape(shape), np.outer(x.reshape(-1), d)[None], db
        multiplier = n // shape[2]
        for oy, ox, k, iy, ix in positions(op, shape, dy.shape):
            d = dy[oy, ox]
            if code == 2:
                dx[iy, ix] += w[k] @ d
                dw[k] += np.outer(x[iy, ix], d)
            else:
                dx[iy, ix] += (w[0, k] * d).reshape(-1, multiplier).sum(1)
                dw[0, k] += np.repeat(x[iy, ix], multiplier) * d
        return dx, dw, db
    if code == 4:
        x, y = v["in"], v["aux"]
        dx, given = np.zeros(shape), np.zeros(dy.shape, bool)
        for oy, ox, _, iy, ix in positions(op, shape, dy.shape):
            here = (x[iy, ix] == y[oy, ox]) & ~given[oy, ox]
            dx[iy, ix] += np.where(here, dy[oy, ox], 0)
            given[oy, ox] |= here
        assert given.all()
        return dx, nothing, nothing
    if code == 5:
        dx, count = np.zeros(shape), np.zeros(dy.shape[:2])
        for oy, ox, *_ in positions(op, shape, dy.shape):
            count[oy, ox] += 1
        for oy, ox, _, iy, ix in positions(op, shape, dy.shape):
            dx[iy, ix] += dy[oy, ox] / count[oy, ox]
        return dx, nothing, nothing
    if code == GROUP_NORM:
        return group_gradients(op, v)
    if code == STANDARDIZE:
        statistics = v["aux"].reshape(-1)
        n = dy.size
        deviation = deviation_of(statistics[n : 2 * n], statistics[2 * n], op)
        return (dy.reshape(-1) / deviation).reshape(dy.shape), nothing, nothing
    y = v["in"]
    assert np.isfinite(y).all(), f"operation {op.code} reads an output that is gone"
    dx = {
        7: lambda: np.where(y > 0, dy, 0),
        8: lambda: np.where((y > 0) & (y < 6), dy, 0),
        9: lambda: np.where(y < 0, op.value[0] * dy, dy),
        10: lambda: dy * (1 - y * y),
        11: lambda: dy * y * (1 - y),
        12: lambda: y * (dy - (dy * y).sum()),
    }[code]()
    return dx, nothing, nothing


def observe(x: Array, mean: Array, spread: Array, count: Array, forgetting: float) -> None:
    """Let running statistics see a sample."""
    count += 1
    d = x - mean
    if forgetting > 0:
        rate = max(forgetting, 1 / count[0])
        mean += rate * d
        spread[:] = (1 - rate) * (spread + rate * d * d)
    else:
        mean += d / count[0]
        spread += d * (x - mean)


def deviation_of(spread: Array, count: float, op: Operation) -> Array:
    """Return the deviation of each feature, 1 before the first sample."""
    if count < 1:
        return np.full(spread.shape, math.sqrt(1 + op.value[0]))
    return np.sqrt((spread if op.value[1] > 0 else spread / count) + op.value[0])


def normalise_groups(v: dict[str, Array], out: Array, op: Operation) -> None:
    """Run GroupNorm, keeping mean and 1 / deviation."""
    x, scale, shift, aux = v["in"], v["weights"].reshape(-1), v["bias"].reshape(-1), v["aux"].reshape(-1)
    size = x.shape[2] // op.groups
    for g in range(op.groups):
        channels = slice(g * size, (g + 1) * size)
        values = x[..., channels]
        mean = values.sum() / values.size
        inverse = 1 / math.sqrt(((values - mean) ** 2).sum() / values.size + op.value[0])
        aux[g], aux[op.groups + g] = mean, inverse
        out[..., channels] = (values - mean) * inverse * scale[channels] + shift[channels]


def group_gradients(op: Operation, v: dict[str, Array]) -> tuple[Array, Array, Array]:
    """Return the gradients of GroupNorm from its saved mean and 1 / deviation."""
    x, dy, scale, aux = v["in"], v["in2"], v["weights"].reshape(-1), v["aux"].reshape(-1)
    size = x.shape[2] // op.groups
    mean, inverse = np.repeat(aux[: op.groups], size), np.repeat(aux[op.groups :], size)
    normal = (x - mean) * inverse
    dx = np.zeros_like(x)
    for g in range(op.groups):
        channels = slice(g * size, (g + 1) * size)
        d, xhat = (dy * scale)[..., channels], normal[..., channels]
        dx[..., channels] = (d - d.mean() - xhat * (d * xhat).mean()) * inverse[g * size]
    return dx, (dy * normal).sum((0, 1)), dy.sum((0, 1))
