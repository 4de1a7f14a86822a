from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from shoal import nn
from shoal.errors import ConfigError, StateError, StorageError
from shoal.federate import Evaluation, FedAvg, Reptile, Run, SimulatedCohort, TinyReptile

SCRIPT = """
import resource, sys
from shoal import datasets, federate, nn
folder, kind, rounds, limit = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
net = nn.Network([nn.Dense(8, "tanh"), nn.Dense(8, "tanh"), nn.Dense(1)], input_shape=(1,), loss="mse")
tasks = datasets.sine(shots=16, queries=16)
algorithm = {
    "serial": federate.TinyReptile(local_steps=16, server_lr=federate.Linear(1, 0)),
    "rounds": federate.FedAvg(clients=4, local_epochs=1, upload=federate.codecs.Dense("int8")),
}[kind]
run = federate.Run(
    net, tasks, algorithm, rounds, seed=3, folder=folder,
    evaluate_every=rounds // 4, checkpoint_every=rounds // 20,
    cohort=federate.SimulatedCohort(tasks, drop_out=0.1, seed=3),
    evaluation=federate.Evaluation(steps=(0, 4), tasks_count=5),
)
run.execute(resume=True, progress=False)
"""


def start(folder, kind="serial", rounds=400, limit=0):
    command = [sys.executable, "-c", SCRIPT, str(folder), kind, str(rounds), str(limit)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def finish(process):
    _, errors = process.communicate(timeout=120)
    return process.returncode, errors


def results(folder):
    """What a run leaves behind, but for where it ran."""
    files = {file.name: file.read_bytes() for file in sorted(folder.iterdir()) if file.name != "run.json"}
    return files, json.loads((folder / "run.json").read_text())["config"]


def checkpoints(folder):
    return sorted(folder.glob("checkpoint-*.bin"))


def run_of(wave, waves, folder=None, rounds=60, **more):
    settings = {
        "algorithm": FedAvg(clients=3, local_steps=2),
        "checkpoint_every": 20,
        "evaluate_every": 25,
        "evaluation": Evaluation(steps=(0, 2), tasks_count=3),
    } | more
    return Run(wave, waves, rounds=rounds, folder=folder, **settings)


def test_a_folder_holds_what_a_run_did(wave, waves, tmp_path):
    run = run_of(wave, waves, tmp_path / "runs" / "first")
    history = run.execute(progress=False)
    folder = tmp_path / "runs" / "first"
    assert sorted(file.name for file in folder.iterdir()) == [
        "checkpoint-0000000040.bin",
        "checkpoint-0000000060.bin",
        "metrics.jsonl",
        "model.img",
        "model.shoal",
        "run.json",
    ]
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [line["loss"] for line in lines if "loss" in line] == history.column("loss").tolist()
    assert [line["round"] for line in lines if "evaluation" in line] == [0, 25, 50, 60]
    assert [point.round for point in history.evaluations] == [0, 25, 50, 60]
    assert nn.load(folder / "model.shoal").parameters.tobytes() == run.network.parameters.tobytes()
    about = json.loads((folder / "run.json").read_text())
    assert about["config"]["seed"] == 0
    assert about["config"]["algorithm"]["type"] == "FedAvg"
    assert set(about["environment"]) == {"python", "numpy", "platform", "isa", "git"}


def test_a_folder_changes_no_bit(wave, waves, tmp_path):
    kept = run_of(wave, waves, tmp_path / "a")
    kept.execute(progress=False)
    free = run_of(wave, waves, evaluate_every=None)
    free.execute(progress=False)
    assert kept.network.parameters.tobytes() == free.network.parameters.tobytes()
    assert kept.history.rows == free.history.rows


def test_a_run_can_be_executed_again(wave, waves):
    run = run_of(wave, waves)
    first = run.execute(progress=False)
    parameters = run.network.parameters
    assert run.execute(progress=False).rows == first.rows
    assert run.network.parameters.tobytes() == parameters.tobytes()


@pytest.mark.parametrize("kind", ["serial", "rounds"])
def test_a_run_that_is_killed_again_and_again_ends_with_the_same_bits(tmp_path, kind):
    rounds = {"serial": 60_000, "rounds": 1200}[kind]
    assert finish(start(tmp_path / "whole", kind, rounds)) == (0, "")
    folder = tmp_path / "killed"
    delays = np.random.default_rng(1).uniform(0, 0.12, size=30)
    killed = 0
    for delay in delays:
        process = start(folder, kind, rounds)
        before, end = checkpoints(folder), time.monotonic() + 60
        while checkpoints(folder) == before and process.poll() is None and time.monotonic() < end:
            time.sleep(0.002)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        code, errors = finish(process)
        assert code in (0, -signal.SIGKILL), errors
        if code == 0:
            break
        killed += 1
        if killed == 5:
            break
    assert killed >= 2
    assert finish(start(folder, kind, rounds)) == (0, "")
    assert results(folder) == results(tmp_path / "whole")


def test_a_finished_run_is_resumed_without_work(wave, waves, tmp_path):
    first = run_of(wave, waves, tmp_path)
    first.execute(progress=False)
    before = results(tmp_path)
    again = run_of(wave, waves, tmp_path)
    history = again.execute(resume=True, progress=False)
    assert history.rows == first.history.rows
    assert [p.adaptation.losses.tolist() for p in history.evaluations] == [
        p.adaptation.losses.tolist() for p in first.history.evaluations
    ]
    assert again.network.parameters.tobytes() == first.network.parameters.tobytes()
    assert results(tmp_path) == before


def flip(path, place):
    content = bytearray(path.read_bytes())
    content[place] ^= 0x10
    path.write_bytes(content)


@pytest.mark.parametrize(
    "damage",
    [lambda f: flip(f, 30), lambda f: f.write_bytes(f.read_bytes()[:-3]), lambda f: f.write_bytes(b"")],
)
def test_a_damaged_checkpoint_gives_way_to_the_one_before(wave, waves, tmp_path, damage):
    run_of(wave, waves, tmp_path).execute(progress=False)
    before = results(tmp_path)
    damage(checkpoints(tmp_path)[-1])
    run_of(wave, waves, tmp_path).execute(resume=True, progress=False)
    assert results(tmp_path) == before


def test_damaged_checkpoints_are_named(wave, waves, tmp_path):
    run_of(wave, waves, tmp_path).execute(progress=False)
    for file in checkpoints(tmp_path):
        flip(file, 40)
    with pytest.raises(StateError, match="damaged") as caught:
        run_of(wave, waves, tmp_path).execute(resume=True, progress=False)
    assert caught.value.where == str(checkpoints(tmp_path)[-1])


def test_a_run_that_is_killed_before_its_first_checkpoint_starts_anew(wave, waves, tmp_path):
    run_of(wave, waves, tmp_path).execute(progress=False)
    before = results(tmp_path)
    for file in checkpoints(tmp_path):
        file.unlink()
    run_of(wave, waves, tmp_path).execute(resume=True, progress=False)
    assert results(tmp_path) == before


def test_metrics_that_are_cut_or_damaged_are_named(wave, waves, tmp_path):
    run_of(wave, waves, tmp_path).execute(progress=False)
    metrics = tmp_path / "metrics.jsonl"
    content = metrics.read_bytes()
    metrics.write_bytes(content[:100])
    with pytest.raises(StateError, match="100 bytes, the checkpoint knows of"):
        run_of(wave, waves, tmp_path).execute(resume=True, progress=False)
    metrics.write_bytes(content.replace(b'{"round": 3,', b'{"round" 3,, '))
    with pytest.raises(StateError, match="a damaged line") as caught:
        run_of(wave, waves, tmp_path).execute(resume=True, progress=False)
    assert caught.value.where == f"{metrics}:4"


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"rounds": 61}, "rounds"),
        ({"seed": 1}, "cohort"),
        ({"algorithm": FedAvg(clients=3, local_steps=3)}, "algorithm"),
        ({"evaluate_every": None}, "evaluate_every"),
    ],
)
def test_another_run_in_the_folder_is_refused(wave, waves, tmp_path, change, key):
    run_of(wave, waves, tmp_path).execute(progress=False)
    with pytest.raises(StateError, match=f"another run: its {key} is"):
        run_of(wave, waves, tmp_path, **change).execute(resume=True, progress=False)


def test_another_network_in_the_folder_is_refused(wave, waves, tmp_path):
    run_of(wave, waves, tmp_path).execute(progress=False)
    other = nn.Network(wave.layers, wave.input_shape, wave.loss, seed=9)
    with pytest.raises(StateError, match="its network is"):
        run_of(other, waves, tmp_path).execute(resume=True, progress=False)


def test_a_folder_with_a_run_is_not_overwritten(wave, waves, tmp_path):
    run_of(wave, waves, tmp_path).execute(progress=False)
    before = results(tmp_path)
    with pytest.raises(ConfigError, match="the folder holds a run"):
        run_of(wave, waves, tmp_path).execute(progress=False)
    assert results(tmp_path) == before


def test_checkpoints_without_a_description_are_not_taken_for_this_run(wave, waves, tmp_path):
    run_of(wave, waves, tmp_path).execute(progress=False)
    (tmp_path / "run.json").unlink()
    for resume in (True, False):
        with pytest.raises(ConfigError, match="the folder holds a run"):
            run_of(wave, waves, tmp_path).execute(resume=resume, progress=False)


def test_what_was_half_written_is_removed(wave, waves, tmp_path):
    run_of(wave, waves, tmp_path).execute(progress=False)
    before = results(tmp_path)
    (tmp_path / ".checkpoint-0000000060.bin.123.part").write_bytes(b"half")
    run_of(wave, waves, tmp_path).execute(resume=True, progress=False)
    assert results(tmp_path) == before


def test_a_folder_with_something_else_is_refused(wave, waves, tmp_path):
    (tmp_path / "run.json").write_text("[]")
    with pytest.raises(StateError, match="not the description of a run"):
        run_of(wave, waves, tmp_path).execute(resume=True, progress=False)
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot make the folder"):
        run_of(wave, waves, tmp_path / "file" / "run").execute(progress=False)


def test_a_full_disk_leaves_the_last_checkpoint(tmp_path):
    """The limit on the size of a file stands for the end of the disk."""
    assert finish(start(tmp_path / "whole")) == (0, "")
    code, errors = finish(start(tmp_path / "full", limit=12_000))
    assert code == 1
    assert "StorageError: cannot write: File too large" in errors
    assert str(tmp_path / "full" / "metrics.jsonl") in errors
    assert 1 <= len(checkpoints(tmp_path / "full")) <= 2
    assert not list((tmp_path / "full").glob("*.part"))
    assert finish(start(tmp_path / "full")) == (0, "")
    assert results(tmp_path / "full") == results(tmp_path / "whole")


def test_a_checkpoint_that_does_not_fit_leaves_the_ones_before(tmp_path):
    code, errors = finish(start(tmp_path / "full", limit=300))
    assert code == 1
    assert "StorageError" in errors
    assert checkpoints(tmp_path / "full") == []
    assert not [file for file in (tmp_path / "full").iterdir() if file.name.endswith(".part")]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_no_space_left_on_the_device_is_a_storage_error(wave, waves, tmp_path):
    (tmp_path / "metrics.jsonl").symlink_to("/dev/full")
    with pytest.raises(StorageError, match="cannot write: No space left on device"):
        run_of(wave, waves, tmp_path).execute(progress=False)
    assert checkpoints(tmp_path) == []


def test_only_the_last_two_checkpoints_are_kept(wave, waves, tmp_path):
    run_of(wave, waves, tmp_path, checkpoint_every=7).execute(progress=False)
    assert [file.name for file in checkpoints(tmp_path)] == [
        "checkpoint-0000000056.bin",
        "checkpoint-0000000060.bin",
    ]


def test_a_bar_is_shown_on_a_terminal_only(wave, waves, capfd):
    run_of(wave, waves).execute()
    assert capfd.readouterr() == ("", "")
    pty = pytest.importorskip("pty")
    script = (
        "from shoal import datasets, federate, nn\n"
        "net = nn.Network([nn.Dense(4, 'tanh'), nn.Dense(1)], input_shape=(1,), loss='mse')\n"
        "federate.Run(net, datasets.sine(), federate.FedAvg(clients=2, local_steps=1), 1200).execute()\n"
    )
    controller, terminal = pty.openpty()
    process = subprocess.Popen([sys.executable, "-c", script], stderr=terminal, stdout=subprocess.PIPE)
    os.close(terminal)
    seen = b""
    while True:
        try:
            part = os.read(controller, 4096)
        except OSError:
            break
        if not part:
            break
        seen += part
    os.close(controller)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out == b""
    assert b"loss" in seen
    assert b"MB" in seen or b"kB" in seen


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ({"rounds": 0}, "rounds is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"evaluate_every": 0}, "evaluate_every is 0"),
        ({"checkpoint_every": 1.5}, "checkpoint_every is 1.5"),
        ({"algorithm": "FedAvg"}, "algorithm is 'FedAvg'"),
        ({"cohort": 5}, "cohort is 5"),
        ({"evaluation": {}}, "evaluation is {}"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_named(wave, waves, arguments, names):
    with pytest.raises(ConfigError, match=names):
        run_of(wave, waves, **arguments)


def test_more_clients_than_there_are_is_refused(line, rooms):
    with pytest.raises(ConfigError, match="7 clients in each round, the tasks have 6"):
        Run(line, rooms, Reptile(clients=7), 1)


def test_a_run_without_folder_cannot_be_resumed(wave, waves):
    with pytest.raises(ConfigError, match="cannot be resumed"):
        run_of(wave, waves).execute(resume=True)


def test_the_seed_of_the_cohort_is_that_of_the_run(wave, waves):
    run = Run(wave, waves, TinyReptile(local_steps=4), 5, seed=8)
    assert isinstance(run.cohort, SimulatedCohort)
    assert run.cohort.seed == 8
