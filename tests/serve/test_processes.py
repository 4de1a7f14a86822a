"""The processes that read what others send: JSONPath, and files of models."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from pathlib import Path

import pytest

from shoal import nn
from shoal.catalog.store import Store
from shoal.errors import DocumentError, ModelError, QueryError, StorageError
from shoal.serve import Settings
from shoal.serve.describing import describe
from shoal.serve.jsonpath import answer
from shoal.serve.turns import Turns
from shoal.serve.watchdog import Watchdog
from tests.serve.serving import served, thing, until

ENDLESS = "SELECT (COUNT(*) AS ?n) { " + " ".join(f"?s{i} ?p{i} ?o{i} ." for i in range(8)) + " }"
CUBIC = "$[?count($[?count($[?count($..*) > 0]) > 0]) > 0]"
NAMES = ("resource", "json", "numpy", "shoal", "onnx")


@pytest.fixture
def trap(tmp_path, monkeypatch):
    """A folder that the server is started in, with modules that must not run."""
    folder = tmp_path / "trap"
    folder.mkdir()
    for name in NAMES:
        (folder / f"{name}.py").write_text(f"open({str(folder / 'ran')!r}, 'w')\nraise SystemExit(9)\n")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def store(tmp_path):
    """A catalog with 200 things."""
    with Store(tmp_path / "site.shoal") as one:
        with one.transaction():
            for number in range(200):
                td = thing(number, description="a" * 200)
                one.put("device", td["id"], td)
        yield one


def watching(store, use, **limits):
    """Run something with a watchdog."""

    async def run():
        limits_of = {"seconds": 30.0, "rows": 1000, "size": 2**20} | limits
        watchdog = Watchdog(store.path, **limits_of)
        try:
            return await use(watchdog)
        finally:
            await watchdog.stop()

    return asyncio.run(run())


def test_nothing_of_the_folder_of_the_server_runs(trap, store):
    assert watching(store, lambda one: one.ask("$[0].id")) == b'["urn:example:0"]'
    network = nn.Network([nn.Dense(2)], input_shape=(3,), loss="mse", seed=0)
    network.save(trap / "wake.shoal")
    found = describe(trap / "wake.shoal", {"name": "wake"}, Settings())
    assert found.fields["inputs"][0]["shape"] == [3]
    assert not (trap / "ran").exists()


def without_network(pid):
    """Whether a process is in a network of its own, or may open no socket."""
    own, other = (Path(f"/proc/{one}/ns/net").readlink() for one in ("self", pid))
    return own != other or "Seccomp:\t2" in Path(f"/proc/{pid}/status").read_text()


def test_a_process_has_a_session_and_no_network(store):
    async def use(watchdog):
        await watchdog.ask("$[0].id")
        pid = watchdog._process.pid
        assert os.getsid(pid) == pid
        return await asyncio.to_thread(without_network, pid)

    if not Path("/proc/self/ns/net").exists():
        pytest.skip("the kernel has no namespaces")
    assert watching(store, use)


def test_what_went_wrong_with_a_query_is_told_apart(store, capfd):
    async def killed(watchdog):
        await watchdog.ask("$[0].id")
        asked = asyncio.create_task(watchdog.ask(CUBIC))
        await asyncio.sleep(0.2)
        os.kill(watchdog._process.pid, signal.SIGKILL)
        with pytest.raises(QueryError, match="ended its process"):
            await asked
        return await watchdog.ask("$[0].id")

    assert watching(store, killed) == b'["urn:example:0"]'

    async def slow(watchdog):
        await watchdog.ask("$[0].id")
        with pytest.raises(QueryError, match="longer than 2 s"):
            await watchdog.ask(CUBIC)

    watching(store, slow, seconds=2.0)
    with pytest.raises(QueryError, match="more than 1,000 values or 100 bytes"):
        watching(store, lambda one: one.ask("$[*]"), size=100)
    # A fault of the program is neither, and is told to who runs it.
    assert b"cannot be answered" in answer(store, b'["$", "many", 1]')
    assert "TypeError" in capfd.readouterr().err


def test_a_catalog_that_is_gone_is_no_fault_of_the_query(tmp_path):
    with Store(tmp_path / "site.shoal") as store:
        (tmp_path / "site.shoal").rename(tmp_path / "moved")
        with pytest.raises(StorageError, match="does not start"):
            watching(store, lambda one: one.ask("$[0].id"))


def file(folder, name, content):
    path = folder / name
    path.write_bytes(content)
    return path


def test_a_file_takes_no_more_than_so_much_time_and_memory(tmp_path):
    with pytest.raises(ModelError, match=r"longer than 0\.01 s"):
        describe(file(tmp_path, "model.tflite", b"0" * 100), {}, Settings(describe_seconds=0.01))
    large = file(tmp_path, "model.onnx", b"\x08" + b"0" * 30_000_000)
    with pytest.raises(ModelError, match=r"memory|ended the process"):
        describe(large, {}, Settings(describe_memory=2**20))


def test_what_is_wrong_with_a_file_comes_through(tmp_path):
    with pytest.raises(ModelError, match="not an ONNX file"):
        describe(file(tmp_path, "model.onnx", b"no model"), {}, Settings())
    with pytest.raises(DocumentError) as refused:
        describe(file(tmp_path, "model.tflite", b"no model"), {"size": 3}, Settings())
    assert refused.value.fields == (("size", "the file itself says this"),)


def test_turns():
    async def use():
        turns, others = Turns(1, waiting=1), Turns(1, waiting=1)
        go = threading.Event()
        first = asyncio.create_task(turns.run(go.wait))
        second = asyncio.create_task(turns.run(lambda: 2))
        await asyncio.sleep(0.05)
        with pytest.raises(Exception, match="2 requests of this kind are there already"):
            await turns.run(lambda: 3)
        goes_on = asyncio.create_task(turns.run(lambda: 6, begun=True))
        assert await others.run(lambda: 4) == 4
        assert not second.done()
        go.set()
        assert (await first, await second) == (True, 2)
        assert await goes_on == 6
        async with turns:
            pass
        return await turns.run(lambda: 5)

    assert asyncio.run(use()) == 5


def test_queries_that_take_long_keep_nobody_else_waiting(tmp_path):
    with served(tmp_path, settings={"query_seconds": 4.0}) as directory:
        for number in range(100):
            directory.put(number)

        def get(path, **parameters):
            import httpx

            headers = directory.of("viewer")
            return httpx.get(f"{directory.url}{path}", params=parameters, headers=headers, timeout=120)

        assert get("/search/jsonpath", query="$[0].id").status_code == 200
        assert get("/search/sparql", query="ASK {}").status_code == 200
        endless = [
            threading.Thread(target=get, args=["/search/sparql"], kwargs={"query": ENDLESS}) for _ in range(3)
        ]
        for one in endless:
            one.start()
        turns = directory.app.state.service.sparql
        until(lambda: turns._limiter.statistics().tasks_waiting == 2)
        assert get("/search/jsonpath", query="$[0].id").json() == ["urn:example:0"]
        assert get("/search/text", query="thing").status_code == 200
        assert get("/match/coverage").status_code == 200
        assert any(one.is_alive() for one in endless)
        for one in endless:
            one.join()
