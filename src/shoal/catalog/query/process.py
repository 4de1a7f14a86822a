"""The process that answers queries: it holds the RDF view, has no network, and may be killed at any moment.

Started by :class:`shoal.catalog.query.worker.Worker` as ``python -m shoal.catalog.query.process``. It reads
messages from its standard input, until that ends, and answers on its standard output.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

from shoal import errors
from shoal.catalog.graph import Local, follow
from shoal.catalog.query.alone import alone, no_new_files
from shoal.catalog.query.collect import collected
from shoal.catalog.query.frames import receive, send
from shoal.catalog.store import Entry, Store
from shoal.catalog.vocabulary import PREFIXES
from shoal.errors import ShoalError, StorageError

__all__: list[str] = []

# Of a message of the engine.
LONGEST = 200
Message = dict[str, Any]


def main() -> None:
    """Answer messages until there are no more."""
    quiet = nullcontext if alone() else no_new_files
    # What anything prints must not fall among the messages.
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    first = receive(sys.stdin.buffer)
    if first is None:
        return
    try:
        store, view = opened(first)
    except ShoalError as error:
        send(output, failure(error))
        return
    send(output, {"folder": first["folder"] if view.on_disk else None})
    while (message := receive(sys.stdin.buffer)) is not None:
        try:
            mirror(store, message.get("documents", []))
            send(output, {"revision": follow(view, store)})
            with_memory(message["memory"])
            with quiet():
                answer = run(view, message)
        except ShoalError as error:
            answer = failure(error)
        except SyntaxError as error:
            # The rest of the engine's message is what it expected: all ways in which anything may go on.
            said = str(error).partition("\n")[0]
            answer = {"error": "QueryError", "what": f"no SPARQL: {said[:LONGEST]}"}
        except MemoryError:
            answer = {"error": "memory"}
        except (OSError, ValueError, RuntimeError) as error:
            answer = {"error": "QueryError", "what": f"the engine refuses: {error}"}
        with_memory(None)
        send(output, answer)


def opened(message: Message) -> tuple[Store, Local]:
    """Return the store and the view: on disk if a folder is given and no other process has it."""
    path, folder = message["path"], message["folder"]
    store = Store(path, read_only=True) if path is not None else Store(None)
    if folder is not None:
        with suppress(StorageError, OSError):
            Path(folder).mkdir(parents=True, exist_ok=True)
            return store, Local(Path(folder))
    return store, Local(None)


def mirror(store: Store, documents: list[list[Any]]) -> None:
    """Follow a catalog in the memory of who asks: its documents come with the question."""
    for kind, key, body in documents:
        if body is None:
            if store.get(kind, key) is not None:  # or it came and went between two questions
                store.remove(kind, key)
        else:
            store.put_many([Entry(kind, key, body)])


def with_memory(limit: int | None) -> None:
    """Let the process take so many bytes more than it has; None: as many as there are."""
    held = Path("/proc/self/statm")
    if not held.exists():
        return
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    bound = hard
    if limit is not None:
        bound = int(held.read_text().split()[0]) * resource.getpagesize() + limit
        bound = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
    resource.setrlimit(resource.RLIMIT_AS, (bound, hard))


def run(view: Local, message: Message) -> Message:
    """Return the answer to a query."""
    start = time.perf_counter()
    results = view.store.query(
        message["query"], prefixes=PREFIXES, use_default_graph_as_union=message["union"]
    )
    answer = collected(results, message["rows"], message["bytes"])
    return answer | {"seconds": time.perf_counter() - start}


def failure(error: ShoalError) -> Message:
    """Return an error as a message."""
    name = next(kind.__name__ for kind in type(error).__mro__ if hasattr(errors, kind.__name__))
    return {"error": name, "what": error.what, "where": error.where, "hint": error.hint}


if __name__ == "__main__":
    main()
