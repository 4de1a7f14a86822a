"""What is derived from the documents: how each view is checked, and made anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from shoal.catalog import search
from shoal.catalog.matching import follow as matching
from shoal.catalog.store import Store
from shoal.errors import StorageError

__all__ = ["VIEWS", "View", "forget"]


@dataclass(frozen=True, slots=True)
class View:
    """A view of the documents.

    Parameters
    ----------
    check
        Returns what is wrong with it, nothing where all is well or it was never asked for.
    rebuild
        Makes it anew.
    """

    check: Callable[[Store], list[str]]
    rebuild: Callable[[Store], None]


def check_graph(store: Store) -> list[str]:
    """Check the RDF view."""
    from shoal.catalog import graph

    return graph.check(store)


def rebuild_graph(store: Store) -> None:
    """Make the RDF view anew."""
    from shoal.catalog import graph

    graph.rebuild_folder(store)


def forget(path: Path) -> None:
    """Remove what views keep beside the file of a catalog: it is of another one that was there before.

    A process that still has it finds that out by itself.

    Raises
    ------
    StorageError
        Where it cannot be removed, or is no view.
    """
    from shoal.catalog import graph
    from shoal.catalog.graph.folder import InUseError, empty

    with Store(path, read_only=True) as store:
        folder = graph.folder_of(store)
    try:
        if folder is not None and folder.exists():
            empty(folder)
            folder.rmdir()
    except InUseError:
        pass
    except StorageError:
        raise
    except OSError as error:
        raise StorageError(
            f"cannot remove the view of the catalog before: {error.strerror}",
            where=str(folder),
            hint=f"remove {folder}",
        ) from error


VIEWS: dict[str, View] = {
    "matching": View(matching.check, matching.rebuild),
    "rdf": View(check_graph, rebuild_graph),
    "search": View(search.check, search.rebuild),
}
