"""The network: layers, their parameters, and what of them learns."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import ConfigError, InputError
from shoal.nn.arrays import Arrays, checked, checked_as
from shoal.nn.autodiff import check_loss, learning_ops
from shoal.nn.initializers import draw
from shoal.nn.layers.base import Layer, TrainableLayer
from shoal.nn.layers.dense import Dense
from shoal.nn.layers.fixed import as_weights, check_weights
from shoal.nn.plan import SLOTS, flat, make_plan
from shoal.nn.quantization import is_fixed
from shoal.nn.shapes import as_shape
from shoal.nn.spec import layers_to_json, value_to_json
from shoal.nn.storage import encode, write
from shoal.nn.summary import summary
from shoal.nn.thaw import dequantized_from, with_float_answer
from shoal.nn.trace import leaves, map_layers, named, trace

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping

    from numpy.typing import ArrayLike, NDArray

    from shoal.nn.autodiff import Loss
    from shoal.nn.layers.base import ArraySpec
    from shoal.nn.masks import Mask, Trainable
    from shoal.nn.plan import Optimizer, Plan
    from shoal.nn.quantization import Quantization
    from shoal.nn.shapes import Shape

__all__ = ["VERSION", "Network"]

VERSION = 2


class Network:
    """Layers one after the other, with float32 parameters drawn from a seed.

    Parameters
    ----------
    layers
        In order.
    input_shape
        (n,) or (height, width, channels) of one sample.
    loss
        "mse"; "bce", which needs a sigmoid last; "cross_entropy", which needs a softmax last and takes class
        numbers; None for a network that only answers.
    seed
        Of the first weights: equal seeds give equal bits.
    input_quantization
        Where samples arrive as int8, uint8 or int16; None: as float32.

    Attributes
    ----------
    layers : tuple of Layer
        As given, each with its name.
    input_shape, output_shape : tuple of int
        Of one sample and of its answer, outputs in reserve included.
    arrays : Arrays
        All parameters by name, in order; read, assign or edit in place.

    Raises
    ------
    ConfigError
        Where an argument is out of range, layers do not fit, or the loss does not fit the last layer.

    Examples
    --------
    >>> from shoal import nn
    >>> net = nn.Network([nn.Dense(32, "tanh"), nn.Dense(1)], input_shape=(4,), loss="mse", seed=0)
    >>> list(net.arrays)
    ['dense_1.weights', 'dense_1.bias', 'dense_2.weights', 'dense_2.bias']
    >>> net.train_last(1).trainable
    ('dense_2.weights', 'dense_2.bias')
    >>> net.parameters.shape
    (193,)
    """

    __slots__ = ("arrays", "input_quantization", "layers", "loss", "seed", "trace")

    def __init__(
        self,
        layers: Iterable[Layer],
        input_shape: Shape,
        loss: Loss | None = None,
        seed: int = 0,
        input_quantization: Quantization | None = None,
    ) -> None:
        self._set_up(layers, input_shape, loss, seed, input_quantization)
        rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(self.seed)))
        self.arrays = Arrays({name: drawn(rng, spec) for name, spec in self.trace.arrays()})

    @classmethod
    def from_arrays(
        cls,
        layers: Iterable[Layer],
        input_shape: Shape,
        loss: Loss | None,
        seed: int,
        arrays: Mapping[str, ArrayLike],
        input_quantization: Quantization | None = None,
    ) -> Network:
        """Return a network with these parameters instead of drawn ones.

        Parameters
        ----------
        layers, input_shape, loss, seed, input_quantization
            As for the network itself.
        arrays
            Every parameter array by name.

        Raises
        ------
        ConfigError
            As for the network itself.
        InputError
            Where an array is missing, one too many, of another shape, or not finite.
        """
        network = object.__new__(cls)
        network._set_up(layers, input_shape, loss, seed, input_quantization)
        specs = dict(network.trace.arrays())
        if specs.keys() != arrays.keys():
            name = min(specs.keys() ^ arrays.keys())
            problem = "missing" if name in specs else "not one of the layers'"
            raise InputError(f"array {name!r} is {problem}", where="arrays", hint=", ".join(specs) or None)
        network.arrays = Arrays(
            {
                name: checked_as(spec.dtype, arrays[name], spec.shape, name).copy()
                for name, spec in specs.items()
            }
        )
        return network

    def _set_up(
        self,
        layers: Iterable[Layer],
        input_shape: Shape,
        loss: Loss | None,
        seed: int,
        input_quantization: Quantization | None,
    ) -> None:
        """Check and store everything but the arrays."""
        if isinstance(seed, bool) or not hasattr(seed, "__index__") or seed < 0:
            raise ConfigError(f"seed must be an integer of at least 0, got {seed!r}", where="seed")
        if isinstance(layers, Layer):
            raise ConfigError("one layer instead of a list", where="layers", hint="[layer]")
        self.layers = named(layers)
        self.loss = loss
        self.seed = int(seed)
        self.input_quantization = input_quantization
        self.trace = trace(self.layers, checked_input_shape(input_shape), input_quantization)
        check_loss(self.trace.graph, loss)

    @property
    def input_shape(self) -> Shape:
        """Shape of one sample."""
        return self.trace.sample.shape

    @property
    def output_shape(self) -> Shape:
        """Shape of one answer, outputs in reserve included."""
        return self.trace.output.shape

    @property
    def output_quantization(self) -> Quantization | None:
        """How the answer is quantized; None: it is float32."""
        return self.trace.output.quantization

    @property
    def active(self) -> int:
        """Channels of the answer in use at first, the others are in reserve."""
        return self.trace.active

    @property
    def learns(self) -> bool:
        """Whether there is a loss to learn from and an answer in float32 or int16 that it takes."""
        q = self.output_quantization
        return self.loss is not None and (q is None or is_fixed(q))

    @property
    def masks(self) -> dict[int, Mask]:
        """What learns of each layer with parameters, by layer number."""
        return {step.number: step.mask for step in self.trace.steps if step.mask is not None}

    @property
    def trainable(self) -> tuple[str, ...]:
        """Names of the arrays that learn, in the order in which they lie in memory."""
        names: list[str] = []
        for step in self.trace.steps:
            if step.mask is not None:
                learns = (step.mask.weights, step.mask.bias)
                names += [
                    f"{step.name}.{part}" for part, yes in zip(step.arrays, learns, strict=False) if yes
                ]
        return tuple(names)

    @property
    def parameters(self) -> NDArray[np.float32]:
        """All float32 values that learn, in the order of the image; a copy, shape (parameters,)."""
        return flat([self.arrays[name] for name in self._float_trainable()])

    def with_parameters(self, vector: ArrayLike) -> Network:
        """Return a copy with other values of what learns.

        Parameters
        ----------
        vector
            In the order of :attr:`parameters`, shape (parameters,).

        Raises
        ------
        InputError
            Where the length differs or a value is not finite.

        Examples
        --------
        >>> from shoal import nn
        >>> net = nn.Network([nn.Dense(1)], input_shape=(2,))
        >>> net.with_parameters([1, 2, 3]).arrays["dense_1.weights"].ravel()
        array([1., 2.], dtype=float32)
        """
        names = self._float_trainable()
        total = sum(self.arrays[name].size for name in names)
        values = checked(vector, (total,), "parameters")
        copy = self.clone()
        start = 0
        for name in names:
            array = copy.arrays[name]
            array[...] = values[start : start + array.size].reshape(array.shape)
            start += array.size
        return copy

    @property
    def reserve(self) -> int:
        """Outputs in reserve for classes that are added later."""
        return self.output_shape[-1] - self.active

    def grow(self, classes: int = 1) -> Network:
        """Return a copy with more classes in use, taken from the reserve of the last Dense.

        Parameters
        ----------
        classes
            0 to the number in reserve.

        Raises
        ------
        ConfigError
            Where fewer are in reserve.
        """
        if not 0 <= classes <= self.reserve:
            raise ConfigError(f"{classes} more classes, {self.reserve} are in reserve", where="grow")
        layers = tuple(
            replace(layer, units=layer.units + classes, reserve=layer.reserve - classes)
            if isinstance(layer, Dense) and layer.reserve
            else layer
            for layer in self.layers
        )
        return self._with(layers, self.arrays)

    def clone(self) -> Network:
        """Return a copy with arrays of its own."""
        return self._with(self.layers, self.arrays)

    def with_loss(self, loss: Loss | None) -> Network:
        """Return a copy that learns from another loss.

        Raises
        ------
        ConfigError
            Where it does not fit the last layer.
        """
        check_loss(self.trace.graph, loss)
        copy = self.clone()
        copy.loss = loss
        return copy

    def with_head(
        self, layers: Iterable[Layer], loss: Loss, *, after: str | None = None, seed: int = 0
    ) -> Network:
        """Return a copy with a new end that learns, behind layers that do not.

        Parameters
        ----------
        layers
            Of the new end; their parameters are drawn from `seed`.
        loss
            As for the network itself.
        after
            Name of the last layer that is kept, none inside a Residual; None: all layers are kept.
        seed
            Of the first weights of the new end.

        Raises
        ------
        ConfigError
            Where there is no such layer, or the layers do not fit.

        References
        ----------
        Ren, Anicic, Runkler, TinyOL: TinyML with online-learning on microcontrollers (2021).

        Examples
        --------
        >>> from shoal import nn
        >>> net = nn.Network([nn.Dense(8, "relu"), nn.Dense(3, "softmax")], (4,), loss="cross_entropy")
        >>> head = [nn.Standardize(), nn.Dense(5, "softmax", reserve=2)]
        >>> net.with_head(head, "cross_entropy", after="dense_1").trainable
        ('dense_2.weights', 'dense_2.bias')
        """
        names = [str(layer.name) for layer in self.layers]
        if after is not None and after not in names:
            raise ConfigError(f"no layer {after!r}", where="with_head", hint=", ".join(names))
        kept = self.layers[: len(names) if after is None else names.index(after) + 1]
        body = map_layers(kept, frozen)
        network = Network((*body, *layers), self.input_shape, loss, seed, self.input_quantization)
        for name in network.arrays:
            if name in self.arrays and name.rpartition(".")[0] in {str(layer.name) for layer in leaves(kept)}:
                network.arrays[name] = self.arrays[name]
        return network

    def freeze(self, *names: str) -> Network:
        """Return a copy in which these layers do not learn; without names, none does.

        The name of a Residual stands for all layers inside.
        """
        return self._with_trainable(dict.fromkeys(self._parameter_layers(names), False))

    def train(self, *names: str, trainable: Trainable = True, on_integers: bool = False) -> Network:
        """Return a copy in which these layers learn too.

        Parameters
        ----------
        names
            Of layers with parameters; none: all of them.
        trainable
            Which part of each layer, as for the layer itself: True, "bias" or some output channels.
        on_integers
            Whether quantized layers learn their int8 weights, in a quarter of the memory. Otherwise the
            network computes in float32 from the first quantized layer that learns on. Layers on int16 learn
            as they are.
        """
        return self._with_trainable(dict.fromkeys(self._parameter_layers(names), trainable), on_integers)

    def train_last(self, n: int, *, on_integers: bool = False) -> Network:
        """Return a copy in which the last n layers with parameters learn and no other.

        Parameters
        ----------
        n
            0 to the number of layers with parameters.
        on_integers
            As for :meth:`train`.
        """
        names = self._parameter_layers(())
        if isinstance(n, bool) or not hasattr(n, "__index__") or not 0 <= n <= len(names):
            raise ConfigError(
                f"train_last takes 0 to {len(names)} for this network, got {n!r}", where="train_last"
            )
        first = len(names) - int(n)
        return self._with_trainable({name: i >= first for i, name in enumerate(names)}, on_integers)

    def plan(
        self, optimizer: Optimizer | None = "sgd", *, accumulate: bool = False, anchor: bool = False
    ) -> Plan:
        """Return what the runtime will do and where.

        Parameters
        ----------
        optimizer
            "sgd", "momentum" or "adam"; None: the network only answers, in less memory, with every parameter
            in the image.
        accumulate
            Add gradients up and apply them on request, instead of learning from each sample at once.
        anchor
            Keep room for parameters to be pulled towards (FedProx); goes with `accumulate`.

        Raises
        ------
        ConfigError
            For an unknown optimizer, or one without a loss.
        InputError
            Where a parameter is not finite.
        """
        if optimizer not in SLOTS:
            raise ConfigError(
                f"unknown optimizer {optimizer!r}", where="plan", hint=" | ".join(map(str, SLOTS))
            )
        if optimizer is None and (accumulate or anchor):
            raise ConfigError("accumulate and anchor need an optimizer", where="plan", hint='optimizer="sgd"')
        if anchor and not accumulate:
            raise ConfigError(
                "an anchor pulls where gradients are accumulated", where="plan", hint="accumulate=True"
            )
        for name, spec in self.trace.arrays():
            checked_as(spec.dtype, self.arrays[name], spec.shape, name)
            if spec.bits:
                check_weights(self.arrays[name], name)
        graph = self.trace.graph
        learning = graph.fork()
        trained: tuple[str, ...] = ()
        if optimizer is not None:
            if self.loss is None:
                raise ConfigError(
                    "a network without loss cannot learn",
                    where="plan",
                    hint='nn.Network(..., loss="mse"), or plan(optimizer=None)',
                )
            integers = [name for name in self.trainable if self.arrays[name].dtype != np.float32]
            if integers and (optimizer != "sgd" or accumulate):
                raise ConfigError(
                    f"{integers[0]} learns as integers, by plain descent alone",
                    where="plan",
                    hint='optimizer="sgd", accumulate=False',
                )
            if not self.learns and self.output_quantization is not None:
                raise ConfigError(
                    f"nothing of the network learns, its answer is {self.output_quantization.dtype}",
                    where="plan",
                    hint="network.train_last(1), or plan(optimizer=None)",
                )
            trained = self.trainable
            learning = learning_ops(graph, self.trace.output, self.loss, self.masks)
        return make_plan(
            sizes=learning.sizes,
            forward=graph.ops,
            learning=learning.ops,
            sample=self.trace.sample,
            output=self.trace.output,
            active=self.active,
            arrays=self.arrays,
            trained=trained,
            optimizer=optimizer,
            accumulate=accumulate,
            anchor=anchor,
            layers=tuple(step.name for step in self.trace.steps),
        )

    def summary(self, optimizer: Optimizer | None = "sgd") -> str:
        """Return a table of the layers with shapes, parameters, multiply-accumulates and memory.

        Parameters
        ----------
        optimizer
            The one that the memory is counted for; without a loss, none.
        """
        return summary(self, optimizer if self.learns else None)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write layers and parameters to one file, at once or not at all.

        Raises
        ------
        StorageError
            Where the file cannot be written.
        """
        description = {
            "version": VERSION,
            "layers": layers_to_json(self.layers),
            "input_shape": list(self.input_shape),
            "loss": self.loss,
            "seed": self.seed,
            "input_quantization": value_to_json(self.input_quantization),
        }
        write(path, encode(self.arrays, {"shoal": json.dumps(description)}))

    def __repr__(self) -> str:
        layers = ", ".join(map(repr, self.layers))
        return f"Network([{layers}], input_shape={self.input_shape}, loss={self.loss!r}, seed={self.seed})"

    def _with(self, layers: tuple[Layer, ...], arrays: Mapping[str, NDArray[Any]]) -> Network:
        """Return a copy of other layers, with copies of these arrays."""
        copy = object.__new__(Network)
        copy.layers = layers
        copy.loss, copy.seed, copy.input_quantization = self.loss, self.seed, self.input_quantization
        copy.trace = self.trace
        if layers is not self.layers:
            copy.trace = trace(layers, self.input_shape, self.input_quantization)
        copy.arrays = Arrays({name: array.copy() for name, array in arrays.items()})
        return copy

    def _float_trainable(self) -> list[str]:
        """Return the names of the float32 arrays that learn."""
        return [name for name in self.trainable if self.arrays[name].dtype == np.float32]

    def _with_trainable(self, choice: dict[str, Trainable], on_integers: bool = False) -> Network:
        """Return a copy with another choice of what learns for these layers."""
        start, arrays = self.layers, dict(self.arrays)
        if on_integers and not is_fixed(self.output_quantization):
            start = with_float_answer(start)
        for number, step in enumerate(self.trace.steps):
            layer = step.layer
            wanted = isinstance(layer, TrainableLayer) and choice.get(step.name, False) is not False
            q = step.output.quantization
            if wanted and q is not None and not is_fixed(q) and not on_integers:
                start, arrays = dequantized_from(self.trace.steps, number, self.layers, self.arrays)
                break

        def change(layer: Layer) -> Layer:
            if isinstance(layer, TrainableLayer) and layer.name in choice:
                return replace(layer, trainable=choice[layer.name])
            return layer

        return self._with(map_layers(start, change), arrays)

    def _parameter_layers(self, names: tuple[str, ...]) -> list[str]:
        """Return the layers with parameters that these names stand for, all of them for no names."""
        steps = {step.name: step for step in self.trace.steps}
        if not names:
            return [step.name for step in steps.values() if step.mask is not None]
        found: list[str] = []
        for name in names:
            if name not in steps:
                raise ConfigError(f"no layer {name!r}", where="layers", hint=", ".join(steps))
            inside = [
                layer.name for layer in leaves([steps[name].layer]) if isinstance(layer, TrainableLayer)
            ]
            if not inside:
                raise ConfigError(f"layer {name!r} has no parameters", where="layers")
            found += [layer for layer in inside if layer is not None]
        return found


def drawn(rng: np.random.Generator, spec: ArraySpec) -> NDArray[Any]:
    """Return the first values of an array."""
    values = draw(rng, spec.init, spec.shape, spec.fan_in, spec.fan_out)
    return as_weights(values) if spec.bits else values.astype(spec.dtype)


def frozen(layer: Layer) -> Layer:
    """Return the same layer, not learning."""
    return replace(layer, trainable=False) if isinstance(layer, TrainableLayer) else layer


def checked_input_shape(shape: object) -> Shape:
    """Return the shape of one sample, or say what is wrong with it."""
    try:
        return as_shape(shape, "input_shape")
    except ConfigError as error:
        raise ConfigError(error.what, where="input_shape", hint=error.hint) from None
