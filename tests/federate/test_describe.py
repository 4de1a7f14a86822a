from __future__ import annotations

import json
import platform

import numpy as np

from shoal import nn
from shoal.federate import FedAvg, SimulatedCohort
from shoal.federate.describe import describe, environment, revision


def test_a_description_is_json_and_tells_what_differs(wave, waves, rooms):
    things = [
        wave,
        waves,
        rooms,
        FedAvg(local_steps=1),
        SimulatedCohort(waves).description,
        np.float32(2),
        {"a": (1,)},
    ]
    text = [json.dumps(describe(thing)) for thing in things]
    assert text == [json.dumps(describe(thing)) for thing in things]
    assert describe(wave) != describe(nn.Network(wave.layers, wave.input_shape, wave.loss, seed=5))
    assert describe(FedAvg(local_steps=1)) != describe(FedAvg(local_steps=2))
    assert describe(np.zeros(3)) != describe(np.ones(3))
    assert describe(object()) == {"type": "object"}


def test_the_environment_names_the_versions():
    found = environment()
    assert found["python"] == platform.python_version()
    assert found["numpy"] == np.__version__
    assert found["isa"]


def test_the_revision_is_read_from_the_working_tree(tmp_path):
    git = tmp_path / ".git"
    (git / "refs" / "heads").mkdir(parents=True)
    inside = tmp_path / "a" / "b"
    inside.mkdir(parents=True)
    assert revision(inside) is None
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    assert revision(inside) is None
    (git / "packed-refs").write_text("# pack-refs\n" + "1" * 40 + " refs/heads/main\n")
    assert revision(inside) == "1" * 40
    (git / "refs" / "heads" / "main").write_text("2" * 40 + "\n")
    assert revision(inside) == "2" * 40
    (git / "HEAD").write_text("3" * 40 + "\n")
    assert revision(inside) == "3" * 40
