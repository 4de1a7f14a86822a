"""What is said of a model that cannot be imported: the file, the node, and what could be."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from shoal.errors import ConfigError, ModelError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["ModelError", "located", "unsupported"]


def unsupported(operator: str, supported: Iterable[str]) -> ModelError:
    """Return the error for an operator that no layer computes."""
    return ModelError(
        f"operator {operator!r} is not supported", hint=f"a model of {', '.join(sorted(supported))}"
    )


@contextmanager
def located(where: str) -> Iterator[None]:
    """Say of every error inside where it happened, unless a place closer by did.

    Parameters
    ----------
    where
        The file, or the node with its number, name and operator.
    """
    try:
        yield
    except ModelError as error:
        if error.where is not None:
            raise
        raise ModelError(error.what, where=where, hint=error.hint) from None
    except ConfigError as error:
        # A layer that refuses its arguments knows nothing of the file.
        raise ModelError(error.what, where=where, hint=error.hint) from None
