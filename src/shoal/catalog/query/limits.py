"""How much a query may take."""

from __future__ import annotations

from dataclasses import dataclass

from shoal.errors import ConfigError

__all__ = ["Limits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much a query may take.

    Parameters
    ----------
    seconds
        Of time, waiting for other queries included.
    memory
        Bytes beyond those that hold the graph.
    rows
        Rows or triples; what comes after them is left out, and the answer says so.
    bytes
        Of the names and texts of the answer; likewise.

    Raises
    ------
    ConfigError
        If a limit is not above 0.

    Examples
    --------
    >>> Limits(seconds=2).rows
    10000
    """

    seconds: float = 10.0
    memory: int = 512 * 2**20
    rows: int = 10_000
    bytes: int = 16 * 2**20

    def __post_init__(self) -> None:
        for name in ("seconds", "memory", "rows", "bytes"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name} is {getattr(self, name)}", where=name, hint="more than 0")
