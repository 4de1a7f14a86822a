"""The queries of the reference system, repaired, on its data."""

from __future__ import annotations

import csv

import pytest

from shoal.catalog import Catalog, importers
from shoal.catalog.documents import Device, Query
from shoal.catalog.query import examples
from shoal.errors import QueryError, UnknownError

COUNTS = {
    "1-devices-for-a-model": 2,
    "2-models-for-a-device": 2,
    "3-compare-models-for-a-task": 4,
    "4-all-devices": 9,
    "5-find-models": 2,
    "6-find-devices": 2,
}


@pytest.fixture(scope="module")
def catalog(seloc):
    with Catalog(None) as catalog:
        catalog.add_many(importers.load(sorted((seloc / "semantic_description").glob("*.ttl"))).documents)
        yield catalog


@pytest.fixture(scope="module")
def devices(seloc):
    with (seloc / "derived" / "device_facts.csv").open() as file:
        return list(csv.DictReader(file))


def test_the_examples_are_these():
    assert set(COUNTS) < set(examples())
    assert all(one.title and one.sparql for one in examples().values())


@pytest.mark.parametrize("name", COUNTS)
def test_each_gives_its_rows(name, catalog):
    assert len(catalog.query(examples()[name].sparql)) == COUNTS[name]


def test_each_is_asked_by_its_name_until_one_is_saved_under_it(catalog):
    assert len(catalog.query("4-all-devices")) == COUNTS["4-all-devices"]
    with pytest.raises(UnknownError, match="no saved query '4-all-device'") as caught:
        catalog.query("4-all-device")
    assert caught.value.hint.startswith("4-all-devices")
    with pytest.raises(QueryError, match="parameter 'm' is not known"):
        catalog.query("4-all-devices", parameters={"m": 1})
    catalog.add(Query(name="4-all-devices", sparql="ASK {}"))
    assert catalog.query("4-all-devices").boolean is True
    catalog.remove("query", "4-all-devices")


def test_devices_for_a_model_are_those_of_the_data(catalog, devices):
    wanted = {
        row["iri"]
        for row in devices
        if {"Accelerometer", "Gyroscope"} <= set(row["sensors"].split(";"))
        and float(row["ram_kB"]) >= 121
        and float(row["flash_kB"]) >= 610
    }
    found = catalog.query(examples()["1-devices-for-a-model"].sparql)
    assert {row["device"] for row in found} == wanted


def test_models_for_a_device_are_those_of_the_data(catalog, seloc):
    with (seloc / "derived" / "matches_reference_rule.csv").open() as file:
        wanted = {
            row["model"]
            for row in csv.DictReader(file)
            if row["sensors"] == "Camera" and float(row["ram_kB"]) <= 144 and float(row["flash_kB"]) <= 621
        }
    found = catalog.query(examples()["2-models-for-a-device"].sparql)
    assert {row["name"] for row in found} == wanted


def test_models_for_a_task_come_by_accuracy(catalog):
    found = catalog.query(examples()["3-compare-models-for-a-task"].sparql).rows
    assert [row["accuracy"] for row in found] == [0.932, 0.921, 0.83, 0.823]


def test_all_devices_have_their_memory_and_sensors(catalog, devices):
    found = {row["device"]: row for row in catalog.query(examples()["4-all-devices"].sparql)}
    assert len(found) == len(devices)
    for row in devices:
        assert found[row["iri"]]["ram"] == float(row["ram_kB"]) * 1000
        assert found[row["iri"]]["flash"] == float(row["flash_kB"]) * 1000
        assert len(found[row["iri"]]["observes"].split(", ")) == len(row["sensors"].split(";"))


def test_what_runs_where_is_what_matches(seloc, make_device):
    with Catalog(None) as catalog:
        sensors = {
            "Magic_Wand_1": "Accelerometer",
            "ARM_DS_CNN_Small_": "Microphone",
            "Person_Detection": "Camera",
        }
        for name, sensor in sensors.items():
            catalog.add_model(seloc / "collected_models" / f"{name}.tflite", name=name, sensors=[sensor])
        catalog.add(make_device(0))
        catalog.add(Device.checked(make_device(1).td | {"shoal:hardware": {"ram": {"total": 1000}}}))
        found = catalog.query(examples()["7-what-runs-where"].sparql)
        matched = {
            (one.device, model.name)
            for model in catalog.list("model")
            for one in catalog.match(model=model.id, limit=100).matches
        }
    assert {("urn:dev:0", row["model_name"]) for row in found} == matched
    assert len(matched) == 2
