"""Learning in fixed point: the documented arithmetic bit for bit, and float32's accuracy."""

import zlib

import numpy as np
import pytest

from shoal import learn, nn
from shoal.devices import emulate
from shoal.errors import ConfigError, ImageError, InputError
from shoal.runtime import Executor
from tests.devices.nets import needs

ONE = 1 << 28
Q12 = nn.Quantization("int16", 2.0**-12, 0)
Q9 = nn.Quantization("int16", 2.0**-9, 0)
PROBABILITY = nn.Quantization("int16", 2.0**-15, 0)

# --- The arithmetic of runtime/IMAGE.md in int64, without a line of the runtime ----------------


def saturated(x):
    return np.clip(x, -32768, 32767)


def growth(n):
    return max(0, int(np.ceil(np.log2(n))) - 1)


def weigh(x, w, b, bits, wanted):
    s = growth(len(x))
    last = bits + 12 - s - wanted
    products = (x[:, None] * (w >> 16)) >> s
    return saturated((products.sum(0) + (b >> (16 - bits + s)) + (1 << last - 1)) >> last)


def gradient_of_input(dy, w):
    s = growth(len(dy))
    last = 12 - s
    return saturated((((dy * (w >> 16)) >> s).sum(1) + (1 << last - 1)) >> last)


def descend(w, x, dy, bits, rate):
    """One step of rows w for inputs x; the rate as 15 bits times a power of two."""
    fraction, exponent = np.frexp(np.float32(rate))
    m = int(np.floor(float(fraction) * 2**15 + 0.5))
    if m == 1 << 15:
        m, exponent = m >> 1, exponent + 1
    shift = bits + 13 - 28 - int(exponent)
    v = (m * x + (1 << 14)) >> 15
    products = v[:, None] * dy
    if shift >= 0:
        steps = (products + ((1 << shift) >> 1)) >> shift
    else:
        most = (ONE * 4 - 1) >> -shift
        steps = np.clip(products, -most, most) << -shift
    return np.clip(w - steps, -4 * ONE, 4 * ONE - 1)


def softmax(x, bits):
    t = ((x.max() - x) * 23637) >> (bits + 2)
    f = t & 4095
    p = ((-1295 * f) >> 12) + 7556
    p = ((p * f) >> 12) - 22645
    p = ((p * f) >> 12) + 32765
    power = np.where(t < 65536, p >> np.minimum(t >> 12, 31), 0)
    total = int(power.sum())
    shift = total.bit_length()
    inverse = (0xFFFFFFFF // ((total << (32 - shift)) >> 16)) >> 1
    return np.minimum((power * inverse + (1 << shift - 1)) >> shift, 32767)


def cross_entropy_gradient(p, label):
    d = (p + 2) >> 2
    d[label] -= 8192
    return d


def squared_error_gradient(y, target, bits):
    """Halves away from 0."""
    exact = target.astype(np.float64) * 2.0**bits
    e = y - saturated(np.sign(exact) * np.floor(np.abs(exact) + 0.5)).astype(np.int64)
    n = len(y)
    size = ((np.abs(e) << (14 - bits)) * (0xFFFFFFFF // n) + (1 << 31)) >> 32
    return saturated(np.sign(e) * size), e


class Oracle:
    """A stack of Dense layers, relu between them."""

    def __init__(self, network, rate):
        arrays = {name: array.astype(np.int64) for name, array in network.arrays.items()}
        dense = [layer for layer in network.layers if isinstance(layer, nn.Dense)]
        self.w = [arrays[f"{layer.name}.weights"] for layer in dense]
        self.b = [arrays.get(f"{layer.name}.bias", np.zeros(layer.units, np.int64)) for layer in dense]
        self.has_bias = [layer.bias for layer in dense]
        self.relu = [layer.activation == "relu" for layer in dense]
        self.bits = [q.fraction_bits for q in (network.input_quantization, *(d.quantized for d in dense))]
        self.classifies, self.rate = network.loss == "cross_entropy", rate

    def forward(self, x):
        values = [x.astype(np.int64)]
        for i, (w, b) in enumerate(zip(self.w, self.b, strict=True)):
            y = weigh(values[-1], w, b, self.bits[i], self.bits[i + 1])
            values.append(np.maximum(y, 0) if self.relu[i] else y)
        return values, softmax(values[-1], self.bits[-1]) if self.classifies else values[-1]

    def learn(self, x, target):
        values, y = self.forward(x)
        if self.classifies:
            d = cross_entropy_gradient(y.copy(), int(target))
        else:
            d = squared_error_gradient(y, target, self.bits[-1])[0]
        for i in reversed(range(len(self.w))):
            if self.relu[i]:
                d = np.where(values[i + 1] > 0, d, 0)
            before = gradient_of_input(d, self.w[i])
            self.w[i] = descend(self.w[i], values[i], d, self.bits[i], self.rate)
            if self.has_bias[i]:
                one = np.array([1 << self.bits[i]])
                self.b[i] = descend(self.b[i][None], one, d, self.bits[i], self.rate)[0]
            d = before
        return y

    def parameters(self):
        return [a for w, b, yes in zip(self.w, self.b, self.has_bias, strict=True) for a in (w, b)[: 1 + yes]]


def drawn(seed):
    """A random stack of layers, bits and biases."""
    rng = np.random.default_rng(seed)

    def q(least, most):
        return nn.Quantization("int16", 2.0 ** -int(rng.integers(least, most + 1)), 0)

    layers = [
        nn.Dense(
            int(rng.integers(1, 20)),
            ("relu", None)[rng.integers(2)],
            quantized=q(7, 13),
            bias=bool(rng.integers(4)),
        )
        for _ in range(rng.integers(0, 3))
    ]
    layers += [nn.Dense(int(rng.integers(1 + seed % 2, 9)), quantized=q(7, 12))]
    loss = ("mse", "cross_entropy")[seed % 2]
    if loss == "cross_entropy":
        layers += [nn.Activation("softmax", quantized=PROBABILITY)]
    network = nn.Network(layers, (int(rng.integers(1, 40)),), loss, seed, q(10, 14))
    for name in network.arrays:
        if name.endswith("bias"):
            network.arrays[name] = rng.integers(-ONE, ONE, network.arrays[name].shape)
    return network, rng


def pair(network, rng):
    x = rng.integers(-16384, 16384, network.input_shape, dtype=np.int16)
    if network.loss == "cross_entropy":
        return x, int(rng.integers(network.output_shape[0]))
    return x, rng.normal(0, 1, network.output_shape).astype(np.float32)


def codes(learner, y):
    """An answer as its integers."""
    return np.round(y / np.float32(learner.network.output_quantization.scale)).astype(np.int64)


# --- Bit for bit --------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(40))
def test_answers_and_steps_are_the_documented_ones(seed):
    network, rng = drawn(seed)
    rate = float(rng.choice([0.0, 1e-6, 0.003, 0.01, 0.02, 0.1, 0.5, 3.0, 1e9]))
    learner, oracle = learn.Learner(network, learn.SGD(rate)), Oracle(network, rate)
    for _ in range(25):
        x, target = pair(network, rng)
        assert np.array_equal(codes(learner, learner.predict_one(x)), oracle.forward(x)[1])
        learner.learn_one(x, target)
        oracle.learn(x, target)
    learned = learner.learned_network().arrays
    for array, wanted in zip(learned.values(), oracle.parameters(), strict=True):
        assert np.array_equal(array, wanted)


@pytest.mark.parametrize("seed", [2, 3])
def test_a_thousand_steps_end_with_the_documented_bits(seed):
    network, rng = drawn(seed)
    learner, oracle = learn.Learner(network, learn.SGD(0.01)), Oracle(network, 0.01)
    for _ in range(1000):
        x, target = pair(network, rng)
        learner.learn_one(x, target)
        oracle.learn(x, target)
    for array, wanted in zip(learner.learned_network().arrays.values(), oracle.parameters(), strict=True):
        assert np.array_equal(array, wanted)
    assert learner.checksum != learn.Learner(network).checksum


def test_losses_are_those_of_the_answers():
    for seed in (10, 11, 12, 13):
        network, rng = drawn(seed)
        learner = learn.Learner(network)
        x, target = pair(network, rng)
        y = learner.predict_one(x).astype(np.float64)
        if network.loss == "cross_entropy":
            wanted = -np.log(max(y[target], 2.0**-16))
        else:
            e = squared_error_gradient(codes(learner, y), target, network.output_quantization.fraction_bits)[
                1
            ]
            wanted = ((e * network.output_quantization.scale) ** 2).mean()
        assert learner.score_one(x, target) == pytest.approx(wanted, rel=1e-5, abs=1e-4)


def test_softmax_is_a_softmax():
    rng = np.random.default_rng(0)
    for n in (1, 2, 10, 300):
        z = rng.integers(-3000, 3000, n)
        real = np.exp((z - z.max()) / 512)
        assert np.abs(softmax(z, 9) / 32768 - real / real.sum()).max() < 2e-4


# --- Extremes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("weight", [-4 * ONE, 4 * ONE - 1])
@pytest.mark.parametrize("value", [-32768, 32767])
@pytest.mark.parametrize("inputs", [1, 2, 3, 64, 65, 4096])
def test_the_largest_sums_saturate(weight, value, inputs):
    network = nn.Network([nn.Dense(5, quantized=Q12)], (inputs,), "mse", input_quantization=Q12)
    network.arrays["dense_1.weights"][...] = weight
    network.arrays["dense_1.bias"][...] = weight
    learner, oracle = learn.Learner(network, learn.SGD(100.0)), Oracle(network, 100.0)
    x, target = np.full(inputs, value, np.int16), np.full(5, -3e38, np.float32)
    assert np.array_equal(codes(learner, learner.predict_one(x)), oracle.forward(x)[1])
    assert abs(oracle.forward(x)[1][0]) >= 32767
    for sign in (1, -1, 1):
        learner.learn_one(x, sign * target)
        oracle.learn(x, sign * target)
    for array, wanted in zip(learner.learned_network().arrays.values(), oracle.parameters(), strict=True):
        assert np.array_equal(array, wanted)
        assert array.min() >= -4 * ONE
        assert array.max() < 4 * ONE


def test_samples_beyond_the_range_saturate():
    network = nn.Network([nn.Dense(2, quantized=Q12)], (2,), input_quantization=Q12)
    learner = learn.Learner(network)
    assert np.array_equal(learner.predict_one([1e9, -1e9]), learner.predict_one(np.int16([32767, -32768])))
    with pytest.raises(InputError, match="finite"):
        learner.predict_one([np.nan, 0.0])


# --- Networks -------------------------------------------------------------------------------------


def in_fixed_point(network, x):
    return learn.quantize(network, x, "int16")


def test_digits_are_learnt_from_scratch_as_in_float32():
    datasets = pytest.importorskip("sklearn.datasets", reason="pip install scikit-learn")
    pixels, label = datasets.load_digits(return_X_y=True)
    x, order = (pixels / 16).astype(np.float32), np.random.default_rng(0).permutation(len(label))
    learnt, seen = order[:1400], order[1400:]
    network = nn.Network([nn.Dense(64, "relu"), nn.Dense(10, "softmax")], (64,), "cross_entropy", seed=0)
    right = []
    for start in (network, in_fixed_point(network, x[:100])):
        learner = learn.Learner(start, learn.SGD(0.05))
        for _ in range(6):
            learner.learn_many(x[learnt], label[learnt])
        right.append(float((learner.predict_many(x[seen]).argmax(1) == label[seen]).mean()))
    assert right[0] > 0.96
    assert right[1] > right[0] - 0.01


def test_a_curve_is_learnt_from_scratch_as_in_float32():
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (2000, 1)).astype(np.float32)
    y = np.sin(3 * x)
    network = nn.Network([nn.Dense(32, "relu"), nn.Dense(32, "relu"), nn.Dense(1)], (1,), "mse", seed=0)
    losses = []
    for start in (network, in_fixed_point(network, x[:100])):
        learner = learn.Learner(start, learn.SGD(0.02))
        for _ in range(5):
            learner.learn_many(x, y)
        losses.append(float(learner.score_many(x, y).mean()))
    assert losses[0] < 5e-4
    assert losses[1] < 1.5 * losses[0] + 1e-5


def small(seed=0):
    network = nn.Network([nn.Dense(8, "relu"), nn.Dense(3, "softmax")], (4,), "cross_entropy", seed)
    return in_fixed_point(network, samples(50))


def samples(n, seed=0):
    return np.random.default_rng(seed).normal(0, 1, (n, 4)).astype(np.float32)


def test_quantizing_chooses_bits_and_keeps_real_numbers():
    network = nn.Network([nn.Dense(8, "relu"), nn.Dense(3, "softmax")], (4,), "cross_entropy", seed=1)
    x = samples(50)
    fixed = in_fixed_point(network, x)
    assert fixed.input_quantization == Q12
    assert [layer.quantized for layer in fixed.layers] == [Q12, Q9, PROBABILITY]
    assert fixed.trainable == network.trainable
    for name, array in network.arrays.items():
        assert fixed.arrays[name].dtype == np.int32
        assert np.abs(fixed.arrays[name] / ONE - array).max() <= 0.5 / ONE
    apart = learn.Learner(fixed).predict_many(x) - learn.Learner(network).predict_many(x)
    assert 0 < np.abs(apart).max() < 2e-3
    assert in_fixed_point(network, 100 * x).input_quantization.fraction_bits < 8
    assert fixed.plan().input_type == fixed.plan().output_type == "int16"
    assert fixed.plan().arena < 0.7 * network.plan().arena


def test_a_network_by_hand_starts_with_the_weights_of_the_float_one():
    layers = [nn.Dense(8, "relu", quantized=Q12), nn.Dense(2, quantized=Q12)]
    fixed = nn.Network(layers, (4,), "mse", seed=3, input_quantization=Q12)
    network = nn.Network([nn.Dense(8, "relu"), nn.Dense(2)], (4,), "mse", seed=3)
    for name, array in network.arrays.items():
        assert np.abs(fixed.arrays[name] / ONE - array).max() <= 0.5 / ONE


def test_what_was_learnt_is_kept(tmp_path):
    x, y = samples(60), np.arange(60) % 3
    network = small()
    learner = learn.Learner(network, learn.SGD(0.05))
    learner.learn_many(x, y)
    learned = learner.learned_network()
    assert np.array_equal(learn.Learner(learned).predict_many(x), learner.predict_many(x))
    learned.save(tmp_path / "net.safetensors")
    assert nn.load(tmp_path / "net.safetensors").plan().image() == learned.plan().image()
    learner.save(tmp_path / "state.bin")
    again = learn.Learner(network, learn.SGD(0.05))
    again.load(tmp_path / "state.bin")
    again.learn_many(x, y)
    learner.learn_many(x, y)
    assert again.checksum == learner.checksum


def test_only_what_is_trainable_changes():
    x, y = samples(30), np.arange(30) % 3
    network = small().freeze().train("dense_2", trainable=[0, 2])
    learner = learn.Learner(network, learn.SGD(0.05))
    learner.learn_many(x, y)
    before, after = network.arrays, learner.learned_network().arrays
    assert network.trainable == ("dense_2.weights", "dense_2.bias")
    assert np.array_equal(after["dense_1.weights"], before["dense_1.weights"])
    changed = (after["dense_2.weights"] != before["dense_2.weights"]).any(0)
    assert changed.tolist() == [True, False, True]
    learner.freeze("dense_2")
    checksum = learner.checksum
    learner.learn_many(x, y)
    assert learner.checksum == checksum


def in_int16(scale, zero_point=0):
    """Return a network whose answer has this scale."""
    layer = nn.Dense(2, quantized=nn.Quantization("int16", scale, zero_point))
    return nn.Network([layer], (4,), input_quantization=Q12)


@pytest.mark.parametrize(
    ("act", "what"),
    [
        (lambda net: learn.Learner(net, learn.Adam()), "plain descent"),
        (lambda net: learn.Learner(net, learn.SGD(), batch=4), "plain descent"),
        (lambda net: in_fixed_point(net, samples(4)), "already"),
        (lambda net: net.with_loss("mse").plan(), "loss 'mse'"),
        (lambda _: in_int16(0.3), "power of two"),
        (lambda _: in_int16(2.0), "power of two"),
        (lambda _: in_int16(2.0**-16), "power of two"),
        (lambda _: in_int16(2.0**-12, 1), "zero_point"),
        (lambda _: nn.Network([nn.Dense(2, "tanh", quantized=Q12)], (4,), input_quantization=Q12), "tanh"),
        (lambda _: nn.Network([nn.Dense(2, quantized=Q12)], (4,)), "int16 from float32"),
        (
            lambda _: nn.Network([nn.Dense(2)], (4,), input_quantization=Q12),
            "Dense does not compute on int16",
        ),
        (lambda _: nn.Network([nn.MaxPool2D(2)], (4, 4, 1), input_quantization=Q12), "MaxPool2D"),
        (
            lambda _: nn.Network([nn.Conv2D(2, 3, quantized=Q12)], (4, 4, 1), input_quantization=Q12),
            "Conv2D on int16",
        ),
        (
            lambda _: nn.Network([nn.Dense(2, quantized=Q12)], (5000,), input_quantization=Q12),
            "5,000 inputs",
        ),
        (
            lambda _: in_fixed_point(nn.Network([nn.Dense(2), nn.Tanh()], (4,), "mse"), samples(4)),
            "tanh",
        ),
        (lambda _: learn.quantize(nn.Network([nn.Dense(2)], (4,)), samples(4), "int4"), "int4"),
    ],
)
def test_what_fixed_point_cannot_do_is_refused(act, what):
    with pytest.raises(ConfigError, match=what):
        act(small())


def test_weights_that_are_too_large_are_refused():
    network = nn.Network([nn.Dense(2)], (4,), "mse")
    network.arrays["dense_1.weights"][0, 0] = -4.5
    with pytest.raises(ConfigError, match=r"4\.5") as caught:
        in_fixed_point(network, samples(4))
    assert caught.value.where == "dense_1.weights"
    fixed = small()
    fixed.arrays["dense_2.bias"][1] = 4 * ONE
    with pytest.raises(InputError, match=r"beyond 4") as caught:
        fixed.plan()
    assert caught.value.where == "dense_2.bias"


# --- The loader -----------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [0, 12, 14, 16, 255])
def test_an_image_with_other_fraction_bits_of_gradients_is_refused(bits):
    """The gradients are the tensors of 13 bits."""
    image = bytearray(small().plan().image())
    assert Executor(bytes(image)).info.input_type == 4
    found = 0
    for number in range(int.from_bytes(image[16:20], "little")):
        at = 64 + 20 * number
        if image[at + 18] == 4 and image[at + 19] == 13:
            damaged = bytearray(image)
            damaged[at + 19] = bits
            damaged[12:16] = zlib.crc32(damaged[16:]).to_bytes(4, "little")
            with pytest.raises(ImageError):
                Executor(bytes(damaged))
            found += 1
    assert found >= 2


# --- Boards ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "core",
    [pytest.param(core, marks=needs(core)) for core in ("cortex-m0+", "cortex-m3", "cortex-m4f", "rv32imc")],
)
@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
def test_a_board_learns_the_same_bits(loss, core):
    x, last = samples(40), "softmax" if loss == "cross_entropy" else None
    y = np.arange(40) % 3 if loss == "cross_entropy" else np.float32(np.tanh(x[:, :3]))
    network = nn.Network([nn.Dense(9, "relu"), nn.Dense(7, "relu"), nn.Dense(3, last)], (4,), loss, seed=0)
    network = in_fixed_point(network, x)
    learner = learn.Learner(network, learn.SGD(0.02))
    for _ in range(50):
        losses = learner.learn_many(x, y)
    with emulate(network, core, learn.SGD(0.02)) as device:
        assert (device.learn_many(x, y, passes=50) == losses).all()
        assert device.steps == learner.steps == 2000
        assert device.checksum == learner.checksum
        assert (device.predict_many(x) == learner.predict_many(x)).all()
