"""Model cards as Hugging Face has them: metadata in YAML, then text."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shoal.catalog.documents import Model, Need, Tensor

__all__ = ["card"]

LIBRARIES = {"tflite": "tflite", "onnx": "onnx", "keras": "keras", "torch": "pytorch", "shoal": "shoal"}
# By task and observed property; "" where any may be observed.
PIPELINES = {
    ("classification", "sound"): "audio-classification",
    ("classification", "speech"): "audio-classification",
    ("classification", "image"): "image-classification",
    ("object-detection", ""): "object-detection",
    ("feature-extraction", ""): "feature-extraction",
}
HUB_NAME = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}", re.ASCII)


def card(model: Model) -> str:
    """Return the model card of a model.

    Examples
    --------
    >>> from shoal.catalog.documents import Model
    >>> model = Model(sha256="0" * 64, name="wake", version="1.0.0", format="tflite", size=9, licence="MIT")
    >>> print(*card(model).splitlines()[:3], sep=chr(10))
    ---
    license: "mit"
    library_name: "tflite"
    """
    return "\n".join(["---", *yaml(metadata(model)), "---", "", *body(model)]) + "\n"


def metadata(model: Model) -> dict[str, Any]:
    """Return the metadata of the card."""
    observed = [need.observes for need in model.input.sensors]
    pipeline = next(
        (PIPELINES[model.task, one] for one in (*observed, "") if (model.task, one) in PIPELINES), ""
    )
    found: dict[str, Any] = {
        "license": model.licence.lower(),
        "library_name": LIBRARIES.get(model.format, ""),
        "pipeline_tag": pipeline,
        "tags": list(dict.fromkeys(["tinyml", model.format, *model.tags])),
        "datasets": [model.dataset] if HUB_NAME.fullmatch(model.dataset) else [],
        "metrics": list(dict.fromkeys(metric.name for metric in model.metrics)),
    }
    results = [
        {
            "task": {"type": pipeline or model.task or "other"},
            "dataset": {
                "name": metric.dataset or model.dataset or "not stated",
                "type": metric.dataset or model.dataset or "not-stated",
            },
            "metrics": [{"type": metric.name, "value": metric.value}],
        }
        for metric in model.metrics
    ]
    found["model-index"] = [{"name": model.name, "results": results}] if results else []
    return {key: value for key, value in found.items() if value}


def yaml(value: Any, indent: str = "") -> Iterator[str]:
    """Yield the lines of a value in YAML; texts are quoted as in JSON, which YAML reads."""
    if isinstance(value, dict):
        for key, one in value.items():
            if isinstance(one, (dict, list)):
                yield f"{indent}{key}:"
                yield from yaml(one, indent + "  ")
            else:
                yield f"{indent}{key}: {scalar(one)}"
    else:
        for one in value:
            if isinstance(one, dict):
                first, *others = yaml(one, indent + "  ")
                yield f"{indent}- {first.strip()}"
                yield from others
            else:
                yield f"{indent}- {scalar(one)}"


def scalar(value: object) -> str:
    """Return a text or a number."""
    text = json.dumps(value, ensure_ascii=False)
    return re.sub(r"[\x7f-\x9f\u2028\u2029\ufeff]", lambda sign: f"\\u{ord(sign[0]):04x}", text)


def body(model: Model) -> Iterator[str]:
    """Yield the lines of the text."""
    yield f"# {plain(model.title or model.name)}"
    yield ""
    yield plain(model.description) or f"Version {model.version}."
    yield ""
    yield from table("About", about(model))
    yield from table("Input and output", tensors(model))
    needs = {"RAM to answer": model.inference, "RAM to learn": model.training, "Flash": model.flash}
    yield from table(
        "What it needs", {name: amount(need) for name, need in needs.items() if need is not None}
    )
    yield from table("Figures", {metric.name: f"{metric.value:g}" for metric in model.metrics})
    if model.operators:
        counts = [f"{one.name} ({one.dtype}, version {one.version}): {one.count}" for one in model.operators]
        yield from ["## Operators", "", *(f"- {plain(line)}" for line in counts), ""]


def about(model: Model) -> dict[str, str]:
    """Return what it is and where it comes from."""
    return {
        "Version": model.version,
        "File": f"{model.format}, {model.size:,} bytes",
        "SHA-256": f"`{model.sha256}`",
        "Task": plain(model.task),
        "Creator": plain(model.creator),
        "Licence": plain(model.licence) or "not stated",
        "Created": "" if model.created is None else model.created.date().isoformat(),
        "Reference": plain(model.reference),
        "Data set": plain(model.dataset),
        "Multiplications": "" if model.macs is None else f"{model.macs:,}",
        "Parameters": "" if model.parameters is None else f"{model.parameters:,}",
        "Made from": "" if model.lineage.base is None else f"`{model.lineage.base}`",
    }


def tensors(model: Model) -> dict[str, str]:
    """Return what goes in and what comes out."""
    found = {}
    for way, some in (("Input", model.inputs), ("Output", model.outputs)):
        for number, tensor in enumerate(some, 1):
            found[way if len(some) == 1 else f"{way} {number}"] = shape(tensor)
    for need in model.input.sensors:
        low = "" if need.low is None else f" {need.low:g} to {need.high:g} {need.unit or ''}"
        rate = "" if need.rate_hz is None else f", {need.rate_hz:g} Hz"
        found[f"Observed: {need.observes}"] = f"{low}{rate}".strip(" ,") or "any range and rate"
    if model.input.preparation:
        found["Preparation"] = plain(model.input.preparation)
    return found


def shape(tensor: Tensor) -> str:
    """Return a tensor in words."""
    text = f"{tensor.dtype}, {' × '.join(map(str, tensor.shape)) or 'one value'}"
    if tensor.labels:
        text += ": " + plain(", ".join(tensor.labels))
    return text


def amount(need: Need) -> str:
    """Return an amount of memory, and how it is known."""
    return f"{need.bytes:,} bytes, {need.provenance}" + (f" ({plain(need.method)})" if need.method else "")


def table(title: str, rows: dict[str, str]) -> Iterator[str]:
    """Yield a table of two columns; rows that say nothing are left out."""
    said = {name: text for name, text in rows.items() if text}
    if said:
        yield from [f"## {title}", "", "| | |", "| --- | --- |"]
        yield from (f"| {plain(name)} | {text} |" for name, text in said.items())
        yield ""


def plain(text: str) -> str:
    """Return a text on one line that Markdown shows as it is: no table, no HTML."""
    text = " ".join(text.split())
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|").replace("`", "'")
