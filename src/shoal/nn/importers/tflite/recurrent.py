"""The operators that remember earlier samples as layers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.nn.importers.errors import ModelError
from shoal.nn.importers.tflite.arguments import Made, option
from shoal.nn.importers.tflite.tensors import bias, check_scales, constant, quantization, sample_shape
from shoal.nn.layers import LSTM, SVDF
from shoal.nn.quantization import Quantization

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shoal.nn.importers.tflite.reader import Operator, Tensor
    from shoal.nn.shapes import Shape

__all__ = ["svdf", "unidirectional_sequence_lstm"]

RELU, TANH = 1, 4
# Inputs of an LSTM: weights of the input, those of the last answer, biases, for input, forget, cell, output.
OF_INPUTS, OF_ANSWERS, BIASES, HIDDEN, CELLS = range(1, 5), range(5, 9), range(12, 16), 18, 19
HIDDEN_SCALE = 4  # its number among the intermediates
GATE = Quantization("int16", 2.0**-12, 0)


def svdf(operator: Operator, x: Tensor, y: Tensor) -> Made:
    """Return filters over time."""
    rank, given, wanted = int(option(operator, "Rank")), quantization(x), quantization(y)
    features, times = weights(operator, 1, wanted), constant(operator, 2)
    if given is None or wanted is None or wanted.dtype != "int8":
        raise ModelError(f"values of type {y.dtype} are not supported", hint="INT8")
    if operator.options.get("FusedActivationFunction") != RELU:
        raise ModelError("another activation than RELU", hint="RELU")
    if len(sample_shape(x)) != 1 or len(sample_shape(y)) != 1:
        raise ModelError(f"{x.shape} to {y.shape}", hint="a row of values")
    (inputs,), (units,) = sample_shape(x), sample_shape(y)
    filters, memory = units * rank, times.shape[-1] if times.shape else 0
    if rank < 1 or features.shape != (filters, inputs) or times.shape != (filters, memory):
        raise ModelError(
            f"weights {features.shape} and {times.shape} for {x.shape} to {y.shape}, rank {rank}"
        )
    state = variable(operator, 4, filters * memory)
    if state is None or state.dtype not in ("int8", "int16") or times.dtype != state.dtype.upper():
        raise ModelError(f"weights of time in {times.dtype} for a state of {state and state.dtype.upper()}")
    scales = np.array([scale(features), scale(times)], np.float32)
    check_scales(given, state, float(scales[0]))
    check_scales(state, wanted, float(scales[1]))
    arrays: dict[str, NDArray[Any]] = {
        "features": content(features),
        "times": content(times),
        "bias": np.zeros(units, np.int32),
        "scales": scales,
    }
    arrays |= bias(operator, units, wanted, 3)
    return Made((inputs,), (SVDF(units, memory, rank, quantized=wanted, state=state),), (units,), arrays)


def unidirectional_sequence_lstm(operator: Operator, x: Tensor, y: Tensor) -> Made:
    """Return the recurrent layer; the file has (1, rows, inputs)."""
    given, wanted, takes, gives = quantization(x), quantization(y), rows(x), rows(y)
    inputs, units = takes[2], gives[2]
    present = {number for number, tensor in enumerate(operator.inputs) if tensor is not None}
    if present != {0, *OF_INPUTS, *OF_ANSWERS, *BIASES, HIDDEN, CELLS}:
        raise ModelError("more or less than four gates", hint="no peepholes, projection or normalization")
    if option(operator, "TimeMajor") or option(operator, "FusedActivationFunction") != TANH:
        raise ModelError("time first, or another activation than TANH", hint="the batch first, TANH")
    if takes[:2] != gives[:2]:
        raise ModelError(f"{x.shape} to {y.shape}")
    first = [weights(operator, number, wanted) for number in OF_INPUTS]
    second = [weights(operator, number, wanted) for number in OF_ANSWERS]
    if {part.shape for part in first} != {(units, inputs)} or {part.shape for part in second} != {
        (units, units)
    }:
        raise ModelError(f"weights that do not fit {x.shape} to {y.shape}")
    both = [np.concatenate([content(a), content(b)], 1) for a, b in zip(first, second, strict=True)]
    biases = [bias(operator, units, wanted, number)["bias"] for number in BIASES]
    hidden, cell = variable(operator, HIDDEN, units), variable(operator, CELLS, units)
    arrays: dict[str, NDArray[Any]] = {"weights": np.stack(both, 1), "bias": np.stack(biases, 1)}
    clip = option(operator, "CellClip")
    if given is None or wanted is None:
        if hidden is not None or cell is not None:
            raise ModelError("remembers integers")
        return Made(takes, (LSTM(units, clip=clip),), gives, arrays)
    inner = operator.intermediates
    if hidden != wanted or len(inner) <= HIDDEN_SCALE or quantization(inner[HIDDEN_SCALE]) != wanted:
        raise ModelError("what it remembers is quantized otherwise than its output")
    scales = [(scale(a), scale(b)) for a, b in zip(first, second, strict=True)]
    arrays["scales"] = np.array(scales, np.float32)
    for of_input, of_answer in scales:
        check_scales(given, GATE, of_input)
        check_scales(wanted, GATE, of_answer)
    return Made(takes, (LSTM(units, clip=clip, quantized=wanted, cell=cell),), gives, arrays)


def rows(tensor: Tensor) -> Shape:
    """Return (1, rows, values) of a value that has them."""
    if len(tensor.shape) != 3 or tensor.shape[0] not in (1, -1):
        raise ModelError(f"takes (1, rows, values), got {tensor.shape}", hint="a batch of 1")
    return sample_shape(tensor)


def weights(operator: Operator, number: int, q: Quantization | None) -> Tensor:
    """Return weights of the type of the answer, symmetric where they are integers."""
    tensor, wanted = constant(operator, number), "FLOAT32" if q is None else "INT8"
    if tensor.dtype != wanted or tensor.zero_points.any():
        raise ModelError(f"weights of type {tensor.dtype} instead of {wanted} around 0")
    return tensor


def content(tensor: Tensor) -> NDArray[Any]:
    """Return the values of a constant."""
    assert tensor.data is not None  # noqa: S101 - as constant() checked
    return tensor.data


def scale(tensor: Tensor) -> float:
    """Return the one scale of all weights."""
    if tensor.scales.size != 1 or not 0 <= tensor.scales[0] < math.inf or tensor.zero_points.any():
        raise ModelError(f"weights with {tensor.scales.size} scales, or unsound ones", hint="one scale")
    return float(tensor.scales[0])


def variable(operator: Operator, number: int, size: int) -> Quantization | None:
    """Return how what an operator remembers is quantized, None for float32."""
    tensor = operator.inputs[number] if number < len(operator.inputs) else None
    if tensor is None or not tensor.variable or tensor.data is not None or math.prod(tensor.shape) != size:
        raise ModelError(f"input {number} is no variable of {size:,} values")
    return quantization(tensor)
