"""Security schemes."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, StringConstraints, Tag, model_validator

from shoal.catalog.documents.thing.term import Array, Many, Name, Reference, Term

__all__ = ["SecurityScheme"]

Place = Literal["header", "query", "body", "cookie", "auto"]
References = Annotated[tuple[Name, ...], Field(min_length=2), Array]


class Scheme(Term):
    """What all security schemes have in common."""

    proxy: Reference | None = None


class Other(Scheme):
    """One that says nothing more, or of another vocabulary, with a prefix."""

    scheme: Annotated[str, StringConstraints(pattern=r"^(nosec|auto|[^:]+:.+)$")]


class Named(Scheme):
    """One with a place in the request."""

    in_: Annotated[Place, Field(alias="in")] = "header"
    name: str | None = None


class Combo(Scheme):
    """All of several schemes, or one of them."""

    scheme: Literal["combo"]
    one_of: Annotated[References | None, Field(alias="oneOf")] = None
    all_of: Annotated[References | None, Field(alias="allOf")] = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.one_of is None) == (self.all_of is None):
            raise ValueError("a combo has oneOf or allOf, not both")
        return self


class Basic(Named):
    """User and password."""

    scheme: Literal["basic"]


class Digest(Named):
    """As Basic, with a digest."""

    scheme: Literal["digest"]
    qop: Literal["auth", "auth-int"] = "auth"


class ApiKey(Scheme):
    """A key in a header, the URI, ..."""

    scheme: Literal["apikey"]
    in_: Annotated[Literal["header", "query", "body", "cookie", "uri", "auto"], Field(alias="in")] = "query"
    name: str | None = None


class Bearer(Named):
    """A token."""

    scheme: Literal["bearer"]
    authorization: Reference | None = None
    alg: str = "ES256"
    format: str = "jwt"


class Psk(Scheme):
    """A key that both sides know."""

    scheme: Literal["psk"]
    identity: str | None = None


class OAuth2(Scheme):
    """OAuth 2.0."""

    scheme: Literal["oauth2"]
    authorization: Reference | None = None
    token: Reference | None = None
    refresh: Reference | None = None
    scopes: Annotated[tuple[str, ...], Many] = ()
    flow: str


KINDS = {
    "combo": Combo,
    "basic": Basic,
    "digest": Digest,
    "apikey": ApiKey,
    "bearer": Bearer,
    "psk": Psk,
    "oauth2": OAuth2,
}
PLAIN = {"nosec", "auto"}


def kind(value: Any) -> str | None:
    """Return which scheme a value is; those of other vocabularies have a prefix."""
    name = value.get("scheme") if isinstance(value, dict) else getattr(value, "scheme", None)
    if not isinstance(name, str):
        return None
    return name if name in KINDS else "other" if name in PLAIN or ":" in name else None


SecurityScheme = Annotated[
    Annotated[Combo, Tag("combo")]
    | Annotated[Basic, Tag("basic")]
    | Annotated[Digest, Tag("digest")]
    | Annotated[ApiKey, Tag("apikey")]
    | Annotated[Bearer, Tag("bearer")]
    | Annotated[Psk, Tag("psk")]
    | Annotated[OAuth2, Tag("oauth2")]
    | Annotated[Other, Tag("other")],
    Discriminator(
        kind,
        custom_error_type="scheme",
        custom_error_message="its scheme is one of nosec, auto, combo, basic, digest, apikey, bearer, psk, "
        "oauth2, or a prefixed one",
    ),
]
