"""Units: their names in QUDT, UCUM and OM, and what one is in another."""

from __future__ import annotations

from dataclasses import dataclass

from shoal.errors import InputError

__all__ = ["UNITS", "Unit", "conversion", "to_bytes", "unit_named"]


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of QUDT.

    Parameters
    ----------
    name
        Short name in QUDT, `http://qudt.org/vocab/unit/<name>`.
    quantity
        What it measures; units of one quantity convert into each other.
    scale, offset
        value in the quantity's first unit = scale * value + offset.
    ucum
        Its code in UCUM.
    symbol
        As people write it.
    others
        Further names, among them those that people mistype.
    """

    name: str
    quantity: str
    scale: float
    ucum: str
    symbol: str
    others: tuple[str, ...] = ()
    offset: float = 0.0

    @property
    def iri(self) -> str:
        """Its IRI."""
        return f"http://qudt.org/vocab/unit/{self.name}"


# Standard gravity and the degree, exactly.
_G = 9.80665
_DEGREE = 0.017453292519943295

_TABLE = (
    Unit("M-PER-SEC2", "acceleration", 1, "m/s2", "m/s²", ("metrePerSecond-TimeSquared", "m/s^2")),
    Unit("G", "acceleration", _G, "[g]", "g", ("gravity", "standardAccelerationOfFreeFall", "GRAVITY")),
    Unit("MilliG", "acceleration", _G / 1000, "m[g]", "mg"),
    Unit("RAD-PER-SEC", "angular velocity", 1, "rad/s", "rad/s", ("radianPerSecond-Time",)),
    Unit(
        "DEG-PER-SEC",
        "angular velocity",
        _DEGREE,
        "deg/s",
        "°/s",
        ("degreePerSecond-Time", "degrees_per_second", "degress_per_second", "dps", "DEG_PER_SEC"),
    ),
    Unit("REV-PER-MIN", "angular velocity", 6 * _DEGREE, "{#}/min", "rpm", ("revolutionPerMinute-Time",)),
    Unit("K", "temperature", 1, "K", "K", ("kelvin",)),
    Unit(
        "DEG_C",
        "temperature",
        1,
        "Cel",
        "°C",
        ("degreeCelsius", "degree_Celsius", "DEG-C", "celsius", "CEL"),
        offset=273.15,
    ),
    Unit(
        "DEG_F",
        "temperature",
        5 / 9,
        "[degF]",
        "°F",
        ("degreeFahrenheit", "DEG-F", "fahrenheit"),
        offset=459.67 * 5 / 9,
    ),
    Unit("T", "magnetic field", 1, "T", "T", ("tesla",)),
    Unit("MilliT", "magnetic field", 1e-3, "mT", "mT", ("millitesla",)),
    Unit("MicroT", "magnetic field", 1e-6, "uT", "µT", ("microtesla", "micro_tesla", "μT")),
    Unit("NanoT", "magnetic field", 1e-9, "nT", "nT", ("nanotesla",)),
    Unit("GAUSS", "magnetic field", 1e-4, "G", "Gs", ("gauss",)),
    Unit("PERCENT_RH", "humidity", 1, "%", "%RH", ("PERCENT", "percent", "% r.H.", "RH")),
    Unit("PA", "pressure", 1, "Pa", "Pa", ("pascal",)),
    Unit("HectoPA", "pressure", 100, "hPa", "hPa", ("hectopascal",)),
    Unit("KiloPA", "pressure", 1000, "kPa", "kPa", ("kilopascal",)),
    Unit("BAR", "pressure", 100_000, "bar", "bar"),
    Unit("MilliBAR", "pressure", 100, "mbar", "mbar", ("millibar",)),
    Unit("ATM", "pressure", 101_325, "atm", "atm", ("standardAtmosphere",)),
    Unit("LUX", "illuminance", 1, "lx", "lx", ("lux",)),
    Unit("M", "length", 1, "m", "m", ("metre", "meter")),
    Unit("CentiM", "length", 0.01, "cm", "cm", ("centimetre",)),
    Unit("MilliM", "length", 0.001, "mm", "mm", ("millimetre",)),
    Unit("KiloM", "length", 1000, "km", "km", ("kilometre",)),
    Unit("V", "voltage", 1, "V", "V", ("volt",)),
    Unit("MilliV", "voltage", 1e-3, "mV", "mV", ("millivolt",)),
    Unit("A", "electric current", 1, "A", "A", ("ampere",)),
    Unit("MilliA", "electric current", 1e-3, "mA", "mA", ("milliampere",)),
    Unit("N", "force", 1, "N", "N", ("newton",)),
    Unit("HZ", "frequency", 1, "Hz", "Hz", ("hertz", "SAMPLE-PER-SEC")),
    Unit("KiloHZ", "frequency", 1e3, "kHz", "kHz", ("kilohertz",)),
    Unit("MegaHZ", "frequency", 1e6, "MHz", "MHz", ("megahertz",)),
    Unit("BYTE", "memory", 1, "By", "B", ("byte",)),
    Unit("KiloBYTE", "memory", 1000, "kBy", "kB", ("kilobyte",)),
    Unit("MegaBYTE", "memory", 1_000_000, "MBy", "MB", ("megabyte",)),
    Unit("GigaBYTE", "memory", 1_000_000_000, "GBy", "GB", ("gigabyte",)),
    Unit("KibiBYTE", "memory", 1024, "KiBy", "KiB", ("kibibyte", "KB")),
    Unit("MebiBYTE", "memory", 1024**2, "MiBy", "MiB", ("mebibyte",)),
    Unit("GibiBYTE", "memory", 1024**3, "GiBy", "GiB", ("gibibyte",)),
    Unit("SEC", "time", 1, "s", "s", ("second-Time",)),
    Unit("MilliSEC", "time", 1e-3, "ms", "ms", ("millisecond-Time",)),
    Unit("MicroSEC", "time", 1e-6, "us", "µs", ("microsecond-Time",)),
    Unit("J", "energy", 1, "J", "J", ("joule",)),
    Unit("MilliJ", "energy", 1e-3, "mJ", "mJ", ("millijoule",)),
    Unit("MicroJ", "energy", 1e-6, "uJ", "µJ", ("microjoule",)),
)
# By short name in QUDT.
UNITS: dict[str, Unit] = {unit.name: unit for unit in _TABLE}
# A short name wins over a code of UCUM, which wins over the other names: "G" is standard gravity, not gauss.
_NAMES: dict[str, Unit] = (
    {name: unit for unit in _TABLE for name in unit.others}
    | {unit.symbol: unit for unit in _TABLE}
    | {unit.ucum: unit for unit in _TABLE}
    | UNITS
)
_NAMESPACES = (
    "http://qudt.org/vocab/unit/",
    "http://www.ontology-of-units-of-measure.org/resource/om-2/",
    "unit:",
    "qudt-unit:",
    "om:",
    "om2:",
    "ucum:",
)


def unit_named(name: str) -> Unit | None:
    """Return the unit of this name, None if there is none.

    Parameters
    ----------
    name
        Of QUDT, UCUM or OM, as an IRI, with a prefix or without; or the symbol.

    Examples
    --------
    >>> [unit_named(name).name for name in ("G", "om:gravity", "deg/s", "http://qudt.org/vocab/unit/DEG_C")]
    ['G', 'G', 'DEG-PER-SEC', 'DEG_C']
    >>> unit_named("furlong") is None
    True
    """
    name = name.strip()
    for namespace in _NAMESPACES:
        if name.startswith(namespace):
            name = name.removeprefix(namespace)
            break
    return _NAMES.get(name)


def conversion(unit: str, target: str, where: str | None = None) -> tuple[float, float]:
    """Return scale and offset from one unit to another: target = scale * value + offset.

    Raises
    ------
    InputError
        If a unit is not known, or they measure different quantities.

    Examples
    --------
    >>> conversion("MilliG", "G")
    (0.001, 0.0)
    >>> scale, offset = conversion("DEG_F", "DEG_C")
    >>> round(scale * 212 + offset, 9)
    100.0
    """
    source, wanted = unit_named(unit), unit_named(target)
    if wanted is None:
        raise InputError(
            f"unknown unit '{target}'", where=where, hint="a unit of QUDT by its short name, such as G"
        )
    alike = [other.name for other in _TABLE if other.quantity == wanted.quantity]
    if source is None:
        raise InputError(f"unknown unit '{unit}'", where=where, hint=f"one of {', '.join(alike)}")
    if source.quantity != wanted.quantity:
        raise InputError(
            f"{unit} is a unit of {source.quantity}, not of {wanted.quantity}",
            where=where,
            hint=f"one of {', '.join(alike)}",
        )
    if source == wanted:
        return 1.0, 0.0
    return source.scale / wanted.scale, (source.offset - wanted.offset) / wanted.scale


def to_bytes(value: float, unit: str, where: str | None = None) -> int:
    """Return an amount of memory in bytes.

    Examples
    --------
    >>> to_bytes(18.712, "om:kilobyte"), to_bytes(256, "KibiBYTE")
    (18712, 262144)
    """
    scale, _ = conversion(unit, "BYTE", where)
    return round(value * scale)
