"""Runtimes: which one runs a model, and whether it has the operators."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from shoal.catalog.matching.condition import NOT_KNOWN, Condition
from shoal.catalog.matching.operators import Operation, known_operators
from shoal.catalog.matching.versions import at_least

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shoal.catalog.documents import Runtime

__all__ = ["Engine", "Engines", "RuntimeNeed", "engines", "operators", "runtime"]


class Engine(NamedTuple):
    """A runtime of a device; operators are None where all are meant that its version has."""

    name: str
    version: str
    operators: tuple[Operation, ...] | None
    training: bool


# The runtimes of a device; None where nobody said.
Engines = tuple[Engine, ...] | None


class RuntimeNeed(NamedTuple):
    """What a model needs of a runtime.

    `operators` are None where they do not matter, empty where they are not known.
    """

    name: str = ""
    version: str = ""
    training: bool = False
    operators: tuple[Operation, ...] | None = None


def engines(runtimes: Iterable[Runtime] | None) -> Engines:
    """Return the runtimes of a device, sorted."""
    if runtimes is None:
        return None
    found = {
        Engine(
            one.name.lower(),
            one.version,
            None
            if one.operators is None
            else tuple(sorted({Operation(op.name, op.version, op.dtype) for op in one.operators})),
            one.training,
        )
        for one in runtimes
    }
    return tuple(sorted(found, key=repr))


def runtime(need: RuntimeNeed, given: Engines) -> Condition:
    """Return whether there is the runtime that a model needs, and whether it can learn.

    Examples
    --------
    >>> print(runtime(RuntimeNeed("shoal", "0.2.0"), (Engine("shoal", "0.1.0", None, training=True),)))
    runtime: needs shoal 0.2.0, has shoal 0.1.0
    """
    wanted = " ".join(
        filter(None, (need.name or "any", need.version, "that learns" if need.training else ""))
    )
    fits = any(serves(need, one) for one in given or ())
    have = NOT_KNOWN if given is None else ", ".join(map(title, given)) or "none"
    return Condition(
        "runtime", wanted, have, None, fits=fits, missing=0.0 if fits else 1.0, known=given is not None
    )


def operators(need: RuntimeNeed, given: Engines) -> Condition:
    """Return whether one runtime has all operators: one that serves, where there is such a one.

    A runtime without a list has those of its version. They are known of Shoal's own. Of another they are not
    known; it passes only where the model itself names it: whoever wrote that, and from which version on, has
    said that it runs the model.

    Examples
    --------
    >>> asked = Operation("CONV_2D", 3, "int8"), Operation("TRANSPOSE_CONV", 3, "int8")
    >>> need = RuntimeNeed(operators=asked)
    >>> print(operators(need, (Engine("shoal", "", None, training=True),)))
    operators: needs CONV_2D, TRANSPOSE_CONV, has all but TRANSPOSE_CONV (version 3, int8) in shoal
    >>> named = need._replace(name="tflite-micro")
    >>> operators(named, (Engine("tflite-micro", "", None, training=False),)).fits
    True
    """
    asked = need.operators or ()
    wanted = ", ".join(sorted({one.name for one in asked})) or NOT_KNOWN
    if not asked or given is None:
        have = NOT_KNOWN if given is None else ", ".join(map(title, given)) or "none"
        return Condition("operators", wanted, have, None, fits=False, missing=1.0, known=False)
    candidates = [one for one in given if serves(need, one)] or given
    lacks = [(lacking(need, one), one) for one in candidates]
    lack, best = min(lacks, key=lambda pair: (len(pair[0]), repr(pair[1])), default=(asked, None))
    if best is None:
        return Condition("operators", wanted, "none", None, fits=False, missing=1.0)
    if not lack:
        return Condition("operators", wanted, f"all in {title(best)}", None, fits=True)
    have = f"all but {', '.join(map(str, lack))} in {title(best)}"
    known = best.operators is not None or known_operators(best.name, best.version) is not None
    if not known:
        have = f"{title(best)}, whose operators are {NOT_KNOWN}"
    missing = len(lack) / len(asked)
    return Condition("operators", wanted, have, None, fits=False, missing=missing, known=known)


def lacking(need: RuntimeNeed, engine: Engine) -> tuple[Operation, ...]:
    """Return the operators that a runtime does not have."""
    asked = need.operators or ()
    if engine.operators is None:
        known = known_operators(engine.name, engine.version)
        if known is None:
            return () if need.name and serves(need, engine) else asked
        highest = (max(known.get((one.name, dtype), 0) for dtype in (one.dtype, "*")) for one in asked)
        return tuple(one for one, version in zip(asked, highest, strict=True) if version < one.version)
    return tuple(one for one in asked if not any(runs(has, one) for has in engine.operators))


def runs(has: Operation, asked: Operation) -> bool:
    """Whether an operator of a runtime is the one that is asked for."""
    return has.name == asked.name and has.version >= asked.version and has.dtype in ("*", asked.dtype)


def serves(need: RuntimeNeed, engine: Engine) -> bool:
    """Whether a runtime is the one that is needed, new enough, and learns where that is needed."""
    if need.name and need.name != engine.name:
        return False
    if need.version and not at_least(engine.version, need.version):
        return False
    return engine.training or not need.training


def title(engine: Engine) -> str:
    """Return name and version."""
    return f"{engine.name} {engine.version}".rstrip()
