"""Terms of SSN and S3N in a Thing Description: subsystems, their sensors and their memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from shoal.catalog.documents.amount import Capacity
from shoal.catalog.vocabulary.terms import property_named
from shoal.catalog.vocabulary.units import to_bytes
from shoal.errors import DocumentError, InputError

__all__ = ["memories", "prefixes", "sensor_types", "values"]

MEMORIES = ("RAM", "Flash")


def sensor_types(td: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what the sensors among the subsystems observe, by their class.

    Examples
    --------
    >>> systems = [{"@type": "sosa_extend:Microphone"}, {"@type": "s3n:MicroController"}]
    >>> sensor_types({"ssn:hasSubSystem": systems})
    ('sound',)
    """
    context = prefixes(td)
    found = (
        property_named(context(one))
        for system in nodes(td, "hasSubSystem")
        for one in values(system.get("@type"))
        if isinstance(one, str)
    )
    return tuple(dict.fromkeys(filter(None, found)))


def memories(td: Mapping[str, Any]) -> dict[str, Capacity]:
    """Return the memory of the microcontroller, "RAM" and "Flash" where they are told.

    Raises
    ------
    DocumentError
        If an amount is none.

    Examples
    --------
    >>> ram = {"@type": "s3n_extend:RAM", "schema:value": 172, "schema:unitCode": "om:kilobyte"}
    >>> system = {"s3n:hasSystemCapability": {"ssn-system:hasSystemProperty": ram}}
    >>> memories({"ssn:hasSubSystem": system})["RAM"].total
    172000
    """
    found = {}
    for system in nodes(td, "hasSubSystem"):
        for capability in nodes(system, "hasSystemCapability"):
            for memory in nodes(capability, "hasSystemProperty"):
                for one in values(memory.get("@type")):
                    if local(str(one)) in MEMORIES:
                        found[local(str(one))] = amount(memory)
    return found


def amount(memory: Mapping[str, Any]) -> Capacity:
    """Return an amount of memory."""
    value, unit = literal(memory, "value"), literal(memory, "unitCode")
    try:
        return Capacity(total=to_bytes(float(value), str(unit)))
    except (InputError, TypeError, ValueError, OverflowError):  # a ValidationError is a ValueError
        problem = f"{value!r:.100} {unit!r:.100} is no amount of memory"
        raise DocumentError.of("device document", None, [("hasSubSystem", problem)]) from None


def nodes(node: Mapping[str, Any], term: str) -> Iterator[Mapping[str, Any]]:
    """Yield the objects that a node has under a term, whatever its prefix."""
    for key, value in node.items():
        if local(key) == term and ":" in key:
            yield from (one for one in values(value) if isinstance(one, Mapping))


def literal(node: Mapping[str, Any], term: str) -> Any:
    """Return a value that a node has under a term."""
    for key, value in node.items():
        if local(key) == term:
            one = values(value)[0] if values(value) else None
            return one.get("@value", one.get("@id")) if isinstance(one, Mapping) else one
    return None


def prefixes(td: Mapping[str, Any]) -> Callable[[str], str]:
    """Return a function that expands names by the prefixes that a context declares in place."""
    declared = {
        prefix: meaning
        for entry in values(td.get("@context"))
        if isinstance(entry, Mapping)
        for prefix, meaning in entry.items()
        if isinstance(meaning, str)
    }

    def expand(name: str) -> str:
        prefix, colon, rest = name.partition(":")
        return declared[prefix] + rest if colon and prefix in declared and not rest.startswith("//") else name

    return expand


def local(name: str) -> str:
    """Return a name without its namespace."""
    return name.replace("#", ":").replace("/", ":").rpartition(":")[2]


def values(value: Any) -> list[Any]:
    """Return one value, several or none as a list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
