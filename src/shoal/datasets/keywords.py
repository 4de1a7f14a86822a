"""Spoken keywords: a device is a speaker, who teaches it a few words of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from shoal.datasets import validate
from shoal.datasets.by_group import Grouped, by_group, split_groups
from shoal.datasets.download import fetch
from shoal.datasets.few_shot import FewShot
from shoal.datasets.keyword_files import Clips, read_features, read_official, read_prepared
from shoal.datasets.locate import candidates, data_root
from shoal.datasets.table import Table
from shoal.errors import ConfigError, InputError, StorageError

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from shoal.datasets.task import Split

Corpus = Literal["speech_commands", "arabic_speech_commands"]

ARCHIVE = "speech_commands_v0.02.tar.gz"
ADDRESS = "http://download.tensorflow.org/data/" + ARCHIVE
CHECKSUM = "sha256:af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58"
FOLDERS = (".", "speech_commands_v0.02", "speech_commands_v0.01")
PREPARED = "sc_v001_subset.npz"
FEATURES = "asc_logmel.npz"


def keywords(
    root: str | os.PathLike[str] | None = None,
    *,
    corpus: Corpus = "arabic_speech_commands",
    words: Sequence[str] | None = None,
    ways: int | None = 5,
    shots: int = 5,
    queries: int = 5,
    held_out: Sequence[str] | int | None = None,
    download: bool = False,
) -> FewShot | Grouped:
    """Family of keyword tasks of one speaker each: first takes to learn from, last takes to judge by.

    Parameters
    ----------
    root
        Folder that holds the corpus, itself or in a folder of its name. None for the folder that the
        environment variable SHOAL_DATA names.
    corpus
        ``speech_commands``: the official folders ``WORD/SPEAKER_nohash_TAKE.wav``, the official archive (read
        in place), or the prepared ``sc_v001_subset.npz``. ``arabic_speech_commands``: the prepared
        ``asc_logmel.npz``.
    words
        Words to use; None for all.
    ways
        Words per task, drawn from those that the speaker recorded often enough: every id is another task, of
        speaker id modulo the number of speakers. None makes one task per speaker, over all `words`.
    shots, queries
        Support and query clips, per word with `ways` and per speaker without. Speakers who recorded fewer are
        left out.
    held_out
        Speakers to evaluate on: their names, their number, or the official list ``"testing"`` or
        ``"validation"``. None takes the testing list where there is one, and a quarter of the speakers
        otherwise. Speakers on either list are never trained on.
    download
        Fetches Speech Commands v0.02 (2.4 GB) into `root` where it is missing.

    Returns
    -------
    FewShot or Grouped
        A `TaskFamily` over log-mel maps (49, 40, 1) in [0, 1]; see `log_mel`.

    Raises
    ------
    ConfigError
        Without a folder, or for a corpus that cannot be used or fetched.
    InputError
        For words or speakers that are not there, or too few clips for the tasks.
    StorageError
        For files that are missing or damaged.
    DownloadError
        If the archive cannot be fetched.

    References
    ----------
    Warden: Speech Commands, arXiv:1804.03209. Ghandoura, Hjabo, Al Dakkak: Building and benchmarking an
    Arabic speech commands dataset for small-footprint keyword spotting, Eng. Appl. of AI 102, 2021.
    """
    validate.count(shots, "shots")
    validate.count(queries, "queries")
    if ways is not None:
        validate.count(ways, "ways", 2)
    if corpus not in ("speech_commands", "arabic_speech_commands"):
        raise ConfigError(
            f"corpus is {corpus!r}", where="corpus", hint="speech_commands or arabic_speech_commands"
        )
    if download and corpus != "speech_commands":
        raise ConfigError(f"{corpus} has no archive to fetch", where="download", hint="download=False")
    folder = data_root(root, create=download)
    if download:
        fetch(ADDRESS, CHECKSUM, folder / "speech_commands" / ARCHIVE)
    clips = load(folder, corpus, words).only(words, "words")
    if ways is None:
        return per_speaker(clips, shots, queries, held_out)
    return n_way(clips, ways, shots, queries, held_out)


def load(folder: Path, corpus: Corpus, words: Sequence[str] | None) -> Clips:
    """Read the first form of the corpus that is there."""
    for place in candidates(folder, corpus):
        if corpus == "arabic_speech_commands":
            if (place / FEATURES).is_file():
                return read_features(place / FEATURES)
            continue
        for inner in FOLDERS:
            if (place / inner / "testing_list.txt").is_file():
                return read_official(place / inner, words)
        if (place / ARCHIVE).is_file():
            return read_official(place / ARCHIVE, words)
        if (place / PREPARED).is_file():
            return read_prepared(place / PREPARED)
    files = FEATURES if corpus == "arabic_speech_commands" else f"testing_list.txt, {ARCHIVE} or {PREPARED}"
    raise StorageError(
        f"{corpus} is not there: no {files}",
        where=f"{folder} and {folder / corpus}",
        hint="download=True" if corpus == "speech_commands" else "another root",
    )


def split_speakers(
    clips: Clips, speakers: NDArray[np.int64], held_out: Sequence[str] | int | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Speakers to train on and to hold out, of those that are usable."""
    name = np.array(clips.speakers)[speakers]
    if held_out is None and clips.listed:
        held_out = "testing"
    if isinstance(held_out, str):
        if held_out not in clips.listed:
            raise InputError(
                f"there is no {held_out} list", where="held_out", hint="names of speakers, or their number"
            )
        test = np.isin(name, sorted(clips.listed[held_out]))
        train = ~np.isin(name, sorted(frozenset().union(*clips.listed.values())))
    else:
        test = split_groups(name, max(1, len(name) // 4) if held_out is None else held_out, seed=0)
        train = ~test & ~np.isin(name, sorted(frozenset().union(*clips.listed.values())))
    if not test.any() or not train.any():
        raise InputError(
            f"{int(train.sum())} speakers to train on and {int(test.sum())} held out have enough clips",
            where="shots, queries, held_out",
            hint="fewer shots, queries or ways",
        )
    return speakers[train], speakers[test]


def per_speaker(clips: Clips, shots: int, queries: int, held_out: Sequence[str] | int | None) -> Grouped:
    """One task per speaker over all words."""
    enough = np.flatnonzero(np.bincount(clips.speaker, minlength=len(clips.speakers)) >= shots + queries)
    train, test = split_speakers(clips, enough, held_out)
    kept = np.isin(clips.speaker, np.concatenate([train, test]))
    name = np.array(clips.speakers)
    return by_group(
        clips.x[kept],
        clips.word[kept],
        name[clips.speaker[kept]],
        shots=shots,
        queries=queries,
        held_out=name[test].tolist(),
        # One clip of each word before the second of any.
        order=clips.take[kept] * len(clips.words) + clips.word[kept],
        kind="classification",
    )


def n_way(clips: Clips, ways: int, shots: int, queries: int, held_out: Sequence[str] | int | None) -> FewShot:
    """Tasks over a few words of one speaker at a time."""
    table, present = Table.of(clips.speaker * len(clips.words) + clips.word, clips.take)
    enough = table.counts >= shots + queries
    entries, owner = np.flatnonzero(enough), present[enough] // len(clips.words)
    usable = np.flatnonzero(np.bincount(owner, minlength=len(clips.speakers)) >= ways)
    train, test = split_speakers(clips, usable, held_out)

    def family(speakers: NDArray[np.int64], split: Split, unseen: FewShot | None) -> FewShot:
        own = np.isin(owner, speakers)
        sizes = np.bincount(owner[own], minlength=len(clips.speakers))[speakers]
        return FewShot(
            x=clips.x,
            table=table.take(entries[own]),
            pools=np.concatenate([[0], np.cumsum(sizes)]),
            names=tuple(clips.speakers[s] for s in speakers),
            ways=ways,
            shots=shots,
            queries=queries,
            ordered=True,
            drawer=None,
            split=split,
            unseen=unseen,
        )

    return family(train, "train", family(test, "test", None))
