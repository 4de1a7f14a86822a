"""Write the images and states that the fuzzers start from into runtime/fuzz/corpus/.

    python -m tools.make_corpus

Run it when the image format changes, and commit what it writes. The networks are random and small: the
smaller an image, the more of them a second tries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from shoal import nn
from shoal.runtime import Executor
from tools.make_vectors import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

CORPUS = ROOT / "runtime/fuzz/corpus"
SEEDS, FIXED_SEEDS, RECURRENT_SEEDS, LARGEST = 160, 20, 24, 3072
OPTIMIZERS: tuple[Literal["sgd", "momentum", "adam"] | None, ...] = (None, "sgd", "momentum", "adam")


def seed_network(rng: np.random.Generator) -> nn.Network:
    """Draw a small network."""

    def pick(*values: Any) -> Any:
        return values[rng.integers(len(values))]

    def some(channels: int) -> Any:
        return pick(True, True, True, False, "bias", [0], slice(channels // 2, channels))

    def function() -> Any:
        return pick(None, "relu", "relu6", "leaky_relu", "tanh", "sigmoid")

    layers: list[nn.Layer] = [nn.Standardize(pick(0, 0.1))] if rng.integers(4) == 0 else []
    if rng.integers(3) == 0:
        shape: tuple[int, ...] = (int(rng.integers(1, 9)),)
    else:
        shape = (int(rng.integers(3, 8)), int(rng.integers(3, 8)), int(rng.integers(1, 4)))
        for _ in range(rng.integers(1, 4)):
            n = int(rng.integers(1, 6))
            window = {"padding": "same", "trainable": some(n)}
            layers += pick(
                [nn.Conv2D(n, pick(1, 2, 3, (1, 3)), pick(1, 2), activation=function(), **window)],
                [
                    nn.Conv2D(4, 2, 1, padding="same", bias=False),
                    nn.GroupNorm(pick(1, 2, 4), trainable=pick(True, "bias")),
                ],
                [
                    nn.DepthwiseConv2D(
                        pick(2, 3), pick(1, 2), "same", multiplier=pick(1, 2), activation=function()
                    )
                ],
                [nn.MaxPool2D(pick(1, 2, 3), pick(None, 1, 2), pick("same", "same"))],
                [nn.AveragePool2D(pick(2, 3), pick(None, 1), "same")],
                [nn.Conv2D(n, 1), nn.Residual(nn.Conv2D(n, 3, activation=function())), nn.Activation("relu")],
            )
        layers += [pick(nn.Flatten(), nn.GlobalAveragePool2D())]
    if rng.integers(2) == 0:
        layers += [nn.Dense(n := int(rng.integers(1, 12)), function(), trainable=some(n))]
    classes = int(rng.integers(1, 6))
    last, loss = pick((None, "mse"), ("sigmoid", "bce"), ("softmax", "cross_entropy"), ("softmax", "mse"))
    layers += [nn.Dense(classes, last, reserve=pick(0, 0, 2), trainable=some(classes))]
    return nn.Network(layers, shape, loss, seed=int(rng.integers(1000)))


def seed_quantized_network(rng: np.random.Generator) -> nn.Network:
    """Draw a small network that computes on integers, part of it learning."""

    def pick(*values: Any) -> Any:
        return values[rng.integers(len(values))]

    def on_integers(dtype: Any = "int8") -> Any:
        scale = float(np.float32(rng.uniform(0.01, 0.2)))
        return nn.Quantization(dtype, scale, int(rng.integers(0, 100)))

    dtype = pick("int8", "int8", "int8", "uint8")
    shape = (int(rng.integers(3, 7)), int(rng.integers(3, 7)), int(rng.integers(1, 4)))
    learns = dtype == "int8" and bool(rng.integers(2))
    layers: list[nn.Layer] = [] if rng.integers(3) else [nn.Quantize(on_integers(dtype))]
    given = None if layers else on_integers(dtype)

    def common(channels: int) -> dict[str, Any]:
        trainable = pick(True, "bias", [0], slice(0, channels)) if learns else False
        activation = pick(None, "relu", "relu6")
        return {"quantized": on_integers(dtype), "activation": activation, "trainable": trainable}

    for _ in range(rng.integers(1, 4)):
        n = int(rng.integers(1, 5))
        more = [
            [nn.Conv2D(n, pick(1, 2, 3), pick(1, 2), **common(n))],
            [nn.DepthwiseConv2D(pick(2, 3), pick(1, 2), multiplier=1, **common(1))],
            [nn.MaxPool2D(pick(2, 3), pick(None, 1), "same")],
            [nn.AveragePool2D(2, 1, "same")],
            [
                nn.Conv2D(n, 1, **common(n)),
                nn.Residual(nn.Conv2D(n, 3, **common(n)), quantized=on_integers(dtype)),
            ],
        ]
        if not learns:
            more += [
                [nn.Pad2D((1, 0, 1, 1), pick((0, 0), (1, 1)))],
                [nn.ResizeNearest((3, 4), pick(True, False))],
                [nn.Activation(pick("relu", "tanh", "sigmoid", "leaky_relu"), quantized=on_integers(dtype))],
            ]
        layers += pick(*more)
    layers += [pick(nn.Flatten(), nn.GlobalAveragePool2D(quantized=on_integers(dtype)))]
    layers += [nn.Dense(3, **(common(3) | {"activation": None}))]
    answer = pick([nn.Dequantize()], [nn.Dequantize(), nn.Activation("softmax")])
    if not learns:
        unit = nn.Quantization(dtype, 1 / 256, 0 if dtype == "uint8" else -128)
        answer = pick(answer, [nn.Activation("softmax", quantized=unit)])
    loss: Any = "cross_entropy" if isinstance(answer[-1], nn.Activation) else "mse"
    network = nn.Network([*layers, *answer], shape, loss, input_quantization=given)
    for name, array in network.arrays.items():
        if array.dtype != np.float32:
            array[...] = rng.integers(0, 100, array.shape)
        elif name.endswith("scales"):
            array[...] = rng.uniform(0.001, 0.1, array.shape)
    return network


def seed_fixed_network(rng: np.random.Generator) -> nn.Network:
    """Draw a small network in fixed point."""

    def fixed(least: int) -> Any:
        return nn.Quantization("int16", 2.0 ** -int(rng.integers(least, 13)), 0)

    def dense(units: int, activation: Any) -> nn.Layer:
        bias = bool(rng.integers(4))
        trainable: Any = (True, True, [0], False, "bias" if bias else True)[rng.integers(5)]
        return nn.Dense(units, activation, quantized=fixed(6), trainable=trainable, bias=bias)

    layers: list[nn.Layer] = []
    for i in range(rng.integers(0, 3)):
        layers += [dense(int(rng.integers(1, 10)), ("relu", None)[i % 2])]
    layers += [dense(int(rng.integers(1, 7)), None)]
    softmax = bool(rng.integers(2))
    if softmax:
        layers += [nn.Activation("softmax", quantized=nn.Quantization("int16", 2.0**-15, 0))]
    inputs, seed = int(rng.integers(1, 10)), int(rng.integers(1000))
    loss: Any = "cross_entropy" if softmax else "mse"
    return nn.Network(layers, (inputs,), loss, seed, input_quantization=fixed(10))


def seed_recurrent_network(rng: np.random.Generator) -> nn.Network:
    """Draw a small network that remembers earlier samples, and learns behind that or not."""

    def codes(dtype: Any = "int8") -> Any:
        least = 0 if dtype == "int16" else -100
        return nn.Quantization(dtype, float(np.float32(rng.uniform(0.001, 0.2))), int(rng.integers(least, 1)))

    rows, inputs, units = int(rng.integers(1, 5)), int(rng.integers(1, 6)), int(rng.integers(1, 5))
    given: Any = None
    if rng.integers(3) == 0:
        layers: list[nn.Layer] = [nn.LSTM(units, clip=float(rng.integers(2))), nn.Flatten(), nn.Dense(2)]
    elif rng.integers(2):
        given, cell = codes(), nn.Quantization("int16", 2.0 ** -int(rng.integers(9, 16)), 0)
        layers = [nn.LSTM(units, clip=float(rng.integers(2)), quantized=codes(), cell=cell), nn.Flatten()]
    else:
        rows, given = 1, nn.Quantization("int16", 0.0007, 0)
        layers = [nn.Quantize(codes()), nn.Flatten()]
        for _ in range(rng.integers(1, 3)):
            state = codes(("int8", "int16")[rng.integers(2)])
            kinds = {"quantized": codes(), "state": state}
            layers += [nn.SVDF(units, int(rng.integers(1, 6)), int(rng.integers(1, 3)), **kinds)]
    learns = given is None or bool(rng.integers(2))
    if learns and given is not None:
        layers += [nn.Dequantize(), nn.Dense(3)]
    elif given is not None:
        probability = nn.Quantization("int16", 1 / 65536, -32768)
        last = nn.Activation("softmax", quantized=probability)
        layers += [last, nn.Quantize(nn.Quantization("int32", 1 / 32768, 0))]
    network = nn.Network(layers, (1, rows, inputs), "mse" if learns else None, input_quantization=given)
    for name, array in network.arrays.items():
        if array.dtype != np.float32:
            array[...] = rng.integers(-100, 100, array.shape)
        elif name.endswith("scales"):
            array[...] = rng.uniform(0.001, 0.1, array.shape)
    return network


def seed_images() -> Iterator[bytes]:
    """Yield images, small so that the fuzzer is fast, that it starts from."""
    rng = np.random.default_rng(1)
    done = 0
    while done < SEEDS:
        optimizer = OPTIMIZERS[rng.integers(4)]
        accumulate = optimizer is not None and bool(rng.integers(2))
        anchor = accumulate and bool(rng.integers(2))
        image = seed_network(rng).plan(optimizer, accumulate=accumulate, anchor=anchor).image()
        if rng.integers(3) == 0:
            network = seed_quantized_network(rng)
            image = network.plan("sgd" if network.trainable else None).image()
        if len(image) < LARGEST:
            done += 1
            yield image
    for _ in range(FIXED_SEEDS):
        network = seed_fixed_network(rng)
        yield network.plan("sgd" if rng.integers(5) else None).image()
    for _ in range(RECURRENT_SEEDS):
        network = seed_recurrent_network(rng)
        yield network.plan("sgd" if network.loss else None).image()


def seed_state(image: bytes) -> bytes:
    """Return a state of an image after a few steps."""
    executor = Executor(image)
    info = executor.info
    x = np.linspace(-1, 1, info.inputs, dtype=np.float32)
    for _ in range(3):
        executor.observe(x)
        if info.targets:
            executor.learn(x, np.zeros(info.targets, np.float32))
    return executor.save()


def main() -> None:
    """Write all files."""
    for i, image in enumerate(seed_images()):
        (CORPUS / f"image/{i:03}").write_bytes(image)
        if i % 5 == 0:
            (CORPUS / f"state/{i:03}").write_bytes(image + seed_state(image))
    print(f"{CORPUS.relative_to(ROOT)}: {sum(path.stat().st_size for path in CORPUS.rglob('*')):,} bytes")


if __name__ == "__main__":
    main()
