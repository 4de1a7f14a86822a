"""What is broken or hostile: a message that names the place, and a catalog that is as it was."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from shoal import nn
from shoal.catalog import Catalog, exporters, importers
from shoal.catalog.documents import Board, Model
from shoal.catalog.query import Limits
from shoal.errors import DocumentError, ModelError, QueryError, ShoalError, StorageError
from tests.catalog.describe.metadata_writer import Described, metadata

if TYPE_CHECKING:
    from collections.abc import Iterator

TD: dict[str, Any] = {
    "@context": "https://www.w3.org/2022/wot/td/v1.1",
    "id": "urn:dev:press",
    "title": "Press",
    "security": "none",
    "securityDefinitions": {"none": {"scheme": "nosec"}},
}
MODEL: dict[str, Any] = {
    "sha256": "a" * 64,
    "name": "wake",
    "version": "1.0.0",
    "format": "tflite",
    "size": 18712,
}
TEN_MB = "x" * 10_000_000


def nested(depth: int, value: Any = 1) -> Any:
    """Return a value so deep in arrays."""
    for _ in range(depth):
        value = [value]
    return value


def sensor(**fields: Any) -> dict[str, Any]:
    """Return a device with one sensor."""
    return TD | {"shoal:hardware": {"sensors": [fields]}}


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    """Return a catalog that holds a model and a device; it must be the same at the end."""
    with Catalog(tmp_path / "site.shoal") as found:
        found.add(Model.checked(MODEL))
        found.add_device(TD)
        before = (found.store.revision, found.store.kinds())
        yield found
        assert (found.store.revision, found.store.kinds()) == before
        assert list(found.check()) == []


DEVICES = [
    # broken Thing Descriptions
    (TD | {"title": 7}, "title"),
    ({key: value for key, value in TD.items() if key != "security"}, "security"),
    (TD | {"security": "unknown"}, "security"),
    (TD | {"securityDefinitions": {"none": {"scheme": "magic", "in": 3}}}, "securityDefinitions"),
    (TD | {"properties": {"heat": {"type": "number"}}}, "properties.heat.forms"),
    (TD | {"properties": {"heat": {"forms": [{"href": 3}]}}}, "properties.heat.forms[0].href"),
    (TD | {"id": "no IRI"}, "id"),
    (TD | {"id": ""}, "id"),
    # wrong units, sensors and amounts
    (sensor(observes="acceleration", low=-4, high=4, unit="furlong"), "sensors[0]"),
    (sensor(observes="acceleration", low=-4, high=4, unit="DEG_C"), "sensors[0]"),
    (sensor(observes="acceleration", low=4, high=-4), "sensors[0]"),
    (sensor(observes="../../etc"), "sensors[0].observes"),
    (TD | {"shoal:hardware": {"ram": {"total": "256 kB"}}}, "ram.total"),
    (TD | {"shoal:hardware": {"ram": {"total": 1, "reserved": 2}}}, "ram"),
    (TD | {"shoal:hardware": {"ram": {"total": 10**30}}}, "ram.total"),
    (TD | {"shoal:hardware": {"board": "../../nano33ble"}}, "board"),
    # hostile contexts
    (TD | {"@context": "https://evil.example/context"}, "@context"),
    (TD | {"@context": [TD["@context"], "http://127.0.0.1:9/context"]}, "@context"),
    (
        TD | {"@context": [TD["@context"], {"x": {"@context": "file:///etc/passwd", "@id": "urn:x"}}]},
        "@context",
    ),
    (TD | {"@context": [TD["@context"], {"@import": "https://evil.example/context"}]}, "@context"),
    # too deep, too large
    (TD | {"deep": nested(100)}, "deep"),
    (TD | {"deep": nested(100_000)}, ""),
    (TD | {"description": TEN_MB}, ""),
    (TD | {"properties": {str(i): {"forms": [{"href": "coap://a"}]} for i in range(50_000)}}, ""),
]


@pytest.mark.parametrize(("td", "field"), DEVICES, ids=[str(i) for i in range(len(DEVICES))])
def test_a_device_that_cannot_be_is_refused_by_its_field(
    catalog: Catalog, td: dict[str, Any], field: str
) -> None:
    with pytest.raises(DocumentError) as raised:
        catalog.add_device(td)
    assert raised.value.fields
    assert any(field in f"{place}: {problem}" for place, problem in raised.value.fields)
    assert len(str(raised.value)) < 5000


MODELS = [
    ({"name": "../../etc/passwd"}, "name"),
    ({"name": "a/b"}, "name"),
    ({"name": "a\0b"}, "name"),
    ({"name": "-rf"}, "name"),
    ({"version": "latest"}, "version"),
    ({"sha256": "A" * 64}, "sha256"),
    ({"size": -1}, "size"),
    ({"size": 2**70}, "size"),
    ({"format": "exe"}, "format"),
    ({"description": TEN_MB}, "10,000,"),
    ({"title": "x" * 10_001}, "title"),
    ({"operators": [{"name": "CONV_2D", "version": 0}]}, "operators[0].version"),
    ({"operators": [{"name": "CONV_2D", "opcode": 3}]}, "operators[0].opcode"),
    ({"inputs": [{"dtype": "int7", "shape": [1]}]}, "inputs[0].dtype"),
    ({"inputs": [{"dtype": "int8", "shape": [-2]}]}, "inputs[0].shape[0]"),
    ({"metrics": [{"name": "accuracy", "value": float("nan")}]}, "not JSON: Out of range"),
    ({"input": {"sensors": [{"observes": "sound", "unit": "furlong"}]}}, "input.sensors[0]"),
    ({"inference": {"bytes": 3, "parts": {"a": 1}}}, "inference"),
    ({"unknown": 1}, "unknown"),
]


@pytest.mark.parametrize(("fields", "field"), MODELS, ids=[str(i) for i in range(len(MODELS))])
def test_a_model_that_cannot_be_is_refused_by_its_field(
    catalog: Catalog, fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(DocumentError) as raised:
        catalog.add(Model.checked(MODEL | fields))
    assert any(field in f"{place}: {problem}" for place, problem in raised.value.fields)
    assert len(str(raised.value)) < 5000


def test_a_board_whose_runtime_has_an_operator_that_cannot_be(catalog: Catalog) -> None:
    runtime = {"name": "shoal", "operators": [{"name": "CONV_2D", "dtype": 8}]}
    with pytest.raises(DocumentError) as raised:
        catalog.add_board(Board.checked({"name": "b", "hardware": {"runtimes": [runtime]}}))
    assert raised.value.fields[0][0] == "hardware.runtimes[0].operators[0].dtype"


def write(folder: Path, name: str, content: bytes | str) -> Path:
    """Write a file."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def tflite(labels: str, files: object) -> bytes:
    """Return a small TensorFlow Lite file that names a file of labels, with what is behind it."""
    writer = Described()
    x, y = writer.value((1, 4)), writer.value((1, 2))
    weights, bias = writer.constant(np.ones((2, 4), np.float32)), writer.constant(np.zeros(2, np.float32))
    writer.add("FULLY_CONNECTED", [x, weights, bias], [y])
    content: bytes = writer.described([x], [y], metadata(labels=[labels]), files)
    return content


def test_damaged_model_files(catalog: Catalog, tmp_path: Path) -> None:
    for content in (b"", b"\x1c\0\0\0TFL3", b"\xff\xff\xff\xffTFL3" + b"\xff" * 100):
        with pytest.raises(ModelError):
            catalog.add_model(write(tmp_path, "bad.tflite", content))
    with pytest.raises(ShoalError):
        catalog.add_model(write(tmp_path, "bad.onnx", b"\xff" * 100))
    with pytest.raises(StorageError):
        catalog.add_model(tmp_path / "none.tflite")


def test_an_archive_that_unpacks_to_very_much(catalog: Catalog, tmp_path: Path) -> None:
    bomb = tflite("labels.txt", [("labels.txt", "y" * 200_000_000)])
    assert len(bomb) < 1_000_000
    start = time.monotonic()
    with pytest.raises(ModelError, match=r"unpacks to more than 1,048,576 bytes") as raised:
        catalog.add_model(write(tmp_path, "bomb.tflite", bomb))
    assert "labels.txt" in str(raised.value.where)
    assert time.monotonic() - start < 30


@pytest.mark.parametrize("name", ["../../labels.txt", "/etc/passwd", "..\\labels.txt", ".."])
def test_a_file_of_labels_with_a_path(catalog: Catalog, tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelError, match="a file name with a path") as raised:
        catalog.add_model(write(tmp_path, "bad.tflite", tflite(name, [(name, "yes")])))
    assert repr(name) in str(raised.value.where)


@pytest.mark.parametrize("name", ["../../wake", "a/b", "-rf", "", "n" * 101])
def test_a_name_that_is_a_path_names_no_model(catalog: Catalog, tmp_path: Path, name: str) -> None:
    path = tmp_path / "sine.shoal"
    nn.Network([nn.Dense(1)], input_shape=(1,), loss="mse", seed=0).save(path)
    with pytest.raises(DocumentError) as raised:
        catalog.add_model(path, name=name)
    assert raised.value.fields[0][0] == "name"


FILES = [
    ("a.ttl", "<urn:a> <urn:b> ", "Parser error|premature|expected"),
    ("b.ttl", "@prefix s3n: <http://w3id.org/s3n/> .\n<urn:a> a s3n:SmartSensor .\n", "title"),
    ("c.ttl", "<urn:a> <urn:b> " + "[<urn:c> " * 20_000 + "1" + "]" * 20_000 + " .", "it holds no"),
    ("d.json", "[" * 1_000_000, "not JSON|nested"),
    ("e.json", json.dumps(TD | {"description": TEN_MB}), "more than 1,000,000"),
    ("f.json", json.dumps([TD, TD | {"title": None}]), "title"),
    ("g.csv", 'id,title\nurn:dev:1,"' + TEN_MB + '"\n', "not CSV"),
    ("h.csv", "file,name\n../../etc/passwd,x\n", "not below the folder"),
    ("i.csv", 'id,title,sensors\nurn:dev:1,Press,"acceleration, 0..4 furlong"\n', "unknown unit"),
    ("j.csv", "id,title\n" + "urn:dev:1,Press\n" * 2, "as in row 2"),
    (
        "k.jsonld",
        '{"@context": {"documentKind": "https://w3id.org/shoal/vocabulary#documentKind"}}',
        "it holds no documents",
    ),
    ("l.exe", "MZ", "no format has the suffix"),
    ("m.ttl", b"\xff\xfe", "UTF-8|Parser error"),
]


@pytest.mark.parametrize(("name", "content", "problem"), FILES, ids=[name for name, *_ in FILES])
def test_a_file_that_cannot_be_imported(
    catalog: Catalog, tmp_path: Path, name: str, content: str | bytes, problem: str
) -> None:
    assert catalog.store.count("model") == 1
    start = time.monotonic()
    with pytest.raises(DocumentError, match=problem) as raised:
        importers.load(write(tmp_path, name, content))
    assert raised.value.fields
    assert len(str(raised.value)) < 5000
    assert time.monotonic() - start < 30


def test_one_document_of_an_import_that_cannot_be_keeps_all_out(catalog: Catalog, tmp_path: Path) -> None:
    others = [Model.checked(MODEL | {"sha256": f"{i:064x}", "version": f"2.0.{i}"}) for i in range(3)]
    text = exporters.dump(others, "turtle").replace('\\"version\\":\\"2.0.2\\"', '\\"version\\":\\"two\\"')
    with pytest.raises(DocumentError, match="version"):
        importers.load(write(tmp_path, "site.ttl", text))
    clash = [*others, Model.checked(MODEL | {"sha256": "b" * 64})]  # wake:1.0.0 is another model already
    with pytest.raises(ShoalError, match=r"wake:1\.0\.0"):
        catalog.add_many(clash)


BOMBS = [
    "SELECT * WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l FILTER(?c = ?l) } ORDER BY ?f ?i",
    "SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . ?m ?n1 ?o }",
    "SELECT (COUNT(?s) AS ?n) WHERE { ?s ?p ?o FILTER(REGEX(CONCAT(?o, ?o), '(a+)+$'))"
    " . ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }",
]


@pytest.mark.parametrize("query", BOMBS)
def test_a_query_that_takes_too_much_is_stopped_and_the_next_one_works(catalog: Catalog, query: str) -> None:
    many = " ".join(f"(<urn:{i}>)" for i in range(400))
    loaded = query.replace("WHERE {", f"WHERE {{ VALUES (?bomb) {{ {many} }} VALUES (?more) {{ {many} }} ", 1)
    start = time.monotonic()
    with pytest.raises(QueryError):
        catalog.query(loaded, limits=Limits(seconds=1.0))
    assert time.monotonic() - start < 20
    assert len(catalog.query("SELECT ?d WHERE { ?d a shoal:Device }")) == 1


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * WHERE { SERVICE <http://127.0.0.1:9/sparql> { ?s ?p ?o } }",
        "LOAD <file:///etc/passwd>",
        "INSERT DATA { <urn:a> <urn:b> <urn:c> }",
        "DROP ALL",
        "SELECT * WHERE { " + "{ " * 100_000 + "}" * 100_000 + " }",
        "SELECT * WHERE { ?s ?p ?o } #" + TEN_MB,
    ],
    ids=["SERVICE", "LOAD", "INSERT", "DROP", "deep", "long"],
)
def test_a_query_that_is_not_allowed_is_refused(catalog: Catalog, query: str) -> None:
    with pytest.raises(QueryError) as raised:
        catalog.query(query)
    assert len(str(raised.value)) < 5000


def test_an_operator_that_no_runtime_has_is_named_by_the_match() -> None:
    model = Model.checked(MODEL | {"operators": [{"name": "NO_SUCH_OP"}, {"name": "FULLY_CONNECTED"}]})
    with Catalog(None) as catalog:
        catalog.add_device(TD | {"shoal:hardware": {"board": "nano33ble"}})
        found = catalog.match(model, "Press")
        (pair,) = (*found.matches, *found.near)
        assert not pair.fits
        assert [reason for reason in pair.reasons if "NO_SUCH_OP" in reason]
        assert catalog.store.kinds() == {"device": 1}
