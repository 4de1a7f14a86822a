"""Networks from ONNX files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import MissingExtraError
from shoal.nn.importers.build import build, first_that_fits, read, with_loss
from shoal.nn.importers.call import Call
from shoal.nn.importers.draft import begin
from shoal.nn.importers.errors import ModelError, located, unsupported
from shoal.nn.importers.onnx.constants import CONSTANTS, computed
from shoal.nn.importers.onnx.operators import OPERATORS
from shoal.nn.importers.onnx.reader import array_of, attributes_of, check_names, needed_nodes, shape_of
from shoal.nn.importers.value import Value

if TYPE_CHECKING:
    from shoal.nn.autodiff import Loss
    from shoal.nn.importers.call import Argument, Key
    from shoal.nn.importers.draft import Draft
    from shoal.nn.network import Network

__all__ = ["decode", "load"]

OLDEST = 6
MOST_NODES = 4096


def load(
    path: str | os.PathLike[str], loss: Loss | None = None, *, channels_last: bool | None = None
) -> Network:
    """Read a network from an ONNX file.

    Parameters
    ----------
    path
        Of the file; constants may lie in files beside it.
    loss
        To learn with: "mse", "bce" or "cross_entropy"; None for a network that only answers.
    channels_last
        Order of an input of 3 or 4 axes: True for (batch, height, width, channels), False for (batch,
        channels, height, width); None: as its operators need it, and the second where either would do.

    Returns
    -------
    Network
        For samples (n,) or (height, width, channels), whatever the order in the file. An image as the answer
        is (height, width, channels) too.

    Raises
    ------
    MissingExtraError
        Where the package onnx is not installed.
    StorageError
        Where the file cannot be read.
    ModelError
        Where it is damaged or computes what no layer does; the error names the node.
    ConfigError
        Where the loss does not fit the last layer.
    """
    where = os.fspath(path)
    return decode(read(path), where, loss, channels_last=channels_last, folder=Path(where).absolute().parent)


def decode(
    content: bytes,
    where: str,
    loss: Loss | None = None,
    *,
    channels_last: bool | None = None,
    folder: Path | None = None,
) -> Network:
    """Return the network in the bytes of an ONNX file; `folder` holds the files that it refers to."""
    try:
        from google.protobuf.message import DecodeError
        from onnx import ModelProto
    except ImportError:
        raise MissingExtraError("onnx", "onnx") from None
    with located(where), np.errstate(all="ignore"):
        try:
            model = ModelProto.FromString(content)
        except DecodeError:
            raise ModelError("not an ONNX file, or cut short") from None
        network = first_that_fits(
            lambda last: Graph(model, where, folder).network(channels_last=last), channels_last
        )
    return with_loss(network, loss)


class Graph:
    """The graph of a model while its nodes become layers."""

    def __init__(self, model: Any, where: str, folder: Path | None) -> None:
        self.graph, self.where, self.folder = model.graph, where, folder
        self.version = version_of(model)
        if len(self.graph.node) > MOST_NODES:
            raise ModelError(f"{len(self.graph.node):,} nodes, at most {MOST_NODES:,} are possible")
        check_names(self.graph)
        self.constants = {tensor.name: tensor for tensor in self.graph.initializer}
        self.values: dict[str, Value | Argument] = {}

    def network(self, *, channels_last: bool) -> Network:
        """Return the network."""
        if len(self.graph.output) != 1:
            raise ModelError(
                f"the model has {len(self.graph.output)} outputs", hint="a model with one output"
            )
        output = self.graph.output[0].name
        nodes, names = needed_nodes(self.graph, output)
        inputs = [
            value for value in self.graph.input if value.name in names and value.name not in self.constants
        ]
        if len(inputs) != 1:
            given = ", ".join(repr(value.name) for value in inputs) or "none"
            raise ModelError(
                f"the answer depends on {len(inputs)} inputs: {given}", hint="a model with one input"
            )
        shape = shape_of(inputs[0])
        if None in shape[1:]:
            raise ModelError(
                f"the shape of the input {inputs[0].name!r} is open", hint="export with a fixed shape"
            )
        draft, self.values[inputs[0].name] = begin(shape, channels_last=channels_last)
        for index in nodes:
            self.translate(draft, index)
        answer = self.values.get(output)
        if not isinstance(answer, Value):
            raise ModelError(f"the output {output!r} does not depend on the sample")
        return build(draft, answer, self.where)

    def translate(self, draft: Draft, index: int) -> None:
        """Make one node a layer, or a constant of constants."""
        node = self.graph.node[index]
        operator = node.op_type if node.domain in {"", "ai.onnx"} else f"{node.domain}.{node.op_type}"
        name = node.name or next(filter(None, node.output), "")
        draft.where = f"{self.where}: node {index} {name!r} ({operator})"
        # Exporters from PyTorch name parameters for their module, and nodes for whatever they like.
        modules = [name.removesuffix(".weight") for name in node.input[1:2] if name.endswith(".weight")]
        draft.name = next(iter(modules), name)
        with located(draft.where):
            arguments: dict[Key, Argument] = {
                number: self.argument(name) for number, name in enumerate(node.input)
            }
            constant = not any(isinstance(a, Value) for a in arguments.values())
            if operator not in (CONSTANTS if constant else OPERATORS):
                known = constant and operator in OPERATORS
                raise unsupported(
                    f"{operator} of constants" if known else operator, CONSTANTS if known else OPERATORS
                )
            arguments |= attributes_of(node, operator, self.version, self.folder)
            outputs = [name for name in node.output if name]
            call = Call(operator, arguments, outputs=len(outputs), version=self.version)
            result = computed(call) if constant else OPERATORS[operator](draft, call)
            call.finish()
            if node.output and node.output[0]:
                self.values[node.output[0]] = result

    def argument(self, name: str) -> Argument:
        """Return what a name stands for: a value made before, or a constant; None for an operand left out."""
        if not name:
            return None
        if name not in self.values:
            if name not in self.constants:
                raise ModelError(f"nothing gives the operand {name!r}")
            self.values[name] = array_of(self.constants[name], self.folder)
        return self.values[name]


def version_of(model: Any) -> int:
    """Return the version of the operator set."""
    from onnx.defs import onnx_opset_version

    versions = [entry.version for entry in model.opset_import if entry.domain in {"", "ai.onnx"}]
    newest = onnx_opset_version()
    if len(versions) != 1:
        raise ModelError("the file says nothing of its operator set: not an ONNX file, or damaged")
    if not OLDEST <= versions[0] <= newest:
        raise ModelError(
            f"operator set {versions[0]}, {OLDEST} to {newest} are possible", hint="onnx.version_converter"
        )
    return int(versions[0])
