"""Which part of a layer learns: all, nothing, the bias, or some output channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias

from shoal.errors import ConfigError

__all__ = ["Mask", "Trainable", "as_mask"]

LARGEST = 0xFFFF
Trainable: TypeAlias = bool | Literal["bias"] | slice | Sequence[int]


class Mask(NamedTuple):
    """What learns: weights, bias, and the (first, count) runs of output channels; no runs: all of them."""

    weights: bool
    bias: bool
    runs: tuple[tuple[int, int], ...] = ()


def as_mask(trainable: Trainable, channels: int, *, bias: bool) -> Mask:
    """Read a layer's ``trainable``.

    Parameters
    ----------
    trainable
        As given to the layer.
    channels
        Output channels of the layer.
    bias
        Whether the layer has one.

    Examples
    --------
    >>> as_mask([0, 1, 5], 8, bias=True)
    Mask(weights=True, bias=True, runs=((0, 2), (5, 1)))
    """
    if isinstance(trainable, bool):
        return Mask(trainable, trainable and bias)
    if isinstance(trainable, str):
        if trainable != "bias":
            raise ConfigError(f"unknown trainable {trainable!r}", hint="True | False | 'bias' | [0, 1, 2]")
        if not bias:
            raise ConfigError("trainable='bias' on a layer without bias", hint="bias=True")
        return Mask(weights=False, bias=True)
    if channels > LARGEST:
        raise ConfigError(f"single channels of {channels:,}; at most {LARGEST:,}", hint="trainable=True")
    chosen = as_channels(trainable, channels)
    if len(chosen) == channels:
        return Mask(weights=True, bias=bias)
    if not chosen:
        return Mask(weights=False, bias=False)
    runs: list[tuple[int, int]] = []
    for channel in chosen:
        if runs and sum(runs[-1]) == channel:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((channel, 1))
    return Mask(weights=True, bias=bias, runs=tuple(runs))


def as_channels(trainable: slice | Sequence[int], channels: int) -> list[int]:
    """Return the chosen channels, ascending."""
    if isinstance(trainable, slice):
        try:
            return sorted(range(*trainable.indices(channels)))
        except (TypeError, ValueError):
            raise ConfigError(f"trainable {trainable!r} is no slice of channels") from None
    try:
        given = list(trainable)
    except TypeError:
        raise ConfigError(
            f"unknown trainable {trainable!r}", hint="True | False | 'bias' | [0, 1, 2]"
        ) from None
    for channel in given:
        if isinstance(channel, bool) or not hasattr(channel, "__index__") or not 0 <= channel < channels:
            raise ConfigError(f"trainable names channel {channel!r}, the layer has 0 to {channels - 1}")
    chosen = sorted({int(channel) for channel in given})
    if len(chosen) != len(given):
        raise ConfigError("trainable names a channel twice")
    return chosen
