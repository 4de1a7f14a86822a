from __future__ import annotations

import hashlib
import io
import shutil
import sys
import tarfile
import wave
from pathlib import Path

import numpy as np
import pytest

from shoal.datasets import FewShot, Grouped, keywords
from shoal.datasets.keyword_files import read_features, read_official, read_prepared, read_wav
from shoal.errors import ConfigError, InputError, StorageError

WORDS = ("bed", "cat", "happy")


def wav(samples: np.ndarray, channels: int = 1, rate: int = 16000) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())
    return buffer.getvalue()


@pytest.fixture
def official(tmp_path: Path) -> Path:
    """A small corpus in the official layout: 6 speakers, 3 words, 3 takes; one speaker on each list."""
    folder = tmp_path / "speech_commands" / "speech_commands_v0.02"
    rng = np.random.default_rng(0)
    for word in WORDS:
        (folder / word).mkdir(parents=True)
        for speaker in range(6):
            for take in range(3):
                samples = rng.integers(-999, 999, 15000 + 500 * take)
                (folder / word / f"abc{speaker}_nohash_{take}.wav").write_bytes(wav(samples))
    (folder / "_background_noise_").mkdir()
    (folder / "_background_noise_" / "noise.wav").write_bytes(wav(rng.integers(-9, 9, 50000)))
    (folder / "README.md").write_text("words")
    (folder / "validation_list.txt").write_text(
        "".join(f"{w}/abc1_nohash_{t}.wav\n" for w in WORDS for t in range(3))
    )
    (folder / "testing_list.txt").write_text("bed/abc4_nohash_0.wav\ncat/dead_nohash_0.wav\n")
    return folder


def test_arabic_speakers_teach_their_words(data: Path) -> None:
    family = keywords(data)
    test = family.held_out()
    assert isinstance(family, FewShot)
    assert (len(family.names), len(test.names)) == (18, 6)
    assert not set(family.names) & set(test.names)
    assert (family.input_shape, family.outputs, family.clients) == ((49, 40, 1), 5, None)
    assert family.x is test.x
    with np.load(data / "arabic_speech_commands" / "asc_logmel.npz") as z:
        assert np.array_equal(family.x[..., 0], z["features"] / np.float32(255))
        label, speaker, take = z["label"], z["speaker"], z["take"]
        names = z["speaker_names"]
    for part in (family, test):
        batch = part.sample(3, np.arange(60, dtype=np.uint64))
        for k in range(60):
            rows = np.concatenate([batch.support[k], batch.query[k]])
            assert set(names[speaker[rows]]) == {batch.names[k]}
            assert take[batch.support[k]].tolist() == [t for t in range(1, 6) for _ in range(5)]
            assert take[batch.query[k]].tolist() == [t for t in range(6, 11) for _ in range(5)]
            assert len(set(label[rows].tolist())) == 5
            assert np.array_equal(label[batch.support[k]], np.tile(label[batch.support[k][:5]], 5))
            assert np.array_equal(label[batch.query[k]], np.tile(label[batch.support[k][:5]], 5))
        assert len({tuple(sorted(label[batch.support[k]])) for k in range(60)}) > 50
        alone = part.sample(3, np.array([17], np.uint64))[0]
        assert np.array_equal(alone.support_x, batch[17].support_x)


def test_words_and_held_out_speakers_can_be_named(data: Path) -> None:
    words = ["yes", "no", "up"]
    family = keywords(data, words=words, ways=None, shots=6, queries=9, held_out=["00000001", "00000005"])
    assert isinstance(family, Grouped)
    assert (family.outputs, family.clients) == (3, 22)
    assert family.held_out().names == ("00000001", "00000005")
    task = family.sample(0, np.array([4]))[0]
    assert task.support_y.tolist() == [0, 1, 2, 0, 1, 2]
    assert sorted(task.query_y.tolist()) == [0] * 3 + [1] * 3 + [2] * 3
    with pytest.raises(InputError, match="'maybe' is not in the data"):
        keywords(data, words=["yes", "maybe"])
    with pytest.raises(InputError, match="named twice"):
        keywords(data, words=["yes", "yes"])
    with pytest.raises(InputError, match="group nobody"):
        keywords(data, held_out=["nobody"])


def test_prepared_speech_commands(data: Path) -> None:
    family = keywords(data, corpus="speech_commands", words=WORDS, ways=None, shots=2, queries=1)
    assert (family.outputs, family.clients, family.held_out().clients) == (3, 98, 32)
    assert family.sample(0, np.arange(98)).support.shape == (98, 2)


def test_the_original_clips_have_the_features_of_the_prepared_ones(data: Path) -> None:
    folder = data / "raw" / "speech_commands" / "speech_commands_v0.01"
    raw = read_official(folder)
    assert raw.words == ("cat", "no", "seven", "up", "yes")
    assert set(raw.listed) == {"testing", "validation"}
    assert not raw.listed["testing"] & raw.listed["validation"]
    prepared = read_prepared(data / "speech_commands" / "sc_v001_subset.npz")

    def rows(clips):
        named = zip(clips.word.tolist(), clips.speaker.tolist(), clips.take.tolist(), strict=True)
        return {(clips.words[w], clips.speakers[s], t): k for k, (w, s, t) in enumerate(named)}

    ours, theirs = rows(raw), rows(prepared)
    shared = sorted(ours.keys() & theirs.keys())
    assert len(ours) == 10
    assert shared
    for key in shared:
        assert np.array_equal(raw.x[ours[key]], prepared.x[theirs[key]])


def test_the_official_lists_are_honoured(official: Path) -> None:
    root = official.parents[1]
    arguments = {"corpus": "speech_commands", "ways": 2, "shots": 2, "queries": 1}
    family = keywords(root, **arguments)
    assert family.names == ("abc0", "abc2", "abc3", "abc5")
    assert family.held_out().names == ("abc4",)
    family = keywords(root, held_out="validation", **arguments)
    assert family.names == ("abc0", "abc2", "abc3", "abc5")
    assert family.held_out().names == ("abc1",)
    family = keywords(root, held_out=["abc0"], **arguments)
    assert family.names == ("abc2", "abc3", "abc5")
    (official / "testing_list.txt").write_text("")
    with pytest.raises(InputError, match="0 held out"):
        keywords(root, **arguments)


def test_the_archive_reads_like_the_folder(official: Path, tmp_path: Path) -> None:
    root = tmp_path / "other"
    root.mkdir()
    with tarfile.open(root / "speech_commands_v0.02.tar.gz", "w:gz") as archive:
        archive.add(official, arcname=".")
    arguments = {"corpus": "speech_commands", "words": ["cat", "bed"], "ways": None, "shots": 3, "queries": 2}
    ours, theirs = keywords(root, **arguments), keywords(official.parents[1], **arguments)
    assert ours.names == theirs.names
    assert ours.outputs == 2
    ids = np.arange(ours.clients, dtype=np.uint64)
    for a, b in zip(ours.sample(0, ids), theirs.sample(0, ids), strict=True):
        assert np.array_equal(a.support_x, b.support_x)
        assert np.array_equal(a.query_y, b.query_y)


def test_download_fetches_the_archive_once(
    serve, official: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, root = tmp_path / "source", tmp_path / "fresh"
    source.mkdir()
    with tarfile.open(source / "speech_commands_v0.02.tar.gz", "w:gz") as archive:
        archive.add(official, arcname=".")
    checksum = hashlib.sha256((source / "speech_commands_v0.02.tar.gz").read_bytes()).hexdigest()
    module = sys.modules["shoal.datasets.keywords"]
    monkeypatch.setattr(module, "ADDRESS", f"{serve(source)}/speech_commands_v0.02.tar.gz")
    monkeypatch.setattr(module, "CHECKSUM", checksum)
    arguments = {"corpus": "speech_commands", "ways": 2, "shots": 2, "queries": 1}
    assert keywords(root, download=True, **arguments).names == ("abc0", "abc2", "abc3", "abc5")
    monkeypatch.setattr(module, "ADDRESS", "http://127.0.0.1:9/")
    assert keywords(root, download=True, **arguments).outputs == 2


def test_speakers_with_too_few_clips_are_left_out(official: Path) -> None:
    for path in official.glob("*/abc2_nohash_2.wav"):
        path.unlink()
    shutil.rmtree(official / "happy")
    arguments = {"corpus": "speech_commands", "shots": 2, "queries": 1}
    assert keywords(official, ways=2, **arguments).names == ("abc0", "abc3", "abc5")
    with pytest.raises(InputError, match="0 speakers to train on"):
        keywords(official, ways=3, **arguments)


def test_wav_files_are_padded_cut_and_checked() -> None:
    assert read_wav(wav(np.arange(1, 4)), "a.wav")[:5].tolist() == [1, 2, 3, 0, 0]
    assert read_wav(wav(np.arange(20000)), "a.wav").tolist() == list(range(16000))
    for data, message in (
        (wav(np.zeros(10), channels=2), "2 channels"),
        (wav(np.zeros(10), rate=8000), "8000 Hz"),
        (b"", "no WAV"),
        (b"RIFFxxxxWAVE", "no WAV"),
        (wav(np.zeros(10))[:30], "no WAV"),
    ):
        with pytest.raises(InputError, match=message):
            read_wav(data, "a.wav")


def test_misnamed_clips_are_refused(official: Path) -> None:
    (official / "bed" / "clip.wav").write_bytes(wav(np.zeros(5)))
    with pytest.raises(InputError, match=r"bed/clip\.wav is not named"):
        read_official(official)


def test_damaged_arrays_are_refused(tmp_path: Path) -> None:
    good = {
        "samples": np.zeros(20, np.int16),
        "offsets": np.array([0, 10, 20]),
        "sample_rate": np.array(16000),
        "label": np.array([0, 1]),
        "speaker": np.array([0, 0]),
        "take": np.array([1, 2]),
        "words": np.array(["a", "b"]),
        "speaker_names": np.array(["s"]),
    }
    path = tmp_path / "sc_v001_subset.npz"
    np.savez(path, **good)
    assert read_prepared(path).words == ("a", "b")
    for change, message in (
        ({"offsets": np.array([0, 30, 20])}, "offsets do not fit"),
        ({"offsets": np.array([0, 10, 21])}, "offsets do not fit"),
        ({"sample_rate": np.array(8000)}, "8000 Hz"),
        ({"samples": np.zeros(20)}, "samples are float64"),
        ({"label": np.array([0, 2])}, "has no name"),
        ({"take": np.array([0])}, "take has 1 entries"),
    ):
        np.savez(path, **(good | change))
        with pytest.raises(InputError, match=message):
            read_prepared(path)
    np.savez(path, features=np.zeros((2, 49, 40)), log_range=np.array([-12.0, 8.0]))
    with pytest.raises(InputError, match="features are float64"):
        read_features(path)


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    for corpus in ("speech_commands", "arabic_speech_commands"):
        with pytest.raises(StorageError, match=f"{corpus} is not there"):
            keywords(tmp_path, corpus=corpus)


@pytest.mark.parametrize(
    ("change", "message"),
    [({"ways": 1}, "ways is 1"), ({"shots": 0}, "shots is 0"), ({"corpus": "klingon"}, "corpus is 'klingon'"),
     ({"download": True}, "no archive to fetch")],
)  # fmt: skip
def test_parameters_are_checked(tmp_path: Path, change: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        keywords(tmp_path, **change)
