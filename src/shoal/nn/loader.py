"""Reads a network from a file."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from shoal.errors import ConfigError, InputError, StateError
from shoal.nn.network import VERSION, Network
from shoal.nn.spec import layers_from_json, quantization_from_json
from shoal.nn.storage import decode, read

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["load"]

TYPES: dict[str, tuple[type, ...]] = {
    "layers": (list,),
    "input_shape": (list,),
    "loss": (str, type(None)),
    "seed": (int,),
    "input_quantization": (dict, type(None)),
}


def load(path: str | os.PathLike[str]) -> Network:
    """Read a network that :meth:`Network.save` wrote.

    Parameters
    ----------
    path
        Of the file.

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
    """
    where = os.fspath(path)
    arrays, metadata = decode(read(path), where)
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
