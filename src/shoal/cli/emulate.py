"""`shoal emulate`: a network on an emulated board, checked against this process."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.cli import console
from shoal.cli.console import FormatOption
from shoal.errors import ConfigError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from shoal.devices import Device, Layout
    from shoal.nn import Network

__all__ = ["emulate"]

SAMPLES = 4
SMALL = 65_536  # bytes of RAM below which stack and frames are small, too


def emulate(
    model: Path,
    /,
    *,
    core: str | None = None,
    board: str | None = None,
    steps: int = 100,
    output_format: FormatOption = "table",
) -> int:
    """Run a network on an emulated board, and check that it computes what this process computes.

    The board answers and learns from random samples beside a learner in this process: the outputs and the
    checksum of all parameters must be the same. Exit code 0 where they are, 1 otherwise.

    Parameters
    ----------
    model
        The network, for instance runs/demo/model.shoal.
    core
        Processor core of the board; cortex-m4f by default.
    board
        A board to take core, RAM and flash from.
    steps
        How many samples to learn from, in whole rounds of 4.
    """
    from shoal import devices, nn

    if steps < 0:
        raise ConfigError(f"steps is {steps}", where="--steps", hint="0 or more")
    network = nn.load(model)
    chosen, layout = place(core, board)
    with devices.emulate(network, chosen, layout=layout) as device:
        found = judged(device, network, chosen, steps)
    if output_format == "json":
        console.json_result(asdict(found) | {"ok": found.same})
    else:
        show(found, model.name)
    return 0 if found.same else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Emulated:
    """What an emulated board said.

    Parameters
    ----------
    core, machine
        Of the board.
    flash, ram
        Bytes by part.
    instructions
        Of one call.
    steps
        How many samples it learnt from.
    checksum
        Of its parameters afterwards.
    same_outputs, same_checksum
        Whether they are those of this process.
    """

    core: str
    machine: str
    flash: dict[str, int]
    ram: dict[str, int]
    instructions: dict[str, int]
    steps: int
    checksum: str
    same_outputs: bool
    same_checksum: bool

    @property
    def same(self) -> bool:
        """Whether all bits are the same."""
        return self.same_outputs and self.same_checksum


def place(core: str | None, name: str | None) -> tuple[str, Layout]:
    """Return core and sizes of the memories."""
    from shoal import devices
    from shoal.boards import board
    from shoal.devices.machines import machine

    if name is None:
        return core or "cortex-m4f", devices.Layout()
    chosen = board(name)
    if core not in {None, chosen.core}:
        raise ConfigError(f"{chosen.title} has a {chosen.core}", where="--core", hint=f"--board {name} alone")
    if chosen.core not in devices.cores():
        hint = f"a board with one of {', '.join(devices.cores())}"
        raise ConfigError(f"no emulator for the {chosen.core} of {chosen.title}", where="--board", hint=hint)
    emulated = machine(chosen.core)
    small = {"stack": 2048, "frame": 512} if chosen.ram_bytes < SMALL else {}
    return chosen.core, devices.Layout(
        ram=min(chosen.ram_bytes, emulated.ram.limit),
        flash=min(chosen.flash_bytes, emulated.flash.limit),
        **small,
    )


def judged(device: Device, network: Network, core: str, steps: int) -> Emulated:
    """Let the board and a learner here do the same."""
    from shoal.learn import Learner

    learner = Learner(network)
    x, y = samples(network)
    same_outputs = device.predict_many(x).tobytes() == learner.predict_many(x).tobytes()
    calls = {"predict": device.count("predict")}
    passes = steps // SAMPLES if network.learns else 0
    if passes > 0:
        for _ in range(passes):
            learner.learn_many(x, y)
        device.learn_many(x, y, passes=passes)
        calls["learn"] = device.count("learn")
    used, stack = device.board.stack()
    image, firmware = device.board.board.flash_image, device.board.firmware
    return Emulated(
        core=core,
        machine=device.board.board.title,
        flash={"firmware": firmware.flash - image, "image": image} if firmware else {},
        ram={"network": device.footprint(core).ram, "stack": stack, "stack used": used},
        instructions=calls,
        steps=passes * SAMPLES,
        checksum=f"{device.checksum:08x}",
        same_outputs=same_outputs,
        same_checksum=device.checksum == learner.checksum,
    )


def samples(network: Network) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return random samples and targets that the network can learn from, always the same."""
    import numpy as np

    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (SAMPLES, *network.input_shape)).astype(np.float32)
    if network.loss == "cross_entropy":
        return x, rng.integers(0, network.active, SAMPLES).astype(np.float32)
    return x, rng.uniform(0, 1, (SAMPLES, *network.output_shape)).astype(np.float32)


def show(found: Emulated, name: str) -> None:
    """Write the tables."""
    rows = [(f"flash, {part}", f"{count:,}", "bytes") for part, count in found.flash.items()]
    rows += [(f"RAM, {part}", f"{count:,}", "bytes") for part, count in found.ram.items()]
    rows += [(call, f"{count:,}", "instructions") for call, count in found.instructions.items()]
    console.table(f"{name}: {found.machine} in QEMU", ("", "", ""), rows, left=(0, 2))
    verdicts = {True: "the same bits as here", False: "not what is computed here"}
    console.text(f"outputs of {SAMPLES} samples: {verdicts[found.same_outputs]}")
    after = f"checksum {found.checksum} after {found.steps:,} steps"
    console.text(f"{after}: {verdicts[found.same_checksum]}", "green" if found.same else "bold red")
