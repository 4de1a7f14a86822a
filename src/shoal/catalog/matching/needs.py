"""What a model needs, as far as it matters for matching."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from shoal.catalog.matching.condition import NEVER, NOTHING
from shoal.catalog.matching.operators import Operation
from shoal.catalog.matching.running import RuntimeNeed
from shoal.catalog.matching.sensing import Observation, observation
from shoal.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Collection

    from shoal.catalog.documents import Model, Need

__all__ = ["ALL", "REFERENCE_RULE", "Needs", "SensorsNeed", "needs_of"]

# What can be asked. A set of these is a rule.
ALL = frozenset({"sensors", "input", "operators", "runtime", "licence", "RAM", "flash", "clock"})
# That of the reference system: memory, and a sensor of each class, whatever its range, rate and axes.
REFERENCE_RULE = frozenset({"sensor classes", "RAM", "flash"})
KNOWN = ALL | REFERENCE_RULE


class SensorsNeed(NamedTuple):
    """What must be observed, and how many channels the input has; 0: any."""

    needs: tuple[Observation, ...] = ()
    channels: int = 0


@dataclass(frozen=True, slots=True)
class Needs:
    """What a model needs of a device.

    Parameters
    ----------
    ram, flash
        Bytes; `NOTHING` where it does not matter, `NEVER` where it is not known.
    clock
        Hz; `NOTHING` where any will do.
    licence
        None where it does not matter, empty where it is not known.
    """

    sensors: SensorsNeed = field(default_factory=SensorsNeed)
    runtime: RuntimeNeed = field(default_factory=RuntimeNeed)
    licence: str | None = None
    ram: int = NOTHING
    flash: int = NOTHING
    clock: int = NOTHING


def needs_of(model: Model, *, training: bool = False, rule: Collection[str] = ALL) -> Needs:
    """Return what a model needs to answer, or to learn, of what a rule asks.

    RAM is that of inference or of training; where the document states none, it is not known. Flash is that of
    the document, or else the size of the file. Without operators in the document, these are not known.

    Raises
    ------
    ConfigError
        Where the rule asks for what there is not.

    Examples
    --------
    >>> from shoal.catalog.documents import Model, Need
    >>> wake = Model(sha256="0" * 64, name="wake", version="1.0.0", format="tflite", size=18712,
    ...              inference=Need(bytes=7584))
    >>> needs = needs_of(wake)
    >>> needs.ram, needs.flash, needs.runtime.operators
    (7584, 18712, ())
    """
    unknown = set(rule) - KNOWN
    if unknown:
        raise ConfigError(
            f"nothing is called {', '.join(map(repr, sorted(unknown)))} in a rule",
            where="rule",
            hint=f"a set of {', '.join(sorted(KNOWN))}",
        )
    if "sensors" in rule:
        sensors = tuple(dict.fromkeys(observation(one) for one in model.input.sensors))
    elif "sensor classes" in rule:
        sensors = tuple(dict.fromkeys(Observation(one.observes) for one in model.input.sensors))
    else:
        sensors = ()
    named = "runtime" in rule
    # A licence matters where a device restricts them, which is not known here.
    return Needs(
        SensorsNeed(sensors, len(model.input.channels) if "input" in rule and sensors else 0),
        RuntimeNeed(
            model.runtime.lower() if named else "",
            model.runtime_version if named else "",
            training and named,
            operations(model) if "operators" in rule else None,
        ),
        model.licence if "licence" in rule else None,
        amount_of(model.training if training else model.inference) if "RAM" in rule else NOTHING,
        NOTHING if "flash" not in rule else model.size if model.flash is None else model.flash.bytes,
        NOTHING if model.clock_hz is None or "clock" not in rule else model.clock_hz,
    )


def operations(model: Model) -> tuple[Operation, ...]:
    """Return the operators of a model, sorted."""
    return tuple(sorted({Operation(one.name, one.version, one.dtype) for one in model.operators}))


def amount_of(need: Need | None) -> int:
    """Return the bytes, `NEVER` where they are not known."""
    return NEVER if need is None else need.bytes
