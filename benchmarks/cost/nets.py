"""Networks that are drawn to be counted, from every family that can be."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from shoal import learn, nn
from shoal.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    from shoal.nn.autodiff import Loss
    from shoal.nn.layers.activation import ActivationName

T = TypeVar("T")
ACTIVATIONS: tuple[ActivationName | None, ...] = (None, "relu", "relu6", "tanh", "sigmoid")
PADDINGS: tuple[Literal["same", "valid"], ...] = ("same", "valid")
LOSSES: tuple[Loss, ...] = ("mse", "bce", "cross_entropy")
MOST = 100_000  # multiplications of an answer, so that a core without an FPU ends soon
LARGEST = 16_000  # bytes of parameters, so that an image is soon there
# As many as have no factor in common with the optimizers, which go round too.
FAMILIES = (
    *("dense", "dense", "conv", "conv", "pools", "pools", "int8", "int8 dense", "uint8"),
    *("int8 learning", "int8 learning", "int16", "int16", "recurrent", "int8 recurrent"),
)
# Seeds from here to the next million draw networks in which pools, sums and means weigh most.
POOLS = 500_000


def drawn(seed: int) -> tuple[str, nn.Network]:
    """Return the name of a family and a network of it."""
    rng = np.random.default_rng(seed)
    family = "int8 pools" if seed % (2 * POOLS) >= POOLS else FAMILIES[seed % len(FAMILIES)]
    while True:
        try:
            network = MAKE[family](rng)
        except ConfigError:
            continue  # layers that do not go together
        macs = sum(step.layer.macs(step.input_shape, step.output_shape) for step in network.trace.steps)
        if macs <= MOST and sum(array.nbytes for array in network.arrays.values()) <= LARGEST:
            return family, network


def one_of(rng: np.random.Generator, values: Sequence[T]) -> T:
    return values[int(rng.integers(len(values)))]


def head(rng: np.random.Generator) -> tuple[list[nn.Layer], Loss]:
    """Return the last layers and the loss that goes with them."""
    loss = one_of(rng, LOSSES)
    units = int(rng.integers(1 if loss != "cross_entropy" else 2, 21))
    last: dict[str, list[nn.Layer]] = {"mse": [], "bce": [nn.Sigmoid()], "cross_entropy": [nn.Softmax()]}
    return [nn.Dense(units), *last[loss]], loss


def some_learning(rng: np.random.Generator, network: nn.Network) -> nn.Network:
    """Return the network with all, some, or parts of its layers learning."""
    count = len(network.masks)
    how = int(rng.integers(4))
    if how == 0:
        return network.train_last(int(rng.integers(1, count + 1)))
    if how == 1 and network.loss is not None:
        names = [step.name for step in network.trace.steps if step.mask is not None]
        return network.train(names[int(rng.integers(count))], trainable="bias")
    return network


def dense(rng: np.random.Generator) -> nn.Network:
    layers: list[nn.Layer] = [nn.Standardize()] if rng.random() < 0.3 else []
    for _ in range(int(rng.integers(0, 4))):
        layers.append(nn.Dense(int(rng.integers(1, 65)), one_of(rng, ACTIVATIONS)))
        if rng.random() < 0.2:
            layers.append(nn.LeakyReLU(0.1))
    ends, loss = head(rng)
    network = nn.Network([*layers, *ends], (int(rng.integers(1, 80)),), loss, int(rng.integers(1000)))
    return some_learning(rng, network)


def conv_layers(rng: np.random.Generator, *, float32: bool = True) -> list[nn.Layer]:
    layers: list[nn.Layer] = []
    acts = ACTIVATIONS if float32 else (None, "relu", "relu6")
    for _ in range(int(rng.integers(1, 4))):
        kernel, stride = int(rng.integers(1, 5)), int(rng.integers(1, 3))
        padding, chosen = one_of(rng, PADDINGS), one_of(rng, acts)
        if rng.random() < 0.35:
            multiplier = one_of(rng, (1, 1, 2, 4, 6))
            layers.append(
                nn.DepthwiseConv2D(kernel, stride, padding, multiplier=multiplier, activation=chosen)
            )
        else:
            layers.append(nn.Conv2D(int(rng.integers(1, 25)), kernel, stride, padding, activation=chosen))
        if float32 and rng.random() < 0.3:
            layers.append(nn.GroupNorm(1))
    return layers


def sized(rng: np.random.Generator, layers: list[nn.Layer]) -> nn.Network:
    """Return a network of these layers on some input that they fit, with a head."""
    ends, loss = head(rng)
    while True:
        side, channels = rng.integers(5, 17, 2), int(rng.integers(1, 13))
        shape = (int(side[0]), int(side[1]), channels)
        try:
            return nn.Network([*layers, nn.Flatten(), *ends], shape, loss, int(rng.integers(1000)))
        except ValueError:
            layers = layers[:-1] if len(layers) > 1 else [nn.Conv2D(4, 1)]


def conv(rng: np.random.Generator) -> nn.Network:
    layers = conv_layers(rng)
    if rng.random() < 0.2:
        height, width = map(int, rng.integers(2, 20, 2))
        if rng.random() < 0.5:
            return sized(rng, [*layers, nn.ResizeNearest((height, width))]).train_last(1)
        layers.append(nn.GlobalAveragePool2D())
    if rng.random() < 0.3:
        layers.append(
            nn.Residual(nn.Conv2D(4, 3, padding="same"), shortcut=[nn.Conv2D(4, 1)], activation="relu")
        )
    return some_learning(rng, sized(rng, layers))


def pools(rng: np.random.Generator) -> nn.Network:
    layers: list[nn.Layer] = [nn.Pad2D((1, 1, 1, 1))] if rng.random() < 0.3 else []
    layers.append(nn.Conv2D(int(rng.integers(1, 13)), int(rng.integers(1, 3))))
    for _ in range(int(rng.integers(1, 3))):
        pool = nn.MaxPool2D if rng.random() < 0.5 else nn.AveragePool2D
        layers.append(pool(int(rng.integers(1, 4)), int(rng.integers(1, 3)), one_of(rng, PADDINGS)))
        if rng.random() < 0.2:
            layers.append(nn.GlobalAveragePool2D())
            break
    frozen = rng.random() < 0.3
    network = sized(rng, layers)
    return network.train_last(1) if frozen else some_learning(rng, network)


def on_int8(rng: np.random.Generator, network: nn.Network) -> nn.Network:
    samples = rng.uniform(-1, 1, (8, *network.input_shape)).astype(np.float32)
    return learn.quantize(network, samples)


def int8(rng: np.random.Generator) -> nn.Network:
    layers = conv_layers(rng, float32=False)
    if rng.random() < 0.3:
        height, width = map(int, rng.integers(4, 12, 2))
        sized_anew = nn.ResizeNearest((height, width))
        layers.insert(1, nn.Pad2D((1, 1, 1, 1)) if rng.random() < 0.5 else sized_anew)
    if rng.random() < 0.6:
        pool = nn.MaxPool2D if rng.random() < 0.6 else nn.AveragePool2D
        layers.append(pool(int(rng.integers(1, 4)), int(rng.integers(1, 3))))
    if rng.random() < 0.3:
        layers.append(
            nn.Residual(nn.Conv2D(6, 3, padding="same"), shortcut=[nn.Conv2D(6, 1)], activation="relu")
        )
    if rng.random() < 0.3:
        layers.append(nn.GlobalAveragePool2D())
    network = on_int8(rng, sized(rng, layers))
    if rng.random() < 0.5:
        network = from_floats(network)
    return network.train_last(1) if rng.random() < 0.5 else network


def int8_pools(rng: np.random.Generator) -> nn.Network:
    """Return a network with little but pools, sums and means, that learns on integers or only answers."""
    channels = int(rng.integers(1, 13))
    layers: list[nn.Layer] = [nn.Conv2D(channels, 1)]
    for _ in range(int(rng.integers(1, 4))):
        how = int(rng.integers(4))
        if how == 0:
            layers.append(nn.Residual(nn.Conv2D(channels, 1), activation=one_of(rng, (None, "relu"))))
        elif how == 1:
            layers.append(nn.DepthwiseConv2D(1, activation=one_of(rng, (None, "relu"))))
        else:
            pool = nn.MaxPool2D if how == 2 else nn.AveragePool2D
            layers.append(pool(int(rng.integers(1, 4)), int(rng.integers(1, 3)), one_of(rng, PADDINGS)))
    if rng.random() < 0.2:
        layers.append(nn.GlobalAveragePool2D())
    network = on_int8(rng, sized(rng, layers))
    if rng.random() < 0.6:
        return network.train_last(int(rng.integers(1, len(network.masks) + 1)), on_integers=True)
    return network if rng.random() < 0.5 else from_floats(network)


def from_floats(network: nn.Network) -> nn.Network:
    """Return a network on integers that takes floats, and rescales what it takes the mean of."""
    q = network.input_quantization
    layers: list[nn.Layer] = [] if q is None else [nn.Quantize(q)]
    for layer in network.layers:
        layers.append(replace(layer, quantized=q) if isinstance(layer, nn.GlobalAveragePool2D) else layer)
        q = getattr(layer, "quantized", None) or q
    return nn.Network.from_arrays(layers, network.input_shape, network.loss, network.seed, network.arrays)


def int8_dense(rng: np.random.Generator) -> nn.Network:
    layers: list[nn.Layer] = [
        nn.Dense(int(rng.integers(1, 100)), "relu" if rng.random() < 0.7 else "tanh")
        for _ in range(int(rng.integers(1, 4)))
    ]
    ends, loss = head(rng)
    network = nn.Network([*layers, *ends], (int(rng.integers(1, 150)),), loss, int(rng.integers(1000)))
    return on_int8(rng, network)


def uint8(rng: np.random.Generator) -> nn.Network:
    """Return the same network on uint8, as older models have it: 128 is added to each integer."""
    network = int8(rng) if rng.random() < 0.7 else int8_dense(rng)
    arrays = {
        name: (array.astype(np.int16) + 128).astype(np.uint8) if array.dtype == np.int8 else array
        for name, array in network.freeze().arrays.items()
    }
    layers = [on_uint8(layer) for layer in network.freeze().layers]
    given = moved(network.input_quantization)
    return nn.Network.from_arrays(layers, network.input_shape, network.loss, network.seed, arrays, given)


def on_uint8(layer: nn.Layer) -> nn.Layer:
    """Return a layer on uint8."""
    if isinstance(layer, nn.Residual):
        ways = [[on_uint8(inner) for inner in way] for way in (layer.layers, layer.shortcut)]
        return layer.with_ways(*ways, quantized=moved(layer.quantized))
    found = getattr(layer, "quantized", None)
    if found is None:
        return layer
    changes: dict[str, Any] = {"quantized": moved(found)}
    if hasattr(layer, "weights_zero_point"):
        changes["weights_zero_point"] = 128
    return replace(layer, **changes)


def moved(q: nn.Quantization | None) -> nn.Quantization | None:
    """Return an int8 quantization on uint8."""
    return None if q is None else nn.Quantization("uint8", q.scale, q.zero_point + 128)


def int8_learning(rng: np.random.Generator) -> nn.Network:
    network = on_int8(rng, sized(rng, conv_layers(rng, float32=False)))
    return network.train_last(int(rng.integers(1, len(network.masks) + 1)), on_integers=True)


def int16(rng: np.random.Generator) -> nn.Network:
    layers: list[nn.Layer] = [
        nn.Dense(int(rng.integers(1, 70)), "relu") for _ in range(int(rng.integers(1, 3)))
    ]
    units = int(rng.integers(2, 21))
    ends: list[nn.Layer] = [nn.Dense(units), nn.Softmax()] if rng.random() < 0.6 else [nn.Dense(units)]
    loss: Loss = "cross_entropy" if len(ends) > 1 else "mse"
    network = nn.Network([*layers, *ends], (int(rng.integers(1, 80)),), loss, int(rng.integers(1000)))
    samples = rng.uniform(-1, 1, (8, *network.input_shape)).astype(np.float32)
    return learn.quantize(network, samples, "int16")


def recurrent(rng: np.random.Generator) -> nn.Network:
    rows, inputs = int(rng.integers(1, 12)), int(rng.integers(1, 30))
    ends, loss = head(rng)
    layers = [nn.LSTM(int(rng.integers(1, 25)), clip=one_of(rng, (0.0, 10.0))), nn.Flatten(), *ends]
    return nn.Network(layers, (1, rows, inputs), loss, int(rng.integers(1000)))


def int8_recurrent(rng: np.random.Generator) -> nn.Network:
    """Return an LSTM, filters over time or both on int8, with arrays of any numbers."""
    rows, inputs = int(rng.integers(1, 12)), int(rng.integers(1, 30))
    how = int(rng.integers(3))
    layers: list[nn.Layer] = [nn.Quantize(codes(rng))] if rng.random() < 0.5 else []  # anew: rescaled
    if how != 1:
        cell = nn.Quantization("int16", 2.0 ** -int(rng.integers(9, 16)), 0)
        layers.append(nn.LSTM(int(rng.integers(1, 25)), quantized=codes(rng), cell=cell))
    layers.append(nn.Flatten())
    if how != 0:
        state = codes(rng) if rng.random() < 0.4 else nn.Quantization("int16", 0.002, 0)
        units, memory, rank = map(int, rng.integers(1, (30, 12, 4)))
        layers.append(nn.SVDF(units, memory, rank, quantized=codes(rng), state=state))
    ends, loss = head(rng)
    learns = rng.random() < 0.5
    if learns:
        layers += [nn.Dequantize(), *ends]
    elif rng.random() < 0.6:
        layers.append(nn.Quantize(replace(codes(rng), dtype=one_of(rng, ("int16", "int32")), zero_point=0)))
    given = None if rng.random() < 0.5 and isinstance(layers[0], nn.Quantize) else codes(rng)
    network = nn.Network(
        layers, (1, rows, inputs), loss if learns else None, int(rng.integers(1000)), input_quantization=given
    )
    for name, array in network.arrays.items():
        if name.endswith(".scales"):
            network.arrays[name] = rng.uniform(0.005, 0.02, array.shape)
        elif array.dtype != np.float32:
            most = {"int8": 127, "int16": 3000, "int32": 2000}[array.dtype.name]
            network.arrays[name] = rng.integers(-most, most + 1, array.shape).astype(array.dtype)
    return network


def codes(rng: np.random.Generator) -> nn.Quantization:
    return nn.Quantization("int8", float(np.float32(rng.uniform(0.005, 0.05))), int(rng.integers(-128, 20)))


MAKE = {
    "dense": dense,
    "conv": conv,
    "pools": pools,
    "int8": int8,
    "int8 pools": int8_pools,
    "int8 dense": int8_dense,
    "uint8": uint8,
    "int8 learning": int8_learning,
    "int16": int16,
    "recurrent": recurrent,
    "int8 recurrent": int8_recurrent,
}
