"""Documents of all kinds: limits, names, amounts, JSON and JSON Schema."""

from __future__ import annotations

import json
import tracemalloc

import jsonschema
import pytest

from shoal.catalog.documents import (
    KINDS,
    Alias,
    Board,
    Deployment,
    LearningState,
    Measurement,
    Model,
    Need,
    Query,
    Run,
    kind_of,
    limits,
    parse,
    schema,
)
from shoal.catalog.versions import order
from shoal.errors import DocumentError, UnknownError
from tests.catalog.documents.things import thing

DIGEST = "ab" * 32
MODEL = {"sha256": DIGEST, "name": "wake", "version": "1.0.0", "format": "tflite", "size": 18712}
BODIES = {
    "model": MODEL
    | {
        "created": "2026-11-21T12:00:00Z",
        "inputs": [
            {"dtype": "int8", "shape": [49, 40], "quantization": {"scale": [0.5], "zero_point": [-3]}}
        ],
        "operators": [{"name": "CONV_2D", "version": 3, "dtype": "int8", "count": 2}],
        "inference": {"bytes": 7584, "parts": {"arena": 7396, "record": 188}},
        "input": {"sensors": [{"observes": "sound", "rate_hz": 16000.0}], "window": 16000},
        "metrics": [{"name": "accuracy", "value": 0.92}],
        "lineage": {"base": DIGEST},
    },
    "device": thing(),
    "board": {"name": "hall", "hardware": {"ram": {"total": 1000, "reserved": 10}}},
    "alias": {"name": "wake", "alias": "champion", "model": DIGEST},
    "deployment": {"key": "1", "model": DIGEST, "device": "urn:dev:7", "status": "active"},
    "run": {
        "key": "fan/1",
        "rounds": 100,
        "environment": {"python": "3.11", "commit": None},
        "config": {"a": [1]},
    },
    "measurement": {
        "key": "m1",
        "quantity": "latency",
        "value": 0.5,
        "unit": "MilliSEC",
        "interval": [0.4, 0.6],
    },
    "learning": {"device": "urn:dev:7", "round": 3, "labels": {"yes": 4}, "accuracy": 0.5},
    "query": {"name": "fits", "sparql": "SELECT * {}", "parameters": {"model": "model"}},
}


def test_there_is_a_body_of_each_kind():
    assert BODIES.keys() == KINDS.keys()
    assert {Alias, Board, Deployment, LearningState, Measurement, Model, Query, Run} < set(KINDS.values())


@pytest.mark.parametrize("kind", KINDS)
def test_a_body_comes_back_as_it_went_in(kind):
    document = kind_of(kind).checked(BODIES[kind])
    assert document.body() == BODIES[kind]
    assert json.loads(json.dumps(document.body())) == BODIES[kind]
    assert document.id


@pytest.mark.parametrize("kind", KINDS)
def test_the_published_schema_is_one_and_takes_the_body(kind):
    published = schema(kind)
    jsonschema.Draft202012Validator.check_schema(published)
    jsonschema.Draft202012Validator(published).validate(BODIES[kind])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(published).validate({"size": "much"})


def test_an_unknown_kind_is_named():
    with pytest.raises(UnknownError, match="no kind of document 'thing'"):
        schema("thing")


@pytest.mark.parametrize(
    ("more", "place", "problem"),
    [
        ({"size": -1}, "size", "greater than or equal to 0, not -1"),
        ({"size": 2**60}, "size", "less than or equal to"),
        ({"name": "../../etc/passwd"}, "name", "pattern"),
        ({"name": "a" * 101}, "name", "pattern"),
        ({"name": "wake\n"}, "name", ""),
        ({"name": "a b"}, "name", "pattern"),
        ({"version": "1.0"}, "version", "pattern"),
        ({"sha256": "xyz"}, "sha256", "pattern"),
        ({"format": "exe"}, "format", "not 'exe'"),
        ({"colour": "red"}, "colour", "no field of this document"),
        ({"inference": {"bytes": 3, "parts": {"a": 1}}}, "inference", "add up to 1 bytes, not 3"),
        ({"inputs": [{"dtype": "int7", "shape": []}]}, "inputs[0].dtype", "not 'int7'"),
        ({"inputs": [{"dtype": "int8", "shape": [-2]}]}, "inputs[0].shape[0]", "not -2"),
        (
            {"input": {"sensors": [{"observes": "sound", "low": 1}]}},
            "input.sensors[0]",
            "low and high, or neither",
        ),
        (
            {"input": {"sensors": [{"observes": "light", "low": 3, "high": 1}]}},
            "input.sensors[0]",
            "3.0 to 1.0",
        ),
        ({"input": {"std": [0]}}, "input.std[0]", "greater than 0"),
        ({"created": "soon"}, "created", "datetime"),
        ({"metrics": [{"name": "accuracy", "value": "inf"}]}, "metrics[0].value", "finite"),
        ({"description": "x" * 10_001}, "description", "at most 10000"),
    ],
)
def test_a_field_that_is_wrong_is_named(more, place, problem):
    body = MODEL | more
    if more.get("name") == "wake\n":  # white space around a text is no part of it
        assert Model.checked(body).name == "wake"
        return
    with pytest.raises(DocumentError) as caught:
        Model.checked(body, "wake.toml")
    assert [(field, problem in text) for field, text in caught.value.fields] == [(place, True)], (
        caught.value.fields
    )


@pytest.mark.parametrize(
    ("version", "known"),
    [
        *(
            (one, True)
            for one in ("0.0.0", "1.2.3", "10.20.30", "1.0.0-rc.1", "1.0.0-0a.b-c.--", "1.0.0+001.x")
        ),
        *((one, True) for one in ("1.0.0-alpha+build.7", "999999999.0.0", "1.0.0-0")),
        *((one, False) for one in ("01.02.03", "1.0.00", "1.0.0-a..b", "1.0.0-.a", "1.0.0-a.", "1.0.0-01")),
        *(
            (one, False)
            for one in ("1.0.0-", "1.0.0+", "1.0.0+a..b", "1.0.0+a+b", "1.0", "1.0.0.0", "v1.0.0")
        ),
        *((one, False) for one in ("1.0.٣", "1.0.1000000000", "1.0.0-" + "a" * 150, "1.0.0-ä", "")),
    ],
)
def test_versions_are_semantic(version, known):
    if known:
        assert Model.checked(MODEL | {"version": version}).version == version
        assert order(version) is not None
        return
    with pytest.raises(DocumentError, match="version: "):
        Model.checked(MODEL | {"version": version})


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_too_deep_or_too_large(kind):
    nested: object = 0
    for _ in range(100_000):
        nested = [nested]
    for field, problem in (
        (nested, "nested deeper than 32 levels"),
        ("x" * 1_000_001, "more than 1,000,000"),
    ):
        with pytest.raises(DocumentError, match=problem):
            kind_of(kind).checked(BODIES[kind] | {"extra": field})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"", "line 1, column 1: not JSON"),
        (b'{"a": 1,}', "not JSON"),
        (b'{"a": NaN}', "NaN is not a number of JSON"),
        (b'{"a": -Infinity}', "-Infinity is not a number"),
        (b'{"a": 1e999}', "not JSON"),
        (b'{"a": ' + b"1" * 5000 + b"}", "not JSON"),
        (b'{"a": 1, "b": 2, "a": 3}', "a: occurs twice"),
        (b'"\\ud800"', "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 33 + b"]" * 33, "nested deeper than 32 levels"),
        (b"[" * 900_000, "not JSON|nested deeper"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested deeper than 32 levels"),
        (b'"' + b"x" * 10_000_000 + b'"', "10,000,002 bytes, more than 1,000,000"),
    ],
)
def test_text_that_is_no_document_is_refused(text, problem):
    with pytest.raises(DocumentError, match=problem) as caught:
        parse(text, "request", "POST /things")
    assert caught.value.where == "POST /things"


def test_what_is_within_the_limits_passes():
    assert parse(b"[" * 32 + b"]" * 32)
    limits.check({"a": [{"b": "é" * 400_000}]})
    assert parse("\ufeff{}".encode()) == {}


def test_what_is_no_json_is_refused():
    loop: list[object] = []
    loop.append(loop)
    for value in ({"a": object()}, {"a": {1, 2}}, loop, {"a": float("inf")}):
        with pytest.raises(DocumentError):
            limits.check(value)


def test_an_estimate_and_a_measurement_differ():
    assert Need(bytes=10).provenance == "estimated"
    assert Model.checked(MODEL | {"inference": {"bytes": 10, "provenance": "measured"}}).inference.bytes == 10


def test_a_document_that_is_too_deep_is_refused_in_little_memory():
    """One path is written, not one for each of the lists below a long key."""
    key = "k" * 500_000
    lists = "[" + ",".join(["[]"] * 120_000) + "]"
    text = '{"' + key + '": ' + lists + "}"
    tracemalloc.start()
    assert parse(text) is not None
    deep = '{"a": [1, {"b": ' + "[" * 40 + "]" * 40 + "}]}"
    with pytest.raises(DocumentError, match=r"a\[1\]\.b(\[0\]){29}: nested deeper than 32 levels"):
        parse(deep)
    long = '{"' + key + '": ' + "[" * 32 + "]" * 32 + "}"
    with pytest.raises(DocumentError) as caught:
        parse(long)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100e6
    assert len(str(caught.value)) < 500


def test_a_key_that_occurs_twice_among_many_is_found_in_one_pass():
    text = "{" + ",".join(f'"{n}":0' for n in range(80_000)) + ',"79999":1}'
    with pytest.raises(DocumentError, match="79999: occurs twice"):
        parse(text)


def test_a_hundred_problems_are_told_and_the_others_counted():
    with pytest.raises(DocumentError) as caught:
        Model.checked(MODEL | {f"x{n}": 0 for n in range(1000)})
    assert len(caught.value.fields) == 101
    assert caught.value.fields[-1] == ("", "and 900 more")
