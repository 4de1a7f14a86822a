"""What must not get in: each is told what is wrong, and nothing is stored."""

from __future__ import annotations

import gzip
import json
import socket

import pytest

from tests.serve.serving import TD, served, thing

MERGE = {"Content-Type": "application/merge-patch+json"}
PATH = "/things/urn:example:bad"
BOARD = "shoal:hardware"


def nested(depth, opening="[", closing="]"):
    return opening * depth + closing * depth


def with_text(text):
    """A thing with this JSON text as a member."""
    return (json.dumps(thing("bad"))[:-1] + f', "x:y": {text}}}').encode()


THINGS = {
    "no JSON": b"{",
    "nothing": b"",
    "a list": b"[]",
    "a text": b'"td"',
    "null": b"null",
    "not UTF-8": b'{"title": "\xff\xfe"}',
    "UTF-16": json.dumps(thing("bad")).encode("utf-16"),
    "NaN": with_text("NaN"),
    "infinity": with_text("1e999"),
    "a number of 10,000 digits": with_text("9" * 10_000),
    "half a character": with_text('"\\ud800"'),
    "a key twice": with_text('{"a": 1, "a": 2}'),
    "nested 100 levels": with_text(nested(100)),
    "nested 100,000 levels": with_text(nested(100_000)),
    "nested objects": with_text('{"a":' * 10_000 + "1" + "}" * 10_000),
    "10 MB": with_text('"' + "x" * 10_000_000 + '"'),
    "context from elsewhere": json.dumps(
        thing("bad", **{"@context": [TD, "https://evil.example/c"]})
    ).encode(),
    "context of a file": json.dumps(thing("bad", **{"@context": [TD, "file:///etc/passwd"]})).encode(),
    "context that imports": json.dumps(
        thing("bad", **{"@context": [TD, {"@import": "https://evil.example/c"}]})
    ).encode(),
    "scoped context": json.dumps(
        thing("bad", **{"@context": [TD, {"a": {"@id": "b:", "@context": "https://evil.example/c"}}]})
    ).encode(),
    "no security": json.dumps({**thing("bad"), "security": "other"}).encode(),
    "unknown board": json.dumps(thing("bad", **{BOARD: {"board": "no such board"}})).encode(),
    "a board that nobody told of": json.dumps(thing("bad", **{BOARD: {"board": "nano34"}})).encode(),
    "negative RAM": json.dumps(thing("bad", **{BOARD: {"ram": {"total": -1}}})).encode(),
    "more reserved than there is": json.dumps(
        thing("bad", **{BOARD: {"ram": {"total": 1, "reserved": 2}}})
    ).encode(),
    "unknown unit": json.dumps(
        thing(
            "bad", **{BOARD: {"sensors": [{"observes": "temperature", "unit": "bananas", "range": [0, 1]}]}}
        )
    ).encode(),
    "unknown member of hardware": json.dumps(thing("bad", **{BOARD: {"color": "red"}})).encode(),
    "an operator without a name": json.dumps(
        thing("bad", **{BOARD: {"runtimes": [{"name": "shoal", "operators": [{"version": 1}]}]}})
    ).encode(),
}


@pytest.fixture
def untouched(shared):
    """The shared directory, which must be afterwards as it is before."""
    before = shared.catalog.store.revision
    yield shared
    assert shared.catalog.store.revision == before
    assert shared.client.get(PATH).status_code == 404


@pytest.mark.parametrize("name", THINGS)
def test_bad_things(untouched, name):
    answer = untouched.client.put(PATH, content=THINGS[name])
    assert answer.status_code == (413 if name == "10 MB" else 400)
    told = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert told["detail"]
    if answer.status_code == 400:
        assert told["validationErrors"][0]["description"]


@pytest.mark.parametrize(
    "id",
    [
        "",
        "relative",
        "../../etc/passwd",
        "urn:a\n",
        "urn:example:" + "x" * 3000,
        "urn:example:a b",
        "urn:example:\x00",
        "javascript:",
    ],
)
def test_bad_ids(shared, id):
    from urllib.parse import quote

    before = shared.catalog.store.revision
    td = thing() | {"id": id}
    answer = shared.client.put(f"/things/{quote(id, safe='')}", json=td)
    assert answer.status_code in {400, 404, 405}
    assert shared.catalog.store.revision == before


def test_a_body_in_chunks_is_counted_too(untouched):
    def chunks():
        for _ in range(17):
            yield b" " * 65536

    assert untouched.client.put(PATH, content=chunks()).status_code == 413


def test_a_compressed_bomb_is_not_opened(untouched):
    bomb = gzip.compress(b" " * 50_000_000)
    answer = untouched.client.put(PATH, content=bomb, headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 415


@pytest.mark.parametrize("length", ["-1", "x", "9" * 30, "1e3"])
def test_lengths_that_are_none(untouched, length):
    host, port = untouched.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(
            f"PUT {PATH} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: {length}\r\n"
            f"Authorization: {untouched.of('admin')['Authorization']}\r\n\r\n{{}}".encode()
        )
        connection.shutdown(socket.SHUT_WR)
        assert b" 4" in connection.recv(4096).split(b"\r\n")[0]


@pytest.mark.parametrize(
    "patch",
    [
        b"",
        b"[]",
        b"null",
        b"1",
        b"{",
        b'{"title": 1}',
        b'{"@context": null}',
        b'{"id": "urn:example:other"}',
        b'{"registration": {"ttl": -1}}',
    ],
)
def test_bad_patches(shared, patch):
    shared.put("patched")
    before = shared.catalog.store.revision
    answer = shared.client.patch("/things/urn:example:patched", content=patch, headers=MERGE)
    assert answer.status_code == 400
    assert shared.catalog.store.revision == before


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"model": "none", "device": "urn:example:none"},
        {"model": 7, "device": "urn:example:none"},
        {"model": "0" * 64, "device": "urn:example:none"},
        {"model": "0" * 64, "device": "urn:example:none", "status": "exploded"},
        {"model": "0" * 64, "device": "urn:example:none", "color": "red"},
        {"key": "../../etc/passwd\n", "model": "0" * 64, "device": "urn:example:none"},
    ],
)
def test_bad_deployments(untouched, said):
    answer = untouched.client.post("/deployments", json=said)
    assert answer.status_code == 400
    assert answer.json()["validationErrors"]


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("m", b"", "tflite"),
        ("m", b"no model", "tflite"),
        ("m", b"no model", "onnx"),
        ("m", b"no model", "shoal"),
        ("m", gzip.compress(b"0" * 10_000_000), "tflite"),
        ("m", b"PK\x03\x04" + b"\x00" * 100, "shoal"),
        ("../../etc/passwd", b"no model", "tflite"),
        ("a/b", b"no model", "tflite"),
        ("", b"no model", "tflite"),
        ("m", b"no model", "pickle"),
        ("m", b"no model", "keras"),
    ],
)
def test_bad_models(untouched, name, content, kind):
    headers = {"Content-Type": "application/octet-stream"}
    answer = untouched.client.post(
        "/models", params={"name": name, "kind": kind}, content=content, headers=headers
    )
    assert answer.status_code == 400
    assert answer.json()["detail"]


def test_a_model_that_is_too_large(tmp_path):
    with served(tmp_path, settings={"largest_model": 1000}) as directory:
        headers = {"Content-Type": "application/octet-stream"}
        answer = directory.client.post("/models?name=m", content=b"0" * 1001, headers=headers)
        assert answer.status_code == 413
        assert directory.catalog.store.revision == 0


@pytest.mark.parametrize(
    "path",
    [
        "/models/..%2f..%2fetc%2fpasswd",
        "/models/%00",
        "/models/a%0d%0ab",
        "/things/%ff",
        "/deployments/%2e%2e",
    ],
)
def test_paths_that_lead_nowhere(untouched, path):
    answer = untouched.client.get(path)
    assert answer.status_code in {400, 404}
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/things?colour=red"),
        ("GET", "/things?offset=0&sort=id"),
        ("GET", "/things/urn:example:none?limit=1"),
        ("GET", "/models?name=m"),
        ("POST", "/models?name=m&licens=MIT"),
        ("GET", "/deployments?device=urn:example:none"),
        ("GET", "/events?kind=model"),
        ("GET", "/search/text?query=a&kind=model"),
        ("GET", "/search/sparql?query=ASK%20{}&default-graph-uri=urn:a"),
        ("GET", "/catalog?a=b"),
    ],
)
def test_parameters_that_nobody_knows(untouched, method, path):
    answer = untouched.client.request(method, path)
    assert answer.status_code == 400
    assert f"&{answer.json()['validationErrors'][0]['field']}=" in path.replace("?", "&")


def test_conditional_writes(shared):
    client, path = shared.client, "/things/urn:example:conditional"
    assert client.put(path, json=thing("conditional"), headers={"If-Match": "*"}).status_code == 412
    created = client.put(path, json=thing("conditional"), headers={"If-None-Match": "*"})
    assert created.status_code == 201
    assert client.put(path, json=thing("conditional"), headers={"If-None-Match": "*"}).status_code == 412
    tag = created.headers["etag"]
    assert client.get(path, headers={"If-None-Match": tag}).status_code == 304
    new = thing("conditional", title="new")
    assert client.put(path, json=new, headers={"If-Match": '"0", "x"'}).status_code == 412
    assert client.put(path, json=new, headers={"If-Match": f'"0", {tag}'}).status_code == 204
    assert client.get(path, headers={"If-None-Match": tag}).status_code == 200
    assert client.patch(path, content=b"{}", headers=MERGE | {"If-Match": tag}).status_code == 412
    assert client.delete(path, headers={"If-Match": tag}).status_code == 412
    assert client.delete(path, headers={"If-Match": client.get(path).headers["etag"]}).status_code == 204
