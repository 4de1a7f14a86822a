"""What a firmware project is made from."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shoal.boards import board as board_named
from shoal.errors import ConfigError

if TYPE_CHECKING:
    from shoal.boards import Board
    from shoal.learn import Optimizer
    from shoal.nn import Network, Plan

__all__ = ["Firmware", "supported_board"]

# Boards that many have at hand, and that cannot be.
AVR = {
    "arduino-uno": "ATmega328P, 2,048 B of RAM",
    "leonardo": "ATmega32U4, 2,560 B of RAM",
    "mega2560": "ATmega2560, 8,192 B of RAM",
    "micro": "ATmega32U4, 2,560 B of RAM",
    "nano": "ATmega328P, 2,048 B of RAM",
    "nano-every": "ATmega4809, 6,144 B of RAM",
    "pro-mini": "ATmega328P, 2,048 B of RAM",
    "uno": "ATmega328P, 2,048 B of RAM",
}

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")


@dataclass(frozen=True, slots=True, eq=False)
class Firmware:
    """A network for a board.

    Parameters
    ----------
    name
        Of the project: a letter, then letters, digits and underscores, 40 at most.
    network
        What it answers with, and learns from where it is not None that follows.
    board
        Where it runs.
    optimizer
        How it learns; None: it only answers.
    labels
        Names of the first outputs.

    Attributes
    ----------
    plan
        What the runtime does.

    Raises
    ------
    ConfigError
        If a name or a label cannot be, or the network cannot learn as asked.
    """

    name: str
    network: Network
    board: Board
    optimizer: Optimizer | None = None
    labels: tuple[str, ...] = ()
    plan: Plan = field(init=False)

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name) or self.name.lower().startswith("arduino"):
            raise ConfigError(
                f"the name {self.name!r} cannot be one of a project",
                where="name",
                hint="a letter, then letters, digits and underscores, 40 at most, not 'arduino...'",
            )
        outputs = self.network.output_shape[-1]
        if len(self.labels) > outputs:
            raise ConfigError(f"{len(self.labels)} labels for {outputs} outputs", where="labels")
        for label in self.labels:
            if not label.isprintable() or not label:
                raise ConfigError(f"the label {label!r} cannot be shown", where="labels")
        object.__setattr__(self, "plan", self.network.plan(self.optimizer.name if self.optimizer else None))

    @property
    def learns(self) -> bool:
        """Whether it learns on the board."""
        return self.optimizer is not None

    @property
    def targets(self) -> int:
        """Values of one label."""
        if not self.learns:
            return 0
        return 1 if self.network.loss == "cross_entropy" else self.outputs

    @property
    def inputs(self) -> int:
        """Values of one sample."""
        height, width, channels = self.plan.tensors[self.plan.input].shape
        return height * width * channels

    @property
    def outputs(self) -> int:
        """Values of one answer, classes in reserve included."""
        height, width, channels = self.plan.tensors[self.plan.output].shape
        return height * width * channels


def supported_board(name: str) -> Board:
    """Return the board of this name, if firmware can be built for it.

    Raises
    ------
    ConfigError
        If no board has the name, or it is an 8-bit one.
    """
    if name in AVR:
        raise ConfigError(
            f"board '{name}' has an 8-bit AVR ({AVR[name]}): the runtime needs 32 bits",
            where="board",
            hint="a 32-bit board, for instance nano33iot, uno-r4-wifi or pico",
        )
    return board_named(name)
