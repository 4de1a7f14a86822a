"""Makes a network of a TensorFlow Lite file."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from shoal.errors import ConfigError, InputError
from shoal.nn.autodiff import check_loss
from shoal.nn.importers.build import read as read_file
from shoal.nn.importers.build import reshaping
from shoal.nn.importers.draft import Step
from shoal.nn.importers.errors import ModelError, located, unsupported
from shoal.nn.importers.sequence import Fork, sequence_of
from shoal.nn.importers.tflite.arguments import fused, values
from shoal.nn.importers.tflite.operators import MAKERS
from shoal.nn.importers.tflite.reader import read
from shoal.nn.importers.tflite.tensors import quantization, sample_shape
from shoal.nn.layers import Layer, Residual
from shoal.nn.network import Network

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from shoal.nn.autodiff import Loss
    from shoal.nn.importers.sequence import Item
    from shoal.nn.importers.tflite.reader import Model, Operator
    from shoal.nn.shapes import Shape

__all__ = ["decode", "load"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Part(Step):
    """A step of an operator; some operators are two layers."""

    operator: Operator


def load(path: str | os.PathLike[str], loss: Loss | None = None) -> Network:
    """Read a TensorFlow Lite model as a network.

    Parameters
    ----------
    path
        Of the ``.tflite`` file.
    loss
        As for the network itself; None: it only answers.

    Returns
    -------
    Network
        Of the file's operators in order; it takes one sample, without the batch. A layer is named for its
        kind and the number of its operator. A float32 model learns as one built by hand; weights that are
        integers in it become the real numbers that they stand for. Layers on int8 or uint8 compute what
        TensorFlow Lite's reference kernels do, bit for bit, and are frozen; :meth:`Network.train_last` makes
        the end of such a network learn in float32.

    Raises
    ------
    StorageError
        Where the file cannot be read.
    ModelError
        Where it is damaged, or has an operator that no layer computes: nothing is imported by halves.
    ConfigError
        Where the loss does not fit the last layer.

    References
    ----------
    The schema of the file, version 3: tensorflow/compiler/mlir/lite/schema/schema.fbs.
    """
    return decode(read_file(path), os.fspath(path), loss)


def decode(content: bytes, where: str, loss: Loss | None = None) -> Network:
    """Return the network in the bytes of a file.

    Parameters
    ----------
    content
        Of the file.
    where
        Its name, for the error.
    loss
        As for :func:`load`.

    Raises
    ------
    ModelError
        As :func:`load`.
    ConfigError
        Where the loss does not fit the last layer.
    """
    with located(where):
        model = read(content)
        steps, last = steps_of(model, where)
        items = sequence_of(steps, last)
        used = {part.operator.index for part in parts_of(items)}
        for step in steps:
            if isinstance(step, Part) and step.operator.index not in used:
                raise ModelError("nothing uses its output", where=step.where)
        layers = layers_of(items, steps[0].gives, sample_shape(model.output))
        arrays = {
            f"{name_of(part)}.{name}": array
            for part in parts_of(items)
            for name, array in part.arrays.items()
        }
        try:
            q = quantization(model.input)
            network = Network.from_arrays(layers, steps[0].gives, None, 0, arrays, q)
        except (ConfigError, InputError) as error:
            place = where if error.where is None else f"{where}: {error.where}"
            raise ModelError(error.what, where=place, hint=error.hint) from None
        compare(network, parts_of(items))
    check_loss(network.trace.graph, loss)
    network.loss = loss
    return network


def steps_of(model: Model, where: str) -> tuple[list[Step], int]:
    """Return the steps of a model, the sample first, and the number of the last one."""
    for operator in model.operators:
        if operator.name not in MAKERS:
            with located(place_of(operator, where)):
                raise unsupported(operator.name, MAKERS)
    shape = sample_shape(model.input)
    steps = [Step(None, shape, shape, (), where)]
    held = {model.input.number: 0}
    for operator in model.operators:
        place = place_of(operator, where)
        with located(place):
            read, result = values(operator), operator.outputs[0]
            if any(tensor.number not in held for tensor in read) or result.number in held:
                raise ModelError("reads a value before it is computed, or computes one twice")
            sources = tuple(held[tensor.number] for tensor in read)
            made = MAKERS[operator.name](operator, *read, result)
            shape, arrays = made.takes, made.arrays
            for layer in made.layers:
                steps.append(Part(layer, shape, made.gives, sources, place, arrays=arrays, operator=operator))
                shape, arrays, sources = made.gives, {}, (len(steps) - 1,)
            held[result.number] = sources[0]
    if model.output.number not in held:
        raise ModelError("no operator computes the output")
    return steps, held[model.output.number]


def place_of(operator: Operator, where: str) -> str:
    """Return the place of an operator for an error."""
    return f"{where}: operator {operator.index} ({operator.name})"


def parts_of(items: Iterable[Item]) -> Iterator[Part]:
    """Yield every part in order, a sum after its ways."""
    for item in items:
        if isinstance(item, Fork):
            yield from parts_of([*item.branch, *item.shortcut])
        step = item.step if isinstance(item, Fork) else item
        assert isinstance(step, Part)  # noqa: S101 - all steps but the sample are
        yield step


def layers_of(items: Iterable[Item], shape: Shape, result: Shape) -> list[Layer]:
    """Return the layers from a value of one shape to another."""
    layers: list[Layer] = []
    for item in items:
        step = item.step if isinstance(item, Fork) else item
        if isinstance(item, Fork):
            layers.append(residual(item, shape))
        else:
            layers += [] if step.takes == shape else [reshaping(step.takes)]
            assert isinstance(step.layer, Layer)  # noqa: S101 - as made
            layers.append(replace(step.layer, name=name_of(step)))
        shape = step.gives
    return layers if shape == result else [*layers, reshaping(result)]


def residual(fork: Fork, shape: Shape) -> Residual:
    """Return the sum of two ways from a value of this shape."""
    branch, shortcut = (layers_of(way, shape, fork.step.gives) for way in (fork.branch, fork.shortcut))
    (part,) = parts_of([replace(fork, branch=[], shortcut=[])])
    with located(part.where):
        if not branch:
            raise ModelError("adds a value to itself")
        q, activation = quantization(part.operator.outputs[0]), fused(part.operator)
        return Residual(*branch, shortcut=shortcut, quantized=q, activation=activation, name=name_of(part))


def name_of(step: Step) -> str:
    """Return the name of the layer that a step becomes."""
    assert isinstance(step, Part)  # noqa: S101 - all steps but the sample are
    stem = step.layer.default_name() if isinstance(step.layer, Layer) else Residual.kind
    return f"{stem}_{step.operator.index}"


def compare(network: Network, parts: Iterable[Part]) -> None:
    """Refuse a network with other values than the file declares."""
    results = {step.name: step.output for step in network.trace.steps}
    for part in parts:
        found, wanted = results[name_of(part)], quantization(part.operator.outputs[0])
        if (found.shape, found.quantization) != (part.gives, wanted):
            raise ModelError(
                f"gives {found.shape} {found.quantization or ''} instead of {part.gives} {wanted or ''}",
                where=part.where,
            )
