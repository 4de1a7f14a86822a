"""What to change where a firmware does not fit its board."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from shoal.boards import BOARDS
from shoal.build.firmware import Firmware
from shoal.build.requirements import Requirements, requirements
from shoal.build.training import learning_layers
from shoal.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shoal.build.training import Training
    from shoal.nn import Network

__all__ = ["Advice", "advice"]

CHEAPER = {"adam": ("momentum", "sgd"), "momentum": ("sgd",)}


@dataclass(frozen=True, slots=True)
class Advice:
    """A setting that fits.

    Parameters
    ----------
    options
        What to add to the command line.
    needs
        What the firmware then needs.
    """

    options: str
    needs: Requirements


def advice(firmware: Firmware, network: Network, training: Training) -> list[Advice]:
    """Return the nearest settings that fit: of each kind of change the one that gives up least.

    Parameters
    ----------
    firmware
        That does not fit.
    network, training
        What it was made from.
    """
    found = []
    for kind in (optimizers, fewer_layers, biases, answers):
        for change in kind(firmware, training):
            needs = tried(firmware, network, change)
            if needs is not None and needs.fits:
                found.append(Advice(change.options, needs))
                break
    for board in BOARDS.values():
        needs = requirements(replace_board(firmware, board.name))
        if needs.fits and needs.has_code:
            found.append(Advice(f"--for {board.name}", needs))
            break
    return found


def tried(firmware: Firmware, network: Network, training: Training) -> Requirements | None:
    """Return what the firmware needs with another training; None where the network cannot learn so."""
    try:
        applied = training.applied(network)
        other = Firmware(firmware.name, applied, firmware.board, training.chosen(applied), firmware.labels)
    except ConfigError:
        return None
    return requirements(other)


def replace_board(firmware: Firmware, name: str) -> Firmware:
    """Return the same firmware for another board."""
    return Firmware(firmware.name, firmware.network, BOARDS[name], firmware.optimizer, firmware.labels)


def optimizers(firmware: Firmware, training: Training) -> Iterator[Training]:
    """Yield the same with optimizers that keep less."""
    present = firmware.optimizer.name if firmware.optimizer else ""
    for name in CHEAPER.get(present, ()):
        yield replace(training, optimizer=name, rate=None)


def fewer_layers(firmware: Firmware, training: Training) -> Iterator[Training]:
    """Yield the same with fewer layers that learn, then by plain descent too."""
    count = len(learning_layers(firmware.network)) if firmware.learns else 0
    for last in range(count - 1, 0, -1):
        yield replace(training, last=last)
        if firmware.optimizer is not None and firmware.optimizer.name in CHEAPER:
            yield replace(training, last=last, optimizer="sgd", rate=None)


def biases(firmware: Firmware, training: Training) -> Iterator[Training]:
    """Yield the same with biases alone, of fewer and fewer layers."""
    if firmware.learns and not training.bias_only:
        for last in range(len(learning_layers(firmware.network)), 0, -1):
            yield replace(training, last=last, bias_only=True)


def answers(firmware: Firmware, training: Training) -> Iterator[Training]:
    """Yield a network that only answers."""
    if firmware.learns:
        yield replace(training, last=None, bias_only=False, on_integers=False, optimizer="none", rate=None)
