"""Archives with other content: one file exchanged, or JSON and bytes damaged at random."""

from __future__ import annotations

import io
import json
import zipfile

VALUES = (0, 1, -1, 2, 3, 255, 65536, 1 << 31, 1 << 62, 1 << 70, 0.5, 1e308, float("nan"), True, False, None)
VALUES = (*VALUES, "", "x", "relu", "same", [], {}, [1, 2], [[1, 2], [3, 4]])


def parts_of(content):
    """Return the files of an archive by name."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(parts):
    """Return an archive of files."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return file.getvalue()


def edited(content, changes):
    """Return an archive with some files changed by a function, or left out for None."""
    parts = parts_of(content)
    for name, change in changes.items():
        part = parts.pop(name, b"")
        if change is not None:
            parts[name] = change(part)
    return packed(parts)


def damaged(content, draw, names):
    """Return an archive with damage: to its own bytes, or inside one of the named files."""
    if draw.random() < 0.2:
        return scrambled(content, draw)
    parts = parts_of(content)
    name = draw.choice(names)
    if name.endswith(".json") and draw.random() < 0.9:
        value = json.loads(parts[name])
        for _ in range(draw.choice((1, 1, 1, 3))):
            replace(value, draw)
        parts[name] = json.dumps(value).encode()
    else:
        parts[name] = scrambled(parts[name], draw)
    return packed(parts)


def scrambled(content, draw):
    """Return bytes with some changed, left out or added."""
    result = bytearray(content)
    for _ in range(draw.choice((1, 1, 2, 8))):
        at = draw.randrange(len(result) + 1)
        kind = draw.randrange(3)
        if kind == 0:
            result[at : at + 1] = bytes([draw.randrange(256)])
        elif kind == 1:
            del result[at : at + draw.choice((1, 8, 100))]
        else:
            result[at:at] = draw.randbytes(4)
    return bytes(result)


def paths(value, path=()):
    """Yield the path to everything inside a JSON value."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in pairs:
        yield (*path, key)
        yield from paths(part, (*path, key))


def replace(value, draw):
    """Change, remove or exchange something inside a JSON value."""
    found = list(paths(value))
    if not found:
        return
    *path, last = draw.choice(found)
    for key in path:
        value = value[key]
    if draw.random() < 0.2:
        del value[last]
    else:
        value[last] = draw.choice(VALUES)
