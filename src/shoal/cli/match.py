"""`shoal match`: which model runs on which device, and why not."""

from __future__ import annotations

import re
import shlex
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from cyclopts import Parameter
from rich.text import Text

from shoal.cli import console, coverage
from shoal.cli.catalogs import CatalogOption, Count, opened, title_of, with_catalog
from shoal.cli.console import FormatOption
from shoal.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shoal.catalog import Catalog
    from shoal.catalog.matching import Condition, Match, Matches
    from shoal.catalog.unsure import Unsure

__all__ = ["match"]

Rule: TypeAlias = Literal["all", "reference"]
UNITS = {
    "": 1, "B": 1, "kB": 1000, "KiB": 1024, "MB": 1_000_000, "MiB": 1024**2, "GB": 10**9, "GiB": 1024**3
}  # fmt: skip


def match(
    model: str = "",
    /,
    *,
    device: str = "",
    training: Annotated[bool, Parameter(negative=())] = False,
    near: Count = 5,
    limit: Count = 20,
    smaller: str = "",
    rule: Rule = "all",
    catalog: CatalogOption = None,
    output_format: FormatOption = "table",
) -> int:
    """Match models with devices: sensors, operators, RAM, flash, clock, runtime, input and licence.

    With a model, the devices that it runs on. With a device, the models that it runs. With both, every
    condition of the two. With neither, how much of the fleet each model covers. Exit code 0 where something
    matches, 1 otherwise.

    Parameters
    ----------
    model
        NAME (its newest version), NAME:VERSION, NAME@ALIAS, or the beginning of its SHA-256.
    device
        Id or title of a device.
    training
        The model shall learn there, not only answer.
    near
        So many that fail one condition only are shown, with the reason.
    limit
        So many that match are shown.
    smaller
        With a model: how many more devices it fits if it needs so much less RAM, for instance 12kB.
    rule
        all, or reference for what the reference system asks of a model: sensors, RAM and flash alone.
    """
    from shoal.catalog.matching import REFERENCE_RULE

    if rule != "all" and (smaller or (device and not model)):
        raise ConfigError(
            "--rule is asked of a model or of the whole fleet, without --smaller",
            where="--rule",
            hint="shoal match MODEL --rule reference",
        )
    if smaller and not model:
        raise ConfigError(
            "--smaller is asked of a model", where="--smaller", hint="shoal match MODEL --smaller 12kB"
        )
    asked = None if rule == "all" else REFERENCE_RULE
    said = f"{' --training' if training else ''}{'' if asked is None else f' --rule {rule}'}"
    follow = with_catalog(said, catalog)
    with opened(catalog) as found:
        if not model and not device:
            covered = found.coverage(training=training, devices=True, rule=asked)
            return coverage.show(covered, found, output_format, follow)
        chosen = found.model(model).id if model else None
        where = found.device(device).id if device else None
        saving = bytes_of(smaller) if smaller else 0
        answer = found.match(chosen, where, training=training, limit=limit, near=near, rule=asked)
        doubt = found.unsure(chosen, training=training, rule=asked) if chosen and not where else None
        change = found.what_if(chosen, ram=-saving, training=training) if saving and chosen else None
        titles = titles_of(found, answer)
    if output_format == "json":
        result = as_json(answer, titles)
        result |= {} if change is None else {"smaller": {"ram": saving, "more": change.more}}
        console.json_result(result | ({} if doubt is None else {"not_known": asdict(doubt)}))
    elif chosen and where:
        one = (*answer.matches, *answer.near)[0]
        show_pair(one, titles)
    else:
        show(answer, titles, model or device, follow, by_device=not model)
        if change is not None:
            console.text(f"{change} if it needs {saving:,} B less RAM")
        if doubt is not None and doubt.count:
            show_doubt(doubt, with_catalog(f"shoal device show {shlex.quote(doubt.device)}", catalog))
    return 0 if answer.count else 1


def bytes_of(text: str) -> int:
    """Return an amount of memory.

    Examples
    --------
    >>> bytes_of("12kB"), bytes_of("4 KiB"), bytes_of("900"), bytes_of("1.5GB")
    (12000, 4096, 900, 1500000000)
    """
    found = re.fullmatch(r"([\d_,.]+)\s*([A-Za-z]*)", text.strip())
    try:
        if found is None or found[2] not in UNITS:
            raise ValueError
        return round(float(found[1].replace(",", "").replace("_", "")) * UNITS[found[2]])
    except (ValueError, OverflowError):
        raise ConfigError(
            f"{text!r:.100} is no amount of memory", where="--smaller", hint="900, 12kB, 4KiB, 1MB, 2GiB"
        ) from None


def titles_of(catalog: Catalog, answer: Matches) -> dict[str, str]:
    """Return the names of the models and devices of an answer."""
    found = (*answer.matches, *answer.near)
    models = {one.model: title_of(catalog, "model", one.model) for one in found}
    return models | {one.device: title_of(catalog, "device", one.device) for one in found}


def show(answer: Matches, titles: Mapping[str, str], of: str, follow: str, *, by_device: bool) -> None:
    """Write what matches, and what nearly does; `follow` are the options of the next command."""
    what = "model" if by_device else "device"
    title = f"{of}: {console.counted(answer.count, what)} {'fits' if answer.count == 1 else 'fit'}"
    rows = [(*named(one, titles, by_device=by_device), *margins(one)) for one in answer.matches]
    if rows:
        console.table(title, (what, "id", "RAM left", "flash left"), rows, left=(0, 1))
    else:
        console.text(title, "bold")
    if answer.count > len(answer.matches):
        console.note(f"{answer.count - len(answer.matches):,} more: --limit {answer.count}")
    if answer.near:
        misses = [
            (*named(one, titles, by_device=by_device), Text(one.reasons[0], style="yellow"))
            for one in answer.near
        ]
        console.table("nearly", (what, "id", "why not"), misses, left=(0, 1, 2))
    if answer.matches or answer.near:
        first = (*answer.matches, *answer.near)[0]
        chosen = titles[first.model] if by_device else shlex.quote(of)
        console.next_command(f"shoal match {chosen} --device {shlex.quote(first.device)}{follow}")
    else:
        other = f"MODEL --device {shlex.quote(of)}" if by_device else f"{shlex.quote(of)} --device DEVICE"
        console.next_command(f"shoal match {other}{follow}")


def show_doubt(doubt: Unsure, command: str) -> None:
    """Write how many devices would fit but for what nobody said of them, and the command that shows more."""
    who = "1 device" if doubt.count == 1 else f"{doubt.count:,} devices"
    unknown = ", ".join(doubt.unknown)
    console.note(f"{who} would fit but for what is not known, {doubt.device} for its {unknown}", "yellow")
    console.note(f"state it in shoal:hardware; what is known: {command}")


def named(one: Match, titles: Mapping[str, str], *, by_device: bool) -> tuple[str, str]:
    """Return name and id of the other side of a match."""
    key = one.model if by_device else one.device
    return titles[key], key[:19] if by_device else key


def margins(one: Match) -> tuple[str, str]:
    """Return what is left of RAM and flash."""
    left = {part.name: part.margin for part in one.conditions}
    amounts = (left.get("RAM"), left.get("flash"))
    ram, flash = ("" if margin is None else f"{margin:,.0f}" for margin in amounts)
    return ram, flash


def show_pair(one: Match, titles: Mapping[str, str]) -> None:
    """Write every condition of a model on a device."""
    rows = [
        (
            sign(part),
            part.name,
            part.need,
            Text(part.have, style="" if part.fits else sign(part).style),
            margin(part),
        )
        for part in one.conditions
    ]
    console.table(
        f"{titles[one.model]} on {titles[one.device]}",
        ("", "", "needs", "has", "left"),
        rows,
        left=(0, 1, 2, 3),
    )
    console.text(*verdict(one))


def verdict(one: Match) -> tuple[str, str]:
    """Return whether a model fits a device, and the style that says so."""
    if one.fits:
        return "it fits", "green"
    if not any(part.known for part in one.conditions if not part.fits):
        return "not known: nothing fails, but something is not said", "yellow"
    return "it does not fit", "bold red"


def sign(part: Condition) -> Text:
    """Return whether a condition holds; a question mark where nobody said."""
    if part.fits:
        return Text("✓", style="green")
    return Text("✗", style="bold red") if part.known else Text("?", style="yellow")


def margin(part: Condition) -> str:
    """Return what is left over, or missing."""
    return "" if part.margin is None else f"{part.margin:+,.0f} {part.unit}"


def as_json(answer: Matches, titles: Mapping[str, str]) -> dict[str, Any]:
    """Return an answer for programs."""
    return {
        "count": answer.count,
        "matches": [one_as_json(one, titles) for one in answer.matches],
        "near": [one_as_json(one, titles) for one in answer.near],
    }


def one_as_json(one: Match, titles: Mapping[str, str]) -> dict[str, Any]:
    """Return a match for programs, with the names that people gave."""
    return {
        **one.body(),
        "model_title": titles[one.model],
        "device_title": titles[one.device],
    }
