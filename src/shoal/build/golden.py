"""Golden vectors: what the host computes from samples that every machine draws alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import DivergedError
from shoal.runtime import Executor

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shoal.build.firmware import Firmware

__all__ = ["SAMPLES", "STEPS", "Golden", "draw", "drawn_sample", "drawn_target", "golden"]

SAMPLES, STEPS = 2, 4


@dataclass(frozen=True, slots=True)
class Golden:
    """What a right build answers and learns.

    Parameters
    ----------
    answers
        The bytes of each answer.
    checksum
        CRC-32 of the parameters after :data:`STEPS` steps; of those of the image where nothing learns.
    """

    answers: tuple[bytes, ...]
    checksum: int


def draw(first: int, count: int) -> NDArray[np.uint32]:
    """Return 32 bits for each of the numbers from `first` on, as ``golden.c`` mixes them.

    Examples
    --------
    >>> [hex(bits) for bits in draw(0, 3)]
    ['0x0', '0x92ca2f0e', '0x3cd6e3f3']
    """
    h = np.arange(first, first + count, dtype=np.uint64).astype(np.uint32) * np.uint32(0x9E3779B9)
    h = (h ^ h >> np.uint32(16)) * np.uint32(0x85EBCA6B)
    h = (h ^ h >> np.uint32(13)) * np.uint32(0xC2B2AE35)
    return h ^ h >> np.uint32(16)


def drawn_sample(firmware: Firmware, number: int) -> NDArray[Any]:
    """Return sample `number` in the type that the network takes, shape (inputs,)."""
    bits = draw((firmware.inputs + firmware.targets) * number, firmware.inputs)
    kind = firmware.plan.input_type
    if kind == "float32":
        return (bits >> 8).astype(np.float32) * np.float32(2**-23) - np.float32(1)
    limits = np.iinfo(kind)
    return ((bits >> 32 - limits.bits).astype(np.int32) + limits.min).astype(kind)


def drawn_target(firmware: Firmware, number: int) -> NDArray[np.float32]:
    """Return the label of sample `number`, shape (targets,)."""
    first = (firmware.inputs + firmware.targets) * number + firmware.inputs
    bits = draw(first, firmware.targets)
    if firmware.network.loss == "cross_entropy":
        return (bits % np.uint32(firmware.plan.active)).astype(np.float32)
    return (bits >> 8).astype(np.float32) * np.float32(2**-24)


def golden(firmware: Firmware) -> Golden:
    """Compute the golden vectors of a firmware on the runtime of this machine.

    Raises
    ------
    DivergedError
        If learning from the drawn samples does not stay finite.
    """
    executor = Executor(firmware.plan.image())
    answers = [executor.predict(drawn_sample(firmware, i)).tobytes() for i in range(SAMPLES)]
    if firmware.optimizer is not None:
        executor.set_optimizer(firmware.optimizer.phase())
        try:
            for i in range(SAMPLES, SAMPLES + STEPS):
                executor.learn(drawn_sample(firmware, i), drawn_target(firmware, i))
        except DivergedError as error:
            hint = f"a rate below {firmware.optimizer.rate:g}"
            raise DivergedError(error.what, where="the golden vectors", hint=hint) from None
    return Golden(tuple(answers), executor.checksum())
