from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from shoal import runtime
from shoal.errors import ConfigError
from shoal.federate import (
    Cohort,
    FedAvg,
    FedSGD,
    JointTraining,
    PerFedAvg,
    Reptile,
    Run,
    SerialCohort,
    SimulatedCohort,
    TinyMetaFed,
    TinyReptile,
)
from shoal.federate.codecs import Dense, TopP
from shoal.federate.streams import stream_order
from shoal.learn import SGD, Adam

ALGORITHMS = [
    TinyReptile(local_steps=20),
    TinyMetaFed(local_steps=6, reconstruction_steps=3, values="int8"),
    Reptile(clients=19, optimizer=Adam(0.01)),
    FedAvg(clients=19, local_epochs=2, batch=5, upload=Dense("int8")),
    FedSGD(clients=19),
    PerFedAvg(clients=19, local_steps=2, batch=5),
    JointTraining(clients=3),
]


def trained(network, tasks, algorithm, rounds=9, seed=0, **cohort):
    run = Run(network, tasks, algorithm, rounds, seed, cohort=SimulatedCohort(tasks, seed=seed, **cohort))
    run.execute(progress=False)
    return run


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=lambda a: type(a).__name__)
def test_width_threads_and_chunk_change_no_bit(algorithm, wave, waves):
    unlike = {"availability": 0.9, "drop_out": 0.1}
    reference = trained(wave, waves, algorithm, **unlike)
    for speed in (
        {"width": 1},
        {"width": 8, "threads": 2},
        {"width": 16, "chunk": 1},
        {"threads": 3, "chunk": 4},
        {"chunk": 7},
    ):
        other = trained(wave, waves, algorithm, **unlike, **speed)
        assert other.network.parameters.tobytes() == reference.network.parameters.tobytes(), speed
        assert other.history.rows == reference.history.rows


PROGRAM = """
import zlib
from shoal import datasets, federate, nn, runtime
net = nn.Network([nn.Dense(8, "tanh"), nn.Dense(1)], input_shape=(1,), loss="mse")
for algorithm in (
    federate.TinyReptile(local_steps=8, server_lr=federate.Cosine(1, 0)),
    federate.TinyMetaFed(local_steps=8, values="int8"),
    federate.FedAvg(clients=20, local_epochs=1, upload=federate.codecs.Dense("f16")),
):
    run = federate.Run(net, datasets.sine(shots=8), algorithm, 20, evaluate_every=20)
    history = run.execute(progress=False)
    loss = history.evaluations[-1].adaptation.loss
    print(zlib.crc32(run.network.parameters.tobytes()), history.rows[-1], loss.tolist())
"""


def test_every_build_of_the_runtime_gives_the_same_bits():
    results = {}
    for build in runtime.builds():
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env=os.environ | {"SHOAL_ISA": build},
            capture_output=True,
            text=True,
            check=False,
        )
        # A build that this processor cannot run says so.
        assert done.returncode == 0 or f"SHOAL_ISA is '{build}'" in done.stderr
        if done.returncode == 0:
            results[build] = done.stdout
    assert results
    assert len(set(results.values())) == 1, results


def test_a_large_cohort_learns_in_parts_to_the_same_bits(wave, waves, monkeypatch):
    algorithm = FedAvg(clients=40, local_epochs=1)
    whole = trained(wave, waves, algorithm, rounds=3)
    monkeypatch.setattr("shoal.federate.simulated.VALUES", 7 * wave.parameters.size)
    monkeypatch.setattr("shoal.federate.simulated.SAMPLES", 1)
    assert (
        trained(wave, waves, algorithm, rounds=3).network.parameters.tobytes()
        == whole.network.parameters.tobytes()
    )


def test_it_is_a_cohort_that_serves(waves):
    assert isinstance(SimulatedCohort(waves), SerialCohort)
    assert isinstance(SimulatedCohort(waves), Cohort)


def test_clients_of_a_round_are_distinct_and_depend_on_the_round_alone(rooms):
    cohort = SimulatedCohort(rooms, seed=5)
    block = cohort._draw(range(40), 4, 6)
    ids = block.ids.reshape(40, 4)
    assert all(len(set(row)) == 4 for row in ids.tolist())
    assert set(ids.reshape(-1).tolist()) == set(range(6))
    assert cohort._draw(range(17, 18), 4, 6).ids.tolist() == ids[17].tolist()
    assert SimulatedCohort(rooms, seed=6)._draw(range(40), 4, 6).ids.tolist() != block.ids.tolist()


def test_what_is_lost_counts_bytes_down_and_none_up(wave, waves):
    size = Dense().size(wave.parameters.size)
    for algorithm in (TinyReptile(local_steps=4), FedAvg(clients=10, local_steps=1)):
        run = trained(wave, waves, algorithm, rounds=100, drop_out=0.3)
        column = run.history.column
        assert (column("clients") + column("failed") == algorithm.clients).all()
        assert 0.2 < column("failed").sum() / (100 * algorithm.clients) < 0.4
        assert (column("bytes_up") == size * column("clients")).all()
        assert (column("bytes_down") == size * algorithm.clients).all()
        assert run.history.failures == []


def test_who_cannot_be_reached_costs_nothing(wave, waves):
    size = Dense().size(wave.parameters.size)
    run = trained(wave, waves, FedAvg(clients=10, local_steps=1), rounds=60, availability=0.5)
    clients = run.history.column("clients")
    assert 4 < clients.mean() < 6
    assert (run.history.column("bytes_down") == size * clients).all()
    assert run.history.total("failed") == 0


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=lambda a: type(a).__name__)
def test_a_round_without_any_update_changes_nothing(algorithm, wave, waves):
    run = trained(wave, waves, algorithm, drop_out=1.0)
    assert run.network.parameters.tobytes() == wave.parameters.tobytes()
    assert np.isnan(run.history.column("loss")).all()
    assert (run.history.column("clients") == 0).all()


@pytest.mark.parametrize("upload", [Dense(), TopP(0.5)], ids=str)
def test_a_client_that_diverges_is_dropped_and_changes_nothing_for_the_others(line, rooms, caplog, upload):
    algorithm = FedAvg(clients=6, local_steps=1, batch=6, optimizer=SGD(0.05), upload=upload)
    run = trained(line, rooms, algorithm, rounds=1)
    block = SimulatedCohort(rooms)._draw(range(1), 6, 6)
    others = block.ids != 5
    assert others.sum() == 5
    visits = runtime.visit(
        line.plan("sgd", accumulate=True).image(),
        x=block.x,
        row=block.row[others],
        targets=block.targets[others],
        phases=(SGD(0.05).phase(6, batch=6),),
        start=line.parameters,
    )
    deltas = visits.end[:, 0] - line.parameters
    total = np.zeros_like(deltas[0])
    for delta in deltas:
        total += upload.decode(upload.encode(delta), delta.size)
    expected = line.parameters + total / np.float32(5)
    assert run.network.parameters.tobytes() == expected.tobytes()
    assert run.history.rows[0].clients == 5
    assert run.history.rows[0].failed == 1
    assert [(f.round, f.client) for f in run.history.failures] == [(1, 5)]
    assert "client 5 is dropped: diverged" in caplog.text


def test_a_client_that_diverges_in_a_serial_run_moves_nothing(line, rooms, caplog):
    run = trained(line, rooms, TinyReptile(local_steps=6, local_lr=0.05), rounds=30)
    assert np.isfinite(run.network.parameters).all()
    dropped = {f.client for f in run.history.failures}
    assert dropped == {5}
    assert run.history.total("failed") == len(run.history.failures) > 0
    assert run.history.total("clients") == 30 - len(run.history.failures)
    assert "client 5 is dropped" in caplog.text


@pytest.mark.filterwarnings("error")
def test_parameters_that_overflow_in_the_last_step_never_reach_the_server(line, rooms):
    """The loss of the only step is finite, the step is not: the runtime does not see it, the door does."""
    algorithm = TinyReptile(local_steps=1, local_lr=1e38, server_lr=1e-38)
    run = trained(line, rooms, algorithm, rounds=12)
    cohort = SimulatedCohort(rooms)
    block = cohort._draw(range(12), 1, 1)
    p, dropped = line.parameters, []
    for i in range(12):
        visit = runtime.visit(
            line.plan("sgd").image(),
            x=block.x,
            row=block.row[i : i + 1],
            targets=block.targets[i : i + 1],
            phases=(SGD(1e38).phase(1),),
            start=p,
            width=1,
        )
        with np.errstate(all="ignore"):
            end = visit.end[0, 0] - p
        if visit.status[0] == 0 and np.isfinite(end).all():
            p = p + np.float32(1e-38) * end
        else:
            dropped.append((i + 1, int(block.ids[i])))
    assert run.network.parameters.tobytes() == p.tobytes()
    assert [(f.round, f.client) for f in run.history.failures] == dropped
    assert len(dropped) > 0


def test_a_server_that_would_overflow_stays_where_it_is(wave, waves, caplog):
    run = trained(
        wave, waves, FedAvg(clients=1, local_steps=1, optimizer=SGD(50.0), server_lr=3e38), rounds=4
    )
    assert np.isfinite(run.network.parameters).all()
    assert "the server would not be finite" in caplog.text
    assert run.history.total("failed") == len(run.history.failures) > 0


def test_pooled_samples_that_diverge_change_nothing(line, rooms):
    run = trained(line, rooms, JointTraining(clients=6, local_samples=2), rounds=2)
    assert run.network.parameters.tobytes() == line.parameters.tobytes()
    assert len(run.history.failures) == 2
    assert run.history.rows[0].bytes_up == 6 * 2 * 3 * 4


def test_what_arrives_damaged_or_with_a_wrong_weight_is_dropped(wave, waves):
    class Broken:
        """Clients of which one sends bytes that are cut, one claims too many samples, one claims none."""

        def __init__(self):
            self.good = SimulatedCohort(waves)
            self.support = self.good.support

        def visit(self, plan, parameters, round, places):
            updates = list(self.good.visit(plan, parameters, round, places))
            updates[1] = replace(updates[1], payload=updates[1].payload[:-1])
            updates[2] = replace(updates[2], samples=10**9)
            updates[3] = replace(updates[3], samples=0)
            return iter(updates)

    run = Run(wave, waves, FedAvg(clients=4, local_epochs=1), 1, cohort=Broken())
    run.execute(progress=False)
    row = run.history.rows[0]
    assert (row.clients, row.failed) == (1, 3)
    first = next(Broken().good.visit(run._local(0), wave.parameters, 0, range(4)))
    expected = wave.parameters + Dense().decode(first.payload, wave.parameters.size)
    assert run.network.parameters.tobytes() == expected.tobytes()
    assert "damaged update" in run.history.failures[0].failure
    assert "1000000000 samples" in run.history.failures[1].failure


def test_a_label_that_names_no_class_is_reported(blobs):
    network, family = blobs

    class Wrong:
        input_shape, outputs, kind, split, clients = (6,), 3, "classification", "train", None

        def sample(self, seed, ids):
            batch = family.sample(seed, ids)
            return replace(batch, support_y=batch.support_y + 1)

        def held_out(self):
            return self

    run = trained(network, Wrong(), FedAvg(clients=2, local_steps=2), rounds=1)
    assert {f.failure for f in run.history.failures} == {"a label names no class"}
    assert run.network.parameters.tobytes() == network.parameters.tobytes()


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ({"width": 4}, "width is 4"),
        ({"threads": 0}, "threads is 0"),
        ({"availability": 0}, "availability is 0"),
        ({"drop_out": 1.5}, "drop_out is 1.5"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": 2**64}, "seed is 18446744073709551616"),
        ({"chunk": 0}, "chunk is 0"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_named(waves, arguments, names):
    with pytest.raises(ConfigError, match=names):
        SimulatedCohort(waves, **arguments)


def test_tasks_must_be_a_family():
    with pytest.raises(ConfigError, match="tasks is 'sine'"):
        SimulatedCohort("sine")


VISITS = np.arange(30, dtype=np.uint64)


def test_a_stretch_of_a_stream_keeps_the_order_and_starts_anywhere():
    order = stream_order(0, VISITS, 10, 4)
    assert order.shape == (30, 4)
    assert ((order[:, 1:] - order[:, :-1]) % 10 == 1).all()
    assert len(set(order[:, 0].tolist())) > 5


def test_a_stream_that_is_used_up_comes_again_in_other_orders():
    order = stream_order(0, VISITS, 6, 15)
    assert (order[:, :6] == np.arange(6)).all()
    assert (np.sort(order[:, 6:12], axis=1) == np.arange(6)).all()
    assert len({tuple(row) for row in order[:, 6:12].tolist()}) > 20
    np.testing.assert_array_equal(stream_order(0, VISITS[7:8], 6, 15)[0], order[7])
    # A longer visit goes on where a shorter one ended.
    np.testing.assert_array_equal(stream_order(0, VISITS, 6, 12), order[:, :12])


def test_a_stream_in_its_own_order_needs_none():
    assert stream_order(0, VISITS, 6, 6) is None
    assert stream_order(0, VISITS, 6, 4, anywhere=False) is None


def test_a_client_that_diverges_does_so_at_every_width(line, rooms):
    algorithm = FedAvg(clients=6, local_epochs=3, batch=4, optimizer=SGD(0.05))
    runs = [trained(line, rooms, algorithm, rounds=6, width=width) for width in (1, 8, 16)]
    assert len({run.network.parameters.tobytes() for run in runs}) == 1
    assert runs[0].history.rows == runs[1].history.rows == runs[2].history.rows
    assert runs[0].history.failures == runs[2].history.failures


def test_joint_training_counts_the_devices_whose_samples_get_lost(line, rooms):
    run = trained(line, rooms, JointTraining(clients=6, local_samples=2), rounds=20, drop_out=0.5)
    lost = sum(row.failed for row in run.history.rows)
    assert 30 < lost < 90
