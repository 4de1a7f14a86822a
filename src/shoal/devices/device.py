"""A learner whose network is on a board."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from shoal.devices.protocol import COUNTED
from shoal.errors import ConfigError
from shoal.learn import Learner
from shoal.learn.footprint import footprint
from shoal.learn.samples import as_answer, as_pairs, as_sample, as_samples, as_target

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from numpy.typing import ArrayLike, NDArray

    from shoal.devices.remote import RemoteExecutor
    from shoal.learn import Optimizer
    from shoal.nn import Network
    from shoal.runtime import Executor

__all__ = ["Device"]


class Device(Learner):
    """A network on a board, driven like a :class:`shoal.learn.Learner`: the same verbs, the same bits.

    Made by :func:`shoal.devices.emulate` and :func:`shoal.devices.connect`; a context manager that ends the
    connection. A board that has this very image open goes on with what it has learnt.

    Parameters
    ----------
    network, optimizer, batch
        As for a learner.
    start
        Returns the board for an image and the bytes of RAM that its network takes, None where the core is not
        known.
    core
        The board's processor core, where known.
    ticks
        Of the board's counter for one unit of :attr:`unit`.

    Raises
    ------
    ImageError
        If the board has too little memory.
    DeviceError
        If the board does not answer.
    """

    def __init__(
        self,
        network: Network,
        start: Callable[[bytes, int | None], RemoteExecutor],
        optimizer: Optimizer | None = None,
        *,
        batch: int = 1,
        core: str | None = None,
        ticks: float = 1.0,
    ) -> None:
        super().__init__(network, optimizer, batch=batch)  # here first: it checks the arguments
        self.core = core
        self._ticks = ticks
        image = self._plan.image()
        need = footprint(self._plan, core).ram if core else None
        self.board = start(image, need)
        try:
            if not self.board.has(image):
                self.board.open(image, need)
            self.board.set_optimizer(self.optimizer.phase())
        except BaseException:
            self.close()
            raise
        self._executor = cast("Executor", self.board)

    def predict_one(self, x: ArrayLike) -> NDArray[np.float32]:
        """As :meth:`shoal.learn.Learner.predict_one`."""
        return as_answer(self.network, self.board.predict(as_sample(self.network, x))[0])

    def predict_many(self, x: ArrayLike) -> NDArray[np.float32]:
        """As :meth:`shoal.learn.Learner.predict_many`."""
        answers = self.board.predict(as_samples(self.network, x))
        return np.stack([as_answer(self.network, answer) for answer in answers])

    def score_one(self, x: ArrayLike, y: ArrayLike) -> float:
        """As :meth:`shoal.learn.Learner.score_one`."""
        return float(self.board.score(as_sample(self.network, x)[None], self._target(y)[None])[0])

    def score_many(self, x: ArrayLike, y: ArrayLike) -> NDArray[np.float32]:
        """As :meth:`shoal.learn.Learner.score_many`."""
        return self.board.score(*self._rows(x, y))

    def learn_one(self, x: ArrayLike, y: ArrayLike) -> float:
        """As :meth:`shoal.learn.Learner.learn_one`."""
        return float(self._learn_rows(as_sample(self.network, x)[None], self._target(y)[None])[0])

    def learn_many(self, x: ArrayLike, y: ArrayLike, *, passes: int = 1) -> NDArray[np.float32]:
        """As :meth:`shoal.learn.Learner.learn_many`, several times over.

        Parameters
        ----------
        x, y
            As for a learner.
        passes
            At least 1. Samples that fit into one frame together cross the line once.

        Returns
        -------
        The losses (n,) before each step of the last pass.
        """
        if passes < 1:
            raise ConfigError(f"passes is {passes}", where="learn_many", hint="1 or more")
        return self._learn_rows(*self._rows(x, y), passes)

    def count(self, verb: str) -> int:
        """Return what the last such call on the board took, its one sample alone.

        Parameters
        ----------
        verb
            ``"predict"``, ``"score"``, ``"learn"``, ``"observe"`` or ``"apply"``.

        Returns
        -------
        In :attr:`unit`; instructions of an emulated board are exact.
        """
        if verb not in COUNTED:
            raise ConfigError(f"'{verb}' is not counted", where="count", hint=f"one of {', '.join(COUNTED)}")
        return round(self.board.counts()[verb] / self._ticks)

    @property
    def unit(self) -> str:
        """What is counted: ``"instructions"``, ``"cycles"``, ``"microseconds"`` or ``"nothing"``."""
        return self.board.board.unit

    @property
    def stack_used(self) -> int:
        """Bytes of the stack that were in use at most since the board started."""
        return self.board.stack()[0]

    def close(self) -> None:
        """End the connection; an emulated board ends with it."""
        self.board.link.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Device {self.board.link.title}: {self.network!r}>"

    def _rows(self, x: ArrayLike, y: ArrayLike) -> tuple[NDArray[Any], NDArray[np.float32]]:
        samples, targets = zip(*as_pairs(self.network, x, y, self.board.active), strict=True)
        return np.stack(samples), np.stack(targets)

    def _target(self, y: ArrayLike) -> NDArray[np.float32]:
        return as_target(self.network, y, self.board.active)

    def _learn_rows(
        self, x: NDArray[Any], targets: NDArray[np.float32], passes: int = 1
    ) -> NDArray[np.float32]:
        if self.batch == 1:
            return self.board.learn(x, targets, passes)
        return [self._accumulate(x, targets) for _ in range(passes)][-1]

    def _accumulate(self, x: NDArray[Any], targets: NDArray[np.float32]) -> NDArray[np.float32]:
        losses = []
        pending = self.board.info.pending
        while len(x) > 0:
            part = max(self.batch - pending, 1)
            losses.append(self.board.learn(x[:part], targets[:part]))
            pending += len(losses[-1])
            x, targets = x[part:], targets[part:]
            if pending >= self.batch:
                self.board.apply()
                pending = 0
        return np.concatenate(losses)
