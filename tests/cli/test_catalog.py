"""The catalog from the command line, as a user goes through it."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from shoal import nn
from shoal.catalog import Catalog
from tests.catalog.documents.things import thing
from tests.cli.conftest import answer, called, environment


@pytest.fixture(scope="session")
def seloc():
    folder = Path(os.environ.get("SHOAL_DATA") or Path(__file__).parents[3] / "shared" / "data") / "seloc"
    if not folder.is_dir():
        pytest.skip("SHOAL_DATA is not set and ../shared/data does not exist")
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Return a folder with a catalog: a gesture model in two versions, two devices."""
    folder = tmp_path_factory.mktemp("catalog")
    for name, units in (("gesture", 8), ("gesture2", 16)):
        layers = [nn.Dense(units, "relu"), nn.Dense(3, "softmax")]
        net = nn.Network(layers, input_shape=(12,), loss="cross_entropy", seed=0)
        net.train_last(1).save(folder / f"{name}.shoal")
    (folder / "gesture.toml").write_text(
        'task = "classification"\nlicence = "MIT"\nlabels = ["a", "b", "c"]\n'
    )
    sensor = ["--sensor", "Accelerometer, -4..4 G, 100 Hz"]
    for arguments in (
        ("model", "add", "gesture.shoal", *sensor, "--metric", "accuracy=0.9", "--tag", "wrist"),
        ("model", "add", "gesture2.shoal", "--name", "gesture", "--licence", "MIT", *sensor),
        ("device", "add", "--board", "nano33ble", "--title", "Hall 7"),
        ("device", "add", "--board", "pico", "--title", "Hall 8", "--id", "urn:dev:ops:32473-hall-8"),
    ):
        done = called(*arguments, cwd=folder)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def run(place):
    def call(*arguments, code=0, cwd=place):
        done = called(*arguments, cwd=cwd)
        assert done.returncode == code, done.stderr
        return done

    return call


def test_the_first_write_says_where_and_what_comes_next(shoal, place, tmp_path):
    done = shoal("model", "add", place / "gesture.shoal", cwd=tmp_path)
    assert done.returncode == 0
    assert "a new catalog: catalog.shoal" in done.stderr
    assert "next  shoal match gesture\n" in done.stderr
    assert "not said: --sensor\n" in done.stderr
    assert "RAM to learn" in done.stdout
    again = shoal(
        "model", "add", place / "gesture.shoal", "--catalog", tmp_path / "catalog.shoal", cwd=tmp_path
    )
    assert "a new catalog" not in again.stderr
    assert "1 change," in shoal("catalog", "check", cwd=tmp_path).stdout


def test_reading_makes_no_catalog(tmp_path):
    for arguments in (("model", "list"), ("match",), ("find", "x"), ("query",), ("catalog", "check")):
        done = called(*arguments, cwd=tmp_path)
        assert done.returncode == 1
        assert "error: there is no catalog" in done.stderr
        assert "  where  catalog.shoal" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_environment_names_the_catalog(shoal, place, tmp_path):
    done = shoal("model", "list", cwd=tmp_path, SHOAL_CATALOG=str(place / "catalog.shoal"))
    assert done.stdout.startswith("2 models\n")


def test_the_next_command_is_about_the_same_catalog(shoal, place, tmp_path):
    there = ("--catalog", "k 1.shoal")
    done = called("model", "add", place / "gesture.shoal", *there, cwd=tmp_path)
    assert "next  shoal match gesture --catalog 'k 1.shoal'\n" in done.stderr
    done = called("device", "add", "--board", "pico", "--title", "A", "--id", "urn:a", *there, cwd=tmp_path)
    assert "next  shoal match --device urn:a --catalog 'k 1.shoal'\n" in done.stderr
    for arguments in (
        ("board", "add", "pico"),
        ("match", "gesture", "--training"),
        ("match", "--device", "A"),
        ("match",),
        ("catalog", "alias", "gesture", "champion"),
        ("catalog", "rebuild"),
        ("query", "ASK {}", "--save", "anything"),
        ("deployment", "plan", "gesture", "A", "--key", "a"),
        ("deployment", "report", "a", "removed"),
        ("catalog", "import", place / "gesture2.shoal"),
        ("catalog", "remove", "device", "A"),
    ):
        done = called(*arguments, *there, cwd=tmp_path)
        assert done.stderr.rstrip().endswith("--catalog 'k 1.shoal'"), (arguments, done.stderr)
    named = shoal("match", cwd=tmp_path, SHOAL_CATALOG="k 1.shoal")
    assert "next  shoal match" in named.stderr
    assert "--catalog" not in named.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["device", "add", "nofile.json"],
        ["device", "add", "bad.json"],
        ["device", "add", "elsewhere.json"],
        ["device", "add", "--board", "nobody", "--title", "A"],
        ["board", "add", "nofile.json"],
        ["model", "add", "gesture.shoal", "--name", "a b"],
        ["catalog", "import"],
        ["catalog", "import", "elsewhere.json"],
        ["catalog", "import", "gesture.shoal", "elsewhere.json"],
    ],
)
def test_what_cannot_be_written_makes_no_catalog(place, tmp_path, arguments):
    (tmp_path / "bad.json").write_text("[1]")
    (tmp_path / "elsewhere.json").write_text(json.dumps(thing(**{"shoal:hardware": {"board": "nobody"}})))
    (tmp_path / "gesture.shoal").write_bytes((place / "gesture.shoal").read_bytes())
    done = called(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stderr[:7]) == (1, "error: ")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["bad.json", "elsewhere.json", "gesture.shoal"]


def test_models_are_listed_by_their_versions(tmp_path):
    for i, version in enumerate(("1.10.0", "1.9.0", "1.9.0-rc.10", "1.9.0-rc.2")):
        net = nn.Network([nn.Dense(2)], input_shape=(4,), loss="mse", seed=i)
        net.save(tmp_path / "fan.shoal")
        called("model", "add", "fan.shoal", "--version", version, cwd=tmp_path)
    models = answer(called("model", "list", "--format", "json", cwd=tmp_path))
    assert [one["version"] for one in models] == ["1.9.0-rc.2", "1.9.0-rc.10", "1.9.0", "1.10.0"]
    first = called("model", "list", "--limit", "1", cwd=tmp_path)
    assert "1.9.0-rc.2" in first.stdout
    assert first.stdout.startswith("4 models\n")
    assert "3 more: --limit 4" in first.stderr


def test_models_are_listed_and_shown(run):
    models = answer(run("model", "list", "--format", "json"))
    assert [(one["name"], one["version"]) for one in models] == [("gesture", "1.0.0"), ("gesture", "1.0.1")]
    table = run("model", "list").stdout
    assert table.splitlines()[0] == "2 models"
    shown = answer(run("model", "show", "gesture:1.0.0", "--format", "json"))
    assert shown["outputs"][0]["labels"] == ["a", "b", "c"]
    assert shown["licence"] == "MIT"
    assert shown["input"]["sensors"] == [
        {"observes": "acceleration", "low": -4.0, "high": 4.0, "unit": "G", "rate_hz": 100.0}
    ]
    text = run("model", "show", shown["id"][:19]).stdout
    assert "acceleration, -4..4 g, 100 Hz" in text
    assert f"{shown['inference']['bytes']:,} B estimated" in text
    assert "1 more: --limit 2" in run("model", "list", "--limit", "1").stderr


def test_devices_and_boards_are_listed_and_shown(run):
    devices = answer(run("device", "list", "--format", "json"))
    assert sorted(one["title"] for one in devices) == ["Hall 7", "Hall 8"]
    assert "262,144 B" in run("device", "show", "Hall 7").stdout
    td = answer(run("device", "show", "urn:dev:ops:32473-hall-8", "--format", "json"))
    assert td["@context"][0] == "https://www.w3.org/2022/wot/td/v1.1"
    assert "nano33ble" in run("board", "list").stdout
    assert answer(run("board", "show", "pico", "--thing-model"))["@type"] == "tm:ThingModel"
    assert "LSM9DS1" in run("board", "show", "nano33ble").stdout


def test_a_board_of_ones_own_fills_up_devices(tmp_path):
    board = {"name": "node", "title": "Node", "hardware": {"ram": {"total": 9000}, "flash": {"total": 9000}}}
    (tmp_path / "node.json").write_text(json.dumps(board))
    assert called("board", "add", "node.json", cwd=tmp_path).returncode == 0
    done = called("device", "add", "--board", "node", "--title", "One", cwd=tmp_path)
    assert "9,000 B" in done.stdout
    assert "Node" in called("board", "list", cwd=tmp_path).stdout


def test_a_thing_description_comes_back_as_it_went_in(tmp_path):
    td = {
        "@context": "https://www.w3.org/2022/wot/td/v1.1",
        "id": "urn:dev:ops:32473-press",
        "title": "Press",
        "security": ["a"],
        "securityDefinitions": {"a": {"scheme": "bearer"}},
        "ex:odd": [1, {"b": None}],
        "shoal:hardware": {"board": "nano33ble"},
    }
    (tmp_path / "press.td.json").write_text(json.dumps(td))
    assert called("device", "add", "press.td.json", cwd=tmp_path).returncode == 0
    assert answer(called("device", "show", "Press", "--format", "json", cwd=tmp_path)) == td
    exported = called("catalog", "export", "td", "Press", cwd=tmp_path)
    assert json.loads(exported.stdout) == td


def test_a_description_without_an_id_is_given_one(tmp_path):
    td = {
        "@context": "https://www.w3.org/2022/wot/td/v1.1",
        "title": "Press",
        "security": ["a"],
        "securityDefinitions": {"a": {"scheme": "nosec"}},
    }
    (tmp_path / "press.json").write_text(json.dumps(td))
    assert "id: missing" in called("device", "add", "press.json", cwd=tmp_path).stderr
    done = called("device", "add", "press.json", "--id", "urn:dev:1", "--format", "json", cwd=tmp_path)
    assert answer(done) == td | {"id": "urn:dev:1"}
    (tmp_path / "press.json").write_text(json.dumps(td | {"id": "urn:dev:2"}))
    assert (
        "the file has the id"
        in called("device", "add", "press.json", "--id", "urn:dev:1", cwd=tmp_path).stderr
    )


def test_the_schema_of_a_document_is_shown(run):
    assert answer(run("catalog", "schema", "model"))["required"][:2] == ["sha256", "name"]


def test_what_a_model_runs_on(run):
    done = run("match", "gesture")
    assert "gesture: 1 device fits" in done.stdout
    assert "Hall 7" in done.stdout
    assert "sensor: acceleration" in done.stdout  # why the other does not
    assert "next  shoal match gesture --device" in done.stderr
    found = answer(run("match", "gesture", "--format", "json"))
    assert found["count"] == 1
    assert found["matches"][0]["device_title"] == "Hall 7"
    assert {one["name"] for one in found["matches"][0]["conditions"]} >= {
        "RAM",
        "flash",
        "sensor: acceleration",
    }
    assert found["near"][0]["reasons"][0].startswith("sensor: acceleration")
    assert run("match", "gesture", "--training").stdout.startswith("gesture: 1 device fits")


def test_what_runs_on_a_device(run):
    assert "Hall 7: 2 models fit" in run("match", "--device", "Hall 7").stdout
    assert "Hall 8: 0 models fit" in run("match", "--device", "Hall 8", code=1).stdout


def test_one_pair_shows_every_condition(run):
    fits = run("match", "gesture", "--device", "Hall 7").stdout
    assert "✓  RAM" in fits
    assert "it fits" in fits
    fails = run("match", "gesture", "--device", "Hall 8", code=1).stdout
    assert "✗  sensor: acceleration" in fails
    assert "✓  RAM" in fails
    assert "it does not fit" in fails


def test_without_a_model_and_a_device_the_whole_fleet_is_covered(run):
    done = run("match")
    assert "2 models × 2 devices: 2 of 4 pairs match" in done.stdout
    assert "1 device runs no model" in done.stderr
    found = answer(run("match", "--format", "json"))
    assert found["by_model"] == {"gesture:1.0.0": 1, "gesture:1.0.1": 1}
    assert found["idle"] == ["urn:dev:ops:32473-hall-8"]


def test_what_if_it_were_smaller(run):
    assert (
        "fits 1 device; 0 more if it needs 12,000 B less RAM"
        in run("match", "gesture", "--smaller", "12kB").stdout
    )
    assert run("match", "--smaller", "12kB", code=1).stderr.startswith("error: --smaller is asked of a model")
    assert "it needs 1,073,741,824 B less RAM" in run("match", "gesture", "--smaller", "1 GiB").stdout
    assert "no amount of memory" in run("match", "gesture", "--smaller", f"{'9' * 400}GB", code=1).stderr


def test_search(run):
    found = answer(run("find", "wrist", "--format", "json"))
    assert [one["title"] for one in found] == ["gesture 1.0.0"]
    assert "Hall 7" in run("find", "hall", "--kind", "device").stdout
    assert run("find", "nothing-of-this", code=1).stdout.startswith("0 found")
    like = answer(run("find", "--like", "gesture:1.0.0", "--format", "json"))
    assert like[0]["version"] == "1.0.1"
    assert 0 < like[0]["score"] < 1


def test_questions(run, place):
    count = "SELECT (COUNT(*) AS ?n) { ?d a shoal:Device }"
    assert run("query", count, "--format", "csv").stdout == "n\r\n2\r\n" or "2" in run("query", count).stdout
    assert answer(run("query", "ASK { ?m a shoal:Model }", "--format", "json"))["boolean"] is True
    assert run("query", "ASK { ?m a shoal:None }", code=1).stdout
    (place / "all.rq").write_text("SELECT ?name { ?d shoal:canRun ?m . ?m schema:name ?name }")
    assert "2 rows" in run("query", "all.rq").stdout
    assert "4-all-devices" in run("query").stdout
    assert "2 rows" in run("query", "4-all-devices").stdout
    run("query", "SELECT ?d { ?d shoal:canRun $model }", "--save", "runs", "--parameter", "model=model")
    assert "1 row" in run("query", "runs", "--param", "model=gesture").stdout
    assert "runs" in run("query").stdout
    denied = run("query", "DROP ALL", code=1)
    assert "not allowed" in denied.stderr
    assert "is no type" in run("query", "ASK {}", "--save", "x", "--parameter", "a=b", code=1).stderr


def test_an_alias_moves(run):
    run("catalog", "alias", "gesture", "champion", "1.0.0")
    assert answer(run("model", "show", "gesture@champion", "--format", "json"))["version"] == "1.0.0"
    done = run("catalog", "alias", "gesture", "champion")
    assert done.stdout == "gesture@champion is gesture:1.0.1\n"
    assert answer(run("model", "show", "gesture@champion", "--format", "json"))["version"] == "1.0.1"
    events = answer(run("catalog", "history", "alias", "gesture@champion", "--format", "json"))
    assert [one["action"] for one in events] == ["created", "updated"]
    assert "model" in run("catalog", "history", "alias", "gesture@champion").stdout


def test_what_is_removed_keeps_its_history(tmp_path):
    add = ("device", "add", "--board", "pico", "--title", "Gone", "--id", "urn:dev:1")
    assert called(*add, cwd=tmp_path).returncode == 0
    assert called("catalog", "remove", "device", "Gone", cwd=tmp_path).stdout == "removed: device urn:dev:1\n"
    assert answer(called("device", "list", "--format", "json", cwd=tmp_path)) == []
    for name in ("urn:dev:1", "Gone"):
        done = called("catalog", "history", "device", name, "--format", "json", cwd=tmp_path)
        assert [one["action"] for one in answer(done)] == ["created", "deleted"]
    assert "no device 'Gone'" in called("catalog", "remove", "device", "Gone", cwd=tmp_path).stderr


def test_a_name_that_is_gone_leads_to_the_last_that_had_it(place, tmp_path):
    def actions(kind, name):
        done = called("catalog", "history", kind, name, "--format", "json", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return [one["action"] for one in answer(done)]

    for name, file in (("1.0.0", "gesture.shoal"), ("2.0.0", "gesture2.shoal")):
        called("model", "add", place / file, "--name", "move", "--version", name, cwd=tmp_path)
    called("catalog", "remove", "model", "move:1.0.0", cwd=tmp_path)
    assert actions("model", "move") == ["created"]  # of the one that is left
    assert actions("model", "move:1.0.0") == ["created", "deleted"]
    removed = called("catalog", "remove", "model", "move", cwd=tmp_path).stdout.split()[-1]
    shown = called("catalog", "history", "model", "move", cwd=tmp_path).stdout
    assert shown.startswith(f"model {removed}\n")
    assert actions("model", removed) == actions("model", removed.removeprefix("sha256:"))
    assert "no model 'mov'" in called("catalog", "history", "model", "mov", cwd=tmp_path).stderr
    for id in ("urn:a", "urn:b", "urn:c"):
        called("device", "add", "--board", "pico", "--title", "Hall 1", "--id", id, cwd=tmp_path)
    called("catalog", "remove", "device", "urn:a", cwd=tmp_path)
    done = called("catalog", "history", "device", "Hall 1", cwd=tmp_path)
    assert "more than one device 'Hall 1'" in done.stderr
    called("catalog", "remove", "device", "urn:b", cwd=tmp_path)
    assert actions("device", "Hall 1") == ["created"]


def test_backup_restore_rebuild_check(run, place, tmp_path):
    run("catalog", "backup", tmp_path / "copy")
    run("catalog", "restore", tmp_path / "copy", "--catalog", tmp_path / "restored.shoal")
    here, there = (
        answer(run("model", "list", "--catalog", path, "--format", "json"))
        for path in (place / "catalog.shoal", tmp_path / "restored.shoal")
    )
    assert here == there
    assert answer(run("catalog", "check", "--format", "json", "--catalog", tmp_path / "restored.shoal"))["ok"]
    assert run(
        "catalog", "restore", tmp_path / "copy", "--catalog", tmp_path / "restored.shoal", code=1
    ).stderr
    assert "rebuilt from" in run("catalog", "rebuild").stdout
    assert "0 problems" in run("catalog", "check").stdout


def test_the_files_of_removed_models_leave_when_that_is_said(place, tmp_path, run):
    run("model", "add", place / "gesture.shoal", cwd=tmp_path)
    run("catalog", "remove", "model", "gesture", cwd=tmp_path)
    size = (place / "gesture.shoal").stat().st_size
    done = run("catalog", "compact", cwd=tmp_path)
    assert done.stdout.startswith("catalog.shoal: ")
    assert f"1 file of removed models, {size / 1000:.1f} kB, left: --drop-removed" in done.stderr
    found = answer(run("catalog", "compact", "--drop-removed", "--format", "json", cwd=tmp_path))
    assert (found["removed"], found["kept"]) == (1, 0)
    assert "drop-removed" not in run("catalog", "compact", cwd=tmp_path).stderr
    assert "deleted" in run("catalog", "history", "model", "gesture", cwd=tmp_path).stdout
    run("catalog", "check", cwd=tmp_path)
    run("model", "add", place / "gesture.shoal", cwd=tmp_path)
    with Catalog(tmp_path / "catalog.shoal") as catalog:
        assert catalog.model_file("gesture") == (place / "gesture.shoal").read_bytes()


def test_what_is_exported_comes_in_again(run, tmp_path):
    run("catalog", "export", "turtle", "--output", tmp_path / "all.ttl")
    done = run("catalog", "import", tmp_path / "all.ttl", "--catalog", tmp_path / "again.shoal")
    assert "2 models" in done.stdout
    again = run("catalog", "import", tmp_path / "all.ttl", "--catalog", tmp_path / "again.shoal")
    assert "0 changes" in again.stdout
    for kind, name in (
        ("card", "gesture"),
        ("cyclonedx", "gesture"),
        ("mldcat", "gesture"),
        ("td", "Hall 7"),
    ):
        assert run("catalog", "export", kind, name).stdout
    assert "no model and no device 'nobody'" in run("catalog", "export", "card", "nobody", code=1).stderr


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["model", "show", "gestur"], "no model 'gestur'"),
        (["device", "show", "nobody"], "no device 'nobody'"),
        (["board", "show", "nano33bl"], "unknown board 'nano33bl'"),
        (["device", "add"], "a device is described by a file or by its board"),
        (["device", "add", "--board", "pico"], "a device needs a title"),
        (["device", "add", "x.json", "--title", "a"], "the file says this"),
        (["catalog", "schema", "thing"], "there is no kind of document 'thing'"),
        (["model", "add", "none.tflite"], "cannot read"),
        (["model", "add", "gesture.shoal", "--name", "../../x"], "name: string should match pattern"),
        (["model", "add", "gesture.shoal", "--sensor", "glory"], "'glory' is no property"),
        (["model", "add", "gesture.shoal", "--metric", "good"], "'good' is no figure of merit"),
        (
            ["model", "add", "gesture.shoal", "--version", "3.0.0"],
            "the file is in the catalog as gesture:1.0.0",
        ),
        (["match", "gesture", "--smaller", "much"], "'much' is no amount of memory"),
        (["find"], "words or a model"),
        (["query", "none.rq"], "cannot read"),
        (["query", "SELECT"], ""),
        (["catalog", "import"], "where  the argument FILES"),
        (["catalog", "import", "none.ttl"], ""),
        (["catalog", "check", "--catalog", "gesture.shoal"], "not a database"),
    ],
)
def test_what_is_wrong_is_said_and_changes_nothing(run, arguments, what):
    before = answer(run("catalog", "check", "--format", "json"))["events"]
    done = run(*arguments, code=1)
    assert done.stderr.startswith("error: ")
    assert what in done.stderr
    assert "Traceback" not in done.stderr
    assert answer(run("catalog", "check", "--format", "json"))["events"] == before


def test_a_model_of_the_catalog_is_built_and_measured_by_its_name(run, place):
    by_name = answer(run("model", "footprint", "gesture:1.0.0", "--for", "nano33ble", "--format", "json"))
    by_file = answer(run("model", "footprint", "gesture.shoal", "--for", "nano33ble", "--format", "json"))
    assert by_name == by_file
    run("build", "gesture:1.0.0", "--for", "nano33ble", "--to", "cmake", "--out", "project")
    assert (place / "project" / "CMakeLists.txt").exists()
    assert "cannot read" in run("build", "nobody", "--for", "nano33ble", "--to", "cmake", code=1).stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_a_terminal_is_asked_for_what_is_left(place, tmp_path):
    ours, theirs = pty.openpty()
    command = [
        sys.executable,
        "-m",
        "shoal",
        "model",
        "add",
        str(place / "gesture2.shoal"),
        "--licence",
        "MIT",
    ]
    env = environment(TERM="dumb")
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=env, cwd=tmp_path
    ) as process:
        os.close(theirs)
        os.write(ours, b"\n2.0.0\nclassification\nacceleration, -4..4 G; sound\n")
        text = b""
        try:
            while part := os.read(ours, 4096):
                text += part
        except OSError:  # Linux: the other end is closed
            pass
    os.close(ours)
    assert process.returncode == 0, text
    assert b"name [gesture2]:" in text
    assert b"version [1.0.0]:" in text
    assert b"licence (" not in text
    from shoal.catalog import Catalog

    with Catalog(tmp_path / "catalog.shoal") as catalog:
        model = catalog.model("gesture2:2.0.0")
    assert (model.task, model.licence) == ("classification", "MIT")
    assert [one.observes for one in model.input.sensors] == ["acceleration", "sound"]


def test_the_reference_system_from_end_to_end(seloc, tmp_path):
    folders = (seloc / "semantic_description", "--models", seloc / "collected_models")
    done = called("catalog", "import", *folders, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "10 devices, 23 models: 33 changes" in done.stdout
    assert "tflite_models.ttl:44: <None> is no IRI" in done.stderr
    again = called("catalog", "import", *folders, cwd=tmp_path)
    assert "10 devices, 23 models: 0 changes" in again.stdout
    for query, rows in (
        ("1", 2),
        ("2", 2),
        ("3", 4),
        ("4", 10),
    ):  # the tenth device is the embedded description
        name = next(one for one in QUERIES if one.startswith(query))
        assert f"{rows} rows" in called("query", name, cwd=tmp_path).stdout
    shown = json.loads(called("model", "show", "Magic_Wand_1", "--format", "json", cwd=tmp_path).stdout)
    assert shown["macs"] == 62_016
    assert shown["input"]["sensors"][0]["observes"] == "acceleration"
    pair = called("match", "Magic_Wand_1", "--device", "Arduino-Nano-BLE-33_1", cwd=tmp_path).stdout
    assert "✓  RAM" in pair
    assert "not known" in pair  # nobody said what runs there
    assert "0 problems" in called("catalog", "check", cwd=tmp_path).stdout


def test_the_reference_systems_rule_over_its_fleet(seloc, tmp_path):
    turtle = sorted((seloc / "semantic_description").glob("*.ttl"))
    called("catalog", "import", *turtle, "--models", seloc / "collected_models", cwd=tmp_path)
    done = called("match", "--rule", "reference", cwd=tmp_path)
    assert done.stdout.startswith("23 models × 9 devices: 89 of 207 pairs match\n")
    assert "0 of 207 pairs" in called("match", cwd=tmp_path).stdout  # nothing is said of runtimes


QUERIES = ("1-devices-for-a-model", "2-models-for-a-device", "3-compare-models-for-a-task", "4-all-devices")


def test_what_is_not_known_is_asked_for(tmp_path):
    """A device of which nobody said its memory is a question, not a refusal."""
    place = Catalog(tmp_path / "catalog.shoal")
    net = nn.Network([nn.Dense(2)], input_shape=(4,), loss="mse", seed=0)
    net.save(tmp_path / "fan.shoal")
    place.add_model(tmp_path / "fan.shoal", licence="MIT")
    place.add_device(thing(id="urn:dev:silent", title="Silent"))
    place.close()
    pair = called("match", "fan", "--device", "Silent", cwd=tmp_path)
    assert pair.returncode == 1
    assert ("?" in pair.stdout, "✗" in pair.stdout) == (True, False)
    model = called("match", "fan", cwd=tmp_path)
    assert "1 device would fit but for what is not known, urn:dev:silent for its" in model.stderr
    assert "shoal device show urn:dev:silent" in model.stderr
    shown = json.loads(called("match", "fan", "--format", "json", cwd=tmp_path).stdout)["not_known"]
    assert (shown["count"], shown["device"]) == (1, "urn:dev:silent")
    one = json.loads(called("match", "fan", "--device", "Silent", "--format", "json", cwd=tmp_path).stdout)
    known = {part["name"]: part["known"] for part in one["near"][0]["conditions"]}
    assert known["RAM"] is False


def test_the_rule_of_the_reference_system_asks_less(run):
    pair = run("match", "gesture", "--device", "Hall 7", "--rule", "reference").stdout
    assert "RAM" in pair
    assert "operators" not in pair
    assert "rule" in run("match", "--device", "Hall 7", "--rule", "reference", code=1).stderr
    fleet = run("match", "--rule", "reference")
    assert "2 models × 2 devices: 2 of 4 pairs match" in fleet.stdout
    assert fleet.stderr.rstrip().endswith("--rule reference")
    for options in ((), ("--training",)):
        by_rule, by_all = (
            answer(run("match", "--format", "json", *options, *rule))
            for rule in (("--rule", "reference"), ())
        )
        assert by_rule == by_all  # here the others hold everywhere


@pytest.mark.parametrize(
    "arguments",
    [
        ["model", "list", "--limit", "-1"],
        ["device", "list", "--limit", "-1"],
        ["match", "gesture", "--near", "-1"],
        ["find", "x", "--limit", "-1"],
        ["query", "ASK {}", "--rows", "-1"],
        ["query", "ASK {}", "--seconds", "0"],
    ],
)
def test_a_number_below_what_can_be_is_refused(run, arguments):
    assert arguments[-2] in run(*arguments, code=2).stderr


def test_an_empty_table_is_its_title(run):
    assert run("find", "nothinghasthisword", code=1).stdout.strip() == "0 found"


def test_an_alias_has_the_name_of_its_model(run):
    digest = json.loads(run("model", "show", "gesture", "--format", "json").stdout)["sha256"]
    assert "gesture@digest is gesture:" in run("catalog", "alias", digest, "digest").stdout
    run("catalog", "remove", "alias", "gesture@digest")
