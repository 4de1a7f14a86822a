"""The network in C: its image, what it takes and what it answers."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from shoal.build.golden import SAMPLES, STEPS, golden
from shoal.learn.footprint import footprint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.build.firmware import Firmware
    from shoal.nn import Quantization

__all__ = ["BLOCK", "model_values", "sample_text", "store_blocks"]

C_TYPES = {"float32": "float", "int8": "int8_t", "uint8": "uint8_t", "int16": "int16_t", "int32": "int32_t"}
BITS = {"float32": 32, "int8": 8, "uint8": 8, "int16": 16, "int32": 32}

BLOCK = 4096  # bytes of a flash block, as most microcontrollers have
STATE_OVERHEAD = 40  # of shoal_save(), beside the state
SLOT_OVERHEAD = 512  # of the store, at most


def model_values(firmware: Firmware) -> dict[str, str]:
    """Return what the templates ``model.h`` and ``model.c`` are filled with."""
    image = firmware.plan.image()
    vectors = golden(firmware)
    return {
        "name": firmware.name,
        "version": version("shoal"),
        "sample": sample_text(firmware),
        "answer": answer_text(firmware),
        "label": label_text(firmware),
        "definitions": definitions(firmware, vectors.checksum),
        "memory_32": str(footprint(firmware.plan, "cortex-m4f").ram),
        "memory_64": str(footprint(firmware.plan, "host").ram),
        "input_type": C_TYPES[firmware.plan.input_type],
        "output_type": C_TYPES[firmware.plan.output_type],
        "words": str(len(image) // 4),
        "image": rows([f"0x{word:08X}" for word in np.frombuffer(image, "<u4")], 10),
        "contract_line": f"A sample: {sample_text(firmware)}. An answer: {answer_text(firmware)}.",
        "optimizer": optimizer_values(firmware),
        "labels": ", ".join(c_string(label) for label in firmware.labels),
        "golden": ",\n".join(
            "    {\n" + rows([str(byte) for byte in answer], 24, 8) + "\n    }" for answer in vectors.answers
        ),
    }


def definitions(firmware: Firmware, checksum: int) -> str:
    """Return the numbers of the network as macros."""
    plan, network = firmware.plan, firmware.network
    classes = plan.active if firmware.learns and network.loss == "cross_entropy" else 0
    numbers: list[tuple[str, str]] = [
        ("INPUTS", str(firmware.inputs)),
        ("OUTPUTS", str(firmware.outputs)),
        ("INPUT_BITS", str(BITS[plan.input_type])),
        ("OUTPUT_BITS", str(BITS[plan.output_type])),
        *quantization("INPUT", network.input_quantization),
        *quantization("OUTPUT", network.output_quantization),
        ("LABELS", str(len(firmware.labels))),
        ("LEARNS", str(int(firmware.learns))),
        ("TARGETS", str(firmware.targets)),
        ("CLASSES", str(classes)),
        ("STORE_BLOCK", str(BLOCK)),
        ("STORE_BLOCKS", str(store_blocks(firmware))),
        ("GOLDEN_SAMPLES", str(SAMPLES)),
        ("GOLDEN_STEPS", str(STEPS)),
        ("GOLDEN_CHECKSUM", f"0x{checksum:08X}u"),
    ]
    width = max(len(name) for name, _ in numbers)
    return "\n".join(f"#define MODEL_{name:{width}} {value}" for name, value in numbers)


def store_blocks(firmware: Firmware) -> int:
    """Return the flash blocks that one slot of the store needs."""
    return -(-(STATE_OVERHEAD + SLOT_OVERHEAD + 4 * firmware.plan.state) // BLOCK)


def quantization(side: str, q: Quantization | None) -> list[tuple[str, str]]:
    """Return the macros that say what an integer stands for."""
    if q is None:
        return []
    return [
        (f"{side}_SCALE", c_float(q.scale)),
        (f"{side}_ZERO_POINT", f"({q.zero_point})"),
        (f"{side}_LEAST", f"({np.iinfo(q.dtype).min})"),
    ]


def sample_text(firmware: Firmware) -> str:
    """Return what a sample is, in words."""
    return values_text(
        firmware.network.input_shape, firmware.plan.input_type, firmware.network.input_quantization
    )


def answer_text(firmware: Firmware) -> str:
    """Return what an answer is, in words."""
    network = firmware.network
    text = values_text(network.output_shape, firmware.plan.output_type, network.output_quantization)
    reserve = firmware.network.reserve
    return f"{text}; {reserve} of them in reserve for classes that come later" if reserve else text


def label_text(firmware: Firmware) -> str:
    """Return what a label is, in words."""
    if not firmware.learns:
        return "It does not learn."
    if firmware.network.loss == "cross_entropy":
        return f"A label: the number of a class, 0 to {firmware.plan.active - 1}."
    return f"A label: {firmware.targets} float, what the network should have answered."


def values_text(shape: Sequence[int], dtype: str, q: Quantization | None) -> str:
    """Return shape and type of values in words."""
    size = " x ".join(map(str, shape))
    order = ", row after row, channels fastest" if len(shape) > 1 else ""
    real = "" if q is None else f"; an integer q stands for {q.scale:.9g} * (q - {q.zero_point})"
    return f"{size} {C_TYPES[dtype]}{order}{real}"


def optimizer_values(firmware: Firmware) -> str:
    """Return the values of ``struct shoal_optimizer``."""
    if firmware.optimizer is None:
        return ""
    phase = firmware.optimizer.phase()
    settings = (phase.rate, phase.momentum, phase.beta1, phase.beta2, phase.epsilon, phase.proximal)
    return ", ".join(map(c_float, settings))


def c_float(value: float) -> str:
    """Return a float of C with the same bits as the value rounded to binary32.

    Examples
    --------
    >>> c_float(0.1), c_float(1), c_float(1e-7)
    ('0.100000001f', '1.0f', '1.00000001e-07f')
    """
    text = f"{np.float32(value):.9g}"
    return f"{text}f" if set(text) & set(".e") else f"{text}.0f"


def c_string(text: str) -> str:
    r"""Return a string of C; what is not ASCII as its UTF-8 bytes.

    Examples
    --------
    >>> print(c_string('a "b"'), c_string("é"))
    "a \"b\"" "\303\251"
    """
    # A question mark is escaped too: two of them may begin a trigraph.
    plain = json.dumps(text, ensure_ascii=False).replace("?", "\\?")
    return "".join(c if c.isascii() else "".join(f"\\{byte:03o}" for byte in c.encode()) for c in plain)


def rows(values: Sequence[str], per_row: int, indent: int = 4) -> str:
    """Return values in lines of so many."""
    starts = range(0, len(values), per_row)
    return ",\n".join(" " * indent + ", ".join(values[i : i + per_row]) for i in starts)
