from __future__ import annotations

import hashlib
import resource
import socket
from pathlib import Path

import pytest

from shoal.datasets import fetch
from shoal.errors import ConfigError, DownloadError, StorageError

CONTENT = b"shoal" * 300_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MD5 = hashlib.md5(CONTENT).hexdigest()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "file.bin").write_bytes(CONTENT)
    return folder


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "into" / "deep" / "file.bin"


def left_over(target: Path) -> list[str]:
    return sorted(p.name for p in target.parent.iterdir()) if target.parent.exists() else []


@pytest.mark.parametrize("checksum", [SHA256, "sha256:" + SHA256.upper(), "md5:" + MD5])
def test_a_file_arrives_whole(serve, source: Path, target: Path, checksum: str, capfd) -> None:
    for url in (f"{serve(source)}/file.bin", (source / "file.bin").as_uri()):
        assert fetch(url, checksum, target) == target
        assert target.read_bytes() == CONTENT
        assert left_over(target) == ["file.bin"]
        target.unlink()
    assert capfd.readouterr() == ("", "")


def test_real_data_over_http(serve, data: Path, tmp_path: Path) -> None:
    url = f"{serve(data / 'raw')}/omniglot/images_background_small2.zip"
    path = fetch(
        url, "3ccaa407515a8778e5d0861875af38b17e418f301ad5bb3b5a6b65d901a41c7f", tmp_path / "small2.zip"
    )
    assert path.stat().st_size == 1_580_917


def test_a_file_that_is_there_is_kept(target: Path) -> None:
    target.parent.mkdir(parents=True)
    target.write_bytes(CONTENT)
    assert fetch("http://127.0.0.1:9/never-asked", SHA256, target) == target


def test_a_wrong_file_is_replaced_only_by_the_right_one(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True)
    target.write_bytes(b"old")
    url = (source / "file.bin").as_uri()
    with pytest.raises(DownloadError) as caught:
        fetch(url, "0" * 64, target)
    assert SHA256 in str(caught.value)
    assert "0" * 64 in str(caught.value)
    assert target.read_bytes() == b"old"
    assert left_over(target) == ["file.bin"]
    fetch(url, SHA256, target)
    assert target.read_bytes() == CONTENT


def test_what_cannot_be_reached_is_said(serve, source: Path, target: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{free.getsockname()[1]}/file.bin"
        with pytest.raises(DownloadError, match="cannot reach"):
            fetch(closed, SHA256, target)
    with pytest.raises(DownloadError, match="404"):
        fetch(f"{serve(source)}/absent.bin", SHA256, target)
    with pytest.raises(DownloadError, match="cannot reach"):
        fetch((source / "absent.bin").as_uri(), SHA256, target)
    assert left_over(target) == []


def test_a_broken_connection_is_said(serve, source: Path, target: Path) -> None:
    with pytest.raises(DownloadError, match="broke off"):
        fetch(f"{serve(source)}/short", SHA256, target)
    assert left_over(target) == []


def test_a_file_beyond_the_limit_is_refused(serve, source: Path, target: Path) -> None:
    for name in ("file.bin", "endless"):
        with pytest.raises(DownloadError, match="larger than 400 B"):
            fetch(f"{serve(source)}/{name}", SHA256, target, limit=400)
    assert left_over(target) == []


def test_a_full_disk_is_said(source: Path, target: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(StorageError, match=r"cannot write file\.bin"):
            fetch((source / "file.bin").as_uri(), SHA256, target)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert left_over(target) == []


def test_a_target_that_cannot_be_is_said(source: Path) -> None:
    with pytest.raises(StorageError, match="cannot write"):
        fetch((source / "file.bin").as_uri(), SHA256, source / "file.bin" / "inside")


@pytest.mark.parametrize("url", ["ftp://host/file", "data:,hello", "/etc/passwd", ""])
def test_other_schemes_are_refused(url: str, target: Path) -> None:
    with pytest.raises(ConfigError, match="cannot fetch"):
        fetch(url, SHA256, target)


@pytest.mark.parametrize("checksum", ["", "abc", "sha1:" + "0" * 40, "md5:" + SHA256, "g" * 64])
def test_a_checksum_must_be_one(checksum: str, target: Path) -> None:
    with pytest.raises(ConfigError, match="is no checksum"):
        fetch("http://127.0.0.1:9/", checksum, target)
