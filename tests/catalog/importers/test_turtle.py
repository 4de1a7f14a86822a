"""Our own export comes in again as it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.catalog import Catalog, exporters, importers
from shoal.catalog.documents import Alias, Deployment, Document, LearningState, Measurement, Model, Query, Run
from shoal.errors import DocumentError
from tests.catalog.documents.things import thing

if TYPE_CHECKING:
    from pathlib import Path

    from shoal.catalog.importers import Imported

MODEL = Model(
    sha256="a" * 64, name="wake", version="1.0.0", format="tflite", size=9, title='"quoted" \\ ü\n2'
)
PREFIX = "@prefix s: <https://w3id.org/shoal/vocabulary#> . "


def every_kind() -> list[Document]:
    """Return a document of each kind that names others."""
    with Catalog(None) as catalog:
        board = catalog.add_board("nano33ble")
        device = catalog.add_device(
            {
                "@context": "https://www.w3.org/2022/wot/td/v1.1",
                "id": "urn:dev:1",
                "title": "Press",
                "security": "none",
                "securityDefinitions": {"none": {"scheme": "nosec"}},
                "unknown:term": {"kept": [1, 2.5, None, "x"]},
            }
        )
    return [
        Deployment(key="d-1", model=MODEL.sha256, device="urn:dev:1", status="active"),
        Alias(name="wake", alias="champion", model=MODEL.sha256),
        LearningState(device="urn:dev:1", model=MODEL.sha256, round=3, labels={"yes": 2}),
        Run(key="fan/seed-0", produced=MODEL.sha256, config={"a": [1, {"b": None}]}),
        Measurement(key="m", quantity="accuracy", value=0.1 + 0.2, model=MODEL.sha256, interval=(0.1, 0.5)),
        Query(name="all", sparql="SELECT * { ?s ?p ?o }"),
        device,
        MODEL,
        board,
    ]


@pytest.mark.parametrize("format", ["turtle", "jsonld"])
def test_every_kind_comes_in_again(tmp_path: Path, format: exporters.Format) -> None:
    documents = every_kind()
    path = tmp_path / f"site{exporters.FORMATS[format]}"
    path.write_text(exporters.dump(documents, format), encoding="utf-8")
    found = importers.load(path).documents
    assert {(one.kind, one.id): one.body() for one in found} == {
        (one.kind, one.id): one.body() for one in documents
    }
    with Catalog(None) as catalog:  # in an order in which nothing dangles
        assert len(catalog.add_many(found)) == len(documents)
        assert catalog.add_many(found) == []


def test_the_reference_data_comes_in_again(tmp_path: Path, imported_with_files: Imported) -> None:
    path = tmp_path / "site.ttl"
    path.write_text(exporters.dump(imported_with_files.documents, "turtle"), encoding="utf-8")
    found = {one.id: one.body() for one in importers.load(path).documents}
    assert found == {one.id: one.body() for one in imported_with_files.documents}


def test_a_document_that_was_changed_by_hand_is_checked(tmp_path: Path) -> None:
    text = exporters.dump([MODEL], "turtle")
    path = tmp_path / "site.ttl"
    path.write_text(text.replace('\\"size\\":9', '\\"size\\":-9'), encoding="utf-8")
    with pytest.raises(DocumentError, match="size"):
        importers.load(path)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('<urn:a> <https://w3id.org/shoal/vocabulary#documentKind> "model" .', "it holds no documents"),
        ("documentKind", "Parser error at line 1"),
        (PREFIX + '<urn:a> s:documentKind "x" ; s:document "{}" .', "'x' is no kind"),
        (PREFIX + '<urn:a> s:documentKind "model" ; s:document "[[" .', "not JSON"),
    ],
)
def test_what_is_no_export_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "site.ttl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DocumentError, match=problem):
        importers.load(path)


def test_a_remote_context_is_not_fetched(tmp_path: Path) -> None:
    path = tmp_path / "site.jsonld"
    path.write_text('{"@context": "http://127.0.0.1:9/c", "@id": "urn:a", "documentKind": "model"}')
    with pytest.raises(DocumentError):
        importers.load(path)


@settings(deadline=None)
@given(
    title=st.text(max_size=50),
    labels=st.lists(st.text(max_size=10), max_size=3),
    value=st.floats(allow_nan=False, allow_infinity=False),
    config=st.recursive(
        st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=10),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=10,
    ),
)
@pytest.mark.parametrize("format", ["turtle", "jsonld"])
def test_any_text_and_number_comes_in_again(
    tmp_path_factory: pytest.TempPathFactory,
    format: exporters.Format,
    title: str,
    labels: list[str],
    value: float,
    config: object,
) -> None:
    documents = [
        Model.checked(
            MODEL.body()
            | {
                "title": title,
                "outputs": [{"dtype": "int8", "shape": [1], "labels": labels}],
                "metrics": [{"name": "accuracy", "value": value}],
            }
        ),
        Run.checked({"key": "k", "config": {"any": config}}),
    ]
    path = tmp_path_factory.mktemp("out") / f"site{exporters.FORMATS[format]}"
    path.write_text(exporters.dump(documents, format), encoding="utf-8")
    assert [one.body() for one in importers.load(path).documents] == [one.body() for one in documents]


def test_a_thing_that_has_the_word_is_no_export(tmp_path):
    path = tmp_path / "hall.jsonld"
    path.write_text(json.dumps(thing(description="what documentKind means, or shoal:documentKind")))
    assert [one.kind for one in importers.load(path).documents] == ["device"]
