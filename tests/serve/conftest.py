"""Directories that are served, for all tests here."""

from __future__ import annotations

import pytest

pytest.importorskip("fastapi", reason="pip install 'shoal[server]'")
pytest.importorskip("uvicorn", reason="pip install 'shoal[server]'")
pytest.importorskip("httpx", reason="pip install httpx")

from tests.serve.serving import served


@pytest.fixture
def directory(tmp_path):
    """A directory with nothing in it."""
    with served(tmp_path) as one:
        yield one


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """A directory that tests share which look at their own things alone."""
    with served(tmp_path_factory.mktemp("shared")) as one:
        yield one
