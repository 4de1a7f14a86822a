"""Creating, reading, updating and deleting Thing Descriptions."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.serve.serving import TD, thing

MERGE = {"Content-Type": "application/merge-patch+json"}
AS_TD = {"Content-Type": "application/td+json"}


def stored(directory, number):
    """A thing without what the directory adds."""
    td = directory.client.get(f"/things/urn:example:{number}").json()
    del td["registration"]
    return td | {"@context": TD}


def test_tdd_things_list_only(shared):
    assert shared.client.get("/things").status_code == 200


def test_tdd_things_crud(shared):
    client, path = shared.client, "/things/urn:example:crud"
    assert client.put(path, json=thing("crud")).status_code == 201
    assert client.get(path).status_code == 200
    assert client.put(path, json=thing("crud", title="new")).status_code == 204
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404


def test_tdd_things_crudl(directory):
    directory.put(1)
    directory.put(2)
    directory.client.delete("/things/urn:example:1")
    assert [one["id"] for one in directory.client.get("/things").json()] == ["urn:example:2"]


def test_tdd_things_default_representation(shared):
    shared.put("default")
    answer = shared.client.get("/things/urn:example:default", headers={"Accept": "*/*"})
    assert answer.json()["@context"][0] == TD
    # A body without a type is one in JSON.
    answer = shared.client.put("/things/urn:example:default", content=answer.content)
    assert answer.status_code == 204


def test_tdd_things_representation_alternate_input(shared):
    for media in (
        "application/td+json",
        "application/ld+json",
        "application/json",
        "application/json; charset=utf-8",
    ):
        answer = shared.client.put(
            "/things/urn:example:media", json=thing("media", title=media), headers={"Content-Type": media}
        )
        assert answer.status_code in {201, 204}
        assert stored(shared, "media")["title"] == media
    for refused in ({"Content-Type": "text/turtle"}, AS_TD | {"Content-Encoding": "gzip"}):
        answer = shared.client.put("/things/urn:example:media", json=thing("media"), headers=refused)
        assert answer.status_code == 415


def test_tdd_http_representation_alternate_output(shared):
    shared.put("accept", description="long " * 1000)
    path = "/things/urn:example:accept"
    for accept, media in {
        "*/*": "application/td+json",
        "application/json": "application/json",
        "application/ld+json;q=0.5, application/json;q=0.1": "application/ld+json",
        "image/png": "application/td+json",
    }.items():
        assert shared.client.get(path, headers={"Accept": accept}).headers["content-type"] == media
    packed = shared.client.get(path, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.json()["title"] == "Thing accept"


def test_tdd_things_create_known_vs_anonymous(shared):
    put = shared.client.put("/things/urn:example:anonymous", json=thing())
    post = shared.client.post("/things", json=thing("known"))
    for answer in (put, post):
        assert answer.status_code == 400
        assert answer.json()["validationErrors"][0]["field"] == "id"
    other = shared.client.put("/things/urn:example:one", json=thing("other"))
    assert (other.status_code, other.json()["validationErrors"][0]["field"]) == (400, "id")


@pytest.mark.parametrize(
    "id",
    ["urn:dev:ops:32473-lamp", "https://example.com/things/1?x=a&y=b", "urn:example:ä%20/..", "tag:a,2026:b"],
)
def test_tdd_things_create_known_td(shared, id):
    td = thing() | {"id": id, "title": "Known"}
    path = f"/things/{quote(id, safe='')}"
    assert shared.client.put(path, json=td).status_code == 201
    answer = shared.client.get(path).json()
    assert {name: answer[name] for name in td if name != "@context"} == {
        name: value for name, value in td.items() if name != "@context"
    }


def test_tdd_things_create_known_contenttype(shared):
    answer = shared.client.put("/things/urn:example:td-json", json=thing("td-json"), headers=AS_TD)
    assert answer.status_code == 201


def test_tdd_things_create_known_td_resp(shared):
    path = "/things/urn:example:resp"
    assert shared.client.put(path, json=thing("resp")).status_code == 201
    assert shared.client.put(path, json=thing("resp")).status_code == 204


def test_tdd_things_create_anonymous_td(shared):
    assert shared.client.post("/things", json=thing()).status_code == 201


def test_tdd_things_create_anonymous_contenttype(shared):
    assert shared.client.post("/things", json=thing(), headers=AS_TD).status_code == 201


def test_tdd_things_create_anonymous_id(shared):
    path = shared.client.post("/things", json=thing(title="Local")).headers["location"]
    assert shared.client.get(path).json()["title"] == "Local"


def test_tdd_things_create_anonymous_td_resp(shared):
    answer = shared.client.post("/things", json=thing())
    assert answer.status_code == 201
    assert answer.headers["location"].startswith("/things/urn:uuid:")


def test_tdd_things_retrieve(shared):
    td = shared.put("retrieve", properties={"status": {"forms": [{"href": "https://example.com/status"}]}})
    assert stored(shared, "retrieve") == td
    missing = shared.client.get("/things/urn:example:missing")
    assert (missing.status_code, missing.headers["content-type"]) == (404, "application/problem+json")


def test_tdd_things_retrieve_resp(shared):
    td = shared.put("retrieved")
    answer = shared.client.get("/things/urn:example:retrieved")
    assert (answer.status_code, answer.json()["title"]) == (200, td["title"])


def test_tdd_things_retrieve_resp_content_type(shared):
    shared.put("content")
    assert shared.client.get("/things/urn:example:content").headers["content-type"] == "application/td+json"


def test_tdd_things_update(shared):
    shared.put("update", description="goes", title="old")
    shared.put("update", title="new")
    assert stored(shared, "update") == thing("update", title="new")


def test_tdd_things_update_contenttype(shared):
    shared.put("update-type")
    path = "/things/urn:example:update-type"
    assert shared.client.put(path, json=thing("update-type", title="new"), headers=AS_TD).status_code == 204


def test_tdd_things_update_resp(shared):
    shared.put("update-resp")
    answer = shared.client.put("/things/urn:example:update-resp", json=thing("update-resp", title="new"))
    assert (answer.status_code, answer.content) == (204, b"")


def patched(directory, number, patch, **more):
    directory.put(number, **more)
    return directory.client.patch(f"/things/urn:example:{number}", json=patch, headers=MERGE)


def test_tdd_things_update_partial(shared):
    patched(shared, "partial", {"title": "new"}, description="stays")
    assert stored(shared, "partial") == thing("partial", title="new", description="stays")


@pytest.mark.parametrize(
    ("old", "patch", "new"),
    [
        ({"description": "a"}, {"description": "b"}, {"description": "b"}),
        ({}, {"description": "b"}, {"description": "b"}),
        ({"description": "a"}, {"description": None}, {}),
        (
            {"titles": {"de": "a", "en": "b"}},
            {"titles": {"de": None, "fr": "c"}},
            {"titles": {"en": "b", "fr": "c"}},
        ),
        ({"x:y": [1, 2, 3]}, {"x:y": [4]}, {"x:y": [4]}),
        ({"x:y": {"a": 1}}, {"x:y": "text"}, {"x:y": "text"}),
        ({"x:y": "text"}, {"x:y": {"a": {"b": None, "c": 1}}}, {"x:y": {"a": {"c": 1}}}),
        ({"x:y": [{"a": "b"}]}, {"x:y": {"a": 1}}, {"x:y": {"a": 1}}),
        ({}, {}, {}),
    ],
)
def test_tdd_things_update_partial_mergepatch(shared, old, patch, new):
    context = [TD, {"x": "https://example.com/"}]
    answer = patched(shared, "merge", patch, **{"@context": context}, **old)
    assert answer.status_code == 204
    assert stored(shared, "merge") == thing("merge", **new)


def test_tdd_things_update_partial_contenttype(shared):
    shared.put("patch-type")
    path = "/things/urn:example:patch-type"
    for headers in ({}, {"Content-Type": "application/json"}, AS_TD):
        answer = shared.client.patch(path, content=b'{"title": "new"}', headers=headers)
        assert (answer.status_code, answer.json()["hint"]) == (415, MERGE["Content-Type"])
    assert shared.client.patch(path, content=b'{"title": "new"}', headers=MERGE).status_code == 204


def test_tdd_things_update_partial_partialtd(shared):
    for patch, field in (
        ({"title": 7}, "title"),
        ({"title": None}, "title"),
        ({"id": "urn:example:other"}, "id"),
        ({"id": None}, "id"),
        ({"securityDefinitions": {"none": None}}, "securityDefinitions"),
    ):
        answer = patched(shared, "partial-td", patch)
        assert answer.status_code == 400
        assert answer.json()["validationErrors"][0]["field"] == field
        assert stored(shared, "partial-td") == thing("partial-td")
    assert (
        shared.client.patch("/things/urn:example:partial-td", content=b"[]", headers=MERGE).status_code == 400
    )
    assert shared.client.patch("/things/urn:example:nowhere", json={}, headers=MERGE).status_code == 404


def test_tdd_things_update_partial_resp(shared):
    answer = patched(shared, "partial-resp", {"title": "new"})
    assert (answer.status_code, answer.content) == (204, b"")


def test_tdd_things_delete(shared):
    shared.put("delete")
    path = "/things/urn:example:delete"
    assert shared.client.delete(path).is_success
    assert shared.client.get(path).status_code == 404
    assert shared.client.delete(path).status_code == 404


def test_tdd_things_delete_resp(shared):
    shared.put("delete-resp")
    answer = shared.client.delete("/things/urn:example:delete-resp")
    assert (answer.status_code, answer.content) == (204, b"")
