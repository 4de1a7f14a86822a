"""A few of the inputs of the fuzz program, in every run of the tests."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from tests.catalog.importers import fuzz

if TYPE_CHECKING:
    from pathlib import Path


def test_mutated_files_are_refused_or_hold(tmp_path: Path) -> None:
    rng = random.Random(0)
    results = set()
    for text, suffix in fuzz.corpus():
        path = tmp_path / f"input{suffix}"
        for number in range(100):
            path.write_bytes(fuzz.mutated(rng, text).encode())
            results.add(fuzz.attempt(path, out=number % 10 == 0))
    assert results >= {"refused", "imported"}
