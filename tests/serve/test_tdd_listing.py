"""Listing Thing Descriptions, page by page."""

from __future__ import annotations

import random
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.serve.serving import served, until

LINK = re.compile(r'<([^>]+)>; rel="(\w+)"(?:; etag="([^"]+)")?')


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """Twelve things, registered in no order."""
    with served(tmp_path_factory.mktemp("full"), settings={"page": 10}) as directory:
        numbers = list(range(12))
        random.Random(0).shuffle(numbers)
        for number in numbers:
            directory.put(f"{number:02}")
        yield directory


def links(answer):
    return {relation: (target, etag) for target, relation, etag in LINK.findall(answer.headers["link"])}


def ids(answer):
    return [one["id"].removeprefix("urn:example:") for one in answer.json()]


def test_tdd_things_list_method(full):
    assert full.client.get("/things").status_code == 200


def test_tdd_things_list_resp(full):
    answer = full.client.get("/things")
    assert (answer.status_code, type(answer.json())) == (200, list)
    assert ids(answer) == [f"{i:02}" for i in range(10)]


def test_tdd_things_list_resp_content_type(full):
    assert full.client.get("/things").headers["content-type"] == "application/ld+json"
    answer = full.client.get("/things", headers={"Accept": "application/json"})
    assert answer.headers["content-type"] == "application/json"


def test_tdd_things_list_pagination(full):
    found, path = [], "/things?limit=5"
    while path:
        answer = full.client.get(path)
        found += ids(answer)
        path = links(answer).get("next", (None,))[0]
    assert found == [f"{i:02}" for i in range(12)]


def test_tdd_things_list_pagination_limit(full):
    for limit in (1, 5, 10):
        assert len(full.client.get("/things", params={"limit": limit}).json()) == limit
    # More than the directory gives at once, more than there are, and none at all.
    assert len(full.client.get("/things?limit=1000").json()) == 10
    assert ids(full.client.get("/things?limit=5&offset=10")) == ["10", "11"]
    assert full.client.get("/things?offset=12").json() == []
    for wrong in ("0", "-1", "x", "1.5", "1e3", "9" * 30):
        assert full.client.get("/things", params={"limit": wrong}).status_code == 400
    for wrong in ("-1", "x", "9" * 30):
        assert full.client.get("/things", params={"offset": wrong}).status_code == 400


@pytest.mark.parametrize("format", ["array", "collection"])
def test_a_page_of_large_things_has_fewer(tmp_path, format):
    with served(tmp_path, settings={"page_bytes": 10_000}) as directory:
        for number in range(7):
            directory.put(number, description="x" * (20_000 if number == 3 else 4_000))
        found, path = [], f"/things?limit=5&format={format}"
        while path:
            answer = directory.client.get(path)
            page = answer.json()
            members = page if format == "array" else page["members"]
            assert len(members) == 1 or len(answer.content) < 10_500
            found.append([int(one["id"].rpartition(":")[2]) for one in members])
            path = links(answer).get("next", (None,))[0]
            assert format == "array" or page.get("next") == path
        assert found == [[0, 1], [2], [3], [4, 5], [6]]


def test_pages_have_turns_and_keep_nobody_else_waiting(directory, monkeypatch):
    from shoal.serve import stored

    reading, go_on, read = [], threading.Event(), stored.portion

    def slow(*arguments):
        reading.append(arguments)
        assert go_on.wait(10)
        return read(*arguments)

    monkeypatch.setattr(stored, "portion", slow)
    directory.put(1)
    with ThreadPoolExecutor() as clients:
        pages = [clients.submit(directory.client.get, f"/{one}") for one in ("things", "models", "things")]
        until(lambda: len(reading) == 2)
        assert directory.client.get("/things/urn:example:1").status_code == 200
        assert len(reading) == 2
        go_on.set()
        assert [page.result().status_code for page in pages] == [200] * 3


def test_tdd_things_list_pagination_header_nextlink(full):
    assert "next" in links(full.client.get("/things?limit=5"))
    assert "next" in links(full.client.get("/things"))
    assert "next" not in links(full.client.get("/things?limit=5&offset=10"))
    assert "next" not in links(full.client.get("/things?limit=2&offset=10"))


def test_tdd_things_list_pagination_header_nextlink_attr(full):
    target, _ = links(full.client.get("/things?limit=5&sort_by=id&sort_order=asc&format=collection"))["next"]
    assert parse_qs(urlsplit(target).query) == {
        "offset": ["5"],
        "limit": ["5"],
        "sort_by": ["id"],
        "sort_order": ["asc"],
        "format": ["collection"],
    }


def test_tdd_things_list_pagination_header_nextlink_base(full):
    target, _ = links(full.client.get("/things?limit=11"))["next"]
    base = full.client.get("/.well-known/wot").json()["base"]
    assert ids(full.client.get(base.removesuffix("/") + target)) == ["10", "11"]


def test_tdd_things_list_pagination_header_canonicallink(tmp_path):
    with served(tmp_path) as directory:
        for number in range(3):
            directory.put(number)

        def state():
            target, etag = links(directory.client.get("/things?limit=2"))["canonical"]
            assert target == "/things"
            return etag

        first = state()
        assert first
        directory.put(1, title="another title moves nothing")
        assert state() == first
        directory.put(4)
        second = state()
        assert second != first
        directory.client.delete("/things/urn:example:1")
        assert state() not in {first, second}


def test_tdd_things_list_pagination_order_default(directory):
    # By code points: ASCII, then the letters of other planes; not by UTF-16 units, not as words are sorted.
    numbers = ["Z", "a", "10", "9", "ä", "\uffee", "\U0001f41f", "Ä", "~"]
    for number in numbers:
        directory.put(number)
    assert ids(directory.client.get("/things")) == sorted(numbers)


def test_tdd_things_list_pagination_order_unsupported(full):
    for parameters in (
        {"sort_by": "created"},
        {"sort_by": "/title"},
        {"sort_order": "desc"},
        {"sort_by": ""},
    ):
        answer = full.client.get("/things", params=parameters)
        assert answer.status_code == 400
        assert answer.json()["validationErrors"][0]["field"] in parameters
    assert full.client.get("/things?sort_by=id&sort_order=asc").status_code == 200


def test_tdd_things_list_pagination_collection(full):
    answer = full.client.get("/things?format=collection&limit=5")
    page = answer.json()
    assert (page["@type"], page["total"], len(page["members"])) == ("ThingCollection", 12, 5)
    assert page["@context"] == "https://www.w3.org/2022/wot/discovery"
    following = full.client.get(page["next"]).json()
    assert following["members"][0]["id"] == "urn:example:05"
    assert full.client.get(page["@id"]).json()["members"][0]["id"] == page["members"][0]["id"]
    assert "next" not in full.client.get("/things?format=collection&offset=10").json()
    assert full.client.get("/things?format=table").status_code == 400
