"""A run that was really executed becomes a model, a run and measurements; devices report; a query chooses."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from shoal import datasets, federate, nn
from shoal.catalog import Catalog
from shoal.catalog.documents import LearningState, Measurement, Run
from shoal.catalog.learning import add_learning, cohort
from shoal.catalog.runs import add_run
from shoal.cli import judged
from shoal.errors import ConflictError, DocumentError, QueryError, StateError, UnknownError
from tests.cli.conftest import EXPERIMENT, environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, federate.Run]:
    """Return a run's folder, and the run."""
    folder = tmp_path_factory.mktemp("runs") / "fan" / "seed-3"
    network = nn.Network([nn.Dense(8, "tanh"), nn.Dense(1)], input_shape=(1,), loss="mse", seed=3)
    run = federate.Run(
        network,
        datasets.sine(shots=16, queries=8),
        federate.TinyReptile(local_steps=16),
        rounds=50,
        seed=3,
        folder=folder,
        evaluate_every=25,
        evaluation=federate.Evaluation(steps=(0, 4), tasks_count=40),
    )
    run.execute(progress=False)
    judged.write(folder, judged.judge(run))
    return folder, run


@pytest.fixture
def catalog() -> Iterator[Catalog]:
    """Return a catalog with three devices."""
    with Catalog(None) as found:
        for name, ram in (("press", 262_144), ("mixer", 32_768), ("lathe", 262_144)):
            found.add_device(
                {
                    "@context": "https://www.w3.org/2022/wot/td/v1.1",
                    "id": f"urn:dev:{name}",
                    "title": name,
                    "security": "none",
                    "securityDefinitions": {"none": {"scheme": "nosec"}},
                    "shoal:hardware": {"ram": {"total": ram}},
                }
            )
        yield found


def measured(catalog: Catalog) -> dict[str, Measurement]:
    """Return the measurements by the last part of their key."""
    found = [one for one in catalog.list("measurement") if isinstance(one, Measurement)]
    return {one.key.rpartition("/")[2]: one for one in found}


def test_a_run_is_registered_with_its_model_and_its_figures(
    catalog: Catalog, executed: tuple[Path, federate.Run], tmp_path: Path
) -> None:
    folder, run = executed
    registered = add_run(catalog, folder, cohort="SELECT ...", devices=["urn:dev:press"], licence="MIT")
    tasks = json.loads((folder / "run.json").read_text())["config"]["tasks"]["type"]
    assert (registered.algorithm, registered.tasks) == ("TinyReptile", tasks)
    assert (registered.rounds, registered.seed) == (50, 3)
    assert registered.devices == ("urn:dev:press",)
    assert registered.ended is not None
    assert registered.started <= registered.ended

    model = catalog.model("fan")
    assert model.sha256 == registered.produced
    assert model.lineage.run == registered.key
    assert model.licence == "MIT"
    assert model.inference is not None
    (tmp_path / "copy.shoal").write_bytes(catalog.model_file("fan"))
    arrays = nn.load(tmp_path / "copy.shoal").arrays
    assert arrays.keys() == run.network.arrays.keys()
    assert all(np.array_equal(arrays[name], run.network.arrays[name]) for name in arrays)

    figures = measured(catalog)
    adaptation = federate.evaluate(
        run.network, run.tasks, steps=(0, 4), tasks_count=40, optimizer=run.algorithm.local_optimizer
    )
    assert figures["loss-4"].value == pytest.approx(adaptation.loss[1])
    interval = figures["loss-4"].interval
    assert interval[0] < figures["loss-4"].value < interval[1]
    assert model.metrics[0].value == figures["loss-4"].value
    assert figures["bytes-up"].value == run.history.total("bytes_up")
    assert figures["bytes-down"].value == run.history.total("bytes_down")
    assert {one.run for one in figures.values()} == {registered.key}
    assert {one.model for one in figures.values()} == {model.sha256}


def test_the_same_folder_again_changes_nothing_even_as_a_copy(
    catalog: Catalog, executed: tuple[Path, federate.Run], tmp_path: Path
) -> None:
    folder, _ = executed
    first = add_run(catalog, folder)
    revision = catalog.store.revision
    assert add_run(catalog, folder) == first
    shutil.copytree(folder, tmp_path / "fan" / "seed-3", copy_function=shutil.copyfile)
    assert add_run(catalog, tmp_path / "fan" / "seed-3") == first
    assert catalog.store.revision == revision


def test_lineage_is_in_the_graph(catalog: Catalog, executed: tuple[Path, federate.Run]) -> None:
    folder, _ = executed
    start = nn.Network([nn.Dense(8, "tanh"), nn.Dense(1)], input_shape=(1,), loss="mse", seed=3)
    start.save(folder.parent / "start.shoal")
    base = catalog.add_model(folder.parent / "start.shoal", name="fan-start")
    run = add_run(catalog, folder, base="fan-start")
    assert run.base == base.sha256
    results = catalog.query(
        """SELECT ?base ?run ?value WHERE {
             ?model prov:wasDerivedFrom ?base ; prov:wasGeneratedBy ?run .
             ?run a prov:Activity ; prov:generated ?model ; prov:used ?base .
             ?figure prov:wasGeneratedBy ?run ; sosa:hasFeatureOfInterest ?model ;
               sosa:hasSimpleResult ?value ; schema:identifier ?key .
             FILTER(STRENDS(?key, "/loss-4")) }"""
    )
    assert len(results) == 1
    assert results.bindings[0]["base"]["value"] == f"urn:shoal:model:{base.sha256}"


def test_the_next_run_is_the_next_version(
    catalog: Catalog, executed: tuple[Path, federate.Run], tmp_path: Path
) -> None:
    folder, run = executed
    add_run(catalog, folder)
    first = catalog.model("fan")
    other = tmp_path / "fan" / "seed-4"
    federate.Run(run.network, run.tasks, run.algorithm, rounds=5, seed=4, folder=other).execute(
        progress=False
    )
    registered = add_run(catalog, other)
    second = catalog.model("fan")
    assert (second.sha256, second.name) == (registered.produced, first.name)
    assert second.version.split(".")[:2] == first.version.split(".")[:2]
    assert int(second.version.split(".")[2]) == int(first.version.split(".")[2]) + 1
    assert second.metrics == ()  # nobody judged it
    assert catalog.store.count("run") == 2


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("run.json", None, "no run here"),
        ("run.json", b"{", "a damaged file"),
        ("run.json", b'{"config": 1}', "not the description of a run"),
        ("run.json", b'{"config": {"rounds": "many"}, "environment": {}}', "rounds"),
        ("run.json", b"[" * 100_000, "a damaged file"),
        ("model.shoal", None, "not finished"),
        ("model.shoal", b"", "empty"),
        ("metrics.jsonl", None, "no run here"),
        ("metrics.jsonl", b'{"bytes_up": "x"}\n', "a damaged line"),
        ("metrics.jsonl", b"[1]\n", "a damaged line"),
        ("adaptation.json", b"{}", "a damaged evaluation"),
        (
            "adaptation.json",
            b'{"learnt": {"losses": [[[1]]], "accuracies": null, "steps": [1, 2]}}',
            "damaged",
        ),
    ],
)
def test_a_folder_that_is_damaged_leaves_the_catalog_as_it_was(
    catalog: Catalog,
    executed: tuple[Path, federate.Run],
    tmp_path: Path,
    name: str,
    content: bytes | None,
    what: str,
) -> None:
    folder = tmp_path / "fan" / "seed-3"
    shutil.copytree(executed[0], folder)
    (folder / name).unlink() if content is None else (folder / name).write_bytes(content)
    revision = catalog.store.revision
    with pytest.raises((StateError, DocumentError, ValueError), match=what):
        add_run(catalog, folder)
    assert catalog.store.revision == revision
    assert catalog.store.count("model") == 0


def test_the_same_model_under_another_name_is_a_conflict(
    catalog: Catalog, executed: tuple[Path, federate.Run]
) -> None:
    add_run(catalog, executed[0])
    revision = catalog.store.revision
    with pytest.raises(ConflictError):
        add_run(catalog, executed[0], name="other")
    assert catalog.store.revision == revision


def test_a_device_reports_how_far_it_has_learnt(
    catalog: Catalog, executed: tuple[Path, federate.Run]
) -> None:
    add_run(catalog, executed[0])
    model = catalog.model("fan")
    first = add_learning(catalog, "press", model="fan", round=1, samples=16, labels={"low": 9, "high": 7})
    assert first.model == model.sha256
    second = add_learning(catalog, "urn:dev:press", round=2, samples=32, accuracy=0.75, checksum="0badcafe")
    assert catalog.get("learning", "urn:dev:press") == second
    assert (second.labels, second.round) == ({"low": 9, "high": 7}, 2)
    assert [event.action for event in catalog.history("learning", "urn:dev:press")] == ["created", "updated"]
    revision = catalog.store.revision
    for wrong in ({"accuracy": 1.5}, {"round": -1}, {"labels": {"low": -1}}, {"unknown": 1}):
        with pytest.raises(DocumentError):
            add_learning(catalog, "press", **wrong)
    with pytest.raises(UnknownError):
        add_learning(catalog, "nobody", round=1)
    with pytest.raises(UnknownError):
        add_learning(catalog, "press", model="nothing")
    assert catalog.store.revision == revision


def test_a_query_chooses_who_learns_next(catalog: Catalog) -> None:
    add_learning(catalog, "press", round=5, drift=0.9)
    add_learning(catalog, "lathe", round=1, drift=0.1)
    drifted = """SELECT ?device WHERE {
        ?state a shoal:LearningState ; shoal:device ?device ; shoal:drift ?drift . FILTER(?drift > 0.5) }"""
    assert cohort(catalog, drifted) == ["urn:dev:press"]
    enough = """SELECT DISTINCT ?device WHERE {
        ?device a shoal:Device ; shoal:ram [shoal:free ?free] . FILTER(?free >= 65536) } ORDER BY ?device"""
    chosen = cohort(catalog, enough)
    assert chosen == ["urn:dev:lathe", "urn:dev:press"]

    # Samples that are kept by device: those of the chosen ones make the tasks of the next run.
    rng = np.random.default_rng(0)
    owner = np.repeat(["urn:dev:press", "urn:dev:mixer", "urn:dev:lathe"], 24)
    x = rng.uniform(-1, 1, (72, 2))
    y = x.sum(axis=1)
    mine = np.isin(owner, chosen)
    tasks = datasets.by_group(x[mine], y[mine], owner[mine], shots=16, queries=8, held_out=1)
    network = nn.Network([nn.Dense(4, "tanh"), nn.Dense(1)], input_shape=(2,), loss="mse", seed=0)
    run = federate.Run(network, tasks, federate.TinyReptile(local_steps=16), rounds=4, seed=0)
    assert len(run.execute(progress=False).rows) == 4


def test_a_device_whose_id_is_no_iri_is_chosen_too(catalog: Catalog) -> None:
    td = catalog.device("press").td | {"id": "urn:[x]", "title": "odd"}
    catalog.store.put("device", td["id"], td)  # as an earlier release took it
    assert cohort(catalog, 'SELECT ?d WHERE { ?d a shoal:Device ; schema:name "odd" }') == ["urn:[x]"]


@pytest.mark.parametrize(
    ("query", "what"),
    [
        ("SELECT ?x WHERE { VALUES ?x { <urn:nobody> } }", "'urn:nobody' is no device"),
        ("SELECT ?title WHERE { ?device schema:name ?title }", "is no device"),
        ("ASK { ?s ?p ?o }", "SELECT"),
        ("SELECT ?x WHERE {", "cannot be read|expected|Parser|parse"),
        ("DELETE WHERE { ?s ?p ?o }", "not allowed|DELETE|only"),
    ],
)
def test_what_chooses_no_devices_is_refused(catalog: Catalog, query: str, what: str) -> None:
    with pytest.raises(QueryError, match=what):
        cohort(catalog, query)


def test_documents_are_of_the_catalog(catalog: Catalog, executed: tuple[Path, federate.Run]) -> None:
    add_run(catalog, executed[0])
    add_learning(catalog, "press", round=1)
    assert isinstance(catalog.list("run")[0], Run)
    assert isinstance(catalog.list("learning")[0], LearningState)
    assert list(catalog.check()) == []


def test_shoal_run_registers_its_runs(tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(EXPERIMENT, encoding="utf-8")
    command = [sys.executable, "-m", "shoal", "run", "small.toml", "--catalog", "site.shoal"]
    for _ in range(2):  # the second time there is nothing to do
        done = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, check=False, env=environment(), timeout=120
        )
        assert done.returncode == 0, done.stderr
        assert "runs/small/seed-1: registered as small:1.0.1 in site.shoal" in done.stderr
        with Catalog(tmp_path / "site.shoal") as catalog:
            assert [one.seed for one in catalog.list("run") if isinstance(one, Run)] == [0, 1]
            assert catalog.store.count("measurement") == 2 * (4 + 2)
            assert [len(catalog.history("run", one.id)) for one in catalog.list("run")] == [1, 1]
        if "--resume" not in command:
            command.append("--resume")
