"""The definition: each condition alone, by examples."""

from __future__ import annotations

import json

import pytest

from shoal.catalog.documents import (
    Capacity,
    Hardware,
    Input,
    Model,
    Need,
    Operator,
    Runtime,
    Sensor,
    SensorNeed,
)
from shoal.catalog.matching import ALL, REFERENCE_RULE, Match, check
from shoal.catalog.matching.needs import needs_of
from shoal.catalog.matching.versions import at_least
from shoal.errors import ConfigError

RELU = Operator(name="RELU", dtype="float32")


def model(**fields):
    given = {
        "sha256": "0" * 64,
        "name": "m",
        "version": "1.0.0",
        "format": "tflite",
        "size": 1000,
        "inference": Need(bytes=500),
        "operators": [RELU],
    }
    return Model(**given | fields)


def device(**fields):
    given = {
        "ram": Capacity(total=600, reserved=100),
        "flash": Capacity(total=1000),
        "runtimes": [Runtime(name="shoal", training=True)],
        "sensors": [],
    }
    return Hardware(**given | fields)


def reasons(wanted, given, **how):
    return Match("m", "d", check(wanted, given, **how)).reasons


def one(name, wanted, given, **how):
    (found,) = [condition for condition in check(wanted, given, **how) if condition.name == name]
    return found


def test_what_just_fits():
    found = check(model(), device())
    assert [condition.name for condition in found] == ["operators", "RAM", "flash"]
    assert all(condition.fits and condition.missing == 0 for condition in found)
    assert [condition.margin for condition in found] == [None, 0, 0]


@pytest.mark.parametrize(
    ("wanted", "given", "reason"),
    [
        ({"inference": Need(bytes=41312)}, {}, "RAM: needs 41,312 B, has 500 B, 40,812 B short"),
        ({}, {"ram": None}, "RAM: needs 500 B, has not known"),
        ({"inference": None}, {}, "RAM: needs not known, has 500 B"),
        ({"size": 1001}, {}, "flash: needs 1,001 B, has 1,000 B, 1 B short"),
        ({"flash": Need(bytes=2000)}, {}, "flash: needs 2,000 B, has 1,000 B, 1,000 B short"),
        ({}, {"flash": None}, "flash: needs 1,000 B, has not known"),
        (
            {"clock_hz": 120_000_000},
            {"clock_hz": 64_000_000},
            "clock: needs 120 MHz, has 64 MHz, 56 MHz short",
        ),
        ({"clock_hz": 1}, {}, "clock: needs 1 Hz, has not known"),
        ({"runtime": "tflite-micro"}, {}, "runtime: needs tflite-micro, has shoal"),
        ({"runtime": "shoal"}, {"runtimes": None}, "runtime: needs shoal, has not known"),
        ({"runtime": "shoal"}, {"runtimes": []}, "runtime: needs shoal, has none"),
        ({}, {"runtimes": None}, "operators: needs RELU, has not known"),
        ({}, {"runtimes": []}, "operators: needs RELU, has none"),
        ({"operators": []}, {}, "operators: needs not known, has shoal"),
        ({"licence": "GPL-3.0-only"}, {"licences": ["MIT"]}, "licence: needs GPL-3.0-only, has mit"),
        ({}, {"licences": ["MIT"]}, "licence: needs not known, has mit"),
        ({"licence": "MIT"}, {"licences": []}, "licence: needs MIT, has none"),
    ],
)
def test_the_one_reason(wanted, given, reason):
    found = reasons(model(**wanted), device(**given))
    assert reason in found
    assert {one.split(":")[0] for one in found} <= {reason.split(":")[0], "operators"}


@pytest.mark.parametrize(
    ("licence", "fits"),
    [
        ("mit", True),
        ("MIT OR GPL-3.0-only", True),
        ("MIT AND GPL-3.0-only", False),
        ("GPL-3.0-only OR MIT AND Apache-2.0", True),
        ("(MIT)", True),
        ("(GPL-3.0-only OR (MIT)) AND\nApache-2.0", True),
        ("(MIT OR Apache-2.0) AND GPL-3.0-only", False),
        ("GPL-2.0-or-later", False),
        ("Apache-2.0 WITH LLVM-exception", False),
        ("(MIT", False),
        ("MIT OR", False),
        ("(" * 5000, False),
    ],
)
def test_licences(licence, fits):
    assert one("licence", model(licence=licence), device(licences=["MIT", "Apache-2.0"])).fits is fits


def test_a_licence_matters_only_where_they_are_restricted():
    assert "licence" not in {condition.name for condition in check(model(), device())}
    assert one("licence", model(licence="GPL-3.0-only"), device()).fits


def test_training_needs_its_own_memory_and_a_runtime_that_learns():
    wanted = model(training=Need(bytes=400), inference=Need(bytes=9999))
    assert reasons(wanted, device(), training=True) == ()
    assert reasons(wanted, device(runtimes=[Runtime(name="shoal")]), training=True) == (
        "runtime: needs any that learns, has shoal",
    )
    assert reasons(model(), device(), training=True) == ("RAM: needs not known, has 500 B",)


def observed(need, *sensors):
    wanted = model(input=Input(sensors=[SensorNeed(**need)]))
    given = [Sensor(**sensor) for sensor in sensors]
    return one(f"sensor: {need['observes']}", wanted, device(sensors=given))


@pytest.mark.parametrize(
    ("need", "sensor", "fits"),
    [
        ({"observes": "acceleration"}, {"observes": "acceleration"}, True),
        ({"observes": "acceleration"}, {"observes": "vibration"}, True),
        ({"observes": "vibration"}, {"observes": "acceleration"}, False),
        ({"observes": "sound"}, {"observes": "speech"}, True),
        ({"observes": "torque"}, {"observes": "torque"}, True),
        ({"observes": "torque"}, {"observes": "force"}, False),
        ({"observes": "acceleration", "rate_hz": 100}, {"observes": "acceleration", "rate_hz": 100}, True),
        ({"observes": "acceleration", "rate_hz": 100}, {"observes": "acceleration", "rate_hz": 99}, False),
        ({"observes": "acceleration", "rate_hz": 100}, {"observes": "acceleration"}, False),
        ({"observes": "acceleration", "axes": 3}, {"observes": "acceleration", "axes": 2}, False),
        ({"observes": "acceleration", "axes": 3}, {"observes": "acceleration"}, False),
        ({"observes": "acceleration", "axes": 1}, {"observes": "acceleration", "axes": 3}, True),
    ],
)
def test_sensors(need, sensor, fits):
    assert observed(need, sensor).fits is fits


@pytest.mark.parametrize(
    ("property_", "need", "sensor", "fits"),
    [
        ("acceleration", (-4, 4, "G"), (-39.3, 39.3, "M-PER-SEC2"), True),
        ("acceleration", (-4, 4, "G"), (-39.2, 39.2, "M-PER-SEC2"), False),
        ("acceleration", (-4, 4, None), (-4000, 4000, "MilliG"), True),
        ("acceleration", (-4, 4, None), (-4, 3.9, None), False),
        ("temperature", (32, 212, "DEG_F"), (0, 100, "DEG_C"), True),
        ("temperature", (273.15, 373.15, "K"), (0, 100, None), True),
        ("temperature", (273.15, 373.16, "K"), (0, 100, None), False),
        ("magnetic field", (-1, 1, "GAUSS"), (-100, 100, "MicroT"), True),
    ],
)
def test_ranges_are_compared_in_one_unit(property_, need, sensor, fits):
    low, high, unit = need
    wanted = {"observes": property_, "low": low, "high": high, "unit": unit}
    given = {"observes": property_, "low": sensor[0], "high": sensor[1], "unit": sensor[2]}
    assert observed(wanted, given).fits is fits
    assert not observed(wanted, {"observes": property_}).fits  # a range that is not known


def test_the_sensor_that_misses_least_is_shown():
    need = {"observes": "acceleration", "rate_hz": 100, "low": -4, "high": 4}
    found = observed(
        need,
        {"observes": "acceleration", "rate_hz": 10, "low": -16, "high": 16},
        {"observes": "vibration", "rate_hz": 80, "low": -16, "high": 16},
        {"observes": "sound"},
    )
    assert str(found) == (
        "sensor: acceleration: needs -4 to 4 g, 100 Hz, has vibration, -16 to 16 g, 80 Hz, 20 Hz short"
    )
    assert (found.margin, found.missing) == (-20, 0.2)


def test_no_sensor_and_sensors_that_are_not_known():
    wanted = model(input=Input(sensors=[SensorNeed(observes="image")]))
    assert reasons(wanted, device()) == ("sensor: image: needs any, has none",)
    assert reasons(wanted, device(sensors=None)) == ("sensor: image: needs any, has not known",)


def test_the_channels_of_the_input_come_from_the_axes_of_the_sensors():
    needs = [SensorNeed(observes="acceleration"), SensorNeed(observes="angular velocity")]
    wanted = model(input=Input(sensors=needs, channels=["ax", "ay", "az", "gx", "gy", "gz"], window=119))
    sensors = [Sensor(observes="acceleration", axes=3), Sensor(observes="angular velocity", axes=3)]
    assert one("input", wanted, device(sensors=sensors)).fits
    few = one("input", wanted, device(sensors=[sensors[0], Sensor(observes="angular velocity", axes=2)]))
    assert str(few) == "input: needs 6 channels, has 5, 1 short"
    unknown = one("input", wanted, device(sensors=[sensors[0], Sensor(observes="angular velocity")]))
    assert str(unknown) == "input: needs 6 channels, has not known"


ANY = [Operator(name="RELU", version=2, dtype="*")]


@pytest.mark.parametrize(
    ("operator", "runtime", "fits"),
    [
        (RELU, {"name": "shoal"}, True),
        (RELU, {"name": "shoal", "version": "0.0.9"}, False),
        (RELU, {"name": "other"}, False),
        (RELU, {"name": "other", "operators": ANY}, True),
        (RELU, {"name": "other", "operators": []}, False),
        (Operator(name="RELU", version=3, dtype="int16"), {"name": "other", "operators": ANY}, False),
        (Operator(name="RELU", version=2, dtype="int16"), {"name": "other", "operators": ANY}, True),
        (Operator(name="RELU", version=2, dtype="int8"), {"name": "shoal"}, True),
        (Operator(name="RELU", version=3, dtype="int8"), {"name": "shoal"}, False),
        (Operator(name="RELU", version=1, dtype="int16"), {"name": "shoal"}, False),
        (Operator(name="TRANSPOSE_CONV", dtype="int8"), {"name": "shoal"}, False),
        (Operator(name="onnx:Conv", version=17, dtype="float32"), {"name": "shoal"}, True),
        (Operator(name="onnx:Conv", version=17, dtype="float16"), {"name": "shoal"}, False),
        (Operator(name="onnx:Concat", version=17, dtype="int64"), {"name": "shoal"}, True),
        (Operator(name="shoal:Dense", dtype="int8"), {"name": "shoal"}, True),
    ],
)
def test_operators(operator, runtime, fits):
    assert one("operators", model(operators=[operator]), device(runtimes=[Runtime(**runtime)])).fits is fits


def test_all_operators_are_in_one_runtime():
    both = [RELU, Operator(name="TRANSPOSE_CONV", dtype="int8")]
    runtimes = [
        Runtime(name="a", operators=[RELU]),
        Runtime(name="b", operators=[Operator(name="TRANSPOSE_CONV", dtype="int8")]),
    ]
    found = one("operators", model(operators=both), device(runtimes=runtimes))
    assert (
        str(found)
        == "operators: needs RELU, TRANSPOSE_CONV, has all but TRANSPOSE_CONV (version 1, int8) in a"
    )
    assert found.missing == 0.5


def test_a_runtime_without_a_list_runs_the_models_that_name_it():
    tflm = device(runtimes=[Runtime(name="tflite-micro", version="1.2")])
    assert reasons(model(), tflm) == (
        "operators: needs RELU, has tflite-micro 1.2, whose operators are not known",
    )
    assert reasons(model(runtime="TFLite-Micro"), tflm) == ()
    assert reasons(model(runtime="tflite-micro", runtime_version="1.10"), tflm)[0] == (
        "runtime: needs tflite-micro 1.10, has tflite-micro 1.2"
    )


def test_only_the_runtime_that_serves_counts():
    runtimes = [Runtime(name="shoal", training=True), Runtime(name="other", operators=[])]
    assert reasons(model(runtime="other"), device(runtimes=runtimes)) == (
        "operators: needs RELU, has all but RELU (version 1, float32) in other",
    )


@pytest.mark.parametrize(
    ("version", "wanted", "enough"),
    [
        ("1.2.3", "1.2.3", True),
        ("1.10", "1.9", True),
        ("1.9", "1.10", False),
        ("2", "2.0.0", True),
        ("2.0.0-rc1", "2.0.0", False),
        ("2.0.0", "2.0.0-rc1", True),
        ("2.0.0-rc2", "2.0.0-rc1", True),
        ("2.0.0+build", "2.0.0", True),
        ("v3.1", "3.0", True),
        ("nightly", "1.0", False),
        ("nightly", "nightly", True),
        ("", "1.0", False),
    ],
)
def test_versions(version, wanted, enough):
    assert at_least(version, wanted) is enough


@pytest.mark.parametrize("left_out", sorted(ALL))
def test_a_rule_selects_what_is_asked(left_out):
    wanted = model(
        size=9999,
        operators=[Operator(name="TRANSPOSE_CONV", dtype="int8")],
        inference=None,
        clock_hz=9,
        runtime="other",
        licence="GPL-3.0-only",
        input=Input(sensors=[SensorNeed(observes="image")], channels=["grey"]),
    )
    given = device(licences=["MIT"], clock_hz=1)
    families = {reason.split(":")[0].replace("sensor", "sensors") for reason in reasons(wanted, given)}
    assert families == ALL
    kept = {
        reason.split(":")[0].replace("sensor", "sensors")
        for reason in reasons(wanted, given, rule=ALL - {left_out})
    }
    # Without sensors nobody knows where the channels are to come from.
    assert kept == ALL - {left_out} - ({"input"} if left_out == "sensors" else set())


def test_the_rule_of_the_reference_system_asks_for_classes_and_memory():
    need = SensorNeed(observes="acceleration", low=-16, high=16, rate_hz=1000, axes=3)
    wanted = model(input=Input(sensors=[need]), operators=[], licence="x", runtime="y", clock_hz=5)
    given = device(sensors=[Sensor(observes="acceleration")], runtimes=None)
    assert [condition.name for condition in check(wanted, given, rule=REFERENCE_RULE)] == [
        "sensor: acceleration",
        "RAM",
        "flash",
    ]
    assert reasons(wanted, given, rule=REFERENCE_RULE) == ()
    assert needs_of(wanted, rule=REFERENCE_RULE).clock == -1


def test_a_match_says_for_each_condition_whether_it_is_known():
    silent = device(ram=None, flash=Capacity(total=10))
    body = Match("m", "d", check(model(), silent)).body()
    assert {one["name"]: (one["fits"], one["known"]) for one in body["conditions"]} == {
        "operators": (True, True),
        "RAM": (False, False),
        "flash": (False, True),
    }
    json.dumps(body, allow_nan=False)


def test_a_rule_that_asks_for_what_there_is_not_is_refused():
    for rule in ({"ram"}, {"RAM", "sensor"}, "RAM", ["clocks"]):
        with pytest.raises(ConfigError, match="nothing is called"):
            check(model(), device(), rule=rule)
    assert check(model(), device(), rule=()) == ()
