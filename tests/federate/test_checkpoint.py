from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.errors import StateError, StorageError
from shoal.federate.checkpoint import Checkpoint, latest, save

P = np.random.default_rng(0).normal(size=11).astype(np.float32)
GOOD = Checkpoint(7, P, 1234)


def signed(body):
    return body + struct.pack("<I", zlib.crc32(body))


def test_a_checkpoint_comes_back_with_every_bit():
    back = Checkpoint.decode(GOOD.encode(), 11, "here")
    assert (back.round, back.metrics) == (7, 1234)
    assert back.parameters.tobytes() == P.tobytes()


def test_the_bytes_are_as_specified():
    content = GOOD.encode()
    assert content[:24] == b"SHCK" + struct.pack("<IIIQ", 1, 7, 11, 1234)
    assert content[24:-4] == P.astype("<f4").tobytes()
    assert struct.unpack("<I", content[-4:])[0] == zlib.crc32(content[:-4])


@given(data=st.data())
def test_any_bytes_are_a_checkpoint_or_refused(data):
    content = bytearray(GOOD.encode())
    if data.draw(st.booleans()):
        content = bytearray(data.draw(st.binary(max_size=100)))
    for _ in range(data.draw(st.integers(1, 3))):
        if content:
            content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    content = content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content
    if bytes(content) != GOOD.encode():
        with pytest.raises(StateError):
            Checkpoint.decode(bytes(content), 11, "here")


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (signed(b"SHCK" + struct.pack("<IIIQ", 2, 7, 11, 0) + P.tobytes()), "version 2"),
        (signed(b"SHCK" + struct.pack("<IIIQ", 1, 7, 12, 0) + P.tobytes()), "with 72 bytes"),
        (
            signed(b"SHCK" + struct.pack("<IIIQ", 1, 7, 10, 0) + P[1:].tobytes()),
            "10 parameters",
        ),
        (signed(b"SHCK" + struct.pack("<IIIQ", 1, 7, 11, 0) + (P * np.inf).tobytes()), "not finite"),
    ],
)
def test_a_checkpoint_that_is_sound_but_does_not_belong_here_is_refused(content, names):
    with pytest.raises(StateError, match=names):
        Checkpoint.decode(content, 11, "here")


def test_the_newest_sound_one_counts(tmp_path):
    assert latest(tmp_path, 11) is None
    for round in (10, 20, 100):
        save(tmp_path, Checkpoint(round, P, 0))
    assert [int(file.stem[11:]) for file in sorted(tmp_path.iterdir())] == [20, 100]
    assert latest(tmp_path, 11).round == 100
    (tmp_path / "checkpoint-0000000100.bin").write_bytes(b"SHCK")
    assert latest(tmp_path, 11).round == 20


def test_a_folder_that_is_not_there_is_a_storage_error(tmp_path):
    with pytest.raises(StorageError, match="cannot write"):
        save(tmp_path / "none", GOOD)
