"""What the directory notes about a Thing Description."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime

import pytest

from tests.serve.serving import served, thing, until

DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
MERGE = {"Content-Type": "application/merge-patch+json"}


def registration(directory, number):
    return directory.client.get(f"/things/urn:example:{number}").json()["registration"]


def at(text):
    return datetime.fromisoformat(text).timestamp()


def test_tdd_context_injection(shared):
    td = shared.put("context")
    assert shared.client.get(f"/things/{td['id']}").json()["@context"] == [
        td["@context"],
        "https://www.w3.org/2022/wot/discovery",
    ]


def test_tdd_absolute_time(shared):
    shared.put("time", registration={"expires": "2090-01-01T13:00:00+01:00"})
    noted = registration(shared, "time")
    assert all(DATE_TIME.fullmatch(noted[name]) for name in ("created", "modified", "expires", "retrieved"))
    assert noted["expires"] == "2090-01-01T12:00:00.000Z"
    for wrong in ("2090-01-01T12:00:00", "2090-01-01", "tomorrow", "2090-13-01T00:00:00Z", 7):
        answer = shared.client.put(
            "/things/urn:example:time", json=thing("time", registration={"expires": wrong})
        )
        assert answer.status_code == 400
        assert answer.json()["validationErrors"][0]["field"] == "registration.expires"


def test_tdd_registrationinfo_vocab_created(shared):
    shared.put("created", registration={"created": "2001-01-01T00:00:00Z"})
    first = registration(shared, "created")["created"]
    assert abs(at(first) - datetime.now(UTC).timestamp()) < 60
    shared.put("created", title="another")
    assert registration(shared, "created")["created"] == first


def test_tdd_registrationinfo_vocab_modified(shared):
    shared.put("modified", registration={"modified": "2001-01-01T00:00:00Z"})
    first = registration(shared, "modified")
    shared.put("modified", title="another")
    second = registration(shared, "modified")
    assert first["modified"] == first["created"]
    assert at(second["modified"]) >= at(first["modified"]) > at("2001-01-02T00:00:00Z")


def test_tdd_registrationinfo_vocab_expires(shared):
    shared.put("expires", registration={"expires": "2090-01-01T12:00:00Z"})
    assert registration(shared, "expires")["expires"] == "2090-01-01T12:00:00.000Z"
    shared.put("expires", registration={"expires": "2090-01-01T12:00:00Z", "ttl": 3600})
    noted = registration(shared, "expires")
    assert at(noted["expires"]) == pytest.approx(at(noted["modified"]) + 3600, abs=2)
    path = "/things/urn:example:expires"
    patch = {"registration": {"expires": "2080-01-01T12:00:00Z"}}
    assert shared.client.patch(path, json=patch, headers=MERGE).status_code == 204
    assert at(registration(shared, "expires")["expires"]) < at("2080-01-01T00:00:00Z")
    patch["registration"]["ttl"] = None
    assert shared.client.patch(path, json=patch, headers=MERGE).status_code == 204
    assert registration(shared, "expires")["expires"] == "2080-01-01T12:00:00.000Z"


def test_tdd_registrationinfo_vocab_ttl(tmp_path):
    now = [1_800_000_000.0]
    with served(tmp_path, clock=lambda: now[0]) as directory:
        directory.put("ttl", registration={"ttl": 60})
        assert registration(directory, "ttl")["expires"] == "2027-01-15T08:01:00.000Z"
        now[0] += 30
        # An empty patch renews the registration.
        answer = directory.client.patch("/things/urn:example:ttl", content=b"{}", headers=MERGE)
        assert answer.status_code == 204
        assert registration(directory, "ttl")["expires"] == "2027-01-15T08:01:30.000Z"
        assert registration(directory, "ttl")["ttl"] == 60
        for wrong in (0, -1, "60", True, 1e300):
            answer = directory.client.put(
                "/things/urn:example:ttl", json=thing("ttl", registration={"ttl": wrong})
            )
            assert answer.json()["validationErrors"][0]["field"] == "registration.ttl"


def test_tdd_registrationinfo_vocab_retrieved(tmp_path):
    now = [1_800_000_000.0]
    with served(tmp_path, clock=lambda: now[0]) as directory:
        directory.put("r", registration={"retrieved": "2001-01-01T00:00:00Z"})
        assert registration(directory, "r")["retrieved"] == "2027-01-15T08:00:00.000Z"
        now[0] += 1
        assert registration(directory, "r")["retrieved"] == "2027-01-15T08:00:01.000Z"


def test_tdd_registrationinfo_expiry_purge(tmp_path):
    now = [1_800_000_000.0]
    with served(tmp_path, settings={"purge_every": 0.01}, clock=lambda: now[0]) as directory:
        directory.put("short", registration={"ttl": 10})
        directory.put("long", registration={"ttl": 1000})
        directory.put("for-ever")
        now[0] += 11
        path = "/things/urn:example:short"
        until(lambda: directory.client.get(path).status_code == 404)
        assert [one["id"] for one in directory.client.get("/things").json()] == [
            "urn:example:for-ever",
            "urn:example:long",
        ]
        assert [event.action for event in directory.catalog.history("device", "urn:example:short")] == [
            "created",
            "deleted",
        ]


def test_a_directory_may_limit_how_long_registrations_last(tmp_path):
    with served(tmp_path, settings={"longest_ttl": 100.0}) as directory:
        directory.put("a", registration={"ttl": 100})
        for refused in ({"ttl": 101}, {"expires": "2090-01-01T00:00:00Z"}, {}):
            answer = directory.client.put("/things/urn:example:b", json=thing("b", registration=refused))
            assert answer.status_code == 400
            assert answer.json()["validationErrors"][0]["field"].startswith("registration.")


def test_tdd_anonymous_td_identifier(shared):
    path = shared.client.post("/things", json=thing(title="Anonymous")).headers["location"]
    assert shared.client.get(path).json()["id"] == path.removeprefix("/things/")
    listed = shared.client.get("/things").json()
    assert path.removeprefix("/things/") in {one["id"] for one in listed}
    found = shared.client.get("/search/jsonpath", params={"query": "$[?@.title == 'Anonymous'].id"}).json()
    assert path.removeprefix("/things/") in found


def test_tdd_anonymous_td_local_uuid(shared):
    paths = [shared.client.post("/things", json=thing()).headers["location"] for _ in range(2)]
    assert len(set(paths)) == 2
    for path in paths:
        id = path.removeprefix("/things/")
        assert id.startswith("urn:uuid:")
        assert uuid.UUID(id).version == 4
