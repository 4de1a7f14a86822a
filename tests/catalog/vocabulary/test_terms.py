"""Properties, units and namespaces."""

from __future__ import annotations

import pytest
from pyoxigraph import NamedNode, RdfFormat, Store
from pyoxigraph import parse as parse_rdf

from shoal.boards import UNITS as BOARD_UNITS
from shoal.catalog.graph.view import vocabulary
from shoal.catalog.vocabulary import (
    PREFIXES,
    PROPERTIES,
    SENSOR_CLASSES,
    SHOAL,
    UNITS,
    abbreviate,
    ancestors,
    conversion,
    descendants,
    document_iri,
    expand,
    graph_iri,
    property_iri,
    property_named,
    to_bytes,
    unit_factor,
    unit_named,
)
from shoal.errors import InputError

REFERENCE = "https://w3id.org/tinyml-schema/neural-network-schema/sosa_extend/"


def test_every_property_of_a_board_is_in_the_vocabulary_with_its_unit():
    for name, unit in BOARD_UNITS.items():
        own = PROPERTIES[name].unit
        assert bool(own) == bool(unit), name
        if unit:
            assert unit_named(unit) == UNITS[own], name


def test_every_parent_exists_stands_before_and_has_the_same_quantity():
    names = list(PROPERTIES)
    for name, term in PROPERTIES.items():
        if term.parent is not None:
            assert names.index(term.parent) < names.index(name)
            assert PROPERTIES[term.parent].unit == term.unit
        assert name in descendants(ancestors(name)[-1])


def test_every_name_of_a_property_means_it_alone():
    for name, term in PROPERTIES.items():
        for other in (name, term.iri, term.sensor, *term.aliases, name.upper(), name.replace(" ", "_")):
            assert property_named(other) == name, other
    assert len({term.iri for term in PROPERTIES.values()}) == len(PROPERTIES)
    assert len(SENSOR_CLASSES) == len(PROPERTIES)


@pytest.mark.parametrize(
    ("sensor", "observed"),
    [
        ("Accelerometer", "acceleration"),
        ("Camera", "image"),
        ("Gyroscope", "angular velocity"),
        ("Magnetometer", "magnetic field"),
        ("Microphone", "sound"),
        ("Thermometer", "temperature"),
    ],
)
def test_the_sensors_of_the_reference_ontology_observe(sensor, observed):
    assert property_named(REFERENCE + sensor) == observed
    assert property_named(f"http://tinyml-schema.org/sosa_extend/{sensor}") == observed
    assert property_named(f"sosa_extend:{sensor}") == observed


@pytest.mark.parametrize("name", ["", "OtherSensor", "urn:x:Camera", "http://example.org/Sound", "foo:Sound"])
def test_what_is_no_property_is_none(name):
    assert property_named(name) is None


def test_units_have_one_name_each():
    for names in ([unit.name for unit in UNITS.values()], [unit.iri for unit in UNITS.values()]):
        assert len(names) == len(set(names))
    for unit in UNITS.values():
        assert unit_named(unit.name) == unit
        assert unit_named(unit.iri) == unit
        assert unit_named(f"unit:{unit.name}") == unit


@pytest.mark.parametrize(
    ("value", "unit", "target", "expected"),
    [
        (9.80665, "M-PER-SEC2", "G", 1.0),
        (1.0, "RAD-PER-SEC", "DEG-PER-SEC", 57.29577951308232),
        (1.0, "REV-PER-MIN", "DEG-PER-SEC", 6.0),
        (-40.0, "DEG_F", "DEG_C", -40.0),
        (0.0, "K", "DEG_C", -273.15),
        (1.0, "GAUSS", "MicroT", 100.0),
        (1013.25, "HectoPA", "ATM", 1.0),
        (4.0, "om:gravity", "G", 4.0),
        (2000.0, "om:degress_per_second", "DEG-PER-SEC", 2000.0),
        (20.0, "om:degree_Celsius", "DEG_C", 20.0),
    ],
)
def test_units_convert(value, unit, target, expected):
    scale, offset = conversion(unit, target)
    assert scale * value + offset == pytest.approx(expected, rel=1e-12, abs=1e-12)
    back, shift = conversion(target, unit)
    assert back * (scale * value + offset) + shift == pytest.approx(value, rel=1e-9, abs=1e-9)


def test_memory_is_in_bytes():
    assert to_bytes(8.08, "om:kilobyte") == 8080
    assert to_bytes(1, "om:kibibyte") == 1024
    assert to_bytes(2, "MebiBYTE") == 2 * 1024**2


@pytest.mark.parametrize(
    ("unit", "observed", "said"),
    [
        ("furlong", "acceleration", "unknown unit 'furlong'"),
        ("DEG_C", "acceleration", "DEG_C is a unit of temperature, not of acceleration"),
        ("G", "sound", "sound has no unit"),
        ("G", "wheel torque", "wheel torque has no unit"),
    ],
)
def test_a_wrong_unit_is_refused(unit, observed, said):
    with pytest.raises(InputError, match=said):
        unit_factor(unit, observed)


def test_names_abbreviate_and_expand():
    for prefix, namespace in PREFIXES.items():
        assert expand(f"{prefix}:x") == namespace + "x"
        assert abbreviate(namespace + "x") == f"{prefix}:x"
    assert abbreviate("https://schema.org/a b") == "https://schema.org/a b"


def test_ids_that_are_no_iris_become_some():
    assert document_iri("device", "hall 7") == "urn:shoal:device:hall%207"
    assert document_iri("device", "http://[bad") == "urn:shoal:device:http%3A%2F%2F%5Bbad"
    for key in ("a b", "ü", "a#b", "a/b?c"):
        NamedNode(document_iri("run", key))
        NamedNode(graph_iri("run", key))
    assert property_iri("vibration") == f"{SHOAL}Vibration"


def test_the_published_vocabulary_says_the_same():
    store = Store()
    store.extend(vocabulary())
    for name, term in PROPERTIES.items():
        rows = store.query(
            f"""SELECT ?label ?parent ?unit ?sensor {{ GRAPH ?g {{ <{term.iri}> rdfs:label ?label .
            OPTIONAL {{ <{term.iri}> skos:broader ?parent }} OPTIONAL {{ <{term.iri}> qudt:hasUnit ?unit }}
            ?sensor sosa:observes <{term.iri}> }} }}""",
            prefixes=PREFIXES,
        )
        said = [tuple(None if one is None else one.value for one in row) for row in rows]
        parent = None if term.parent is None else PROPERTIES[term.parent].iri
        unit = UNITS[term.unit].iri if term.unit else None
        assert said == [(name, parent, unit, SHOAL + term.sensor)]


def test_the_vocabulary_defines_each_term_once():
    subjects = [quad.subject.value for quad in vocabulary() if quad.predicate.value.endswith("#type")]
    assert len(subjects) == len(set(subjects))


def test_the_shapes_are_turtle():
    from shoal.catalog.graph import shapes_text

    shapes = list(parse_rdf(shapes_text(), format=RdfFormat.TURTLE))
    assert sum(quad.object == NamedNode(expand("sh:NodeShape")) for quad in shapes) > 15
