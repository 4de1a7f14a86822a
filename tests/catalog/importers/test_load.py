"""Files and folders by their suffix."""

from __future__ import annotations

import hashlib
import shutil
from typing import TYPE_CHECKING

import pytest

from shoal import nn
from shoal.catalog import Catalog, exporters, importers
from shoal.catalog.documents import Device
from shoal.errors import DocumentError, ModelError
from shoal.nn.exporters import to_onnx

if TYPE_CHECKING:
    from pathlib import Path

TD = """{"@context": "https://www.w3.org/2022/wot/td/v1.1", "id": "urn:dev:press", "title": "Press",
 "security": "none", "securityDefinitions": {"none": {"scheme": "nosec"}}}"""


def network() -> nn.Network:
    """Return a small network."""
    return nn.Network([nn.Dense(4, "tanh"), nn.Dense(1)], input_shape=(2,), loss="mse", seed=0)


def test_a_folder_is_all_its_files(tmp_path: Path) -> None:
    (tmp_path / "press.td.jsonld").write_text(TD)
    (tmp_path / "devices.csv").write_text("id,title\nurn:dev:mixer,Mixer\n")
    (tmp_path / "notes.txt").write_text("not for the catalog")
    (tmp_path / "below").mkdir()
    (tmp_path / "below/other.csv").write_text("nothing")
    network().save(tmp_path / "sine.shoal")
    found = importers.load(tmp_path)
    assert [one.kind for one in found.documents] == ["device", "device", "model"]
    with Catalog(None) as catalog:
        assert len(catalog.add_many(found.documents, files=found.files)) == 3
        assert catalog.model_file("sine") == (tmp_path / "sine.shoal").read_bytes()


def test_models_by_their_files(tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="pip install 'shoal[onnx]'")
    network().save(tmp_path / "a.shoal")
    (tmp_path / "b.onnx").write_bytes(to_onnx(network()))
    found = importers.load([tmp_path / "a.shoal", tmp_path / "b.onnx"], task="regression")
    for model, path in zip(found.documents, (tmp_path / "a.shoal", tmp_path / "b.onnx"), strict=True):
        assert model.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        assert model.task == "regression"
        assert found.files[model.sha256] == path
    assert [one.format for one in found.documents] == ["shoal", "onnx"]


def test_a_real_model_by_its_file(tmp_path: Path, seloc: Path) -> None:
    shutil.copy(seloc / "collected_models/Magic_Wand_1.tflite", tmp_path / "wand.tflite")
    (model,) = importers.load(tmp_path).documents
    assert (model.name, model.format, model.macs) == ("wand", "tflite", 62_016)


def test_models_and_devices_of_the_reference_system_in_one_call(tmp_path: Path, seloc: Path) -> None:
    found = importers.load(
        seloc / "semantic_description"
    )  # with the Thing Description in JSON-LD beside them
    assert len([one for one in found.documents if isinstance(one, Device)]) == 10
    assert len(found.documents) == 33
    path = tmp_path / "site.jsonld"
    path.write_text(exporters.dump(found.documents, "jsonld"), encoding="utf-8")
    assert {one.id: one.body() for one in importers.load(path).documents} == {
        one.id: one.body() for one in found.documents
    }


def test_what_no_format_has_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(DocumentError, match=r"no format has the suffix '.txt'"):
        importers.load(tmp_path / "notes.txt")
    for given, where in ((tmp_path, str(tmp_path)), ([tmp_path], str(tmp_path)), ([], None), ((), None)):
        with pytest.raises(DocumentError, match="no file to read") as caught:
            importers.load(given)
        assert caught.value.where == where
        assert ".csv, .json, .jsonld" in caught.value.hint
    (tmp_path / "bad.tflite").write_bytes(b"\x1c\0\0\0TFL3")
    with pytest.raises(ModelError):
        importers.load(tmp_path)


def test_models_without_files_and_then_with_them_are_a_conflict_that_is_named(seloc: Path) -> None:
    path = seloc / "semantic_description/tflite_models.ttl"
    with Catalog(None) as catalog:
        catalog.add_many(importers.load(path).documents)
        revision = catalog.store.revision
        found = importers.load(path, files=seloc / "collected_models")
        with pytest.raises(ValueError, match=r"Micro_Speech_Yes_No_1:1\.0\.0 is another model"):
            catalog.add_many(found.documents, files=found.files)
        assert catalog.store.revision == revision


@pytest.mark.parametrize(
    ("name", "start", "size"),
    [
        ("a.ttl", b"", 32 * 2**20 + 1),
        ("a.csv", b"id,title\n", 32 * 2**20 + 1),
        ("a.json", b"[", 32 * 2**20 + 1),
        ("b.ttl", b"<urn:a> <https://w3id.org/shoal/vocabulary#documentKind> ", 2**30 + 1),
        ("b.jsonld", b'{"https://w3id.org/shoal/vocabulary#documentKind": ', 2**30 + 1),
    ],
)
def test_a_file_that_is_too_long_is_not_read(tmp_path: Path, name: str, start: bytes, size: int) -> None:
    with (tmp_path / name).open("wb") as file:
        file.write(start)
        file.truncate(size)  # no block of it is on the disk
    with pytest.raises(DocumentError, match=f"more than {size - 1:,} bytes"):
        importers.load(tmp_path / name)
