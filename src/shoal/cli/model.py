"""`shoal model`: what models need."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from shoal.cli import catalogs, console
from shoal.cli.console import FormatOption

if TYPE_CHECKING:
    from shoal.build import Advice, Requirements

__all__ = ["footprint", "model"]

model = App(
    name="model", help="Models: what they are, and what they need of a board.", help_flags=["--help", "-h"]
)

Loss = Literal["mse", "bce", "cross_entropy"]
OptimizerName = Literal["sgd", "momentum", "adam", "none"]


@model.command(help_epilogue="")
def footprint(
    file: Path,
    /,
    *,
    board: Annotated[str, Parameter(name="--for")],
    train_last: int | None = None,
    bias_only: Annotated[bool, Parameter(negative=())] = False,
    on_integers: Annotated[bool, Parameter(negative=())] = False,
    optimizer: OptimizerName | None = None,
    loss: Loss | None = None,
    output_format: FormatOption = "table",
) -> int:
    """Show what a model needs of a board before anything is flashed.

    RAM is exact; the stack is the deepest call that was measured. Code is what was measured with -O2,
    instructions come from a model fitted to an emulated core, time and energy are estimates. Where the board
    has too little, the nearest settings that fit are named. Exit code 0 where it fits, 1 otherwise.

    Parameters
    ----------
    file
        The model: of Shoal, TensorFlow Lite, ONNX, Keras or PyTorch, or its name in the catalog.
    board
        Name of the board, for instance nano33ble.
    train_last
        How many of the last layers with parameters learn; those that the model says by default.
    bias_only
        Only their biases learn.
    on_integers
        Quantized layers learn their int8 weights instead of becoming float32.
    optimizer
        sgd by default, where something learns; none: the model only answers.
    loss
        To learn with; the one that the model has by default.
    """
    from shoal import build

    training = build.Training(
        last=train_last, bias_only=bias_only, on_integers=on_integers, optimizer=optimizer, loss=loss
    )
    network = catalogs.network(file)
    firmware = build.firmware(
        network, build.supported_board(board), training, name=build.project_name(file.stem)
    )
    needs = build.requirements(firmware)
    found = [] if needs.fits else build.advice(firmware, network, training)
    if output_format == "json":
        console.json_result(as_json(needs) | {"advice": [one.options for one in found]})
    else:
        show(needs, file.name)
        advise(found)
    return 0 if needs.fits else 1


def as_json(needs: Requirements) -> dict[str, Any]:
    """Return what a firmware needs, for programs."""
    board, calls = needs.firmware.board, needs.instructions
    counted = {} if calls is None else {"predict": calls.predict, "learn": calls.learn}
    counts = {name: count for name, count in counted.items() if count is not None}
    return {
        "board": board.name,
        "core": board.core,
        "optimizer": needs.firmware.optimizer.name if needs.firmware.optimizer else None,
        "fits": needs.fits,
        "ram": {"has": board.ram_bytes, "needs": needs.ram_total, "parts": needs.ram},
        "flash": {
            "has": board.flash_bytes,
            "needs": needs.flash_total,
            "with_code": needs.has_code,
            "parts": needs.flash,
        },
        "instructions": counts,
        "estimated": {
            "cycles_per_instruction": needs.cycles_per_instruction,
            "seconds": {name: needs.seconds(count) for name, count in counts.items()},
            "joules": {name: needs.joules(count) for name, count in counts.items()},
        },
    }


def show(needs: Requirements, name: str) -> None:
    """Write the tables."""
    board = needs.firmware.board
    how = f"learning by {needs.firmware.optimizer.name}" if needs.firmware.optimizer else "answering"
    for kind, parts, total, has in (
        ("RAM", needs.ram, needs.ram_total, board.ram_bytes),
        ("flash", needs.flash, needs.flash_total, board.flash_bytes),
    ):
        rows = [(f"{kind}, {part}", f"{count:,}") for part, count in parts.items() if count]
        if kind == "flash" and not needs.has_code:
            rows.append(("flash, code", "not known"))
        rows.append((f"{kind} in all", f"{total:,}"))
        rows.append(("the board has", f"{has:,}"))
        title = f"{name} on the {board.title}, {how}" if kind == "RAM" else ""
        console.table(title, ("", "bytes"), rows)
    if needs.instructions is None:
        console.text(f"instructions: not known for these operations on the {board.core}")
    else:
        console.table("", ("", "instructions", "time", "energy"), calls_of(needs))
        console.text(assumption(needs), "dim")
    console.text("it fits" if needs.fits else "it does not fit", "green" if needs.fits else "bold red")


def calls_of(needs: Requirements) -> list[tuple[str, str, str, str]]:
    """Return a row for each call."""
    assert needs.instructions is not None  # noqa: S101
    counts = [("a prediction", needs.instructions.predict), ("a learning step", needs.instructions.learn)]
    return [
        (name, f"{count:,}", amount(needs.seconds(count), "s"), amount(needs.joules(count), "J"))
        for name, count in counts
        if count is not None
    ]


def amount(value: float | None, unit: str) -> str:
    """Return an estimate in two digits with a prefix.

    Examples
    --------
    >>> amount(0.00123, "s"), amount(4.5e-5, "J"), amount(None, "J")
    ('1.2 ms', '45 µJ', '')
    """
    if value is None:
        return ""
    for scale, prefix in ((1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n")):
        if value >= 0.995 * scale or prefix == "n":
            return f"{float(f'{value / scale:.2g}'):g} {prefix}{unit}"
    return ""


def assumption(needs: Requirements) -> str:
    """Return what the estimates assume."""
    board, cycles = needs.firmware.board, needs.cycles_per_instruction
    text = f"time: an estimate with {cycles:g} cycles for an instruction at {board.clock_hz / 1e6:g} MHz"
    current = board.chip.current
    if current is not None:
        text += f"; energy: with {current.microamperes_per_mhz:g} µA/MHz at {current.volts:g} V"
    return text


def advise(found: list[Advice]) -> None:
    """Write what fits instead."""
    if found:
        rows = [
            (
                one.options,
                f"{one.needs.ram_total:,}",
                f"{one.needs.flash_total:,}",
                one.needs.firmware.board.title,
            )
            for one in found
        ]
        console.table("what fits", ("with", "RAM", "flash", "on"), rows, left=(0, 3))
