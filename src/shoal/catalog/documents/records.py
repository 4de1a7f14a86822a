"""What happens to models and devices: deployments, runs, measurements, learning, names that move."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from shoal.catalog.documents.document import Document, Name, Sha256, Text, Time
from shoal.catalog.documents.model import Metric

__all__ = ["Alias", "Deployment", "LearningState", "Measurement", "Query", "Run"]

Id = Annotated[str, StringConstraints(pattern=r"^[^\s\x00-\x1f]{1,1000}$")]


class Alias(Document):
    """A name that moves from version to version: `keywords@champion`."""

    kind = "alias"

    name: Name
    alias: Name
    model: Sha256

    @property
    def id(self) -> str:
        """Name and alias."""
        return f"{self.name}@{self.alias}"


class Deployment(Document):
    """A model on a device: what is meant to run there, and what happened.

    Parameters
    ----------
    device
        Id of its Thing Description.
    checksum
        Of the state that the device reports.
    """

    kind = "deployment"

    key: Id
    model: Sha256
    device: Id
    status: Literal["planned", "active", "failed", "removed"] = "planned"
    started: Time | None = None
    ended: Time | None = None
    checksum: Text = ""
    note: Text = ""

    @property
    def id(self) -> str:
        """Its key."""
        return self.key


class Run(Document):
    """A training run.

    Parameters
    ----------
    produced, base
        The model that came out, and the one that it began with.
    config, environment
        As the run's folder has them.
    cohort
        The query that chose the devices.
    """

    kind = "run"

    key: Id
    algorithm: Text = ""
    tasks: Text = ""
    rounds: Annotated[int, Field(ge=0)] | None = None
    seed: int | None = None
    revision: Text = ""
    started: Time | None = None
    ended: Time | None = None
    produced: Sha256 | None = None
    base: Sha256 | None = None
    cohort: Text = ""
    devices: tuple[Id, ...] = ()
    metrics: tuple[Metric, ...] = ()
    config: dict[str, Any] = Field(default_factory=dict)
    environment: dict[str, str | None] = Field(default_factory=dict)

    @property
    def id(self) -> str:
        """Its key."""
        return self.key


class Measurement(Document):
    """A figure that was measured, estimated or declared of a model, on a device or a board."""

    kind = "measurement"

    key: Id
    quantity: Literal["ram", "flash", "latency", "energy", "accuracy", "loss", "instructions", "other"]
    value: float
    unit: Text = ""
    provenance: Literal["estimated", "measured", "declared"] = "measured"
    model: Sha256 | None = None
    device: Id | None = None
    board: Name | None = None
    run: Id | None = None
    at: Time | None = None
    method: Text = ""
    interval: tuple[float, float] | None = None

    @property
    def id(self) -> str:
        """Its key."""
        return self.key


class LearningState(Document):
    """How far a device has learnt; updated as it reports."""

    kind = "learning"

    device: Id
    model: Sha256 | None = None
    round: Annotated[int, Field(ge=0)] = 0
    samples: Annotated[int, Field(ge=0)] = 0
    drift: float | None = None
    labels: dict[str, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)
    accuracy: Annotated[float, Field(ge=0, le=1)] | None = None
    checksum: Text = ""
    at: Time | None = None

    @property
    def id(self) -> str:
        """That of its device."""
        return self.device


class Query(Document):
    """A saved query with parameters, `$name` in its text."""

    kind = "query"

    name: Name
    sparql: Annotated[str, StringConstraints(max_length=100_000)]
    title: Text = ""
    parameters: dict[Name, Literal["iri", "string", "integer", "number", "model", "device"]] = Field(
        default_factory=dict
    )

    @property
    def id(self) -> str:
        """Its name."""
        return self.name
