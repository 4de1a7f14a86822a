"""Introduction and exploration: how a client gets to the directory."""

from __future__ import annotations

import gzip

import httpx

from shoal.catalog.documents import Device
from tests.serve.serving import served, thing


def test_introduction_direct_directory_description(shared):
    assert shared.client.get("/.well-known/wot").json()["title"] == "Shoal directory"


def test_introduction_well_known_uri(shared):
    assert shared.client.get("/.well-known/wot").status_code == 200


def test_introduction_well_known_path(shared):
    td = shared.client.get("/.well-known/wot").json()
    listed = shared.client.get(td["base"].removesuffix("/") + "/things")
    assert listed.status_code == 200


def test_introduction_well_known_thing_description(shared):
    answer = shared.client.get("/.well-known/wot")
    assert answer.headers["content-type"] == "application/td+json"
    # It keeps the rules that it imposes on others.
    assert Device.checked(answer.json()).id == "urn:shoal:directory"


def test_exploration_directory_description_type(shared):
    td = shared.client.get("/.well-known/wot").json()
    assert td["@type"] == "ThingDirectory"
    assert "https://www.w3.org/2022/wot/discovery" in td["@context"]


def test_security_bootstrapping_endpoints(shared):
    answer = httpx.get(f"{shared.url}/things")
    assert answer.headers["www-authenticate"] == 'Bearer realm="shoal"'


def test_exploration_secboot_401(shared):
    for path in ("/.well-known/wot", "/things", "/things/urn:example:1"):
        assert httpx.get(shared.url + path).status_code == 401
        wrong = httpx.get(shared.url + path, headers={"Authorization": "Bearer wrong"})
        assert (wrong.status_code, "invalid_token" in wrong.headers["www-authenticate"]) == (401, True)


def test_exploration_server_http_method(shared):
    shared.put("server")
    assert shared.client.get("/things/urn:example:server").status_code == 200


def test_exploration_server_http_resp(shared):
    td = shared.put("served", title="Served")
    answer = shared.client.get(f"/things/{td['id']}")
    assert (answer.status_code, answer.json()["title"]) == (200, "Served")


def test_exploration_server_http_resp_content_type(shared):
    for path in ("/.well-known/wot", f"/things/{shared.put('typed')['id']}"):
        assert shared.client.get(path).headers["content-type"] == "application/td+json"


def test_exploration_server_http_resp_json(shared):
    td = shared.client.get("/.well-known/wot").json()
    assert td["@context"][0] == "https://www.w3.org/2022/wot/td/v1.1"


def test_exploration_server_http_alternate_content(shared):
    path = "/.well-known/wot"
    assert shared.client.get(path, headers={"Accept": "application/ld+json"}).headers["content-type"] == (
        "application/ld+json"
    )
    packed = shared.client.get(path, headers={"Accept-Encoding": "gzip"})
    plain = shared.client.get(path, headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(gzip.compress(plain.content)) * 2 < len(plain.content)
    assert packed.json() == plain.json()


def test_exploration_server_http_head(shared):
    get, head = (shared.client.request(method, "/.well-known/wot") for method in ("GET", "HEAD"))
    assert head.content == b""
    assert without_date(head) == without_date(get)


def without_date(answer):
    return {name: value for name, value in answer.headers.items() if name != "date"}


def test_priv_loc_priv_dir_access(shared):
    assert httpx.get(f"{shared.url}/things").status_code == 401


def test_sec_tdd_intro_no_observe(shared):
    # The introduction is one answer, and the streams of events are behind the gate.
    assert "text/event-stream" not in shared.client.get(
        "/.well-known/wot", headers={"Accept": "text/event-stream"}
    ).headers.get("content-type")
    assert httpx.get(f"{shared.url}/events").status_code == 401


def test_sec_tdd_intro_limit_response_size(shared):
    answer = httpx.get(f"{shared.url}/.well-known/wot")
    size = len(answer.content) + sum(len(name) + len(value) + 4 for name, value in answer.headers.items())
    asked = sum(len(name) + len(value) + 4 for name, value in answer.request.headers.items()) + 30
    assert size < 3 * asked


def test_sec_tdd_intro_throttling(tmp_path):
    with served(tmp_path, settings={"requests": 2.0}) as directory:
        found = [httpx.get(f"{directory.url}/.well-known/wot").status_code for _ in range(10)]
        assert found[:4] == [401] * 4
        assert 429 in found


def test_tdd_things_read_only_auth(shared):
    td = shared.put("read-only")
    client, path = shared.client, f"/things/{td['id']}"
    viewer = shared.of("viewer")
    assert client.get(path, headers=viewer).status_code == 200
    merge = {"Content-Type": "application/merge-patch+json", **viewer}
    refused = [
        client.put(path, json=td, headers=viewer),
        client.post("/things", json=thing(), headers=viewer),
        client.patch(path, content=b"{}", headers=merge),
        client.delete(path, headers=viewer),
    ]
    assert [answer.status_code for answer in refused] == [403] * 4
    assert client.get(path).json()["title"] == td["title"]
