"""Documents of every kind."""

from __future__ import annotations

import pytest

from shoal.catalog.documents import (
    Alias,
    Deployment,
    Device,
    LearningState,
    Measurement,
    Model,
    Query,
    Run,
    board_document,
)

MODEL, BASE = "a" * 64, "b" * 64


def thing(number: int = 1, **members):
    """Return a Thing Description with what such have."""
    return {
        "@context": [
            "https://www.w3.org/2022/wot/td/v1.1",
            {"saref": "https://saref.etsi.org/core/", "shoal": "https://w3id.org/shoal/vocabulary#"},
        ],
        "@type": ["Thing", "saref:Sensor"],
        "id": f"urn:dev:ops:32473-hall-{number}",
        "title": f"Hall {number}",
        "titles": {"en": f"Hall {number}", "de": f"Halle {number}"},
        "security": ["basic_sc"],
        "securityDefinitions": {"basic_sc": {"scheme": "basic", "in": "header"}},
        "version": {"instance": "1.2.1", "model": "2.0.0"},
        "created": "2026-01-01T00:00:00Z",
        "base": "https://example.org/",
        "properties": {
            "acceleration": {
                "@type": "shoal:Acceleration",
                "type": "array",
                "items": {"type": "number"},
                "minItems": 3,
                "unit": "G",
                "minimum": -4,
                "maximum": 4,
                "forms": [{"href": "acc", "op": ["readproperty", "observeproperty"], "contentType": "a/b"}],
            },
            "mode": {
                "type": "object",
                "properties": {"name": {"type": "string", "enum": ["a", "b"]}, "level": {"const": 1.5}},
                "required": ["name"],
                "forms": [{"href": "mode"}],
            },
        },
        "actions": {
            "reset": {
                "input": {"type": "boolean"},
                "output": {"oneOf": [{"type": "null"}, {"type": "integer"}]},
                "safe": False,
                "forms": [{"href": "reset", "htv:methodName": "POST", "response": {"contentType": "c/d"}}],
            }
        },
        "events": {"drift": {"data": {"type": "number"}, "forms": [{"href": "drift", "subprotocol": "sse"}]}},
        "links": [{"rel": "type", "href": "urn:shoal:board:nano33ble", "type": "application/tm+json"}],
        "shoal:hardware": {"board": "nano33ble", "ram": {"total": 262144, "reserved": 40000}},
        **members,
    }


def model(**fields) -> Model:
    """Return a model with everything that one may have."""
    return Model.checked(
        {
            "sha256": MODEL,
            "name": "wake",
            "version": "1.0.0",
            "format": "tflite",
            "size": 18712,
            "title": "Wake word",
            "description": 'yes/no with "quotes", a \\ and\na line',
            "task": "classification",
            "creator": "A",
            "created": "2026-01-01T00:00:00Z",
            "licence": "Apache-2.0",
            "tags": ["speech", "yes"],
            "inputs": [
                {"name": "x", "dtype": "int8", "shape": [49, 40], "quantization": {"scale": [0.1], "axis": 0}}
            ],
            "outputs": [{"dtype": "int8", "shape": [2], "labels": ["yes", "no"]}],
            "operators": [{"name": "CONV_2D", "version": 3, "dtype": "int8", "count": 2}],
            "macs": 1000,
            "inference": {"bytes": 3000, "parts": {"arena": 2000, "weights": 1000}, "method": "plan"},
            "training": {"bytes": 9000, "provenance": "measured"},
            "train_last": 1,
            "flash": {"bytes": 18712, "provenance": "declared"},
            "clock_hz": 16000000,
            "runtime": "tflite-micro",
            "input": {
                "sensors": [{"observes": "sound", "rate_hz": 16000}],
                "window": 16000,
                "channels": ["left"],
                "mean": [0.0],
                "std": [1.0],
            },
            "metrics": [{"name": "accuracy", "value": 0.92, "dataset": "speech commands"}],
            "lineage": {"base": BASE, "run": "run-1"},
            **fields,
        }
    )


@pytest.fixture
def documents():
    """Return a document of each kind."""
    board = board_document("nano33ble")
    assert board is not None
    return [
        model(),
        Device.checked(thing()),
        board,
        Alias(name="wake", alias="champion", model=MODEL),
        Deployment(key="d-1", model=MODEL, device="urn:dev:ops:32473-hall-1", status="active"),
        Run(
            key="run-1", algorithm="TinyReptile", rounds=3, base=BASE, produced=MODEL, devices=("urn:dev:1",)
        ),
        Measurement(key="m-1", quantity="latency", value=3, unit="MilliSEC", model=MODEL, interval=(2, 4)),
        LearningState(device="urn:dev:ops:32473-hall-1", round=2, labels={"yes/no": 3}, accuracy=0.5),
        Query(name="small", sparql="SELECT ?m { ?m a shoal:Model }", title="Small"),
    ]


@pytest.fixture
def make_thing():
    return thing


@pytest.fixture
def make_model():
    return model
