from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from shoal.datasets import archive
from shoal.datasets.archive import tar_members, zip_members
from shoal.errors import InputError, StorageError


def make_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        for name, data in files.items():
            z.writestr(name, data)
    return path


def make_tar(path: Path, files: dict[str, bytes], kind: bytes = tarfile.REGTYPE) -> Path:
    with tarfile.open(path, "w:gz") as t:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.type = len(data), kind
            t.addfile(info, io.BytesIO(data))
    return path


def any_name(_: PurePosixPath) -> bool:
    return True


FORMS = pytest.mark.parametrize(("make", "members"), [(make_zip, zip_members), (make_tar, tar_members)])


@FORMS
def test_wanted_members_are_read(tmp_path: Path, make, members) -> None:
    path = make(tmp_path / "a", {"s/b.txt": b"b", "./s/a.txt": b"a", "s/c.bin": b"c"})
    found = dict(members(path, lambda name: name.suffix == ".txt"))
    assert found == {PurePosixPath("s/a.txt"): b"a", PurePosixPath("s/b.txt"): b"b"}


@FORMS
@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil", "c:\\evil", "a\\..\\evil"])
def test_names_that_leave_the_archive_are_refused(tmp_path: Path, make, members, name: str) -> None:
    path = make(tmp_path / "a", {name: b"x"})
    with pytest.raises(InputError, match="leaves the archive"):
        list(members(path, any_name))


@FORMS
def test_a_bomb_is_refused(tmp_path: Path, make, members, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make(tmp_path / "a", {"zeros": bytes(archive.MEMBER_LIMIT + 1)})
    with pytest.raises(InputError, match="too large"):
        list(members(path, any_name))
    monkeypatch.setattr(archive, "TOTAL_LIMIT", 100)
    path = make(tmp_path / "b", {f"part{k}": bytes(30) for k in range(4)})
    with pytest.raises(InputError, match=r"part3.* too large"):
        list(members(path, any_name))
    monkeypatch.setattr(archive, "COUNT_LIMIT", 3)
    with pytest.raises(InputError, match="part3"):
        list(members(path, any_name))


@FORMS
def test_damage_is_reported(tmp_path: Path, make, members) -> None:
    path = make(tmp_path / "a", {f"{k}.txt": bytes(range(256)) * 9 for k in range(50)})
    data = path.read_bytes()
    for damaged in (b"", data[: len(data) // 2], data[:60] + bytes(20) + data[80:], b"nonsense" * 100):
        path.write_bytes(damaged)
        with pytest.raises((StorageError, InputError)):
            list(members(path, any_name))
    with pytest.raises(StorageError, match="cannot read"):
        list(members(tmp_path / "absent", any_name))


def test_a_zip_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a", {"zeros": bytes(100_000)})
    data = path.read_bytes().replace((100_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    path.write_bytes(data)
    with pytest.raises(StorageError, match="CRC"):
        list(zip_members(path, any_name))


def test_links_in_a_tar_are_not_followed(tmp_path: Path) -> None:
    path = make_tar(tmp_path / "a", {"link": b""}, tarfile.SYMTYPE)
    assert list(tar_members(path, any_name)) == []
