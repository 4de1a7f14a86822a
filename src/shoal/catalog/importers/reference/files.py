"""Model files beside their descriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shoal.catalog.documents.model import Model
from shoal.errors import StorageError

if TYPE_CHECKING:
    from pathlib import Path

    from shoal.catalog.importers.reference.facts import Facts

__all__ = ["join"]

# What a file knows better than a description of it.
FROM_FILE = ("sha256", "size", "operators", "macs", "parameters", "training", "train_last")


def join(facts: Facts, models: list[Model], folder: Path) -> tuple[list[Model], dict[str, Path]]:
    """Return models with what their files say, and the files by address.

    A file that two models name is the first one's; the other keeps the address that is derived from its IRI.
    """
    from shoal.catalog.describe import describe

    try:
        files = {path.stem: path for path in sorted(folder.iterdir()) if path.suffix == ".tflite"}
    except OSError as error:
        raise StorageError(f"cannot read: {error.strerror}", where=str(folder)) from error
    joined: list[Model] = []
    owners: dict[str, str] = {}
    paths: dict[str, Path] = {}
    for model in models:
        path = files.get(model.name)
        if path is None:
            _report(facts, model, f"no file {model.name}.tflite", "described without it")
            joined.append(model)
            continue
        described = describe(path, name=model.name, version=model.version)
        owner = owners.setdefault(described.sha256, model.name)
        if owner != model.name:
            _report(facts, model, f"its file is the one of {owner}", "it keeps an address of its own")
            described = described.model_copy(update={"sha256": model.sha256})
        else:
            paths[described.sha256] = path
        joined.append(_merged(facts, model, described))
    return joined, paths


def _merged(facts: Facts, model: Model, described: Model) -> Model:
    body: dict[str, Any] = model.body()
    file = described.body()
    if model.size != described.size:
        _report(facts, model, f"{model.size:,} bytes", f"the file has {described.size:,}")
    if described.macs and model.macs not in (None, described.macs):
        _report(facts, model, f"{model.macs:,} operations", f"the file has {described.macs:,}")
    for key in FROM_FILE:
        body.pop(key, None)
        if key in file:
            body[key] = file[key]
    for key in ("inputs", "outputs"):
        said = body.get(key, [])
        body[key] = file.get(key, said)
        for tensor, words in zip(body[key], said, strict=False):
            tensor |= {name: words[name] for name in ("description", "labels") if name in words}
    return Model.checked(body, facts.file)


def _report(facts: Facts, model: Model, problem: str, fix: str) -> None:
    for subject in facts.subjects("nnet:NeuralNetwork"):
        if facts.word(subject, "schema:name") == model.name:
            facts.report(subject, "schema:name", f"{model.name}: {problem}", fix)
            return
