"""What a device is made of: its hardware, and boards, which many devices share."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from shoal.catalog.documents.amount import Capacity
from shoal.catalog.documents.document import Document, Name, Part, Text
from shoal.catalog.documents.model import Operator
from shoal.catalog.documents.sensor import Sensor

__all__ = ["Board", "Hardware", "Runtime"]


class Runtime(Part):
    """What runs models on a device.

    Parameters
    ----------
    name
        `shoal`, `tflite-micro`, ...
    operators
        Those it runs: `version` is the highest, `dtype` may be `*`. None: all that the named version of the
        runtime has.
    training
        Whether it can learn.
    """

    name: Text
    version: Text = ""
    operators: tuple[Operator, ...] | None = None
    training: bool = False


class Hardware(Part):
    """What matching asks of a device; None and empty where it is not known.

    Parameters
    ----------
    board
        Name of the board that the rest is taken from where it is not said.
    core
        Processor core, as in :data:`shoal.boards.CORES`.
    licences
        SPDX identifiers that may run here; None: all.
    """

    board: Name | None = None
    core: Text | None = None
    clock_hz: Annotated[int, Field(gt=0)] | None = None
    ram: Capacity | None = None
    flash: Capacity | None = None
    sensors: tuple[Sensor, ...] | None = None
    runtimes: tuple[Runtime, ...] | None = None
    licences: tuple[Text, ...] | None = None


class Board(Document):
    """A type of device, a Thing Model in the terms of W3C WoT.

    Examples
    --------
    >>> Board(name="nano33ble", title="Arduino Nano 33 BLE Sense").id
    'nano33ble'
    """

    kind = "board"

    name: Name
    title: Text = ""
    source: Text = ""
    hardware: Hardware = Hardware()

    @property
    def id(self) -> str:
        """Its name."""
        return self.name
