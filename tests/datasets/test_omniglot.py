from __future__ import annotations

import hashlib
import shutil
import struct
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

from shoal.datasets import omniglot
from shoal.datasets.omniglot import area_weights, read_images
from shoal.errors import ConfigError, InputError, StorageError

SMALL2 = "images_background_small2.zip"


@pytest.fixture(scope="module")
def prepared(data: Path):
    with np.load(data / "omniglot" / "omniglot28.npz") as z:
        return {name: z[name] for name in ("images", "character", "drawer", "split")}


def test_the_originals_reduce_to_the_prepared_images(data: Path, prepared: dict) -> None:
    images, character, drawer = read_images(data / "raw" / "omniglot" / SMALL2)
    assert images.shape == (3120, 28, 28)
    pairs = zip(prepared["character"].tolist(), prepared["drawer"].tolist(), strict=True)
    row = {pair: k for k, pair in enumerate(pairs)}
    both = [
        (k, row[pair])
        for k, pair in enumerate(zip(character.tolist(), drawer.tolist(), strict=True))
        if pair in row
    ]
    assert len(both) == 3120
    ours, theirs = np.array(both).T
    assert np.array_equal(images[ours], prepared["images"][theirs])


def test_tasks_on_the_prepared_images(data: Path, prepared: dict) -> None:
    family = omniglot(data)
    assert family.x.shape == (24500, 28, 28, 1)
    assert (family.x.min(), family.x.max()) == (0, 1)
    assert (family.input_shape, family.outputs, family.clients) == ((28, 28, 1), 5, None)
    for part, split in ((family, 0), (family.held_out(), 1)):
        batch = part.sample(0, np.arange(200, dtype=np.uint64))
        assert set(prepared["split"][batch.support].ravel().tolist()) == {split}
        for support, query in zip(batch.support, batch.query, strict=True):
            assert len(set(prepared["character"][support].tolist())) == 5
            assert set(prepared["character"][query].tolist()) == set(prepared["character"][support].tolist())
            drawers = [set(prepared["drawer"][rows].tolist()) for rows in (support, query)]
            assert not drawers[0] & drawers[1]
            assert len(drawers[0]) == 5


def test_the_variable_names_the_folder(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOAL_DATA", str(data))
    assert omniglot(ways=20, shots=1, queries=1).outputs == 20


@pytest.fixture
def official(data: Path, tmp_path: Path) -> Path:
    """Files of the official names: a small background set, and five of its characters to evaluate on."""
    folder = tmp_path / "official"
    folder.mkdir()
    shutil.copy(data / "raw" / "omniglot" / SMALL2, folder / "images_background.zip")
    with zipfile.ZipFile(folder / "images_background.zip") as z:
        files = {
            name: z.read(name)
            for name in z.namelist()
            if "/Greek/character0" in name and name.endswith(".png")
        }
    with zipfile.ZipFile(folder / "images_evaluation.zip", "w") as out:
        for name, content in files.items():
            character, drawer = Path(name).stem.split("_")
            if int(character) < 399:
                number = int(character) + 571
                out.writestr(f"images_evaluation/Angelic/character01/{number:04}_{drawer}.png", content)
    return folder


def test_the_official_files_make_the_same_family(official: Path) -> None:
    family = omniglot(official, image_size=14, ways=3)
    assert family.input_shape == (14, 14, 1)
    assert len(family.table.counts) == 156
    assert len(family.held_out().table.counts) == 5
    task = family.held_out().sample(0, np.arange(1))[0]
    assert task.support_x.shape == (15, 14, 14, 1)
    turned = omniglot(official, image_size=14, ways=3, rotations=True)
    assert len(turned.table.counts) == 4 * 156
    (official / "images_background.zip").rename(official / SMALL2)
    assert np.array_equal(omniglot(official, image_size=14, ways=3).x, family.x)


def test_download_fetches_the_two_files_once(
    serve, official: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = sys.modules["shoal.datasets.omniglot"]
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in official.iterdir()}
    assert files.keys() == module.FILES.keys()
    monkeypatch.setattr(module, "ADDRESS", serve(official) + "/")
    monkeypatch.setattr(module, "FILES", files)
    root = tmp_path / "fresh"
    assert omniglot(root, image_size=7, download=True).input_shape == (7, 7, 1)
    assert sorted(p.name for p in (root / "omniglot").iterdir()) == sorted(files)
    monkeypatch.setattr(module, "ADDRESS", "http://127.0.0.1:9/")
    assert omniglot(root, image_size=7, download=True).outputs == 5


def test_area_weights_keep_the_ink() -> None:
    for size in (1, 14, 28, 64, 105):
        weights = area_weights(size)
        assert np.allclose(weights.sum(axis=1), 1)
        assert np.allclose(weights.sum(axis=0), size / 105)
    assert np.array_equal(area_weights(105), np.eye(105))


def test_what_is_missing_is_said(data: Path, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="Omniglot is not there") as caught:
        omniglot(tmp_path)
    assert "download=True" in str(caught.value)
    shutil.copy(data / "raw" / "omniglot" / SMALL2, tmp_path)
    with pytest.raises(StorageError, match="Omniglot is not there"):
        omniglot(tmp_path)


@pytest.mark.parametrize("size", [0, 106, 2.5])
def test_image_sizes_are_checked(tmp_path: Path, size: float) -> None:
    with pytest.raises(ConfigError, match="image_size"):
        omniglot(tmp_path, image_size=size)


def test_prepared_images_have_one_size(data: Path) -> None:
    with pytest.raises(ConfigError, match="image_size is 20"):
        omniglot(data, image_size=20)


def one_png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    lines = bytes(height * (1 + (width + 7) // 8))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(lines))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("s/a/character01/0001_01.png", one_png(104, 105), "image of 105 x 104"),
        ("s/a/character01/one.png", one_png(105, 105), "not named"),
        ("s/a/character01/0001_01.png", b"nothing", "no PNG"),
        ("s/readme.txt", b"nothing", "no images"),
    ],
)
def test_other_archives_are_refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as z:
        z.writestr(name, content)
    with pytest.raises(InputError, match=message):
        read_images(tmp_path / "a.zip")
