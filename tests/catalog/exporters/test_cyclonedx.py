"""Bills of materials: valid by the official schema, and with what the documents say."""

from __future__ import annotations

import importlib.resources
import json
from typing import TYPE_CHECKING, Any

import pytest

from shoal.catalog import exporters
from shoal.catalog.documents import Deployment, Device, Document, Model
from shoal.errors import DocumentError

if TYPE_CHECKING:
    from shoal.catalog.importers import Imported

MODEL = Model.checked(
    {
        "sha256": "a" * 64,
        "name": "wake",
        "version": "1.0.0",
        "format": "tflite",
        "size": 18712,
        "licence": "Apache-2.0",
        "creator": "Somebody",
        "task": "classification",
        "reference": "https://example.org/paper",
        "dataset": "speech",
        "tags": ["audio"],
        "metrics": [{"name": "accuracy", "value": 0.921, "dataset": "test"}],
        "operators": [{"name": "CONV_2D", "dtype": "int8"}],
        "inputs": [{"dtype": "int8", "shape": [1960]}],
        "inference": {"bytes": 8080},
        "lineage": {"base": "b" * 64},
    }
)
DEVICE = Device.checked(
    {
        "@context": "https://www.w3.org/2022/wot/td/v1.1",
        "id": "urn:dev:1",
        "title": "Press",
        "security": "none",
        "securityDefinitions": {"none": {"scheme": "nosec"}},
        "shoal:hardware": {"board": "nano33ble"},
    }
)
DEPLOYMENT = Deployment(key="d1", model="a" * 64, device="urn:dev:1", status="active")


def bill(*documents: Document) -> dict[str, Any]:
    """Return the bill of materials of documents."""
    found: dict[str, Any] = json.loads(exporters.dump(documents, "cyclonedx"))
    return found


@pytest.fixture(scope="module")
def validator() -> Any:
    """Return the official schema, offline."""
    jsonschema = pytest.importorskip("jsonschema", reason="pip install jsonschema")
    pytest.importorskip("cyclonedx.schema", reason="pip install cyclonedx-python-lib")
    referencing = pytest.importorskip("referencing", reason="pip install jsonschema")
    folder = importlib.resources.files("cyclonedx.schema") / "_res"

    def read(name: str) -> Any:
        return json.loads((folder / f"{name}.SNAPSHOT.schema.json").read_text(encoding="utf-8"))

    resources = [
        (
            f"http://cyclonedx.org/schema/{name}.SNAPSHOT.schema.json",
            referencing.Resource.from_contents(read(name)),
        )
        for name in ("spdx", "jsf-0.82", "cryptography-defs")
    ]
    registry = referencing.Registry().with_resources(resources)
    return jsonschema.Draft7Validator(read("bom-1.7"), registry=registry)


def test_the_reference_data_is_valid(validator: Any, imported_with_files: Imported) -> None:
    found = bill(*imported_with_files.documents)
    assert [str(error) for error in validator.iter_errors(found)] == []
    assert len(found["components"]) == 32


def test_everything_that_a_model_can_have_is_valid(validator: Any) -> None:
    assert [str(error) for error in validator.iter_errors(bill(MODEL, DEVICE, DEPLOYMENT))] == []


@pytest.mark.parametrize("licence", ["", "MIT OR Apache-2.0", "see LICENCE file, page 2"])
def test_any_licence_is_valid(validator: Any, licence: str) -> None:
    found = bill(MODEL.model_copy(update={"licence": licence}))
    assert [str(error) for error in validator.iter_errors(found)] == []


def test_the_schema_refuses_what_is_wrong(validator: Any) -> None:
    found = bill(MODEL)
    found["components"][0]["type"] = "model"
    assert list(validator.iter_errors(found))


def test_a_model_says_what_its_document_says() -> None:
    (component,) = bill(MODEL)["components"]
    assert component["type"] == "machine-learning-model"
    assert component["hashes"] == [{"alg": "SHA-256", "content": "a" * 64}]
    assert component["licenses"] == [{"expression": "Apache-2.0"}]
    assert component["pedigree"]["ancestors"][0]["hashes"][0]["content"] == "b" * 64
    card = component["modelCard"]
    assert card["modelParameters"]["inputs"] == [{"format": "int8[1960]"}]
    assert card["modelParameters"]["approach"] == {"type": "supervised"}
    assert card["quantitativeAnalysis"]["performanceMetrics"] == [
        {"type": "accuracy", "value": "0.921", "slice": "test"}
    ]
    properties = {one["name"]: one["value"] for one in component["properties"]}
    assert properties["shoal:inference-ram-bytes"] == "8080"
    assert properties["shoal:inference-ram-provenance"] == "estimated"


def test_what_runs_where() -> None:
    found = bill(MODEL, DEVICE, DEPLOYMENT)
    assert found["dependencies"] == [{"ref": "urn:dev:1", "dependsOn": [f"urn:shoal:model:{'a' * 64}"]}]
    gone = DEPLOYMENT.model_copy(update={"status": "removed"})
    assert "dependencies" not in bill(MODEL, DEVICE, gone)
    assert "dependencies" not in bill(MODEL, DEPLOYMENT)


def test_the_same_documents_are_the_same_text() -> None:
    assert exporters.dump([MODEL], "cyclonedx") == exporters.dump([MODEL], "cyclonedx")
    other = MODEL.model_copy(update={"version": "1.0.1"})
    assert bill(MODEL)["serialNumber"] != bill(other)["serialNumber"]


def test_nothing_to_list() -> None:
    with pytest.raises(DocumentError, match="neither a model nor a device"):
        exporters.dump([DEPLOYMENT], "cyclonedx")
