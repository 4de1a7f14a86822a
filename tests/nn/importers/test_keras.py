"""Keras: what a .keras file answers, and what is refused; Keras itself, over PyTorch, is the reference."""

from __future__ import annotations

import json
import os
import random
import re
import sys
import warnings

import numpy as np
import pytest

from shoal.errors import ConfigError, MissingExtraError, StorageError
from shoal.nn.importers.errors import ModelError
from shoal.nn.importers.keras import decode, load
from shoal.runtime import Executor
from tests.nn.importers.archives import damaged, edited

pytest.importorskip("h5py", reason="pip install 'shoal[keras]'")
pytest.importorskip("torch", reason="pip install --group reference")
os.environ.setdefault("KERAS_BACKEND", "torch")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    keras = pytest.importorskip("keras", reason="pip install --group reference")

pytestmark = pytest.mark.filterwarnings("ignore")
layers = keras.layers
TOLERANCE = 1e-5


def block(x, filters, stride=1):
    """Return a residual block, with a projection where the shape changes."""
    y = layers.Conv2D(filters, 3, stride, padding="same", use_bias=False)(x)
    y = layers.ReLU()(layers.BatchNormalization()(y))
    y = layers.BatchNormalization()(layers.Conv2D(filters, 3, padding="same")(y))
    short = x if x.shape[-1] == filters and stride == 1 else layers.Conv2D(filters, 1, stride)(x)
    return layers.Activation("relu")(layers.Add()([y, short]))


def residual():
    x = given = layers.Input((9, 8, 3))
    x = layers.Rescaling(0.5, offset=-0.25)(x)
    x = layers.Conv2D(6, 3, 2)(layers.ZeroPadding2D(((0, 1), (1, 0)))(x))
    x = layers.GlobalAveragePooling2D()(block(block(x, 6), 8, 2))
    return keras.Model(given, layers.Dense(4, activation="softmax")(layers.Dropout(0.3)(x)))


def nested():
    inner = keras.Sequential([layers.Input((5, 6, 2)), layers.Conv2D(4, 3), layers.BatchNormalization()])
    x = given = layers.Input((5, 6, 2))
    x = layers.Flatten()(inner(layers.Conv2D(2, 3, padding="same")(x)))
    return keras.Model(given, keras.Sequential([layers.Input((48,)), layers.Dense(3, "leaky_relu")])(x))


def sequential(shape, *parts):
    return lambda: keras.Sequential([layers.Input(shape), *(part() for part in parts)])


def adapted():
    layer = layers.Normalization()
    layer.adapt(np.random.default_rng(0).normal(2, 3, (50, 6)))
    return layer


def built():
    model = keras.Sequential([layers.Dense(3, "tanh"), layers.Dense(4)])
    model.build((None, 5))
    return model


L = layers
MODELS = {
    "residual": residual,
    "nested": nested,
    "built": built,
    "mlp": sequential(
        (6,),
        adapted,
        lambda: L.Dense(8, "relu"),
        lambda: L.GroupNormalization(2),
        lambda: L.Dense(3, "sigmoid"),
    ),
    "convolutional": sequential(
        (13, 12, 3),
        lambda: L.Conv2D(6, 3, 2, padding="same", activation="relu6"),
        lambda: L.MaxPooling2D(2),
        lambda: L.DepthwiseConv2D(2, depth_multiplier=2),
        lambda: L.BatchNormalization(scale=False),
        lambda: L.LeakyReLU(0.2),
        lambda: L.SeparableConv2D(5, (1, 2), activation="tanh"),
        lambda: L.AveragePooling2D(2, 1, padding="same"),
        L.Flatten,
        lambda: L.Dense(4),
        L.Softmax,
    ),
    "row": sequential(
        (20, 3),
        lambda: L.Conv1D(6, 5, padding="causal", activation="relu"),
        lambda: L.MaxPooling1D(2),
        lambda: L.SeparableConv1D(8, 3, padding="same"),
        lambda: L.ReLU(negative_slope=0.1),
        lambda: L.ZeroPadding1D(1),
        lambda: L.DepthwiseConv1D(3),
        L.GlobalMaxPooling1D,
        lambda: L.Dense(3),
    ),
    "image": sequential(
        (60,),
        lambda: L.Reshape((5, 6, 2)),
        lambda: L.UpSampling2D(2),
        lambda: L.ZeroPadding2D(1),
        lambda: L.MaxPooling2D(3, 2),
        lambda: L.SpatialDropout2D(0.2),
        lambda: L.Dense(4, "sigmoid"),
    ),
}


def saved(make, path, seed=0):
    """Write a model with statistics as after training; return it."""
    keras.utils.set_random_seed(seed)
    draw = np.random.default_rng(seed)
    model = make()
    for weights in model.weights:
        if re.search("gamma|moving_variance$", weights.path):
            weights.assign(draw.uniform(0.5, 1.5, weights.shape))
        elif re.search("beta|bias|moving_mean$", weights.path):
            weights.assign(draw.normal(0, 0.3, weights.shape))
    model.save(path)
    return model


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keras")
    return {
        name: (saved(make, folder / f"{name}.keras"), folder / f"{name}.keras")
        for name, make in MODELS.items()
    }


@pytest.mark.parametrize("name", MODELS)
def test_a_model_becomes_a_network_with_the_same_answers(files, name):
    model, path = files[name]
    network = load(path)
    device = Executor(network.plan(None).image())
    draw = np.random.default_rng(1)
    for _ in range(3):
        x = draw.standard_normal(model.input_shape[1:]).astype(np.float32)
        expected = keras.ops.convert_to_numpy(model(x[np.newaxis])).reshape(-1)
        assert np.ptp(expected) > 0
        assert np.abs(device.predict(x) - expected).max() <= TOLERANCE * np.abs(expected).max()


def test_layers_keep_their_names_and_scales_go_into_weights(files):
    model, path = files["residual"]
    network = load(str(path), "cross_entropy")
    assert network.loss == "cross_entropy"
    convolution = next(layer.name for layer in model.layers if isinstance(layer, layers.Conv2D))
    assert convolution in network.summary()
    assert not any("batch_normalization" in name for name in network.arrays)


def test_a_file_is_read_without_keras(files, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] in {"keras", "torch"}]:
        monkeypatch.setitem(sys.modules, name, None)
    assert load(files["mlp"][1]).input_shape == (6,)


@pytest.mark.parametrize(
    ("parts", "what", "where"),
    [
        ([lambda: L.Lambda(lambda x: x)], "operator 'Lambda' is not supported", "layer 2 'lambda"),
        ([lambda: L.LSTM(3)], "operator 'LSTM' is not supported", "(LSTM)"),
        ([lambda: L.Conv1D(3, 3, dilation_rate=2)], "dilation", "(Conv1D)"),
        ([lambda: L.Conv1D(4, 3, groups=2)], "groups = 2", "(Conv1D)"),
        ([lambda: L.Activation("gelu")], "activation 'gelu'", "(Activation)"),
        ([lambda: L.ReLU(max_value=1.0)], "max_value 1", "(ReLU)"),
        ([lambda: L.Softmax(axis=1)], "softmax over 8 values", "(Softmax)"),
        ([lambda: L.BatchNormalization(axis=1)], "another axis", "(BatchNormalization)"),
        ([lambda: L.Dense(3, dtype="float16")], "type 'float16'", "(Dense)"),
    ],
)
def test_a_model_that_cannot_be_imported_says_what_and_where(tmp_path, parts, what, where):
    saved(sequential((8, 4), *parts), tmp_path / "m.keras")
    with pytest.raises(ModelError, match=re.escape(what)) as caught:
        load(tmp_path / "m.keras")
    assert where in caught.value.where
    assert str(tmp_path / "m.keras") in caught.value.where


def test_a_layer_that_is_used_twice_is_refused(tmp_path):
    def shared():
        given, layer = layers.Input((4,)), layers.Dense(4)
        return keras.Model(given, layer(layer(given)))

    saved(shared, tmp_path / "m.keras")
    with pytest.raises(ModelError, match="is used 2 times"):
        load(tmp_path / "m.keras")


def test_several_inputs_are_refused(tmp_path):
    def two():
        a, b = layers.Input((4,)), layers.Input((4,))
        return keras.Model([a, b], layers.Add()([a, b]))

    saved(two, tmp_path / "m.keras")
    with pytest.raises(ModelError, match="one more input"):
        load(tmp_path / "m.keras")


def with_json(name, change):
    """Return a function that exchanges JSON in a file."""

    def with_change(part):
        value = json.loads(part)
        change(value)
        return json.dumps(value).encode()

    return lambda content: edited(content, {name: with_change})


def with_last(**entries):
    """Return a function that exchanges what a file says of the last layer."""
    return with_json("config.json", lambda value: value["config"]["layers"][-1]["config"].update(entries))


def with_part(name, change):
    """Return a function that exchanges a part of a file."""
    return lambda content: edited(content, {name: change})


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda content: content[:-30], "not a zip archive"),
        (with_part("config.json", None), "no file 'config.json'"),
        (with_part("config.json", lambda _: b"{"), "is not JSON"),
        (with_part("model.weights.h5", lambda part: part[:-500]), "HDF5|damaged"),
        (with_part("model.weights.h5", lambda _: b"x"), "no HDF5 file"),
        (
            with_json("metadata.json", lambda value: value.update(keras_version="2.15.0")),
            "saved by Keras 2.15.0",
        ),
        (with_last(units=7), "units = 7"),
        (with_last(name="other"), "the weights of 'other' are those of"),
        (with_last(lora_rank=4), "argument 'lora_rank'"),
    ],
)
def test_a_damaged_file_is_refused_with_the_reason(files, change, what):
    with pytest.raises(ModelError, match=what):
        decode(change(files["mlp"][1].read_bytes()), "m.keras")


def test_weights_lie_nowhere_else(files, tmp_path):
    h5py = pytest.importorskip("h5py")
    content = files["mlp"][1].read_bytes()

    def linked(part):
        path = tmp_path / "weights.h5"
        path.write_bytes(part)
        with h5py.File(path, "r+") as file:
            group = file["layers/dense/vars"]
            del group["0"]
            group["0"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/secret")
        return path.read_bytes()

    with pytest.raises(ModelError, match="lies in another file"):
        decode(edited(content, {"model.weights.h5": linked}), "m.keras")


def test_a_loss_has_to_fit_and_a_file_to_be_there(files, tmp_path):
    with pytest.raises(ConfigError, match="cross_entropy"):
        load(files["mlp"][1], "cross_entropy")
    with pytest.raises(StorageError, match="cannot read"):
        load(tmp_path / "nothing.keras")


def test_without_the_package_the_error_says_what_to_install(files, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingExtraError) as caught:
        load(files["mlp"][1])
    assert caught.value.hint == "pip install 'shoal[keras]'"


def test_whatever_the_description_there_is_a_network_or_an_error(files):
    draw = random.Random(0)
    networks, places = [], []
    for name in ("convolutional", "residual", "nested"):
        content = files[name][1].read_bytes()
        for _ in range(60):
            try:
                networks.append(decode(damaged(content, draw, ["config.json", "metadata.json"]), "m.keras"))
            except ModelError as error:
                places.append(error.where)
    assert len(networks) > 10
    assert all(place.startswith("m.keras") for place in places)
