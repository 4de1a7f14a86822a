"""What an import gives: documents, the files behind them, and the defects that were repaired on the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from shoal.catalog.documents import Document

__all__ = ["Defect", "Imported"]


@dataclass(frozen=True, slots=True, order=True)
class Defect:
    """Something wrong in a file that could be repaired or left out; the import went on.

    Parameters
    ----------
    file
        Its name.
    line
        Counted from 1.
    problem
        What is wrong, with the value.
    fix
        What was taken instead; it repairs the file too.

    Examples
    --------
    >>> print(Defect("models.ttl", 44, "<None> is no IRI", "no data set"))
    models.ttl:44: <None> is no IRI; no data set
    """

    file: str
    line: int
    problem: str
    fix: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.problem}; {self.fix}"


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file holds, checked and ready to be stored.

    Parameters
    ----------
    documents
        In the order of the file.
    defects
        In the order of files and lines.
    files
        Model files by their SHA-256.
    """

    documents: tuple[Document, ...]
    defects: tuple[Defect, ...] = ()
    files: Mapping[str, Path] = field(default_factory=dict)
