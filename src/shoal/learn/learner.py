"""The object that a device is, in Python."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import ConfigError, StateError
from shoal.learn.footprint import Footprint, footprint
from shoal.learn.optimizers import SGD, Optimizer
from shoal.learn.samples import as_answer, as_pairs, as_sample, as_samples, as_target
from shoal.nn import storage
from shoal.runtime import Executor

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray

    from shoal.nn import Network

__all__ = ["Learner"]


class Learner:
    """A network that predicts and learns sample by sample, on the runtime of a device.

    What it computes is, bit for bit, what a microcontroller computes from the same samples.

    Parameters
    ----------
    network
        Where learning starts; it is not changed. One without a loss, or whose answer is quantized, only
        predicts.
    optimizer
        How a gradient becomes a step.
    batch
        Samples for each step. With 1 each sample is learnt at once; with more their gradients are added up
        in memory of the parameters' size, and the mean is applied.

    Raises
    ------
    ConfigError
        If `batch` is less than 1.

    Examples
    --------
    >>> import numpy as np
    >>> from shoal import learn, nn
    >>> net = nn.Network([nn.Dense(8, "tanh"), nn.Dense(1)], input_shape=(1,), loss="mse", seed=0)
    >>> learner = learn.Learner(net, optimizer=learn.SGD(0.1))
    >>> x = np.linspace(-1, 1, 50, dtype=np.float32).reshape(-1, 1)
    >>> losses = [learner.learn_many(x, x**2).mean() for _ in range(40)]
    >>> bool(losses[-1] < 0.1 * losses[0])
    True
    """

    def __init__(self, network: Network, optimizer: Optimizer | None = None, *, batch: int = 1) -> None:
        if batch < 1:
            raise ConfigError(f"batch is {batch}", where="Learner", hint="1 or more")
        self.network = network
        self.optimizer: Optimizer = SGD() if optimizer is None else optimizer
        self.batch = batch
        learns = network.learns
        self._plan = network.plan(self.optimizer.name if learns else None, accumulate=learns and batch > 1)
        self._executor = Executor(self._plan.image())
        self._executor.set_optimizer(self.optimizer.phase())
        self._frozen: set[str] = set()

    def predict_one(self, x: ArrayLike) -> NDArray[np.float32]:
        """Outputs for one sample.

        Parameters
        ----------
        x
            One sample of the network's input shape, finite.

        Returns
        -------
        float32 array of the network's output shape; classes in reserve are 0.

        Raises
        ------
        InputError
            If the sample has another shape, another type, or values that are not finite.
        """
        return as_answer(self.network, self._executor.predict(as_sample(self.network, x)))

    def predict_many(self, x: ArrayLike) -> NDArray[np.float32]:
        """Outputs (n, ...) for samples (n, ...), one after the other."""
        samples = as_samples(self.network, x)
        out = np.empty((len(samples), *self.network.output_shape), np.float32)
        for i, sample in enumerate(samples):
            out[i] = as_answer(self.network, self._executor.predict(sample))
        return out

    def score_one(self, x: ArrayLike, y: ArrayLike) -> float:
        """Loss for one sample; nothing is learnt."""
        return self._executor.score(as_sample(self.network, x), self._target(y))[1]

    def score_many(self, x: ArrayLike, y: ArrayLike) -> NDArray[np.float32]:
        """Losses (n,) for samples (n, ...); nothing is learnt."""
        pairs = as_pairs(self.network, x, y, self._executor.info.active)
        return np.array([self._executor.score(sample, target)[1] for sample, target in pairs], np.float32)

    def learn_one(self, x: ArrayLike, y: ArrayLike) -> float:
        """Predict one sample, then learn from it.

        Parameters
        ----------
        x
            One sample of the network's input shape, finite.
        y
            The values that the network should have answered, or for cross-entropy the number of the class.

        Returns
        -------
        The loss before the step.

        Raises
        ------
        InputError
            If the sample or the target does not fit; nothing is learnt from it.
        DivergedError
            If the loss is not finite, after too high a rate for instance; nothing is learnt from the sample.
        """
        return self._learn(as_sample(self.network, x), self._target(y))

    def learn_many(self, x: ArrayLike, y: ArrayLike) -> NDArray[np.float32]:
        """Learn from samples (n, ...) in order, all checked first.

        Returns
        -------
        The losses (n,) before each step.
        """
        pairs = as_pairs(self.network, x, y, self._executor.info.active)
        return np.array([self._learn(sample, target) for sample, target in pairs], np.float32)

    def observe_one(self, x: ArrayLike) -> None:
        """Let running statistics see a sample that has no label."""
        self._executor.observe(as_sample(self.network, x))

    def reset(self) -> None:
        """Forget all earlier samples, as recurrent layers remember them; nothing that was learnt changes."""
        self._executor.reset()

    def grow(self) -> int:
        """Take one class from the reserve into use.

        Returns
        -------
        The number of the new class.

        Raises
        ------
        InputError
            If no class is in reserve.
        """
        self._executor.grow()
        return self._executor.info.active - 1

    def freeze(self, *names: str) -> None:
        """Stop these layers from learning from now on."""
        self._set_trainable(names, trainable=False)

    def thaw(self, *names: str) -> None:
        """Let these layers learn again."""
        self._set_trainable(names, trainable=True)

    @property
    def steps(self) -> int:
        """Updates taken so far."""
        return self._executor.info.steps

    @property
    def checksum(self) -> int:
        """CRC-32 of the parameters: equal sums mean equal bits."""
        return self._executor.checksum()

    def footprint(self, core: str = "cortex-m4f") -> Footprint:
        """Memory that this learner needs on a device.

        Parameters
        ----------
        core
            Name of the processor core, for instance ``"cortex-m4f"``.
        """
        return footprint(self._plan, core)

    def learned_network(self) -> Network:
        """Return the network with what was learnt, classes that were taken into use included.

        Raises
        ------
        ConfigError
            If the network has running statistics, which only a saved state holds.
        """
        if self._plan.statistics > 0:
            raise ConfigError(
                "a network does not hold running statistics",
                where="Learner.learned_network",
                hint="learner.save(path)",
            )
        network = self.network.with_parameters(self._executor.parameters.copy())
        integers = self._executor.quantized
        for name, word in self._plan.quantized_layout:
            array = network.arrays[name]
            array[...] = integers[4 * word : 4 * word + array.nbytes].view(array.dtype).reshape(array.shape)
        return network.grow(self._executor.info.active - network.active) if network.reserve else network

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the whole state, exact bits, at once or not at all.

        Raises
        ------
        DivergedError
            If a value is not finite; the file stays as it was.
        StorageError
            If the file cannot be written; it stays as it was.
        """
        storage.write(path, self._executor.save())

    def load(self, path: str | os.PathLike[str]) -> None:
        """Restore what :meth:`save` wrote, exact bits.

        Raises
        ------
        StateError
            If the file is damaged or of another network or optimizer; the learner stays as it was.
        StorageError
            If the file cannot be read.
        """
        saved = storage.read(path)
        try:
            self._executor.load(saved)
        except StateError as error:
            hint = "a state that the same network and optimizer saved"
            raise StateError(error.what, where=os.fspath(path), hint=hint) from None

    def clone(self) -> Learner:
        """Return an independent learner with the same state."""
        copy = Learner(self.network, self.optimizer, batch=self.batch)
        copy._executor.load(self._executor.save())
        copy.freeze(*self._frozen)
        return copy

    def __repr__(self) -> str:
        return f"Learner({self.network!r}, optimizer={self.optimizer!r}, batch={self.batch})"

    def _learn(self, sample: NDArray[Any], target: NDArray[np.float32]) -> float:
        _, loss = self._executor.learn(sample, target)
        if self.batch > 1 and self._executor.info.pending >= self.batch:
            self._executor.apply()
        return loss

    def _target(self, y: ArrayLike) -> NDArray[np.float32]:
        return as_target(self.network, y, self._executor.info.active)

    def _set_trainable(self, names: Iterable[str], *, trainable: bool) -> None:
        for name in names:
            if name not in self._plan.layers:
                raise ConfigError(
                    f"no layer '{name}'", where="Learner", hint=f"one of {', '.join(self._plan.layers)}"
                )
            self._executor.set_trainable(self._plan.layers.index(name), trainable)
            (self._frozen.discard if trainable else self._frozen.add)(name)
