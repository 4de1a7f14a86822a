"""What a model needs of a device, from the plan of Shoal's runtime."""

from __future__ import annotations

import math
import os
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal import nn
from shoal.errors import ConfigError, DocumentError, InputError, ModelError
from shoal.learn.footprint import footprint
from shoal.nn.loader import imported, natural_loss

if TYPE_CHECKING:
    from shoal.nn import Network, Plan

__all__ = ["network_facts"]

METHOD = f"plan of Shoal {version('shoal')} on a 32-bit core"
CORE = "cortex-m4f"  # any 32-bit core: they differ by nothing


def network_facts(
    path: str | os.PathLike[str], kind: str, train_last: int | None
) -> tuple[dict[str, Any], list[str]]:
    """Return what Shoal's runtime needs for a model, and notes on what is not known.

    Parameters
    ----------
    path
        Of the file.
    kind
        Its format.
    train_last
        How many of the last layers with parameters learn; None: those that the file says, or one.

    Returns
    -------
    Fields of the document, fewer where the runtime does not run the model, and why.

    Raises
    ------
    DocumentError
        If `train_last` is more than there are.
    StateError
        If it is a damaged file of Shoal.
    MissingExtraError
        If a package that reads the file is not installed.
    """
    if kind == "other":
        return {}, ["operators and memory are not known: the format is none that Shoal reads"]
    try:
        network = load(path, kind)
    except (ModelError, ConfigError, InputError) as error:
        return {}, [f"memory is not known: {error.what}{f' ({error.where})' if error.where else ''}"]
    notes: list[str] = []
    facts: dict[str, Any] = {
        "inputs": [tensor("input", network.input_shape, network.input_quantization)],
        "outputs": [tensor("output", network.output_shape, network.output_quantization)],
        "operators": layers(network),
        "macs": sum(step.layer.macs(step.input_shape, step.output_shape) for step in network.trace.steps),
        "parameters": sum(
            math.prod(spec.shape)
            for step in network.trace.steps
            for part, spec in step.arrays.items()
            if part != "scales"
        ),
    }
    try:
        plan = network.plan(None)
        facts["inference"] = need(plan)
        facts["flash"] = {"bytes": plan.image_size, "method": METHOD, "parts": {"image": plan.image_size}}
    except (ConfigError, InputError) as error:
        return facts, [f"memory is not known: {error.what}"]
    try:
        facts |= training(network, kind, train_last)
    except (ConfigError, InputError) as error:
        notes.append(f"memory to learn is not known: {error.what}")
    return facts, notes


def load(path: str | os.PathLike[str], kind: str) -> Network:
    """Return the network of a file; without a loss where another framework wrote it."""
    network = None if kind == "shoal" else imported(path, Path(path).read_bytes()[:8])
    return nn.load(path) if network is None else network


def training(network: Network, kind: str, last: int | None) -> dict[str, Any]:
    """Return RAM to learn on the device by plain gradient steps, and how many layers do."""
    layers = [step.name for step in network.trace.steps if step.mask is not None]
    if last is None and kind == "shoal":
        if not (network.learns and network.trainable):
            return {}
        learning = {name.rpartition(".")[0] for name in network.trainable}
        first = min(layers.index(name) for name in learning)
        contiguous = set(layers[first:]) == learning
        return {"training": need(network.plan("sgd"))} | ({"train_last": len(learning)} if contiguous else {})
    if not layers:
        return {}
    last = 1 if last is None else last
    if not 1 <= last <= len(layers):
        problem = f"{last} layers, the model has {len(layers)} that can learn"
        raise DocumentError.of("model document", None, [("train_last", problem)])
    tail = network.train_last(last)
    if tail.loss is None:
        tail = tail.with_loss(natural_loss(tail))
    return {"training": need(tail.plan("sgd")), "train_last": last}


def need(plan: Plan) -> dict[str, Any]:
    """Return the RAM of a plan."""
    found = footprint(plan, CORE)
    parts = {name: count for name, count in found.parts.items() if count}
    return {"bytes": found.ram, "method": METHOD, "parts": parts}


def tensor(name: str, shape: tuple[int, ...], quantization: Any) -> dict[str, Any]:
    """Return an input or an output."""
    if quantization is None:
        return {"name": name, "dtype": "float32", "shape": shape}
    scale = {"scale": [quantization.scale], "zero_point": [quantization.zero_point]}
    return {"name": name, "dtype": quantization.dtype, "shape": shape, "quantization": scale}


def layers(network: Network) -> list[dict[str, Any]]:
    """Return the layers as operators of Shoal's own."""
    counts: dict[tuple[str, str], int] = {}
    for step in network.trace.steps:
        q = step.output.quantization
        key = f"shoal:{type(step.layer).__name__}", "float32" if q is None else q.dtype
        counts[key] = counts.get(key, 0) + 1
    return [{"name": name, "dtype": dtype, "count": count} for (name, dtype), count in sorted(counts.items())]
