"""Kill a writer, many times, at random moments and at each statement; then look what is left.

Run as `python -m tests.catalog.store.kill [times] [seed]`. After each kill the file must check clean, hold
everything that was acknowledged, hold the rest as a whole or not at all, and be as it was before that.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import select
import signal
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

from shoal.catalog import search
from shoal.catalog.store import Entry, Store
from shoal.catalog.store.database import Database

LONGEST = 0.2  # seconds that a writer lives at most
PER_FILE = 50  # kills of one file
GROUP = 5  # documents that are written together


def work(store: Store, acknowledge, seed: int) -> None:
    """Write at random, without end; acknowledge each step when it returned."""
    dice = random.Random(seed)
    serial = 0
    while True:
        serial += 1
        match dice.randrange(7):
            case 0 | 1:
                event = store.put(
                    "query", f"urn:{dice.randrange(20)}", {"n": serial, "by": seed, "x": "é" * 700}
                )
                acknowledge("event", event.sequence, event.id, event.text)
            case 2:
                ids = [f"urn:{dice.randrange(20)}" for _ in range(GROUP)]
                events = store.put_many(
                    Entry("query", id, {"group": f"{seed}/{serial}", "at": place}, expires=serial % 3 or None)
                    for place, id in enumerate(ids)
                )
                for event in events:
                    acknowledge("event", event.sequence, event.id, event.text)
            case 3:
                found = store.ids("query")
                if found:
                    event = store.remove("query", dice.choice(found))
                    acknowledge("event", event.sequence, event.id, None)
            case 4:
                content = dice.randbytes(dice.randrange(1, 30_000))
                acknowledge("blob", store.write_blob(content))
            case 5:
                for event in store.purge(1.5):
                    acknowledge("event", event.sequence, event.id, None)
            case 6:
                search.follow(store)
                store.set_view("other", store.revision, dice.randbytes(2000))


def write(path: Path, pipe: int, seed: int, statement: int | None) -> None:
    """Be the writer; `statement`: end at this one."""
    left = statement

    def count(_: str) -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def acknowledge(*what: object) -> None:
        os.write(pipe, json.dumps(what).encode() + b"\n")

    connect = Database._connect

    def connect_and_count(database: Database, cache: int) -> sqlite3.Connection:
        connection = connect(database, cache)
        connection.set_trace_callback(count)
        return connection

    if statement is not None:
        Database._connect = connect_and_count
    with Store(path) as store:
        acknowledge("open")
        work(store, acknowledge, seed)


def killed(path: Path, seed: int, statement: int | None) -> list[list]:
    """Start a writer, kill it, return what it acknowledged."""
    reader, pipe = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reader)
            write(path, pipe, seed, statement)
        except Exception as error:  # noqa: BLE001 - told to the parent
            os.write(pipe, json.dumps(["failed", repr(error)]).encode() + b"\n")
        finally:
            os._exit(1)
    os.close(pipe)
    end = time.monotonic() + (random.Random(seed).uniform(0, LONGEST) if statement is None else 30)
    text = b""
    while (left := end - time.monotonic()) > 0:
        ready, _, _ = select.select([reader], [], [], left)
        if ready:
            part = os.read(reader, 1 << 16)
            if not part:
                break
            text += part
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    while part := os.read(reader, 1 << 16):
        text += part
    os.close(reader)
    lines = [json.loads(line) for line in text.split(b"\n")[:-1]]
    failed = [line for line in lines if line[0] == "failed"]
    assert not failed, failed
    assert os.WTERMSIG(status) == signal.SIGKILL
    return lines


def digest(store: Store, upto: int) -> str:
    """Return a digest of the log up to a number."""
    sha = hashlib.sha256()
    for event in store.events(limit=upto):
        sha.update(repr((event.sequence, event.at, event.action, event.kind, event.id, event.text)).encode())
    return sha.hexdigest()


def verify(path: Path, acknowledged: list[list], before: tuple[int, str]) -> tuple[int, str]:
    """Check what is left; return the log's length and digest."""
    with Store(path) as store:
        problems = store.check()
        assert problems == [], problems
        assert search.check(store) == []
        assert digest(store, before[0]) == before[1]
        log = {event.sequence: event for event in store.events(before[0])}
        for what, *values in acknowledged:
            if what == "event":
                sequence, id, text = values
                event = log.get(sequence)
                # A document that was there in the same form gives its old event.
                assert sequence <= before[0] or (event.id, event.text) == (id, text), values
            elif what == "blob":
                assert hashlib.sha256(store.read_blob(values[0])).hexdigest() == values[0]
        groups: dict[str, set[int]] = {}
        for event in log.values():
            if event.text is not None and "group" in event.body:
                groups.setdefault(event.body["group"], set()).add(event.body["at"])
        assert all(places == set(range(GROUP)) for places in groups.values()), groups
        return store.revision, digest(store, store.revision)


def main(times: int, seed: int) -> None:
    acknowledged = events = 0
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        before = (0, hashlib.sha256().hexdigest())
        for kill in range(times):
            path = Path(folder) / f"{kill // PER_FILE}.shoal"
            if kill % PER_FILE == 0:
                events += before[0]
                before = (0, hashlib.sha256().hexdigest())
            # Every second one at a statement, further and further in, the making of the file included.
            statement = None if kill % 2 == 0 else 1 + (kill // 2) % 400
            lines = killed(path, seed + kill, statement)
            acknowledged += len(lines)
            before = verify(path, lines, before)
            if "-v" in sys.argv and kill % 100 == 99:
                passed = time.monotonic() - started
                sys.stdout.write(f"{kill + 1} kills, {acknowledged:,} acknowledged, {passed:.0f} s\n")
                sys.stdout.flush()
    total = events + before[0]
    sys.stdout.write(f"{times} kills, {acknowledged:,} acknowledged steps, {total:,} events: nothing lost\n")


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:] if word.isdecimal()]
    main(*(numbers + [50, 0][len(numbers) :]))
