"""What a device is made of: its hardware, and boards, which many devices share."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from shoal.catalog.documents.amount import Capacity
from shoal.catalog.documents.document import Document, Name, Part, Text
from shoal.catalog.documents.model import Operator
from shoal.catalog.documents.sensor import Sensor
from shoal.catalog.documents.thing.context import TD_1_1
from shoal.catalog.vocabulary.namespaces import SHOAL

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

    def thing_model(self) -> dict[str, Any]:
        """Return its Thing Model: a Thing Description without what only a single device has.

        Examples
        --------
        >>> Board(name="hall", hardware=Hardware(clock_hz=64_000_000)).thing_model()["shoal:hardware"]
        {'clock_hz': 64000000, 'board': 'hall'}
        """
        hardware = self.hardware.model_dump(mode="json", exclude_defaults=True)
        return {
            "@context": [TD_1_1, {"shoal": SHOAL}],
            "@type": "tm:ThingModel",
            "id": f"urn:shoal:board:{self.name}",
            "title": self.title or self.name,
            "shoal:hardware": hardware | {"board": self.name},
        }

    def thing(self, device: str, title: str = "") -> dict[str, Any]:
        """Return the Thing Description of one device of this board, that nothing reaches by the network.

        Parameters
        ----------
        device
            Its id, an absolute IRI.

        Examples
        --------
        >>> Board(name="hall").thing("urn:dev:ops:32473-hall-7", "Hall 7")["links"]
        [{'rel': 'type', 'href': 'urn:shoal:board:hall', 'type': 'application/tm+json'}]
        """
        model = {"rel": "type", "href": f"urn:shoal:board:{self.name}", "type": "application/tm+json"}
        return {
            "@context": [TD_1_1, {"shoal": SHOAL}],
            "id": device,
            "title": title or self.title or self.name,
            "security": "nosec",
            "securityDefinitions": {"nosec": {"scheme": "nosec"}},
            "links": [model],
            "shoal:hardware": {"board": self.name},
        }
