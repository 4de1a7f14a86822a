"""Frames: every payload arrives as it was, or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.devices.frames import FrameError, decode, encode, stuff, unstuff

# Long runs without a zero, around the 254 bytes of a block.
payloads = st.binary(max_size=600) | st.builds(
    lambda length, at: bytes(at) + b"\1" * length, st.integers(240, 520), st.integers(0, 3)
)


@given(payloads)
def test_a_payload_comes_back(payload):
    frame = encode(payload)
    assert frame[-1] == 0
    assert 0 not in frame[:-1]
    assert len(frame) <= len(payload) + 4 + (len(payload) + 4) // 254 + 2
    assert decode(frame) == payload == decode(frame[:-1])


@given(payloads, st.data())
def test_a_changed_byte_is_noticed(payload, data):
    frame = bytearray(encode(payload))
    at = data.draw(st.integers(0, len(frame) - 2))
    frame[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(FrameError):
        decode(bytes(frame))


@given(payloads, st.data())
def test_a_lost_end_is_noticed(payload, data):
    frame = encode(payload)
    with pytest.raises(FrameError):
        decode(frame[: data.draw(st.integers(0, len(frame) - 2))])


@given(st.binary(max_size=300))
def test_any_bytes_are_a_frame_or_an_error(noise):
    try:
        payload = decode(noise)
    except FrameError:
        return
    assert decode(encode(payload)) == payload


@pytest.mark.parametrize(
    ("data", "stuffed"),
    [
        ("", "01"),
        ("00", "0101"),
        ("0000", "010101"),
        ("11220033", "0311220233"),
        ("11000000", "0211010101"),
        ("07" * 254, "ff" + "07" * 254),
        ("07" * 255, "ff" + "07" * 254 + "0207"),
        ("07" * 254 + "00", "ff" + "07" * 254 + "0101"),
        ("00" + "07" * 254, "01ff" + "07" * 254),
    ],
)
def test_cobs_as_published(data, stuffed):
    assert stuff(bytes.fromhex(data)).hex() == stuffed
    assert unstuff(bytes.fromhex(stuffed)).hex() == data
