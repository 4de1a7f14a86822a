"""The process that answers queries: it holds the RDF view, has no network, and may be killed at any moment.

Started by :class:`shoal.catalog.query.worker.Worker` as ``python -m shoal.catalog.query.process``. It reads
messages from its standard input, until that ends, and answers on its standard output.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from pyoxigraph import BlankNode, NamedNode, QueryBoolean, QuerySolutions

from shoal.catalog.graph import Local, follow
from shoal.catalog.query.frames import receive, send
from shoal.catalog.store import Entry, Store
from shoal.catalog.vocabulary import PREFIXES
from shoal.errors import ShoalError, StorageError

__all__: list[str] = []

STRING = f"{PREFIXES['xsd']}string"
Message = dict[str, Any]


def main() -> None:
    """Answer messages until there are no more."""
    alone()
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
            answer = run(view, message)
        except ShoalError as error:
            answer = failure(error)
        except SyntaxError as error:
            answer = {"error": "QueryError", "what": f"no SPARQL: {error}"}
        except MemoryError:
            answer = {"error": "memory"}
        except (OSError, ValueError, RuntimeError) as error:
            answer = {"error": "QueryError", "what": f"the engine refuses: {error}"}
        with_memory(None)
        send(output, answer)


def alone() -> None:
    """Leave the network, where the kernel allows it; nothing here opens a connection anyway."""
    import ctypes

    new_user, new_network = 0x10000000, 0x40000000
    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        if libc.unshare(new_network):
            libc.unshare(new_user | new_network)


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
            store.remove(kind, key)
        else:
            store.put_many([Entry(kind, key, body)])


def with_memory(limit: int | None) -> None:
    """Let the process take so many bytes more than it has; None: as many as there are."""
    if limit is None:
        bound = resource.RLIM_INFINITY
    else:
        pages = (
            int(Path("/proc/self/statm").read_text().split()[0]) if Path("/proc/self/statm").exists() else 0
        )
        bound = pages * resource.getpagesize() + limit
    resource.setrlimit(resource.RLIMIT_AS, (bound, resource.RLIM_INFINITY))


def run(view: Local, message: Message) -> Message:
    """Return the answer to a query."""
    start = time.perf_counter()
    most: int = message["rows"]
    results = view.store.query(message["query"], prefixes=PREFIXES, use_default_graph_as_union=True)
    answer: Message
    if isinstance(results, QueryBoolean):
        answer = {"boolean": bool(results)}
    elif isinstance(results, QuerySolutions):
        names = [variable.value for variable in results.variables]
        rows = [
            {name: term(found) for name, found in zip(names, solution, strict=True) if found is not None}
            for solution in islice(results, most)
        ]
        answer = {"variables": names, "bindings": rows, "truncated": next(results, None) is not None}
    else:
        lines = [f"{triple} ." for triple in islice(results, most)]
        answer = {"triples": "\n".join(dict.fromkeys(lines)), "truncated": next(results, None) is not None}
    return answer | {"seconds": time.perf_counter() - start}


def term(found: Any) -> dict[str, str]:
    """Return a term as the JSON format of SPARQL writes it."""
    if isinstance(found, NamedNode):
        return {"type": "uri", "value": found.value}
    if isinstance(found, BlankNode):
        return {"type": "bnode", "value": found.value}
    if not hasattr(found, "datatype"):
        return {"type": "literal", "value": str(found)}
    said = {"type": "literal", "value": found.value}
    if found.language:
        return said | {"xml:lang": found.language}
    return said if found.datatype.value == STRING else said | {"datatype": found.datatype.value}


def failure(error: ShoalError) -> Message:
    """Return an error as a message."""
    return {"error": type(error).__name__, "what": error.what, "where": error.where, "hint": error.hint}


if __name__ == "__main__":
    main()
