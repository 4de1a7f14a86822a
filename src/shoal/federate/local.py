"""What a client is asked to do, and what comes back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from shoal.federate.codecs import Codec, Dense

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shoal.runtime import Phase

__all__ = ["LocalPlan", "Update"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LocalPlan:
    """What each client of a round computes from its own samples.

    Parameters
    ----------
    image
        The network as its device runs it.
    phases
        Parts of the visit, in order.
    clients
        How many take part in a round.
    shared
        Places of the parameters that travel, ascending; None for all. The others start each visit as they are
        at the server, where they never change, and stay on the device.
    upload, download
        How updates and parameters travel.
    gradient
        A rate turns the visit into one of gradients: its phases end with the gradient in the optimizer's slot
        instead of moving the parameters, and the client takes a step of this rate by itself.
    repeats
        Such visits one after the other, each with further samples.
    pooled
        The clients send their samples instead of learning: one visit learns from all of them, taken in turns.
    """

    image: bytes
    phases: tuple[Phase, ...]
    clients: int = 1
    shared: NDArray[np.intp] | None = None
    upload: Codec = field(default_factory=Dense)
    download: Codec = field(default_factory=Dense)
    gradient: float | None = None
    repeats: int = 1
    pooled: bool = False

    @property
    def samples(self) -> int:
        """Samples that one client learns from."""
        return (
            self.repeats * sum(phase.samples for phase in self.phases) // (self.clients if self.pooled else 1)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What came back from one client.

    Parameters
    ----------
    client
        Its id.
    payload
        The encoded change of the shared parameters; None where none arrived.
    samples
        How many samples it learnt from.
    loss
        Mean loss before each step.
    bytes_down, bytes_up
        What travelled.
    failure
        Why none arrived, empty where one did.
    """

    client: int
    payload: bytes | None
    samples: int
    loss: float
    bytes_down: int
    bytes_up: int
    failure: str = ""
