"""The reference system's Turtle: what comes in, and each defect with its line."""

from __future__ import annotations

import csv
import hashlib
from typing import TYPE_CHECKING

import pytest

from shoal.catalog import Catalog, importers
from shoal.catalog.documents import Device, Model
from shoal.catalog.matching import REFERENCE_RULE, check
from shoal.catalog.vocabulary import PROPERTIES
from shoal.errors import DocumentError, StorageError

if TYPE_CHECKING:
    from pathlib import Path

    from shoal.catalog.importers import Imported

W3ID = "https://w3id.org/tinyml-schema/neural-network-schema"
PREFIXES = f"""@prefix nnet: <{W3ID}#> .
@prefix om: <http://www.ontology-of-units-of-measure.org/resource/om-2/> .
@prefix s3n: <http://w3id.org/s3n/> .
@prefix s3n_extend: <{W3ID}/s3n_extend/> .
@prefix schema: <https://schema.org/> .
@prefix ssn-system: <http://www.w3.org/ns/ssn/systems/> .
"""
MODEL = """<https://example.org/wake> a nnet:NeuralNetwork ;
    schema:name "Wake" ;
    s3n:hasProcedureFeature [ssn-system:inCondition [a s3n_extend:Flash ; schema:minValue 18.712 ;
        schema:unitCode om:kilobyte]] .
"""


def models(imported: Imported) -> dict[str, Model]:
    """Return the models by name."""
    return {one.name: one for one in imported.documents if isinstance(one, Model)}


def devices(imported: Imported) -> dict[str, Device]:
    """Return the devices by title."""
    return {one.title: one for one in imported.documents if isinstance(one, Device)}


def rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def load(tmp_path: Path, text: str) -> Imported:
    """Import Turtle."""
    path = tmp_path / "models.ttl"
    path.write_text(PREFIXES + text, encoding="utf-8")
    return importers.load(path)


def test_all_models_and_devices_come_in(imported: Imported) -> None:
    assert len(models(imported)) == 23
    assert len(devices(imported)) == 9


def test_devices_say_what_the_turtle_says(seloc: Path, imported: Imported) -> None:
    found = devices(imported)
    for row in rows(seloc / "derived/device_facts.csv"):
        hardware = found[row["td_title"]].hardware
        assert found[row["td_title"]].id == row["iri"]
        assert hardware.ram.total == int(row["ram_kB"]) * 1000
        assert hardware.flash.total == int(row["flash_kB"]) * 1000
        sensors = {PROPERTIES[one.observes].sensor for one in hardware.sensors or ()}
        assert sensors == set(row["sensors"].split(";"))


def test_ranges_come_from_the_properties_in_known_units(imported: Imported) -> None:
    sensors = {one.observes: one for one in devices(imported)["MS200_1"].hardware.sensors or ()}
    ranges = {name: (one.low, one.high, one.unit) for name, one in sensors.items()}
    assert ranges == {
        "acceleration": (-4, 4, "G"),
        "angular velocity": (-2000, 2000, "DEG-PER-SEC"),
        "magnetic field": (-1300, 1300, "MicroT"),
        "temperature": (-20, 80, "DEG_C"),
    }


def test_models_say_what_the_turtle_says(seloc: Path, imported: Imported) -> None:
    found = models(imported)
    for row in rows(seloc / "derived/matches_reference_rule.csv"):
        model = found[row["model"]]
        assert model.inference.bytes == round(float(row["ram_kB"]) * 1000)
        assert model.flash.bytes == round(float(row["flash_kB"]) * 1000)
    for row in rows(seloc / "derived/model_facts.csv"):
        model = found[row["file"].removesuffix(".tflite")]
        assert model.size == int(row["size_bytes"])
        assert model.macs == pytest.approx(int(row["macs_conv_dw_fc"]), rel=1e-6)
        figure = float(row["kg_metric_value"] or 0)
        assert [metric.value for metric in model.metrics] == ([pytest.approx(figure / 100)] if figure else [])


def test_operators_are_those_of_the_files(
    seloc: Path, imported: Imported, imported_with_files: Imported
) -> None:
    for found in (models(imported), models(imported_with_files)):
        for row in rows(seloc / "derived/model_facts.csv"):
            counts: dict[str, int] = {}
            for operator in found[row["file"].removesuffix(".tflite")].operators:
                counts[operator.name] = counts.get(operator.name, 0) + operator.count
            assert " ".join(f"{name}:{counts[name]}" for name in sorted(counts)) == row["op_types"]


def test_inputs_and_outputs_are_those_of_the_files(seloc: Path, imported: Imported) -> None:
    for row in rows(seloc / "derived/model_facts.csv"):
        model = models(imported)[row["file"].removesuffix(".tflite")]
        for tensors, text in ((model.inputs, row["inputs"]), (model.outputs, row["outputs"])):
            _, dtype, shape, *_ = text.split("|")
            assert (
                f"{tensors[0].dtype.upper()} 1x{'x'.join(map(str, tensors[0].shape))}" == f"{dtype} {shape}"
            )


def test_sensors_of_models(imported: Imported) -> None:
    found = models(imported)
    needs = [one.model_dump(exclude_defaults=True) for one in found["Move"].input.sensors]
    assert needs == [
        {"observes": "acceleration", "low": -4, "high": 4, "unit": "G", "rate_hz": 119},
        {"observes": "angular velocity", "low": -2000, "high": 2000, "unit": "DEG-PER-SEC", "rate_hz": 119},
    ]
    assert [one.observes for one in found["Hello_World"].input.sensors] == ["other"]  # OtherSensor


def test_the_reference_s_own_rule_gives_the_reference_s_own_answer(seloc: Path, imported: Imported) -> None:
    found = devices(imported)
    fits = 0
    for row in rows(seloc / "derived/matches_reference_rule.csv"):
        model = models(imported)[row["model"]]
        for title, device in found.items():
            matches = all(one.fits for one in check(model, device.hardware, rule=REFERENCE_RULE))
            assert matches == (row[title] == "ok"), (row["model"], title)
            fits += matches
    assert fits == 89


def test_labels_are_read_where_they_fit_the_output(imported: Imported) -> None:
    found = models(imported)
    assert found["Micro_Speech_Yes_No_1"].outputs[0].labels == ("silence", "unknown", "yes", "no")
    assert found["Person_Detection"].outputs[0].labels == ()


def test_the_file_gives_address_and_exact_counts(seloc: Path, imported_with_files: Imported) -> None:
    found = models(imported_with_files)
    model = found["ARM_MicroNet_Small_anomaly_detection"]
    file = seloc / "collected_models/ARM_MicroNet_Small_anomaly_detection.tflite"
    assert model.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert imported_with_files.files[model.sha256] == file
    assert model.macs == 18_740_192
    assert model.inference.bytes == 128_256  # as described
    assert model.training is not None  # as computed


def test_a_file_that_two_models_name_is_one_model_s(imported_with_files: Imported) -> None:
    found = models(imported_with_files)
    assert len({model.sha256 for model in found.values()}) == 23
    assert len(imported_with_files.files) == 22
    problems = [str(one) for one in imported_with_files.defects if "its file is the one of" in one.problem]
    assert [problem.split()[1] for problem in problems] == ["Micro_Speech_Yes_No_3:"]


# File, line, a word of the problem. The lines were read in the files.
KNOWN = [
    ("ms200.ttl", 29, "sosa_extend::Magnetometer"),
    ("ms200.ttl", 93 - 15, "om:gravity"),
    ("ms200.ttl", 93, "om:degress_per_second"),
    ("targetV.ttl", 44, "another device's"),
    ("targetV.ttl", 54, "om:degree_Celsius"),
    ("arduino_nano_ble_33_td.ttl", 111, "om:micro_tesla"),
    ("tflite_models.ttl", 44, "<None>"),
    ("tflite_models.ttl", 410, "<None>"),
    ("tflite_models.ttl", 431, "<None>"),
    ("tflite_models.ttl", 240, "<N.A.>"),
    ("tflite_models.ttl", 622, "has no scheme"),
    ("tflite_models.ttl", 662, "7 digits"),
    ("tflite_models.ttl", 1342, "metric of 0"),
    ("tflite_models.ttl", 1441, "Int32"),
    ("tflite_models.ttl", 2283, "Int32"),
    ("tflite_models.ttl", 2727, "2 labels for 3 outputs"),
]


@pytest.mark.parametrize(("file", "line", "problem"), KNOWN)
def test_a_known_defect_is_reported_with_its_line(
    imported: Imported, file: str, line: int, problem: str
) -> None:
    found = [one for one in imported.defects if (one.file, one.line) == (file, line)]
    assert [one for one in found if problem in one.problem]
    assert all(one.fix for one in found)


def test_each_defect_points_at_the_words_that_are_wrong(seloc: Path, imported: Imported) -> None:
    texts = {path.name: path.read_text().splitlines() for path in seloc.glob("semantic_description/*.ttl")}
    words = {
        "metric of 0": "hasMetricValue 0",
        "Int32": "Int32",
        "layer index": "hasIndex",
        "7 digits": "e+07",
    }
    for defect in imported.defects:
        for problem, word in words.items():
            if problem in defect.problem:
                assert word in texts[defect.file][defect.line - 1]


def test_every_model_has_its_layer_indexes_reported(imported: Imported) -> None:
    twice = [one for one in imported.defects if "layer index 1 occurs twice" in one.problem]
    missing = [one for one in imported.defects if "no layer has index" in one.problem]
    assert (len(twice), len(missing)) == (23, 23)
    assert sum("metric of 0" in one.problem for one in imported.defects) == 12
    assert sum("Int32" in one.problem for one in imported.defects) == 6
    assert sum("<None>" in one.problem for one in imported.defects) == 3


def test_the_same_file_again_is_no_event(
    seloc: Path, imported_with_files: Imported, imported: Imported
) -> None:
    for some in (imported, imported_with_files):
        with Catalog(None) as catalog:
            assert len(catalog.add_many(some.documents, files=some.files)) == 32
            assert catalog.add_many(some.documents, files=some.files) == []
    again = importers.load(sorted((seloc / "semantic_description").glob("*.ttl")))
    assert [one.body() for one in again.documents] == [one.body() for one in imported.documents]


def test_the_earlier_name_space_is_read_too(tmp_path: Path) -> None:
    text = (PREFIXES + MODEL).replace(f"{W3ID}#", "http://tinyml-schema.org/networkschema#")
    text = text.replace(f"{W3ID}/", "http://tinyml-schema.org/").replace("https://schema", "http://schema")
    (tmp_path / "models.ttl").write_text(text)
    assert importers.load(tmp_path / "models.ttl").documents[0].name == "Wake"  # type: ignore[attr-defined]


def test_the_address_without_a_file_is_that_of_the_iri(tmp_path: Path) -> None:
    model = load(tmp_path, MODEL).documents[0]
    assert model.id == f"sha256:{hashlib.sha256(b'https://example.org/wake').hexdigest()}"


def test_a_literal_that_looks_like_an_iri_is_left_alone(tmp_path: Path) -> None:
    text = MODEL.replace('schema:name "Wake"', 'schema:name "Wake" ; schema:description "<None> a::b # <x>"')
    found = load(tmp_path, text)
    assert found.defects == ()
    assert found.documents[0].description == "<None> a::b # <x>"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("old", "new", "line", "problem"),
    [
        ("schema:name", "schema:name ;", 8, "not a valid"),
        ('schema:name "Wake" ;', "", 7, "name"),
        ("om:kilobyte", "om:furlong", 7, "unknown unit"),
        ("om:kilobyte", "om:gram", 7, "unit"),
        ("18.712", '"lots"', 7, "missing"),
        ("18.712", "-4", 7, "size"),
        ("18.712", "1e300", 7, "size"),
        ("18.712", "1e308", 7, "amount of memory: 1e+308"),
        ('"Wake"', '"../../etc/passwd"', 7, "name"),
    ],
)
def test_a_model_that_cannot_be_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, problem: str
) -> None:
    with pytest.raises(DocumentError) as raised:
        load(tmp_path, MODEL.replace(old, new))
    where = str(raised.value.where)
    assert int(where.rpartition(":")[2]) == line
    assert problem in str(raised.value)


@pytest.mark.parametrize("number", ["4000000000", "9" * 30])
def test_a_shape_that_no_memory_holds_is_refused_or_kept_but_never_made(tmp_path: Path, number: str) -> None:
    text = MODEL.replace(
        "s3n:has",
        f"""nnet:outputLayer [nnet:shapeOut "[1 {number}]"] ;
    <http://www.w3.org/ns/ssn/hasOutput> [nnet:hasOutputInfo "0: no, 1: yes"] ; s3n:has""",
        1,
    )
    found = load(tmp_path, text)
    assert [one.problem for one in found.defects] == [f"2 labels for {number} outputs"]


def test_a_missing_file_or_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot read"):
        importers.load(tmp_path / "none.ttl")
    (tmp_path / "models.ttl").write_text(PREFIXES + MODEL)
    with pytest.raises(StorageError, match="cannot read"):
        importers.load(tmp_path / "models.ttl", files=tmp_path / "none")
