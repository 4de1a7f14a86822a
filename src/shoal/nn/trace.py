"""Walks through the layers once: names, shapes, parameter arrays and forward operations of each."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from shoal.errors import ConfigError
from shoal.nn.graph import Graph, Ref
from shoal.nn.layers.base import Layer, Place
from shoal.nn.layers.dense import Dense
from shoal.nn.layers.fixed import refuse_int16
from shoal.nn.layers.integer import dequantize
from shoal.nn.layers.residual import Residual
from shoal.nn.shapes import LARGEST, as_hwc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from shoal.nn.layers.base import ArraySpec
    from shoal.nn.masks import Mask
    from shoal.nn.quantization import Quantization
    from shoal.nn.shapes import Shape

__all__ = ["Step", "Trace", "leaves", "map_layers", "named", "trace"]

LARGEST_NUMBER = 255


@dataclass(frozen=True, slots=True)
class Step:
    """One layer in its network, with its number in the image, which counts the inside of a Residual too."""

    number: int
    name: str
    layer: Layer
    input: Ref
    output: Ref
    arrays: dict[str, ArraySpec]
    mask: Mask | None

    @property
    def input_shape(self) -> Shape:
        """Shape of what the layer takes."""
        return self.input.shape

    @property
    def output_shape(self) -> Shape:
        """Shape of what the layer gives."""
        return self.output.shape


@dataclass(frozen=True, slots=True)
class Trace:
    """All steps in order of execution and the operations that they make."""

    steps: tuple[Step, ...]
    graph: Graph
    sample: Ref
    output: Ref
    active: int

    def arrays(self) -> list[tuple[str, ArraySpec]]:
        """Return the name and description of each parameter array, in order."""
        return [(f"{step.name}.{part}", spec) for step in self.steps for part, spec in step.arrays.items()]


def leaves(layers: Iterable[Layer]) -> Iterator[Layer]:
    """Yield every layer that is no Residual, in order of execution."""
    for layer in layers:
        if isinstance(layer, Residual):
            yield from leaves(layer.layers)
            yield from leaves(layer.shortcut)
        else:
            yield layer


def map_layers(layers: Iterable[Layer], change: Callable[[Layer], Layer]) -> tuple[Layer, ...]:
    """Return the layers changed one by one, those inside a Residual before itself."""
    result: list[Layer] = []
    for given in layers:
        layer = given
        if isinstance(layer, Residual):
            branch, shortcut = map_layers(layer.layers, change), map_layers(layer.shortcut, change)
            layer = layer.with_ways(branch, shortcut)
        result.append(change(layer))
    return tuple(result)


def named(layers: Iterable[Layer]) -> tuple[Layer, ...]:
    """Return the layers with a name each: given, or the kind and a number."""
    taken: set[str] = set()
    counts: Counter[str] = Counter()

    def check(layer: Layer) -> Layer:
        if not isinstance(layer, Layer):
            raise ConfigError(
                f"{layer!r} is not a layer", where="layers", hint="nn.Dense(32), nn.Conv2D(8), ..."
            )
        try:
            layer.check()
        except ConfigError as error:
            raise ConfigError(error.what, where=repr(layer), hint=error.hint) from None
        if layer.name is not None:
            if layer.name in taken:
                raise ConfigError(f"two layers are named {layer.name!r}", where="layers")
            taken.add(layer.name)
        return layer

    def give(layer: Layer) -> Layer:
        if layer.name is not None:
            return layer
        stem = layer.default_name()
        while True:
            counts[stem] += 1
            name = f"{stem}_{counts[stem]}"
            if name not in taken:
                break
        if isinstance(layer, Residual):
            return layer.with_ways(layer.layers, layer.shortcut, name=name)
        return replace(layer, name=name)

    return map_layers(map_layers(layers, check), give)


def trace(layers: Sequence[Layer], input_shape: Shape, quantization: Quantization | None = None) -> Trace:
    """Lower named layers to operations.

    Raises
    ------
    ConfigError
        With the layer, its number and its input, where a layer does not fit what comes before it.
    """
    graph = Graph()
    sample = graph.value(input_shape, quantization=quantization)
    steps: list[Step] = []

    def walk(layers: Sequence[Layer], x: Ref, way: str) -> Ref:
        for index, layer in enumerate(layers):
            try:
                x = enter(layer, x, f"{way}[{index}]")
            except ConfigError as error:
                if error.where is not None:
                    raise
                where = f"{way}[{index}] '{layer.name}', input {x.shape}"
                raise ConfigError(error.what, where=where, hint=error.hint) from None
        return x

    def enter(layer: Layer, x: Ref, where: str) -> Ref:
        place, before = Place(len(steps), str(layer.name)), len(graph.ops)
        if x.grows and not is_last_activation(layer):
            raise ConfigError(
                f"{type(layer).__name__} after a Dense with reserve; only the last layer may grow",
                hint="reserve=0, or only softmax or sigmoid after it",
            )
        if isinstance(layer, Residual):
            branch = walk(layer.layers, x, f"{where}.layers")
            shortcut = walk(layer.shortcut, x, f"{where}.shortcut")
            place = place._replace(number=len(steps))
            y = layer.join(graph, place, branch, shortcut)
            arrays: dict[str, ArraySpec] = {}
            mask = None
        else:
            if not layer.on_integers:
                x = dequantize(graph, x, place)
            y = layer.lower(graph, x, place)
            arrays, mask = layer.arrays(x.shape), layer.mask(x.shape)
        refuse_int16(graph.ops[before:], type(layer).__name__)
        steps.append(Step(*place, layer, x, y, arrays, mask))
        return y

    output = walk(layers, sample, "layers")
    if not graph.ops:
        raise ConfigError("the network computes nothing", where="layers", hint="nn.Dense(1) as a layer")
    if len(steps) > LARGEST_NUMBER + 1:
        raise ConfigError(f"the network has {len(steps)} layers, at most 256 are possible", where="layers")
    parameters = sum(math.prod(spec.shape) for step in steps for spec in step.arrays.values())
    if parameters > LARGEST:
        raise ConfigError(f"the network has {parameters:,} parameters, at most {LARGEST:,}", where="layers")
    active = as_hwc(output.shape)[2]
    if output.grows:
        active -= next(layer.reserve for layer in reversed(layers) if isinstance(layer, Dense))
    return Trace(tuple(steps), graph, sample, output, active)


def is_last_activation(layer: Layer) -> bool:
    """Tell whether a layer may follow an output that grows."""
    return layer.default_name() in {"softmax", "sigmoid"}
