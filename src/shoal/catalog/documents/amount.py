"""Amounts of memory."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from shoal.catalog.documents.document import Bytes, Part, Text

__all__ = ["Capacity", "Need"]


class Need(Part):
    """Memory that a model needs, and how that is known.

    Parameters
    ----------
    bytes
        In all.
    provenance
        estimated: computed from the file; measured: read on a device or in its emulation; declared: somebody
        said so.
    method
        What computed or measured it.
    parts
        Bytes by part; they add up to `bytes`.

    Examples
    --------
    >>> Need(bytes=3, parts={"weights": 1, "activations": 2}, method="plan").provenance
    'estimated'
    """

    bytes: Bytes
    provenance: Literal["estimated", "measured", "declared"] = "estimated"
    method: Text = ""
    parts: dict[str, Bytes] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _parts_add_up(self) -> Self:
        if self.parts and sum(self.parts.values()) != self.bytes:
            raise ValueError(f"the parts add up to {sum(self.parts.values())} bytes, not {self.bytes}")
        return self


class Capacity(Part):
    """Memory that a device has.

    Parameters
    ----------
    total
        Bytes on the chip.
    reserved
        Bytes that firmware, stack and others take.

    Examples
    --------
    >>> Capacity(total=262144, reserved=40960).free
    221184
    """

    total: Bytes
    reserved: Bytes = 0

    @model_validator(mode="after")
    def _reserved_exists(self) -> Self:
        if self.reserved > self.total:
            raise ValueError(f"{self.reserved} bytes are reserved of {self.total}")
        return self

    @property
    def free(self) -> int:
        """Bytes for a model."""
        return self.total - self.reserved
