"""The data of the reference system, where it is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def seloc() -> Path:
    """Return the folder of the reference system's data."""
    folder = Path(os.environ.get("SHOAL_DATA") or Path(__file__).parents[3] / "shared" / "data") / "seloc"
    if not folder.is_dir():
        pytest.skip("SHOAL_DATA is not set and ../shared/data does not exist")
    return folder
