"""Models and devices at random: small, and alike enough that about one pair in ten matches."""

from __future__ import annotations

from hypothesis import strategies as st

from shoal.catalog.documents import (
    Capacity,
    Hardware,
    Input,
    Metric,
    Model,
    Need,
    Operator,
    Runtime,
    Sensor,
    SensorNeed,
)

UNITS = {
    "acceleration": [None, "M-PER-SEC2", "MilliG"],
    "vibration": [None, "MilliG"],
    "temperature": [None, "DEG_F", "K"],
}
OBSERVED = ["acceleration", "acceleration", "vibration", "sound", "speech", "temperature", "torque"]
VERSIONS = ["", "0.1.0", "1.9", "1.10", "2.0.0-rc1", "x"]
LICENCES = ["MIT", "Apache-2.0", "GPL-3.0-only"]


def mostly(usual, *others):
    """The first three times out of four."""
    return st.integers(0, 7).flatmap(lambda n: usual if n < 6 or not others else others[n % len(others)])


def observations(kind, widest, *, asked=False):
    """Sensors, or needs; `asked`: of all that a need may have."""

    def made(observes, low, width, unit, rate, axes):
        ranged = {} if low is None or observes not in UNITS else {"low": low, "high": low + width}
        if ranged:
            ranged["unit"] = UNITS[observes][unit % len(UNITS[observes])]
        return kind(observes=observes, rate_hz=rate, axes=axes, **ranged)

    needed = kind is SensorNeed and not asked
    rates = [None, None, None, 50, 100] if needed else [None, 50, 100, 100, 100]
    axes = [None, None, None, 1, 3] if needed else [None, 1, 3, 3, 3]
    return st.builds(
        made,
        st.sampled_from(OBSERVED),
        mostly(st.just(None), st.integers(-4, 3)) if needed else mostly(st.integers(-4, 3), st.none()),
        st.integers(1, widest),
        mostly(st.just(0), st.integers(0, 2)),
        st.sampled_from(rates),
        st.sampled_from(axes),
    )


common = st.builds(
    Operator, name=st.sampled_from(["CONV_2D", "SOFTMAX"]), dtype=st.sampled_from(["float32", "int8"])
)
rare = st.builds(
    Operator,
    name=st.sampled_from(["CONV_2D", "TRANSPOSE_CONV", "onnx:Conv", "onnx:Concat", "shoal:Dense"]),
    version=st.integers(1, 4),
    dtype=st.sampled_from(["float32", "int8", "int16"]),
)
operators = mostly(common, rare)
every = st.just(
    [Operator(name=name, version=3, dtype="*") for name in ("CONV_2D", "SOFTMAX", "TRANSPOSE_CONV")]
)
runtimes = st.builds(
    Runtime,
    name=mostly(st.just("shoal"), st.sampled_from(["tflite-micro", "Other"])),
    version=st.sampled_from(["", "", *VERSIONS]),
    operators=mostly(st.none(), every, st.lists(operators, max_size=4)),
    training=st.booleans(),
)
capacities = mostly(
    st.builds(
        lambda free, reserved: Capacity(total=free + reserved, reserved=reserved),
        st.integers(20, 40),
        st.integers(0, 9),
    ),
    st.builds(Capacity, total=st.sampled_from([0, 10, 20, 2**53])),
)
hardware = st.builds(
    Hardware,
    board=st.sampled_from([None, "a", "b"]),
    clock_hz=mostly(st.integers(2, 4), st.none()),
    ram=mostly(capacities, st.none()),
    flash=mostly(capacities, st.none()),
    sensors=mostly(st.lists(observations(Sensor, 9), min_size=1, max_size=4), st.none(), st.just([])),
    runtimes=mostly(st.lists(runtimes, min_size=1, max_size=2), st.none(), st.just([])),
    licences=mostly(st.none(), st.lists(st.sampled_from(LICENCES), max_size=2)),
)
needs = mostly(st.integers(0, 25), st.sampled_from([10, 20, 40, 2**53])).map(lambda count: Need(bytes=count))


def models(number: int = 0):
    return st.builds(
        Model,
        sha256=st.just(f"{number:064x}"),
        name=st.just("m"),
        version=st.just(f"1.0.{number}"),
        format=st.just("tflite"),
        size=st.integers(0, 30),
        licence=st.sampled_from(["", *LICENCES, "MIT OR GPL-3.0-only", "MIT AND Apache-2.0"]),
        operators=mostly(st.lists(operators, min_size=1, max_size=3), st.just([])),
        inference=mostly(needs, st.none()),
        training=mostly(needs, st.none()),
        flash=st.none() | needs,
        clock_hz=st.sampled_from([None, None, 1, 3, 4]),
        runtime=mostly(st.just(""), st.sampled_from(["shoal", "TFLite-Micro"])),
        runtime_version=st.sampled_from(["", "", *VERSIONS]),
        input=st.builds(
            Input,
            sensors=mostly(st.just([]), st.lists(observations(SensorNeed, 3), max_size=2)),
            channels=st.sampled_from([(), (), ("x",), ("x", "y", "z")]),
        ),
        metrics=st.lists(
            st.builds(Metric, name=st.sampled_from(["accuracy", "loss"]), value=st.integers(0, 3)), max_size=2
        ),
        task=st.sampled_from(["", "classification"]),
    )


fleets = st.lists(hardware, min_size=1, max_size=8).map(
    lambda found: {f"urn:dev:{i}": one for i, one in enumerate(found)}
)
shelves = st.integers(0, 4).flatmap(lambda count: st.tuples(*(models(i) for i in range(count))))
