"""A device: its Thing Description, as it was given."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Self

from pydantic import ValidationError

from shoal.catalog.documents import limits
from shoal.catalog.documents.board import Hardware
from shoal.catalog.documents.document import Document, problems
from shoal.catalog.documents.hardware import hardware_of
from shoal.catalog.documents.thing import Thing
from shoal.errors import DocumentError

__all__ = ["Device"]


class Device(Document):
    """A device, described by a W3C WoT Thing Description, version 1.1 or 1.0.

    The constructor takes one that was checked before; :meth:`checked` checks.

    Parameters
    ----------
    td
        The description. It is not changed, and every term of it is kept.

    Examples
    --------
    >>> device = Device.checked({
    ...     "@context": "https://www.w3.org/2022/wot/td/v1.1",
    ...     "id": "urn:dev:ops:32473-hall-7",
    ...     "title": "Hall 7",
    ...     "security": "none",
    ...     "securityDefinitions": {"none": {"scheme": "nosec"}},
    ...     "shoal:hardware": {"board": "nano33ble"},
    ... })
    >>> device.id, device.hardware.ram.total
    ('urn:dev:ops:32473-hall-7', 262144)
    """

    kind = "device"

    td: dict[str, Any]

    @classmethod
    def checked(cls, body: object, where: str | None = None) -> Self:
        """Return the device that a Thing Description describes.

        Parameters
        ----------
        body
            The description, as `json.loads` gives it.
        where
            The file or the request that it came from.

        Raises
        ------
        DocumentError
            If it breaks a rule of the specification, has no id, or its hardware cannot be read: names the
            first field that is wrong, and holds them all.
        """
        name = "Thing Description"
        limits.check(body, name, where)
        try:
            thing = Thing.model_validate(body)
        except ValidationError as error:
            raise DocumentError.of(name, where, problems(error)) from None
        if thing.id is None or not isinstance(body, dict):
            raise DocumentError.of(name, where, [("id", "missing")])
        device = cls.model_construct(td=body)
        try:
            _ = device.hardware
        except DocumentError as error:
            raise DocumentError.of(name, where, error.fields) from None
        return device

    @property
    def id(self) -> str:
        """The id of the Thing."""
        return str(self.td["id"])

    @property
    def title(self) -> str:
        """The title of the Thing."""
        return str(self.td["title"])

    @cached_property
    def hardware(self) -> Hardware:
        """What the description says of its hardware, filled up from a board that comes with Shoal."""
        return hardware_of(self.td)

    def hardware_with(self, boards: Mapping[str, Hardware]) -> Hardware:
        """Return the hardware, filled up from these boards first."""
        return hardware_of(self.td, boards)

    def body(self) -> dict[str, Any]:
        """Return the description, exactly as it was given."""
        return self.td
