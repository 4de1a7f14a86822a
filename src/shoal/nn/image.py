"""Writes a plan as an image, byte for byte as ``runtime/IMAGE.md`` says."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

from shoal.errors import ConfigError

if TYPE_CHECKING:
    from shoal.nn.plan import Operation, Plan, Tensor

__all__ = ["image_size", "pack"]

MAGIC, VERSION = 0x4C4F4853, 2
ACCUMULATE, ANCHOR = 1, 2
OPTIMIZERS = {None: 0, "sgd": 1, "momentum": 2, "adam": 3}
LARGEST = 1 << 28

HEAD = struct.Struct("<IHHII")
COUNTS = struct.Struct("<8I2H2BH2I")
TENSOR = struct.Struct("<4I4B")
OPERATION = struct.Struct("<4B6H2B2B4B2H2f")
RUN = struct.Struct("<2H")


def image_size(plan: Plan) -> int:
    """Return the number of bytes that :func:`pack` will write."""
    return (
        HEAD.size
        + COUNTS.size
        + TENSOR.size * len(plan.tensors)
        + OPERATION.size * (len(plan.forward) + len(plan.learning))
        + RUN.size * len(plan.runs)
        + len(plan.constants)
        + 4 * plan.parameters.size
        + len(plan.quantized)
    )


def pack(plan: Plan) -> bytes:
    """Return the image of a plan."""
    check_limits(plan)
    body = b"".join(
        [
            COUNTS.pack(
                len(plan.tensors),
                len(plan.forward),
                len(plan.learning),
                len(plan.runs),
                plan.parameters.size,
                plan.statistics,
                plan.arena,
                len(plan.constants) // 4,
                plan.input,
                plan.output,
                OPTIMIZERS[plan.optimizer],
                0,
                plan.active,
                len(plan.quantized) // 4,
                plan.stream,
            ),
            *(pack_tensor(tensor) for tensor in plan.tensors),
            *(pack_operation(operation) for operation in plan.operations),
            *(RUN.pack(*run) for run in plan.runs),
            plan.constants,
            plan.parameters.astype("<f4", copy=False).tobytes(),
            plan.quantized,
        ]
    )
    flags = ACCUMULATE * plan.accumulate | ANCHOR * plan.anchor
    return HEAD.pack(MAGIC, VERSION, flags, HEAD.size + len(body), zlib.crc32(body)) + body


def pack_tensor(tensor: Tensor) -> bytes:
    """Return 20 bytes."""
    flags = (tensor.space, tensor.grows, tensor.type, tensor.zero_point & 0xFF)
    return TENSOR.pack(tensor.offset, *tensor.shape, *flags)


def pack_operation(operation: Operation) -> bytes:
    """Return 36 bytes."""
    return OPERATION.pack(
        operation.code,
        operation.flags,
        operation.layer,
        operation.groups,
        operation.in_,
        operation.in2,
        operation.out,
        operation.weights,
        operation.bias,
        operation.aux,
        *operation.kernel,
        *operation.stride,
        *operation.padding,
        *operation.runs,
        *operation.value,
    )


def check_limits(plan: Plan) -> None:
    """Refuse what the format's fields cannot hold."""
    counts = {
        "parameters that learn": (plan.parameters.size, LARGEST),
        "words of integers that learn": (len(plan.quantized) // 4, LARGEST),
        "statistics": (plan.statistics, LARGEST),
        "words of working memory": (plan.arena, LARGEST),
        "words of what is remembered": (plan.stream, LARGEST),
        "words of constants": (len(plan.constants) // 4, LARGEST),
        "values of state": (plan.state, 0xFFFFFFFF),
        "tensors": (len(plan.tensors), 0xFFFE),
        "channel runs": (len(plan.runs), 0xFFFE),
        "output channels": (plan.active, 0xFFFF),
    }
    for what, (count, largest) in counts.items():
        if count > largest:
            raise ConfigError(f"the network has {count:,} {what}, an image holds {largest:,}")
