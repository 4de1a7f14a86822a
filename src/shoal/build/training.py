"""What of a network learns on a board, and how: the settings of a command line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shoal import learn, nn
from shoal.build.firmware import Firmware
from shoal.errors import ConfigError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from shoal.boards import Board
    from shoal.learn import Optimizer
    from shoal.nn import Network
    from shoal.nn.autodiff import Loss

__all__ = ["OPTIMIZERS", "Training", "firmware"]

OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "sgd": learn.SGD,
    "momentum": learn.Momentum,
    "adam": learn.Adam,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """How a network learns on its board.

    Parameters
    ----------
    last
        How many of the last layers with parameters learn; None: those that the network says.
    bias_only
        Whether only their biases do.
    on_integers
        Whether quantized layers learn their int8 weights instead of becoming float32.
    optimizer
        "sgd", "momentum", "adam", or "none" for a network that only answers; None: "sgd" where one learns.
    rate
        Of the optimizer; None: its own.
    loss
        To learn with; None: the one that the network has.

    Raises
    ------
    ConfigError
        If the optimizer is not known.
    """

    last: int | None = None
    bias_only: bool = False
    on_integers: bool = False
    optimizer: str | None = None
    rate: float | None = None
    loss: Loss | None = None

    def __post_init__(self) -> None:
        if self.optimizer not in {None, "none", *OPTIMIZERS}:
            raise ConfigError(
                f"unknown optimizer '{self.optimizer}'",
                where="optimizer",
                hint=" | ".join([*OPTIMIZERS, "none"]),
            )

    def applied(self, network: Network) -> Network:
        """Return a copy of a network in which this learns."""
        if self.loss is not None:
            network = network.with_loss(self.loss)
        if self.last is not None:
            network = network.train_last(self.last, on_integers=self.on_integers)
        names = learning_layers(network)
        if not self.bias_only or not names:
            return network
        return network.freeze().train(*names, trainable="bias", on_integers=self.on_integers)

    def chosen(self, network: Network) -> Optimizer | None:
        """Return the optimizer for a network in which this was applied; None: it only answers."""
        asked = self.optimizer
        if asked is None:
            asked = "sgd" if self.last or (network.learns and network.trainable) else "none"
        if asked == "none":
            return None
        return OPTIMIZERS[asked]() if self.rate is None else OPTIMIZERS[asked](self.rate)

    @property
    def options(self) -> str:
        """The same on a command line."""
        words = [] if self.last is None else [f"--train-last {self.last}"]
        words += ["--bias-only"] * self.bias_only + ["--on-integers"] * self.on_integers
        words += [] if self.optimizer is None else [f"--optimizer {self.optimizer}"]
        words += [] if self.rate is None else [f"--rate {self.rate:g}"]
        return " ".join([*words, *([] if self.loss is None else [f"--loss {self.loss}"])])


def layers(network: Network) -> list[str]:
    """Return the names of all layers with parameters, in order."""
    return [step.name for step in network.trace.steps if step.mask is not None]


def learning_layers(network: Network) -> list[str]:
    """Return the names of the layers that learn, in order."""
    learning = {name.rpartition(".")[0] for name in network.trainable}
    return [name for name in layers(network) if name in learning]


def firmware(
    model: Network | str | os.PathLike[str],
    board: Board,
    training: Training | None = None,
    *,
    name: str | None = None,
    labels: Sequence[str] = (),
) -> Firmware:
    """Return what a project is made from.

    Parameters
    ----------
    model
        A network, or a file that :func:`shoal.nn.load` reads.
    board
        Where it runs.
    training
        What of it learns there, and how.
    name
        Of the project; None: that of the file.
    labels
        Names of the first outputs.

    Raises
    ------
    ConfigError
        If a setting does not fit the network.
    """
    training = Training() if training is None else training
    if isinstance(model, nn.Network):
        network, stem = model, "network"
    else:
        network, stem = nn.load(model), Path(model).stem
    if name is None:
        name = project_name(stem)
    if training.last and network.loss is None and training.loss is None:
        raise ConfigError(
            "a network without a loss cannot learn", where="loss", hint="--loss mse | bce | cross_entropy"
        )
    applied = training.applied(network)
    return Firmware(name, applied, board, training.chosen(applied), tuple(labels))


def project_name(stem: str) -> str:
    """Return a name for a project from that of a file.

    Examples
    --------
    >>> project_name("kws_ref_model.v2"), project_name("01-gesture")
    ('kws_ref_model_v2', 'model_01_gesture')
    """
    plain = "".join(c if c.isascii() and c.isalnum() else "_" for c in stem)[:30]
    sound = plain[:1].isalpha() and not plain.lower().startswith("arduino")
    return plain if sound else f"model_{plain}"
