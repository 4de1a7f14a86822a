from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from shoal.datasets.locate import data_root, load_arrays
from shoal.errors import ConfigError, InputError, StorageError


def test_the_root_comes_before_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOAL_DATA", str(tmp_path))
    (tmp_path / "own").mkdir()
    assert data_root(None) == tmp_path
    assert data_root(tmp_path / "own") == tmp_path / "own"


@pytest.mark.parametrize("value", [None, ""])
def test_no_folder_names_both_ways(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv("SHOAL_DATA", raising=False)
    if value is not None:
        monkeypatch.setenv("SHOAL_DATA", value)
    with pytest.raises(ConfigError) as caught:
        data_root(None)
    assert "root" in str(caught.value)
    assert "SHOAL_DATA" in str(caught.value)


def test_an_absent_folder_names_its_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOAL_DATA", str(tmp_path / "gone"))
    with pytest.raises(StorageError, match="SHOAL_DATA = "):
        data_root(None)
    with pytest.raises(StorageError, match="root = "):
        data_root(tmp_path / "gone")
    assert data_root(tmp_path / "gone", create=True).is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot make"):
        data_root(tmp_path / "file", create=True)


def test_arrays_are_read_and_nothing_is_unpickled(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, x=np.arange(3), o=np.array([{}], object))
    (x,) = load_arrays(path, "x")
    assert x.tolist() == [0, 1, 2]
    with pytest.raises(InputError, match="'y' is missing"):
        load_arrays(path, "y")
    with pytest.raises(InputError, match="no plain arrays"):
        load_arrays(path, "o")


def test_damaged_archives_are_reported(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez_compressed(path, x=np.arange(3000))
    data = path.read_bytes()
    for damaged in (b"", data[:100], data[:80] + bytes(30) + data[110:], b"text"):
        path.write_bytes(damaged)
        with pytest.raises((StorageError, InputError)):
            load_arrays(path, "x")
    np.save(path.with_suffix(".npy"), np.arange(3))
    with pytest.raises(InputError, match="no archive"):
        load_arrays(path.with_suffix(".npy"), "x")
    with zipfile.ZipFile(path, "w") as z:
        z.writestr("x.npy", b"no array")
    with pytest.raises((StorageError, InputError)):
        load_arrays(path, "x")
