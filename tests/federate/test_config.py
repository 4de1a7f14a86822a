from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from shoal import federate, nn
from shoal.errors import ConfigError, StorageError
from shoal.federate import Cosine, FedAvg, Linear, TinyReptile, algorithms, load_experiment
from shoal.federate.codecs import TopP
from shoal.federate.config import ALGORITHMS, LAYERS, PARTS, TASKS
from shoal.learn import Adam
from shoal.learn.footprint import footprint

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
GOOD = """\
[network]
input_shape = [1]
loss = "mse"
layers = [
    { type = "Dense", units = 4, activation = "tanh" },
    { type = "Dense", units = 1 },
]

[tasks]
type = "sine"
shots = 8

[algorithm]
type = "TinyReptile"
local_steps = 8
server_lr = { type = "Linear", start = 1.0, end = 0.0 }

[run]
rounds = 5
seeds = [3, 4]
evaluate_every = 5

[cohort]
drop_out = 0.5

[evaluation]
steps = [0, 2]
tasks_count = 3
"""


def load(tmp_path, text):
    file = tmp_path / "e.toml"
    file.write_text(text, encoding="utf-8")
    return load_experiment(file)


def test_a_file_becomes_a_run(tmp_path):
    experiment = load(tmp_path, GOOD)
    assert experiment.algorithm == TinyReptile(local_steps=8, server_lr=Linear(1.0, 0.0))
    assert experiment.seeds == (3, 4)
    run = experiment.run_of(4)
    assert run.rounds == 5
    assert run.seed == run.network.seed == run.cohort.seed == 4
    assert run.cohort.drop_out == 0.5
    assert run.evaluation.steps == (0, 2)
    assert run.network.layers[0] == nn.Dense(4, "tanh", name="dense_1")
    history = run.execute(progress=False)
    assert [point.round for point in history.evaluations] == [0, 5]


def test_what_is_left_out_has_its_default(tmp_path):
    short = GOOD[: GOOD.index("[cohort]")].replace("seeds = [3, 4]\n", "").replace("evaluate_every = 5\n", "")
    experiment = load(tmp_path, short)
    assert experiment.seeds == (0,)
    assert experiment.run_of(0).evaluate_every is None
    assert experiment.cohort == {}
    assert load(tmp_path, GOOD.replace("[3, 4]", "3")).seeds == (0, 1, 2)


def test_parts_are_tables_with_a_type(tmp_path):
    algorithm = """\
[algorithm]
type = "FedAvg"
clients = 3
local_epochs = 1
optimizer = { type = "Adam", rate = 0.01, beta1 = 0.0 }
local_lr = { type = "Cosine", start = 0.01, end = 0.001 }
upload = { type = "TopP", p = 0.25, values = "f16" }
"""
    text = GOOD[: GOOD.index("[algorithm]")] + algorithm + GOOD[GOOD.index("[run]") :]
    assert load(tmp_path, text).algorithm == FedAvg(
        clients=3,
        local_epochs=1,
        optimizer=Adam(0.01, beta1=0.0),
        local_lr=Cosine(0.01, 0.001),
        upload=TopP(0.25, "f16"),
    )


@pytest.mark.parametrize("name", sorted(ALGORITHMS))
def test_every_algorithm_can_be_named(tmp_path, name):
    work = "local_epochs = 1\n" if name in {"FedAvg", "FedProx"} else ""
    algorithm = f'[algorithm]\ntype = "{name}"\n{work}'
    text = GOOD[: GOOD.index("[algorithm]")] + algorithm + GOOD[GOOD.index("[run]") :]
    experiment = load(tmp_path, text)
    assert type(experiment.algorithm).__name__ == name
    assert "References" in type(experiment.algorithm).__doc__
    assert len(experiment.run_of(0).execute(progress=False).rows) == 5


def test_what_can_be_named_is_what_the_packages_offer():
    assert set(ALGORITHMS) == {name for name in algorithms.__all__ if name in federate.__all__} - {
        "Algorithm",
        "FromScratch",
        "NoAdaptation",
    }
    assert set(TASKS) == {"digits", "keywords", "omniglot", "sine"}
    assert {"Dense", "Conv2D", "Softmax", "Residual"} <= set(LAYERS)
    assert set(PARTS) == {"Adam", "Constant", "Cosine", "Dense", "Linear", "Momentum", "SGD", "Sign", "TopP"}


def test_layers_inside_layers(tmp_path):
    residual = '{ type = "Residual", layers = [{ type = "Dense", units = 4, activation = "relu" }] },'
    text = GOOD.replace('{ type = "Dense", units = 1 },', residual + '\n    { type = "Dense", units = 1 },')
    layer = load(tmp_path, text).run_of(0).network.layers[1]
    assert isinstance(layer, nn.Residual)
    assert layer.layers[0].units == 4


@pytest.mark.parametrize(
    ("old", "new", "what", "where", "hint"),
    [
        (
            "local_steps = 8",
            "local_step = 8",
            "unknown key 'local_step'",
            ":15: algorithm.local_step",
            "local_steps",
        ),
        ("rounds = 5", "round = 5", "unknown key 'round'", ":19: run.round", "rounds"),
        ("shots = 8", "shot = 8", "unknown key 'shot'", ":11: tasks.shot", "shots"),
        ("drop_out", "dropout", "unknown key 'dropout'", ":24: cohort.dropout", "drop_out"),
        (
            "tasks_count",
            "task_count",
            "unknown key 'task_count'",
            ":28: evaluation.task_count",
            "tasks_count",
        ),
        ("loss =", "losses =", "unknown key 'losses'", ":3: network.losses", "loss"),
        ("units = 4", "unit = 4", "unknown key 'unit'", ":5: network.layers[0].unit", "units"),
        ("start = 1.0", "begin = 1.0", "unknown key 'begin'", ":16: algorithm.server_lr.begin", None),
        ("[cohort]", "[cohorts]", "no section 'cohorts'", ":23: cohorts", "cohort"),
        ('"TinyReptile"', '"TinyReptil"', "no type 'TinyReptil'", ":14: algorithm.type", "TinyReptile"),
        ('"sine"', '"sinus"', "no type 'sinus'", ":10: tasks.type", "sine"),
        ('"Linear"', '"Linea"', "no type 'Linea'", ":16: algorithm.server_lr.type", "Linear"),
        ('type = "sine"\n', "", "type is missing", ":9: tasks", "type: one of digits"),
        ("units = 4, ", "", "units is missing", ":5: network.layers[0]", "units = ..."),
        ("rounds = 5\n", "", "rounds is missing", ":18: run", "rounds = 1000"),
        ("start = 1.0, ", "", "start is missing", ":16: algorithm.server_lr", "start = ..."),
        (
            "local_steps = 8",
            "local_steps = 0",
            "local_steps is 0",
            ":15: algorithm.local_steps",
            "at least 1",
        ),
        ("local_steps = 8", 'local_steps = "8"', "local_steps is '8'", ":15: algorithm.local_steps", None),
        ("rounds = 5", "rounds = 5.5", "rounds is 5.5", ":19: run.rounds", None),
        ("[3, 4]", "[3, 3]", "seeds is [3, 3]", ":20: run.seeds", None),
        ("[3, 4]", "[3, -1]", "seeds is -1", ":20: run.seeds", None),
        ("drop_out = 0.5", "drop_out = 2", "drop_out is 2", ":24: cohort.drop_out", None),
        ("steps = [0, 2]", "steps = [2, 0]", "steps is (2, 0)", ":27: evaluation.steps", None),
        ("start = 1.0", "start = -1.0", "start is -1.0", ":16: algorithm.server_lr.start", None),
        ("shots = 8", "shots = 0", "shots is 0", ":11: tasks.shots", None),
        ('"mse"', '"mean"', "mean", ":3: network.loss", None),
        ('"tanh"', '"tan"', "tan", ":1: network", None),
        ("input_shape = [1]", "input_shape = [2]", "inputs (1,)", ":1: network", "input_shape=(1,)"),
        ('{ type = "Dense", units = 1 },', "5,", "5 is no table", ":4: network.layers[1]", None),
        ('"Dense", units = 1', '"Dens", units = 1', "no type 'Dens'", ":6: network.layers[1].type", "Dense"),
        ("layers = [", "layers = 3 # [", None, None, None),
    ],
)
def test_a_mistake_is_named_with_its_place_and_a_way_out(tmp_path, old, new, what, where, hint):
    assert old in GOOD
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, GOOD.replace(old, new, 1))
    assert what is None or what in caught.value.what
    assert where is None or caught.value.where == f"{tmp_path / 'e.toml'}{where}"
    assert hint is None or hint in caught.value.hint


JUNK = [
    "[]",
    "{}",
    "true",
    "-1",
    "0",
    "inf",
    "nan",
    '"x"',
    "[[1]]",
    "1e30",
    '{ type = "Linear" }',
    "1979-05-27",
]


@pytest.mark.parametrize("line", [line for line in GOOD.splitlines() if re.match(r"\w+ = [^\[]*$", line)])
@pytest.mark.parametrize("junk", JUNK)
def test_no_value_gets_through_or_raises_anything_else(tmp_path, line, junk):
    """Every key is given values of every kind: the answer is an experiment, or an error with a place."""
    key = line.split(" = ")[0]
    error = None
    try:
        assert load(tmp_path, GOOD.replace(line, f"{key} = {junk}", 1)).run_of(0)
    except ConfigError as caught:
        error = caught
    sections = ("network", "tasks", "algorithm", "run", "cohort")
    assert error is None or key in error.where or error.where.endswith(sections)


def test_a_section_that_is_missing_is_named(tmp_path):
    for section in ("network", "tasks", "algorithm", "run"):
        start = GOOD.index(f"[{section}]")
        end = GOOD.find("\n[", start) + 1
        with pytest.raises(ConfigError, match=rf"the section \[{section}\] is missing"):
            load(tmp_path, GOOD[:start] + GOOD[end:])


def test_text_that_is_not_toml_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"not TOML: .*line 1"):
        load(tmp_path, "[network\n")
    (tmp_path / "e.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_experiment(tmp_path / "e.toml")
    with pytest.raises(StorageError, match="cannot read"):
        load_experiment(tmp_path / "none.toml")


def test_the_omniglot_experiment_is_sound_and_learns_within_256_kilobytes(monkeypatch):
    data = Path(os.environ.get("SHOAL_DATA") or Path(__file__).parents[3] / "shared" / "data")
    if not data.is_dir():
        pytest.skip("SHOAL_DATA is not set and ../shared/data does not exist")
    monkeypatch.setenv("SHOAL_DATA", str(data))
    run = load_experiment(EXPERIMENTS / "omniglot.toml").run_of(0)
    assert footprint(run.algorithm.plan(run.network)).ram <= 256 * 1024


def test_the_sine_experiment_is_sound():
    experiment = load_experiment(EXPERIMENTS / "sine.toml")
    assert experiment.run_of(0).network.parameters.size == 1153
