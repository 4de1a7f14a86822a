"""Models, aliases, deployments, and the rest of the catalog."""

from __future__ import annotations

import hashlib
import json
import random
import time

import httpx
import pytest

from shoal import nn
from shoal.catalog.documents import Model
from shoal.catalog.store import Store
from tests.serve.serving import Stream, until

BINARY = {"Content-Type": "application/octet-stream"}
MERGE = {"Content-Type": "application/merge-patch+json"}


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    """The file of a small network."""
    file = tmp_path_factory.mktemp("model") / "wake.shoal"
    nn.Network([nn.Dense(4, "relu"), nn.Dense(2)], input_shape=(3,), loss="mse", seed=0).save(file)
    return file.read_bytes()


def post(directory, content, **parameters):
    parameters = {"kind": "shoal", "name": "wake"} | parameters
    return directory.client.post("/models", params=parameters, content=content, headers=BINARY)


def test_a_model_is_added_and_found_under_all_its_names(directory, content):
    answer = post(
        directory, content, task="classification", licence="MIT", sensors=["Microphone"], tags=["a", "b"]
    )
    assert answer.status_code == 201, answer.text
    said, digest = answer.json(), hashlib.sha256(content).hexdigest()
    assert (said["id"], said["name"], said["version"]) == (f"sha256:{digest}", "wake", "1.0.0")
    assert (said["task"], said["licence"], said["tags"]) == ("classification", "MIT", ["a", "b"])
    assert said["inputs"][0]["shape"] == [3]
    assert answer.headers["location"] == f"/models/sha256:{digest}"
    client = directory.client
    assert client.put("/models/wake/aliases/champion", json={"model": "wake:1.0.0"}).status_code == 204
    for name in ("wake", "wake:1.0.0", "wake@champion", f"sha256:{digest}", digest[:8]):
        assert client.get(f"/models/{name}").json() == said
        file = client.get(f"/models/{name}/file")
        assert file.content == content
        assert file.headers["content-disposition"] == 'attachment; filename="wake-1.0.0.shoal"'
    assert [one["id"] for one in client.get("/models").json()] == [said["id"]]
    # The same file again changes nothing.
    before = directory.catalog.store.revision
    assert post(directory, content).status_code == 201
    assert directory.catalog.store.revision == before


def test_a_model_is_changed_as_the_client_believes(directory, content):
    client = directory.client
    tag = post(directory, content).headers["etag"]
    assert client.get("/models/wake").headers["etag"] == tag
    assert client.get("/models/wake:1.0.0", headers={"If-None-Match": tag}).status_code == 304
    file = client.get("/models/wake/file").headers["etag"]
    assert client.get("/models/wake/file", headers={"If-None-Match": file}).status_code == 304
    path, said = "/models/wake/aliases/champion", {"model": "wake"}
    assert client.put(path, json=said, headers={"If-Match": "*"}).status_code == 412
    moved = client.put(path, json=said, headers={"If-None-Match": "*"})
    assert moved.status_code == 204
    assert client.put(path, json=said, headers={"If-None-Match": "*"}).status_code == 412
    alias = client.get(path)
    assert (alias.headers["etag"], alias.json()["model"]) == (
        moved.headers["etag"],
        hashlib.sha256(content).hexdigest(),
    )
    assert client.get(path, headers={"If-None-Match": moved.headers["etag"]}).status_code == 304
    assert client.get("/models/wake/aliases/none").status_code == 404
    for wrong in ('"nonsense"', tag):
        assert client.delete(path, headers={"If-Match": wrong}).status_code == 412
    assert client.delete(path, headers={"If-Match": moved.headers["etag"]}).status_code == 204
    for wrong in ('"nonsense"', file):
        assert client.delete("/models/wake", headers={"If-Match": wrong}).status_code == 412
    assert client.delete("/models/wake", headers={"If-Match": tag}).status_code == 204


@pytest.fixture
def large(directory):
    """The digest of a model with a file of 24 MiB."""
    digest = directory.catalog.store.write_blob(random.Random(0).randbytes(24 * 2**20))
    directory.catalog.add(Model(sha256=digest, name="large", version="1.0.0", format="other", size=1))
    return digest


def test_a_file_is_read_as_the_client_takes_it(directory, large, monkeypatch):
    taken, pieces = [], Store.blob_pieces

    def counted(store, sha256):
        for piece in pieces(store, sha256):
            taken.append(len(piece))
            yield piece

    monkeypatch.setattr(Store, "blob_pieces", counted)
    with directory.client.stream("GET", "/models/large/file") as answer:
        assert answer.headers["content-length"] == str(24 * 2**20)
        assert "content-encoding" not in answer.headers
        until(lambda: len(taken) > 1)
        time.sleep(0.3)  # long enough for all of it, if it were sent unasked
        assert sum(taken) < 16 * 2**20, "more than the sockets hold"
        assert directory.client.get("/models/large").status_code == 200
        digest = hashlib.sha256()
        for part in answer.iter_bytes():
            digest.update(part)
    assert (digest.hexdigest(), sum(taken)) == (large, 24 * 2**20)
    taken.clear()
    head = directory.client.head("/models/large/file")
    assert (head.status_code, head.headers["content-length"], taken) == (200, str(24 * 2**20), [])


@pytest.mark.usefixtures("large")
def test_a_damaged_file_is_no_answer(directory, content):
    post(directory, content)
    with directory.catalog.store.transaction() as connection:
        connection.execute("UPDATE blobs SET content = zeroblob(length(content))")
    assert directory.client.get("/models/wake/file").status_code == 503
    with pytest.raises(httpx.RemoteProtocolError):  # it ends too early
        directory.client.get("/models/large/file")


def test_a_model_is_removed_when_nobody_needs_it(directory, content):
    client = directory.client
    post(directory, content)
    client.put("/models/wake/aliases/champion", json={"model": "wake"})
    needed = client.delete("/models/wake")
    assert (needed.status_code, "wake@champion" in needed.json()["detail"]) == (409, True)
    assert client.delete("/models/wake/aliases/champion").status_code == 204
    assert client.delete("/models/wake").status_code == 204
    assert client.get("/models/wake").status_code == 404
    assert client.delete("/models/wake/aliases/champion").status_code == 404
    for wrong in ({"model": 7}, {}, {"model": "none"}):
        assert client.put("/models/wake/aliases/champion", json=wrong).status_code in {400, 404}


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "../../etc/passwd"},
        {"name": ""},
        {"name": "a b"},
        {"name": "x" * 101},
        {"name": "\x0c\U0001dd2a"},
        {"version": "one"},
        {"version": "1.0"},
        {"title": "x" * 10_001},
        {"sensors": ["no such sensor"]},
        {"train_last": 0},
        {"kind": "exe"},
        {"kind": "onnx"},
    ],
)
def test_what_is_said_of_a_model_is_checked(directory, content, wrong):
    answer = post(directory, content, **wrong)
    assert answer.status_code == 400, answer.text
    assert answer.json()["detail"]
    assert directory.catalog.store.revision == 0


def test_an_alias_is_a_name(directory, content):
    post(directory, content)
    for path in ("/models/a b/aliases/c", "/models/a/aliases/%0C", "/models/a/aliases/%F0%9D%AC%AA"):
        answer = directory.client.put(path, json={"model": "wake"})
        assert (answer.status_code, bool(answer.json()["validationErrors"])) == (400, True)


def test_models_come_in_pages(directory):
    for number in range(5):
        directory.catalog.add(
            Model(sha256=f"{number:064x}", name=f"m{number}", version="1.0.0", format="other", size=1)
        )
    page = directory.client.get("/models?limit=2&format=collection").json()
    assert (page["total"], [one["name"] for one in page["members"]]) == (5, ["m0", "m1"])
    assert [one["name"] for one in directory.client.get(page["next"]).json()["members"]] == ["m2", "m3"]


def test_the_life_of_a_deployment(directory, content):
    client = directory.client
    post(directory, content)
    td = directory.put("lamp")
    with Stream(directory, "/events?kinds=deployment&diff=true") as stream:
        answer = client.post("/deployments", json={"model": "wake", "device": td["id"]})
        assert answer.status_code == 201
        path, said = answer.headers["location"], answer.json()
        assert said["status"] == "planned"
        assert client.get("/deployments").json() == [said]
        assert said["model"] == hashlib.sha256(content).hexdigest()
        assert client.get(path).json() == said
        assert client.delete(f"/things/{td['id']}").status_code == 409
        assert client.patch(path, json={"status": "active"}, headers=MERGE).status_code == 204
        assert client.patch(path, json={"status": "exploded"}, headers=MERGE).status_code == 400
        assert client.patch(path, json={"key": "other"}, headers=MERGE).status_code == 400
        assert client.put(path, json=said | {"status": "removed"}).status_code == 204
        assert client.put("/deployments/mine", json={"model": "wake", "device": td["id"]}).status_code == 201
        assert client.put("/deployments/mine", json={"key": "yours"}).status_code == 400
        again = client.post("/deployments", json={"key": "mine", "model": "wake", "device": td["id"]})
        assert again.status_code == 409
        assert len(client.get("/deployments").json()) == 2
        assert client.delete("/deployments/mine").status_code == 204
        assert client.delete(f"/things/{td['id']}").status_code == 204
        events = [event["event"].removeprefix("deployment_") for event in stream.wait(5)]
        assert events == ["created", "updated", "updated", "created", "deleted"]
        assert '"status":"planned"' in stream.events[0]["data"]
        assert '"status":"active"' in stream.events[1]["data"]


def test_a_deployment_that_is_planned_again_says_so(directory, content):
    post(directory, content)
    directory.put("lamp")
    with Stream(directory, "/events?kinds=deployment&diff=true") as stream:
        path = "/deployments/hall-7"
        directory.client.put(path, json={"model": "wake", "device": "urn:example:lamp", "status": "active"})
        for status in ("planned", None):
            assert directory.client.patch(path, json={"status": status}, headers=MERGE).status_code == 204
            assert directory.client.get(path).json()["status"] == "planned"
        assert json.loads(stream.wait(2)[1]["data"]) == {"id": "hall-7", "status": "planned"}


def test_a_deployment_names_its_device_by_the_title(directory, content):
    client = directory.client
    post(directory, content)
    directory.put(1, title="Hall 7")
    directory.put(2, title="Hall 8")
    made = client.post("/deployments", json={"model": "wake", "device": "hall 7"})
    assert (made.status_code, made.json()["device"]) == (201, "urn:example:1")
    path = made.headers["location"]
    assert client.patch(path, json={"device": "Hall 8"}, headers=MERGE).status_code == 204
    assert client.get(path).json()["device"] == "urn:example:2"
    directory.put(3, title="Hall 8")
    for wrong in ("Hall 8", "Hall 9", "", "x" * 2000):
        for answer in (
            client.patch(path, json={"device": wrong}, headers=MERGE),
            client.put("/deployments/other", json={"model": "wake", "device": wrong}),
        ):
            assert (answer.status_code, answer.json()["validationErrors"][0]["field"]) == (400, "device")


def test_the_catalog_is_counted_checked_and_rebuilt(directory, content):
    post(directory, content)
    directory.put(1)
    assert directory.client.get("/catalog").json() == {"revision": 2, "documents": {"device": 1, "model": 1}}
    assert directory.client.post("/catalog/check").json() == {"problems": []}
    assert directory.client.post("/catalog/rebuild").json() == {"revision": 2}
    assert directory.client.get("/things/urn:example:1").status_code == 200


def test_text_finds_documents_of_all_kinds(directory, content):
    post(directory, content, title="Wake word", description="hears its name")
    directory.put(1, title="A lamp that hears")
    found = directory.client.get("/search/text", params={"query": "hears"}).json()
    assert {one["kind"] for one in found} == {"model", "thing"}
    found = directory.client.get("/search/text", params={"query": "hears", "kinds": "device"}).json()
    assert [one["id"] for one in found] == ["urn:example:1"]
    for kinds in (["thing"], ["thing,run"], ["run", "thing"]):
        said = directory.client.get("/search/text", params={"query": "hears", "kinds": kinds})
        assert said.json() == found
    for kinds in ("lamp", "thing,lamp", ""):
        said = directory.client.get("/search/text", params={"query": "hears", "kinds": kinds})
        assert (said.status_code, said.json()["validationErrors"][0]["field"]) == (400, "kinds")
    assert directory.client.get("/search/text", params={"query": '"'}).status_code in {200, 400}


def test_the_page_of_the_api_needs_nothing_else(shared):
    page = shared.client.get("/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "src=" not in page.text
    assert "http://" not in page.text
    api = shared.client.get("/openapi.json").json()
    for path, operations in api["paths"].items():
        for method in operations:
            assert f"{method.upper()} {path}".replace("&", "&amp;") in page.text


def test_a_deployment_names_what_there_is(directory, content):
    client = directory.client
    post(directory, content)
    td = directory.put("lamp")
    made = client.put("/deployments/hall%2F7", json={"model": "wake@none", "device": td["id"]})
    assert (made.status_code, made.json()["validationErrors"][0]["field"]) == (400, "model")
    made = client.put("/deployments/hall%2F7", json={"model": "wake", "device": td["id"]})
    assert (made.status_code, made.headers["location"]) == (201, "/deployments/hall%2F7")
    path = made.headers["location"]
    assert client.get(path).json()["model"] == hashlib.sha256(content).hexdigest()
    assert client.patch(path, json={"model": "wake:1.0.0"}, headers=MERGE).status_code == 204
    for wrong, field in (({"device": "urn:example:model"}, "device"), ({"model": "device"}, "model")):
        for answer in (
            client.patch(path, json=wrong, headers=MERGE),
            client.put("/deployments/new", json={"model": "wake", "device": td["id"]} | wrong),
            client.post("/deployments", json={"model": "wake", "device": td["id"]} | wrong),
        ):
            assert (answer.status_code, answer.json()["validationErrors"][0]["field"]) == (400, field)
    assert client.patch("/deployments/none", json={}, headers=MERGE).status_code == 404
