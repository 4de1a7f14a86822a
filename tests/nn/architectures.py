"""Networks to test with: a fixed list that covers every layer, and a strategy that draws random ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from shoal import nn

ACTIVATIONS = ["relu", "relu6", "leaky_relu", "tanh", "sigmoid", None]
ENDS = [
    ("mse", None, 0),
    ("mse", "tanh", 0),
    ("mse", "softmax", 0),
    ("mse", None, 2),
    ("bce", "sigmoid", 0),
    ("bce", "sigmoid", 1),
    ("cross_entropy", "softmax", 0),
    ("cross_entropy", "softmax", 2),
]

FIXED = {
    "linear": lambda: nn.Network([nn.Dense(3)], (4,), "mse"),
    "without_bias": lambda: nn.Network(
        [nn.Dense(5, "tanh", bias=False), nn.Dense(2, bias=False)], (3,), "mse"
    ),
    "mlp": lambda: nn.Network([nn.Dense(8, "tanh"), nn.Dense(8, "leaky_relu"), nn.Dense(2)], (3,), "mse"),
    "softmax_mse": lambda: nn.Network([nn.Dense(6, "sigmoid"), nn.Dense(4, "softmax")], (3,), "mse"),
    "softmax": lambda: nn.Network([nn.Dense(6, "relu6"), nn.Dense(4, "softmax")], (3,), "cross_entropy"),
    "sigmoid": lambda: nn.Network([nn.Dense(6, "tanh"), nn.Dense(3, "sigmoid")], (3,), "bce"),
    "activations": lambda: nn.Network(
        [
            nn.Dense(6),
            nn.ReLU(),
            nn.Dense(6),
            nn.LeakyReLU(0.2),
            nn.Dense(6),
            nn.Tanh(),
            nn.Dense(6),
            nn.Sigmoid(),
        ],
        (3,),
        "bce",
    ),
    "growing": lambda: nn.Network(
        [nn.Dense(6, "tanh"), nn.Dense(2, "softmax", reserve=3)], (4,), "cross_entropy"
    ),
    "growing_bce": lambda: nn.Network(
        [nn.Dense(6, "tanh"), nn.Dense(2, reserve=2), nn.Sigmoid()], (4,), "bce"
    ),
    "growing_mse": lambda: nn.Network([nn.Dense(6, "tanh"), nn.Dense(2, reserve=1)], (4,), "mse"),
    "conv": lambda: nn.Network(
        [
            nn.Conv2D(4, 3, 2, activation="relu"),
            nn.Conv2D(3, (2, 3), (1, 2), padding="valid", activation="tanh"),
            nn.Flatten(),
            nn.Dense(3, "softmax"),
        ],
        (8, 7, 2),
        "cross_entropy",
    ),
    "depthwise": lambda: nn.Network(
        [
            nn.DepthwiseConv2D(3, 2, multiplier=2, activation="relu6"),
            nn.Conv2D(5, 1),
            nn.DepthwiseConv2D((2, 1), padding="valid", bias=False),
            nn.GlobalAveragePool2D(),
            nn.Dense(2),
        ],
        (7, 6, 2),
        "mse",
    ),
    "pools": lambda: nn.Network(
        [
            nn.Conv2D(4, 3, activation="tanh"),
            nn.MaxPool2D(3, 2, "same"),
            nn.Conv2D(3, 2),
            nn.AveragePool2D(2, 1, "same"),
            nn.Tanh(),
            nn.AveragePool2D(),
            nn.Flatten(),
            nn.Dense(3, "softmax"),
        ],
        (9, 8, 1),
        "cross_entropy",
    ),
    "max_pool_first": lambda: nn.Network(
        [nn.MaxPool2D(), nn.ReLU(), nn.Conv2D(2, 2), nn.MaxPool2D((1, 2)), nn.ReLU()], (6, 6, 2), "mse"
    ),
    "normalised": lambda: nn.Network(
        [
            nn.Conv2D(6, 3, 2, bias=False),
            nn.GroupNorm(3),
            nn.ReLU(),
            nn.Conv2D(4, 3),
            nn.GroupNorm(),
            nn.Tanh(),
            nn.GlobalAveragePool2D(),
            nn.GroupNorm(2),
            nn.Dense(2),
        ],
        (6, 6, 2),
        "mse",
    ),
    "standardised": lambda: nn.Network(
        [nn.Standardize(), nn.Dense(5, "tanh"), nn.Standardize(0.2), nn.Dense(2)], (3,), "mse"
    ),
    "residual": lambda: nn.Network(
        [
            nn.Conv2D(4, 3, activation="relu"),
            nn.Residual(nn.Conv2D(4, 3, activation="relu"), nn.Conv2D(4, 3)),
            nn.ReLU(),
            nn.Residual(
                nn.Conv2D(6, 3, 2, activation="tanh"),
                nn.Residual(nn.Conv2D(6, 1), nn.Tanh()),
                shortcut=nn.Conv2D(6, 1, 2),
            ),
            nn.Flatten(),
            nn.Dense(3, "softmax"),
        ],
        (5, 4, 2),
        "cross_entropy",
    ),
    "residual_of_nothing": lambda: nn.Network(
        [nn.Dense(4), nn.Residual(nn.Reshape((4,))), nn.Tanh(), nn.Residual(nn.ReLU()), nn.Dense(2)],
        (3,),
        "mse",
    ),
    "image_to_image": lambda: nn.Network(
        [nn.Reshape((4, 3, 2)), nn.Conv2D(3, 3, activation="sigmoid"), nn.Conv2D(1, 3, activation="sigmoid")],
        (24,),
        "bce",
    ),
    "frozen_start": lambda: nn.Network(
        [nn.Conv2D(4, 3, 2, activation="relu"), nn.Conv2D(4), nn.Flatten(), nn.Dense(5, "tanh"), nn.Dense(2)],
        (6, 6, 1),
        "mse",
    ).train_last(1),
    "frozen_middle": lambda: nn.Network(
        [nn.Dense(6, "tanh"), nn.Dense(5, "tanh"), nn.GroupNorm(), nn.Dense(4, "tanh"), nn.Dense(2)],
        (3,),
        "mse",
    ).freeze("dense_2", "dense_3", "group_norm_1"),
    "all_frozen": lambda: nn.Network([nn.Dense(6, "tanh"), nn.Dense(2)], (3,), "mse").freeze(),
    "biases": lambda: nn.Network(
        [
            nn.Conv2D(4, 3, 2, activation="relu", trainable="bias"),
            nn.GroupNorm(trainable="bias"),
            nn.Flatten(),
            nn.Dense(5, "tanh", trainable="bias"),
            nn.Dense(2),
        ],
        (6, 6, 1),
        "mse",
    ),
    "channels": lambda: nn.Network(
        [
            nn.Conv2D(6, 3, 2, activation="relu", trainable=slice(1, 4)),
            nn.DepthwiseConv2D(multiplier=2, trainable=(0, 1, 5, 11)),
            nn.GroupNorm(2, trainable=range(3, 9)),
            nn.GlobalAveragePool2D(),
            nn.Dense(8, "tanh", trainable=[7]),
            nn.Dense(3, "softmax", reserve=2, trainable=[0, 2, 3]),
        ],
        (6, 6, 1),
        "cross_entropy",
    ),
}


def randomised(network, seed):
    """Return the network with parameters without zeros or symmetry."""
    rng = np.random.default_rng(seed)
    for array in network.arrays.values():
        array[...] = 0.5 * rng.standard_normal(array.shape)
    return network


def samples(network, count, seed):
    """Return pairs of sample and target that suit the network."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        x = rng.standard_normal(network.input_shape).astype(np.float32)
        if network.loss == "cross_entropy":
            yield x, np.array([rng.integers(network.active)], np.float32)
        elif network.loss == "bce":
            yield x, rng.integers(0, 2, network.output_shape).astype(np.float32)
        else:
            yield x, rng.standard_normal(network.output_shape).astype(np.float32)


@st.composite
def networks(draw):
    """Draw a network of a few layers, with any mask of what learns."""
    if draw(st.booleans()):
        shape = (draw(st.integers(1, 6)),)
        layers = draw(st.lists(flat_layers(), max_size=4))
    else:
        shape = (draw(st.integers(2, 6)), draw(st.integers(2, 6)), draw(st.integers(1, 3)))
        layers = draw(st.lists(image_layers(), min_size=1, max_size=4))
        layers.append(draw(st.sampled_from([nn.Flatten(), nn.GlobalAveragePool2D()])))
        layers += draw(st.lists(flat_layers(), max_size=1))
    loss, last, reserve = draw(st.sampled_from(ENDS))
    layers.append(nn.Dense(draw(st.integers(2, 4)), last, bias=draw(st.booleans()), reserve=reserve))
    network = nn.Network(layers, shape, loss)
    choice = {name: draw(masks()) for name in network.arrays if name.endswith((".weights", ".scale"))}
    return randomised(masked(network, choice), draw(st.integers(0, 99)))


def masks():
    """Draw what learns of one layer; fractions choose single channels."""
    return st.sampled_from([True, True, True, False, "bias", 0.3, 0.8])


def masked(network, choice):
    """Return the network with a mask for each layer."""

    def channels(name, fraction):
        count = network.arrays[name].shape[-1]
        if "depthwise" in name:
            count *= network.arrays[name].shape[-2]
        rng = np.random.default_rng(count)
        return tuple(int(i) for i in np.flatnonzero(rng.random(count) < fraction))

    def change(layer):
        if isinstance(layer, nn.Residual):
            branch, shortcut = map(change, layer.layers), map(change, layer.shortcut)
            return nn.Residual(*branch, shortcut=shortcut, name=layer.name)
        part = "scale" if isinstance(layer, nn.GroupNorm) else "weights"
        name = f"{layer.name}.{part}"
        if name not in choice:
            return layer
        mask = choice[name]
        if isinstance(mask, float):
            mask = channels(name, mask)
        if mask == "bias" and not getattr(layer, "bias", True):
            mask = False
        return replace(layer, trainable=mask)

    return nn.Network([change(layer) for layer in network.layers], network.input_shape, network.loss)


def flat_layers():
    """Draw a layer from (n,) to (m,)."""
    dense = st.builds(
        nn.Dense, st.integers(1, 6), st.sampled_from([*ACTIVATIONS, "softmax"]), bias=st.booleans()
    )
    branch = st.lists(
        st.sampled_from([nn.Tanh(), nn.LeakyReLU(0.3), nn.GroupNorm(), nn.Softmax()]), min_size=1
    )
    residual = branch.map(lambda layers: nn.Residual(*layers[:3]))
    other = st.sampled_from(
        [nn.Standardize(0.3, 0.1), nn.Standardize(0, 0.1), nn.GroupNorm(), nn.ReLU(), nn.Sigmoid()]
    )
    return st.one_of(dense, dense, residual, other)


def image_layers():
    """Draw a layer from an image to an image of at least 1 x 1."""
    size = st.one_of(st.integers(1, 3), st.tuples(st.integers(1, 3), st.integers(1, 3)))
    function = st.sampled_from(ACTIVATIONS)
    same, bias = st.just("same"), st.booleans()
    conv = st.builds(nn.Conv2D, st.integers(1, 4), size, size, same, function, bias=bias)
    depthwise = st.builds(nn.DepthwiseConv2D, size, size, same, st.integers(1, 2), function, bias=bias)
    pool = st.one_of(st.builds(nn.MaxPool2D, size, size, same), st.builds(nn.AveragePool2D, size, size, same))
    other = st.sampled_from([nn.GroupNorm(), nn.Standardize(0.3, 0.1), nn.Standardize(0, 0.1), nn.ReLU6()])
    kernel = st.integers(1, 3)
    keeping = st.one_of(
        st.builds(nn.DepthwiseConv2D, kernel, activation=function),
        other,
        st.builds(nn.MaxPool2D, kernel, st.just(1), same),
    )
    plain = st.lists(keeping, min_size=1, max_size=3).map(lambda layers: nn.Residual(*layers))
    projected = st.builds(
        lambda filters, kernel, stride, end: nn.Residual(
            nn.Conv2D(filters, kernel, stride), end, shortcut=[nn.Conv2D(filters, 1, stride)]
        ),
        st.integers(1, 3), kernel, st.integers(1, 2), other,
    )  # fmt: skip
    return st.one_of(conv, depthwise, pool, other, plain, projected)
