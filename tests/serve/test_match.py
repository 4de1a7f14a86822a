"""Matching over HTTP says what the library says."""

from __future__ import annotations

import pytest

from shoal.catalog.documents import Model, Need, Operator
from shoal.catalog.matching import REFERENCE_RULE
from tests.serve.serving import served, until


def model(number, ram):
    return Model(
        sha256=f"{number:064x}",
        name=f"model-{number}",
        version="1.0.0",
        format="tflite",
        size=1000,
        inference=Need(bytes=ram),
        operators=(Operator(name="SOFTMAX", dtype="int8"),),
    )


def hardware(ram):
    return {"ram": {"total": ram}, "flash": {"total": 10**6}, "runtimes": [{"name": "shoal"}]}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    """Ten devices with 10 to 100 kB, three models that need 35, 75 and 500 kB."""
    with served(tmp_path_factory.mktemp("fleet")) as directory:
        for number in range(1, 11):
            directory.put(number, **{"shoal:hardware": hardware(number * 10_000)})
        for number, ram in enumerate((35_000, 75_000, 500_000)):
            directory.catalog.add(model(number, ram))
        until(lambda: directory.app.state.service.indexing.ready)
        yield directory


def get(directory, path, **parameters):
    answer = directory.client.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_devices_of_a_model(fleet):
    found = get(fleet, "/match", model="model-0", limit=3, near=2)
    assert found["count"] == 7
    assert [one["device"] for one in found["matches"]] == [f"urn:example:{i}" for i in (10, 9, 8)]
    assert [one["device"] for one in found["near"]] == ["urn:example:3", "urn:example:2"]
    assert found["near"][0]["reasons"] == ["RAM: needs 35,000 B, has 30,000 B, 5,000 B short"]
    (ram,) = (one for one in found["matches"][0]["conditions"] if one["name"] == "RAM")
    assert ram == {
        "name": "RAM",
        "need": "35,000 B",
        "have": "100,000 B",
        "margin": 65_000,
        "unit": "B",
        "fits": True,
        "known": True,
    }


def test_it_says_what_the_library_says(fleet):
    for parameters in (
        {"model": "model-1"},
        {"device": "Thing 5"},
        {"model": "model-1", "device": "Thing 5"},
    ):
        said = get(fleet, "/match", limit=100, near=50, **parameters)
        known = fleet.catalog.match(**parameters, limit=100, near=50)
        assert said["count"] == known.count
        assert [(one["model"], one["device"]) for one in said["matches"]] == [
            (one.model, one.device) for one in known.matches
        ]
        assert [one["reasons"] for one in said["near"]] == [list(one.reasons) for one in known.near]


def test_a_rule_asks_for_less(tmp_path):
    with served(tmp_path) as directory:
        directory.catalog.add(model(0, 35_000))
        directory.put("old", **{"shoal:hardware": hardware(40_000) | {"runtimes": [{"name": "other"}]}})
        directory.put("new", **{"shoal:hardware": hardware(40_000)})
        directory.put("small", **{"shoal:hardware": hardware(30_000)})
        directory.put("mute")
        asked = {"model": "model-0"}
        reference = get(directory, "/match", rule="reference", **asked)
        known = directory.catalog.match(**asked, rule=REFERENCE_RULE)
        assert reference["count"] == known.count == 2
        assert [one["device"] for one in reference["near"]] == [one.device for one in known.near]
        assert get(directory, "/match", **asked)["count"] == 1
        assert get(directory, "/match", rule="all", **asked) == get(directory, "/match", **asked)
        ids = get(directory, "/match/ids", rule="reference", **asked)["ids"]
        assert sorted(ids) == ["urn:example:new", "urn:example:old"]
        assert get(directory, "/match/ids", **asked)["ids"] == ["urn:example:new"]
        for rule, given, count in (("all", None, 2), ("reference", REFERENCE_RULE, 1)):
            doubt = get(directory, "/match", not_known=True, rule=rule, **asked)["not_known"]
            known = directory.catalog.unsure("model-0", rule=given)
            assert doubt == {"count": count, "device": known.device, "unknown": [*known.unknown]}
        assert "not_known" not in get(directory, "/match", **asked)
        (mute,) = get(directory, "/match", device="urn:example:mute", **asked)["near"]
        assert {one["name"]: one["known"] for one in mute["conditions"]}["RAM"] is False


def test_every_page_has_the_same_near_misses(fleet):
    pages = [get(fleet, "/match", model="model-0", limit=2, offset=offset, near=2) for offset in (0, 2, 4)]
    assert len({one["device"] for page in pages for one in page["matches"]}) == 6
    for page in pages:
        assert [one["device"] for one in page["near"]] == ["urn:example:3", "urn:example:2"]
    (one,) = get(fleet, "/match", model="model-0", limit=2, near=1)["near"]
    assert one["device"] == "urn:example:3"


def test_pages_and_ids(fleet):
    everything = get(fleet, "/match/ids", model="model-0")
    assert everything["count"] == len(everything["ids"]) == 7
    paged = [get(fleet, "/match/ids", model="model-0", limit=2, offset=i)["ids"] for i in range(0, 8, 2)]
    assert [one for page in paged for one in page] == everything["ids"]
    assert get(fleet, "/match/ids", device="Thing 4")["ids"] == [f"sha256:{0:064x}"]


def test_what_if_and_coverage(fleet):
    found = get(fleet, "/match/what-if", model="model-1", ram=-20_000)
    assert (found["before"], found["after"]) == (3, 5)
    assert found["gains"][0] == {"what": "RAM", "smaller": 5000, "more": 1}
    covered = get(fleet, "/match/coverage", devices=True)
    assert covered["pairs"] == 10
    assert sorted(covered["by_model"].values()) == [0, 3, 7]
    assert covered["by_device"]["urn:example:10"] == 2
    by_rule = get(fleet, "/match/coverage", rule="reference")
    assert by_rule["by_model"] == {
        f"sha256:{n:064x}": get(fleet, "/match", model=f"model-{n}", rule="reference")["count"]
        for n in range(3)
    }


def test_a_change_is_in_the_next_answer(tmp_path):
    with served(tmp_path) as directory:
        directory.catalog.add(model(0, 35_000))
        for number in range(20):
            directory.put(number, **{"shoal:hardware": hardware(40_000)})
            assert get(directory, "/match", model="model-0")["count"] == number + 1
        directory.client.delete("/things/urn:example:3")
        assert get(directory, "/match", model="model-0")["count"] == 19
        directory.put(4, **{"shoal:hardware": hardware(30_000)})
        found = get(directory, "/match", model="model-0")
        assert (found["count"], found["near"][0]["device"]) == (18, "urn:example:4")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/match", 400),
        ("/match?model=unknown", 404),
        ("/match?device=unknown", 404),
        ("/match?model=model-0&limit=-1", 400),
        ("/match?model=model-0&near=101", 400),
        ("/match?model=model-0&offset=x", 400),
        ("/match/ids", 400),
        ("/match/ids?model=model-0&device=urn:example:1", 400),
        ("/match/what-if?model=model-0&ram=1e400", 400),
        ("/match/what-if", 400),
        ("/match?model=model-0&rule=other", 400),
        ("/match?device=urn:example:1&rule=reference", 400),
        ("/match/ids?device=urn:example:1&rule=reference", 400),
        ("/match?model=model-0&device=urn:example:1&not_known=true", 400),
        ("/match?model=model-0&colour=red", 400),
        ("/match/coverage?rule=other", 400),
    ],
)
def test_questions_that_are_none(fleet, path, status):
    assert fleet.client.get(path).status_code == status
