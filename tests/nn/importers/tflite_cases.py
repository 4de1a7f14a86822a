"""Small models, each of one operator or one residual block, with random weights and scales."""

from __future__ import annotations

import numpy as np

from tests.nn.importers.tflite_writer import Writer

ZEROS = {"INT8": -3, "UINT8": 125}
NUMPY = {"INT8": np.int8, "UINT8": np.uint8, "FLOAT32": np.float32}
SAME, VALID = 0, 1
RELU, RELU6, TANH = 1, 3, 4


class Case(Writer):
    """A writer that draws constants and scales."""

    def __init__(self, dtype, seed=0):
        super().__init__()
        self.dtype, self.rng = dtype, np.random.default_rng(seed)
        self.scales = {}

    def values(self, shape, scale=0.05, zero=None):
        """Add a value of the case's type."""
        if self.dtype == "FLOAT32":
            return self.value(shape)
        number = self.value(shape, scale, ZEROS[self.dtype] if zero is None else zero, self.dtype)
        self.scales[number] = scale
        return number

    def weights(self, shape, x, channels, per_channel=True):
        """Add weights and a bias for an input; their numbers."""
        if self.dtype == "FLOAT32":
            draw = self.rng.standard_normal
            return [self.constant(draw(s).astype(np.float32)) for s in (shape, channels)]
        count = channels if per_channel and self.dtype == "INT8" else 1
        scales = self.rng.uniform(0.002, 0.02, count).astype(np.float32)
        zeros = [0] * count if self.dtype == "INT8" else [119]
        limits = np.iinfo(NUMPY[self.dtype])
        low = -127 if self.dtype == "INT8" else 0
        data = self.rng.integers(low, limits.max + 1, shape).astype(NUMPY[self.dtype])
        axis = int(np.argmax(np.array(shape) == channels)) if count > 1 else 0
        bias = self.rng.integers(-2000, 2000, channels).astype(np.int32)
        scale = np.float32(self.scales[x])
        return [
            self.constant(data, scales, zeros, axis),
            self.constant(bias, scales * scale, [0] * count, 0),
        ]

    def conv(self, x, size, filters, channels, stride=(1, 1), padding=SAME, fused=0, **more):
        """Add a convolution with a 3 x 3 window and return its output of this shape."""
        weights = self.weights((filters, 3, 3, channels), x, filters, **more)
        y = self.values((1, *size, filters), 0.11)
        options = {"Padding": padding, "StrideH": stride[0], "StrideW": stride[1]}
        self.add("CONV_2D", [x, *weights], [y], FusedActivationFunction=fused, **options)
        return y

    def sum(self, a, b, shape, fused=0):
        """Add the sum of two values."""
        y = self.values(shape, 0.17, 7 if self.dtype == "INT8" else 130)
        self.add("ADD", [a, b], [y], FusedActivationFunction=fused)
        return y


def conv(case, fused=0, stride=(1, 1), padding=SAME, **more):
    x = case.values((1, 7, 6, 3))
    size = [-(-n // s) for n, s in zip((7, 6), stride, strict=True)] if padding == SAME else (5, 4)
    return x, case.conv(x, size, 4, 3, stride, padding, fused, **more)


def depthwise(case, fused=0):
    x = case.values((1, 6, 5, 3))
    weights = case.weights((1, 3, 2, 6), x, 6)
    y = case.values((1, 3, 5, 6), 0.09)
    options = {"StrideH": 2, "StrideW": 1, "DepthMultiplier": 2, "FusedActivationFunction": fused}
    case.add("DEPTHWISE_CONV_2D", [x, *weights], [y], Padding=SAME, **options)
    return x, y


def dense(case, fused=0, keep=False, **more):
    x = case.values((1, 3, 4, 2))
    weights = case.weights((5, 24) if not keep else (5, 2), x, 5, **more)
    y = case.values((1, 5), 0.2)
    case.add("FULLY_CONNECTED", [x, *weights], [y], FusedActivationFunction=fused)
    return x, y


def pool(case, operator, fused=0):
    x = case.values((1, 5, 6, 3))
    y = case.values((1, 3, 2, 3))
    options = {"StrideH": 2, "StrideW": 3, "FilterHeight": 3, "FilterWidth": 3}
    case.add(operator, [x], [y], Padding=SAME, FusedActivationFunction=fused, **options)
    return x, y


def function(case, operator, scale=0.05, zero=None, shape=(1, 12), **options):
    x = case.values(shape, 0.06)
    y = case.values(shape, scale, zero)
    case.add(operator, [x], [y], **options)
    return x, y


def mean(case, keep):
    x = case.values((1, 4, 5, 3))
    y = case.values((1, 1, 1, 3) if keep else (1, 3), 0.031, 5 if case.dtype == "INT8" else 100)
    case.add("MEAN", [x, case.constant(np.array([1, 2], np.int32))], [y], KeepDims=keep)
    return x, y


def pad(case):
    x = case.values((1, 3, 2, 2))
    y = case.values((1, 6, 4, 5))
    case.add("PAD", [x, case.constant(np.array([[0, 0], [1, 2], [0, 2], [2, 1]], np.int32))], [y])
    return x, y


def resize(case, corners, centers):
    x = case.values((1, 5, 3, 2))
    y = case.values((1, 8, 7, 2))
    size = case.constant(np.array([8, 7], np.int32))
    case.add("RESIZE_NEAREST_NEIGHBOR", [x, size], [y], AlignCorners=corners, HalfPixelCenters=centers)
    return x, y


def block(case, fused=0):
    """Two residual blocks inside each other, the inner one with a layer on both ways."""
    x = case.values((1, 4, 4, 3))
    a = case.conv(x, (4, 4), 3, 3, fused=RELU)
    inner = case.sum(case.conv(a, (4, 4), 3, 3), case.conv(a, (4, 4), 3, 3), (1, 4, 4, 3), fused=RELU6)
    return x, case.sum(x, case.conv(inner, (4, 4), 3, 3), (1, 4, 4, 3), fused)


def reshapes(case):
    """Shapes of one value on the way: a list, an image, an image again, a list."""
    x = case.values((1, 18))
    sizes = [(1, 1, 18), (1, 3, 6), (1, 3, 2, 3)]
    value = x
    for size in sizes:
        name = "EXPAND_DIMS" if size == sizes[0] else "RESHAPE"
        wanted = case.constant(np.array(1 if name == "EXPAND_DIMS" else size, np.int32))
        result = case.values(size)
        case.add(name, [value, wanted], [result])
        value = result
    value = case.conv(value, (3, 2), 2, 3, padding=SAME)
    y = case.values((1, 12), 0.11)
    case.add("RESHAPE", [value, case.constant(np.array([-1, 12], np.int32))], [y])
    return x, y


def svdf(case, state="INT16", rank=1, zero=-128, bias=True):
    """Two layers of filters over time, the first of them on ten values."""
    value = x = case.values((1, 10))
    for size, units, memory, scale in ((10, 6, 5, 0.9), (6, 4, 8, 2.0)):
        filters = units * rank
        features = case.constant(case.rng.integers(-127, 128, (filters, size)).astype(np.int8), [0.01])
        low, high, kept, offset = (-128, 128, 0.3, -9) if state == "INT8" else (-3000, 3001, 0.003, 0)
        times = case.constant(case.rng.integers(low, high, (filters, memory)).astype(state.lower()), [0.004])
        numbers = case.constant(case.rng.integers(-3000, 3000, units).astype(np.int32), [kept * 0.004])
        memories = case.value((1, filters * memory), kept, offset, state, IsVariable=True)
        y = case.values((1, units), scale * (0.2 if state == "INT8" else 0.15), zero)
        inputs = [value, features, times, numbers if bias else -1, memories]
        case.add("SVDF", inputs, [y], Rank=rank, FusedActivationFunction=RELU)
        value = y
    return x, value


def lstm(case, rows=6, bits=12, zero=4, clip=10.0):
    """The recurrent layer: five values a row, three units."""
    quantized, units = case.dtype == "INT8", 3
    x = case.values((1, rows, 5), 0.03)

    def weights(shape):
        if quantized:
            return case.constant(
                case.rng.integers(-127, 128, shape).astype(np.int8), [case.rng.uniform(0.01, 0.02)]
            )
        return case.constant(case.rng.standard_normal(shape).astype(np.float32))

    def bias():
        if quantized:
            return case.constant(case.rng.integers(-4000, 4000, units).astype(np.int32), [0.0005])
        return case.constant(case.rng.standard_normal(units).astype(np.float32))

    of_inputs = [weights((units, 5)) for _ in range(4)]
    of_answers = [weights((units, units)) for _ in range(4)]
    biases = [bias() for _ in range(4)]
    y = case.values((1, rows, units), 0.0079, zero)
    if quantized:
        kept = [
            case.value((1, units), 0.0079, zero, "INT8", IsVariable=True),
            case.value((1, units), 2.0**-bits, 0, "INT16", IsVariable=True),
        ]
        inner = [case.value((0,)) for _ in range(4)] + [case.value((0,), 0.0079, zero, "INT8")]
    else:
        kept, inner = [case.value((1, units), IsVariable=True) for _ in range(2)], []
    inputs = [x, *of_inputs, *of_answers, *[-1] * 3, *biases, -1, -1, *kept, *[-1] * 4]
    options = {"FusedActivationFunction": TANH, "CellClip": clip, "TimeMajor": False}
    case.add("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, [y], inner, **options)
    return x, y


def wide(case):
    """From int16 to int8, a softmax, and int16 to int32."""
    x = case.value((1, 9), 0.0007, 0, "INT16")
    a = case.values((1, 9), 0.06, 3)
    b = case.value((1, 9), 1 / 65536, -32768, "INT16")
    y = case.value((1, 9), 1 / 32768, 0, "INT32")
    case.add("QUANTIZE", [x], [a])
    case.add("SOFTMAX", [a], [b], Beta=1.0)
    case.add("QUANTIZE", [b], [y])
    return x, y


def between(case, to):
    """From int8 to uint8 or the other way."""
    x = case.values((1, 12), 0.06)
    y = case.value((1, 12), 0.05, 100 if to == "UINT8" else -7, to)
    case.add("QUANTIZE", [x], [y])
    return x, y


def cases():
    """Return the content of each file by its name."""
    made = {}

    def make(name, build, dtypes=("FLOAT32", "INT8", "UINT8"), **arguments):
        for dtype in dtypes:
            case = Case(dtype, seed=len(made))
            x, y = build(case, **arguments)
            made[f"{name}-{dtype.lower()}"] = case.bytes([x], [y])

    integers = ("INT8", "UINT8")
    make("conv", conv)
    make("conv_relu", conv, fused=RELU)
    make("conv_relu6", conv, fused=RELU6)
    make("conv_stride", conv, stride=(2, 3))
    make("conv_valid", conv, padding=VALID)
    make("conv_per_tensor", conv, ("INT8",), per_channel=False)
    make("depthwise", depthwise)
    make("depthwise_relu", depthwise, fused=RELU)
    make("dense", dense)
    make("dense_relu6", dense, fused=RELU6)
    make("dense_per_tensor", dense, ("INT8",), per_channel=False)
    make("max_pool", pool, operator="MAX_POOL_2D")
    make("max_pool_relu", pool, operator="MAX_POOL_2D", fused=RELU)
    make("average_pool", pool, operator="AVERAGE_POOL_2D")
    make("average_pool_relu6", pool, operator="AVERAGE_POOL_2D", fused=RELU6)
    make("mean", mean, keep=False)
    make("mean_keep", mean, keep=True)
    make("pad", pad)
    make("resize", resize, corners=False, centers=False)
    make("resize_corners", resize, corners=True, centers=False)
    make("resize_centers", resize, corners=False, centers=True)
    make("block", block)
    make("block_relu", block, fused=RELU)
    make("reshapes", reshapes, ("FLOAT32", "INT8"))
    make("softmax", function, ("FLOAT32",), operator="SOFTMAX", Beta=1.0)
    make("softmax", function, ("INT8",), operator="SOFTMAX", scale=1 / 256, zero=-128, Beta=1.0)
    make("softmax", function, ("UINT8",), operator="SOFTMAX", scale=1 / 256, zero=0, Beta=1.0)
    make(
        "softmax_image",
        function,
        ("INT8",),
        operator="SOFTMAX",
        scale=1 / 256,
        zero=-128,
        shape=(1, 1, 1, 7),
        Beta=1.0,
    )
    make("logistic", function, ("FLOAT32",), operator="LOGISTIC")
    make("logistic", function, ("INT8",), operator="LOGISTIC", scale=1 / 256, zero=-128)
    make("logistic", function, ("UINT8",), operator="LOGISTIC", scale=1 / 256, zero=0)
    make("tanh", function, ("FLOAT32",), operator="TANH")
    make("tanh", function, ("INT8",), operator="TANH", scale=1 / 128, zero=0)
    make("tanh", function, ("UINT8",), operator="TANH", scale=1 / 128, zero=128)
    make("relu", function, operator="RELU", scale=0.04)
    make("relu6", function, operator="RELU6", scale=0.025)
    make("leaky_relu", function, operator="LEAKY_RELU", scale=0.05, Alpha=0.2)
    make("requantize", function, integers, operator="QUANTIZE", scale=0.02)
    make("to_uint8", between, ("INT8",), to="UINT8")
    make("to_int8", between, ("UINT8",), to="INT8")
    make("wide", wide, ("INT8",))
    make("svdf", svdf, ("INT8",))
    make("svdf_rank", svdf, ("INT8",), rank=2, zero=-20, bias=False)
    make("svdf_bytes", svdf, ("INT8",), state="INT8")
    make("svdf_bytes_rank", svdf, ("INT8",), state="INT8", rank=2)
    make("lstm", lstm, ("FLOAT32", "INT8"))
    make("lstm_one_row", lstm, ("FLOAT32", "INT8"), rows=1, zero=-3)
    make("lstm_unlimited", lstm, ("FLOAT32", "INT8"), rows=9, clip=0.0, zero=0)
    for bits in (9, 10, 11, 13, 14, 15):
        make(f"lstm_{bits}", lstm, ("INT8",), bits=bits, clip=0.0 if bits % 2 else 0.9)
    return made
