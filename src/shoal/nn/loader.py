"""Reads a network from a file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import ConfigError, InputError, StateError
from shoal.nn.layers.quantize import Dequantize
from shoal.nn.network import VERSION, Network
from shoal.nn.spec import layers_from_json, quantization_from_json
from shoal.nn.storage import decode, read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shoal.nn.autodiff import Loss

__all__ = ["load"]

TYPES: dict[str, tuple[type, ...]] = {
    "layers": (list,),
    "input_shape": (list,),
    "loss": (str, type(None)),
    "seed": (int,),
    "input_quantization": (dict, type(None)),
}


def load(path: str | os.PathLike[str], loss: Loss | None = None) -> Network:
    """Read a network from a file: saved here, or made by TensorFlow Lite, ONNX, Keras or PyTorch.

    Parameters
    ----------
    path
        Of the file: what :meth:`Network.save` wrote, ``.tflite``, ``.onnx``, ``.keras`` or ``.pt2``.
    loss
        To learn with; None: the one saved, or for another's file the one that the last layer asks for,
        "cross_entropy" after a softmax, "bce" after a sigmoid, else "mse".

    Returns
    -------
    Network
        Equal in every bit to the one saved.

    Raises
    ------
    StorageError
        Where the file cannot be read.
    StateError
        Where it is damaged, or not a network.
    ModelError
        Where another's file is damaged, or has an operator that no layer computes.
    ConfigError
        Where the loss does not fit the last layer.
    """
    content = read(path)
    network = imported(path, content)
    if network is None:
        network = saved(content, os.fspath(path))
    elif loss is None:
        loss = natural_loss(network)
    return network if loss is None else network.with_loss(loss)


def imported(path: str | os.PathLike[str], content: bytes) -> Network | None:
    """Return the network of a file that another framework wrote, None where none did."""
    suffix = Path(path).suffix.lower()
    if content[4:8] == b"TFL3" or suffix == ".tflite":
        from shoal.nn.importers import tflite

        return tflite.load(path)
    if suffix == ".onnx":
        from shoal.nn.importers import onnx

        return onnx.load(path)
    if suffix == ".keras":
        from shoal.nn.importers import keras

        return keras.load(path)
    if suffix == ".pt2":
        from shoal.nn.importers import torch

        return torch.load(path)
    return None


def natural_loss(network: Network) -> Loss:
    """Return the loss that the last layer asks for."""
    last = next(layer for layer in reversed(network.layers) if not isinstance(layer, Dequantize))
    function = getattr(last, "function", getattr(last, "activation", None))
    if function == "softmax":
        return "cross_entropy"
    return "bce" if function == "sigmoid" else "mse"


def saved(content: bytes, where: str) -> Network:
    """Return the network that :meth:`Network.save` wrote."""
    arrays, metadata = decode(content, where)
    description = described(metadata, where)
    layers = layers_from_json(description["layers"], where)
    try:
        quantization = quantization_from_json(description["input_quantization"])
        return Network.from_arrays(
            layers, description["input_shape"], description["loss"], description["seed"], arrays, quantization
        )
    except ValueError as error:
        raise StateError(f"input_quantization is {error}", where=where) from None
    except (ConfigError, InputError) as error:
        raise StateError(error.what, where=f"{where}: {error.where}", hint=error.hint) from None


def described(metadata: Mapping[str, str], where: str) -> dict[str, Any]:
    """Return what the file says of the network: the right keys and types, values still to be checked."""
    try:
        description = json.loads(metadata["shoal"])
    except KeyError:
        raise StateError("no network of shoal in the file", where=where) from None
    except (ValueError, RecursionError):
        raise StateError("the description of the network is not JSON", where=where) from None
    if not isinstance(description, dict) or description.get("version") != VERSION:
        raise StateError(f"not version {VERSION} of the format", where=where, hint="a newer version of shoal")
    if set(description) != {"version", *TYPES}:
        raise StateError("the description of the network has other keys", where=where)
    for key, kinds in TYPES.items():
        if type(description[key]) not in kinds:
            raise StateError(f"{key} has the value {description[key]!r}", where=where)
    return description
