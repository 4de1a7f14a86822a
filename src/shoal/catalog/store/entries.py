"""What goes into the store and what comes out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from shoal.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Action", "Entry", "Event", "Record", "encode"]

ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)

Action = Literal["created", "updated", "deleted"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A document to be put.

    Parameters
    ----------
    body
        A JSON object.
    expires
        When it may be purged, in seconds since 1970; None: never.
    registration
        What a directory notes about it beside its body.
    """

    kind: str
    id: str
    body: Mapping[str, Any]
    expires: float | None = None
    registration: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """A change of one document.

    Parameters
    ----------
    sequence
        Its number in the log, from 1 on without gaps.
    at
        Seconds since 1970.
    text, text_before
        The body as JSON text, and that before; None where there is none.
    actor
        Who did it.
    """

    sequence: int
    at: float
    action: Action
    kind: str
    id: str
    text: str | None
    text_before: str | None
    actor: str

    @property
    def body(self) -> dict[str, Any] | None:
        """The document after it, read anew from `text`; None where it was deleted."""
        return None if self.text is None else decode(self.text)

    @property
    def before(self) -> dict[str, Any] | None:
        """The document before it, read anew from `text_before`; None where it was created."""
        return None if self.text_before is None else decode(self.text_before)


@dataclass(frozen=True, slots=True)
class Record:
    """A document as it is stored.

    Parameters
    ----------
    text
        The body as JSON text.
    revision
        Sequence number of its last event.
    created, modified, expires
        Seconds since 1970.
    registration_text
        What a directory noted about it, as JSON text.
    """

    kind: str
    id: str
    text: str
    revision: int
    created: float
    modified: float
    expires: float | None
    registration_text: str | None

    @property
    def body(self) -> dict[str, Any]:
        """The document, read anew from `text`."""
        return decode(self.text)

    @property
    def registration(self) -> dict[str, Any] | None:
        """What a directory noted about it."""
        return None if self.registration_text is None else decode(self.registration_text)


def decode(text: str) -> dict[str, Any]:
    """Return the JSON object of a text that :func:`encode` wrote."""
    value: dict[str, Any] = json.loads(text)
    return value


def encode(body: Mapping[str, Any], where: str) -> str:
    """Return a body as JSON text: its members in their order, without spaces.

    Raises
    ------
    DocumentError
        Where it holds what JSON cannot.

    Examples
    --------
    >>> encode({"title": "Küche", "ram": [1, 2]}, "device 'a'")
    '{"title":"Küche","ram":[1,2]}'
    """
    try:
        text = ENCODER.encode(body)
        text.encode()
    except (TypeError, ValueError) as error:
        problem = "holds half of a character" if isinstance(error, UnicodeEncodeError) else str(error)
        raise DocumentError.of("document", where, [("", f"not JSON: {problem}")]) from None
    except RecursionError:
        raise DocumentError.of("document", where, [("", "nested too deeply")]) from None
    return text
