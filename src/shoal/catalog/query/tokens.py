"""The tokens of SPARQL: enough to find keywords and predicates, and none in a string or a comment."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from shoal.catalog.vocabulary import PREFIXES
from shoal.errors import QueryError

__all__ = ["Token", "edited", "iri_of", "prefixes_of", "tokens"]

LONGEST = 100_000
DEEPEST = 100
# A prefix and a local name as SPARQL has them, a little wider: the engine refuses the rest. The length
# of a prefix is bounded, or dots without end would be read again from each letter.
ONE = r"(?:[\w:-]|%[0-9A-Fa-f]{2}|\\[_~.!$&'()*+,;=/?#@%-])"
NAME = rf"(?:[^\W\d_](?:[\w.-]{{0,100}}[\w-])?)?:(?:{ONE}(?:(?:{ONE}|\.)*{ONE})?)?"
# Strings have the escapes of the grammar and no others: an engine would see another end of them.
TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+|\#[^\r\n]*)
    |(?P<iri><[^\x00-\x20<>"{}|^`\\]*>)
    |(?P<string>\"\"\"(?:\"{0,2}(?:[^"\\]|\\[tbnrf"'\\]))*\"\"\"|'''(?:'{0,2}(?:[^'\\]|\\[tbnrf"'\\]))*'''
        |"(?:[^"\\\r\n]|\\[tbnrf"'\\])*"|'(?:[^'\\\r\n]|\\[tbnrf"'\\])*')
    |(?P<variable>[?$]\w+)
    |(?P<blank>_:[\w](?:[\w.-]*[\w-])?)
    |(?P<name>"""
    + NAME
    + r""")
    |(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<language>@[A-Za-z]+(?:-[A-Za-z0-9]+)*)
    |(?P<word>[^\W\d]\w*)
    |(?P<sign>\^\^|&&|\|\||!=|<=|>=|<<|>>|[{}()\[\].,;|/^*+?!=<>-])""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A token and where it is.

    Parameters
    ----------
    kind
        iri, string, variable, blank, name (with a prefix), number, language, word or sign.
    """

    kind: str
    text: str
    start: int
    end: int


def tokens(text: str) -> list[Token]:
    """Return the tokens of a query, without space and comments.

    Raises
    ------
    QueryError
        If it is too long, nested too deeply, or no SPARQL.

    Examples
    --------
    >>> [token.text for token in tokens("ASK { ?d shoal:canRun 'a # b' } # SERVICE")]
    ['ASK', '{', '?d', 'shoal:canRun', "'a # b'", '}']
    """
    if len(text) > LONGEST:
        raise QueryError(
            f"the query has {len(text):,} characters, more than {LONGEST:,}", hint="a shorter one"
        )
    # Some engines read such an escape before the rest: what it stands for may end a string.
    escape = re.search(r"(?<!\\)(?:\\\\)*\\[uU]", text)
    if escape is not None:
        raise QueryError(
            f"'{text[escape.start() : escape.start() + 6]}' is not read",
            where=place(text, escape.start()),
            hint="the character itself",
        )
    found: list[Token] = []
    at = depth = 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise QueryError(f"'{text[at : at + 20]}' is no SPARQL", where=place(text, at))
        kind = match.lastgroup or ""
        if kind != "space":
            found.append(Token(kind, match[0], at, match.end()))
        if kind == "sign":
            depth += (match[0] in "{[(") - (match[0] in "}])")
            if depth > DEEPEST:
                raise QueryError(f"nested deeper than {DEEPEST} levels", where=place(text, at))
        at = match.end()
    return found


def place(text: str, at: int) -> str:
    r"""Return where something is, for people.

    Examples
    --------
    >>> place("ASK {\n !", 7)
    'line 2, column 2'
    """
    return f"line {text.count(chr(10), 0, at) + 1}, column {at - text.rfind(chr(10), 0, at)}"


def edited(text: str, edits: Iterable[tuple[int, int, str]]) -> str:
    """Return a text with pieces of it replaced, each from `start` to `end`.

    Examples
    --------
    >>> edited("abcd", [(1, 2, "X"), (3, 3, "-")])
    'aXc-d'
    """
    pieces, at = [], 0
    for start, end, new in sorted(edits):
        pieces += [text[at:start], new]
        at = end
    return "".join([*pieces, text[at:]])


def prefixes_of(found: list[Token]) -> dict[str, str]:
    """Return the prefixes of a query: those that it declares before those that need no declaration.

    Examples
    --------
    >>> prefixes_of(tokens("PREFIX s: <urn:s:> ASK {}"))["s"]
    'urn:s:'
    """
    said = {
        name.text[:-1]: iri.text[1:-1]
        for word, name, iri in zip(found, found[1:], found[2:], strict=False)
        if (word.kind, name.kind, iri.kind) == ("word", "name", "iri") and word.text.upper() == "PREFIX"
    }
    return PREFIXES | said


def iri_of(token: Token, prefixes: dict[str, str]) -> str | None:
    """Return the IRI that a token stands for, None if it is none.

    Examples
    --------
    >>> iri_of(Token("name", "shoal:canRun", 0, 12), PREFIXES)
    'https://w3id.org/shoal/vocabulary#canRun'
    """
    if token.kind == "iri":
        return token.text[1:-1]
    prefix, _, local = token.text.partition(":")
    if token.kind != "name" or prefix not in prefixes:
        return None
    return prefixes[prefix] + re.sub(r"\\(.)", r"\1", local)
