"""Spoken keywords as they lie on disk: the official Speech Commands layout, its archive, prepared arrays."""

from __future__ import annotations

import io
import re
import wave
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from shoal.datasets import validate
from shoal.datasets.archive import tar_members
from shoal.datasets.locate import load_arrays
from shoal.datasets.log_mel import HIGH, LOW, RATE, log_mel
from shoal.errors import InputError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

LISTS = ("validation_list.txt", "testing_list.txt")
CLIP_NAME = re.compile(r"([0-9a-f]+)_nohash_(\d+)\.wav")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Clips:
    """Keyword clips as features.

    Parameters
    ----------
    x
        Log-mel maps (n, 49, 40, 1), [-12, 8] in ln(E) scaled to [0, 1].
    word
        Index into `words` (n,).
    speaker
        Index into `speakers` (n,).
    take
        Which of the speaker's recordings of the word it is (n,).
    words, speakers
        Their names.
    listed
        Names of the speakers on each official list: ``validation`` and ``testing``; empty without lists.
    """

    x: NDArray[np.float32]
    word: NDArray[np.int64]
    speaker: NDArray[np.int64]
    take: NDArray[np.int64]
    words: tuple[str, ...]
    speakers: tuple[str, ...]
    listed: dict[str, frozenset[str]]

    def only(self, words: Sequence[str] | None, where: str) -> Clips:
        """Keep the clips of some words, numbered in the given order; None keeps all."""
        if words is None:
            return self
        missing = [w for w in words if w not in self.words]
        if missing or len(set(words)) != len(words):
            raise InputError(
                f"word {missing[0]!r} is not in the data" if missing else "words are named twice",
                where=where,
                hint="some of " + ", ".join(self.words),
            )
        number = np.full(len(self.words), -1)
        number[[self.words.index(w) for w in words]] = np.arange(len(words))
        kept = number[self.word] >= 0
        return Clips(
            x=self.x[kept],
            word=number[self.word[kept]],
            speaker=self.speaker[kept],
            take=self.take[kept],
            words=tuple(words),
            speakers=self.speakers,
            listed=self.listed,
        )


def read_official(source: Path, words: Sequence[str] | None = None) -> Clips:
    """Read Speech Commands: a folder of ``WORD/SPEAKER_nohash_TAKE.wav``, or its ``.tar.gz``.

    The folder of background noise is left out.
    """
    found: list[tuple[str, str, int]] = []
    maps: list[NDArray[np.float32]] = []
    listed: dict[str, frozenset[str]] = {}
    for name, data in members(source, words):
        if name.name in LISTS:
            speakers = (PurePosixPath(line).name.partition("_nohash_")[0] for line in data.decode().split())
            listed[name.name.removesuffix("_list.txt")] = frozenset(speakers)
            continue
        match = CLIP_NAME.fullmatch(name.name)
        if match is None:
            raise InputError(f"{name} is not named SPEAKER_nohash_TAKE.wav", where=str(source))
        maps.append(to_unit(log_mel(read_wav(data, f"{source}: {name}")[None])))
        found.append((name.parent.name, match[1], int(match[2])))
    if not found:
        raise InputError("no clips", where=str(source), hint="WORD/SPEAKER_nohash_TAKE.wav")
    word_names, word = np.unique([f[0] for f in found], return_inverse=True)
    speaker_names, speaker = np.unique([f[1] for f in found], return_inverse=True)
    return Clips(
        x=np.concatenate(maps),
        word=word,
        speaker=speaker,
        take=np.array([f[2] for f in found], np.int64),
        words=tuple(word_names.tolist()),
        speakers=tuple(speaker_names.tolist()),
        listed=listed,
    )


def members(source: Path, words: Sequence[str] | None) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Clips and lists of a folder or an archive."""

    def wanted(name: PurePosixPath) -> bool:
        word = name.parent.name
        return name.name in LISTS or (
            name.suffix == ".wav" and not word.startswith("_") and (words is None or word in words)
        )

    if source.is_file():
        yield from tar_members(source, wanted)
        return
    try:
        for path in sorted([*source.glob("*.txt"), *source.glob("*/*.wav")]):
            name = PurePosixPath(path.relative_to(source).as_posix())
            if wanted(name):
                yield name, path.read_bytes()
    except OSError as error:
        raise StorageError(f"cannot read the clips: {error}", where=str(source)) from error


def read_wav(data: bytes, where: str) -> NDArray[np.int16]:
    """Samples (16000,) of a 16 kHz mono 16-bit WAV file, padded with silence or cut to one second."""
    try:
        with wave.open(io.BytesIO(data)) as file:
            form = (file.getnchannels(), file.getsampwidth(), file.getframerate())
            raw = file.readframes(RATE)
    except (wave.Error, EOFError) as error:
        raise InputError(f"no WAV file: {error}", where=where) from error
    if form != (1, 2, RATE):
        raise InputError(
            f"WAV of {form[0]} channels, {8 * form[1]} bit, {form[2]} Hz", where=where, hint="1, 16, 16000"
        )
    return one_second(np.frombuffer(raw[: len(raw) // 2 * 2], "<i2").astype(np.int16))


def one_second(samples: NDArray[np.int16]) -> NDArray[np.int16]:
    """Pad with silence at the end, or cut, to 16000 samples."""
    clip = np.zeros(RATE, np.int16)
    clip[: len(samples)] = samples[:RATE]
    return clip


def read_prepared(path: Path) -> Clips:
    """Read Speech Commands clips from one .npz: samples, offsets, label, speaker, take and the names."""
    samples, offsets, rate = load_arrays(path, "samples", "offsets", "sample_rate")
    bounds = validate.labels(offsets, len(offsets), "offsets")
    if samples.dtype != np.int16 or samples.ndim != 1 or int(rate) != RATE:
        raise InputError(
            f"samples are {samples.dtype} at {rate} Hz", where=str(path), hint=f"int16 at {RATE} Hz"
        )
    if (np.diff(bounds) < 0).any() or bounds[-1] > len(samples):
        raise InputError("offsets do not fit the samples", where=str(path), hint="the prepared data set")
    clips = np.stack([one_second(samples[a:b]) for a, b in pairwise(bounds)])
    return labelled(path, to_unit(log_mel(clips)))


def read_features(path: Path) -> Clips:
    """Read prepared log-mel maps: features u8 (n, 49, 40) with label, speaker, take and the names."""
    features, log_range = load_arrays(path, "features", "log_range")
    if features.dtype != np.uint8 or features.ndim != 3 or log_range.tolist() != [LOW, HIGH]:
        raise InputError(
            f"features are {features.dtype} {features.shape} in {log_range.tolist()}",
            where=str(path),
            hint=f"uint8 (n, 49, 40) in [{LOW}, {HIGH}]",
        )
    return labelled(path, features[..., None].astype(np.float32) / np.float32(255))


def labelled(path: Path, x: NDArray[np.float32]) -> Clips:
    """Join features with the labels of an .npz file."""
    label, speaker, take, words, speakers = load_arrays(
        path, "label", "speaker", "take", "words", "speaker_names"
    )
    n = len(x)
    word, who = validate.labels(label, n, "label"), validate.labels(speaker, n, "speaker")
    if word.max() >= len(words) or who.max() >= len(speakers):
        raise InputError("a label or speaker has no name", where=str(path), hint="the prepared data set")
    return Clips(
        x=x,
        word=word,
        speaker=who,
        take=validate.labels(take, n, "take"),
        words=names(words),
        speakers=names(speakers),
        listed={},
    )


def names(values: Iterable[object]) -> tuple[str, ...]:
    """Plain strings."""
    return tuple(str(v) for v in values)


def to_unit(maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale ln(E) in [-12, 8] to [0, 1] and add a channel axis."""
    unit: NDArray[np.float32] = (maps[..., None] - np.float32(LOW)) / np.float32(HIGH - LOW)
    return unit
