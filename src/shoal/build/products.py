"""How often the loops run that all products of floats share (``runtime/src/product.c``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections import Counter

__all__ = ["descend", "each", "multiply", "turned", "update"]


def multiply(work: Counter[str], n: int, length: int, calls: int = 1) -> None:
    """Count ``shoal_multiply`` of n sums; `length` is that of all calls together."""
    work["multiply by 8"] += n // 8 * length
    work["multiply by 4"] += n % 8 // 4 * length
    work["multiply by 1"] += n % 4 * length
    work["multiply, blocks of 8"] += calls * (n // 8)
    work["multiply, blocks of 4"] += calls * (n % 8 // 4)
    work["multiply, singles"] += calls * (n % 4)
    work["multiply"] += calls


def turned(work: Counter[str], n: int, length: int, calls: int = 1) -> None:
    """Count ``shoal_multiply_turned`` of n sums of `length` products."""
    work["turned, 4 by 4"] += calls * (n // 4) * (length // 4)
    work["turned, 4 by 1"] += calls * (n // 4) * (length % 4)
    work["turned, blocks"] += calls * (n // 4)
    work["turned, 1 by 1"] += calls * (n % 4) * length
    work["turned, singles"] += calls * (n % 4)
    work["turned"] += calls


def each(work: Counter[str], n: int, length: int, calls: int = 1) -> None:
    """Count ``shoal_multiply_each`` of n sums; `length` is that of all calls together."""
    work["each by 8"] += n // 8 * length
    work["each by 1"] += n % 8 * length
    work["each, blocks"] += calls * (n // 8)
    work["each, singles"] += calls * (n % 8)
    work["each"] += calls


def descend(work: Counter[str], n: int, length: int) -> None:
    """Count ``shoal_descend`` of `length` rows of n weights."""
    work["descend by 8"] += n // 8 * length
    work["descend by 4"] += n % 8 // 4 * length
    work["descend by 1"] += n % 4 * length
    work["descend, blocks of 8"] += n // 8
    work["descend, blocks of 4"] += n % 8 // 4
    work["descend, singles"] += n % 4
    work["descend"] += 1


def update(work: Counter[str], optimizer: str, values: int, calls: int) -> None:
    """Count ``update_parameters``."""
    work[f"{optimizer}, values"] += values
    work[optimizer] += calls
