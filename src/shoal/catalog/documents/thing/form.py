"""Forms and links: how a Thing is reached."""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

from pydantic import Field

from shoal.catalog.documents.thing.term import Language, Many, Names, Reference, Term

__all__ = ["ActionForm", "EventForm", "Form", "Link", "PropertyForm", "ThingForm"]

T = TypeVar("T")


class Response(Term):
    """What comes back; of the same type as the request where it does not say."""

    content_type: Annotated[str | None, Field(alias="contentType")] = None


class AdditionalResponse(Term):
    """What may come back instead."""

    success: bool = False
    content_type: Annotated[str, Field(alias="contentType")] = "application/json"
    schema_: Annotated[str | None, Field(alias="schema")] = None


class Form(Term):
    """Where a request goes, and what it carries."""

    href: Reference
    content_type: Annotated[str, Field(alias="contentType")] = "application/json"
    content_coding: Annotated[str | None, Field(alias="contentCoding")] = None
    subprotocol: str | None = None
    security: Names | None = None
    scopes: Annotated[tuple[str, ...], Many] = ()
    response: Response | None = None
    additional: Annotated[
        tuple[AdditionalResponse, ...], Field(alias="additionalResponses", strict=False), Many
    ] = ()


class PropertyForm(Form):
    """A form of a property."""

    op: Annotated[
        tuple[Literal["readproperty", "writeproperty", "observeproperty", "unobserveproperty"], ...],
        Many,
    ] = ()


class ActionForm(Form):
    """A form of an action."""

    op: Annotated[tuple[Literal["invokeaction", "queryaction", "cancelaction"], ...], Many] = ()


class EventForm(Form):
    """A form of an event."""

    op: Annotated[tuple[Literal["subscribeevent", "unsubscribeevent"], ...], Many] = ()


class ThingForm(Form):
    """A form of the whole Thing: its operation has no default."""

    op: Annotated[
        tuple[
            Literal[
                "readallproperties",
                "writeallproperties",
                "readmultipleproperties",
                "writemultipleproperties",
                "observeallproperties",
                "unobserveallproperties",
                "queryallactions",
                "subscribeallevents",
                "unsubscribeallevents",
            ],
            ...,
        ],
        Field(min_length=1),
        Many,
    ]


class Link(Term):
    """Another resource, and how it is related."""

    href: Reference
    media_type: Annotated[str | None, Field(alias="type")] = None
    rel: str | None = None
    anchor: Reference | None = None
    sizes: str | None = None
    hreflang: Annotated[tuple[Language, ...], Many] = ()
