"""Files that a TensorFlow Lite file carries in a zip behind its tables: read in memory, never unpacked."""

from __future__ import annotations

import io
import zipfile
import zlib

from shoal.errors import ModelError

__all__ = ["labels"]

LARGEST = 1 << 20
MOST_FILES = 64
MOST_LABELS, LONGEST_LABEL = 10_000, 200
PLAIN = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
DIRECTORY_ENTRY = b"PK\x01\x02"
# What reading a broken zip can end in.
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError, ValueError)


def labels(content: bytes, name: str) -> list[str]:
    """Return the lines of a file of labels, [] where the model does not carry it.

    Parameters
    ----------
    content
        The model's file.
    name
        As the metadata have it.

    Raises
    ------
    ModelError
        If the name is a path, the file is larger than what any list of labels is, or the zip is damaged.
    """
    where = f"associated file {name!r}"
    if not name or name != name.replace("\\", "/").rpartition("/")[2] or name in {".", ".."} or "\0" in name:
        raise ModelError("a file name with a path", where=where, hint="a plain name, such as labels.txt")
    if content.count(DIRECTORY_ENTRY) > MOST_FILES:
        raise ModelError(f"more than {MOST_FILES} files in the model's zip", where=where)
    if not zipfile.is_zipfile(io.BytesIO(content)):
        return []
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if name not in archive.namelist():
                return []
            entry = archive.getinfo(name)
            if entry.flag_bits & 1 or entry.compress_type not in PLAIN:
                raise ModelError("encrypted, or compressed in an unusual way", where=where)
            with archive.open(entry) as file:
                text = file.read(LARGEST + 1)
    except BROKEN as error:
        raise ModelError(f"the zip is damaged: {error}", where=where) from None
    if len(text) > LARGEST:
        raise ModelError(f"unpacks to more than {LARGEST:,} bytes", where=where, hint="a list of labels")
    lines = text.decode("utf-8", "replace").splitlines()
    while lines and not lines[-1].strip():
        lines.pop()
    if len(lines) > MOST_LABELS or max(map(len, lines), default=0) > LONGEST_LABEL:
        raise ModelError(
            f"{len(lines):,} labels of up to {max(map(len, lines), default=0):,} characters",
            where=where,
            hint=f"at most {MOST_LABELS:,} of {LONGEST_LABEL}",
        )
    return [line.strip() for line in lines]
