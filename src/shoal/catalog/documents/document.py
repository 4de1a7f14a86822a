"""What all documents have in common."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import ErrorDetails

from shoal.catalog.documents import limits
from shoal.errors import DocumentError

__all__ = ["Bytes", "Document", "Name", "Part", "PlaceError", "Sha256", "Text", "Time", "Version", "problems"]


MOST = 100  # problems of one document that are told


def as_utc(time: datetime) -> datetime:
    """Return a time in UTC; one without a zone is taken as UTC."""
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


# A count of bytes that every part, JSON readers in JavaScript included, holds exactly.
Bytes = Annotated[int, Field(ge=0, le=2**53)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")]
# Semantic Versioning 2.0.0: numbers without leading zeros, no part between dots empty.
NUMBER = "(0|[1-9][0-9]{0,8})"
EARLY, BUILD = "(0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)", "[0-9A-Za-z-]+"
Version = Annotated[
    str,
    StringConstraints(
        max_length=150,
        pattern=rf"^{NUMBER}\.{NUMBER}\.{NUMBER}(-{EARLY}(\.{EARLY})*)?(\+{BUILD}(\.{BUILD})*)?$",
    ),
]
Text = Annotated[str, StringConstraints(max_length=10_000)]
Time = Annotated[datetime, AfterValidator(as_utc)]


class Part(BaseModel):
    """A part of a document: cannot be changed, and a field that is not known is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, str_strip_whitespace=True)


class Document(Part):
    """A document of the catalog: what is stored, shown and exchanged.

    Attributes
    ----------
    kind
        What it is, a key of :data:`shoal.catalog.documents.KINDS`.
    """

    kind: ClassVar[str]

    @property
    def id(self) -> str:
        """Its name among the documents of its kind."""
        raise NotImplementedError

    @classmethod
    def checked(cls, body: object, where: str | None = None) -> Self:
        """Return the document that a JSON value is.

        Parameters
        ----------
        body
            As `json.loads` gives it.
        where
            The file or the request that it came from.

        Raises
        ------
        DocumentError
            If it is none: names the first field that is wrong, and holds them all.
        """
        name = f"{cls.kind} document"
        limits.check(body, name, where)
        try:
            return cls.model_validate(body)
        except ValidationError as error:
            raise DocumentError.of(name, where, problems(error)) from None

    def body(self) -> dict[str, Any]:
        """Return the document as JSON has it, without what is left at its default."""
        return self.model_dump(mode="json", exclude_defaults=True)


class PlaceError(ValueError):
    """What a check of a whole part finds wrong at a place within it."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(problem)
        self.place = place


def problems(error: ValidationError, place: str = "") -> list[tuple[str, str]]:
    """Return each field that is wrong, with what is wrong there and the value where it is short.

    Parameters
    ----------
    error
        As pydantic raises it.
    place
        Of the value that was checked, within its document.
    """
    errors = error.errors(include_url=False)
    # An array whose items are wrong is also called too short: once is enough.
    inner = {one["loc"][:i] for one in errors for i in range(len(one["loc"]))}
    left = [one for one in errors if not (one["type"] == "too_short" and one["loc"] in inner)]
    found = [
        (f"{place}.{field(one['loc'])}.{place_within(one)}".strip("."), problem(one)) for one in left[:MOST]
    ]
    if len(left) > MOST:
        found.append(("", f"and {len(left) - MOST:,} more"))
    return found


def place_within(error: ErrorDetails) -> str:
    """Return the place that a check of a whole part names."""
    cause = error.get("ctx", {}).get("error")
    return cause.place if isinstance(cause, PlaceError) else ""


def problem(error: ErrorDetails) -> str:
    """Return what is wrong, in the words of JSON."""
    text, value = error["msg"], error["input"]
    match error["type"]:
        case "missing":
            return "missing"
        case "extra_forbidden":
            return "no field of this document"
        case "value_error":
            return text.removeprefix("Value error, ")
        case "too_short" | "too_long":
            return (
                text.replace("Tuple", "array")
                .replace("Dictionary", "object")
                .replace(" after validation", "")
            )
    text = f"{text[:1].lower()}{text[1:]}".replace("tuple", "array").replace("dictionary", "object")
    text = text.partition(" or instance of")[0]
    return f"{text}, not {value!r:.100}" if isinstance(value, str | int | float | None) else text


def field(path: tuple[int | str, ...]) -> str:
    """Return the place of a value in a document.

    Examples
    --------
    >>> field(("inputs", 0, "shape"))
    'inputs[0].shape'
    """
    if path[:1] == ("securityDefinitions",):  # the third step is the kind of the scheme, not a key
        path = (*path[:2], *path[3:])
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")
