"""The store in one process: documents, events, views, files."""

from __future__ import annotations

import json
import sqlite3
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.catalog.store import Entry, Store
from shoal.errors import ConflictError, DocumentError, StorageError, UnknownError


@pytest.fixture(params=["file", "memory"])
def store(request, tmp_path):
    path = tmp_path / "site.shoal" if request.param == "file" else None
    ticks = iter(range(1000, 10**6))
    with Store(path, clock=lambda: float(next(ticks))) as opened:
        yield opened
        assert opened.check() == []


def test_a_document_is_created_updated_and_removed(store):
    created = store.put("device", "urn:a", {"title": "A"}, actor="ann")
    updated = store.put("device", "urn:a", {"title": "B"})
    record = store.get("device", "urn:a")
    assert (created.sequence, created.action, created.body, created.before) == (
        1,
        "created",
        {"title": "A"},
        None,
    )
    assert created.actor == "ann"
    assert (updated.sequence, updated.action, updated.before) == (2, "updated", {"title": "A"})
    assert (record.body, record.revision, record.created, record.modified) == (
        {"title": "B"},
        2,
        1000.0,
        1001.0,
    )
    removed = store.remove("device", "urn:a")
    assert (removed.action, removed.body, removed.before) == ("deleted", None, {"title": "B"})
    assert store.get("device", "urn:a") is None
    assert list(store.events()) == [created, updated, removed]
    with pytest.raises(UnknownError, match="no device 'urn:a'"):
        store.remove("device", "urn:a")


def test_a_document_that_comes_back_is_created_anew_with_its_history(store):
    for body in ({"n": 1}, {"n": 2}):
        store.put("device", "urn:a", body)
        store.remove("device", "urn:a")
    last = store.put("device", "urn:a", {"n": 3})
    assert (last.action, last.before) == ("created", None)
    assert [event.action for event in store.history("device", "urn:a")] == ["created", "deleted"] * 2 + [
        "created"
    ]
    assert store.get("device", "urn:a").created == last.at
    assert store.history("device", "urn:b") == []


@pytest.mark.parametrize("body", [{"a": 1, "b": [True]}, {"b": [True], "a": 1}])
def test_the_same_document_again_is_no_event(store, body):
    first = store.put("model", "m", {"a": 1, "b": [True]})
    assert store.put("model", "m", body) == first
    assert store.revision == 1


@pytest.mark.parametrize("body", [{"a": 1.0}, {"a": True}, {"a": "1"}, {"a": 1, "b": None}])
def test_a_document_that_only_looks_the_same_is_an_event(store, body):
    store.put("model", "m", {"a": 1})
    assert store.put("model", "m", body).action == "updated"
    assert json.dumps(store.get("model", "m").body) == json.dumps(body)


def test_a_new_expiry_or_registration_is_an_event(store):
    store.put("device", "urn:a", {}, expires=5.0, registration={"ttl": 5})
    assert store.put("device", "urn:a", {}, expires=6.0, registration={"ttl": 5}).action == "updated"
    assert store.put("device", "urn:a", {}, expires=6.0, registration={"ttl": 6}).action == "updated"
    record = store.get("device", "urn:a")
    assert (record.expires, record.registration) == (6.0, {"ttl": 6})


def test_what_must_hold_is_checked_before_anything_is_written(store):
    store.put("device", "urn:a", {"n": 1})
    with pytest.raises(ConflictError, match="exists already"):
        store.put("device", "urn:a", {"n": 2}, must="create")
    with pytest.raises(ConflictError, match="does not exist"):
        store.put("device", "urn:b", {}, must="replace")
    with pytest.raises(ConflictError, match="at revision 1, not 7"):
        store.put("device", "urn:a", {"n": 2}, revision=7)
    with pytest.raises(ConflictError, match="at revision 1, not 7"):
        store.remove("device", "urn:a", revision=7)
    assert store.put("device", "urn:a", {"n": 2}, revision=1, must="replace").sequence == 2
    assert store.put("device", "urn:b", {"n": 2}, revision=0, must="create").sequence == 3


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"x": float("nan")}, "not JSON"),
        ({"x": {1, 2}}, "not JSON"),
        ({"x": "\ud800"}, "half of a character"),
    ],
)
def test_what_is_not_json_is_refused(store, body, problem):
    with pytest.raises(DocumentError, match=problem):
        store.put("device", "urn:a", body)
    assert store.revision == 0


def test_what_is_nested_too_deeply_is_refused(store):
    body: dict = {}
    for _ in range(100_000):
        body = {"x": body}
    with pytest.raises(DocumentError, match="nested too deeply"):
        store.put("device", "urn:a", body)


@pytest.mark.parametrize("id", ["", "a\nb", "a\0b", "x" * 2001])
def test_an_id_that_nobody_could_ask_for_is_refused(store, id):
    with pytest.raises(DocumentError, match="printable"):
        store.put("device", id, {})


def test_documents_are_paged_in_the_order_of_their_ids(store):
    names = [f"d{number:04}" for number in range(2500)]
    store.put_many(Entry("device", name, {"name": name}) for name in reversed(names))
    store.put("model", "m", {})
    assert [record.id for record in store.records("device")] == names == store.ids("device")
    assert [record.id for record in store.records("device", offset=3, limit=2)] == names[3:5]
    assert [record.id for record in store.records("device", after="d0007", limit=2)] == names[8:10]
    assert [record.id for record in store.records("device", offset=1200, limit=1100)] == names[1200:2300]
    assert list(store.records("device", limit=0)) == []
    assert (store.count("device"), store.count("none")) == (2500, 0)
    assert store.kinds() == {"device": 2500, "model": 1}


def test_events_are_read_by_number_kind_and_limit(store):
    for number in range(1200):
        store.put(("device", "model")[number % 2], str(number), {})
    assert [event.sequence for event in store.events(1195)] == [1196, 1197, 1198, 1199, 1200]
    assert [event.sequence for event in store.events(2, kinds=["model"], limit=2)] == [4, 6]
    assert sum(1 for _ in store.events(kinds={"model", "device"})) == 1200
    assert list(store.events(kinds=[])) == []


def test_a_transaction_is_all_or_nothing(store):
    told = []
    store.subscribe(told.extend)
    digests = []

    def fail():
        with store.transaction():
            store.put("device", "urn:a", {})
            digests.append(store.write_blob(b"file"))
            assert store.get("device", "urn:a") is not None  # sees what it wrote itself
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (store.revision, store.get("device", "urn:a"), told) == (0, None, [])
    with pytest.raises(UnknownError, match=digests[0]):
        store.read_blob(digests[0])
    with pytest.raises(DocumentError):
        store.put_many([Entry("device", "urn:a", {}), Entry("device", "urn:b", {"x": float("inf")})])
    assert store.revision == 0


def test_a_part_of_a_transaction_may_fail_alone(store):
    with store.transaction():
        store.put("device", "urn:a", {})
        with pytest.raises(DocumentError):
            store.put_many([Entry("device", "urn:b", {}), Entry("device", "", {})])
        store.put("device", "urn:c", {})
    assert store.ids("device") == ["urn:a", "urn:c"]


def test_subscribers_hear_of_each_event_once_in_order(store):
    told, ended = [], []
    store.put("device", "before", {})
    store.subscribe(told.extend)
    end = store.subscribe(ended.extend)
    store.put("device", "urn:a", {})
    end()
    store.put_many(Entry("device", f"urn:{n:05}", {}) for n in range(2500))
    assert [event.sequence for event in told] == list(range(2, 2503))
    assert [event.id for event in ended] == ["urn:a"]


def test_a_subscriber_may_write_and_may_fail(store, caplog):
    told = []

    def answer(events):
        for event in events:
            if event.kind == "device":
                store.put("learning", event.id, {})

    def fail(_):
        raise ValueError("mine")

    store.subscribe(answer)
    store.subscribe(fail)
    store.subscribe(told.extend)
    store.put("device", "urn:a", {})
    assert [event.kind for event in told] == ["device", "learning"]
    assert "a subscriber failed on events 1 to 1" in caplog.text


def test_expired_documents_are_purged(store):
    store.put("device", "urn:a", {}, expires=10.0)
    store.put("device", "urn:b", {}, expires=20.0)
    store.put("device", "urn:c", {})
    assert [event.id for event in store.purge(10.0)] == ["urn:a"]
    assert store.ids("device") == ["urn:b", "urn:c"]
    store.put("device", "urn:b", {})  # never expires any more
    assert store.purge(1e12) == []


def test_files_are_kept_once_by_their_digest(store):
    digest = store.write_blob(b"model")
    assert store.write_blob(b"model") == digest
    assert store.read_blob(digest) == b"model"
    with pytest.raises(UnknownError, match="0000"):
        store.read_blob("0" * 64)


def test_views_keep_bytes_with_their_revision(store):
    assert store.view("columns") is None
    store.set_view("columns", 3, b"abc")
    store.set_view("columns", 4, b"abcd")
    assert store.view("columns") == (4, b"abcd")
    store.rebuild()
    assert store.view("columns") is None


def test_a_document_of_another_store_can_be_put(store):
    store.put("device", "urn:a", {"n": 1}, expires=5.0, registration={"ttl": 5})
    with Store(None) as other:
        other.put_many(store.records("device"))
        record = other.get("device", "urn:a")
        assert (record.body, record.expires, record.registration) == ({"n": 1}, 5.0, {"ttl": 5})


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["put", "remove"]),
            st.sampled_from(["device", "model"]),
            st.sampled_from("abc"),
            st.dictionaries(
                st.text(max_size=3),
                st.integers() | st.text(max_size=3) | st.floats(allow_nan=False, allow_infinity=False),
                max_size=2,
            ),
        ),
        max_size=30,
    )
)
def test_the_store_is_a_dictionary_with_a_log(steps):
    model: dict = {}
    with Store(None) as store:
        for verb, kind, id, body in steps:
            if verb == "put":
                store.put(kind, id, body)
                model[kind, id] = body
            elif (kind, id) in model:
                store.remove(kind, id)
                del model[kind, id]
        found = {(r.kind, r.id): r.body for kind in ("device", "model") for r in store.records(kind)}
        assert found == model
        folded: dict = {}
        for event in store.events():
            assert event.before == folded.get((event.kind, event.id))
            if event.action == "deleted":
                del folded[event.kind, event.id]
            else:
                assert (event.action == "created") == ((event.kind, event.id) not in folded)
                folded[event.kind, event.id] = event.body
        assert folded == model
        before = [(r.id, r.revision, r.created) for r in store.records("device")]
        assert store.check() == []
        store.rebuild()
        assert store.check() == []
        assert [(r.id, r.revision, r.created) for r in store.records("device")] == before


def test_the_log_refuses_to_change(tmp_path):
    with Store(tmp_path / "a.shoal") as store:
        store.put("device", "urn:a", {})
    file = sqlite3.connect(tmp_path / "a.shoal")
    for change in ("DELETE FROM events", "UPDATE events SET actor = 'x'"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            file.execute(change)
    file.close()


def test_threads_write_and_read_at_once(tmp_path):
    with Store(tmp_path / "a.shoal") as store:
        told, wrong, done = [], [], []
        store.subscribe(told.extend)

        def write(writer):
            for number in range(40):
                event = store.put("device", f"urn:{writer}:{number}", {"n": number})
                if event.sequence > told[-1].sequence:  # is told before it is acknowledged
                    wrong.append(event)
                if store.get("device", event.id).body != {"n": number}:
                    wrong.append(event)
            done.append(writer)

        threads = [threading.Thread(target=write, args=(writer,)) for writer in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (wrong, sorted(done)) == ([], list(range(6)))
        assert [event.sequence for event in told] == list(range(1, 241))
        assert store.count("device") == 240
        assert store.check() == []


def test_a_closed_store_says_so(tmp_path):
    store = Store(tmp_path / "a.shoal")
    store.close()
    with pytest.raises(StorageError, match="closed"):
        store.get("device", "urn:a")
    store.close()


def test_the_checksum_of_an_event_tells_logs_apart(store):
    store.put("device", "urn:a", {})
    (stored,) = [event.sequence for event in store.events()]
    with Store(None) as other:
        other.put("device", "urn:a", {})
        assert other.checksum_at(1) != store.checksum_at(stored)  # at another time
    assert isinstance(store.checksum_at(1), int)
    assert (store.checksum_at(0), store.checksum_at(2)) == (None, None)


def test_a_subscription_may_end_within_a_transaction_while_others_are_told(store):
    """The one who is told waits for the transaction, which does not wait for it."""
    begun, told = threading.Event(), threading.Event()

    def answer(_):
        told.set()
        begun.wait(10)
        store.count("device")  # in memory: waits for the transaction
        if store.count("learning") == 0:
            store.put("learning", "urn:a", {})

    end = store.subscribe(answer)
    other = threading.Thread(target=store.put, args=("device", "urn:a", {}), daemon=True)
    other.start()
    assert told.wait(10)
    with store.transaction():
        begun.set()
        end()
        with pytest.raises(ConflictError, match="within a transaction"):
            store.subscribe(answer)
    other.join(10)
    assert not other.is_alive()
    assert store.ids("learning") == ["urn:a"]
