"""The reference data, imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from shoal.catalog import importers

if TYPE_CHECKING:
    from pathlib import Path

    from shoal.catalog.importers import Imported


@pytest.fixture(scope="session")
def imported(seloc: Path) -> Imported:
    """Return the models and devices of the reference system's Turtle."""
    return importers.load(sorted((seloc / "semantic_description").glob("*.ttl")))


@pytest.fixture(scope="session")
def imported_with_files(seloc: Path) -> Imported:
    """Return them with the models' files."""
    return importers.load(
        sorted((seloc / "semantic_description").glob("*.ttl")), files=seloc / "collected_models"
    )
