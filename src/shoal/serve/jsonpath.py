"""JSONPath, RFC 9535, over the Thing Descriptions of a catalog.

Run as `python -m shoal.serve.jsonpath FILE` it answers queries on its standard streams until they are
closed: a process that can be killed, whatever a query does.
"""

from __future__ import annotations

import json
import resource
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.catalog.query.alone import alone
from shoal.catalog.store import Store
from shoal.errors import QueryError, ShoalError
from shoal.serve.registration import enriched

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsonpath_rfc9535 import JSONPathQuery

__all__ = ["search"]

MEMORY = 2 * 2**30
WHOLE = 10_000


def search(store: Store, query: str, rows: int, most: int, now: float) -> bytes:
    """Return what a query finds among the Thing Descriptions, as a JSON array in UTF-8.

    Parameters
    ----------
    query
        Its root is the array of all Thing Descriptions, with their registrations, in the order of their ids.
    rows, most
        Results, and their bytes, at most.

    Raises
    ------
    QueryError
        If it cannot be read, or finds too much.

    Examples
    --------
    >>> with Store(None) as store:
    ...     _ = store.put("device", "urn:a", {"@context": "", "id": "urn:a", "title": "Hall 7"})
    ...     search(store, "$[?@.title == 'Hall 7'].id", 10, 1000, now=0.0)
    b'["urn:a"]'
    """
    import jsonpath_rfc9535 as jsonpath
    from jsonpath_rfc9535 import JSONPathError

    try:
        compiled = jsonpath.compile(query)
    except JSONPathError as error:
        raise QueryError(f"the JSONPath cannot be read: {error}".split("\n")[0], where="query") from None
    except RecursionError:
        raise QueryError("the JSONPath is nested too deeply", where="query") from None
    found, size = [], 0
    try:
        for value in values(store, compiled, query, now):
            text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
            size += len(text) + 1
            found.append(text)
            if len(found) > rows or size > most:
                raise QueryError(
                    f"finds more than {rows:,} values or {most:,} bytes",
                    where="query",
                    hint="ask for less",
                )
    except JSONPathError as error:
        raise QueryError(f"the JSONPath failed: {error}".split("\n")[0], where="query") from None
    except RecursionError:
        raise QueryError("the JSONPath goes too deep", where="query") from None
    return b"[" + b",".join(found) + b"]"


def values(store: Store, compiled: JSONPathQuery, query: str, now: float) -> Iterator[Any]:
    """Yield what a query finds: one description at a time where it looks at each by itself."""
    things = (enriched(record, now) for record in store.records("device"))
    if single(compiled, query):
        for thing in things:
            yield from compiled.find([thing]).values()
        return
    count = store.count("device")
    if count > WHOLE:
        raise QueryError(
            f"looks at {count:,} descriptions at once, {WHOLE:,} is the most",
            where="query",
            hint="$[?...] or $[*]...",
        )
    yield from compiled.find(list(things)).values()


def single(compiled: JSONPathQuery, query: str) -> bool:
    """Whether a query looks at each element of the root by itself, in their order."""
    from jsonpath_rfc9535.segments import JSONPathChildSegment
    from jsonpath_rfc9535.selectors import FilterSelector, WildcardSelector

    if not compiled.segments or query.count("$") != 1:
        return False
    first = compiled.segments[0]
    return (
        isinstance(first, JSONPathChildSegment)
        and len(first.selectors) == 1
        and isinstance(first.selectors[0], FilterSelector | WildcardSelector)
    )


def answer(store: Store, line: bytes) -> bytes:
    """Return the answer to one request: + and the result, or - and what is wrong."""
    try:
        query, rows, most = json.loads(line)
        return b"+" + search(store, query, rows, most, time.time())
    except ShoalError as error:
        return b"-" + json.dumps([error.what, error.hint]).encode()
    except MemoryError:
        return b"-" + json.dumps(["the query takes too much memory", "ask for less"]).encode()
    except Exception:  # noqa: BLE001 - a fault of what reads queries ends one query, not the process
        traceback.print_exc()
        return b"-" + json.dumps(["the query cannot be answered", "write it in another way"]).encode()


def main() -> None:
    """Say that it begins, then answer requests, each a line of JSON, until there are no more."""
    alone()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = MEMORY if hard == resource.RLIM_INFINITY else min(MEMORY, hard)
    resource.setrlimit(
        resource.RLIMIT_AS, (limit if soft == resource.RLIM_INFINITY else min(soft, limit), hard)
    )
    with Store(Path(sys.argv[1]), read_only=True) as store:
        send(b"")
        for line in sys.stdin.buffer:
            send(answer(store, line))


def send(content: bytes) -> None:
    """Write an answer, its length before it."""
    sys.stdout.buffer.write(len(content).to_bytes(8, "big") + content)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
