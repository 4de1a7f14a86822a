"""The parts of the server by themselves."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace

import pytest
from fastapi import Request
from hypothesis import given
from hypothesis import strategies as st

from shoal.catalog import Catalog
from shoal.catalog.store import Store
from shoal.errors import ConflictError
from shoal.serve import body
from shoal.serve.answer import preferred
from shoal.serve.feed import KEPT, Feed
from shoal.serve.indexing import Indexing
from shoal.serve.merge import difference, merged
from shoal.serve.paging import PORTION, Page, portion
from shoal.serve.rate import CLIENTS, Rate
from shoal.serve.writer import Writer
from tests.serve.serving import served, until

VALUES = st.recursive(
    st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.sampled_from("abcd"), VALUES, max_size=4)


@given(OBJECTS, OBJECTS)
def test_the_difference_makes_one_document_the_other(old, new):
    before = json.dumps([old, new])
    patch = difference(old, new)
    assert json.dumps(merged(old, patch), sort_keys=True) == json.dumps(new, sort_keys=True)
    assert json.dumps([old, new]) == before
    assert difference(new, new) == {}


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    # The examples of RFC 7396, appendix A.
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patches(target, patch, result):
    assert merged(target, patch) == result


def writing(store, use):
    """Run something with a writer."""

    async def run():
        writer = Writer(store)
        writer.start()
        try:
            return await use(writer)
        finally:
            await asyncio.to_thread(writer.stop)

    return asyncio.run(run())


def test_what_is_written_together_is_answered_one_by_one(tmp_path):
    with Store(tmp_path / "site.shoal") as store:
        flushes = []

        async def use(writer):
            store.subscribe(lambda events: flushes.append(len(events)))

            def put(number):
                def write():
                    must = "create" if number % 10 == 0 else None
                    event = store.put("device", f"d{number // 20}", {"n": number}, must=must)
                    if number % 7 == 0:
                        raise ValueError(number)
                    return event.sequence

                return write

            jobs = (writer.run(put(number)) for number in range(200))
            return await asyncio.gather(*jobs, return_exceptions=True)

        results = writing(store, use)
        kinds = {type(one) for one in results}
        assert kinds == {int, ValueError, ConflictError}
        # A part that failed left nothing behind, and the others are there, each once.
        assert sorted(one for one in results if isinstance(one, int)) == list(range(1, store.revision + 1))
        assert sum(flushes) == store.revision
        assert len(flushes) < 100, "each had a transaction of its own"
        assert store.check() == []


def test_a_failed_transaction_is_told_to_all(tmp_path):
    store = Store(tmp_path / "site.shoal")

    async def use(writer):
        store.close()
        jobs = (writer.run(lambda: store.put("device", "d", {})) for _ in range(5))
        return await asyncio.gather(*jobs, return_exceptions=True)

    assert [str(one).split("\n")[0] for one in writing(store, use)] == ["the catalog is closed"] * 5


def test_a_reader_that_is_slow_misses_nothing_and_takes_no_memory(tmp_path):
    async def use(store):
        feed = Feed(store, poll=0.01, heartbeat=0.05)
        feed.start()
        slow = feed.read(None, lambda one: one.brief)
        assert await anext(slow) == b"retry: 2000\n\n"
        count = KEPT + 1000
        with store.transaction():
            for number in range(count):
                store.put("device", "d", {"@context": "", "n": number})
        await feed.after(count - 1)
        assert len(feed._kept) <= KEPT
        seen = []
        while len(seen) < count:
            chunk = await anext(slow)
            seen += [int(line[4:]) for line in chunk.decode().splitlines() if line.startswith("id: ")]
        assert seen == list(range(1, count + 1))
        assert await anext(slow) == b":\n\n"  # the heartbeat
        await slow.aclose()
        assert feed.readers == 0
        await feed.stop()

    with Store(tmp_path / "site.shoal") as store:
        asyncio.run(use(store))


def test_pages():
    ten = [b"{}"] * 10
    page = Page("/things", 20, 10, ten, 31, 7, (("sort_by", "id"),))
    assert page.headers()["Link"] == (
        '</things?offset=30&limit=10&sort_by=id>; rel="next", </things>; rel="canonical"; etag="7"'
    )
    assert Page("/things", 30, 10, [b"{}"], 31, 7).next is None
    assert Page("/things", 0, 10, [], 0, 0).headers()["Link"] == '</things>; rel="canonical"; etag="0"'
    # A page that ended early goes on behind its last document; one that found nothing does not begin again.
    assert Page("/things", 20, 10, ten[:3], 31, 7).next == 23
    assert Page("/things", 20, 10, [], 31, 7).next is None
    assert json.loads(page.collection("Collection"))["members"] == [{}] * 10


class Watched(Store):
    """A store that counts the documents that are read at once."""

    def __init__(self, path):
        super().__init__(path)
        self.read = []

    def records(self, *arguments, **more):
        found = [*super().records(*arguments, **more)]
        self.read.append(len(found))
        return iter(found)


def test_a_page_ends_before_it_has_too_many_bytes():
    with Watched(None) as store:
        for number in range(100):
            store.put("board", f"{number:03}", {"name": f"{number:03}", "text": "ü" * 500})

        def ids(offset, limit, most):
            found = portion(store, "board", offset, limit, most, lambda one: one.body)
            assert len(found) == 1 or sum(map(len, found)) <= most
            return [int(json.loads(one)["name"]) for one in found]

        assert ids(0, 100, 10**6) == [*range(100)]
        assert ids(7, 40, 10**6) == [*range(7, 47)]
        assert ids(90, 40, 10**6) == [*range(90, 100)]
        store.read.clear()
        assert ids(20, 100, 3 * 1050) == [20, 21, 22]
        assert ids(99, 100, 1) == [99]
        assert ids(100, 100, 1) == []
        # What does not fit was not read either, but for the rest of one portion.
        assert store.read == [PORTION, 1, 0]


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("", "a/b"),
        ("c/d", "c/d"),
        ("c/*", "c/d"),
        ("*/*", "a/b"),
        ("c/d;q=0.2, */*;q=0.1", "c/d"),
        ("a/b;q=0, */*", "c/d"),
        ("c/d;q=x", "a/b"),
        ("C/D", "c/d"),
        (",,;;q=1", "a/b"),
        ("c/d;q=1e9, a/b;q=nan", "c/d"),
    ],
)
def test_what_a_client_accepts(accept, media):
    assert preferred(accept, ["a/b", "c/d"]) == media


def test_rates_are_kept_for_each_client_and_no_more_than_so_many():
    rate = Rate(1.0, burst=1)
    assert [rate.wait("a", now=0.0), rate.wait("b", now=0.0), rate.wait("a", now=0.5)] == [0.0, 0.0, 0.5]
    assert rate.wait("a", now=1.0) == 0.0
    for number in range(2 * CLIENTS):
        rate.wait(str(number), now=2.0)
    assert len(rate._buckets) == CLIENTS


class Failing(Store):
    """A store that fails a few times, as no store is known to."""

    failures = 0

    def events(self, *arguments, **more):
        if self.failures:
            self.failures -= 1
            raise RuntimeError("this is new")
        return super().events(*arguments, **more)


def test_the_feed_outlives_what_nobody_thought_of(tmp_path, caplog):
    async def use(store):
        feed = Feed(store, poll=0.01)
        feed.start()
        store.put("device", "d", {"@context": ""})
        store.failures = 3
        await asyncio.wait_for(feed.after(0), 10)
        await feed.stop()

    with Failing(tmp_path / "site.shoal") as store:
        asyncio.run(use(store))
    assert caplog.text.count("RuntimeError: this is new") == 3


def test_the_index_follows_after_a_failure(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr("shoal.serve.indexing.PAUSE", 0.01)

    class Unlucky(Catalog):
        failures = 2

        @property
        def index(self):
            if self.failures:
                self.failures -= 1
                raise RuntimeError("this is new")
            return super().index

    async def use(catalog):
        feed = Feed(catalog.store, poll=0.01)
        feed.start()
        indexing = Indexing(catalog, feed)
        task = asyncio.create_task(indexing.run())
        assert not indexing.ready
        await asyncio.to_thread(until, lambda: indexing.ready)
        task.cancel()
        await feed.stop()

    with Unlucky(tmp_path / "site.shoal") as catalog:
        asyncio.run(asyncio.wait_for(use(catalog), 20))
    assert caplog.text.count("RuntimeError: this is new") == 2


def test_expiry_goes_on_after_a_failure(tmp_path, caplog):
    now = [1000.0]
    failures = ["this is new"]

    def clock():
        if now[0] > 1000 and failures:
            raise RuntimeError(failures.pop())
        return now[0]

    with served(tmp_path, settings={"purge_every": 0.02}, clock=clock) as directory:
        directory.put(1, registration={"ttl": 10})
        now[0] = 2000.0
        until(lambda: directory.catalog.store.get("device", "urn:example:1") is None)
    assert "RuntimeError: this is new" in caplog.text


@pytest.mark.parametrize("size", [10, 100_000])
def test_the_size_of_a_body_in_chunks_is_what_came(size):
    text = b'{"a": "' + b"x" * size + b'"}'
    chunks = [text[i : i + 60_000] for i in range(0, len(text), 60_000)]
    messages = [{"type": "http.request", "body": one, "more_body": True} for one in chunks]
    messages.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive():
        return messages.pop(0)

    settings = SimpleNamespace(largest_document=1_000_000)
    service = SimpleNamespace(state=SimpleNamespace(service=SimpleNamespace(settings=settings)))
    request = Request({"type": "http", "headers": [], "app": service}, receive)
    value, counted = asyncio.run(body.sized(request))
    assert (len(value["a"]), counted) == (size, len(text))
