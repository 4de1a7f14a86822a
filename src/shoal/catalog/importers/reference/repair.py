"""Repairs of Turtle that a strict parser refuses; every line stays where it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from shoal.catalog.importers.imported import Defect

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["NOTHING", "repaired"]

# Stands where an IRI was written for "none".
NOTHING = "urn:shoal:nothing"
# Literals and comments are read to be passed over; an IRI and a name with two colons may be wrong. A literal
# that does not end is read to the end: each sign is looked at once, whatever the text.
TOKENS = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*+(?:""")?'
    r"|'''(?:[^'\\]|\\.|'(?!''))*+(?:''')?"
    r'|"(?:[^"\\\n]|\\.)*+"?'
    r"|'(?:[^'\\\n]|\\.)*+'?"
    r"|<(?P<iri>[^<>\n]*+)>"
    r"|#[^\n]*+"
    r"|(?<![\w.-])(?P<prefix>[A-Za-z][\w.-]*+)::(?P<name>[A-Za-z_][\w-]*+)",
    re.DOTALL,
)
ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def repaired(text: str, file: str) -> tuple[str, list[Defect]]:
    """Return Turtle with its IRIs repaired, and what was wrong.

    Examples
    --------
    >>> text, defects = repaired("<urn:a> <urn:set> <None> .", "a.ttl")
    >>> text
    '<urn:a> <urn:set> <urn:shoal:nothing> .'
    >>> print(defects[0])
    a.ttl:1: <None> is no IRI; taken as not known
    """
    defects: list[Defect] = []
    counted, line = 0, 1

    def report(place: int, problem: str, fix: str) -> None:
        nonlocal counted, line
        line += text.count("\n", counted, place)  # tokens come in order
        counted = place
        defects.append(Defect(file, line, problem, fix))

    return TOKENS.sub(lambda token: _token(token, report), text), defects


def _token(token: re.Match[str], report: Callable[[int, str, str], None]) -> str:
    iri, prefix, name = token["iri"], token["prefix"], token["name"]
    if prefix is not None:
        report(token.start(), f"{prefix}::{name} has a colon too many", f"taken as {prefix}:{name}")
        return f"{prefix}:{name}"
    if iri is None or ABSOLUTE.match(iri) or iri.startswith("#"):
        return token[0]
    if iri.lower() in {"none", "", "nan", "n.a.", "null"}:
        report(token.start(), f"<{iri}> is no IRI", "taken as not known")
        return f"<{NOTHING}>"
    report(token.start(), f"<{iri}> has no scheme", f"taken as <https://{iri}>")
    return f"<https://{iri}>"
