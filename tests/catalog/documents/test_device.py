"""What a Thing Description says of the hardware."""

from __future__ import annotations

import json

import jsonschema
import pytest

from shoal.boards import BOARDS
from shoal.catalog.documents import (
    Board,
    Capacity,
    Device,
    Hardware,
    Sensor,
    board_document,
    hardware_of,
    parse,
    schema,
)
from shoal.errors import DocumentError
from tests.catalog.documents.things import TD, thing


def observing(**fields):
    return {"value": {"type": "number", "forms": [{"href": "/v"}]} | fields}


def test_the_block_goes_before_the_board():
    block = {
        "board": "nano33ble",
        "ram": {"total": 262144, "reserved": 62144},
        "sensors": [{"observes": "sound"}],
    }
    hardware = Device.checked(thing(**{"shoal:hardware": block})).hardware
    assert hardware.ram.free == 200_000
    assert hardware.flash.total == 1_048_576
    assert hardware.core == "cortex-m4f"
    assert [one.observes for one in hardware.sensors] == ["sound"]
    assert [(one.name, one.training) for one in hardware.runtimes] == [("shoal", True)]


def test_the_published_schema_has_the_block():
    validator = jsonschema.Draft202012Validator(schema("device"))
    validator.validate(thing(**{"shoal:hardware": board_document("nano33ble").body()["hardware"]}))
    for wrong in ({"ram": {"total": -1}}, {"sensors": [{"observes": 3}]}, {"memory": 3}):
        assert not validator.is_valid(thing(**{"shoal:hardware": wrong}))


def test_nothing_said_is_nothing_known():
    assert Device.checked(thing()).hardware == Hardware()


def test_a_board_of_the_catalog_goes_before_that_of_shoal():
    td = thing(**{"shoal:hardware": {"board": "nano33ble"}})
    own = Hardware(ram=Capacity(total=1000))
    assert hardware_of(td, {"nano33ble": own}).ram.total == 1000
    assert hardware_of(td, {"other": own}).ram.total == 262_144


def test_a_link_names_the_board():
    td = thing(links=[{"rel": "type", "href": "urn:shoal:board:pico", "type": "application/tm+json"}])
    assert Device.checked(td).hardware.board == "pico"


def test_an_unknown_board_says_nothing():
    hardware = Device.checked(thing(**{"shoal:hardware": {"board": "mystery"}})).hardware
    assert hardware == Hardware(board="mystery")


@pytest.mark.parametrize("board", BOARDS)
def test_a_device_of_each_board_is_a_thing_with_its_hardware(board):
    document = board_document(board)
    device = Device.checked(document.thing("urn:dev:ops:32473-7", "Seven"))
    assert device.title == "Seven"
    assert device.hardware == document.hardware
    assert Board.checked(document.body()) == document
    model = document.thing_model()
    assert model["@type"] == "tm:ThingModel"
    assert Hardware.model_validate(model["shoal:hardware"]) == document.hardware


def test_property_affordances_that_observe_are_sensors():
    td = thing(
        properties=observing(
            **{"@type": "Thermometer", "minimum": -40, "maximum": 85, "unit": "om:degreeCelsius"}
        )
        | {
            "vibration": {
                "shoal:observes": "vibration",
                "shoal:rate_hz": 1600,
                "shoal:axes": 3,
                "minimum": -4,
                "maximum": 4,
                "unit": "G",
                "forms": [{"href": "/vibration"}],
            },
            "state": {"type": "integer", "forms": [{"href": "/state"}]},
        }
    )
    assert Device.checked(td).hardware.sensors == (
        Sensor(observes="temperature", low=-40, high=85, unit="DEG_C"),
        Sensor(observes="vibration", low=-4, high=4, unit="G", rate_hz=1600, axes=3),
    )


def test_a_type_is_read_through_the_prefixes_of_the_context():
    td = thing(properties=observing(**{"@type": "s:Camera"}))
    td["@context"] = [TD, {"s": "https://w3id.org/tinyml-schema/neural-network-schema/sosa_extend/"}]
    assert [one.observes for one in Device.checked(td).hardware.sensors] == ["image"]
    td["@context"] = [TD, {"s": "http://example.org/"}]
    assert Device.checked(td).hardware.sensors is None


def test_terms_of_ssn_and_s3n_are_read():
    memory = [
        {"@type": ["s3n:Memory", "s3n_extend:RAM"], "schema:value": 172, "schema:unitCode": "om:kilobyte"},
        {
            "@type": "s3n_extend:Flash",
            "schema:value": {"@value": "256"},
            "schema:unitCode": {"@id": "unit:KibiBYTE"},
        },
    ]
    td = thing(
        **{
            "ssn:hasSubSystem": [
                {"@type": "sosa_extend:Accelerometer"},
                {
                    "@type": "s3n:MicroController",
                    "s3n:hasSystemCapability": {"ssn-system:hasSystemProperty": memory},
                },
            ]
        },
        properties=observing(**{"@type": "Accelerometer", "minimum": -4, "maximum": 4, "unit": "om:gravity"}),
    )
    hardware = Device.checked(td).hardware
    assert (hardware.ram.total, hardware.flash.total) == (172_000, 262_144)
    assert hardware.sensors == (Sensor(observes="acceleration", low=-4, high=4, unit="G"),)


@pytest.mark.parametrize(
    ("more", "place", "problem"),
    [
        ({"shoal:hardware": {"ram": {"total": -1}}}, "shoal:hardware.ram.total", "not -1"),
        (
            {"shoal:hardware": {"ram": {"total": 1, "reserved": 2}}},
            "shoal:hardware.ram",
            "2 bytes are reserved of 1",
        ),
        ({"shoal:hardware": {"memory": 1}}, "shoal:hardware.memory", "no field"),
        ({"shoal:hardware": {"board": "../../etc/passwd"}}, "shoal:hardware.board", "pattern"),
        ({"shoal:hardware": 7}, "shoal:hardware", "object"),
        (
            {"shoal:hardware": {"sensors": [{"observes": "temperature", "low": 0, "high": 9, "unit": "G"}]}},
            "shoal:hardware.sensors[0]",
            "G is a unit of acceleration, not of temperature",
        ),
        (
            {"properties": observing(**{"shoal:observes": "glory"})},
            "properties.value.shoal:observes",
            "no property",
        ),
        (
            {"properties": observing(**{"shoal:observes": "sound", "shoal:rate_hz": -3})},
            "properties.value.rate_hz",
            "greater than 0",
        ),
        (
            {
                "properties": observing(
                    **{"shoal:observes": "temperature", "minimum": 0, "maximum": 9, "unit": "furlong"}
                )
            },
            "properties.value.unit",
            "unknown unit 'furlong'",
        ),
        (
            {
                "ssn:hasSubSystem": {
                    "s3n:hasSystemCapability": {
                        "ssn-system:hasSystemProperty": {"@type": "s3n_extend:RAM", "schema:value": "much"}
                    }
                }
            },
            "hasSubSystem",
            "'much' None is no amount of memory",
        ),
    ],
)
def test_hardware_that_is_wrong_is_named(more, place, problem):
    with pytest.raises(DocumentError) as caught:
        Device.checked(thing(**more), "td.json")
    assert caught.value.where == "td.json"
    assert any(field == place and problem in text for field, text in caught.value.fields), caught.value.fields


def test_the_description_of_the_reference_system_is_read_after_its_repair(seloc):
    text = (seloc / "semantic_description" / "SSI_Web_embedded_td.jsonld").read_bytes()
    with pytest.raises(DocumentError, match="@type: occurs twice in one object"):
        parse(text)
    td = json.loads(text)  # the last of two equal keys wins
    with pytest.raises(DocumentError, match=r"forms: array should have at least 1 item"):
        Device.checked(td)
    del td["forms"]
    assert Device.checked(td).body() is td
