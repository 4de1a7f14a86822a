"""TensorFlow Lite models of one operator on integers: random shapes, weights, scales and zero points."""

from __future__ import annotations

import numpy as np

from tests.nn.importers.tflite_writer import Writer

SAME, VALID = 0, 1
NONE, RELU, RELU6 = 0, 1, 3
# LiteRT asks for these of the output of these functions: scale, zero point for int8, for uint8.
FIXED = {"SOFTMAX": (1 / 256, -128, 0), "LOGISTIC": (1 / 256, -128, 0), "TANH": (1 / 128, 0, 128)}


def limits(dtype):
    """Return the least and the largest integer."""
    return (-128, 127) if dtype == "int8" else (0, 255)


def between(rng, least, largest):
    """Return a random integer."""
    return int(rng.integers(least, largest + 1))


def random_scale(rng, middle=0.05, spread=1.5):
    """Return a scale of about this size."""
    return float(np.float32(middle * np.exp(rng.uniform(-spread, spread))))


def zero_point(rng, dtype):
    """Return any zero point, the outermost now and then."""
    least, largest = limits(dtype)
    return (least, largest, between(rng, least, largest), between(rng, least, largest))[between(rng, 0, 3)]


class One:
    """A model of one operator that reads one value."""

    def __init__(self, rng, shape, dtype, scale=None):
        self.rng, self.dtype, self.writer = rng, dtype, Writer()
        self.scale, self.zero = random_scale(rng) if scale is None else scale, zero_point(rng, dtype)
        self.inputs = [self.value(shape, dtype, self.scale, self.zero)]

    def value(self, shape, dtype, scale=None, zero=0):
        """Add a value; float32 has no scale."""
        if dtype == "float32":
            return self.writer.value(shape)
        return self.writer.value(shape, scale, zero, dtype.upper())

    def end(self, name, shape, scale=None, zero=None, more=(), dtype=None, **options):
        """Add the operator and return the file; the input's scale and zero point unless others are given."""
        scale, zero = self.scale if scale is None else scale, self.zero if zero is None else zero
        y = self.value(shape, dtype or self.dtype, scale, zero)
        self.writer.add(name, [*self.inputs, *more], [y], **options)
        return self.writer.bytes(self.inputs, [y])


def weights(model, shape, channels, terms, *, per_channel, axis, bias=True):
    """Add weights and a bias; the tensors, and scale and zero point of an output that varies with them."""
    rng, dtype = model.rng, model.dtype
    scales = np.array([random_scale(rng, 0.01) for _ in range(channels if per_channel else 1)], np.float32)
    zero = 0 if dtype == "int8" else zero_point(rng, dtype) if rng.random() < 0.2 else between(rng, 110, 145)
    integers = rng.integers(-127 if dtype == "int8" else 0, limits(dtype)[1] + 1, shape).astype(dtype)
    zeros = [zero] * len(scales)
    tensors = [model.writer.constant(integers, scales, zeros, axis)]
    spread = 74 * 80 * np.sqrt(terms)
    if bias or rng.random() < 0.7:
        sums = rng.normal(0, spread / 2, channels).astype(np.int32)
        both = (scales.astype(float) * model.scale).astype(np.float32)
        tensors.append(model.writer.constant(sums, both, [0] * len(both), 0))
    wide = spread * model.scale * float(np.median(scales)) / 64
    return tensors, random_scale(rng, wide, 1), zero_point(rng, dtype)


def pooled(size, kernel, stride, padding):
    """Return how many windows there are."""
    return -(-size // stride) if padding == SAME else (size - kernel) // stride + 1


def windows(rng, largest=5):
    """Return random height, width, kernel, stride and padding with at least one window."""
    kernel = (between(rng, 1, largest), between(rng, 1, largest))
    sizes = tuple(between(rng, k, 2 * k + 4) for k in kernel)
    stride, padding = (between(rng, 1, 3), between(rng, 1, 3)), between(rng, SAME, VALID)
    out = tuple(pooled(s, k, t, padding) for s, k, t in zip(sizes, kernel, stride, strict=True))
    return sizes, kernel, out, {"Padding": padding, "StrideH": stride[0], "StrideW": stride[1]}


def activation(rng):
    """Return no fused activation, RELU or RELU6."""
    return (NONE, RELU, RELU6)[between(rng, 0, 2)]


def conv_2d(rng, dtype):
    """Return a convolution; int8 with a scale for each filter, or one."""
    (height, width), kernel, out, options = windows(rng)
    if rng.random() < 0.2:
        kernel, out = (
            (1, 1),
            tuple(pooled(s, 1, options["Stride" + a], 1) for s, a in zip((height, width), "HW", strict=True)),
        )
    channels, filters = between(rng, 1, 19), between(rng, 1, 11)
    model = One(rng, (1, height, width, channels), dtype)
    shape, terms = (filters, *kernel, channels), channels * kernel[0] * kernel[1]
    per_channel = dtype == "int8" and rng.random() < 0.7
    more, scale, zero = weights(model, shape, filters, terms, per_channel=per_channel, axis=0)
    options |= {"FusedActivationFunction": activation(rng), "DilationHFactor": 1, "DilationWFactor": 1}
    return model.end("CONV_2D", (1, *out, filters), scale, zero, more, **options)


def depthwise_conv_2d(rng, dtype):
    """Return a depthwise convolution with a multiplier."""
    (height, width), kernel, out, options = windows(rng)
    channels, multiplier = between(rng, 1, 19), between(rng, 1, 3)
    outputs = channels * multiplier
    model = One(rng, (1, height, width, channels), dtype)
    per_channel = dtype == "int8" and rng.random() < 0.7
    shape, terms = (1, *kernel, outputs), kernel[0] * kernel[1]
    more, scale, zero = weights(model, shape, outputs, terms, per_channel=per_channel, axis=3)
    options |= {"FusedActivationFunction": activation(rng), "DepthMultiplier": multiplier}
    options |= {"DilationHFactor": 1, "DilationWFactor": 1}
    return model.end("DEPTHWISE_CONV_2D", (1, *out, outputs), scale, zero, more, **options)


def fully_connected(rng, dtype):
    """Return a dense layer."""
    inputs, outputs = between(rng, 1, 150), between(rng, 1, 21)
    model = One(rng, (1, inputs), dtype)
    per_channel = dtype == "int8" and rng.random() < 0.4
    shape = (outputs, inputs)
    more, scale, zero = weights(model, shape, outputs, inputs, per_channel=per_channel, axis=0, bias=False)
    return model.end(
        "FULLY_CONNECTED", (1, outputs), scale, zero, more, FusedActivationFunction=activation(rng)
    )


def pool(rng, dtype, name):
    """Return either pool; its output has the input's scale."""
    (height, width), kernel, out, options = windows(rng, 6)
    channels = between(rng, 1, 9)
    model = One(rng, (1, height, width, channels), dtype)
    options |= {"FilterHeight": kernel[0], "FilterWidth": kernel[1], "FusedActivationFunction": NONE}
    return model.end(name, (1, *out, channels), **options)


def max_pool_2d(rng, dtype):
    """Return the largest of each window."""
    return pool(rng, dtype, "MAX_POOL_2D")


def average_pool_2d(rng, dtype):
    """Return the mean of each window."""
    return pool(rng, dtype, "AVERAGE_POOL_2D")


def add(rng, dtype):
    """Return the sum of a value, in two scales, with itself: an importer of one input can read it."""
    shape = (1, between(rng, 1, 5), between(rng, 1, 5), between(rng, 1, 9))
    model = One(rng, shape, dtype)
    scale, zero = random_scale(rng), zero_point(rng, dtype)
    other = model.value(shape, dtype, scale, zero)
    model.writer.add("QUANTIZE", model.inputs, [other])
    wanted = random_scale(rng, max(scale, model.scale), 1)
    y = model.value(shape, dtype, wanted, zero_point(rng, dtype))
    pair = [model.inputs[0], other] if rng.random() < 0.5 else [other, model.inputs[0]]
    model.writer.add("ADD", pair, [y], FusedActivationFunction=activation(rng))
    return model.writer.bytes(model.inputs, [y])


def function(rng, dtype, name, **options):
    """Return a function of each value."""
    shape = (1, between(rng, 1, 5), between(rng, 1, 5), between(rng, 1, 9))
    model = One(rng, shape, dtype, random_scale(rng, 0.05, 2.5))
    scale, *zeros = FIXED.get(name, (random_scale(rng, model.scale, 1), *[zero_point(rng, dtype)] * 2))
    return model.end(name, shape, scale, zeros[dtype == "uint8"], **options)


def softmax(rng, dtype):
    """Return a softmax over a row; LiteRT aborts where more than 511 values are alike."""
    shape = (1, (1, 2, 10, 100, 500)[between(rng, 0, 4)])
    model = One(rng, shape, dtype, random_scale(rng, 0.1, 3))
    scale, *zeros = FIXED["SOFTMAX"]
    return model.end("SOFTMAX", shape, scale, zeros[dtype == "uint8"], Beta=1.0)


def logistic(rng, dtype):
    """Return the sigmoid."""
    return function(rng, dtype, "LOGISTIC")


def tanh(rng, dtype):
    """Return the hyperbolic tangent."""
    return function(rng, dtype, "TANH")


def relu(rng, dtype):
    """Return RELU as an operator of its own, which may rescale."""
    return function(rng, dtype, "RELU")


def relu6(rng, dtype):
    """Return RELU6 likewise."""
    return function(rng, dtype, "RELU6")


def leaky_relu(rng, dtype):
    """Return a RELU with a slope below 0."""
    return function(rng, dtype, "LEAKY_RELU", Alpha=float(np.float32(rng.uniform(0, 0.9))))


def mean(rng, dtype):
    """Return the mean over height and width; half of them keep the scale."""
    shape = (1, between(rng, 1, 12), between(rng, 1, 12), between(rng, 1, 9))
    model = One(rng, shape, dtype)
    axes = model.writer.constant(np.array([1, 2], np.int32))
    keep = rng.random() < 0.5
    out = (1, 1, 1, shape[3]) if keep else (1, shape[3])
    scale, zero = (
        (None, None)
        if rng.random() < 0.5
        else (random_scale(rng, model.scale / 3, 1), zero_point(rng, dtype))
    )
    return model.end("MEAN", out, scale, zero, [axes], KeepDims=keep)


def pad(rng, dtype):
    """Return rows, columns and channels of the zero point."""
    shape = (between(rng, 1, 5), between(rng, 1, 5), between(rng, 1, 9))
    sizes = rng.integers(0, 4, (4, 2)).astype(np.int32)
    sizes[0] = 0
    model = One(rng, (1, *shape), dtype)
    more = model.writer.constant(sizes)
    return model.end(
        "PAD", (1, *(int(s + sum(z)) for s, z in zip(shape, sizes[1:], strict=True))), more=[more]
    )


def resize_nearest_neighbor(rng, dtype):
    """Return another height and width."""
    shape = (between(rng, 1, 40), between(rng, 1, 40), between(rng, 1, 3))
    size = (between(rng, 1, 90), between(rng, 1, 90))
    model = One(rng, (1, *shape), dtype)
    more = model.writer.constant(np.array(size, np.int32))
    corners, centers = ((False, False), (True, False), (False, True))[between(rng, 0, 2)]
    options = {"AlignCorners": corners, "HalfPixelCenters": centers}
    return model.end("RESIZE_NEAREST_NEIGHBOR", (1, *size, shape[2]), more=[more], **options)


def quantize(rng, dtype):
    """Return float32 to integers."""
    model = One(rng, (1, 200), "float32")
    return model.end("QUANTIZE", (1, 200), random_scale(rng, 0.05, 3), zero_point(rng, dtype), dtype=dtype)


def requantize(rng, dtype):
    """Return integers of another scale."""
    model = One(rng, (1, 200), dtype)
    return model.end("QUANTIZE", (1, 200), random_scale(rng, model.scale, 2), zero_point(rng, dtype))


def dequantize(rng, dtype):
    """Return integers to float32."""
    return One(rng, (1, 200), dtype).end("DEQUANTIZE", (1, 200), dtype="float32")


MODELS = (
    add,
    average_pool_2d,
    conv_2d,
    depthwise_conv_2d,
    dequantize,
    fully_connected,
    leaky_relu,
    logistic,
    max_pool_2d,
    mean,
    pad,
    quantize,
    relu,
    relu6,
    requantize,
    resize_nearest_neighbor,
    softmax,
    tanh,
)
