"""What of the runtime a plan needs: its files, and the operations that are compiled in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.nn.graph import BACKWARD, QUANTIZED, Code
from shoal.nn.plan import NONE, TYPES

if TYPE_CHECKING:
    from shoal.nn import Operation, Plan

__all__ = ["config_header", "masks", "source_files"]

# Files of every build, in the order in which a reader meets them.
ALWAYS = ("shoal.c", "image.c", "execute.c", "loss.c", "optimizer.c", "product.c", "state.c")

# Where each operation is computed, forward and backward.
FLOAT_FILES = {
    Code.DENSE: "dense.c",
    Code.CONV2D: "conv2d.c",
    Code.DEPTHWISE_CONV2D: "depthwise_conv2d.c",
    Code.MAX_POOL2D: "pool.c",
    Code.AVERAGE_POOL2D: "pool.c",
    Code.ADD: "activation.c",
    Code.RELU: "activation.c",
    Code.RELU6: "activation.c",
    Code.LEAKY_RELU: "activation.c",
    Code.TANH: "activation.c",
    Code.SIGMOID: "activation.c",
    Code.SOFTMAX: "activation.c",
    Code.GROUP_NORM: "group_norm.c",
    Code.STANDARDIZE: "standardize.c",
    Code.PAD: "layout.c",
    Code.RESIZE_NEAREST: "layout.c",
    Code.QUANTIZE: "convert.c",
    Code.DEQUANTIZE: "convert.c",
    Code.REQUANTIZE: "convert.c",
    Code.LSTM: "lstm.c",
    Code.MSE: "loss.c",
    Code.BCE: "loss.c",
    Code.CROSS_ENTROPY: "loss.c",
}
QUANTIZED_FILES = {
    Code.DENSE: "quantized_conv2d.c",
    Code.CONV2D: "quantized_conv2d.c",
    Code.DEPTHWISE_CONV2D: "quantized_depthwise_conv2d.c",
    Code.MAX_POOL2D: "quantized_pool.c",
    Code.AVERAGE_POOL2D: "quantized_pool.c",
    Code.ADD: "quantized_add.c",
    Code.SOFTMAX: "quantized_softmax.c",
    Code.PAD: "layout.c",
    Code.RESIZE_NEAREST: "layout.c",
    Code.LOOKUP: "convert.c",
    Code.MEAN: "quantized_pool.c",
    Code.SVDF: "quantized_svdf.c",
    Code.LSTM: "quantized_lstm.c",
}
FIXED_FILES = {
    Code.DENSE: "fixed_dense.c",
    Code.RELU: "fixed_activation.c",
    Code.SOFTMAX: "fixed_activation.c",
    Code.MSE: "fixed_loss.c",
    Code.BCE: "fixed_loss.c",
    Code.CROSS_ENTROPY: "fixed_loss.c",
}

# What files call in others, beside those of every build.
CALLED = {
    "quantized_conv2d.c": ("dot.c", "quantized.c"),
    "quantized_depthwise_conv2d.c": ("quantized.c",),
    "quantized_lstm.c": ("dot.c",),
    "quantized_svdf.c": ("dot.c",),
}

BACKWARD_CODES = tuple(code for code in FLOAT_FILES if code <= Code.STANDARDIZE)
QUANTIZED_BACKWARD_CODES = (
    Code.DENSE,
    Code.CONV2D,
    Code.DEPTHWISE_CONV2D,
    Code.MAX_POOL2D,
    Code.AVERAGE_POOL2D,
    Code.CLAMP,
)

SETS = ("OPERATIONS", "BACKWARD", "QUANTIZED", "QUANTIZED_BACKWARD")
FLAGS = ("FIXED", "BYTES", "UINT8", "INT16")  # 0 or 1
OPTIMIZERS = (None, "sgd", "momentum", "adam")
ACCUMULATION = 32  # its bit beside those of the optimizers
INT16 = TYPES["int16"]


def masks(plan: Plan) -> dict[str, int]:
    """Return a bit for each operation and optimizer that a plan uses, by set.

    Parameters
    ----------
    plan
        Of a network.

    Examples
    --------
    >>> from shoal import nn
    >>> plan = nn.Network([nn.Dense(2)], input_shape=(3,), loss="mse").plan("adam")
    >>> {name: hex(bits) for name, bits in masks(plan).items()}["OPERATIONS"]
    '0x100000002'
    """
    found = dict.fromkeys(SETS, 0)
    for operation in plan.operations:
        found[set_of(operation.code)] |= 1 << operation.code % BACKWARD
    for operation in plan.learning:
        # Two gradients of one value are added by the forward operation, in the learning part.
        if operation.code == Code.ADD:
            found["BACKWARD"] |= 1 << Code.ADD
    optimizer = OPTIMIZERS.index(plan.optimizer)
    found["OPTIMIZERS"] = 1 << optimizer | int(plan.accumulate) << ACCUMULATION
    integers = [operation for operation in plan.operations if operation.code >= QUANTIZED]
    found["FIXED"] = int(any(is_fixed(plan, operation) for operation in integers))
    found["BYTES"] = int(not all(is_fixed(plan, operation) for operation in integers))
    for kind in ("uint8", "int16"):
        found[kind.upper()] = int(any(tensor.type == TYPES[kind] for tensor in plan.tensors))
    return found


def set_of(code: int) -> str:
    """Return the set that an operation of the image belongs to."""
    return SETS[2 * (code >= QUANTIZED) + (code % QUANTIZED >= BACKWARD)]


def is_fixed(plan: Plan, operation: Operation) -> bool:
    """Tell whether an operation is one on int16 values."""
    return operation.code >= QUANTIZED and operation.in_ != NONE and plan.tensors[operation.in_].type == INT16


def source_files(plan: Plan) -> tuple[str, ...]:
    """Return the files of ``runtime/src`` that a build for this plan compiles; headers not named.

    They call nothing in other files once the compiler removes the operations that :func:`config_header`
    leaves out, which GCC and Clang do at every level of optimization.
    """
    found: set[str] = set()
    for operation in plan.operations:
        code = Code(operation.code % BACKWARD)
        kind = set_of(operation.code)
        if kind not in {"QUANTIZED", "QUANTIZED_BACKWARD"}:
            found.add(FLOAT_FILES[code])
            continue
        if is_fixed(plan, operation):
            found |= {FIXED_FILES[code], "fixed_loss.c"}
        elif kind == "QUANTIZED_BACKWARD":
            found.add("quantized_backward.c")
        else:
            found.add(QUANTIZED_FILES[code])
    found |= {called for file in found for called in CALLED.get(file, ())}
    return (*ALWAYS, *sorted(found.difference(ALWAYS)))


def value_of(name: str, bits: int) -> str:
    """Return bits as a constant of C."""
    return str(bits) if name in FLAGS else f"UINT64_C({bits:#x})"


def config_header(plan: Plan, *, contraction: bool = False) -> str:
    """Return ``shoal_config.h``: the runtime compiles the operations of this plan and no other.

    Parameters
    ----------
    plan
        Of the network that the firmware is built for.
    contraction
        Whether the header itself forbids the compiler to contract a multiplication and an addition, for
        toolchains that a library can give no flags.
    """
    lines = [
        "/* The operations that one image uses: a bit for each, numbered as in network.h. */",
        "#ifndef SHOAL_CONFIG_H",
        "#define SHOAL_CONFIG_H",
        "",
        "#ifdef __AVR__",
        '#error "8-bit AVR: its memory is too small and its int has 16 bits; take a 32-bit board"',
        "#endif",
        "#ifdef __FAST_MATH__",
        '#error "compile without -ffast-math: results are compared by their bits"',
        "#endif",
    ]
    if contraction:
        lines += [
            "#if defined(__clang__)",
            "#pragma STDC FP_CONTRACT OFF",
            "#elif defined(__GNUC__)",
            '#pragma GCC optimize ("fp-contract=off")',
            "#endif",
        ]
    width = max(map(len, masks(plan)))
    lines += [
        "",
        *(f"#define SHOAL_{name:{width}} {value_of(name, bits)}" for name, bits in masks(plan).items()),
    ]
    return "\n".join([*lines, "", "#endif", ""])
