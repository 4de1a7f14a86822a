"""MLDCAT-AP: the rules that version 3.1 states for what is exported."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from shoal.catalog import exporters
from shoal.catalog.documents import Model
from shoal.errors import DocumentError

if TYPE_CHECKING:
    from shoal.catalog.importers import Imported

# Cardinalities and classes of the profile's shapes, for the classes that are exported, in words of our own.
SHAPES = """
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix it6: <http://data.europa.eu/it6/> .
@prefix spdx: <http://spdx.org/rdf/terms#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix biro: <http://purl.org/spar/biro/> .
<urn:Model> a sh:NodeShape ; sh:targetClass it6:MachineLearningModel ; sh:property
  [sh:path dct:identifier ; sh:minCount 1 ; sh:maxCount 1 ; sh:nodeKind sh:Literal],
  [sh:path dct:title ; sh:minCount 1 ; sh:nodeKind sh:Literal],
  [sh:path dct:created ; sh:minCount 1 ; sh:maxCount 1 ; sh:nodeKind sh:Literal],
  [sh:path dcat:version ; sh:minCount 1 ; sh:maxCount 1 ; sh:nodeKind sh:Literal],
  [sh:path dct:description ; sh:nodeKind sh:Literal], [sh:path dcat:keyword ; sh:nodeKind sh:Literal],
  [sh:path dct:creator ; sh:class foaf:Agent], [sh:path dct:license ; sh:class dct:LicenseDocument],
  [sh:path it6:trainedOn ; sh:minCount 1 ; sh:class dcat:Dataset],
  [sh:path it6:hasFile ; sh:minCount 1 ; sh:class it6:File],
  [sh:path it6:evaluationResults ; sh:maxCount 1 ; sh:nodeKind sh:Literal],
  [sh:path it6:howToUse ; sh:maxCount 1 ; sh:nodeKind sh:Literal],
  [sh:path it6:intendedUse ; sh:nodeKind sh:Literal],
  [sh:path it6:modelArchitecture ; sh:nodeKind sh:Literal],
  [sh:path it6:hasInputModality ; sh:class it6:Modality],
  [sh:path it6:hasOutputModality ; sh:class it6:Modality],
  [sh:path it6:hasBibliographicReference ; sh:class biro:BibliographicReference],
  [sh:path it6:totalNumberOfParameters ; sh:datatype xsd:nonNegativeInteger] .
<urn:File> a sh:NodeShape ; sh:targetClass it6:File ; sh:property
  [sh:path dct:identifier ; sh:minCount 1 ; sh:maxCount 1 ; sh:nodeKind sh:Literal],
  [sh:path dct:title ; sh:minCount 1 ; sh:maxCount 1 ; sh:nodeKind sh:Literal],
  [sh:path dct:format ; sh:minCount 1 ; sh:maxCount 1 ; sh:class skos:Concept],
  [sh:path it6:url ; sh:minCount 1 ; sh:maxCount 1 ; sh:class dcat:Resource],
  [sh:path spdx:checksum ; sh:class spdx:Checksum] .
<urn:Checksum> a sh:NodeShape ; sh:targetClass spdx:Checksum ; sh:property
  [sh:path spdx:algorithm ; sh:minCount 1 ; sh:maxCount 1 ; sh:class spdx:ChecksumAlgorithm],
  [sh:path spdx:checksumValue ; sh:minCount 1 ; sh:maxCount 1 ; sh:datatype xsd:hexBinary] .
<urn:Modality> a sh:NodeShape ; sh:targetClass it6:Modality ; sh:property
  [sh:path it6:classification ; sh:class skos:Concept], [sh:path it6:size ; sh:nodeKind sh:Literal] .
<urn:Reference> a sh:NodeShape ; sh:targetClass biro:BibliographicReference ; sh:property
  [sh:path dct:bibliographicCitation ; sh:minCount 1 ; sh:maxCount 1 ; sh:nodeKind sh:Literal],
  [sh:path dct:format ; sh:minCount 1 ; sh:maxCount 1 ; sh:nodeKind sh:Literal] .
<urn:Agent> a sh:NodeShape ; sh:targetClass foaf:Agent ; sh:property
  [sh:path foaf:name ; sh:minCount 1 ; sh:nodeKind sh:Literal] .
<urn:Dataset> a sh:NodeShape ; sh:targetClass dcat:Dataset ; sh:property
  [sh:path dct:title ; sh:minCount 1 ; sh:nodeKind sh:Literal],
  [sh:path dct:description ; sh:minCount 1 ; sh:nodeKind sh:Literal],
  [sh:path dcat:landingPage ; sh:class foaf:Document] .
"""


def problems(text: str) -> str:
    """Return what the shapes say of Turtle, empty where it conforms."""
    pyshacl = pytest.importorskip("pyshacl", reason="pip install 'shoal[validate]'")
    rdflib = pytest.importorskip("rdflib", reason="pip install 'shoal[validate]'")
    data = rdflib.Graph().parse(data=text, format="turtle")
    shapes = rdflib.Graph().parse(data=SHAPES, format="turtle")
    conforms, _, report = pyshacl.validate(data, shacl_graph=shapes)
    return "" if conforms else str(report)


def test_the_reference_data_conforms_but_for_what_it_does_not_say(imported_with_files: Imported) -> None:
    models = [one for one in imported_with_files.documents if isinstance(one, Model)]
    assert problems(exporters.dump([one for one in models if one.dataset], "mldcat")) == ""
    without = [one for one in models if not one.dataset]
    assert {one.name for one in without} == {"Anomaly_Detection_Autoencoder", "Hello_World", "Mapping_Dance"}
    assert problems(exporters.dump(without, "mldcat")).count("trainedOn") >= 3


def test_everything_that_a_model_can_have_conforms() -> None:
    model = Model.checked(
        {
            "sha256": "a" * 64,
            "name": "wake",
            "version": "1.0.0",
            "format": "tflite",
            "size": 18712,
            "licence": "Apache-2.0",
            "creator": "Somebody",
            "created": "2026-01-02",
            "reference": "no address",
            "dataset": "https://example.org/a b",
            "parameters": 1621,
            "tags": ["audio"],
            "lineage": {"base": "b" * 64},
            "inputs": [{"dtype": "int8", "shape": [1960]}],
            "input": {"sensors": [{"observes": "sound"}, {"observes": "torque"}]},
        }
    )
    text = exporters.dump([model], "mldcat")
    assert problems(text) == ""
    assert '"1621"^^xsd:nonNegativeInteger' in text
    assert f"it6:fineTunedFrom <urn:shoal:model:{'b' * 64}>" in text


def test_the_shapes_refuse_what_is_wrong() -> None:
    bare = Model(sha256="0" * 64, name="wake", version="1.0.0", format="other", size=0)
    found = problems(exporters.dump([bare], "mldcat"))
    assert "created" in found
    assert "trainedOn" in found


def test_no_model() -> None:
    with pytest.raises(DocumentError, match="no model to be exported"):
        exporters.dump([], "mldcat")
