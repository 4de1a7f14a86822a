"""RAM of a network on the built-in boards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from shoal.boards import BOARDS, Board
from shoal.cli import console
from shoal.learn.footprint import Footprint, footprint

if TYPE_CHECKING:
    from shoal.nn import Plan

__all__ = ["Need", "needs", "show"]

# Boards of every size and core: all that are known would fill pages.
SHOWN = (
    "hifive1b",
    "nucleo-f103rb",
    "nano33iot",
    "microbit2",
    "nucleo-f446re",
    "nano33ble",
    "pico",
    "nucleo-h743zi",
    "portenta-h7",
    "esp32c6",
    "pico2",
)


@dataclass(frozen=True, slots=True)
class Need:
    """What a network needs on one board, in bytes, exact.

    Parameters
    ----------
    board
        Where.
    training, inference
        RAM to learn and answer, and to answer alone.
    """

    board: Board
    training: Footprint
    inference: Footprint

    @property
    def verdict(self) -> str:
        """Whether it fits."""
        if self.board.margin(self.training.ram) >= 0:
            return "learns"
        return "answers" if self.board.margin(self.inference.ram) >= 0 else "too small"


def needs(training: Plan, inference: Plan) -> list[Need]:
    """Return the need on the boards that are shown, smallest board first."""
    return [
        Need(board, footprint(training, board.core), footprint(inference, board.core))
        for board in (BOARDS[name] for name in SHOWN)
    ]


def show(found: list[Need]) -> None:
    """Write the table of boards."""
    rows = []
    for need in found:
        margin = need.board.margin(need.training.ram)
        style = {"learns": "green", "answers": "yellow"}.get(need.verdict, "red")
        rows.append(
            (
                need.board.title,
                f"{need.board.ram_bytes:,}",
                f"{need.training.ram:,}",
                f"{need.inference.ram:,}",
                f"{margin:+,}",
                Text(need.verdict, style=style),
            )
        )
    console.table(
        "RAM in bytes, exact; what is left is for the firmware itself",
        ("board", "has", "learning", "answering", "left", ""),
        rows,
        left=(0, 5),
    )
