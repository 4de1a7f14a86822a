"""What a document must be to be written."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from shoal.errors import ConflictError, DocumentError

if TYPE_CHECKING:
    from shoal.catalog.store.entries import Record

__all__ = ["check_key", "demand", "finite", "same"]


def same(old: Record, text: str, expires: float | None, registration: str | None) -> bool:
    """Whether a document says what is stored already; the order of members says nothing."""
    return (
        (old.expires, old.registration_text) == (expires, registration)
        and (old.text == text or canonical(old.text) == canonical(text))
    )  # fmt: skip


def canonical(text: str) -> str:
    """Return JSON text with sorted members."""
    return json.dumps(json.loads(text), sort_keys=True)


def check_key(kind: str, id: str, actor: str) -> None:
    """Refuse a kind or an id that nobody could ask for again, and an actor that nobody could read."""
    for name, value, least in (("kind", kind, 1), ("id", id, 1), ("actor", actor, 0)):
        if not least <= len(value) <= 2000 or not value.isprintable():
            where = f"{kind} '{id:.100}'"
            raise DocumentError.of("document", where, [(name, f"{least} to 2,000 printable characters")])


def finite(expires: float | None, where: str) -> float | None:
    """Return a time in seconds, as the file keeps it."""
    if expires is not None and not math.isfinite(expires):
        raise DocumentError.of("document", where, [("expires", f"{expires} is no time")])
    return None if expires is None else float(expires)


def demand(where: str, old: Record | None, must: str | None, revision: int | None) -> None:
    """Refuse to write where the document is not as the writer believes."""
    if must == "create" and old is not None:
        raise ConflictError(f"{where} exists already", where=where)
    if must == "replace" and old is None:
        raise ConflictError(f"{where} does not exist", where=where)
    found = 0 if old is None else old.revision
    if revision is not None and found != revision:
        raise ConflictError(
            f"{where} was changed meanwhile: it is at revision {found}, not {revision}",
            where=where,
            hint="read it again",
        )
