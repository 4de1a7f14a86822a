"""The index answers as the definition does, whatever the models and devices are, and however they came in."""

from __future__ import annotations

import math
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.catalog.documents import Capacity, Hardware, Model, Need, Runtime, Sensor, SensorNeed
from shoal.catalog.matching import ALL, REFERENCE_RULE, Index, check
from shoal.catalog.matching.columns import key_of
from shoal.catalog.matching.fleet import Fleet
from shoal.catalog.matching.grid import Grid
from shoal.catalog.matching.keeping import restored, written
from shoal.errors import UnknownError
from tests.catalog.matching.strategies import fleets, hardware, models, shelves


def filled(fleet, shelf=(), *, one_by_one=False):
    index = Index()
    if one_by_one:
        for name, one in fleet.items():
            index.put_device(name, one)
    else:
        index.put_devices(fleet.items())
    for model in shelf:
        index.put_model(model)
    return index


def fits(model, one, **how):
    return all(condition.fits for condition in check(model, one, **how))


def free(one):
    return -1 if one.ram is None else one.ram.free


def expected_devices(model, fleet, **how):
    found = [name for name, one in fleet.items() if fits(model, one, **how)]
    return sorted(found, key=lambda name: (-free(fleet[name]), key_of(name)))


@given(models(), fleets, st.booleans(), st.booleans(), st.sampled_from([None, REFERENCE_RULE]))
@settings(max_examples=100, deadline=None)
def test_devices_for_a_model_are_those_of_the_definition(model, fleet, training, one_by_one, rule):
    how = {"training": training} | ({} if rule is None else {"rule": rule})
    index = filled(fleet, one_by_one=one_by_one)
    answer, wanted = index.devices_for(model, **how), expected_devices(model, fleet, **how)
    assert answer.count == len(wanted)
    assert answer.all() == wanted
    assert answer.first(2) == wanted[:2]
    assert answer.first(2, 1) == wanted[1:3]
    for match in answer.matches():
        assert match.conditions == check(model, fleet[match.device], **how)


@given(
    hardware,
    shelves,
    st.booleans(),
    st.sampled_from(["accuracy", "loss"]),
    st.sampled_from(["", "classification"]),
)
@settings(max_examples=100, deadline=None)
def test_models_for_a_device_are_those_of_the_definition(one, shelf, training, metric, task):
    index = filled({"urn:dev:0": one}, shelf)

    def rank(model):
        merits = [m.value for m in model.metrics if m.name == metric]
        merit = math.inf if not merits else merits[0] if metric == "loss" else -merits[0]
        return merit, model.size, key_of(model.id)

    chosen = (m for m in shelf if fits(m, one, training=training) and task in ("", m.task))
    wanted = [model.id for model in sorted(chosen, key=rank)]
    for device in ("urn:dev:0", one):
        answer = index.models_for(device, training=training, metric=metric, task=task)
        assert (answer.count, answer.all()) == (len(wanted), wanted)
    for match in index.models_for("urn:dev:0", training=training).matches():
        model = next(m for m in shelf if m.id == match.model)
        assert match.conditions == check(model, one, training=training)


@given(shelves, fleets, st.booleans(), st.sampled_from([None, REFERENCE_RULE]))
@settings(max_examples=100, deadline=None)
def test_coverage_counts_the_pairs_of_the_definition(shelf, fleet, training, rule):
    asked = {} if rule is None else {"models": shelf, "rule": rule}
    found = filled(fleet, shelf).coverage(**asked, training=training, devices=True)
    how = {"training": training, "rule": rule or ALL}
    pairs = {(m.id, name) for m in shelf for name, one in fleet.items() if fits(m, one, **how)}
    assert dict(zip(found.models, found.by_model.tolist(), strict=True)) == {
        m.id: sum(model == m.id for model, _ in pairs) for m in shelf
    }
    assert dict(zip(found.devices, found.by_device.tolist(), strict=True)) == {
        name: sum(device == name for _, device in pairs) for name in fleet
    }
    assert found.pairs == len(pairs)
    assert set(found.idle) == {name for name in fleet if name not in {device for _, device in pairs}}
    assert set(found.homeless) == {m.id for m in shelf if m.id not in {model for model, _ in pairs}}


@given(models(), fleets, st.integers(1, 6), st.booleans())
@settings(max_examples=100, deadline=None)
def test_near_misses_fail_one_condition_by_the_least(model, fleet, limit, one_by_one):
    index = filled(fleet, one_by_one=one_by_one)
    failing = {}
    for name, one in fleet.items():
        failed = [condition for condition in check(model, one) if not condition.fits]
        if len(failed) == 1:
            failing[name] = failed[0].missing, -free(one), key_of(name)
    wanted = sorted(failing, key=failing.__getitem__)[:limit]
    near = index.near(model, limit)
    assert [match.device for match in near] == wanted
    assert all(len(match.reasons) == 1 for match in near)


@given(shelves, hardware, st.integers(1, 3), st.booleans())
@settings(max_examples=100, deadline=None)
def test_near_models_fail_one_condition_by_the_least(shelf, one, limit, training):
    near = filled({"urn:dev:0": one}, shelf).near_models("urn:dev:0", limit, training=training)
    failing = {}
    for model in shelf:
        failed = [condition for condition in check(model, one, training=training) if not condition.fits]
        if len(failed) == 1:
            failing[model.id] = failed[0].missing, key_of(model.id)
    assert [match.model for match in near] == sorted(failing, key=failing.__getitem__)[:limit]
    assert all(len(match.reasons) == 1 for match in near)


@given(models(), fleets, st.integers(-30, 30), st.integers(-30, 30))
@settings(max_examples=100, deadline=None)
def test_what_if_counts_as_for_a_changed_model(model, fleet, ram, flash):
    index = filled(fleet)

    def changed(need, more):
        return None if need is None else Need(bytes=max(0, min(2**53, need.bytes + more)))

    other = model.model_copy(
        update={
            "inference": changed(model.inference, ram),
            "flash": changed(model.flash or Need(bytes=model.size), flash),
        }
    )
    found = index.what_if(model, ram=ram, flash=flash)
    assert found.before == index.devices_for(model).count
    assert found.after == index.devices_for(other).count


@given(models(), fleets, st.sampled_from(["RAM", "flash"]))
@settings(max_examples=100, deadline=None)
def test_gains_are_what_the_savings_gain(model, fleet, what):
    index = filled(fleet)
    for gain in index.gains(model, what):
        found = index.what_if(model, **{what.lower(): -gain.smaller})
        assert found.more == gain.more > 0
        almost = index.what_if(model, **{what.lower(): 1 - gain.smaller})
        assert almost.more < gain.more


@given(st.lists(st.tuples(st.integers(0, 7), st.one_of(st.none(), hardware)), max_size=30), models())
@settings(max_examples=100, deadline=None)
def test_every_change_is_in_the_next_answer(changes, model):
    index, fleet = Index(), {}
    for number, one in changes:
        name = f"urn:dev:{number}"
        if one is None:
            index.remove_device(name)
            fleet.pop(name, None)
        else:
            index.put_device(name, one)
            fleet[name] = one
        wanted = expected_devices(model, fleet)
        answer = index.devices_for(model)
        assert (answer.count, answer.all()) == (len(wanted), wanted)
        assert index.coverage().devices == tuple(sorted(fleet, key=lambda n: index.fleet.columns.slots[n]))


@given(shelves, fleets)
@settings(max_examples=100, deadline=None)
def test_an_index_that_was_kept_answers_the_same(shelf, fleet):
    index = filled(fleet, shelf, one_by_one=True)
    if fleet:
        index.remove_device("urn:dev:0")
    again = restored(written(index))
    for model in shelf:
        assert again.devices_for(model).all() == index.devices_for(model).all()
        assert (
            again.devices_for(model.id, training=True).all()
            == index.devices_for(model.id, training=True).all()
        )
    for name in list(fleet)[1:]:
        assert again.models_for(name).all() == index.models_for(name).all()
    assert again.devices_on("a") == index.devices_on("a")


@pytest.mark.parametrize("change", ["cut", "bits", "format"])
def test_an_index_that_is_damaged_is_not_taken(change):
    index = filled({"urn:dev:0": Hardware(clock_hz=1)})
    content = written(index)
    if change == "format":
        index.fleet.columns.names = ("other",) * 5
        content = written(index)
    damaged = {"cut": content[:-30], "bits": content[:200] + b"\xff" * 20 + content[220:], "format": content}
    assert restored(damaged[change]) is None


def large(count, seed):
    """A fleet with many groups and equal amounts."""
    rng = np.random.default_rng(seed)
    properties = [None, (), ("acceleration",), ("acceleration", "sound"), ("image",)]
    return {
        f"urn:dev:{i}": Hardware(
            ram=Capacity(total=int(ram)),
            flash=Capacity(total=int(flash)),
            clock_hz=int(clock),
            sensors=None if observes is None else [Sensor(observes=one) for one in observes],
            runtimes=[Runtime(name="shoal")],
        )
        for i, (ram, flash, clock, observes) in enumerate(
            zip(
                rng.choice([1000, 2000, 2000, 2001, *rng.integers(0, 5000, 50)], count),
                rng.integers(0, 3000, count) // rng.choice([1, 1000], count),
                rng.choice([1, 2, 3], count),
                (properties[k] for k in rng.integers(0, len(properties), count)),
                strict=True,
            )
        )
    }


def shrink(monkeypatch, tail):
    monkeypatch.setitem(Fleet.put.__globals__, "SMALL", 100)
    monkeypatch.setitem(Fleet.put.__globals__, "SHORTEST_TAIL", tail)
    monkeypatch.setitem(Grid.rows.__globals__, "CHUNK", 16)


def wanted_at(rng):
    return Model(
        sha256="0" * 64,
        name="m",
        version="1.0.0",
        format="tflite",
        size=int(rng.integers(0, 3000)),
        inference=Need(bytes=int(rng.choice([0, 1000, 1999, 2000, 2001, 2002, int(rng.integers(0, 5000))]))),
        clock_hz=int(rng.integers(1, 4)),
        operators=[{"name": "CONV_2D"}],
        input={
            "sensors": [
                SensorNeed(observes=str(one))
                for one in rng.choice(["acceleration", "sound"], rng.integers(0, 2))
            ]
        },
    )


def test_a_large_fleet_with_changes_while_the_index_is_made_anew(monkeypatch):
    # Small enough that it goes through every way: strips, chunks, tails, and grids made in the background.
    shrink(monkeypatch, 50)
    fleet = large(1500, 1)
    index = filled(fleet)
    rng = np.random.default_rng(2)
    made = set()
    for step, (name, one) in enumerate(large(400, 3).items()):
        made.add(id(index.fleet.grid))
        if step % 7 == 0:
            gone = f"urn:dev:{rng.integers(0, 1500)}"
            index.remove_device(gone)
            fleet.pop(gone, None)
        other = f"urn:dev:{rng.integers(0, 2000)}" if step % 2 else name
        index.put_device(other, one)
        fleet[other] = one
        if step % 40 == 0:
            model = wanted_at(rng)
            wanted = expected_devices(model, fleet)
            answer = index.devices_for(model)
            assert answer.count == len(wanted)
            assert answer.first(30) == wanted[:30]
            assert answer.first(30, 25) == wanted[25:55]
            assert answer.all() == wanted
        if step % 50 == 49:
            index.fleet.settle()
    assert len(made) > 3
    for _ in range(12):
        model = wanted_at(rng)
        wanted = expected_devices(model, fleet)
        answer = index.devices_for(model)
        assert (answer.count, answer.first(100)) == (len(wanted), wanted[:100])
        near = {m.device for m in index.near(model, 50)}
        failing = {n: [c for c in check(model, o) if not c.fits] for n, o in fleet.items()}
        single = {n: c[0].missing for n, c in failing.items() if len(c) == 1}
        ranked = sorted(single, key=lambda n: (single[n], -free(fleet[n]), key_of(n)))
        assert near == set(ranked[:50])


def test_readers_and_writers_at_the_same_time(monkeypatch):
    shrink(monkeypatch, 20)
    fleet = large(2000, 5)
    index = filled(fleet)
    model = wanted_at(np.random.default_rng(6))
    stop, failures = threading.Event(), []

    def read():
        while not stop.is_set():
            answer = index.devices_for(model)
            if not 0 <= answer.count <= len(index.fleet.columns) or len(answer.first(50)) > 50:
                failures.append(answer.count)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    changed = large(1500, 7)
    for name, one in changed.items():
        index.put_device(name, one)
    stop.set()
    for reader in readers:
        reader.join()
    index.fleet.settle()
    assert not failures
    assert index.devices_for(model).all() == expected_devices(model, fleet | changed)


def test_who_is_not_there():
    index = Index()
    with pytest.raises(UnknownError, match="no model 'sha256:1'"):
        index.devices_for("sha256:1")
    with pytest.raises(UnknownError, match="no device 'urn:dev:1'"):
        index.models_for("urn:dev:1")
    index.remove_device("urn:dev:1")
    index.remove_model("sha256:1")
