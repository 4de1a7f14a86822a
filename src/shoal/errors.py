"""Every error that Shoal raises on purpose, in one tree and one shape.

::

    ShoalError
    ├── InputError (ValueError)         data of a wrong shape, type or value
    ├── ConfigError (ValueError)        a parameter or a TOML key that cannot be used
    ├── ModelError (ValueError)         a model that is damaged or computes what no layer does
    ├── ImageError (ValueError)         an image that the runtime refuses
    ├── DocumentError (ValueError)      a document of the catalog with fields that are wrong
    ├── ConflictError (ValueError)      a document that exists already, or that another one still needs
    ├── UnknownError (LookupError)      nothing of this name in the catalog
    ├── QueryError (ValueError)         a query that cannot be read, is not allowed or takes too much
    ├── StateError (ValueError)         a saved state or checkpoint that does not belong here or is damaged
    ├── StorageError (OSError)          the disk is full, a file cannot be read or written
    ├── DeviceError (OSError)           a board that does not answer, is gone, or answers what cannot be
    ├── DownloadError (OSError)         a data set could not be fetched or has a wrong checksum
    ├── MissingExtraError (ImportError) an optional dependency is not installed
    └── DivergedError (ArithmeticError) learning produced a value that is not finite
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "ConfigError",
    "ConflictError",
    "DeviceError",
    "DivergedError",
    "DocumentError",
    "DownloadError",
    "ImageError",
    "InputError",
    "MissingExtraError",
    "ModelError",
    "QueryError",
    "ShoalError",
    "StateError",
    "StorageError",
    "UnknownError",
]


class ShoalError(Exception):
    """What is wrong and with which value, where, and what to try.

    Parameters
    ----------
    what
        One line: the problem with the offending value.
    where
        The file, key, layer or argument that it concerns.
    hint
        What to do next, as a command or a value where possible.

    Examples
    --------
    >>> print(ShoalError("model needs 41,312 B of RAM", where="gesture.toml", hint="train_last = 1"))
    model needs 41,312 B of RAM
      where  gesture.toml
      try    train_last = 1
    """

    def __init__(self, what: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        lines = [self.what]
        if self.where is not None:
            lines.append(f"  where  {self.where}")
        if self.hint is not None:
            lines.append(f"  try    {self.hint}")
        return "\n".join(lines)


class InputError(ShoalError, ValueError):
    """Data of a wrong shape, type or value."""


class ConfigError(ShoalError, ValueError):
    """A parameter or a configuration key that cannot be used."""


class ModelError(ShoalError, ValueError):
    """A model that is damaged or computes what no layer does; nothing was imported."""


class ImageError(ShoalError, ValueError):
    """An image that the runtime refuses to open."""


class DocumentError(ShoalError, ValueError):
    """A document of the catalog with fields that are wrong; nothing was stored.

    Attributes
    ----------
    fields
        Each place that is wrong, and what is wrong there.
    """

    fields: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, name: str, where: str | None, fields: Sequence[tuple[str, str]]) -> DocumentError:
        """Return the error of these fields.

        Examples
        --------
        >>> fields = [("size", "-1 is below 0"), ("name", "missing")]
        >>> print(DocumentError.of("model document", "wake.toml", fields))
        model document: size: -1 is below 0, and 1 more
          where  wake.toml
          try    name: missing
        """
        (place, problem), *others = fields
        what = f"{name}: {place}: {problem}" if place else f"{name}: {problem}"
        hint = "; ".join(f"{place}: {problem}" for place, problem in others[:5])
        error = cls(f"{what}, and {len(others)} more" if others else what, where=where, hint=hint or None)
        error.fields = tuple(fields)
        return error


class ConflictError(ShoalError, ValueError):
    """A document that exists already, or that another one still needs; nothing was changed."""


class UnknownError(ShoalError, LookupError):
    """Nothing in the catalog has this name."""


class QueryError(ShoalError, ValueError):
    """A query that cannot be read, is not allowed, or takes too much time or memory."""


class StateError(ShoalError, ValueError):
    """A saved state or checkpoint that is damaged or belongs to another model."""


class StorageError(ShoalError, OSError):
    """A file that cannot be read or written, for instance on a full disk."""


class DeviceError(ShoalError, OSError):
    """A board that does not answer, is gone, or answers what cannot be."""


class DownloadError(ShoalError, OSError):
    """A data set that could not be fetched or whose checksum is wrong."""


class MissingExtraError(ShoalError, ImportError):
    """An optional dependency that is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"{package} is not installed",
            where=f"the optional feature '{extra}'",
            hint=f"pip install 'shoal[{extra}]'",
        )


class DivergedError(ShoalError, ArithmeticError):
    """Learning produced a value that is not finite; nothing was stored."""
