"""Omniglot: 1623 handwritten characters of 50 alphabets, each drawn by 20 people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shoal.datasets import validate
from shoal.datasets.archive import zip_members
from shoal.datasets.download import fetch
from shoal.datasets.few_shot import FewShot, few_shot
from shoal.datasets.locate import candidates, data_root, load_arrays
from shoal.datasets.png import decode_png
from shoal.errors import ConfigError, InputError, StorageError

if TYPE_CHECKING:
    import os
    from pathlib import Path, PurePosixPath

    from numpy.typing import NDArray

ADDRESS = "https://github.com/brendenlake/omniglot/raw/master/python/"
FILES = {
    "images_background.zip": "sha256:ad41ab679c8b5d90b271ef46be6987cc81211774a695c29dcc5367b2b26ee640",
    "images_evaluation.zip": "sha256:1f61a8f3366785b057fc117d9228e78a16e3d976c8953b2a10fcc74cf0609cee",
}
SMALL = ("images_background_small1.zip", "images_background_small2.zip")
PREPARED, PREPARED_SIZE = "omniglot28.npz", 28


def omniglot(
    root: str | os.PathLike[str] | None = None,
    *,
    ways: int = 5,
    shots: int = 5,
    queries: int = 15,
    rotations: bool = False,
    held_out_shots: int | None = None,
    image_size: int = 28,
    download: bool = False,
) -> FewShot:
    """Family of N-way tasks on Omniglot: background alphabets to train on, evaluation alphabets held out.

    Support and query images of a task come from different drawers.

    Parameters
    ----------
    root
        Folder that holds ``images_background.zip`` (or its small parts) and ``images_evaluation.zip``, or the
        prepared ``omniglot28.npz``, itself or in a folder ``omniglot``. None for the folder that the
        environment variable SHOAL_DATA names.
    ways
        Characters per task.
    shots, queries
        Support and query images per character; at most 20 together.
    rotations
        Makes the turns by 90 degrees characters of their own; takes four times the memory.
    held_out_shots
        Support images per character of held-out tasks; None: as many as to train on.
    image_size
        Side of the images [pixels], 1 to 105; reduced from 105 by exact area averaging.
    download
        Fetches the two official files (16 MB) into `root` where they are missing.

    Returns
    -------
    FewShot
        A `TaskFamily` over images (image_size, image_size, 1) in [0, 1], ink bright.

    Raises
    ------
    ConfigError
        Without a folder, or for an image size that cannot be had.
    StorageError
        For files that are missing, damaged or cannot be written.
    DownloadError
        If the files cannot be fetched.

    References
    ----------
    Lake, Salakhutdinov, Tenenbaum: Human-level concept learning through probabilistic program induction,
    Science 350, 2015.
    """
    if not 1 <= validate.count(image_size, "image_size") <= 105:
        raise ConfigError(f"image_size is {image_size}", where="image_size", hint="1 to 105")
    folder = data_root(root, create=download)
    if download:
        for name, checksum in FILES.items():
            fetch(ADDRESS + name, checksum, folder / "omniglot" / name)
    images, character, drawer, evaluation = load(folder, image_size)
    x = images[..., None].astype(np.float32) / np.float32(255)
    return few_shot(
        x,
        character,
        ways,
        shots,
        queries,
        classes=np.unique(character[~evaluation]).tolist(),
        held_out_classes=np.unique(character[evaluation]).tolist(),
        group=drawer,
        rotations=rotations,
        held_out_shots=held_out_shots,
    )


def load(
    folder: Path, image_size: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Images (n, size, size) with ink 255, their character and drawer, and which are for evaluation."""
    for place in candidates(folder, "omniglot"):
        background = [place / "images_background.zip"]
        if not background[0].is_file():
            background = [place / name for name in SMALL if (place / name).is_file()]
        evaluation = place / "images_evaluation.zip"
        if background and evaluation.is_file():
            parts = [read_images(path, image_size) for path in (*background, evaluation)]
            images, character, drawer = (np.concatenate([part[k] for part in parts]) for k in range(3))
            return images, character, drawer, np.arange(len(images)) >= len(images) - len(parts[-1][0])
        if (place / PREPARED).is_file():
            if image_size != PREPARED_SIZE:
                raise ConfigError(
                    f"image_size is {image_size}, {place / PREPARED} holds {PREPARED_SIZE}",
                    where="image_size",
                    hint="download=True fetches the originals",
                )
            return load_prepared(place / PREPARED)
    raise StorageError(
        "Omniglot is not there: no images_background*.zip with images_evaluation.zip, no " + PREPARED,
        where=f"{folder} and {folder / 'omniglot'}",
        hint="download=True",
    )


def load_prepared(
    path: Path,
) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Read the prepared arrays, as `load` returns them."""
    images, character, drawer, split = load_arrays(path, "images", "character", "drawer", "split")
    if images.dtype != np.uint8 or images.shape[1:] != (PREPARED_SIZE, PREPARED_SIZE):
        raise InputError(
            f"images are {images.dtype} {images.shape}", where=str(path), hint="uint8 (n, 28, 28)"
        )
    n = len(images)
    return images, validate.labels(character, n), validate.labels(drawer, n), validate.labels(split, n) == 1


def read_images(
    path: Path, image_size: int = PREPARED_SIZE
) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    """Read one official zip file: images (n, size, size) with ink 255, their character and drawer numbers."""
    weights = area_weights(image_size)
    images, character, drawer = [], [], []
    for name, data in zip_members(path, is_image):
        number, _, who = name.stem.partition("_")
        if not (number.isdecimal() and who.isdecimal()):
            raise InputError(f"member {name} is not named CHARACTER_DRAWER.png", where=str(path))
        pixels = decode_png(data, where=f"{path}: {name}")
        if pixels.shape != (105, 105):
            raise InputError(
                f"image of {pixels.shape[0]} x {pixels.shape[1]}", where=f"{path}: {name}", hint="105 x 105"
            )
        ink = weights @ (1.0 - pixels) @ weights.T
        images.append(np.rint(255 * ink).astype(np.uint8))
        character.append(int(number))
        drawer.append(int(who))
    if not images:
        raise InputError("no images", where=str(path), hint="an official Omniglot zip file")
    return np.stack(images), np.array(character, np.int64), np.array(drawer, np.int64)


def is_image(name: PurePosixPath) -> bool:
    """Tell ``SET/ALPHABET/characterNN/NNNN_DD.png`` from other members."""
    return name.suffix == ".png" and name.parent.name.startswith("character") and "__MACOSX" not in name.parts


def area_weights(size: int, source: int = 105) -> NDArray[np.float64]:
    """Share of each source pixel in each target pixel (size, source); rows sum to 1.

    Examples
    --------
    >>> area_weights(2, 3) * 1.5
    array([[1. , 0.5, 0. ],
           [0. , 0.5, 1. ]])
    """
    step = source / size
    low, high = np.arange(size)[:, None] * step, (np.arange(size)[:, None] + 1) * step
    pixel = np.arange(source)[None, :]
    weights: NDArray[np.float64] = (
        np.clip(np.minimum(high, pixel + 1) - np.maximum(low, pixel), 0, None) / step
    )
    return weights
