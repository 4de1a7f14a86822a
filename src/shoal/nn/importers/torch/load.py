"""Networks from PyTorch: modules, exported programs and the files of ``torch.export.save``."""

from __future__ import annotations

import os
import warnings
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import ConfigError, MissingExtraError
from shoal.nn.importers.archive import described
from shoal.nn.importers.build import build, first_that_fits, read, with_loss
from shoal.nn.importers.call import Call
from shoal.nn.importers.draft import begin
from shoal.nn.importers.errors import ModelError, located, unsupported
from shoal.nn.importers.torch.operators import CONSTANTS, IRRELEVANT, OPERATORS
from shoal.nn.importers.torch.reader import Program
from shoal.nn.importers.value import Value

if TYPE_CHECKING:
    from shoal.nn.autodiff import Loss
    from shoal.nn.importers.call import Argument, Key
    from shoal.nn.importers.draft import Draft
    from shoal.nn.network import Network

__all__ = ["decode", "load"]

PREFIX = "torch.ops.aten."
MOST_NODES = 4096
KINDS = ("as_int", "as_ints", "as_float", "as_floats", "as_bool", "as_string")


def load(
    model: Any, example: Any = None, loss: Loss | None = None, *, channels_last: bool | None = None
) -> Network:
    """Read a network from a module of PyTorch, an exported program, or the file of one.

    A file is read without PyTorch, and nothing in it is run.

    Parameters
    ----------
    model
        A ``torch.nn.Module`` after ``eval()``, what ``torch.export.export`` returns, or the path of a
        ``.pt2`` file.
    example
        For a module: an input as it takes it, with the batch.
    loss
        To learn with: "mse", "bce" or "cross_entropy"; None for a network that only answers.
    channels_last
        Order of an input of 3 or 4 axes: True for (batch, height, width, channels), False for (batch,
        channels, height, width); None: as its operators need it, and the second where either would do.

    Returns
    -------
    Network
        For samples (n,) or (height, width, channels). Layers with parameters are named for their modules.

    Raises
    ------
    MissingExtraError
        Where a module is given and PyTorch is not installed.
    StorageError
        Where the file cannot be read.
    ModelError
        Where the model computes what no layer does; the error names the node.
    ConfigError
        Where the example is missing, or the loss does not fit the last layer.
    """
    if isinstance(model, str | os.PathLike):
        return decode(read(model), os.fspath(model), loss, channels_last=channels_last)
    return decode(exported(model, example), type(model).__name__, loss, channels_last=channels_last)


def exported(model: Any, example: Any) -> bytes:
    """Return the file of a module or of a program."""
    try:
        import torch
    except ImportError:
        raise MissingExtraError("torch", "torch") from None
    with warnings.catch_warnings():
        # PyTorch warns of its own plans.
        warnings.simplefilter("ignore")
        program = model
        if isinstance(model, torch.nn.Module):
            if example is None:
                raise ConfigError(
                    "a module needs an example of its input", where="example", hint="torch.zeros(1, 10)"
                )
            if model.training:
                raise ModelError("the module is in training", where="model", hint="module.eval()")
            program = torch.export.export(model, example if isinstance(example, tuple) else (example,))
        if not isinstance(program, torch.export.ExportedProgram):
            raise ConfigError(
                f"{type(model).__name__} is no model of PyTorch",
                where="model",
                hint="a module, a program or a path",
            )
        file = BytesIO()
        torch.export.save(program, file)
    return file.getvalue()


def decode(
    content: bytes, where: str, loss: Loss | None = None, *, channels_last: bool | None = None
) -> Network:
    """Return the network in the bytes of a ``.pt2`` file."""
    with located(where), np.errstate(all="ignore"):
        program = Program(content)
        network = first_that_fits(
            lambda last: Graph(program, where).network(channels_last=last), channels_last
        )
    return with_loss(network, loss)


class Graph:
    """The graph of a program while its nodes become layers."""

    def __init__(self, program: Program, where: str) -> None:
        self.program, self.where = program, where
        if len(program.nodes) > MOST_NODES:
            raise ModelError(f"{len(program.nodes):,} nodes, at most {MOST_NODES:,} are possible")
        self.values: dict[str, Argument] = {}
        self.last_use = {
            name: index for index, node in enumerate(program.nodes) for name in names_in(node.get("inputs"))
        }

    def network(self, *, channels_last: bool) -> Network:
        """Return the network."""
        draft, sample = begin(self.program.input_shape(), channels_last=channels_last)
        self.values[self.program.input] = sample
        for index, node in enumerate(self.program.nodes):
            self.translate(draft, index, node)
        answer = self.values.get(self.program.output)
        if not isinstance(answer, Value):
            raise ModelError(f"the output {self.program.output!r} does not depend on the sample")
        return build(draft, answer, self.where)

    def translate(self, draft: Draft, index: int, node: dict[str, Any]) -> None:
        """Make one node a layer, or a constant of constants."""
        target, name = str(node.get("target")), str(node.get("name"))
        operator = target.removeprefix(PREFIX).split(".")[0] if target.startswith(PREFIX) else target
        in_place = operator.endswith("_") and operator[:-1] in OPERATORS
        operator = operator[:-1] if in_place else operator
        draft.where = f"{self.where}: node {index} {name!r} ({operator})"
        with located(draft.where):
            if operator not in OPERATORS and operator not in CONSTANTS:
                raise unsupported(operator, OPERATORS)
            arguments, draft.name = self.arguments(node)
            constant = not any(isinstance(argument, Value) for argument in arguments.values())
            if operator not in (CONSTANTS if constant else OPERATORS):
                raise unsupported(f"{operator} of constants", CONSTANTS)
            call = Call(operator, arguments)
            result = computed(call) if constant else OPERATORS[operator](draft, call)
            for key in IRRELEVANT:
                call.get(key)
            call.finish()
            output = described(node, "outputs", 0)
            made = described(output, "as_tensor", "name") or described(output, "as_sym_int", "as_name")
            if not isinstance(made, str) or made in self.values:
                raise ModelError(f"gives {made!r}, which is there already")
            self.values[made] = result
            if in_place:
                self.replace(described(node, "inputs", 0, "arg", "as_tensor", "name"), result, index)

    def replace(self, name: object, result: Argument, index: int) -> None:
        """Let a name stand for what an operator wrote in its place."""
        if not isinstance(name, str):
            raise ModelError("writes to what has no name")
        old = self.values.get(name)
        if isinstance(old, Value) and isinstance(result, Value) and old.number != result.number:
            for other, value in self.values.items():
                shares = isinstance(value, Value) and value.number == old.number and other != name
                if shares and self.last_use.get(other, -1) > index:
                    raise ModelError(
                        f"writes to {name!r}, and {other!r} may be a view of it", hint="inplace=False"
                    )
        self.values[name] = result

    def arguments(self, node: dict[str, Any]) -> tuple[dict[Key, Argument], str | None]:
        """Return the arguments by name, and the module whose weights are among them."""
        found: dict[Key, Argument] = {}
        module: str | None = None
        inputs = node.get("inputs")
        for entry in inputs if isinstance(inputs, list) else []:
            key, argument = described(entry, "name"), described(entry, "arg")
            if not isinstance(key, str) or not isinstance(argument, dict):
                raise ModelError("an argument without a name or value")
            found[key] = self.argument(argument)
            inside = self.program.modules.get(str(described(argument, "as_tensor", "name")), "")
            if inside.endswith(".weight"):
                module = inside.removesuffix(".weight")
        return found, module

    def argument(self, argument: dict[str, Any]) -> Argument:
        """Return the value of an argument."""
        for kind in KINDS:
            if kind in argument and isinstance(argument[kind], bool | int | float | str | list):
                value: Argument = argument[kind]
                return value
        name = described(argument, "as_tensor", "name") or described(argument, "as_sym_int", "as_name")
        if isinstance(name, str):
            if name not in self.values:
                self.values[name] = self.program.constant(name)
            return self.values[name]
        sizes = argument.get("as_sym_ints")
        if isinstance(sizes, list):
            return [
                self.values.get(str(described(size, "as_name")), described(size, "as_int")) for size in sizes
            ]
        if set(argument) & {"as_none"}:
            return None
        if set(argument) & {"as_memory_format", "as_scalar_type", "as_device", "as_layout"}:
            return "default"
        raise ModelError(f"an argument of the kind {', '.join(map(str, argument))} is not supported")


def computed(call: Call) -> Argument:
    """Return what an operator makes of constants."""
    try:
        return np.asarray(CONSTANTS[call.operator](call))
    except (IndexError, TypeError, ValueError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(f"{call.operator} of constants cannot be computed: {error}") from None


def names_in(inputs: object) -> list[str]:
    """Return the tensors that a node reads."""
    entries = inputs if isinstance(inputs, list) else []
    names = (described(entry, "arg", "as_tensor", "name") for entry in entries)
    return [name for name in names if isinstance(name, str)]
