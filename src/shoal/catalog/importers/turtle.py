"""Turtle and JSON-LD of our own export."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.catalog.documents import KINDS, parse
from shoal.catalog.importers.imported import Imported
from shoal.catalog.vocabulary import expand
from shoal.errors import DocumentError, StorageError

if TYPE_CHECKING:
    from pathlib import Path

    from shoal.catalog.documents import Document

__all__ = ["LARGEST", "is_export", "load"]

# Bytes of a file; it is read piece by piece, so that documents are what takes memory.
LARGEST = 2**30
KIND, DOCUMENT = expand("shoal:documentKind"), expand("shoal:document")
NAMESPACE = expand("shoal:")
# Documents that others name are first.
ORDER = ("board", "model", "device", "run", "measurement", "alias", "deployment", "learning", "query")


def is_export(head: str) -> bool:
    """Return whether a file is our own export, by its beginning: the term, whole or with its namespace.

    Examples
    --------
    >>> is_export('{"title": "of documentKind"}'), is_export(f'<urn:a> <{KIND}> "board" .')
    (False, True)
    """
    return KIND in head or (":documentKind" in head and NAMESPACE in head)


def load(path: Path) -> Imported:
    """Import the documents of an export.

    Raises
    ------
    DocumentError
        If it is no Turtle or JSON-LD (with the line), holds no documents, or one of them is wrong (with the
        field). Nothing is imported then.
    StorageError
        If it cannot be read.
    """
    import pyoxigraph

    formats = pyoxigraph.RdfFormat
    syntax = formats.TURTLE if path.suffix.lower() == ".ttl" else formats.JSON_LD
    kinds: dict[str, str] = {}
    bodies: dict[str, str] = {}
    try:
        if path.stat().st_size > LARGEST:
            raise DocumentError.of("file", str(path), [("", f"more than {LARGEST:,} bytes")])
        with path.open("rb") as file:
            for quad in pyoxigraph.parse(file, format=syntax):
                predicate = quad.predicate.value
                if predicate == KIND:
                    kinds[str(quad.subject)] = str(getattr(quad.object, "value", ""))
                elif predicate == DOCUMENT:
                    bodies[str(quad.subject)] = str(getattr(quad.object, "value", ""))
    except SyntaxError as error:
        raise DocumentError.of(syntax.name, f"{path}:{error.lineno or 1}", [("", str(error.msg))]) from None
    except OSError as error:
        raise StorageError(f"cannot read: {error.strerror or error}", where=str(path)) from error
    except ValueError as error:  # what the parser says of bytes that are not UTF-8
        raise DocumentError.of(syntax.name, str(path), [("", str(error))]) from None
    if not bodies:
        raise DocumentError.of(
            syntax.name,
            str(path),
            [("", "it holds no documents: neither an export nor of the reference system")],
        )
    documents = [_document(kinds.get(name, ""), body, f"{path}: {name}") for name, body in bodies.items()]
    return Imported(tuple(sorted(documents, key=lambda one: ORDER.index(one.kind))))


def _document(kind: str, body: str, where: str) -> Document:
    if kind not in KINDS:
        raise DocumentError.of("document", where, [("shoal:documentKind", f"'{kind[:40]}' is no kind")])
    return KINDS[kind].checked(parse(body, f"{kind} document", where), where)
