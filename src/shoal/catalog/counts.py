"""Numbers of documents that are asked for."""

from __future__ import annotations

from shoal.errors import ConfigError

__all__ = ["check_counts"]


def check_counts(**counts: int | None) -> None:
    """Check numbers by their names; None is no number.

    Raises
    ------
    ConfigError
        Where one is negative.

    Examples
    --------
    >>> check_counts(limit=-1)
    Traceback (most recent call last):
    shoal.errors.ConfigError: limit is -1
      where  limit
      try    0 or more
    """
    for name, value in counts.items():
        if value is not None and value < 0:
            raise ConfigError(f"{name} is {value}", where=name, hint="0 or more")
