"""Observed properties: which there are, which is a kind of which, their units and their other names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from shoal.catalog.vocabulary.namespaces import SHOAL
from shoal.catalog.vocabulary.units import UNITS, conversion
from shoal.errors import InputError

__all__ = [
    "PROPERTIES",
    "SENSOR_CLASSES",
    "PropertyTerm",
    "ancestors",
    "descendants",
    "property_iri",
    "property_named",
    "unit_factor",
]


@dataclass(frozen=True, slots=True)
class PropertyTerm:
    """An observed property.

    Parameters
    ----------
    iri
        In the `shoal:` namespace.
    parent
        The property that it is a kind of; None at the top.
    unit
        QUDT short name of its own unit; "" where its range has no common unit.
    sensor
        Class of the sensors that observe it.
    aliases
        Further names.
    """

    iri: str
    parent: str | None
    unit: str
    sensor: str
    aliases: tuple[str, ...]

    @property
    def ucum(self) -> str:
        """UCUM code of its unit."""
        return UNITS[self.unit].ucum if self.unit else ""


def _camel(name: str) -> str:
    """Return a name as the local part of an IRI.

    Examples
    --------
    >>> _camel("angular velocity")
    'AngularVelocity'
    """
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"[ -]", name))


# Property: parent, unit, class of its sensors, other names. A parent stands before its children.
_TABLE: dict[str, tuple[str | None, str, str, tuple[str, ...]]] = {
    "acceleration": (None, "G", "Accelerometer", ("specific force",)),
    "linear acceleration": ("acceleration", "G", "LinearAccelerometer", ()),
    "vibration": ("acceleration", "G", "VibrationSensor", ()),
    "angular velocity": (None, "DEG-PER-SEC", "Gyroscope", ("angular rate", "rotation rate", "gyro")),
    "color": (None, "", "ColorSensor", ("colour",)),
    "distance": (None, "M", "DistanceSensor", ("range",)),
    "electric current": (None, "A", "CurrentSensor", ("current",)),
    "force": (None, "N", "ForceSensor", ()),
    "gas": (None, "", "GasSensor", ("air quality", "volatile organic compounds")),
    "gesture": (None, "", "GestureSensor", ()),
    "humidity": (None, "PERCENT_RH", "HumiditySensor", ("relative humidity", "hygrometer")),
    "image": (None, "", "Camera", ("picture", "video")),
    "depth image": ("image", "", "DepthCamera", ("depth",)),
    "thermal image": ("image", "", "ThermalCamera", ()),
    "light": (None, "LUX", "LightSensor", ("illuminance", "ambient light")),
    "magnetic field": (None, "MicroT", "Magnetometer", ("magnetic flux density",)),
    "pressure": (None, "HectoPA", "PressureSensor", ()),
    "air pressure": ("pressure", "HectoPA", "Barometer", ("atmospheric pressure",)),
    "proximity": (None, "", "ProximitySensor", ()),
    "sound": (None, "", "Microphone", ("audio",)),
    "speech": ("sound", "", "VoiceMicrophone", ("voice",)),
    "temperature": (None, "DEG_C", "Thermometer", ("temperature sensor",)),
    "air temperature": ("temperature", "DEG_C", "AirThermometer", ("ambient temperature",)),
    "surface temperature": ("temperature", "DEG_C", "SurfaceThermometer", ()),
    "voltage": (None, "V", "Voltmeter", ()),
}
# The properties by name.
PROPERTIES: dict[str, PropertyTerm] = {
    name: PropertyTerm(SHOAL + _camel(name), parent, unit, sensor, aliases)
    for name, (parent, unit, sensor, aliases) in _TABLE.items()
}
# What a sensor of a class observes. The first six are the classes of the reference ontology.
SENSOR_CLASSES: dict[str, str] = {term.sensor: name for name, term in PROPERTIES.items()}

# Namespaces whose terms mean the same: ours, and those of the reference ontology, old and new.
_NAMESPACES = (
    SHOAL,
    "shoal:",
    "sosa_extend:",
    "https://w3id.org/tinyml-schema/neural-network-schema/sosa_extend/",
    "http://tinyml-schema.org/sosa_extend/",
)


def _plain(name: str) -> str:
    """Return a name without case, spaces and signs."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


_BY_NAME: dict[str, str] = {
    _plain(alias): name
    for name, term in PROPERTIES.items()
    for alias in (*term.aliases, term.sensor, f"{name} sensor", name)
}


def property_named(name: str) -> str | None:
    """Return the property that a name means, None if it is no such name.

    Parameters
    ----------
    name
        A property or a class of sensors: in words, as an IRI or with a prefix, in any case.

    Examples
    --------
    >>> property_named("Accelerometer"), property_named("sosa_extend:Gyroscope")
    ('acceleration', 'angular velocity')
    >>> property_named("https://w3id.org/shoal/vocabulary#Speech")
    'speech'
    >>> property_named("http://example.org/Camera") is None
    True
    """
    for namespace in _NAMESPACES:
        if name.startswith(namespace):
            return _BY_NAME.get(_plain(name.removeprefix(namespace)))
    return None if ":" in name else _BY_NAME.get(_plain(name))


def ancestors(name: str) -> tuple[str, ...]:
    """Return a property and what it is a kind of, itself first.

    A sensor of a property meets a need of each of these. A property outside the vocabulary stands alone.

    Examples
    --------
    >>> ancestors("vibration")
    ('vibration', 'acceleration')
    >>> ancestors("torque")
    ('torque',)
    """
    line = [name]
    while (term := PROPERTIES.get(line[-1])) is not None and term.parent is not None:
        line.append(term.parent)
    return tuple(line)


def descendants(name: str) -> tuple[str, ...]:
    """Return a property and its kinds: what a sensor may observe where `name` is needed.

    Examples
    --------
    >>> descendants("sound")
    ('sound', 'speech')
    """
    return (name, *(other for other in PROPERTIES if other != name and name in ancestors(other)))


def unit_factor(unit: str | None, observed: str) -> tuple[float, float]:
    """Return scale and offset from a unit to the property's own: own = scale * value + offset.

    Parameters
    ----------
    unit
        Name in QUDT, UCUM or OM. None: the property's own.
    observed
        The property; one that is not in the vocabulary has no unit.

    Raises
    ------
    InputError
        If the unit is not known, or is one of something else.

    Examples
    --------
    >>> unit_factor("M-PER-SEC2", "acceleration")[0] * 9.80665
    1.0
    >>> unit_factor(None, "sound")
    (1.0, 0.0)
    """
    term = PROPERTIES.get(observed)
    own = term.unit if term is not None else ""
    if unit is None or unit == own:
        return 1.0, 0.0
    if not own:
        raise InputError(f"{observed} has no unit, '{unit}' is given", where="unit", hint="no unit")
    return conversion(unit, own, "unit")


def property_iri(name: str) -> str:
    """Return the IRI of an observed property, also of one that is not in the vocabulary.

    Examples
    --------
    >>> property_iri("sound"), property_iri("wheel torque")
    ('https://w3id.org/shoal/vocabulary#Sound', 'urn:shoal:property:wheel%20torque')
    """
    term = PROPERTIES.get(name)
    return f"urn:shoal:property:{quote(name, safe='')}" if term is None else term.iri
