"""Model files: described, and kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shoal.catalog.importers.imported import Imported

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["SUFFIXES", "load"]

SUFFIXES = (".tflite", ".onnx", ".shoal", ".keras", ".pt2")


def load(path: Path, **fields: Any) -> Imported:
    """Import a model file.

    Parameters
    ----------
    fields
        Of the model, where the file and its sidecar are silent.

    Raises
    ------
    ModelError
        If the file is damaged.
    """
    from shoal.catalog.describe import describe

    model = describe(path, **fields)
    return Imported((model,), files={model.sha256: path})
