"""Makes the network of a draft."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from shoal.errors import ConfigError, InputError, StorageError
from shoal.nn.autodiff import check_loss
from shoal.nn.importers.errors import ModelError
from shoal.nn.importers.fold import folded
from shoal.nn.importers.sequence import Fork, sequence_of
from shoal.nn.layers.reshape import Flatten, Reshape
from shoal.nn.layers.residual import Residual
from shoal.nn.network import Network
from shoal.nn.trace import leaves, named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from numpy.typing import NDArray

    from shoal.nn.autodiff import Loss
    from shoal.nn.importers.draft import Draft, Step
    from shoal.nn.importers.sequence import Item
    from shoal.nn.importers.value import Value
    from shoal.nn.layers.base import Layer
    from shoal.nn.shapes import Shape

__all__ = ["build", "first_that_fits", "read", "with_loss"]

LARGEST_FILE = 1 << 29


def read(path: str | os.PathLike[str]) -> bytes:
    """Return the content of a model's file.

    Raises
    ------
    StorageError
        Where it cannot be read.
    ModelError
        Where it is larger than a model for microcontrollers can be.
    """
    try:
        with Path(path).open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise StorageError(f"cannot read: {error.strerror}", where=os.fspath(path)) from error
    if len(content) > LARGEST_FILE:
        raise ModelError(f"a file of more than {LARGEST_FILE:,} bytes", where=os.fspath(path))
    return content


def first_that_fits(make: Callable[[bool], Network], channels_last: bool | None) -> Network:
    """Return what is made with this order of an image's axes; None: channels first, or else last.

    Raises
    ------
    ModelError
        Of the first try, where both fail.
    """
    if channels_last is not None:
        return make(channels_last)
    try:
        return make(False)
    except ModelError as first:
        try:
            return make(True)
        except ModelError:
            raise first from None


def build(draft: Draft, output: Value, where: str) -> Network:
    """Return the network whose answer is this value.

    Parameters
    ----------
    draft
        All steps.
    output
        In the file's order, or an image that the file has channels first.
    where
        The file, for errors.

    Raises
    ------
    ModelError
        Where the steps are no sequence of layers.
    """
    if not is_answer(output):
        raise ModelError(
            f"the answer {output.view.shape} lies in memory in another order", where=f"{where}: the output"
        )
    shape = draft.steps[0].gives
    items = folded(sequence_of(draft.steps, output.number))
    given: list[Mapping[str, NDArray[Any]]] = []
    layers, gives = layers_of(items, shape, given, set())
    if len(output.view.shape) <= 2 and len(gives) == 3:
        layers.append(Flatten())
    layers = list(named(layers))
    weighted = (layer for layer in leaves(layers) if not isinstance(layer, Flatten | Reshape))
    arrays = {
        f"{layer.name}.{part}": np.asarray(array, np.float32)
        for layer, parts in zip(weighted, given, strict=True)
        for part, array in parts.items()
    }
    try:
        return Network.from_arrays(layers, shape, None, 0, arrays)
    except (ConfigError, InputError) as error:
        raise ModelError(error.what, where=f"{where}: {error.where}", hint=error.hint) from None


def with_loss(network: Network, loss: Loss | None) -> Network:
    """Return the network with a loss to learn with, None for none.

    Raises
    ------
    ConfigError
        Where the loss does not fit the last layer.
    """
    check_loss(network.trace.graph, loss)
    network.loss = loss
    return network


def is_answer(output: Value) -> bool:
    """Tell whether a value is in the file's order, or an image whose channels alone are elsewhere."""
    view = output.view
    last = len(view.axes) - 1
    image = last in {2, 3} and view.shape[0] == 1
    moved = view.transposed([0, *range(2, last + 1), 1]) if image else view
    return view.is_plain or moved.is_plain


def layers_of(
    items: Iterable[Item], shape: Shape, given: list[Mapping[str, NDArray[Any]]], names: set[str]
) -> tuple[list[Layer], Shape]:
    """Return the layers from a value of this shape on, and the shape that they give.

    Parameters
    ----------
    given
        Receives the arrays of each layer that is no other shape of the same values, in order.
    names
        Taken already.
    """
    layers: list[Layer] = []
    for item in items:
        if isinstance(item, Fork):
            layers.append(residual(item, shape, given, names))
            shape = item.step.gives
            continue
        if shape != item.takes:
            layers.append(reshaping(item.takes))
        shape = item.gives
        layers.append(with_name(item, names))
        given.append(item.arrays)
    return layers, shape


def residual(fork: Fork, shape: Shape, given: list[Mapping[str, NDArray[Any]]], names: set[str]) -> Residual:
    """Return the sum of two ways, which give the same shape."""
    branch, branch_shape = layers_of(fork.branch, shape, given, names)
    shortcut, shortcut_shape = layers_of(fork.shortcut, shape, given, names)
    for way, gives in ((branch, branch_shape), (shortcut, shortcut_shape)):
        if gives != fork.step.gives:
            way.append(reshaping(fork.step.gives))
    return Residual(*branch, shortcut=shortcut)


def reshaping(shape: Shape) -> Layer:
    """Return the layer that gives the same values this shape."""
    return Flatten() if len(shape) == 1 else Reshape(shape)


def with_name(step: Step, names: set[str]) -> Layer:
    """Return the layer with the name that the file gives it, where that can be a layer's and is not taken."""
    layer = cast("Layer", step.layer)
    name = re.sub(r"[^A-Za-z0-9_/-]+", "_", step.name or "").strip("/_-")[:100]
    if not name or name in names:
        return layer
    names.add(name)
    return replace(layer, name=name)
