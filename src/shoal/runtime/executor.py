"""One open network at width 1: what a device holds."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import StateError
from shoal.runtime.library import aligned, buffer, check, error_of, library, pointers
from shoal.runtime.records import Info, InfoRecord, Phase, phase_records

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Values = NDArray[Any]

__all__ = ["Executor"]

TYPES = ("float32", "int8", "uint8", "int32", "int16")  # enum shoal_type


class Executor:
    """One open network on the runtime at width 1: what a device holds.

    Parameters
    ----------
    image
        A plan's image.

    Raises
    ------
    ImageError
        If the runtime refuses the image.
    """

    def __init__(self, image: bytes) -> None:
        self._c = library()[1]
        self.image = aligned(image)
        size = ctypes.c_size_t()
        where = f"image of {len(image)} bytes"
        check(self._c.shoal_memory_needed(ctypes.byref(size), *pointers(self.image)), where)
        self._memory = buffer(size.value)
        self._net = ctypes.c_void_p()
        check(self._c.shoal_open(ctypes.byref(self._net), *pointers(self.image, self._memory)), where)
        info = self.info
        self._x_type, self._y_type = TYPES[info.input_type], TYPES[info.output_type]
        self._y = np.empty(info.outputs, self._y_type)
        self._loss = ctypes.c_float()

    @property
    def info(self) -> Info:
        """The network's numbers."""
        raw = self._c.shoal_info(self._net)
        return Info(*(getattr(raw, field[0]) for field in InfoRecord._fields_))

    @property
    def memory(self) -> int:
        """Bytes that this network occupies here; pointers are longer than a microcontroller's."""
        return self._memory.size

    @property
    def state(self) -> Floats:
        """Everything that learning changes, in place: parameters first."""
        address = self._c.shoal_state(self._net)
        offset = address - self._memory.ctypes.data
        return self._memory[offset : offset + 4 * self.info.state].view(np.float32)

    @property
    def parameters(self) -> Floats:
        """The trainable values, in place."""
        return self.state[: self.info.parameters]

    @property
    def quantized(self) -> NDArray[np.uint8]:
        """The bytes of what learns as integers, in place."""
        return self.state.view(np.uint8)[4 * (self.info.state - self.info.quantized) :]

    @staticmethod
    def _vector(values: Values, dtype: str = "float32") -> tuple[Values, ctypes.c_void_p, ctypes.c_size_t]:
        flat = np.ascontiguousarray(values, dtype).reshape(-1)
        return flat, ctypes.c_void_p(flat.ctypes.data), ctypes.c_size_t(flat.size)

    def predict(self, x: Values) -> Values:
        """Outputs (outputs,) for one sample, both in the types of the image; nothing is learnt."""
        kept, *x_pair = self._vector(x, self._x_type)
        _, *y_pair = self._vector(self._y, self._y_type)
        check(self._c.shoal_predict(self._net, *x_pair, *y_pair), "predict")
        del kept
        return self._y.copy()

    def _with_target(
        self, call: Callable[..., int], where: str, x: Values, target: Floats
    ) -> tuple[Values, float]:
        kept_x, *x_pair = self._vector(x, self._x_type)
        kept_t, *t_pair = self._vector(target)
        _, *y_pair = self._vector(self._y, self._y_type)
        check(call(self._net, *x_pair, *t_pair, *y_pair, ctypes.byref(self._loss)), where)
        del kept_x, kept_t
        return self._y.copy(), self._loss.value

    def score(self, x: Values, target: Floats) -> tuple[Values, float]:
        """Outputs and loss of one sample; nothing is learnt."""
        return self._with_target(self._c.shoal_score, "score", x, target)

    def learn(self, x: Values, target: Floats) -> tuple[Values, float]:
        """Outputs and loss before the step, then one step (or one more gradient to accumulate)."""
        return self._with_target(self._c.shoal_learn, "learn", x, target)

    def apply(self) -> None:
        """Take one step with the mean of the accumulated gradients."""
        check(self._c.shoal_apply(self._net), "apply")

    def observe(self, x: Values) -> None:
        """Let running statistics see one sample."""
        kept, *x_pair = self._vector(x, self._x_type)
        check(self._c.shoal_observe(self._net, *x_pair), "observe")
        del kept

    def reset(self) -> None:
        """Forget all earlier samples."""
        self._c.shoal_reset(self._net)

    def grow(self) -> None:
        """Take one more class into use."""
        check(self._c.shoal_grow(self._net), "grow")

    def set_optimizer(self, phase: Phase) -> None:
        """Set rate and decay of the next steps."""
        values = phase_records([phase])[0].optimizer
        check(self._c.shoal_set_optimizer(self._net, ctypes.byref(values)), "optimizer")

    def set_trainable(self, layer: int, trainable: bool) -> None:
        """Freeze or thaw layer number `layer`."""
        check(
            self._c.shoal_set_trainable(self._net, ctypes.c_uint32(layer), ctypes.c_bool(trainable)), "layer"
        )

    def set_anchor(self) -> None:
        """Remember the present parameters as the anchor."""
        check(self._c.shoal_set_anchor(self._net), "anchor")

    def save(self) -> bytes:
        """The whole state, exact."""
        out = np.empty(self._c.shoal_state_size(self._net), np.uint8)
        check(self._c.shoal_save(self._net, *pointers(out)), "save")
        return out.tobytes()

    def load(self, saved: bytes) -> None:
        """Restore what :meth:`save` returned; a damaged or foreign state changes nothing."""
        data = np.frombuffer(saved, np.uint8)
        status = self._c.shoal_load(self._net, *pointers(data))
        if status != 0:
            raise StateError(error_of(status, "load").what, where=f"saved state of {len(saved)} bytes")

    def checksum(self) -> int:
        """CRC-32 of the parameters: equal sums mean equal bits."""
        return int(self._c.shoal_checksum(self._net))
