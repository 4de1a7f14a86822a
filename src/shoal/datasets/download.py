"""Fetch a file whose checksum is known. Nothing is fetched unless a caller asks for it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol
from urllib.error import HTTPError
from urllib.parse import urlsplit

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from shoal.errors import ConfigError, DownloadError, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

CHUNK = 1 << 18
TIMEOUT_S = 60.0
LIMIT = 8 << 30


class Digest(Protocol):
    """The part of a `hashlib` object that is used here."""

    def update(self, data: bytes, /) -> None:
        """Add data."""

    def hexdigest(self) -> str:
        """Checksum of all data so far."""


def fetch(
    url: str,
    checksum: str,
    target: str | os.PathLike[str],
    *,
    progress: bool = True,
    limit: int = LIMIT,
) -> Path:
    """Download a file, or keep the one that is already there with the right checksum.

    The data goes to a temporary file beside the target, is checked, written through to the disk and then
    renamed: the target is either absent, the old file, or the complete new one.

    Parameters
    ----------
    url
        An http, https or file URL.
    checksum
        SHA-256 in hexadecimal, or with its kind: ``sha256:...`` or ``md5:...``.
    target
        The file to write; its folder is made.
    progress
        Shows a bar on stderr where that is a terminal.
    limit
        Largest size to accept [B].

    Returns
    -------
    Path
        The target.

    Raises
    ------
    ConfigError
        For a URL of another scheme or a checksum that is none.
    DownloadError
        If the file cannot be reached, breaks off, is too large or has another checksum; the target is
        untouched.
    StorageError
        If it cannot be written, for instance on a full disk.
    """
    kind, expected = parse_checksum(checksum)
    if urlsplit(url).scheme not in ("http", "https", "file"):
        raise ConfigError(f"cannot fetch {url}", where="url", hint="an http, https or file URL")
    path = Path(target)
    try:
        if path.is_file() and file_digest(path, kind) == expected:
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error}", where=str(path)) from error
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as out:
            found = stream(url, out, kind, path=path, progress=progress, limit=limit)
        if found != expected:
            raise DownloadError(
                f"{path.name} has {kind} {found}, not {expected}",
                where=url,
                hint="try again; if it stays so, the file at this address has changed",
            )
        store(lambda: part.replace(path), path)
        store(lambda: sync_folder(path.parent), path)
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
    return path


def stream(url: str, out: IO[bytes], kind: str, *, path: Path, progress: bool, limit: int) -> str:
    """Copy a URL to an open file, flush it to the disk and return its checksum."""
    digest = new_digest(kind)
    done = 0
    try:
        response = urllib.request.urlopen(url, timeout=TIMEOUT_S)  # noqa: S310  the caller checked the scheme
    except HTTPError as error:
        error.close()
        raise DownloadError(f"{url} answers {error.code} {error.reason}", where=url) from error
    except (OSError, HTTPException) as error:
        raise DownloadError(f"cannot reach {url}: {error}", where=url, hint="check the network") from error
    with response, progress_bar(enabled=progress) as bar:
        total = response.headers.get("Content-Length")
        size = int(total) if total is not None and total.isdecimal() else None
        task = bar.add_task(path.name, total=size)
        while True:
            try:
                chunk = response.read(CHUNK)
            except (OSError, HTTPException) as error:
                raise DownloadError(f"{path.name} broke off after {done} B: {error}", where=url) from error
            if not chunk:
                break
            done += len(chunk)
            if done > limit:
                raise DownloadError(f"{path.name} is larger than {limit} B", where=url)
            digest.update(chunk)
            store(lambda data=chunk: out.write(data), path)  # type: ignore[misc]
            bar.update(task, completed=done)
        if size is not None and done != size:
            raise DownloadError(
                f"{path.name} broke off after {done} of {size} B", where=url, hint="try again"
            )
    store(out.flush, path)
    store(lambda: os.fsync(out.fileno()), path)
    return digest.hexdigest()


def store(action: Callable[[], object], path: Path) -> None:
    """Do something to the disk; its failure is a `StorageError`."""
    try:
        action()
    except OSError as error:
        raise StorageError(
            f"cannot write {path.name}: {error}", where=str(path), hint="free disk space"
        ) from error


def progress_bar(*, enabled: bool) -> Progress:
    """Progress bar on stderr; silent where that is not a terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    return Progress(*columns, console=console, transient=True, disable=not (enabled and console.is_terminal))


def parse_checksum(checksum: str) -> tuple[str, str]:
    """Kind and lower-case digits of a checksum.

    Examples
    --------
    >>> parse_checksum("md5:68D2EFA1B9178CC56DF9314C21C6E718")
    ('md5', '68d2efa1b9178cc56df9314c21c6e718')
    """
    kind, _, digits = checksum.lower().rpartition(":")
    kind = kind or "sha256"
    length = {"sha256": 64, "md5": 32}.get(kind)
    if length is None or len(digits) != length or set(digits) - set("0123456789abcdef"):
        raise ConfigError(
            f"{checksum!r} is no checksum", where="checksum", hint="sha256:<64 digits> or md5:<32>"
        )
    return kind, digits


def new_digest(kind: str) -> Digest:
    """Start a checksum; MD5 only guards against damage, where a publisher gives nothing better."""
    return hashlib.md5(usedforsecurity=False) if kind == "md5" else hashlib.sha256()


def file_digest(path: Path, kind: str) -> str:
    """Checksum of a file."""
    digest = new_digest(kind)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def sync_folder(folder: Path) -> None:
    """Write the entry of a renamed file through to the disk, where the system can."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
