"""Log-mel features of short speech clips: the front end of the keyword data sets."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from shoal.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATE = 16000
WINDOW, HOP, FFT = 480, 320, 512
BANDS, LOW_HZ, HIGH_HZ = 40, 60.0, 7600.0
FLOOR = 1e-6
LOW, HIGH = -12.0, 8.0
FRAMES = (RATE - WINDOW) // HOP + 1


def log_mel(clips: NDArray[np.int16]) -> NDArray[np.float32]:
    """Log-mel map of clips of one second.

    Frames of 30 ms every 20 ms, a periodic Hann window, the power spectrum of 512 points, 40 triangular bands
    equally spaced on the HTK mel scale from 60 to 7600 Hz, and ln(E + 1e-6).

    Parameters
    ----------
    clips
        16-bit samples (n, 16000) at 16 kHz.

    Returns
    -------
    ndarray
        Map (n, 49, 40) of ln(E), clipped to [-12, 8].

    Raises
    ------
    InputError
        For another type or length.

    Examples
    --------
    >>> log_mel(np.zeros((1, 16000), np.int16)).shape
    (1, 49, 40)
    >>> tone = np.sin(2 * np.pi * 1000 / 16000 * np.arange(16000)) * 8000
    >>> int(log_mel(tone[None].astype(np.int16))[0, 20].argmax())
    13
    """
    clips = np.asarray(clips)
    if clips.dtype != np.int16 or clips.ndim != 2 or clips.shape[1] != RATE:
        raise InputError(f"clips are {clips.dtype} {clips.shape}", where="clips", hint=f"int16 (n, {RATE})")
    result = np.empty((len(clips), FRAMES, BANDS), np.float32)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    for k, clip in enumerate(clips):
        frames = np.lib.stride_tricks.sliding_window_view(clip / 32768.0, WINDOW)[::HOP]
        spectrum = np.fft.rfft(frames * hann, FFT)
        power = spectrum.real**2 + spectrum.imag**2
        result[k] = np.clip(np.log(power @ mel_bands().T + FLOOR), LOW, HIGH)
    return result


@cache
def mel_bands() -> NDArray[np.float64]:
    """Weights of the triangular bands (40, 257), each with its peak at 1."""
    low, high = mel(np.array([LOW_HZ, HIGH_HZ]))
    edges = 700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1)
    hz = np.arange(FFT // 2 + 1) * (RATE / FFT)
    left, centre, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    weights: NDArray[np.float64] = np.clip(
        np.minimum((hz - left) / (centre - left), (right - hz) / (right - centre)), 0, None
    )
    return weights


def mel(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """HTK mel scale: 2595 log10(1 + f / 700)."""
    scaled: NDArray[np.float64] = 2595 * np.log10(1 + hz / 700)
    return scaled
