"""A network on a board, with the face of :class:`shoal.runtime.Executor`."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.devices.protocol import COUNTED, OVERHEAD, PROTOCOL, BoardInfo, Request, board_info
from shoal.errors import DeviceError, ImageError, StateError
from shoal.runtime.records import phase_records

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from shoal.devices.firmware import Firmware
    from shoal.devices.link import Link
    from shoal.runtime import Phase
    from shoal.runtime.records import Info

    Values = NDArray[Any]
    Floats = NDArray[np.float32]

__all__ = ["RemoteExecutor"]

TYPES = ("float32", "int8", "uint8", "int32", "int16")  # enum shoal_type
WORD = struct.Struct("<I")
LONG = 1000  # steps that one request may take


class RemoteExecutor:
    """One network on a board; samples and targets go in rows of one or more.

    Parameters
    ----------
    link
        To the board. A network that is open there stays open.
    firmware
        What runs on it, where it was linked here.

    Raises
    ------
    DeviceError
        If the board does not answer, or speaks another version of the protocol.
    """

    def __init__(self, link: Link, firmware: Firmware | None = None) -> None:
        self.link = link
        self.firmware = firmware
        self.board = self._ask_board()
        if self.board.protocol != PROTOCOL:
            raise DeviceError(
                f"the board speaks version {self.board.protocol} of the protocol, this is {PROTOCOL}",
                where=link.title,
                hint="build and flash the firmware again",
            )

    def open(self, image: bytes, need: int | None = None) -> None:
        """Open an image in place of what is open: the board's own where it is the same, else sent there.

        Parameters
        ----------
        image
            A plan's image.
        need
            RAM that it takes on the board's core, where known: an error can then say what is missing.

        Raises
        ------
        ImageError
            If the board has too little memory.
        """
        self.link.ask(Request.CLOSE)
        if self.board.flash_image == len(image):
            self.link.ask(Request.OPEN, WORD.pack(0))
            if self.has(image):
                return
            self.link.ask(Request.CLOSE)
        total = len(image) + (need or 0)
        if total > self.board.memory:
            network = f", of which the image takes {len(image):,} B" if need else " for the image alone"
            raise ImageError(
                f"{total:,} B of RAM are needed{network}; the board has {self.board.memory:,} B",
                where=self.link.title,
                hint="build the image into the firmware, or train fewer layers",
            )
        self.write(image)
        self.link.ask(Request.OPEN, WORD.pack(len(image)))
        self.board = self._ask_board()

    def has(self, image: bytes) -> bool:
        """Return whether this image is open on the board."""
        self.board = self._ask_board()
        return self.board.is_open and self.board.checksum == WORD.unpack_from(image, 12)[0]

    @property
    def info(self) -> Info:
        """The network's numbers."""
        self.board = self._ask_board()
        return self.board.network

    @property
    def active(self) -> int:
        """Outputs in use, as of the last request that can change it."""
        return self.board.network.active

    @property
    def parameters(self) -> Floats:
        """The trainable values, a copy."""
        net = self.board.network
        saved = self.save()  # ends with the state and a checksum
        return np.frombuffer(saved, "<f4", net.parameters, len(saved) - 4 * net.state - 4).astype(np.float32)

    def predict(self, x: Values) -> Values:
        """Outputs (n, outputs) for samples (n, ...) in the type of the image."""
        net = self.board.network
        kind = np.dtype(TYPES[net.output_type])
        size = net.outputs * kind.itemsize
        answers = []
        for number, body in self._batches(x, None, size):
            answer = self.link.ask(Request.PREDICT, body, number)[1]
            answers.append(answer or self.read(size))
        return np.frombuffer(b"".join(answers), kind).reshape(-1, net.outputs)

    def score(self, x: Values, targets: Floats) -> Floats:
        """Losses (n,) of samples (n, ...); nothing is learnt."""
        return self._losses(Request.SCORE, self._batches(x, targets, 4))

    def learn(self, x: Values, targets: Floats, passes: int = 1) -> Floats:
        """Losses (n,) before each step of the last pass; with accumulation gradients are added instead."""
        losses = np.empty(0, np.float32)
        if len(x) > self._batch(targets[0].nbytes, 4, WORD.size):
            for _ in range(passes):
                losses = self._losses(Request.LEARN, self._batches(x, targets, 4, WORD.pack(1)))
            return losses
        # All samples are in one frame: the board goes over it by itself, for some seconds at a time.
        at_once = max(LONG // len(x), 1)
        for i in range(0, passes, at_once):
            head = WORD.pack(min(at_once, passes - i))
            losses = self._losses(Request.LEARN, self._batches(x, targets, 4, head))
        return losses

    def observe(self, x: Values) -> None:
        """Let running statistics see samples (n, ...)."""
        for number, body in self._batches(x, None, 0):
            self.link.ask(Request.OBSERVE, body, number)

    def apply(self) -> None:
        """Take one step with the mean of the accumulated gradients."""
        self.link.ask(Request.APPLY)

    def reset(self) -> None:
        """Forget all earlier samples."""
        self.link.ask(Request.RESET)

    def grow(self) -> None:
        """Take one more class into use."""
        self.link.ask(Request.GROW)
        self.board = self._ask_board()

    def set_optimizer(self, phase: Phase) -> None:
        """Set rate and decay of the next steps."""
        self.link.ask(Request.OPTIMIZER, bytes(phase_records([phase])[0].optimizer))

    def set_trainable(self, layer: int, trainable: bool) -> None:
        """Freeze or thaw layer number `layer`."""
        self.link.ask(Request.TRAINABLE, bytes([trainable]), layer)

    def set_anchor(self) -> None:
        """Remember the present parameters as the anchor."""
        self.link.ask(Request.ANCHOR)

    def checksum(self) -> int:
        """CRC-32 of the parameters: equal sums mean equal bits."""
        return self._word(Request.CHECKSUM)

    def save(self) -> bytes:
        """The whole state, exact."""
        return self.read(self._word(Request.SAVE))

    def load(self, saved: bytes) -> None:
        """Restore what :meth:`save` returned; a damaged or foreign state changes nothing."""
        if len(saved) > self.board.free:
            raise StateError(f"{len(saved):,} bytes, the board has {self.board.free:,} free", where="state")
        self.write(saved)
        self.link.ask(Request.LOAD, WORD.pack(len(saved)))
        self.board = self._ask_board()

    def counts(self) -> dict[str, int]:
        """What the board's counter counted during the last call of each kind."""
        return dict(zip(COUNTED, struct.unpack("<5I", self.link.ask(Request.COUNTS)[1]), strict=True))

    def stack(self) -> tuple[int, int]:
        """Bytes of the stack that were in use at most, and its size."""
        used, size = struct.unpack("<2I", self.link.ask(Request.STACK)[1])
        return used, size

    def write(self, data: bytes) -> None:
        """Send bytes to the free memory of the board, piece by piece."""
        self._send(Request.WRITE, data)

    def read(self, size: int) -> bytes:
        """Fetch bytes from the free memory of the board, piece by piece."""
        room = self.board.frame - OVERHEAD
        pieces = [
            self.link.ask(Request.READ, WORD.pack(at), min(room, size - at))[1] for at in range(0, size, room)
        ]
        return b"".join(pieces)

    def _send(self, request: Request, data: bytes) -> None:
        room = self.board.frame - OVERHEAD - WORD.size
        for at in range(0, len(data), room):
            self.link.ask(request, WORD.pack(at) + data[at : at + room])

    def _word(self, request: Request) -> int:
        return int(WORD.unpack(self.link.ask(request)[1])[0])

    def _ask_board(self) -> BoardInfo:
        try:
            return board_info(self.link.ask(Request.INFO)[1])
        except ValueError as error:
            raise DeviceError(str(error), where=self.link.title) from None

    def _losses(self, request: Request, batches: Iterable[tuple[int, bytes]]) -> Floats:
        answers = [self.link.ask(request, body, number)[1] for number, body in batches]
        return np.frombuffer(b"".join(answers), "<f4").astype(np.float32)

    def _batch(self, target: int, answer: int, head: int = 0) -> int:
        """Return how many samples go into one frame, with targets and answers of so many bytes."""
        net = self.board.network
        room = self.board.frame - OVERHEAD - head
        sample = net.inputs * np.dtype(TYPES[net.input_type]).itemsize + target
        return min(room // sample, (self.board.frame - OVERHEAD) // answer if answer else room)

    def _batches(
        self, x: Values, targets: Floats | None, answer: int, head: bytes = b""
    ) -> Iterator[tuple[int, bytes]]:
        """Return number and body of each request; a sample too long for a frame is written beforehand."""
        net = self.board.network
        samples = np.ascontiguousarray(x, TYPES[net.input_type]).reshape(-1, net.inputs)
        wanted = np.zeros((len(samples), 0), "<f4")
        if targets is not None:
            wanted = np.ascontiguousarray(targets, "<f4").reshape(len(samples), net.targets)
        batch = self._batch(wanted[0].nbytes, answer, len(head))
        if batch > 0:
            for at in range(0, len(samples), batch):
                part = slice(at, at + batch)
                yield len(samples[part]), head + wanted[part].tobytes() + samples[part].tobytes()
        else:
            for sample, target in zip(samples, wanted, strict=True):
                self._send(Request.INPUT, sample.tobytes())
                apart = len(head) + target.nbytes > self.board.frame - OVERHEAD
                if apart:
                    self.write(target.tobytes())
                yield 0, head + (b"" if apart else target.tobytes())
