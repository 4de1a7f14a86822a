"""What a device observes, and what a model needs observed."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from shoal.catalog.documents.document import Part, Text
from shoal.catalog.vocabulary.terms import unit_factor
from shoal.errors import InputError

__all__ = ["Property", "Sensor", "SensorNeed"]

# A term of the hierarchy in `shoal.catalog.vocabulary`, such as "acceleration".
Property = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9 -]{0,60}$")]


class Observation(Part):
    """A property with the range, the rate and the axes of its observation.

    Parameters
    ----------
    observes
        The observed property.
    low, high
        Range, in `unit`.
    unit
        QUDT unit of the range by its short name (`G`, `DEG_C`, `DEG-PER-SEC`, `MicroT`); the property's own
        by default.
    rate_hz
        Samples per second.
    axes
        Number of components or channels.
    """

    observes: Property
    low: float | None = None
    high: float | None = None
    unit: str | None = None
    rate_hz: Annotated[float, Field(gt=0)] | None = None
    axes: Annotated[int, Field(ge=1, le=4096)] | None = None

    @model_validator(mode="after")
    def _range_is_whole(self) -> Self:
        if (self.low is None) != (self.high is None):
            raise ValueError("low and high, or neither")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError(f"the range is {self.low} to {self.high}")
        if self.unit is not None:
            try:
                unit_factor(self.unit, self.observes)
            except InputError as error:
                raise ValueError(f"{error.what}; {error.hint}") from None
        return self


class Sensor(Observation):
    """A sensor of a device: the widest range that can be set, the highest rate.

    Examples
    --------
    >>> Sensor(observes="acceleration", low=-16, high=16, rate_hz=952, axes=3, part="LSM9DS1").part
    'LSM9DS1'
    """

    part: Text = ""


class SensorNeed(Observation):
    """What a model's input must be observed with: the range that occurs, the rate it was trained at.

    Examples
    --------
    >>> SensorNeed(observes="acceleration", low=-4, high=4, rate_hz=119, axes=3).observes
    'acceleration'
    """
