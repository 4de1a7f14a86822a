"""Property tests draw the same examples in every run, so that a red test is about the change at hand."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("same", derandomize=True)
settings.load_profile("same")
