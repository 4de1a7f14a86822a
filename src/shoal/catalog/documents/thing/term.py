"""What all parts of a Thing Description have in common."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
)
from pydantic_core import CoreSchema, core_schema
from pyoxigraph import NamedNode

__all__ = ["Array", "Iri", "Language", "Many", "Moment", "Name", "Names", "Reference", "Term", "unique"]

# A template of RFC 6570 has braces.
REFERENCE = re.compile(r"[^\x00-\x20<>\"|\\^`]*")


def absolute(text: str) -> str:
    """Refuse what is not an absolute IRI."""
    try:
        NamedNode(text)
    except ValueError as error:
        raise ValueError(f"{text[:100]!r} is not an absolute IRI: {error}") from None
    if text.endswith(":"):
        raise ValueError(f"{text[:100]!r} is not an absolute IRI: nothing follows its scheme")
    return text


def reference(text: str) -> str:
    """Refuse what is neither an IRI, relative or not, nor a template of one."""
    if not text or not REFERENCE.fullmatch(text):
        raise ValueError(f"{text[:100]!r} is not an IRI, a relative one or a template of one")
    return text


def moment(text: str) -> str:
    """Refuse what is not a time of ISO 8601 with date and time."""
    if "T" not in text.upper():
        raise ValueError(f"{text[:100]!r} is not a date and a time, such as 2026-11-21T12:00:00Z")
    datetime.fromisoformat(text)
    return text


def array(value: object) -> object:
    """Return an array as a tuple."""
    return tuple(value) if isinstance(value, list) else value


def listed(value: object) -> object:
    """Return one value as an array of one."""
    return tuple(value) if isinstance(value, list | tuple) else (value,)


class OneOrMore:
    """Says of a field that holds an array that it may be one value too: JSON-LD writes both."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(listed, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        array = handler(schema)
        return {"anyOf": [array["items"], array]}


Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$")]
Iri = Annotated[str, StringConstraints(max_length=2000), AfterValidator(absolute)]
Reference = Annotated[str, StringConstraints(max_length=10_000), AfterValidator(reference)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$")]
Texts = dict[Language, str]
Moment = Annotated[str, AfterValidator(moment)]
Array = BeforeValidator(array)
Many = OneOrMore()
Types = Annotated[tuple[Name, ...], Many]
Names = Annotated[tuple[Name, ...], Field(min_length=1), Many]


class Term(BaseModel):
    """A part of a Thing Description; terms of other vocabularies are kept and not checked.

    Types are strict: JSON's true is no string and no number.
    """

    model_config = ConfigDict(frozen=True, extra="allow", strict=True, allow_inf_nan=False)

    type_: Annotated[Types, Field(alias="@type")] = ()
    title: str | None = None
    titles: Texts = Field(default_factory=dict)
    description: str | None = None
    descriptions: Texts = Field(default_factory=dict)


def unique(values: tuple[Any, ...] | list[Any]) -> bool:
    """Whether no JSON value occurs twice; 1 and true differ."""
    seen = [repr(value) for value in values]
    return len(set(seen)) == len(seen)
