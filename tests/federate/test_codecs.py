from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from shoal.errors import ConfigError, DivergedError, InputError
from shoal.federate.codecs import Dense, Sign, TopP

CODECS = [
    Dense(), Dense("f16"), Dense("int8"), Sign(),
    TopP(0.1), TopP(0.01, "f16"), TopP(0.5, "int8"), TopP(1.0), TopP(0.001),
]  # fmt: skip
codecs = pytest.mark.parametrize("codec", CODECS, ids=str)
rows = hnp.arrays(np.float32, st.integers(1, 300), elements=st.floats(-1e4, 1e4, width=32))


def sample(count: int = 1153) -> np.ndarray:
    return np.random.default_rng(3).normal(size=count).astype(np.float32)


@codecs
@pytest.mark.parametrize("count", [1, 2, 7, 8, 9, 1153, 70_000])
def test_size_is_the_number_of_bytes(codec, count):
    assert len(codec.encode(sample(count))) == codec.size(count)


@codecs
@given(row=rows, seed=st.integers(0, 2**64 - 1))
def test_what_is_decoded_encodes_to_the_same_values(codec, row, seed):
    payload = codec.encode(row, seed)
    back = codec.decode(payload, row.size)
    assert back.dtype == np.float32
    assert back.shape == row.shape
    assert np.isfinite(back).all()
    assert codec.encode(row, seed) == payload


@given(
    row=hnp.arrays(
        np.float32, st.integers(0, 300), elements=st.floats(allow_nan=False, allow_infinity=False, width=32)
    )
)
def test_dense_float32_keeps_every_bit(row):
    assert Dense().decode(Dense().encode(row), row.size).tobytes() == row.tobytes()


@given(row=rows)
def test_half_precision_is_the_nearest_half(row):
    np.testing.assert_array_equal(
        Dense("f16").decode(Dense("f16").encode(row), row.size), row.astype(np.float16)
    )


def test_half_precision_holds_at_most_its_largest_value():
    assert Dense("f16").decode(Dense("f16").encode([1e30, -1e30]), 2).tolist() == [65504, -65504]


@given(row=rows, seed=st.integers(0, 2**64 - 1))
def test_int8_is_within_one_step(row, seed):
    back = Dense("int8").decode(Dense("int8").encode(row, seed), row.size)
    step = np.abs(row).max() / 127
    assert np.abs(back - row).max() <= step * 1.0001 + 1e-43  # the scale of subnormal values is coarse


def test_int8_is_right_in_the_mean_and_draws_by_seed():
    row = sample(500)
    many = np.mean(
        [Dense("int8").decode(Dense("int8").encode(row, seed), row.size) for seed in range(400)], axis=0
    )
    step = np.abs(row).max() / 127
    assert np.abs(many - row).max() < 5 * step / 2 / np.sqrt(400)
    assert Dense("int8").encode(row, 0) != Dense("int8").encode(row, 1)


def test_int8_survives_the_largest_and_the_smallest_values():
    for row in (np.full(3, np.finfo(np.float32).max), np.full(3, 1e-45), np.zeros(3)):
        assert np.isfinite(Dense("int8").decode(Dense("int8").encode(row), 3)).all()


@given(row=rows, p=st.floats(0.01, 1))
def test_top_p_keeps_the_largest_and_of_equal_ones_the_first(row, p):
    row = np.round(row)  # equal values are then common
    codec = TopP(p)
    kept = codec.kept(row.size)
    order = sorted(range(row.size), key=lambda i: (-abs(row[i]), i))[:kept]
    expected = np.zeros_like(row)
    expected[order] = row[order]
    np.testing.assert_array_equal(codec.decode(codec.encode(row), row.size), expected)


@pytest.mark.parametrize(
    ("p", "count", "form", "size"),
    [
        (0.1, 1000, 0, 10 + 125 + 400),  # bitmap
        (0.06, 1000, 1, 10 + 120 + 240),  # list of 16-bit places, shorter than the bitmap
        (0.001, 100_000, 2, 10 + 400 + 400),  # list of 32-bit places
        (0.001, 65_536, 1, 10 + 132 + 264),
    ],
)
def test_top_p_takes_the_smallest_form_of_its_places(p, count, form, size):
    payload = TopP(p).encode(sample(count))
    assert payload[1] >> 4 == form
    assert len(payload) == size


def test_the_bytes_are_as_specified():
    assert Dense("f16").encode([1.0, -2.0]).hex() == "010102000000" + "003c" + "00c0"
    assert Sign().encode([1.0, -3.0, 2.0]).hex() == "030003000000" + struct.pack("<f", 2).hex() + "02"
    assert (
        TopP(0.25).encode([0, 5, 0, 0]).hex()
        == "020004000000" + "01000000" + "02" + struct.pack("<f", 5).hex()
    )
    sparse = TopP(0.01).encode(np.eye(1, 200, 150)[0])
    assert sparse.hex() == "0210c8000000" + "02000000" + "0000" + "9600" + struct.pack("<ff", 0, 1).hex()


@codecs
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_never_travels(codec, value):
    row = sample(10)
    row[3] = value
    with pytest.raises(DivergedError, match="value 3 of the update"):
        codec.encode(row)


@codecs
@settings(max_examples=300)
@given(data=st.data())
def test_any_bytes_are_decoded_or_refused(codec, data):
    count = data.draw(st.integers(0, 100))
    payload = bytearray(codec.encode(sample(max(1, count))))
    if data.draw(st.booleans()):
        payload = bytearray(data.draw(st.binary(max_size=200)))
    for _ in range(data.draw(st.integers(0, 4))):
        if payload:
            payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    payload = payload[: data.draw(st.integers(0, len(payload)))] if data.draw(st.booleans()) else payload
    try:
        row = codec.decode(bytes(payload), count)
    except InputError:
        return
    assert row.shape == (count,)
    assert np.isfinite(row).all()


@codecs
def test_a_short_payload_that_promises_much_is_refused_at_once(codec):
    with pytest.raises(InputError, match="damaged update"):
        codec.decode(codec.encode([1.0])[:2] + struct.pack("<I", 2**32 - 1) + bytes(10), 2**32 - 1)


@codecs
@pytest.mark.parametrize(
    "change", [lambda b: b[:-1], lambda b: b + b"\0", lambda b: b"\x09" + b[1:], lambda _: b""]
)
def test_damage_is_refused(codec, change):
    with pytest.raises(InputError, match="damaged update"):
        codec.decode(change(codec.encode(sample(20))), 20)


def test_values_that_are_not_finite_are_refused_when_they_arrive():
    payload = Dense().encode([1.0])[:6]
    for bits in (struct.pack("<f", np.inf), struct.pack("<f", np.nan)):
        with pytest.raises(InputError, match="not finite"):
            Dense().decode(payload + bits, 1)
    with pytest.raises(InputError, match="scale is nan"):
        Dense("int8").decode(Dense("int8").encode([1.0])[:6] + struct.pack("<f", np.nan) + b"\0", 1)
    with pytest.raises(InputError, match="scale is inf"):
        Sign().decode(Sign().encode([1.0])[:6] + struct.pack("<f", np.inf) + b"\0", 1)


@pytest.mark.parametrize("p", [0, -0.1, 1.1, np.nan, "0.5", None, True])
def test_a_share_out_of_range_is_refused(p):
    with pytest.raises(ConfigError, match="p is "):
        TopP(p)


def test_an_unknown_form_is_refused_with_the_nearest():
    with pytest.raises(ConfigError, match="try    f16"):
        Dense("fp16")
