"""Archives of Keras and PyTorch: their layers or operators, of models that no runtime here runs too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from shoal.errors import ModelError
from shoal.nn.importers.archive import Archive, described

__all__ = ["facts"]

MOST, LONGEST = 10_000, 200
INPUTS = {"InputLayer"}


def facts(content: bytes, kind: str, where: str) -> dict[str, Any]:
    """Return the operators of a .keras or a .pt2 file: `keras:Dense`, `torch:aten.linear`.

    Raises
    ------
    ModelError
        If it is no archive, or one without a model.
    """
    try:
        archive = Archive(content)
        names = Counter(layers(archive) if kind == "keras" else operators(archive))
    except ModelError as error:
        raise ModelError(error.what, where=error.where or where, hint=error.hint) from None
    return {"operators": [{"name": name[:LONGEST], "count": count} for name, count in sorted(names.items())]}


def layers(archive: Archive) -> Iterator[str]:
    """Yield the kind of each layer, of those inside others too."""
    left = [archive.json("config.json")]
    for _ in range(MOST):
        if not left:
            return
        inner = described(left.pop(), "config", "layers")
        for layer in inner if isinstance(inner, list) else ():
            name = described(layer, "class_name")
            if isinstance(name, str) and described(layer, "config", "layers") is not None:
                left.append(layer)
            elif isinstance(name, str) and name not in INPUTS:
                yield f"keras:{name}"


def operators(archive: Archive) -> Iterator[str]:
    """Yield the operator of each node."""
    paths = [name for name in archive.names if name.endswith("models/model.json")]
    if not paths:
        raise ModelError("an archive without an exported program", hint="torch.export.save writes one")
    nodes = described(archive.json(paths[0]), "graph_module", "graph", "nodes")
    for node in (nodes if isinstance(nodes, list) else [])[:MOST]:
        target = described(node, "target")
        if isinstance(target, str) and target.startswith("torch.ops."):
            yield f"torch:{target.removeprefix('torch.ops.').removesuffix('.default')}"
