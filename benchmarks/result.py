"""What a benchmark answers: plain records that JSON holds."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Result:
    """The figures of one contender with one setting.

    ``missing`` says why there are none, and how to change that.
    """

    case: str
    contender: str
    setting: str
    values: dict[str, float] = field(default_factory=dict)
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Effort:
    """How long each figure is measured: `repeats` times at least `seconds` each."""

    repeats: int = 5
    seconds: float = 1.0
    quick: bool = False
