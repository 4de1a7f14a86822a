"""Reading the file of a model that somebody sent.

Run as `python -m shoal.serve.reader` it reads what is asked from its standard input and answers on its
standard output, both in JSON: a process that can be killed, whatever is in the file.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import traceback
from typing import Any

from shoal.catalog.describe.describe import read
from shoal.catalog.query.alone import alone
from shoal.errors import DocumentError, ModelError, ShoalError

__all__: list[str] = []


def main() -> None:
    """Answer one question: a file, what is said of it, and the bytes of memory that it may take."""
    alone()
    # What a library prints must not fall into the answer.
    output = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    file, fields, memory = json.load(sys.stdin)
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    limit = memory if hard == resource.RLIM_INFINITY else min(memory, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    answer = described(file, fields, limit)
    json.dump(answer, output)
    output.close()


def described(file: str, fields: dict[str, Any], memory: int) -> dict[str, Any]:
    """Return what is known of a file, or what is wrong with it."""
    try:
        found = read(file, **fields)
    except ShoalError as error:
        return failure(error)
    except MemoryError:
        return failure(ModelError(f"the file takes more than {memory:,} bytes of memory to read"))
    except Exception:  # noqa: BLE001 - a fault of what reads files is no fault of who serves
        traceback.print_exc()
        return failure(ModelError("the file cannot be read", hint="the file as the converter wrote it"))
    return {"fields": found.fields, "missing": found.missing, "notes": found.notes}


def failure(error: ShoalError) -> dict[str, Any]:
    """Return an error as an answer."""
    fields = error.fields if isinstance(error, DocumentError) else ()
    return {"error": type(error).__name__, "what": error.what, "hint": error.hint, "fields": fields}


if __name__ == "__main__":
    main()
