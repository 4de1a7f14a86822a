"""Tokens: 256 random bits for the client, their SHA-256 for the server."""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from shoal.errors import ConfigError, StorageError
from shoal.serve.roles import Role

__all__ = ["Caller", "Tokens", "new_token"]

FRESH = 1.0  # seconds for which the file is not looked at again

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request.

    Parameters
    ----------
    name
        As the log of events has it: the role and the first digits of the token's hash.
    """

    role: Role
    name: str


def new_token(file: Path, role: str, note: str = "") -> str:
    """Make a token and note its hash.

    Parameters
    ----------
    file
        Made where it does not exist, for its owner alone.
    role
        viewer, operator or admin.
    note
        Whose it is; one line.

    Returns
    -------
    The token. It is kept nowhere.

    Raises
    ------
    ConfigError
        If there is no such role.
    StorageError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     token = new_token(Path(folder) / "tokens", "viewer", "dashboard in hall 7")
    ...     Tokens(Path(folder) / "tokens").caller(f"Bearer {token}").role.name
    'viewer'
    """
    if role not in Role.__members__:
        raise ConfigError(f"no role '{role}'", where="--new-token", hint=", ".join(Role.__members__))
    token = f"shoal_{secrets.token_urlsafe(32)}"
    line = " ".join([role, hashlib.sha256(token.encode()).hexdigest(), *note.split()])
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "ab") as out:
            size = os.fstat(descriptor).st_size
            # Somebody may have left the last line without its end.
            whole = size == 0 or os.pread(descriptor, 1, size - 1) == b"\n"
            out.write(f"{'' if whole else chr(10)}{line}\n".encode())
    except OSError as error:
        raise StorageError(f"cannot write: {error.strerror}", where=str(file)) from error
    return token


class Tokens:
    """The tokens of a file; it may change at any time.

    Parameters
    ----------
    file
        One token a line: role, SHA-256 in hexadecimal digits, a note. Lines that begin with # say nothing.
        Nobody has a role where it does not exist or cannot be read.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._looked = -FRESH
        self._version: tuple[int, int, int] | None = None
        self._known: list[tuple[bytes, Caller]] = []

    def caller(self, authorization: str) -> Caller | None:
        """Return whose `Authorization` header this is, None where nobody's.

        Every known token is compared, each in the same time, so that how long it takes tells nothing.
        """
        scheme, _, token = authorization.partition(" ")
        digest = hashlib.sha256(token.strip().encode(errors="replace")).digest()
        found = None
        for known, caller in self._current():
            if hmac.compare_digest(known, digest):
                found = caller
        return found if scheme.lower() == "bearer" else None

    def _current(self) -> list[tuple[bytes, Caller]]:
        """Read the file again where it changed."""
        now = time.monotonic()
        if self._file is not None and now - self._looked >= FRESH:
            self._looked = now
            try:
                state = self._file.stat()
                version = (state.st_mtime_ns, state.st_size, state.st_ino)
                if version != self._version:
                    self._known = [
                        read(line) for line in self._file.read_text("utf-8").splitlines() if says(line)
                    ]
                    self._version = version
            except FileNotFoundError:
                self._known, self._version = [], None
            except (OSError, UnicodeDecodeError) as error:
                # What it says now nobody knows: a token that it said before may be revoked.
                logger.error("nobody is let in: %s cannot be read: %s", self._file, error)  # noqa: TRY400
                self._known, self._version = [], None
        return self._known


def says(line: str) -> bool:
    """Whether a line of the file names a token."""
    return bool(line.strip()) and not line.startswith("#")


def read(line: str) -> tuple[bytes, Caller]:
    """Return the hash of a line, and whose it is; one that cannot be read is nobody's."""
    role, digest = [*line.split(), "", ""][:2]
    if role not in Role.__members__ or len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        return b"", Caller(Role.viewer, "")
    return bytes.fromhex(digest), Caller(Role[role], f"{role}:{digest[:8]}")
