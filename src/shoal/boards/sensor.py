"""What a board can observe."""

from __future__ import annotations

from dataclasses import dataclass

from shoal.boards import check
from shoal.errors import ConfigError

__all__ = ["UNITS", "Sensor"]

# The properties that a sensor may observe, with the unit of its range; "" where a range has no common unit.
UNITS = {
    "acceleration": "g",
    "angular velocity": "deg/s",
    "color": "",
    "distance": "m",
    "gas": "",
    "gesture": "",
    "humidity": "%RH",
    "image": "",
    "light": "lx",
    "magnetic field": "µT",
    "pressure": "hPa",
    "proximity": "",
    "sound": "",
    "temperature": "°C",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    """A sensor on a board: one property that one part observes.

    Parameters
    ----------
    observes
        The property, a key of :data:`UNITS`.
    part
        Name of the part, or what kind of part it is where the board's document names none.
    source
        The document that the figures come from.
    low, high
        Widest range that can be set, in the unit of the property. None where the document states none.
    rate_hz
        Highest output data rate. None where the document states none.
    axes
        Components of a vector. None where the property has one value, or the document does not say.
    pixels
        Width and height of an image.

    Raises
    ------
    ConfigError
        If a value cannot be.

    Examples
    --------
    >>> Sensor(observes="pressure", part="LPS22HB", low=260, high=1260, rate_hz=75, source="datasheet").unit
    'hPa'
    """

    observes: str
    part: str
    source: str
    low: float | None = None
    high: float | None = None
    rate_hz: float | None = None
    axes: int | None = None
    pixels: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        check.one_of(self.observes, "observes", UNITS)
        check.text(self.source, "source")
        if (self.low is None) != (self.high is None):
            raise ConfigError("half a range is given", where="low", hint="low and high, or neither")
        if self.low is not None and self.high is not None:
            if not self.low < self.high:
                raise ConfigError(f"the range is {self.low} to {self.high}", where="low", hint="low < high")
            if not self.unit:
                raise ConfigError(f"{self.observes} has no unit", where="low", hint="no range")
        if self.rate_hz is not None:
            check.positive(self.rate_hz, "rate_hz", "Hz")
        if self.axes is not None:
            check.positive(self.axes, "axes", "components")
        if self.pixels is not None:
            check.positive(min(self.pixels), "pixels", "width and height")

    @property
    def unit(self) -> str:
        """Unit of the range."""
        return UNITS[self.observes]
