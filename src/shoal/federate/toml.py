"""Where in a TOML file a key stands, for errors that point at it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from shoal.errors import ConfigError, ShoalError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Source"]

T = TypeVar("T")
SECTION = re.compile(r"\s*\[([\w.-]+)\]\s*(?:#.*)?$")
KEY = re.compile(r"\s*([\w-]+)\s*=")


@dataclass(frozen=True, slots=True)
class Source:
    """A TOML file.

    Parameters
    ----------
    path
        Of the file.
    text
        Its content.
    """

    path: str
    text: str

    def line_of(self, path: tuple[str | int, ...]) -> int | None:
        r"""Return the line of a key, or of the closest key around it.

        Examples
        --------
        >>> Source("a.toml", "[run]\nrounds = 5\n").line_of(("run", "rounds"))
        2
        """
        names = [part for part in path if isinstance(part, str)]
        section: list[str] = []
        found, depth = None, 0
        lines = self.text.splitlines()
        for number, line in enumerate(lines, 1):
            header, key = SECTION.match(line), KEY.match(line)
            if header:
                section = header.group(1).split(".")
            here = section + ([key.group(1)] if key else [])
            if (header or key) and len(here) > depth and here == names[: len(here)]:
                found, depth = number, len(here)
        place = next((part for part in path if isinstance(part, int)), None)
        if found is None or place is None or depth < 2:
            return found
        # An entry of a list, where each has a line of its own.
        entries = [
            number for number, line in enumerate(lines[found:], found + 1) if line.lstrip().startswith("{")
        ]
        inside = self.next_header(found)
        return entries[place] if place < len(entries) and entries[place] < inside else found

    def next_header(self, line: int) -> int:
        """Return the line of the first section after a line, or one past the end."""
        lines = self.text.splitlines()
        return next(
            (n for n, text in enumerate(lines[line:], line + 1) if SECTION.match(text)), len(lines) + 1
        )

    def where(self, path: tuple[str | int, ...]) -> str:
        """Return the file, the line and the key, as in ``sine.toml:12: algorithm.server_lr``."""
        if not path:
            return self.path
        line = self.line_of(path)
        key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
        return f"{self.path}{'' if line is None else f':{line}'}: {key}"

    def error(self, what: str, path: tuple[str | int, ...], hint: str | None = None) -> ConfigError:
        """Return an error at a key."""
        return ConfigError(what, where=self.where(path), hint=hint)

    def checked(self, path: tuple[str | int, ...], make: Callable[[], T]) -> T:
        """Return what a call makes; what it refuses is refused with its place in the file.

        An error that names one of the table's keys points at it.
        """
        try:
            return make()
        except ConfigError as error:
            inner = error.where or ""
            at = (
                (*path, inner)
                if re.fullmatch(r"\w+", inner) and inner != path[-1] and self.has(path, inner)
                else path
            )
            raise self.error(error.what, at, error.hint) from None
        except ShoalError:
            raise
        except (TypeError, ValueError) as error:
            raise self.error(str(error), path) from None

    def has(self, path: tuple[str | int, ...], key: str) -> bool:
        """Tell whether a key seems to stand in a table."""
        inside = self.line_of((*path, key))
        return inside is not None and bool(
            re.search(rf"\b{re.escape(key)}\b\s*=", self.text.splitlines()[inside - 1])
        )
