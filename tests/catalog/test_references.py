"""What documents name is there when they are written, and what needs them keeps them there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from shoal.catalog import Catalog, exporters, importers
from shoal.catalog.documents import (
    Board,
    Capacity,
    Deployment,
    Hardware,
    LearningState,
    Measurement,
    Model,
    Run,
)
from shoal.errors import ConflictError, UnknownError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NODE = Board(name="hall-node", hardware=Hardware(ram=Capacity(total=65_536), flash=Capacity(total=10**6)))
TD: dict[str, Any] = {
    "@context": "https://www.w3.org/2022/wot/td/v1.1",
    "id": "urn:dev:press",
    "title": "Press",
    "security": "none",
    "securityDefinitions": {"none": {"scheme": "nosec"}},
}
BLOCK = {"shoal:hardware": {"board": "hall-node"}}
LINK = {"links": [{"rel": "type", "href": "urn:shoal:board:hall-node", "type": "application/tm+json"}]}
WAKE = Model(sha256="a" * 64, name="wake", version="1.0.0", format="tflite", size=8)
NONE = "0" * 64


@pytest.fixture
def catalog() -> Iterator[Catalog]:
    """Return a catalog with a model, a board of its own and a device of it."""
    with Catalog(None) as found:
        found.add(WAKE)
        found.add_board(NODE)
        found.add_device(TD | BLOCK)
        yield found
        assert list(found.check()) == []


@pytest.mark.parametrize("said", [BLOCK, LINK, {"shoal:hardware": {"ram": {"total": 1}}} | LINK])
def test_a_board_that_a_device_needs_stays(catalog: Catalog, said: dict[str, Any]) -> None:
    catalog.add_device(TD | said)
    with pytest.raises(ConflictError, match="needed by the device 'urn:dev:press'"):
        catalog.remove("board", "hall-node")
    assert catalog.device("urn:dev:press").hardware.board == "hall-node"
    catalog.remove("device", "urn:dev:press")
    catalog.remove("board", "hall-node")
    assert catalog.store.kinds() == {"model": 1}


def test_a_board_that_no_device_needs_goes(catalog: Catalog) -> None:
    catalog.add_board(NODE.model_copy(update={"name": "hall"}))  # the beginning of a name that is needed
    catalog.remove("board", "hall")
    catalog.add_board("nano33ble")
    catalog.add_device(TD | {"id": "urn:dev:nano", "shoal:hardware": {"board": "nano33ble"}})
    catalog.remove("board", "nano33ble")  # it comes with Shoal
    assert catalog.device("urn:dev:nano").hardware.ram == Capacity(total=262_144)


def test_check_finds_devices_of_no_board(tmp_path: Path) -> None:
    with Catalog(tmp_path / "a.shoal") as catalog:
        for i in range(12):  # past the door, as an earlier release let them
            td = TD | (BLOCK if i % 2 else LINK) | {"id": f"urn:dev:{i:02}"}
            catalog.store.put("device", td["id"], td)
        found = catalog.check()
    assert found[:2] == [f"device 'urn:dev:0{i}': no board 'hall-node'" for i in range(2)]
    assert len(found) == 10


WRONG = [
    (Run(key="r", produced=NONE), "produced", "no model with the SHA-256 0000"),
    (Run(key="r", produced=WAKE.sha256, base=NONE), "base", "no model with the SHA-256 0000"),
    (Run(key="r", devices=("urn:dev:press", "urn:nope")), "devices", "no device 'urn:nope'"),
    (Measurement(key="m", quantity="ram", value=1, model=NONE), "model", "no model with the SHA-256 0000"),
    (Measurement(key="m", quantity="ram", value=1, device="urn:nope"), "device", "no device 'urn:nope'"),
    (Measurement(key="m", quantity="ram", value=1, board="nope"), "board", "no board 'nope'"),
    (Measurement(key="m", quantity="ram", value=1, run="nope"), "run", "no run 'nope'"),
    (LearningState(device="urn:nope"), "device", "no device 'urn:nope'"),
    (LearningState(device="urn:dev:press", model=NONE), "model", "no model with the SHA-256 0000"),
    (Deployment(key="d", model=NONE, device="urn:dev:press", status="failed"), "model", "no model with"),
]


@pytest.mark.parametrize(("document", "field", "what"), WRONG, ids=[f"{one.kind}.{f}" for one, f, _ in WRONG])
def test_a_record_names_what_is_there(
    catalog: Catalog, document: Run | Measurement | LearningState | Deployment, field: str, what: str
) -> None:
    revision = catalog.store.revision
    with pytest.raises(UnknownError, match=what) as caught:
        catalog.add(document)
    assert caught.value.where == f"{document.kind} '{document.id}': {field}"
    assert caught.value.hint
    assert catalog.store.revision == revision


def test_records_keep_what_was_removed_since_and_come_in_again(catalog: Catalog, tmp_path: Path) -> None:
    past = [
        Run(key="r", produced=WAKE.sha256, base=WAKE.sha256, devices=("urn:dev:press",)),
        Measurement(key="m", quantity="ram", value=1, model=WAKE.sha256, board="pico", run="r"),
        Measurement(key="n", quantity="ram", value=1, device="urn:dev:press", board="hall-node"),
        LearningState(device="urn:dev:press", model=WAKE.sha256, round=3),
        Deployment(key="d", model=WAKE.sha256, device="urn:dev:press", status="removed"),
    ]
    for one in past:
        catalog.add(one)
    for kind, id in (("device", "urn:dev:press"), ("model", WAKE.id), ("board", "hall-node")):
        catalog.remove(kind, id)
    assert list(catalog.check()) == []
    for one in past:  # said again, and with more: what was named before may be gone
        catalog.add(one)
    later = past[0].model_copy(update={"rounds": 7})
    catalog.add(later)
    assert catalog.get("run", "r") == later
    with pytest.raises(UnknownError, match="no model"):  # but what is to run must be there
        catalog.add(past[-1].model_copy(update={"status": "planned"}))
    path = tmp_path / "site.ttl"
    path.write_text(exporters.dump([later, *past[1:]], "turtle"), encoding="utf-8")
    with Catalog(None) as other:
        other.add_many(importers.load(path).documents)
        assert other.store.kinds() == {"run": 1, "measurement": 2, "learning": 1, "deployment": 1}
        assert list(other.check()) == []


def test_rounds_count_up_until_a_device_begins_anew(catalog: Catalog) -> None:
    catalog.add(WAKE.model_copy(update={"sha256": "b" * 64, "version": "1.0.1"}))
    catalog.add_learning("Press", model="wake:1.0.0", round=5)
    with pytest.raises(ConflictError, match="round 3 comes before round 5") as caught:
        catalog.add_learning("Press", round=3)
    assert caught.value.hint == "round=0 where the device begins anew"
    catalog.add_learning("Press", drift=0.5)  # of the same round
    assert catalog.add_learning("Press", model="wake:1.0.1", round=2).round == 2  # of another model
    assert catalog.add_learning("Press", round=0).round == 0
    assert catalog.add_learning("Press", round=1).drift == 0.5
