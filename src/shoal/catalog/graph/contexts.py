"""Contexts of JSON-LD: what the terms of a document mean. Some are bundled, none is fetched."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib import resources
from typing import Any

from shoal.catalog.documents.thing import DISCOVERY, TD_1_0, TD_1_1

__all__ = ["BUNDLED", "EMPTY", "Context", "ContextError", "Term", "bundled", "expand", "extend", "outermost"]

# Addresses of the contexts that come with Shoal, in a mapping of our own, and where td.json holds them.
BUNDLED = {
    TD_1_1: "terms",
    TD_1_0: "terms",
    DISCOVERY: "discovery",
}
# What a term definition or a context may say, here: the rest of JSON-LD is refused, not misread.
DEFINITION = {"@id", "@type", "@container", "@index", "@context", "@language", "@prefix", "@protected"}
SETTINGS = {"@version", "@vocab", "@base", "@language", "@protected"}
CONTAINERS = {"@set", "@list", "@index", "@language", "@id"}
KEYWORD = re.compile(r"@[A-Za-z]+")
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
MOST = 1000
REMEMBERED = 4000


class ContextError(Exception):
    """A document that is no JSON-LD, and where it is not."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(place, problem)
        self.place = place
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Term:
    """What a term means.

    Parameters
    ----------
    iri
        An IRI or a keyword; None: nothing.
    coercion
        Type of its values.
    container
        How its values are kept.
    index
        The term whose value the keys of an index are.
    language
        Of its values; "" where the context decides.
    context
        The context of its values, as it is written.
    """

    iri: str | None
    coercion: str | None = None
    container: frozenset[str] = frozenset()
    index: str | None = None
    language: str | None = ""
    context: Any = None


@dataclass(frozen=True, eq=False)
class Context:
    """What all terms mean at one place of a document.

    Parameters
    ----------
    scoped
        The contexts of the values of its terms, as far as they were needed.
    """

    terms: dict[str, Term] = field(default_factory=dict)
    vocabulary: str | None = None
    base: str = ""
    language: str | None = None
    scoped: dict[str, Context] = field(default_factory=dict)

    def within(self, name: str) -> Context:
        """Return the context of the values of a term."""
        raw = self.terms[name].context if name in self.terms else None
        if raw is None:
            return self
        if name not in self.scoped:
            self.scoped[name] = extend(self, raw, f"@context.{name}.@context")
        return self.scoped[name]


EMPTY = Context()


def extend(active: Context, local: Any, place: str) -> Context:
    """Return a context with another one on top of it.

    Parameters
    ----------
    local
        As it is written: an address, an object, None or a list of them.
    place
        Where it is written, for errors.

    Raises
    ------
    ContextError
        If it names a context that does not come with Shoal, or says what is not read here.
    """
    if isinstance(local, list):
        for i, one in enumerate(local):
            active = extend(active, one, f"{place}[{i}]")
        return active
    if local is None:
        return Context(base=active.base)
    if isinstance(local, str):
        if local not in BUNDLED:
            known = ", ".join(BUNDLED)
            raise ContextError(place, f"{local[:200]!r} is not fetched: a context is {known}, or an object")
        if not active.terms:
            fresh = bundled(BUNDLED[local])
            # What it found out about its terms serves every document.
            return Context(
                fresh.terms, active.vocabulary, active.base, active.language, scoped(fresh, active)
            )
        return extend(active, parts()[BUNDLED[local]], place)
    if not isinstance(local, dict):
        raise ContextError(place, "is no context: an address, an object or a list of them")
    return defined(active, local, place)


def outermost(local: Any, place: str) -> Context:
    """Return the context of a whole document; devices of a fleet have the same."""
    text = json.dumps(local)
    return remembered(text, place) if len(text) <= REMEMBERED else extend(EMPTY, local, place)


@lru_cache(maxsize=64)
def remembered(text: str, place: str) -> Context:
    """Return the context that a JSON text is."""
    return extend(EMPTY, json.loads(text), place)


def scoped(fresh: Context, active: Context) -> dict[str, Context]:
    """Return the cache of a bundled context where nothing of its surroundings could show in it."""
    return fresh.scoped if (active.vocabulary, active.language, active.base) == (None, None, "") else {}


def defined(active: Context, local: dict[str, Any], place: str) -> Context:
    """Return a context with the definitions of an object on top of it."""
    if len(local) > MOST:
        raise ContextError(place, f"{len(local)} terms, more than {MOST}")
    for key in local:
        if key.startswith("@") and key not in SETTINGS:
            problem = (
                "is not fetched: write the terms in the context" if key == "@import" else "is not read here"
            )
            raise ContextError(f"{place}.{key}", problem)
    language = local.get("@language", active.language)
    base = local.get("@base", active.base)
    vocabulary = local.get("@vocab", active.vocabulary)
    for key, value in (("@language", language), ("@base", base), ("@vocab", vocabulary)):
        if not isinstance(value, (str, type(None))):
            raise ContextError(f"{place}.{key}", "is no text")
    terms = dict(active.terms)
    result = Context(terms, None, base or "", language)
    if vocabulary is not None:
        result = Context(terms, name_of(vocabulary, local, result, frozenset()), base or "", language)
    for name, meaning in local.items():
        if not name.startswith("@"):
            terms[name] = term(name, meaning, local, result, place)
    return result


def term(name: str, meaning: Any, local: dict[str, Any], active: Context, place: str) -> Term:
    """Return a term by its definition."""
    place = f"{place}.{name}"
    if meaning is None:
        return Term(None)
    if isinstance(meaning, str):
        return Term(name_of(meaning, local, active, frozenset({name})))
    if not isinstance(meaning, dict):
        raise ContextError(place, "is no definition of a term: an IRI or an object")
    if unread := meaning.keys() - DEFINITION:
        raise ContextError(f"{place}.{min(unread)}", "is not read here")
    iri = meaning.get("@id", name)
    coercion, index = meaning.get("@type"), meaning.get("@index")
    for key, value in (("@id", iri), ("@type", coercion), ("@index", index)):
        if not isinstance(value, (str, type(None))):
            raise ContextError(f"{place}.{key}", "is no text")
    raw = meaning.get("@container", [])
    container = [raw] if isinstance(raw, str) else raw
    if not isinstance(container, list) or not all(
        isinstance(one, str) and one in CONTAINERS for one in container
    ):
        raise ContextError(f"{place}.@container", "is not read here")
    language = meaning.get("@language", "")
    if not isinstance(language, (str, type(None))):
        raise ContextError(f"{place}.@language", "is no text")
    return Term(
        None if iri is None else name_of(iri, local, active, frozenset({name})),
        None if coercion is None else name_of(coercion, local, active, frozenset({name})),
        frozenset(container),
        index,
        language,
        meaning.get("@context"),
    )


def name_of(name: str, local: dict[str, Any], active: Context, open_: frozenset[str]) -> str | None:
    """Return the IRI of a name in a context that is being read, None for none.

    Parameters
    ----------
    open_
        The terms whose meaning is being found out: a circle means nothing.
    """
    if KEYWORD.fullmatch(name):
        return name
    prefix, colon, rest = name.partition(":")
    start = prefix if colon else name
    if colon and rest.startswith("//"):
        return name
    if start not in open_ and start in local:
        meaning = local[start]
        meaning = meaning.get("@id", start) if isinstance(meaning, dict) else meaning
        if isinstance(meaning, str) and len(open_) < 20:
            found = name_of(meaning, local, active, open_ | {start})
            if found is not None and not (colon and KEYWORD.fullmatch(found)):
                return found + rest
    elif start not in open_ and start in active.terms:
        known = active.terms[start].iri
        if known is not None:
            return known + rest
    if colon:
        return name
    return active.vocabulary + name if active.vocabulary is not None else None


def expand(active: Context, name: str, *, term: bool) -> str | None:
    """Return the IRI or the keyword that a value means, None for none.

    Parameters
    ----------
    term
        Whether it may be a term; otherwise it is a name within the document.
    """
    if KEYWORD.fullmatch(name):
        return name
    if term and name in active.terms:
        return active.terms[name].iri
    prefix, colon, rest = name.partition(":")
    if colon:
        if prefix == "_" or rest.startswith("//"):
            return name
        known = active.terms.get(prefix)
        if known is not None and known.iri is not None and not KEYWORD.fullmatch(known.iri):
            return known.iri + rest
        if SCHEME.match(name):
            return name
    if term:
        return None if active.vocabulary is None else active.vocabulary + name
    return active.base + name


@cache
def parts() -> dict[str, Any]:
    """Return the contexts that are bundled, with the contexts of their terms in them."""
    file = resources.files("shoal.catalog.vocabulary") / "td.json"
    raw: dict[str, dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))

    def filled(meaning: Any) -> Any:
        if isinstance(meaning, dict) and isinstance(meaning.get("@context"), str):
            return meaning | {"@context": whole(meaning["@context"])}
        return meaning

    def whole(name: str) -> dict[str, Any]:
        return {one: filled(meaning) for one, meaning in raw[name].items()}

    return {name: whole(name) for name in raw}


@cache
def bundled(part: str) -> Context:
    """Return a context that comes with Shoal."""
    return extend(EMPTY, parts()[part], part)
