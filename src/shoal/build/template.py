"""Templates of files: ``@{name}`` stands for a value, everything else for itself."""

from __future__ import annotations

import re
from importlib import resources
from typing import TYPE_CHECKING

from shoal.errors import ShoalError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from importlib.resources.abc import Traversable

__all__ = ["filled", "rendered"]

# A mark that means nothing in C, CMake, Make, TOML and Markdown.
PLACE = re.compile(r"@\{([a-z0-9_]+)\}")


def filled(text: str, values: Mapping[str, str], where: str = "template") -> str:
    """Return a text with its values.

    Raises
    ------
    ShoalError
        If it names what is not a value.

    Examples
    --------
    >>> filled("RAM: @{ram} B", {"ram": "5,192"})
    'RAM: 5,192 B'
    """

    def value(place: re.Match[str]) -> str:
        if place[1] not in values:
            raise ShoalError(
                f"no value for {place[0]}", where=where, hint=f"one of {', '.join(sorted(values))}"
            )
        return values[place[1]]

    return PLACE.sub(value, text)


def rendered(folder: str, values: Mapping[str, str], only: str | None = None) -> dict[str, str]:
    """Return the files of a folder of templates by their path in it, with their values.

    Parameters
    ----------
    folder
        Below ``shoal/build/templates``.
    values
        By name, for texts and paths. A template may use fewer.
    only
        The one path that is wanted; None: all.
    """
    top = resources.files("shoal.build") / "templates" / folder
    found = {}
    for path, file in files(top):
        if only not in {None, path}:
            continue
        where = f"{folder}/{path}"
        found[filled(path, values, where)] = filled(file.read_text(encoding="utf-8"), values, where)
    return found


def files(folder: Traversable, before: str = "") -> Iterator[tuple[str, Traversable]]:
    """Yield every file below a folder with its path."""
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from files(entry, f"{before}{entry.name}/")
        else:
            yield before + entry.name, entry
