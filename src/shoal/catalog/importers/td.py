"""Thing Descriptions in JSON-LD, version 1.1 or 1.0: one, or an array of them."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from shoal.catalog.documents import Device
from shoal.catalog.documents.limits import LARGEST, parse
from shoal.catalog.importers import text
from shoal.catalog.importers.imported import Defect, Imported
from shoal.catalog.importers.keys import twice
from shoal.catalog.vocabulary import PREFIXES
from shoal.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["load"]

NAME = "Thing Description"


def load(path: Path) -> Imported:
    """Import the Thing Descriptions of a file, as they are but for known defects, each of which is reported.

    A second `@type` in one object joins the first; the prefix of a known namespace gets its last character;
    an empty list of forms at the top is left out.

    Raises
    ------
    DocumentError
        If one breaks a rule of the specification: with the field. Nothing is imported then.
    StorageError
        If the file cannot be read.
    """
    # A file of many may be larger than one description, each of which has the limit of its own.
    original = content = text.read(path)
    defects: list[Defect] = []

    def report(line: int, problem: str, fix: str) -> None:
        defects.append(Defect(path.name, line, problem, fix))

    doubled = twice(content)
    for key, line in doubled:
        if key != "@type":
            raise DocumentError.of(NAME, f"{path}:{line}", [(key, "occurs twice in one object")])
        report(line, "@type occurs twice in one object", "both types are taken")
    if doubled:
        content = merged(content, str(path))
    reading = many if len(content) > LARGEST else partial(parse, name=NAME)
    value = reading(content, where=str(path))
    things = value if isinstance(value, list) else [value]
    devices = []
    for number, thing in enumerate(things):
        where = f"{path}, number {number + 1}" if isinstance(value, list) else str(path)
        if isinstance(thing, dict):
            _mend(thing, original, report)
        devices.append(Device.checked(thing, where))
    return Imported(tuple(devices), tuple(sorted(defects)))


def merged(content: str, where: str) -> str:
    """Return JSON whose objects have one `@type` each."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        types = [one for key, one in pairs if key == "@type"]
        if len(types) > 1:
            value["@type"] = [name for one in types for name in (one if isinstance(one, list) else [one])]
        return value

    try:
        return json.dumps(json.loads(content, object_pairs_hook=once), ensure_ascii=False)
    except (ValueError, RecursionError) as error:
        raise DocumentError.of(NAME, where, [("", f"not JSON: {error}")]) from None


def many(content: str, where: str) -> object:
    """Return a large array of JSON; what is within is checked one by one."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DocumentError.of(NAME, where, [("", f"not JSON: {error}")]) from None
    if not isinstance(value, list):
        raise DocumentError.of(NAME, where, [("", f"{len(content):,} characters, more than {LARGEST:,}")])
    return value


def _mend(thing: dict[str, Any], content: str, report: Callable[[int, str, str], None]) -> None:
    """Mend known defects."""
    contexts = thing.get("@context")
    several = contexts if isinstance(contexts, list) else [contexts]
    for context in (one for one in several if isinstance(one, dict)):
        for prefix, namespace in context.items():
            whole = next((one for one in PREFIXES.values() if one[:-1] == namespace), None)
            if whole is not None:
                line = content.count("\n", 0, max(content.find(f'"{namespace}"'), 0)) + 1
                report(line, f"{prefix}: <{namespace}> lacks its last character", f"taken as <{whole}>")
                context[prefix] = whole
    if thing.get("forms") == []:
        line = content.count("\n", 0, max(content.rfind('"forms"'), 0)) + 1
        report(line, "forms: an empty list", "left out")
        del thing["forms"]
