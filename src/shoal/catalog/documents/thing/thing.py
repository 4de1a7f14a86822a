"""A Thing Description."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from shoal.catalog.documents.document import PlaceError
from shoal.catalog.documents.thing import context
from shoal.catalog.documents.thing.affordance import ActionAffordance, EventAffordance, PropertyAffordance
from shoal.catalog.documents.thing.form import Link, ThingForm
from shoal.catalog.documents.thing.schema import DataSchema, UriVariables
from shoal.catalog.documents.thing.security import Combo, SecurityScheme
from shoal.catalog.documents.thing.term import Array, Iri, Many, Moment, Name, Names, Reference, Term

__all__ = ["Thing"]


class Version(Term):
    """Which version of a Thing, and of its model."""

    instance: str
    model: str | None = None


class Thing(Term):
    """A Thing Description, as far as the rules of the specification go.

    Source: Web of Things (WoT) Thing Description 1.1, W3C Recommendation 2023-12-05, section 5.
    """

    context_: Annotated[Any, Field(alias="@context"), AfterValidator(context.check)]
    id: Iri | None = None
    title: str
    version: Version | None = None
    created: Moment | None = None
    modified: Moment | None = None
    support: Reference | None = None
    base: Iri | None = None
    properties: dict[Name, PropertyAffordance] = Field(default_factory=dict)
    actions: dict[Name, ActionAffordance] = Field(default_factory=dict)
    events: dict[Name, EventAffordance] = Field(default_factory=dict)
    links: Annotated[tuple[Link, ...], Array] = ()
    forms: Annotated[tuple[ThingForm, ...], Field(min_length=1), Array] = ()
    security: Names
    definitions: Annotated[dict[Name, SecurityScheme], Field(alias="securityDefinitions", min_length=1)]
    profile: Annotated[tuple[Iri, ...], Many] = ()
    schemas: Annotated[dict[Name, DataSchema], Field(alias="schemaDefinitions")] = Field(default_factory=dict)
    uri_variables: Annotated[UriVariables, Field(alias="uriVariables")] = Field(default_factory=dict)

    @field_validator("type_", mode="after")
    @classmethod
    def _not_a_model(cls, types: tuple[str, ...]) -> tuple[str, ...]:
        if "tm:ThingModel" in types:
            raise ValueError("a Thing Model describes a kind of Thing, not one of them")
        return types

    @model_validator(mode="after")
    def _references_exist(self) -> Self:
        known = self.definitions.keys()
        for place, names in self._security():
            for name in names:
                if name not in known:
                    has = ", ".join(known)
                    raise PlaceError(place, f"{name!r} is not defined, securityDefinitions has {has:.200}")
        for place, form in self._forms():
            for response in form.additional:
                if response.schema_ is not None and response.schema_ not in self.schemas:
                    raise PlaceError(place, f"the schema {response.schema_!r} is not defined")
        return self

    def _forms(self) -> Iterator[tuple[str, Any]]:
        """Yield every form with its place."""
        for i, form in enumerate(self.forms):
            yield f"forms[{i}]", form
        groups: dict[str, dict[str, Any]] = {
            "properties": {**self.properties},
            "actions": {**self.actions},
            "events": {**self.events},
        }
        for kind, affordances in groups.items():
            for name, affordance in affordances.items():
                for i, form in enumerate(affordance.forms):
                    yield f"{kind}.{name}.forms[{i}]", form

    def _security(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield all names of security schemes with their place."""
        yield "security", self.security
        for place, form in self._forms():
            if form.security is not None:
                yield f"{place}.security", form.security
        for name, scheme in self.definitions.items():
            if isinstance(scheme, Combo):
                yield f"securityDefinitions.{name}", scheme.one_of or scheme.all_of or ()
