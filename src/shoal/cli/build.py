"""`shoal build`: a firmware project from a model."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from shoal.cli import catalogs, console
from shoal.cli.model import Loss, OptimizerName
from shoal.errors import ConfigError

if TYPE_CHECKING:
    from shoal.build import Advice, Firmware, Requirements

__all__ = ["build"]

TargetName = Literal["arduino", "cmake", "esp-idf", "platformio", "qemu", "zephyr"]


def build(
    file: Path,
    /,
    *,
    board: Annotated[str, Parameter(name="--for")],
    to: TargetName,
    out: Path | None = None,
    name: str | None = None,
    train_last: int | None = None,
    bias_only: Annotated[bool, Parameter(negative=())] = False,
    on_integers: Annotated[bool, Parameter(negative=())] = False,
    optimizer: OptimizerName | None = None,
    rate: float | None = None,
    loss: Loss | None = None,
    labels: str = "",
    force: Annotated[bool, Parameter(negative=())] = False,
) -> None:
    """Write a firmware project: the runtime with what the model uses, the model, an application around it.

    The application checks golden vectors when it starts, then senses, answers, and learns when a label comes.
    A project for qemu is compiled and run at once, and must compute the bits that this computer computes.
    Nothing is written where something fails.

    Parameters
    ----------
    file
        The model: of Shoal, TensorFlow Lite, ONNX, Keras or PyTorch, or its name in the catalog.
    board
        Name of the board, for instance nano33ble.
    to
        The toolchain.
    out
        The folder of the project; NAME-TO by default.
    name
        Of the project; that of the file by default.
    train_last
        How many of the last layers with parameters learn; those that the model says by default.
    bias_only
        Only their biases learn.
    on_integers
        Quantized layers learn their int8 weights instead of becoming float32.
    optimizer
        sgd by default, where something learns; none: the model only answers.
    rate
        Learning rate; that of the optimizer by default.
    loss
        To learn with; the one that the model has by default.
    labels
        Names of the outputs, separated by commas.
    force
        Replace a folder that holds something.
    """
    from shoal import build as builder

    training = builder.Training(
        last=train_last,
        bias_only=bias_only,
        on_integers=on_integers,
        optimizer=optimizer,
        rate=rate,
        loss=loss,
    )
    network = catalogs.network(file)
    words = [label.strip() for label in labels.split(",")] if labels else []
    firmware = builder.firmware(
        network,
        builder.supported_board(board),
        training,
        name=builder.project_name(file.stem) if name is None else name,
        labels=words,
    )
    needs = builder.requirements(firmware)
    if not needs.fits:
        raise too_large(needs, builder.advice(firmware, network, training))
    folder = Path(f"{firmware.name}-{to}") if out is None else out
    builder.project(firmware, to, folder, force=force)
    console.text(f"{folder}: {firmware.name} for the {firmware.board.title}, {to}")
    if to == "qemu":
        try_out(firmware, folder)
    else:
        console.text(f"needs {needs.ram_total:,} B of RAM and {needs.flash_total:,} B of flash of its own")
    console.next_command(builder.TARGETS[to].command(firmware, shlex.quote(str(folder))))


def too_large(needs: Requirements, found: list[Advice]) -> ConfigError:
    """Return the error for a firmware that does not fit."""
    board = needs.firmware.board
    doing = "learn" if needs.firmware.learns else "answer"
    what, count, has = ("flash", needs.flash_total, board.flash_bytes)
    if needs.ram_total > board.ram_bytes:
        what, count, has = ("RAM", needs.ram_total, board.ram_bytes)
    options = [f"{one.options} ({one.needs.ram_total:,} B of RAM)" for one in found]
    return ConfigError(
        f"the model needs {count:,} B of {what} to {doing}, board '{board.name}' has {has:,} B",
        where="--for",
        hint=", or ".join(options) or None,
    )


def try_out(firmware: Firmware, folder: Path) -> None:
    """Compile and run a project for QEMU, and show what it took."""
    from shoal.build import emulated

    trial = emulated(firmware, folder)
    rows = [
        ("flash", f"{trial.flash:,}", "bytes"),
        ("RAM, the stack apart", f"{trial.ram:,}", "bytes"),
        ("stack used", f"{trial.stack:,}", "bytes"),
        ("a prediction", f"{trial.predict:,}", "instructions"),
    ]
    if trial.learn is not None:
        rows.append(("a learning step", f"{trial.learn:,}", "instructions"))
    console.table(f"emulated {trial.core}", ("", "", ""), rows, left=(0, 2))
    after = f"checksum {trial.checksum:08x} after {trial.turns} samples and a restart"
    console.text(f"golden vectors: ok; {after}: the same bits as here", "green")
