"""One node of a file as a call: every operand and attribute is read by its kind, or the model is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from shoal.nn.importers.errors import ModelError
from shoal.nn.importers.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from numpy.typing import NDArray

    from shoal.nn.importers.draft import Draft

__all__ = ["Argument", "Call", "Key", "Operator"]

Key: TypeAlias = int | str
Argument: TypeAlias = "Value | NDArray[Any] | bool | int | float | str | list[Any] | dict[str, Any] | None"

Operator: TypeAlias = "Callable[[Draft, Call], Value | NDArray[Any] | int]"


class Call:
    """Operands by position and attributes by name.

    Parameters
    ----------
    operator
        Its name in the file.
    arguments
        All of them; None where an optional one was left out.
    outputs
        Number of results that the file names.
    version
        Of the operator set, where the format has one.

    Attributes
    ----------
    unread : set
        Arguments that nobody has asked for. A call that still has some is not understood.
    """

    def __init__(
        self, operator: str, arguments: Mapping[Key, Argument], *, outputs: int = 1, version: int = 0
    ) -> None:
        self.operator = operator
        self.arguments = arguments
        self.outputs = outputs
        self.version = version
        self.unread = {key for key, value in arguments.items() if value is not None}

    def finish(self) -> None:
        """Refuse a call with arguments that were not read: they might change what it computes."""
        if self.unread:
            name = min(map(str, self.unread))
            raise ModelError(f"{self.operator} has an argument {name!r} that is not supported")

    def get(self, key: Key) -> Argument:
        """Return an argument of any kind, None where there is none."""
        self.unread.discard(key)
        return self.arguments.get(key)

    def value(self, key: Key = 0) -> Value:
        """Return an operand that depends on the sample."""
        argument = self.get(key)
        if not isinstance(argument, Value):
            raise ModelError(f"operand {key!r} of {self.operator} does not depend on the sample")
        return argument

    def array(self, key: Key) -> NDArray[Any]:
        """Return a constant."""
        argument = self.get(key)
        if isinstance(argument, bool | int | float):
            return np.asarray(argument)
        if not isinstance(argument, np.ndarray):
            raise ModelError(f"operand {key!r} of {self.operator} is not a constant")
        return argument

    def weights(self, key: Key, axes: int) -> NDArray[Any]:
        """Return a constant with this number of axes, none of them empty."""
        array = self.array(key)
        if array.ndim != axes or not array.size:
            raise ModelError(f"operand {key!r} of {self.operator} has the shape {array.shape}")
        return array

    def optional(self, key: Key) -> NDArray[Any] | None:
        """Return a constant, None where there is none."""
        return None if self.get(key) is None else self.array(key)

    def number(self, key: Key, default: float) -> float:
        """Return a real number; a constant of one value counts."""
        argument = self.get(key)
        if isinstance(argument, np.ndarray) and argument.size == 1:
            argument = argument.reshape(()).item()
        if argument is None:
            return default
        if isinstance(argument, bool) or not isinstance(argument, int | float):
            raise self._wrong(key, "a number")
        return float(argument)

    def numbers(self, key: Key) -> tuple[float, ...]:
        """Return real numbers from a list."""
        argument = self.get(key)
        if not isinstance(argument, list) or not all(type(number) in {int, float} for number in argument):
            raise self._wrong(key, "numbers")
        return tuple(float(number) for number in argument)

    def integer(self, key: Key, default: int) -> int:
        """Return an integer; True and False count as 1 and 0."""
        argument = self.get(key)
        if argument is None:
            return default
        if not isinstance(argument, int):
            raise self._wrong(key, "an integer")
        return int(argument)

    def flag(self, key: Key, default: bool = False) -> bool:
        """Return what is true or false, 1 or 0; others read another number each in their own way."""
        value = self.integer(key, default)
        if value not in {0, 1}:
            raise self._wrong(key, "0 or 1")
        return value == 1

    def integers(self, key: Key, default: tuple[int, ...] = ()) -> tuple[int, ...]:
        """Return integers from a list or a constant; one integer counts as a list of it."""
        argument = self.get(key)
        if argument is None:
            return default
        if isinstance(argument, np.ndarray) and argument.ndim <= 1 and argument.dtype.kind in "iu":
            argument = argument.reshape(-1).tolist()
        if isinstance(argument, int):
            argument = [argument]
        if not isinstance(argument, list) or not all(isinstance(size, int) for size in argument):
            raise self._wrong(key, "integers")
        return tuple(int(size) for size in argument)

    def axis(self, key: Key, rank: int, default: int = 0) -> int:
        """Return one axis of a value with this many, counted from the front."""
        axis = self.integer(key, default)
        if axis not in range(-rank, rank):
            raise ModelError(f"{self.operator} over axis {axis} of {rank}")
        return axis % rank

    def axes(self, key: Key, rank: int, default: Iterable[int] = ()) -> tuple[int, ...]:
        """Return different axes of a value with this many, counted from the front."""
        given = self.integers(key, tuple(default))
        axes = tuple(axis + rank if axis < 0 else axis for axis in given)
        if len(set(axes)) != len(axes) or any(axis not in range(rank) for axis in axes):
            raise ModelError(f"{self.operator} over the axes {given} of {rank}")
        return axes

    def text(self, key: Key, default: str) -> str:
        """Return text."""
        argument = self.get(key)
        if argument is None:
            return default
        if not isinstance(argument, str):
            raise self._wrong(key, "text")
        return argument

    def require(self, key: Key, *allowed: Argument) -> None:
        """Refuse an attribute with another value than these; None stands for none given."""
        argument = self.get(key)
        if not any(type(argument) is type(value) and argument == value for value in allowed):
            raise ModelError(f"{self.operator} with {key} = {argument!r} is not supported")

    def _wrong(self, key: Key, kind: str) -> ModelError:
        return ModelError(f"{key!r} of {self.operator} is not {kind}")
