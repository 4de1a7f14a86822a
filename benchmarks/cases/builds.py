"""Which builds of the C runtime there are to measure."""

from __future__ import annotations

import platform


def builds() -> tuple[str, ...]:
    """All builds for this kind of processor, the widest first; one that it cannot run is reported as such."""
    machine = platform.machine().lower()
    if machine in {"x86_64", "amd64"}:
        return "avx512", "avx2", "baseline"
    return ("neon",) if machine in {"aarch64", "arm64"} else ("baseline",)
