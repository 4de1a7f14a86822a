from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from shoal.datasets import log_mel
from shoal.datasets.log_mel import mel_bands
from shoal.errors import InputError


def test_it_agrees_with_prepared_features(data: Path) -> None:
    folder = data / "arabic_speech_commands"
    with np.load(folder / "asc_raw10.npz") as raw, np.load(folder / "asc_logmel.npz") as prepared:
        clips = raw["samples"].reshape(-1, 16000)
        wanted = {(k, s, t): i for i, (k, s, t) in enumerate(keys(prepared))}
        rows = [wanted[key] for key in keys(raw)]
        expected = prepared["features"][rows].astype(int)
    assert len(rows) == 480
    grey = np.rint((log_mel(clips).astype(np.float64) + 12) / 20 * 255).astype(int)
    difference = np.abs(grey - expected)
    # A value on the edge between two grey levels may fall either way.
    assert difference.max() <= 1
    assert np.count_nonzero(difference) <= 10


def keys(z) -> zip:
    return zip(z["label"].tolist(), z["speaker"].tolist(), z["take"].tolist(), strict=True)


def test_silence_and_noise_stay_in_range() -> None:
    clips = np.random.default_rng(0).integers(-32768, 32768, (2, 16000)).astype(np.int16)
    clips[0] = 0
    maps = log_mel(clips)
    assert maps.dtype == np.float32
    assert np.all(maps[0] == -12)
    assert maps[1].min() > -12
    assert maps.max() <= 8


def test_bands_are_triangles_in_order() -> None:
    bands = mel_bands()
    assert bands.shape == (40, 257)
    assert bands.min() == 0
    assert bands.max() <= 1
    assert np.all(np.diff(bands.argmax(axis=1)) >= 0)
    assert not bands[:, :2].any()  # below 60 Hz
    assert not bands[:, 244:].any()  # above 7600 Hz


@pytest.mark.parametrize(
    "clips", [np.zeros((1, 16000)), np.zeros(16000, np.int16), np.zeros((1, 8000), np.int16)]
)
def test_other_clips_are_refused(clips: np.ndarray) -> None:
    with pytest.raises(InputError, match="clips are"):
        log_mel(clips)
