"""Properties, actions and events: what can be done with a Thing."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from shoal.catalog.documents.thing.form import ActionForm, EventForm, PropertyForm
from shoal.catalog.documents.thing.schema import DataSchema, UriVariables
from shoal.catalog.documents.thing.term import Array, Term

__all__ = ["ActionAffordance", "EventAffordance", "PropertyAffordance"]


class PropertyAffordance(DataSchema):
    """A state that can be read, written or observed."""

    forms: Annotated[tuple[PropertyForm, ...], Field(min_length=1), Array]
    uri_variables: Annotated[UriVariables, Field(alias="uriVariables")] = Field(default_factory=dict)
    observable: bool = False


class ActionAffordance(Term):
    """A function that can be invoked."""

    forms: Annotated[tuple[ActionForm, ...], Field(min_length=1), Array]
    uri_variables: Annotated[UriVariables, Field(alias="uriVariables")] = Field(default_factory=dict)
    input: DataSchema | None = None
    output: DataSchema | None = None
    safe: bool = False
    idempotent: bool = False
    synchronous: bool | None = None


class EventAffordance(Term):
    """What a Thing reports by itself."""

    forms: Annotated[tuple[EventForm, ...], Field(min_length=1), Array]
    uri_variables: Annotated[UriVariables, Field(alias="uriVariables")] = Field(default_factory=dict)
    subscription: DataSchema | None = None
    data: DataSchema | None = None
    response: Annotated[DataSchema | None, Field(alias="dataResponse")] = None
    cancellation: DataSchema | None = None
