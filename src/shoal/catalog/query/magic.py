"""Predicates that are no triples: `shoal:canRun` asks the index, `shoal:matches` the search.

Each is taken out of the query and the answer put in as VALUES, so that the engine joins it with the rest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice, pairwise
from urllib.parse import unquote

from shoal.catalog.query import terms
from shoal.catalog.query.parameters import Resolve
from shoal.catalog.query.tokens import Token, edited, iri_of, place, prefixes_of, tokens
from shoal.catalog.vocabulary import SHOAL, document_iri
from shoal.errors import QueryError, UnknownError

__all__ = ["Answers", "rewritten"]

MOST = 20_000
DEVICE = "urn:shoal:device:"
Pairs = list[tuple[str, str]]
VALUE = {"variable", "iri", "name", "string"}


@dataclass(frozen=True, slots=True)
class Answers:
    """What the rest of the catalog knows.

    Parameters
    ----------
    can_run
        From a device and a model, by id or None for any, to the pairs that fit.
    find
        From words to the documents that match, by kind and id, best first.
    resolve
        From "model" or "device" and a name to the id.
    """

    can_run: Callable[[str | None, str | None], Iterable[tuple[str, str]]]
    find: Callable[[str], Iterable[tuple[str, str]]]
    resolve: Resolve


@dataclass(slots=True)
class Asked:
    """What one query has asked: the same question once, and no more answers in all than there may be."""

    known: dict[tuple[object, ...], Pairs] = field(default_factory=dict)
    left: int = MOST

    def pairs(self, question: tuple[object, ...], found: Callable[[], Iterable[tuple[str, str]]]) -> Pairs:
        """Return the answers to a question.

        Raises
        ------
        OverflowError
            If they are too many.
        """
        if question not in self.known:
            self.known[question] = list(islice(found(), self.left + 1))
        self.left -= len(self.known[question])
        if self.left < 0:
            raise OverflowError
        return self.known[question]


@dataclass(frozen=True, slots=True)
class Triple:
    """A triple with such a predicate, and the edits that take it out.

    Parameters
    ----------
    at
        Where the values belong.
    cut
        From where to where it is to be cut out.
    """

    predicate: Token
    subject: Token
    object: Token
    at: int
    cut: tuple[int, int]


def rewritten(text: str, answers: Answers | None) -> str:
    """Return a query with the answers in the place of such predicates.

    Raises
    ------
    QueryError
        If one stands where it cannot be answered, or has too many answers.

    Examples
    --------
    >>> answers = Answers(lambda device, model: [("urn:dev:7", "sha256:" + "0" * 64)], lambda text: [],
    ...     lambda kind, name: "sha256:" + "0" * 64)
    >>> print(rewritten("SELECT ?d { ?d shoal:canRun 'wake' ; schema:name ?n }", answers))
    SELECT ?d { VALUES (?d) { (<urn:dev:7>) } ?d schema:name ?n }
    """
    found = tokens(text)
    prefixes = prefixes_of(found)
    template = templates(found)
    edits = []
    asked = Asked()
    for i, token in enumerate(found):
        iri = iri_of(token, prefixes)
        if iri in VALUES and not any(start < i < end for start, end in template):
            if answers is None:
                raise QueryError(f"{token.text} cannot be asked here", where=place(text, token.start))
            triple = taken_out(text, found, i)
            try:
                table = VALUES[iri](text, triple, prefixes, answers, asked)
            except OverflowError:
                raise QueryError(
                    f"{token.text} brings the query to more than {MOST:,} answers",
                    where=place(text, token.start),
                    hint=HINTS[iri],
                ) from None
            edits.append((triple.at, triple.at, f"{table} "))
            edits.append((*triple.cut, ""))
    return edited(text, edits)


def templates(found: list[Token]) -> list[tuple[int, int]]:
    """Return where the templates of CONSTRUCT are: a predicate there is written, not asked."""
    places = []
    for i, (word, sign) in enumerate(pairwise(found)):
        if word.kind == "word" and word.text.upper() == "CONSTRUCT" and sign.text == "{":
            end = next((j for j in range(i + 2, len(found)) if found[j].text == "}"), len(found))
            places.append((i, end))
    return places


def taken_out(text: str, found: list[Token], i: int) -> Triple:
    """Return the triple whose predicate is at a place, and how it is taken out."""
    predicate = found[i]
    name = predicate.text

    def refused(problem: str) -> QueryError:
        return QueryError(
            f"{name} {problem}", where=place(text, predicate.start), hint=f"?device {name} ?model ."
        )

    if i == 0 or i + 2 >= len(found) or found[i + 1].kind not in VALUE:
        raise refused("has no object that it could be asked about")
    before, object_, after = found[i - 1], found[i + 1], found[i + 2]
    if after.kind == "language" or after.text in {",", "^^"}:
        raise refused("has more than one object, or one with a type")
    if before.text == ";":
        start = statement(found, i - 1)
        subject = found[start] if start is not None else None
        cut = (before.start, object_.end)
    else:
        start, subject = i - 1, before
        more = after.text == ";" and i + 3 < len(found) and found[i + 3].text not in {".", "}", ";"}
        cut = (predicate.start, after.end + 1) if more else (before.start, object_.end)
        if not more and after.text == ";":
            cut = (before.start, after.end)
            after = found[i + 3] if i + 3 < len(found) else after
        if after.text == "." and not more:
            cut = (cut[0], after.end)
        if i < 2 or found[i - 2].text not in {"{", ".", "}"}:
            raise refused("does not stand in a triple of its own")
    if subject is None or subject.kind not in VALUE:
        raise refused("does not stand in a triple of its own")
    return Triple(predicate, subject, object_, subject.start, cut)


def statement(found: list[Token], i: int) -> int | None:
    """Return where the statement begins whose part is at a place, None if that is within brackets."""
    depth = 0
    for j in range(i - 1, -1, -1):
        sign = found[j].text if found[j].kind == "sign" else ""
        if sign in {"]", ")"}:
            depth += 1
        elif sign in {"[", "("}:
            depth -= 1
            if depth < 0:
                return None
        elif sign in {".", "{", "}"} and depth == 0:
            return j + 1
    return None


def can_run(text: str, triple: Triple, prefixes: dict[str, str], answers: Answers, asked: Asked) -> str:
    """Return the pairs of devices and models that fit as VALUES; an IRI that is none of them fits nothing."""
    device = meant(text, triple.subject, "device", prefixes, answers)
    model = meant(text, triple.object, "model", prefixes, answers)
    names = [token.text for token in (triple.subject, triple.object) if token.kind == "variable"]
    if len({name[1:] for name in names}) < len(names):
        raise QueryError(f"{names[0]} is device and model at once", where=place(text, triple.predicate.start))
    try:
        pairs = asked.pairs((can_run, device, model), lambda: answers.can_run(device, model))
    except UnknownError:
        pairs = []
    rows = {
        " ".join(
            terms.iri(document_iri(kind, key))
            for kind, key, token in (("device", pair[0], triple.subject), ("model", pair[1], triple.object))
            if token.kind == "variable"
        ): None
        for pair in pairs
    }
    return values(names, rows)


def matches(text: str, triple: Triple, prefixes: dict[str, str], answers: Answers, asked: Asked) -> str:
    """Return the documents that match words as VALUES."""
    del prefixes
    if triple.subject.kind != "variable" or triple.object.kind != "string":
        raise QueryError(
            f"{triple.predicate.text} needs a variable and a text",
            where=place(text, triple.predicate.start),
            hint=f'?model {triple.predicate.text} "wake word"',
        )
    words = unquoted(triple.object.text)
    found = asked.pairs((matches, words), lambda: answers.find(words))
    return values([triple.subject.text], {terms.iri(document_iri(kind, key)): None for kind, key in found})


VALUES: dict[str | None, Callable[[str, Triple, dict[str, str], Answers, Asked], str]] = {
    f"{SHOAL}canRun": can_run,
    f"{SHOAL}matches": matches,
}
HINTS: dict[str | None, str] = {
    f"{SHOAL}canRun": "name the model or the device",
    f"{SHOAL}matches": "more words",
}


def values(names: list[str], rows: Iterable[str]) -> str:
    """Return a table as SPARQL writes it."""
    lines = " ".join(f"({row})" for row in rows)
    return f"VALUES ({' '.join(names)}) {{ {lines} }}"


def meant(text: str, token: Token, kind: str, prefixes: dict[str, str], answers: Answers) -> str | None:
    """Return the id of what a token means, None for a variable."""
    if token.kind == "variable":
        return None
    if token.kind == "string":
        return answers.resolve(kind, unquoted(token.text))
    iri = iri_of(token, prefixes)
    if iri is None:
        raise QueryError(f"unknown prefix in '{token.text}'", where=place(text, token.start), hint="PREFIX")
    if kind == "device":
        key = unquote(iri.removeprefix(DEVICE))
        return key if document_iri("device", key) == iri else iri
    name = iri.removeprefix("urn:shoal:model:")
    try:
        return answers.resolve(kind, unquote(name) if name != iri else iri)
    except UnknownError:
        return iri  # which fits nothing


def unquoted(token: str) -> str:
    r"""Return the text that a string stands for.

    Examples
    --------
    >>> unquoted(r'"a \"b\""'), unquoted("'''c'''")
    ('a "b"', 'c')
    """
    inner = token[3:-3] if token[:3] in {'"""', "'''"} else token[1:-1]
    escapes = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
    return re.sub(r"\\(.)", lambda one: escapes.get(one[1], one[1]), inner, flags=re.DOTALL)
