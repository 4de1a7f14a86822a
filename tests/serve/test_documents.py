"""Models, aliases, deployments, and the rest of the catalog."""

from __future__ import annotations

import hashlib

import pytest

from shoal import nn
from shoal.catalog.documents import Model
from tests.serve.serving import Stream

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
        assert '"status":"active"' in stream.events[1]["data"]


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
    assert {one["kind"] for one in found} == {"model", "device"}
    found = directory.client.get("/search/text", params={"query": "hears", "kinds": "device"}).json()
    assert [one["id"] for one in found] == ["urn:example:1"]
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
