"""Find documents by words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from shoal.catalog.search import index
from shoal.catalog.search.fields import Fields
from shoal.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Collection

    from shoal.catalog.store import Store

__all__ = ["Found", "expression", "find", "titled"]

# How much a word counts in each field: most where it names the document.
WEIGHTS = Fields("10", "8", tags="5", labels="4", sensors="4", operators="3", description="1")
MOST_WORDS = 32
TYPED = 3  # letters of a last word that may still be typed
LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Found:
    """A document that was found.

    Parameters
    ----------
    score
        Larger is better; comparable within one answer only.
    excerpt
        Where the words are, in brackets.
    """

    kind: str
    id: str
    title: str
    score: float
    excerpt: str


def find(
    store: Store, text: str, *, kinds: Collection[str] | None = None, limit: int = 20, offset: int = 0
) -> list[Found]:
    """Return the documents that have all the words, best first.

    Parameters
    ----------
    text
        Words. `wak*` finds what begins so, and so does the last word if it has three letters; `"wake word"`
        finds the words side by side; `-word` leaves out what has it.
    kinds
        Only documents of these kinds.
    limit, offset
        A page of the answer.

    Returns
    -------
    In the order of BM25 [1]_ with a weight for each field: name 10, title 8, tags 5, labels 4, sensors 4,
    operators 3, description 1.

    Raises
    ------
    QueryError
        Where there are too many words, or none but those to leave out.

    References
    ----------
    .. [1] Robertson, Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond, 2009.
    """
    wanted = expression(text)
    index.follow(store)
    if not wanted:
        return []
    chosen = () if kinds is None else tuple(sorted(kinds))
    among = "" if kinds is None else f"AND s.kind IN ({','.join('?' * len(chosen))})"
    query = f"""SELECT s.kind, s.id, t.title, t.name, -bm25(searched_text, {", ".join(WEIGHTS)}) AS score,
            snippet(searched_text, -1, '[', ']', '…', 12)
        FROM searched_text t JOIN searched s ON s.row = t.rowid
        WHERE searched_text MATCH ? {among} ORDER BY score DESC, s.kind, s.id LIMIT ? OFFSET ?"""
    with store.reading() as connection:
        if not index.exists(connection):
            return []
        rows = connection.execute(query, (wanted, *chosen, limit, offset)).fetchall()
    return [Found(kind, id, title or name, score, excerpt) for kind, id, title, name, score, excerpt in rows]


def titled(store: Store, kind: str, title: str) -> list[str]:
    """Return the ids of the documents of a kind with this title, in any case and spacing; at most two."""
    if not re.search(r"[^\W_]", title):
        return []
    if store.read_only and index.held(store) < store.revision:  # nobody may bring the index up to date here
        records = store.records(kind)
        return list(
            islice((one.id for one in records if plain(one.body.get("title", "")) == plain(title)), 2)
        )
    index.follow(store)
    query = """SELECT s.id, t.title FROM searched_text t JOIN searched s ON s.row = t.rowid
        WHERE searched_text MATCH ? AND s.kind = ? ORDER BY s.id"""
    with store.reading() as connection:
        if not index.exists(connection):
            return []
        wanted = "title : " + quoted(title.replace('"', " ").replace("\0", " ").rstrip("*"))
        rows = connection.execute(query, (wanted, kind))
        return list(islice((id for id, other in rows if plain(other) == plain(title)), 2))


def plain(title: str) -> str:
    """Return a title without what people do not see in it.

    Examples
    --------
    >>> plain("Prüfstand  7 ") == plain("PRÜFSTAND 7")
    True
    """
    return " ".join(title.split()).casefold()


def expression(text: str) -> str:
    """Return what FTS5 is asked: nothing of the text reaches it but quoted words.

    Examples
    --------
    >>> expression('"wake word" mic* -camera audio')
    '("wake word" AND "mic"* AND ("audio" OR "audio"*)) NOT ("camera")'
    >>> expression('a" OR name:b) NEAR(c')
    '("a" AND "OR" AND "name:b)" AND ("NEAR(c" OR "NEAR(c"*))'
    >>> expression("!?")
    ''
    """
    if len(text) > LONGEST:
        raise QueryError(f"a search of {len(text):,} characters, more than {LONGEST:,}", where="text")
    parts = re.findall(r'-?"[^"]*"|[^\s"]+', text.replace("\0", " "))
    terms = [part for part in parts if re.search(r"[^\W_]", part)]
    if len(terms) > MOST_WORDS:
        raise QueryError(f"a search for {len(terms)} words, more than {MOST_WORDS}", where="text")
    out = [quoted(part.removeprefix("-")) for part in terms if part.startswith("-")]
    kept = [part for part in terms if not part.startswith("-")]
    if out and not kept:
        raise QueryError("only words to leave out", where="text", hint="a word to find")
    if not kept:
        return ""
    found = [quoted(part) for part in kept]
    if len(kept[-1]) >= TYPED and not kept[-1].endswith(('"', "*")):  # may still be typed
        found[-1] = f"({found[-1]} OR {found[-1]}*)"
    wanted = f"({' AND '.join(found)})"
    return f"{wanted} NOT ({' OR '.join(out)})" if out else wanted


def quoted(part: str) -> str:
    """Return a word or a phrase as a string of FTS5, which it splits as it split the documents."""
    text = part.strip('"')
    return f'"{text.rstrip("*")}"*' if text.endswith("*") else f'"{text}"'
