"""Errors, validation and HEAD."""

from __future__ import annotations

import httpx
import pytest

from tests.serve.serving import thing

MERGE = {"Content-Type": "application/merge-patch+json"}


def failures(directory):
    """One answer of each kind of failure."""
    client = directory.client
    td = directory.put("failures")
    path = f"/things/{td['id']}"
    return {
        "400 body": client.put(path, content=b"{"),
        "400 td": client.put(path, json=td | {"title": "ä" * 10, "security": "unknown ä"}),
        "400 query": client.get("/things?limit=x"),
        "401": httpx.get(directory.url + path),
        "403": client.delete(path, headers=directory.of("viewer")),
        "404 thing": client.get("/things/urn:example:ä"),
        "404 path": client.get("/nowhere"),
        "405": client.patch("/things", json={}),
        "409": client.delete(needed(directory)),
        "412": client.put(path, json=td, headers={"If-Match": '"0"'}),
        "413": client.put(path, content=b" " * 1_100_000),
        "415": client.patch(path, json={}),
    }


def needed(directory):
    """The path of a thing that a deployment needs."""
    from shoal.catalog.documents import Model

    td = directory.put("needed")
    model = Model(sha256="1" * 64, name="needed", version="1.0.0", format="other", size=1)
    directory.catalog.add(model)
    said = {"model": "needed", "device": td["id"]}
    assert directory.client.post("/deployments", json=said).status_code == 201
    return f"/things/{td['id']}"


def test_tdd_http_error_response(directory):
    for name, answer in failures(directory).items():
        status = int(name[:3])
        assert answer.status_code == status, name
        assert answer.headers["content-type"] == "application/problem+json"
        told = answer.json()
        assert told["status"] == status
        assert told["title"]
        assert told["detail"]


def test_tdd_http_error_response_utf_8(shared):
    answer = shared.client.get("/things/urn:example:ä€😀")
    assert "ä€😀" in answer.content.decode("utf-8")


def test_tdd_http_error_response_lang(shared):
    answers = [
        shared.client.get("/things/urn:example:none", headers={"Accept-Language": language})
        for language in ("en", "de", "*")
    ]
    assert len({answer.content for answer in answers}) == 1


PATHS = (
    "/things",
    "/things/urn:example:head",
    "/.well-known/wot",
    "/events",
    "/models",
    "/deployments",
    "/docs",
)


@pytest.mark.parametrize("path", PATHS)
def test_tdd_http_head(shared, path):
    shared.put("head")
    plain = {"Accept-Encoding": "identity"}  # packed, an answer is as long as its times are random
    head = shared.client.head(path, headers=plain)
    assert (head.status_code, head.content) == (200, b"")
    if path != "/events":  # whose GET does not end
        get = shared.client.get(path, headers=plain)
        assert head.headers["content-type"] == get.headers["content-type"]
        assert head.headers["content-length"] == get.headers["content-length"]
    assert shared.client.head("/things/urn:example:none").status_code == 404


def test_tdd_http_unsupported_feature(shared):
    assert shared.client.get("/things?sort_by=title").status_code == 400
    assert shared.client.get("/search/xpath?query=/").status_code == 404
    answer = shared.client.patch("/things", json={})
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, POST")
    answer = shared.client.post("/things/urn:example:1", json={})
    assert answer.headers["allow"] == "DELETE, GET, HEAD, PATCH, PUT"


def test_tdd_validation_syntactic(shared):
    answer = shared.client.put("/things/urn:example:broken", json={"id": "urn:example:broken"})
    assert answer.status_code == 400
    assert shared.client.get("/things/urn:example:broken").status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": None}, "title"),
        ({"security": None}, "security"),
        ({"securityDefinitions": None}, "securityDefinitions"),
        ({"@context": "https://example.com/context"}, "@context"),
        ({"properties": {"status": {"forms": [{"href": 7}]}}}, "properties.status.forms[0].href"),
        ({"registration": {"ttl": "soon"}}, "registration.ttl"),
        ({"registration": []}, "registration"),
    ],
)
def test_tdd_validation_jsonschema(shared, change, field):
    td = {name: value for name, value in (thing("schema") | change).items() if value is not None}
    answer = shared.client.put("/things/urn:example:schema", json=td)
    assert answer.status_code == 400
    assert field in [one["field"] for one in answer.json()["validationErrors"]]
    old = thing("td-1.0", **{"@context": "https://www.w3.org/2019/wot/td/v1"})
    assert shared.client.put("/things/urn:example:td-1.0", json=old).is_success


def test_tdd_validation_result(shared):
    td = thing("result", title=7, properties={"on": {"forms": [{}]}})
    told = shared.client.put("/things/urn:example:result", json=td).json()
    assert {one["field"] for one in told["validationErrors"]} == {"title", "properties.on.forms[0].href"}
    assert "title" in told["detail"]


def test_tdd_validation_response(shared):
    for send in (
        lambda: shared.client.put("/things/urn:example:r", json=thing("r", title=7)),
        lambda: shared.client.post("/things", json=thing(title=7)),
        lambda: shared.client.patch(f"/things/{shared.put('p')['id']}", json={"title": 7}, headers=MERGE),
    ):
        answer = send()
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/problem+json"
        assert all(
            one.keys() == {"field", "description"} and one["description"]
            for one in answer.json()["validationErrors"]
        )


def test_tdd_validation_response_utf_8(shared):
    answer = shared.client.put("/things/urn:example:u", json=thing("u", security="schlüssel€"))
    assert "schlüssel€" in answer.content.decode("utf-8")
