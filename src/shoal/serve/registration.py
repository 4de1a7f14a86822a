"""Registrations: what a directory notes about a Thing Description, and how long it keeps it.

Source: Web of Things (WoT) Discovery, W3C Recommendation 2023-12-05, section 7.3.1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from shoal.catalog.documents.thing import DISCOVERY
from shoal.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shoal.catalog.store import Record

__all__ = ["Registration", "enriched", "stamp"]

DATE_TIME = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE
)
LAST = datetime(9999, 12, 31, tzinfo=UTC).timestamp()


@dataclass(frozen=True, slots=True)
class Registration:
    """What a client says of its registration; the rest is the directory's to say.

    Parameters
    ----------
    ttl
        Seconds that it lasts from the last time that it was written.
    expires
        When it ends, in seconds since 1970. With a `ttl` it is not the client's to say.
    """

    ttl: float | None = None
    expires: float | None = None

    @classmethod
    def of(cls, said: object) -> Registration:
        """Read what a Thing Description says under `registration`.

        Raises
        ------
        DocumentError
            If it is no registration.

        Examples
        --------
        >>> Registration.of({"ttl": 60, "created": "whatever the directory knows better"})
        Registration(ttl=60, expires=None)
        """
        if said is None:
            return cls()
        if not isinstance(said, dict):
            raise wrong("registration", "not an object")
        ttl, expires = said.get("ttl"), said.get("expires")
        if ttl is not None and (
            isinstance(ttl, bool) or not isinstance(ttl, int | float) or not 0 < ttl <= LAST
        ):
            raise wrong("registration.ttl", f"{str(ttl)[:50]} is no number of seconds above 0")
        return cls(ttl, None if expires is None or ttl is not None else moment(expires))

    def end(self, now: float, longest: float | None = None) -> float | None:
        """Return when a registration that is written now expires, in seconds since 1970.

        Parameters
        ----------
        longest
            Seconds that it may last, if the directory has such a limit.

        Raises
        ------
        DocumentError
            If it would last longer.
        """
        end = self.expires if self.ttl is None else now + self.ttl
        if longest is not None and (end is None or end - now > longest):
            name = "expires" if self.ttl is None else "ttl"
            raise wrong(
                f"registration.{name}", f"this directory keeps nothing longer than {longest:g} s at once"
            )
        if end is not None and end > LAST:
            raise wrong("registration.ttl", "ends after the year 9999")
        return end

    def noted(self) -> Mapping[str, Any] | None:
        """Return what the store keeps of it beside the time of its end."""
        return None if self.ttl is None else {"ttl": self.ttl}


def wrong(field: str, problem: str) -> DocumentError:
    return DocumentError.of("Thing Description", None, [(field, problem)])


def moment(text: object) -> float:
    """Return a time of RFC 3339, with its offset from UTC, in seconds since 1970."""
    if isinstance(text, str) and DATE_TIME.fullmatch(text):
        try:
            return datetime.fromisoformat(text.upper()).timestamp()
        except (ValueError, OverflowError):
            pass
    raise wrong(
        "registration.expires", f"{str(text)[:50]!r} is no date-time with an offset, 2030-01-01T12:00:00Z"
    )


def stamp(seconds: float) -> str:
    """Return a time as RFC 3339 has it, in UTC.

    Examples
    --------
    >>> stamp(1700000000.25)
    '2023-11-14T22:13:20.250Z'
    """
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def enriched(record: Record, now: float) -> dict[str, Any]:
    """Return a Thing Description with its registration, as a directory shows it."""
    registration: dict[str, Any] = {"created": stamp(record.created), "modified": stamp(record.modified)}
    if record.expires is not None:
        registration["expires"] = stamp(record.expires)
    registration |= {**(record.registration or {}), "retrieved": stamp(now)}
    td = record.body
    return {**td, "@context": in_discovery(td["@context"]), "registration": registration}


def in_discovery(context: Any) -> list[Any]:
    """Return a context with that of the discovery terms, behind those of the specification.

    Examples
    --------
    >>> in_discovery(["https://www.w3.org/2022/wot/td/v1.1", {"@language": "de"}])[1:]
    ['https://www.w3.org/2022/wot/discovery', {'@language': 'de'}]
    """
    entries = list(context) if isinstance(context, list) else [context]
    if DISCOVERY not in entries:
        own = next((i for i, one in enumerate(entries) if not isinstance(one, str)), len(entries))
        entries.insert(own, DISCOVERY)
    return entries
