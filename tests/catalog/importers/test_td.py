"""Thing Descriptions: as they are, but for known defects."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from shoal.catalog import importers
from shoal.catalog.documents import Device
from shoal.errors import DocumentError

if TYPE_CHECKING:
    from pathlib import Path

TD: dict[str, Any] = {
    "@context": "https://www.w3.org/2022/wot/td/v1.1",
    "id": "urn:dev:ops:32473-press-1",
    "title": "Press 1",
    "security": "none",
    "securityDefinitions": {"none": {"scheme": "nosec"}},
    "properties": {"heat": {"type": "number", "forms": [{"href": "coap://press/heat"}]}},
    "links": [{"rel": "type", "href": "urn:shoal:board:nano33ble"}],
}


def write(tmp_path: Path, value: object, name: str = "press.td.jsonld") -> Path:
    """Write JSON, or text as it is."""
    path = tmp_path / name
    path.write_text(value if isinstance(value, str) else json.dumps(value, indent=1), encoding="utf-8")
    return path


def test_a_description_is_kept_as_it_is(tmp_path: Path) -> None:
    found = importers.load(write(tmp_path, TD))
    assert found.defects == ()
    assert found.documents[0].body() == TD


def test_version_1_0_comes_in(tmp_path: Path) -> None:
    older = TD | {"@context": "https://www.w3.org/2019/wot/td/v1"}
    assert importers.load(write(tmp_path, older)).documents[0].body() == older


def test_an_array_is_many(tmp_path: Path) -> None:
    several = [TD | {"id": f"urn:dev:{i}"} for i in range(3)]
    found = importers.load(write(tmp_path, several))
    assert [one.id for one in found.documents] == ["urn:dev:0", "urn:dev:1", "urn:dev:2"]


def test_an_array_may_be_larger_than_one_description(tmp_path: Path) -> None:
    several = [TD | {"id": f"urn:dev:{i}", "description": "x" * 5000} for i in range(300)]
    assert len(importers.load(write(tmp_path, several)).documents) == 300


def test_the_defects_of_the_reference_description(seloc: Path) -> None:
    path = seloc / "semantic_description/SSI_Web_embedded_td.jsonld"
    found = importers.load(path)
    assert [(one.line, one.problem.split()[0]) for one in found.defects] == [
        (6, "ssn-system:"),
        (39, "@type"),
        (126, "forms:"),
    ]
    lines = path.read_text().splitlines()
    for defect, word in zip(found.defects, ("ns/ssn/systems", "@type", "forms"), strict=True):
        assert word in lines[defect.line - 1]
    (device,) = found.documents
    assert isinstance(device, Device)
    algorithm = device.td["ssn:hasSubSystem"][0]["ssn:implements"][0]
    assert algorithm["@type"] == ["s3n:Algorithm", "nnet:NeuralNetwork"]
    assert device.td["@context"][1]["ssn-system"] == "http://www.w3.org/ns/ssn/systems/"
    assert "forms" not in device.td


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"title": "a",\n "title": "b"}', "title: occurs twice"),
        ("[1]", "valid object, not 1"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON|nested deeper"),
        ('{"a":' * 200 + "1" + "}" * 200, "nested deeper than 32"),
        ('{"@type": "a", "@type": "b", "x": ' + "[" * 100_000 + "]" * 100_000 + "}", "not JSON|nested"),
        (json.dumps(TD | {"description": "x" * 2_000_000}), "characters, more than 1,000,000"),
        (json.dumps([TD | {"description": "x" * 2_000_000}]), "bytes, more than 1,000,000"),
        (json.dumps(TD | {"title": None}), "title"),
        (json.dumps({key: value for key, value in TD.items() if key != "id"}), "id: missing"),
    ],
)
def test_what_is_no_description_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(DocumentError, match=problem):
        importers.load(write(tmp_path, text))


def test_one_bad_description_keeps_all_out(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="security"):
        importers.load(write(tmp_path, [TD, TD | {"security": "other"}]))
