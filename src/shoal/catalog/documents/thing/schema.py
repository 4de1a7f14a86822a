"""Data schemas: what a property, an input or an event carries."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from shoal.catalog.documents.thing.term import Array, Many, Name, Term, unique

__all__ = ["DataSchema", "UriVariables"]

Size = Annotated[int, Field(ge=0, le=2**32 - 1)]
Number = float


def distinct(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Refuse a value that occurs twice."""
    if not unique(values):
        raise ValueError("a value occurs twice")
    return values


class DataSchema(Term):
    """The schema of a value, as in section 5.3.2 of the specification."""

    type: Literal["boolean", "integer", "number", "string", "object", "array", "null"] | None = None
    const: Any = None
    default: Any = None
    unit: str | None = None
    one_of: Annotated[tuple[DataSchema, ...], Field(alias="oneOf"), Array] = ()
    enum: Annotated[tuple[Any, ...], Field(min_length=1), AfterValidator(distinct), Array] | None = None
    read_only: Annotated[bool, Field(alias="readOnly")] = False
    write_only: Annotated[bool, Field(alias="writeOnly")] = False
    format: str | None = None
    items: Annotated[tuple[DataSchema, ...], Many] = ()
    min_items: Annotated[Size | None, Field(alias="minItems")] = None
    max_items: Annotated[Size | None, Field(alias="maxItems")] = None
    minimum: Number | None = None
    exclusive_minimum: Annotated[Number | None, Field(alias="exclusiveMinimum")] = None
    maximum: Number | None = None
    exclusive_maximum: Annotated[Number | None, Field(alias="exclusiveMaximum")] = None
    multiple_of: Annotated[Number | None, Field(alias="multipleOf", gt=0)] = None
    properties: dict[Name, DataSchema] = Field(default_factory=dict)
    required: Annotated[tuple[str, ...], Array] = ()
    min_length: Annotated[Size | None, Field(alias="minLength")] = None
    max_length: Annotated[Size | None, Field(alias="maxLength")] = None
    pattern: str | None = None
    content_encoding: Annotated[str | None, Field(alias="contentEncoding")] = None
    content_media_type: Annotated[str | None, Field(alias="contentMediaType")] = None


def scalar(schema: DataSchema) -> DataSchema:
    """Refuse what does not fit into a URI."""
    if schema.type in {"object", "array"}:
        raise ValueError(f"a variable of a URI is no {schema.type}")
    return schema


UriVariables = dict[Name, Annotated[DataSchema, AfterValidator(scalar)]]
