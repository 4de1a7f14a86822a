"""A little of the long run: `python -m tests.catalog.fuzz_documents`."""

from __future__ import annotations

import random

import pytest

from tests.catalog.fuzz_documents import KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_mutated_files_are_documents_or_clear_errors(kind):
    attempt, mutate, corpus = KINDS[kind]
    rng, seeds = random.Random(0), corpus()
    results = {attempt(mutate(rng, seeds)) for _ in range(300)}
    assert "refused" in results
    assert results & {"taken", "described"}


@pytest.mark.parametrize("kind", KINDS)
def test_the_seeds_themselves_are_sound(kind):
    attempt, _, corpus = KINDS[kind]
    assert {attempt(content) for content in corpus()} <= {"taken", "described"}
