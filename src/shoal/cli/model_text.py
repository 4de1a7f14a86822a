"""A model of the catalog in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.cli import console
from shoal.cli.hardware import need_text

if TYPE_CHECKING:
    from shoal.catalog.documents import Model, Need, Operator, Tensor

__all__ = ["amount", "show"]


def show(shown: Model) -> None:
    """Write the tables of a model."""
    rows = [
        ("id", shown.id[:19]),
        ("format", f"{shown.format}, {shown.size:,} B"),
        ("task", shown.task),
        ("licence", shown.licence),
        ("creator", shown.creator),
        ("sensors", "; ".join(map(need_text, shown.input.sensors))),
        *((f"input {i}", tensor_text(one)) for i, one in enumerate(shown.inputs)),
        *((f"output {i}", tensor_text(one)) for i, one in enumerate(shown.outputs)),
        ("operators", ", ".join(map(operator_text, shown.operators))),
        ("multiply-accumulates", "" if shown.macs is None else f"{shown.macs:,}"),
        ("parameters", "" if shown.parameters is None else f"{shown.parameters:,}"),
        ("RAM to answer", memory_text(shown.inference)),
        ("RAM to learn", memory_text(shown.training, shown.train_last)),
        ("flash", memory_text(shown.flash)),
        *((one.name, f"{one.value:g}") for one in shown.metrics),
        ("description", shown.description),
    ]
    title = f"{shown.name} {shown.version}"
    console.table(title, ("", ""), [row for row in rows if row[1]], left=(0, 1))


def amount(need: Need | None) -> str:
    """Return bytes, nothing where they are not known."""
    return "" if need is None else f"{need.bytes:,}"


def memory_text(need: Need | None, last: int | None = None) -> str:
    """Return an amount of memory with its parts and how it is known."""
    if need is None:
        return ""
    parts = ", ".join(f"{name} {count:,}" for name, count in need.parts.items())
    learns = f", the last {f'{last} layers' if last > 1 else 'layer'}" if last else ""
    return f"{need.bytes:,} B {need.provenance}{learns}{f' ({parts})' if len(need.parts) > 1 else ''}"


def tensor_text(tensor: Tensor) -> str:
    """Return a tensor in words."""
    text = f"{tensor.name} {tensor.dtype} {' x '.join(map(str, tensor.shape)) or 'scalar'}".strip()
    q = tensor.quantization
    if q is not None and len(q.scale) == 1:
        text += f", scale {q.scale[0]:g}, zero point {q.zero_point[0]}"
    return text + (f": {', '.join(tensor.labels)}" if tensor.labels else "")


def operator_text(operator: Operator) -> str:
    """Return an operator in words."""
    count = f" × {operator.count}" if operator.count > 1 else ""
    return f"{operator.name} v{operator.version} {operator.dtype}{count}"
