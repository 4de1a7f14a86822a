"""Tables: what their cells mean, and errors by row and column."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from shoal import nn
from shoal.catalog import Catalog, exporters, importers
from shoal.catalog.documents import Device, Model
from shoal.catalog.importers.table import DEVICES as DEVICE_COLUMNS
from shoal.catalog.importers.table import MODELS as MODEL_COLUMNS
from shoal.errors import DocumentError

DEVICES = """id,title,board,ram_bytes,ram_reserved_bytes,sensors,runtimes,licences
urn:dev:1,Press,,262_144,40960,\
"acceleration, -4..4 G, 119 Hz, 3 axes; Microphone",shoal training; tfl 2.4,MIT; ISC
urn:dev:2,"Mixer, old",nano33ble,,,,,
"""
MODELS = f"""name,version,sha256,format,size_bytes,ram_bytes,flash_bytes,sensors,metrics,tags,licence
wake,1.0.0,{"0" * 64},tflite,18712,8080,18712,\
"sound, 16 kHz",accuracy 0.921; f1 0.9,audio; wake word,Apache-2.0
"""


def load(tmp_path: Path, text: str) -> importers.Imported:
    """Import a table."""
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    return importers.load(path)


def problems(tmp_path: Path, text: str) -> dict[str, str]:
    """Return what is wrong with a table, by place."""
    with pytest.raises(DocumentError) as raised:
        load(tmp_path, text)
    return dict(raised.value.fields)


def test_devices(tmp_path: Path) -> None:
    first, second = load(tmp_path, DEVICES).documents
    assert isinstance(first, Device)
    assert isinstance(second, Device)
    hardware = first.hardware
    assert hardware.ram.free == 262_144 - 40_960
    assert hardware.runtimes is not None
    assert [(one.observes, one.low, one.rate_hz, one.axes) for one in hardware.sensors] == [
        ("acceleration", -4, 119, 3),
        ("sound", None, None, None),
    ]
    assert [(one.name, one.version, one.training) for one in hardware.runtimes] == [
        ("shoal", "", True),
        ("tfl", "2.4", False),
    ]
    assert hardware.licences == ("MIT", "ISC")
    assert second.title == "Mixer, old"
    assert second.hardware.core == "cortex-m4f"  # of its board


def test_models(tmp_path: Path) -> None:
    (model,) = load(tmp_path, MODELS).documents
    assert isinstance(model, Model)
    assert model.inference.provenance == "declared"
    assert (model.inference.bytes, model.size, model.tags) == (8080, 18712, ("audio", "wake word"))
    assert [(one.name, one.value) for one in model.metrics] == [("accuracy", 0.921), ("f1", 0.9)]
    assert model.input.sensors[0].rate_hz == 16000


def test_models_by_their_files(tmp_path: Path) -> None:
    network = nn.Network([nn.Dense(4, "tanh"), nn.Dense(1)], input_shape=(2,), loss="mse", seed=0)
    network.save(tmp_path / "sine.shoal")
    found = load(tmp_path, "file,name,version,task\nsine.shoal,sine,2.0.0,regression\n")
    (model,) = found.documents
    assert isinstance(model, Model)
    content = (tmp_path / "sine.shoal").read_bytes()
    assert model.sha256 == hashlib.sha256(content).hexdigest()
    assert (model.name, model.version, model.task) == ("sine", "2.0.0", "regression")
    with Catalog(None) as catalog:
        catalog.add_many(found.documents, files=found.files)
        assert catalog.model_file("sine") == content


def test_a_spreadsheet_s_byte_order_mark_and_line_ends(tmp_path: Path) -> None:
    text = "\ufeff" + DEVICES.replace("\n", "\r\n")
    assert len(load(tmp_path, text).documents) == 2


def test_every_wrong_cell_is_named(tmp_path: Path) -> None:
    text = """id,title,ram_bytes,sensors,flash_bytes
urn:dev:1,Press,256 kB,acceleration,1000
urn:dev:2,Press 2,1000,vibes,-1
urn:dev:3,,1000,"sound, 4..",1
no id,Press 4,1000,sound,1
urn:dev:1x,Press,1000,"acceleration, -4..4 furlong",1
urn:dev:6,Press
"""
    found = problems(tmp_path, text)
    assert found["row 2, column ram_bytes"] == "'256 kB' is no whole number"
    assert "is no property" in found["row 3, column sensors"]
    assert "no whole number" in found["row 3, column flash_bytes"]
    assert "'4..' is no range" in found["row 4, column sensors"]
    assert "row 5, column id" in found
    assert found["row 7"] == "2 cells, not 5"


def test_a_missing_title_is_named(tmp_path: Path) -> None:
    assert "row 2, column title" in problems(tmp_path, "id,title\nurn:dev:1,\n")


def test_a_field_of_a_model_is_named_by_its_column(tmp_path: Path) -> None:
    found = problems(tmp_path, MODELS.replace("0" * 64, "00").replace(",1.0.0,", ",one,"))
    assert set(found) == {"row 2, column sha256", "row 2, column version"}


def test_the_same_twice_is_named(tmp_path: Path) -> None:
    assert problems(tmp_path, "id,title\nurn:dev:1,a\nurn:dev:1,b\n") == {"row 3, column id": "as in row 2"}


@pytest.mark.parametrize(
    ("text", "place", "problem"),
    [
        ("", "", "neither a column id"),
        ("title\nx\n", "", "neither a column id"),
        ("id,titel\n", "titel", "no such column"),
        ("id,title,title\n", "title", "twice"),
        ("id,title\n", "", "no rows"),
        ('id,title\nurn:a,"x\n', "", "not CSV"),
        ("id,title\n" + '"' + "x" * 200_000 + '"' + ",a\n", "", "not CSV"),
    ],
)
def test_a_table_that_is_none(tmp_path: Path, text: str, place: str, problem: str) -> None:
    found = problems(tmp_path, text)
    assert problem in found[place]


@pytest.mark.parametrize(
    "name", ["../secret.shoal", "/etc/passwd", "a/../../secret.shoal", "link.shoal", "a\0b"]
)
def test_a_file_outside_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "inside"
    folder.mkdir()
    nn.Network([nn.Dense(1)], input_shape=(1,), loss="mse", seed=0).save(tmp_path / "secret.shoal")
    (folder / "link.shoal").symlink_to(tmp_path / "secret.shoal")
    found = problems(folder, f"file,name,version\n{name},x,1.0.0\n")
    assert "not below the folder" in found.get("row 2, column file", str(found)) or "not CSV" in str(found)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "row 2, column file" in problems(tmp_path, "file,name,version\nnone.tflite,x,1.0.0\n")


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(b"id,title\nurn:a,\xff\n")
    with pytest.raises(DocumentError, match="0xff is no UTF-8") as raised:
        importers.load(path)
    assert str(raised.value.where).endswith("table.csv:2")


def test_every_column_and_format_is_documented() -> None:
    page = (Path(__file__).parents[3] / "docs/exchange.md").read_text(encoding="utf-8")
    for column in {**DEVICE_COLUMNS, **MODEL_COLUMNS}:
        assert f"`{column}`" in page, column
    for name in exporters.FORMATS:
        assert f"`{name}`" in page, name
