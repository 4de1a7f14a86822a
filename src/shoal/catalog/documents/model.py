"""A model: one file, what it computes, what it needs, where it comes from."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from shoal.catalog.documents.amount import Need
from shoal.catalog.documents.document import Bytes, Document, Name, Part, Sha256, Text, Time, Version
from shoal.catalog.documents.sensor import SensorNeed

__all__ = ["Input", "Lineage", "Metric", "Model", "Operator", "Quantization", "Tensor"]

Count = Annotated[int, Field(ge=0, le=2**53)]
Dtype = Literal[
    "bool", "float16", "float32", "float64", "int16", "int32", "int64", "int8", "other", "string", "uint16",
    "uint32", "uint64", "uint8",
]  # fmt: skip


class Quantization(Part):
    """Scale and zero point of integers: one, or one for each channel along `axis`."""

    scale: tuple[float, ...]
    zero_point: tuple[int, ...] = (0,)
    axis: int | None = None


class Tensor(Part):
    """An input or an output.

    Parameters
    ----------
    shape
        Without the batch; -1 where it is free.
    labels
        What the values along the last axis are, of a classifier for instance.
    """

    name: Text = ""
    dtype: Dtype
    shape: tuple[Annotated[int, Field(ge=-1)], ...]
    quantization: Quantization | None = None
    labels: tuple[Text, ...] = ()
    description: Text = ""


class Operator(Part):
    """An operator with all its occurrences of one version and one data type.

    Parameters
    ----------
    name
        As TensorFlow Lite writes it (`CONV_2D`); ONNX operators are prefixed, as in `onnx:Conv`.
    """

    name: Text
    version: Annotated[int, Field(ge=1)] = 1
    dtype: str = "float32"
    count: Annotated[int, Field(ge=1)] = 1


class Input(Part):
    """How samples become the input: what observes them and how they are prepared.

    Parameters
    ----------
    sensors
        What must be observed; empty where any source will do.
    window
        Samples per input.
    channels
        Order of the channels within a sample.
    mean, std
        Normalisation: (x - mean) / std.
    preparation
        In words: log-mel of 40 bands, 30 ms frames every 20 ms.
    """

    sensors: tuple[SensorNeed, ...] = ()
    window: Annotated[int, Field(ge=1)] | None = None
    channels: tuple[Text, ...] = ()
    mean: tuple[float, ...] = ()
    std: tuple[Annotated[float, Field(gt=0)], ...] = ()
    preparation: Text = ""


class Metric(Part):
    """A figure of merit: `accuracy` as a fraction, not in percent."""

    name: Text
    value: float
    dataset: Text = ""


class Lineage(Part):
    """Where a model comes from.

    Parameters
    ----------
    base
        The model that it was fine-tuned or adapted from.
    revision_of
        The version before.
    run
        The run that made it.
    """

    base: Sha256 | None = None
    revision_of: Sha256 | None = None
    run: Text | None = None


class Model(Document):
    """A model, addressed by the SHA-256 of its file.

    Parameters
    ----------
    inference, training
        RAM to answer, and to learn on the device.
    flash
        Bytes in flash.
    train_last
        How many of the last layers learn, in `training`.
    clock_hz
        Lowest clock that keeps up with the input.
    runtime, runtime_version
        What runs it, and the lowest version that does.
    licence
        SPDX identifier, such as Apache-2.0.

    Examples
    --------
    >>> model = Model(sha256="0" * 64, name="wake", version="1.0.0", format="tflite", size=18712)
    >>> model.id[:12], model.body()["size"]
    ('sha256:00000', 18712)
    """

    kind = "model"

    sha256: Sha256
    name: Name
    version: Version
    format: Literal["tflite", "onnx", "shoal", "keras", "torch", "other"]
    size: Bytes
    title: Text = ""
    description: Text = ""
    task: Text = ""
    creator: Text = ""
    created: Time | None = None
    licence: Text = ""
    reference: Text = ""
    dataset: Text = ""
    tags: tuple[Text, ...] = ()
    inputs: tuple[Tensor, ...] = ()
    outputs: tuple[Tensor, ...] = ()
    operators: tuple[Operator, ...] = ()
    macs: Count | None = None
    parameters: Count | None = None
    inference: Need | None = None
    training: Need | None = None
    train_last: Annotated[int, Field(ge=1)] | None = None
    flash: Need | None = None
    clock_hz: Annotated[int, Field(gt=0)] | None = None
    runtime: Text = ""
    runtime_version: Text = ""
    input: Input = Input()
    metrics: tuple[Metric, ...] = ()
    lineage: Lineage = Lineage()

    @property
    def id(self) -> str:
        """The word sha256, a colon and the digest of the file."""
        return f"sha256:{self.sha256}"
