"""Models that resemble one: by their tensors, their operators and their words."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from shoal.catalog.documents import Model
from shoal.catalog.search.fields import of_model

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shoal.catalog.documents import Tensor
    from shoal.catalog.store import Store

__all__ = ["Similar", "similar"]

TENSORS, OPERATORS, TEXT = 0.4, 0.3, 0.3


@dataclass(frozen=True, slots=True)
class Similar:
    """A model that resembles another one.

    Parameters
    ----------
    id
        Of the model.
    score
        0 to 1: 0.4 tensors + 0.3 operators + 0.3 text.
    tensors, operators, text
        0 to 1, see :func:`similar`.
    """

    id: str
    name: str
    version: str
    score: float
    tensors: float
    operators: float
    text: float


def similar(store: Store, model: Model, *, limit: int = 10) -> list[Similar]:
    """Return the models that resemble one most, best first.

    The score is the weighted mean of three parts, each from 0 to 1:

    - `tensors` (0.4): inputs and outputs are compared in their order. A pair has 1/4 for the same type, and
      3/4 for the mean over the dimensions of the smaller size by the larger one. The mean of the inputs and
      that of the outputs count alike.
    - `operators` (0.3): the weighted Jaccard index of the operators with their types; an operator weighs the
      logarithm of 1 + its occurrences.
    - `text` (0.3): the cosine of the words in name, title, task, tags, labels, sensors and description, each
      weighted by its inverse document frequency.

    Parameters
    ----------
    model
        It need not be in the catalog; if it is, it is not in the answer.
    limit
        At most so many.
    """
    others = [Model.model_validate(record.body) for record in store.records("model")]
    texts = {other.id: bag(other) for other in others}
    mine = bag(model)
    frequency = Counter(word for words in texts.values() for word in words)
    rarity = {word: math.log((1 + len(others)) / (1 + frequency[word])) + 1 for word in mine | frequency}
    found = []
    for other in others:
        if other.id == model.id:
            continue
        tensors = (alike(model.inputs, other.inputs) + alike(model.outputs, other.outputs)) / 2
        operators = jaccard(weights(model), weights(other))
        text = cosine(mine, texts[other.id], rarity)
        score = TENSORS * tensors + OPERATORS * operators + TEXT * text
        found.append(Similar(other.id, other.name, other.version, score, tensors, operators, text))
    return sorted(found, key=lambda one: (-one.score, one.name, one.id))[:limit]


def alike(ours: Sequence[Tensor], theirs: Sequence[Tensor]) -> float:
    """Compare lists of tensors: 0 to 1; two empty lists say nothing, 0."""
    pairs = list(zip_longest(ours, theirs))
    return sum(0.0 if a is None or b is None else pair(a, b) for a, b in pairs) / max(len(pairs), 1)


def pair(ours: Tensor, theirs: Tensor) -> float:
    """Compare two tensors: 0 to 1."""
    sizes = list(zip_longest(ours.shape, theirs.shape, fillvalue=0))
    shape = sum(ratio(a, b) for a, b in sizes) / len(sizes) if sizes else 1.0
    return 0.25 * (ours.dtype == theirs.dtype) + 0.75 * shape


def ratio(a: int, b: int) -> float:
    """Return the smaller size by the larger one; a free one (-1) fits a free one only."""
    return 1.0 if a == b else max(min(a, b), 0) / max(a, b, 1)


def weights(model: Model) -> Mapping[tuple[str, str], float]:
    """Return the weight of each operator with its type."""
    counts: Counter[tuple[str, str]] = Counter()
    for one in model.operators:
        counts[one.name, one.dtype] += one.count
    return {key: math.log1p(count) for key, count in counts.items()}


def jaccard(ours: Mapping[tuple[str, str], float], theirs: Mapping[tuple[str, str], float]) -> float:
    """Return the sum of the smaller weights by that of the larger ones."""
    keys = sorted(ours.keys() | theirs.keys())
    larger = sum(max(ours.get(key, 0.0), theirs.get(key, 0.0)) for key in keys)
    return sum(min(ours.get(key, 0.0), theirs.get(key, 0.0)) for key in keys) / larger if larger else 0.0


def bag(model: Model) -> Counter[str]:
    """Return the words of a model, those of its operators left out."""
    text = " ".join(of_model(model)._replace(operators="", name=model.name))
    return Counter(re.findall(r"[^\W_]+", text.lower()))


def cosine(ours: Mapping[str, int], theirs: Mapping[str, int], rarity: Mapping[str, float]) -> float:
    """Return the cosine of two texts, as counts of words that weigh their rarity."""
    dot = sum(count * theirs[word] * rarity[word] ** 2 for word, count in ours.items() if word in theirs)
    if not dot:
        return 0.0
    ours_squared, theirs_squared = (
        sum((count * rarity[word]) ** 2 for word, count in words.items()) for words in (ours, theirs)
    )
    return dot / math.sqrt(ours_squared * theirs_squared)
