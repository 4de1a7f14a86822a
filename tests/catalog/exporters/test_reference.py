"""The reference ontology's profile: it comes in again, and the reference's questions are answered on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyoxigraph
import pytest

from shoal.catalog import exporters, importers
from shoal.catalog.documents import Model
from shoal.catalog.vocabulary import PREFIXES

if TYPE_CHECKING:
    from pathlib import Path

    from shoal.catalog.importers import Imported

# The first four questions of the reference system, in words of our own: what a model needs is compared with
# what a device has, in kB. The numbers are those of the reference.
DEVICES_FOR_A_MODEL = """
SELECT DISTINCT ?device ?title ?ram WHERE {
  ?device a s3n:SmartSensor ; td:title ?title ;
    ssn:hasSubSystem [a sosa_extend:Accelerometer], [a sosa_extend:Gyroscope], ?controller .
  ?controller a s3n:MicroController ; s3n:hasSystemCapability ?capability .
  ?capability ssn-system:hasSystemProperty
    [a s3n_extend:RAM ; schema:value ?ram ; schema:unitCode om:kilobyte],
    [a s3n_extend:Flash ; schema:value ?flash ; schema:unitCode om:kilobyte] .
  FILTER(?ram >= 121 && ?flash >= 610)
} ORDER BY ?ram"""
MODELS_FOR_A_DEVICE = """
SELECT DISTINCT ?name ?macs ?ram ?flash WHERE {
  ?model a nnet:NeuralNetwork ; schema:name ?name ; nnet:hasMultiplyAccumulateOps ?macs ;
    ssn:hasInput ?input ; s3n:hasProcedureFeature
      [ssn-system:inCondition [a s3n_extend:RAM ; schema:minValue ?ram]],
      [ssn-system:inCondition [a s3n_extend:Flash ; schema:minValue ?flash]] .
  ?sensor a sosa_extend:Camera ; ssn_extend:provideInput ?input .
  FILTER(?ram <= 144 && ?flash <= 621)
}"""
MODELS_OF_A_TASK = """
SELECT DISTINCT ?name ?accuracy ?macs WHERE {
  ?model a nnet:NeuralNetwork ; schema:name ?name ; schema:description ?text ; nnet:trainingDataset ?dataset ;
    nnet:hasMultiplyAccumulateOps ?macs ; ssn:hasInput ?input ;
    nnet:hasMetric [a nnet:Top_1_accuracy ; nnet:hasMetricValue ?accuracy] .
  ?sensor a sosa_extend:Microphone ; ssn_extend:provideInput ?input .
  FILTER(REGEX(?text, "yes/no") && REGEX(STR(?dataset), "speech_commands"))
} ORDER BY ?accuracy"""
BOARDS = """
SELECT ?device (SAMPLE(?r) AS ?ram) (SAMPLE(?f) AS ?flash)
    (GROUP_CONCAT(DISTINCT STRAFTER(STR(?kind), "sosa_extend/"); SEPARATOR=" ") AS ?sensors) WHERE {
  ?device a s3n:SmartSensor ; ssn:hasSubSystem [a ?kind],
    [a s3n:MicroController ; s3n:hasSystemCapability [ssn-system:hasSystemProperty
      [a s3n_extend:RAM ; schema:value ?r], [a s3n_extend:Flash ; schema:value ?f]]] .
  FILTER(STRSTARTS(STR(?kind), STR(sosa_extend:)))
} GROUP BY ?device"""


@pytest.fixture(scope="module")
def profile(imported: Imported) -> str:
    """Return the reference data in the reference's terms."""
    return exporters.dump(imported.documents, "reference")


@pytest.fixture(scope="module")
def graph(profile: str) -> pyoxigraph.Store:
    """Return it as a graph."""
    store = pyoxigraph.Store()
    store.load(profile, format=pyoxigraph.RdfFormat.TURTLE)
    return store


def rows(graph: pyoxigraph.Store, query: str) -> list[dict[str, str]]:
    """Return the rows of a query."""
    prologue = "".join(f"PREFIX {name}: <{iri}>\n" for name, iri in PREFIXES.items())
    found = graph.query(prologue + query)
    assert isinstance(found, pyoxigraph.QuerySolutions)
    names = [one.value for one in found.variables]
    return [{name: getattr(row[name], "value", "") for name in names} for row in found]


def test_the_reference_s_questions_are_answered(graph: pyoxigraph.Store) -> None:
    titles = [row["title"] for row in rows(graph, DEVICES_FOR_A_MODEL)]
    assert titles == ["Arduino-Nano-BLE-33_1", "Arduino-Nano-BLE-33-Tinyml-Kit_1"]
    assert {row["name"] for row in rows(graph, MODELS_FOR_A_DEVICE)} == {
        "Person_Detection",
        "Visual_Alarm_Clock",
    }
    accuracies = [(row["name"][-1], float(row["accuracy"])) for row in rows(graph, MODELS_OF_A_TASK)]
    assert accuracies == [("2", 82.3), ("4", 83.0), ("1", 92.1), ("3", 93.2)]
    boards = rows(graph, BOARDS)
    assert len(boards) == 9
    kit = next(row for row in boards if "tinyml_kit" in row["device"])
    assert set(kit["sensors"].split()) == {
        "Accelerometer", "Camera", "Gyroscope", "Magnetometer", "Microphone", "Thermometer",
    }  # fmt: skip


def test_the_terms_are_the_ontology_s(profile: str) -> None:
    assert "@prefix shoal:" not in profile
    graph = pyoxigraph.parse(profile, format=pyoxigraph.RdfFormat.TURTLE)
    predicates = {quad.predicate.value for quad in graph}
    allowed = tuple(PREFIXES[name] for name in (
        "nnet", "rdf", "s3n", "schema", "sosa_extend", "ssn", "ssn-system", "ssn_extend", "td",
    ))  # fmt: skip
    assert all(one.startswith(allowed) for one in predicates)


def test_it_comes_in_again_as_it_was(tmp_path: Path, imported: Imported, profile: str) -> None:
    path = tmp_path / "profile.ttl"
    path.write_text(profile, encoding="utf-8")
    found = importers.load(path)
    assert {one.id: one.body() for one in found.documents} == {
        one.id: one.body() for one in imported.documents
    }
    # None of the defects is handed on; what is left is said by the data itself.
    assert [one.problem for one in found.defects] == ["2 labels for 3 outputs"]


def test_it_comes_in_again_with_the_files(tmp_path: Path, seloc: Path, imported_with_files: Imported) -> None:
    path = tmp_path / "profile.ttl"
    path.write_text(exporters.dump(imported_with_files.documents, "reference"), encoding="utf-8")
    found = importers.load(path, files=seloc / "collected_models")
    assert {one.id: one.body() for one in found.documents} == {
        one.id: one.body() for one in imported_with_files.documents
    }


def test_a_model_from_elsewhere_keeps_what_the_ontology_can_say(tmp_path: Path) -> None:
    model = Model.checked(
        {
            "sha256": "b" * 64,
            "name": "press",
            "version": "2.1.0",
            "format": "tflite",
            "size": 5000,
            "licence": "MIT",
            "task": "unsupervised",
            "operators": [{"name": "LEAKY_RELU", "dtype": "int8", "count": 3}],
            "inputs": [{"dtype": "int8", "shape": [20, 3]}],
            "outputs": [{"dtype": "int8", "shape": [2]}],
            "flash": {"bytes": 9000, "provenance": "declared", "method": "as described"},
            "input": {
                "sensors": [
                    {"observes": "acceleration", "low": -2, "high": 2, "unit": "G", "rate_hz": 50},
                    {"observes": "temperature", "rate_hz": 50},
                ]
            },
        }
    )
    path = tmp_path / "profile.ttl"
    path.write_text(exporters.dump([model], "reference"), encoding="utf-8")
    (found,) = importers.load(path).documents
    assert isinstance(found, Model)
    for field in ("sha256", "name", "version", "size", "flash", "licence", "task", "operators"):
        assert getattr(found, field) == getattr(model, field), field
    assert found.input.sensors == model.input.sensors


def test_a_property_that_the_ontology_has_no_class_for_is_another_sensor(tmp_path: Path) -> None:
    model = Model.checked(
        {
            "sha256": "c" * 64,
            "name": "flow",
            "version": "1.0.0",
            "format": "tflite",
            "size": 9,
            "input": {"sensors": [{"observes": "torque", "low": 0, "high": 2}]},
        }
    )
    path = tmp_path / "profile.ttl"
    path.write_text(exporters.dump([model], "reference"), encoding="utf-8")
    (found,) = importers.load(path).documents
    assert [one.observes for one in found.input.sensors] == ["other"]
