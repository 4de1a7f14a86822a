"""Networks from the ``.keras`` files of Keras 3, without Keras."""

from __future__ import annotations

import os
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.nn.importers.archive import Archive, described
from shoal.nn.importers.build import build, read, with_loss
from shoal.nn.importers.call import Call
from shoal.nn.importers.draft import Draft
from shoal.nn.importers.errors import ModelError, located, unsupported
from shoal.nn.importers.keras.layers import LAYERS
from shoal.nn.importers.keras.reader import Weights
from shoal.nn.importers.value import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.nn.autodiff import Loss
    from shoal.nn.importers.call import Argument, Key
    from shoal.nn.network import Network

__all__ = ["decode", "load"]

MODELS = ("Functional", "Sequential")
DEEPEST = 8
MOST_LAYERS = 1024
WEIGHTED = re.compile(r"Dense|.*Conv\dD|.*Normalization")
# What a layer's configuration says of drawing, training or shapes, which the arrays show.
IRRELEVANT = re.compile(
    r".*_(initializer|regularizer|constraint)|name|trainable|dtype|rate|seed|stddev|l1|l2|noise_shape|"
    r"momentum|renorm_momentum|use_bias|data_format"
)


def load(path: str | os.PathLike[str], loss: Loss | None = None) -> Network:
    """Read a network from a ``.keras`` file.

    Nothing in the file is run: Lambda layers and classes of your own are refused.

    Parameters
    ----------
    path
        Of the file, as Keras 3 writes it.
    loss
        To learn with: "mse", "bce" or "cross_entropy"; None for a network that only answers.

    Returns
    -------
    Network
        For samples without the batch, the channels last, as in Keras. Layers keep their names.

    Raises
    ------
    MissingExtraError
        Where the package h5py is not installed.
    StorageError
        Where the file cannot be read.
    ModelError
        Where it is damaged or computes what no layer does; the error names the layer.
    ConfigError
        Where the loss does not fit the last layer.
    """
    return decode(read(path), os.fspath(path), loss)


def decode(content: bytes, where: str, loss: Loss | None = None) -> Network:
    """Return the network in the bytes of a ``.keras`` file."""
    with located(where), np.errstate(all="ignore"):
        archive = Archive(content)
        version = described(archive.json("metadata.json"), "keras_version")
        if not isinstance(version, str) or not version.startswith("3."):
            raise ModelError(
                f"saved by Keras {version}, version 3 is needed", hint="load and save it with Keras 3"
            )
        model, weights = archive.json("config.json"), Weights(archive.read("model.weights.h5"))
        draft = Draft()
        answer = Model(draft, weights, where).answer(model, (), None, 0)
        network = build(draft, answer, where)
    return with_loss(network, loss)


class Model:
    """The layers of a file while they become those of a network."""

    def __init__(self, draft: Draft, weights: Weights, where: str) -> None:
        self.draft, self.weights, self.where = draft, weights, where
        self.count = 0

    def answer(self, model: object, path: tuple[str, ...], x: Value | None, depth: int) -> Value:
        """Return what a model, or one inside another, makes of its input; None: of the sample.

        Parameters
        ----------
        path
            Groups of its weights.
        """
        kind, config = described(model, "class_name"), described(model, "config")
        if kind not in MODELS or depth > DEEPEST:
            raise unsupported(str(kind), MODELS)
        layers = described(config, "layers")
        if not isinstance(layers, list):
            raise ModelError("the model has no layers")
        groups = places(layers, path)
        if kind == "Sequential":
            if x is None and described(layers, 0, "class_name") != "InputLayer":
                x = self.sample(described(config, "build_input_shape"))
            for layer, group in zip(layers, groups, strict=True):
                x = self.apply(layer, group, x, [] if x is None else [x], depth)
            if x is None:
                raise ModelError("the model has no layers")
            return x
        values: dict[str, Value] = {}
        first, last = named(described(config, "input_layers")), named(described(config, "output_layers"))
        for layer, group in zip(layers, groups, strict=True):
            name = described(layer, "name")
            nodes = described(layer, "inbound_nodes")
            if not isinstance(name, str) or not isinstance(nodes, list) or name in values:
                raise ModelError(f"a layer {name!r} without its inputs, or twice")
            if (name == first) != (described(layer, "class_name") == "InputLayer"):
                raise ModelError(f"{name!r} is one more input", hint="a model with one input")
            if len(nodes) != (name != first):
                raise ModelError(f"layer {name!r} is used {len(nodes)} times", hint="a layer for each use")
            inputs = [values.get(tensor) for tensor in tensors(nodes)]
            if None in inputs:
                raise ModelError(f"layer {name!r} takes what comes after it")
            given = [value for value in inputs if value is not None]
            values[name] = self.apply(layer, group, x if name == first else None, given, depth)
        if last not in values:
            raise ModelError(f"no layer gives the output {last!r}", hint="a model with one output")
        return values[last]

    def sample(self, shape: object) -> Value:
        """Return the input."""
        sizes = shape[1:] if isinstance(shape, list) else [None]
        if not all(type(size) is int and size > 0 for size in sizes) or len(sizes) > 8:
            raise ModelError(f"the shape of the input is {shape}", hint="an Input with a fixed shape")
        return self.draft.sample((1, *sizes), channels_last=True)

    def apply(
        self, layer: object, group: tuple[str, ...], x: Value | None, inputs: Sequence[Value], depth: int
    ) -> Value:
        """Return what a layer makes of its inputs; the input layer gives x, or else the sample."""
        kind, config = described(layer, "class_name"), described(layer, "config")
        name = described(config, "name")
        self.count += 1
        sound = isinstance(kind, str) and isinstance(config, dict) and isinstance(name, str)
        if not sound or self.count > MOST_LAYERS:
            raise ModelError("a layer without configuration, or too many of them")
        self.draft.where, self.draft.name = f"{self.where}: layer {self.count} {name!r} ({kind})", name
        with located(self.draft.where):
            if kind == "InputLayer":
                return self.sample(config.get("batch_shape")) if x is None else x
            if kind in MODELS and len(inputs) == 1:
                return self.answer(layer, group, inputs[0], depth + 1)
            if kind not in LAYERS or described(layer, "registered_name") not in (None, kind):
                raise unsupported(str(kind), [*LAYERS, *MODELS])
            policy = described(config, "dtype", "config", "name") or config.get("dtype")
            if policy not in (None, "float32"):
                raise ModelError(f"a layer of type {policy!r}", hint="float32")
            arguments: dict[Key, Argument] = {**dict(enumerate(inputs)), **config}
            if WEIGHTED.fullmatch(kind):
                arrays = self.weights.arrays(group, name)
                arguments |= {f"array {number}": array for number, array in enumerate(arrays)}
            call = Call(kind, arguments)
            y = LAYERS[kind](self.draft, call)
            # What is switched off changes nothing, whatever it is.
            ignored = {
                key for key in call.unread if arguments[key] is False or IRRELEVANT.fullmatch(str(key))
            }
            call.unread -= ignored
            call.finish()
            return y


def places(layers: Sequence[Any], path: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Return the groups of the layers' weights: the class in small letters, numbered from the second on."""
    counts: Counter[str] = Counter()
    result = []
    for layer in layers:
        kind = str(described(layer, "class_name"))
        stem = re.sub(r"(?<=.)(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z])", "_", kind).lower()
        result.append((*path, "layers", f"{stem}_{counts[stem]}" if counts[stem] else stem))
        counts[stem] += 1
    return result


def named(tensor: object) -> str | None:
    """Return the layer that gives the one input or output of a model."""
    while isinstance(tensor, list) and len(tensor) == 1:
        tensor = tensor[0]
    if isinstance(tensor, list) and len(tensor) == 3 and isinstance(tensor[0], str) and tensor[2] == 0:
        return tensor[0]
    return None


def tensors(nodes: Sequence[Any]) -> list[str]:
    """Return the layers whose outputs a layer takes, in order."""
    found: list[str] = []
    for node in nodes:
        arguments, options = described(node, "args"), described(node, "kwargs")
        if not isinstance(arguments, list) or not isinstance(options, dict):
            raise ModelError("the inputs of a layer are not as Keras 3 writes them")
        if any(value not in (None, False) for value in options.values()):
            raise ModelError(f"a layer called with {', '.join(map(str, options))}", hint="inputs alone")
        flat = [part for given in arguments for part in (given if isinstance(given, list) else [given])]
        for part in flat:
            name, number = (
                described(part, "config", "keras_history", 0),
                described(part, "config", "keras_history", 2),
            )
            if not isinstance(name, str) or number != 0:
                raise ModelError("a layer called with a constant", hint="inputs alone")
            found.append(name)
    return found
