"""A catalog with a model and devices, and what the rest of the catalog answers."""

from __future__ import annotations

import pytest

from shoal.catalog.documents import Device, Model
from shoal.catalog.query import Answers
from shoal.catalog.store import Store

MODEL = Model(
    sha256="a" * 64, name="wake", version="1.0.0", format="tflite", size=1000, title='a "wake" word'
)


def device(number: int) -> Device:
    """Return a device."""
    return Device.checked(
        {
            "@context": "https://www.w3.org/2022/wot/td/v1.1",
            "id": f"urn:dev:{number}",
            "title": f"Hall {number}",
            "titles": {"de": f"Halle {number}"},
            "security": "none",
            "securityDefinitions": {"none": {"scheme": "nosec"}},
            "shoal:hardware": {"board": "nano33ble"},
        }
    )


def fill(store: Store, count: int = 3) -> None:
    """Store a model and devices."""
    for one in (MODEL, *map(device, range(count))):
        store.put(one.kind, one.id, one.body())


@pytest.fixture
def answers():
    pairs = [(f"urn:dev:{i}", MODEL.id) for i in range(2)]
    return Answers(
        lambda device, _: (one for one in pairs if device in (None, one[0])),
        lambda _: [("model", MODEL.id)],
        lambda _kind, _name: MODEL.id,
    )


@pytest.fixture
def make_device():
    return device


@pytest.fixture
def filled_store(tmp_path):
    with Store(tmp_path / "site.shoal") as store:
        fill(store)
        yield store


@pytest.fixture
def memory_store():
    with Store(None) as store:
        fill(store)
        yield store
