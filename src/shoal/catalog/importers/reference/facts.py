"""The statements of a Turtle file by subject, with the lines that they stand on."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from typing import TYPE_CHECKING

from shoal.catalog.importers.imported import Defect
from shoal.catalog.importers.reference.names import short
from shoal.catalog.importers.reference.repair import NOTHING, repaired
from shoal.errors import DocumentError

if TYPE_CHECKING:
    from pyoxigraph import BlankNode, NamedNode

    Subject = NamedNode | BlankNode

__all__ = ["Facts"]

# How far behind its subject a token is looked for.
FAR = 100_000


class Facts:
    """What a file says, with predicates and types as prefixed names.

    Parameters
    ----------
    text
        Turtle.
    file
        Its name, for messages.

    Raises
    ------
    DocumentError
        If it is no Turtle, repairs included: with the line.
    """

    def __init__(self, text: str, file: str) -> None:
        import pyoxigraph

        self.file = file
        self.text, self.defects = repaired(text, file)
        self._about: dict[Subject, dict[str, list[object]]] = {}
        self._lines = [0, *(end.end() for end in re.finditer("\n", self.text))]
        self._places = {
            start[1]: start.start() for start in re.finditer(r"^<([^<>\n]*)>", self.text, re.MULTILINE)
        }
        try:
            for quad in pyoxigraph.parse(self.text, format=pyoxigraph.RdfFormat.TURTLE):
                statements = self._about.setdefault(quad.subject, {})
                statements.setdefault(short(quad.predicate.value), []).append(quad.object)
        except SyntaxError as error:
            where = f"{file}:{error.lineno or 1}"
            raise DocumentError.of("Turtle", where, [("", str(error.msg))]) from None

    def subjects(self, kind: str) -> list[Subject]:
        """Return what is of a type, in the order of the file."""
        return [subject for subject in self._about if kind in self.names(subject, "rdf:type")]

    def with_(self, predicate: str) -> list[Subject]:
        """Return what has a predicate."""
        return [subject for subject, statements in self._about.items() if predicate in statements]

    def nodes(self, subject: Subject, *path: str) -> list[Subject]:
        """Return what a path of predicates leads to."""
        found = [subject]
        for predicate in path:
            found = [one for node in found for one in self._about.get(node, {}).get(predicate, [])]  # type: ignore[misc]
        return found

    def names(self, subject: Subject, predicate: str) -> list[str]:
        """Return the objects of a predicate as prefixed names."""
        return [
            short(str(getattr(node, "value", ""))) for node in self._about.get(subject, {}).get(predicate, [])
        ]

    def word(self, subject: Subject, predicate: str) -> str:
        """Return a text or an IRI; empty where there is none."""
        for node in self._about.get(subject, {}).get(predicate, []):
            value = str(getattr(node, "value", ""))
            return "" if value == NOTHING else value.strip()
        return ""

    def number(self, subject: Subject, predicate: str) -> float | None:
        """Return a number; None where there is none that is finite, which is reported."""
        text = self.word(subject, predicate)
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            self.report(subject, text, f"{text[:40]} is no number", "left out")
            return None
        return value

    def report(self, subject: Subject, token: str, problem: str, fix: str) -> None:
        """Add a defect at a token of what is said about a subject."""
        self.defects.append(Defect(self.file, self.line(subject, token), problem, fix))

    def where(self, *subjects: Subject) -> str:
        """Return file and line of the first subject that has a line of its own."""
        known = [one for one in subjects if getattr(one, "value", "") in self._places]
        return f"{self.file}:{self.line((known or subjects)[0])}"

    def line(self, subject: Subject, token: str = "") -> int:
        """Return the line of a token within what is said about a subject, or of the subject."""
        start = self._places.get(getattr(subject, "value", ""), 0)
        place = self.text.find(token, start, start + FAR) if token else start
        return bisect_right(self._lines, max(place, start))
