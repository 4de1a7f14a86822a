"""The index follows the store: every event, boards, other processes; and it is a cache that can be lost."""

from __future__ import annotations

import multiprocessing

import pytest

from shoal.catalog.documents import Board, Capacity, Hardware, Model, Need, Operator, Runtime
from shoal.catalog.matching import follow
from shoal.catalog.matching.follow import NAME, Follower
from shoal.catalog.store import Store

WAKE = Model(
    sha256="1" * 64,
    name="wake",
    version="1.0.0",
    format="tflite",
    size=100,
    inference=Need(bytes=100),
    operators=[Operator(name="RELU")],
)


def td(name, **hardware):
    return {
        "@context": "https://www.w3.org/2022/wot/td/v1.1",
        "id": name,
        "title": name,
        "security": "none",
        "securityDefinitions": {"none": {"scheme": "nosec"}},
        "shoal:hardware": hardware,
    }


def put(store, name, ram, **more):
    memory = {"ram": {"total": ram}, "flash": {"total": 1000}, "runtimes": [{"name": "shoal"}]}
    store.put("device", name, td(name, **memory | more))


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "site.shoal") as opened:
        opened.put("model", WAKE.id, WAKE.body())
        yield opened


def test_every_event_is_in_the_next_answer(store):
    follower = Follower(store)
    assert follower.index().devices_for(WAKE.id).count == 0
    put(store, "urn:dev:a", 100)
    put(store, "urn:dev:b", 200)
    assert follower.index().devices_for(WAKE.id).all() == ["urn:dev:b", "urn:dev:a"]
    put(store, "urn:dev:a", 99)
    assert follower.index().devices_for(WAKE.id).all() == ["urn:dev:b"]
    store.put("alias", "wake@champion", {"name": "wake", "alias": "champion", "model": WAKE.sha256})
    store.remove("device", "urn:dev:b")
    assert follower.index().devices_for(WAKE.id).count == 0
    store.put("model", WAKE.id, WAKE.model_copy(update={"inference": Need(bytes=50)}).body())
    assert follower.index().models_for("urn:dev:a").all() == [WAKE.id]
    store.remove("model", WAKE.id)
    assert follower.index().models_for("urn:dev:a").count == 0


def test_a_board_changes_its_devices(store):
    hardware = Hardware(
        ram=Capacity(total=500), flash=Capacity(total=500), runtimes=[Runtime(name="shoal", training=True)]
    )
    board = Board(name="ours", hardware=hardware)
    store.put("device", "urn:dev:a", td("urn:dev:a", board="ours"))
    put(store, "urn:dev:b", 10)
    follower = Follower(store)
    assert follower.index().devices_for(WAKE.id).count == 0
    store.put("board", "ours", board.body())
    assert follower.index().devices_for(WAKE.id).all() == ["urn:dev:a"]
    small = hardware.model_copy(update={"ram": Capacity(total=50)})
    store.put("board", "ours", board.model_copy(update={"hardware": small}).body())
    assert follower.index().devices_for(WAKE.id).count == 0
    store.remove("board", "ours")
    assert "not known" in follower.index().explain(WAKE.id, "urn:dev:a").reasons[-1]


def test_many_changes_are_read_at_once(store, monkeypatch):
    monkeypatch.setitem(Follower.index.__globals__, "MANY", 5)
    follower = Follower(store)
    put(store, "urn:dev:gone", 100)
    follower.index()
    for number in range(20):
        put(store, f"urn:dev:{number}", 90 + number)
    store.remove("device", "urn:dev:gone")
    assert follower.index().devices_for(WAKE.id).count == 10
    assert len(follower.index().fleet.columns) == 20


def write_elsewhere(path):
    with Store(path) as other:
        put(other, "urn:dev:elsewhere", 100)


def test_what_another_process_writes_is_seen(store):
    follower = Follower(store)
    assert follower.index().devices_for(WAKE.id).count == 0
    writer = multiprocessing.get_context("spawn").Process(target=write_elsewhere, args=(store.path,))
    writer.start()
    writer.join()
    assert follower.index().devices_for(WAKE.id).all() == ["urn:dev:elsewhere"]


def test_an_index_begins_where_it_was_kept(store, monkeypatch):
    for number in range(10):
        put(store, f"urn:dev:{number}", 95 + number)
    follower = Follower(store)
    follower.index()
    follower.keep()
    kept = store.view(NAME)
    assert kept[0] == store.revision
    put(store, "urn:dev:late", 1000)
    monkeypatch.setattr(Follower, "_read", None)  # would be called if it began anew
    again = Follower(store).index()
    assert again.devices_for(WAKE.id).all()[0] == "urn:dev:late"
    assert again.devices_for(WAKE.id).count == 6


@pytest.mark.parametrize("damage", [b"", b"PK", "cut"])
def test_a_damaged_cache_is_made_anew(store, damage):
    put(store, "urn:dev:a", 100)
    follower = Follower(store)
    follower.index()
    follower.keep()
    revision, content = store.view(NAME)
    store.set_view(NAME, revision, content[: len(content) // 2] if damage == "cut" else damage)
    assert Follower(store).index().devices_for(WAKE.id).all() == ["urn:dev:a"]


def test_check_finds_what_a_cache_holds_wrongly_and_rebuild_repairs_it(store):
    put(store, "urn:dev:a", 100)
    assert follow.check(store) == []
    follow.rebuild(store)
    assert follow.check(store) == []
    revision, _ = store.view(NAME)
    index = Follower(store).index()
    index.put_device("urn:dev:a", Hardware(ram=Capacity(total=1)))
    index.put_device("urn:dev:ghost", Hardware())
    index.remove_model(WAKE.id)
    from shoal.catalog.matching.keeping import written

    store.set_view(NAME, revision, written(index))
    assert follow.check(store) == [
        "matching: the index does not hold device 'urn:dev:a' as its document has it",
        "matching: the index does not hold device 'urn:dev:ghost' as its document has it",
        f"matching: the index does not hold model '{WAKE.id}' as its document has it",
    ]
    follow.rebuild(store)
    assert follow.check(store) == []
