"""Every error that Shoal raises on purpose, in one tree and one shape.

::

    ShoalError
    ├── InputError (ValueError)         data of a wrong shape, type or value
    ├── ConfigError (ValueError)        a parameter or a TOML key that cannot be used
    ├── ModelError (ValueError)         a model that is damaged or computes what no layer does
    ├── ImageError (ValueError)         an image that the runtime refuses
    ├── StateError (ValueError)         a saved state or checkpoint that does not belong here or is damaged
    ├── StorageError (OSError)          the disk is full, a file cannot be read or written
    ├── DeviceError (OSError)           a board that does not answer, is gone, or answers what cannot be
    ├── DownloadError (OSError)         a data set could not be fetched or has a wrong checksum
    ├── MissingExtraError (ImportError) an optional dependency is not installed
    └── DivergedError (ArithmeticError) learning produced a value that is not finite
"""

from __future__ import annotations

__all__ = [
    "ConfigError",
    "DeviceError",
    "DivergedError",
    "DownloadError",
    "ImageError",
    "InputError",
    "MissingExtraError",
    "ModelError",
    "ShoalError",
    "StateError",
    "StorageError",
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
