"""What a model needs of a device, point by point, and what the device has."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

__all__ = ["NEVER", "NOTHING", "NOT_KNOWN", "Condition", "Match", "amount", "missing_of"]

NOT_KNOWN = "not known"
# Amounts: what is not asked for is less than any device has, what is not known is more.
NOTHING, NEVER = -1, 2**62


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that a model needs, next to what a device has.

    Parameters
    ----------
    name
        `RAM`, `flash`, `clock`, `runtime`, `operators`, `input`, `licence`, or `sensor` and the property.
    need, have
        In words.
    margin
        What is left over, in `unit`; negative: what is missing. None where nothing can be counted.
    fits
        Whether the device has what is needed. What is not known never fits.
    missing
        Fraction of the need that is missing: 0 where it fits, 1 where nothing of it is there or known.
    unit
        Of the margin: `B`, `Hz`.
    known
        False where it fails only because the device, or the model, does not say.

    Examples
    --------
    >>> print(Condition("RAM", "41,312 B", "32,768 B", -8544, fits=False, missing=0.2068, unit="B"))
    RAM: needs 41,312 B, has 32,768 B, 8,544 B short
    """

    name: str
    need: str
    have: str
    margin: float | None
    fits: bool
    missing: float = 0.0
    unit: str = ""
    known: bool = True

    def __str__(self) -> str:
        text = f"{self.name}: needs {self.need}, has {self.have}"
        if self.margin is None or self.margin >= 0:
            return text
        return f"{text}, {amount(-self.margin, self.unit)} short"


@dataclass(frozen=True, slots=True)
class Match:
    """A model and a device: whether one runs on the other, and why.

    Parameters
    ----------
    model, device
        Their ids.
    conditions
        All that the model needs.

    Examples
    --------
    >>> ram = Condition("RAM", "41,312 B", "32,768 B", -8544, fits=False, missing=0.2068, unit="B")
    >>> match = Match("sha256:00", "urn:dev:7", (ram,))
    >>> match.fits, match.reasons
    (False, ('RAM: needs 41,312 B, has 32,768 B, 8,544 B short',))
    """

    model: str
    device: str
    conditions: tuple[Condition, ...]

    @property
    def fits(self) -> bool:
        """Whether every condition holds."""
        return all(one.fits for one in self.conditions)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it does not fit: each condition that fails."""
        return tuple(str(one) for one in self.conditions if not one.fits)

    def body(self) -> dict[str, Any]:
        """Return it for JSON."""
        shown = ("name", "need", "have", "margin", "unit", "fits", "known")
        return {
            "model": self.model,
            "device": self.device,
            "fits": self.fits,
            "conditions": [{name: getattr(one, name) for name in shown} for one in self.conditions],
            "reasons": list(self.reasons),
        }

    @property
    def missing(self) -> float:
        """How far it is from fitting: the fractions that are missing, added up."""
        return sum(one.missing for one in self.conditions)


@lru_cache(1 << 15)  # most devices are of few kinds
def amount(value: float, unit: str) -> str:
    """Return a number with its unit.

    Examples
    --------
    >>> amount(8544, "B"), amount(64e6, "Hz"), amount(62.5, "Hz"), amount(3, "")
    ('8,544 B', '64 MHz', '62.5 Hz', '3')
    """
    if unit == "Hz" and value >= 1e6:
        value, unit = value / 1e6, "MHz"
    elif unit == "Hz" and value >= 1e4:
        value, unit = value / 1e3, "kHz"
    text = f"{value:,.0f}" if float(value).is_integer() else f"{value:,.6g}"
    return f"{text} {unit}".rstrip()


def missing_of(need: int, have: int) -> float:
    """Return the fraction of an amount that is missing; all of it where either is not known.

    Examples
    --------
    >>> missing_of(1000, 750), missing_of(1000, NOTHING), missing_of(NOTHING, NOTHING)
    (0.25, 1.0, 0.0)
    """
    if have >= need:
        return 0.0
    return 1.0 if need == NEVER or have == NOTHING else (need - have) / need
