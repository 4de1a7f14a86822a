"""The nodes and constants of an ONNX model while layers are written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import ArrayLike, NDArray

    from shoal.nn.network import Network
    from shoal.nn.shapes import Shape
    from shoal.nn.trace import Step

__all__ = ["Graph", "Tensor"]

ACTIVATIONS = {"relu": "Relu", "sigmoid": "Sigmoid", "softmax": "Softmax", "tanh": "Tanh"}


class Tensor(NamedTuple):
    """A value of the model: its name, the network's shape of one sample, and whether channels come first."""

    name: str
    shape: Shape
    channels_first: bool = False


class Graph:
    """Nodes and constants while layers become nodes.

    Parameters
    ----------
    network
        Whose arrays are written.
    make_node
        ``onnx.helper.make_node``.
    """

    def __init__(self, network: Network, make_node: Callable[..., Any]) -> None:
        self.arrays: Mapping[str, NDArray[Any]] = network.arrays
        self.steps: dict[str, Step] = {step.name: step for step in network.trace.steps}
        self.make_node = make_node
        self.nodes: list[Any] = []
        self.constants: dict[str, NDArray[Any]] = {}
        self.taken = {"sample", "answer"}

    def add(
        self, operator: str, x: Tensor, name: str, *constants: str, to: Tensor | None = None, **options: Any
    ) -> Tensor:
        """Append a node and return its output, which is like its input, or else like `to`."""
        y = (to or x)._replace(name=self.unique(name))
        self.nodes.append(self.make_node(operator, [x.name, *constants], [y.name], name=y.name, **options))
        return y

    def constant(self, name: str, values: ArrayLike) -> str:
        """Keep a constant and return its name."""
        free = self.unique(name)
        self.constants[free] = np.ascontiguousarray(values)
        return free

    def unique(self, name: str) -> str:
        """Return a name that nothing has yet."""
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        return name

    def first(self, x: Tensor, name: str) -> Tensor:
        """Return an image with its channels first."""
        if x.channels_first or len(x.shape) == 1:
            return x
        y = self.add("Transpose", x, f"{name}/channels_first", perm=[0, 3, 1, 2])
        return y._replace(channels_first=True)

    def last(self, x: Tensor) -> Tensor:
        """Return a value in the network's order."""
        if not x.channels_first:
            return x
        y = self.add("Transpose", x, f"{x.name}/channels_last", perm=[0, 2, 3, 1])
        return y._replace(channels_first=False)

    def activated(self, x: Tensor, name: str, function: str | None, slope: float = 0.01) -> Tensor:
        """Append an activation."""
        if function is None:
            return x
        if function == "relu6":
            limits = [self.constant(f"{name}/{limit}", np.float32(limit)) for limit in (0, 6)]
            return self.add("Clip", x, name, *limits)
        if function == "leaky_relu":
            return self.add("LeakyRelu", x, name, alpha=slope)
        return self.add(ACTIVATIONS[function], x, name)
