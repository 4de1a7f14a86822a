"""What models need and devices have, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shoal.cli import console

if TYPE_CHECKING:
    from shoal.catalog.documents import Hardware

__all__ = ["COLUMNS", "need_text", "row", "show"]

COLUMNS = ("board", "RAM", "flash", "observes")


def row(hardware: Hardware) -> tuple[str, str, str, str]:
    """Return the columns of a device or a board."""
    observes = sorted({sensor.observes for sensor in hardware.sensors or ()})
    memory = ["" if one is None else f"{one.free:,}" for one in (hardware.ram, hardware.flash)]
    return hardware.board or "", memory[0], memory[1], ", ".join(observes)


def show(title: str, name: str, hardware: Hardware) -> None:
    """Write the table of a device or a board."""
    memory = [
        (name, f"{one.free:,} B free of {one.total:,}" if one.reserved else f"{one.total:,} B")
        for name, one in (("RAM", hardware.ram), ("flash", hardware.flash))
        if one is not None
    ]
    runtimes = [
        " ".join(filter(None, (one.name, one.version, "(learns)" if one.training else "")))
        for one in hardware.runtimes or ()
    ]
    rows: list[tuple[str, Any]] = [
        ("id", name),
        ("board", hardware.board or ""),
        ("core", hardware.core or ""),
        ("clock", f"{hardware.clock_hz / 1e6:g} MHz" if hardware.clock_hz else ""),
        *memory,
        *((f"sensor {sensor.part}".strip(), need_text(sensor)) for sensor in hardware.sensors or ()),
        ("runtimes", ", ".join(runtimes)),
        ("licences", ", ".join(hardware.licences or ())),
    ]
    console.table(title or name, ("", ""), [one for one in rows if one[1]], left=(0, 1))


def need_text(need: Any) -> str:
    """Return what must be or can be observed in words.

    Examples
    --------
    >>> from shoal.catalog.documents import SensorNeed
    >>> need_text(SensorNeed(observes="acceleration", low=-4, high=4, unit="G", rate_hz=119, axes=3))
    'acceleration, -4..4 g, 119 Hz, 3 axes'
    """
    from shoal.catalog.vocabulary import PROPERTIES, UNITS

    parts = [need.observes]
    if need.low is not None:
        unit = need.unit or (PROPERTIES[need.observes].unit if need.observes in PROPERTIES else "")
        symbol = UNITS[unit].symbol if unit in UNITS else unit
        parts.append(f"{need.low:g}..{need.high:g} {symbol}".strip())
    if need.rate_hz is not None:
        parts.append(f"{need.rate_hz:,.6g} Hz")
    if need.axes is not None:
        parts.append(f"{need.axes} axes" if need.axes > 1 else "1 axis")
    return ", ".join(parts)
