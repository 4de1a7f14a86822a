from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shoal import datasets, nn, runtime
from shoal.errors import ConfigError
from shoal.federate import (
    Cosine,
    FedAvg,
    FedProx,
    FedSGD,
    FromScratch,
    JointTraining,
    Linear,
    PerFedAvg,
    Reptile,
    Run,
    SimulatedCohort,
    TinyMetaFed,
    TinyReptile,
    evaluate,
)
from shoal.federate.codecs import Dense, Sign, TopP
from shoal.learn import SGD, Adam, Momentum

EVERY = [
    TinyReptile(local_steps=12),
    TinyMetaFed(local_steps=12, reconstruction_steps=4),
    Reptile(clients=3),
    Reptile(clients=3, serial=True),
    Reptile(clients=3, optimizer=Adam(0.001, beta1=0.0)),
    FedAvg(clients=3, local_epochs=2, batch=5),
    FedAvg(clients=3, local_steps=4, optimizer=Momentum(0.01)),
    FedSGD(clients=3),
    FedProx(clients=3, local_epochs=1),
    PerFedAvg(clients=3, local_steps=2, batch=6),
    JointTraining(clients=3),
]
every = pytest.mark.parametrize("algorithm", EVERY, ids=lambda a: type(a).__name__)


def trained(network, tasks, algorithm, rounds=12, **more):
    run = Run(network, tasks, algorithm, rounds, **more)
    run.execute(progress=False)
    return run


def bits(run):
    return run.network.parameters.tobytes()


def centralised(network, batches, rate):
    """SGD on batches of samples (x, y), one step on each, by one open network."""
    executor = runtime.Executor(network.plan("sgd", accumulate=True).image())
    executor.set_optimizer(SGD(rate).phase())
    for x, y in batches:
        for sample, target in zip(x, y, strict=True):
            executor.learn(sample, target)
        executor.apply()
    return executor.parameters.copy()


def clients_of(tasks, clients, round, seed=0):
    """The clients' support sets in a round, as the cohort draws them."""
    block = SimulatedCohort(tasks, seed=seed)._draw(range(round, round + 1), clients, 16)
    return block.x[block.row], block.targets


@every
def test_an_algorithm_learns_something_and_is_deterministic(algorithm, wave, waves):
    run = trained(wave, waves, algorithm)
    assert bits(run) == bits(trained(wave, waves, algorithm))
    assert bits(run) != wave.parameters.tobytes()
    assert bits(run) != bits(trained(wave, waves, algorithm, seed=1))
    assert len(run.history.rows) == 12
    assert np.isfinite(run.history.column("loss")).all()


@pytest.mark.parametrize("algorithm", EVERY[:-1], ids=lambda a: type(a).__name__)
def test_the_server_does_not_move_at_rate_0(algorithm, wave, waves):
    assert bits(trained(wave, waves, replace(algorithm, server_lr=0))) == wave.parameters.tobytes()


@pytest.mark.parametrize("serial", [True, False])
@pytest.mark.parametrize("rate", [1.0, 0.3, Linear(1, 0), Cosine(0.5, 0.1)])
def test_tiny_reptile_is_reptile_with_one_client_and_single_samples(wave, waves, rate, serial):
    tiny = trained(wave, waves, TinyReptile(local_steps=20, local_lr=0.03, server_lr=rate))
    reptile = Reptile(clients=1, batch=1, local_steps=20, optimizer=SGD(0.03), server_lr=rate, serial=serial)
    assert bits(tiny) == bits(trained(wave, waves, reptile))


def test_the_runtime_and_the_loop_take_the_same_serial_rounds(wave, waves):
    fast = trained(wave, waves, TinyReptile(local_steps=20, server_lr=Linear(1, 0)), rounds=40)
    # A schedule that never changes makes the run go round by round.
    slow = trained(
        wave,
        waves,
        TinyReptile(local_steps=20, local_lr=Linear(0.02, 0.02), server_lr=Linear(1, 0)),
        rounds=40,
    )
    assert bits(fast) == bits(slow)
    assert fast.history.rows == slow.history.rows


def test_serial_reptile_follows_each_client(wave, waves):
    p = wave.parameters
    x, y = clients_of(waves, 3, 0)
    image = wave.plan("sgd").image()
    for i in range(3):
        end = runtime.visit(
            image,
            x=x[i],
            row=np.arange(16)[None],
            targets=y[i : i + 1],
            phases=(SGD(0.02).phase(16),),
            start=p,
            width=1,
        ).end[0, 0]
        p = p + np.float32(0.7) * (end - p)
    algorithm = Reptile(clients=3, batch=1, local_steps=16, server_lr=0.7, serial=True)
    assert bits(trained(wave, waves, algorithm, rounds=1)) == p.tobytes()


def test_fed_sgd_with_one_client_is_sgd_on_its_data(wave, waves):
    batches = [tuple(part[0] for part in clients_of(waves, 1, round)) for round in range(5)]
    run = trained(wave, waves, FedSGD(clients=1, server_lr=0.05), rounds=5)
    assert bits(run) == centralised(wave, batches, 0.05).tobytes()


def test_fed_sgd_with_several_clients_is_sgd_on_the_pooled_data(wave, waves):
    batches = [tuple(part.reshape(-1, 1) for part in clients_of(waves, 4, round)) for round in range(5)]
    run = trained(wave, waves, FedSGD(clients=4, server_lr=0.05), rounds=5)
    np.testing.assert_allclose(run.network.parameters, centralised(wave, batches, 0.05), rtol=2e-5, atol=2e-7)


def test_fed_avg_with_one_local_step_is_fed_sgd(wave, waves):
    avg = trained(wave, waves, FedAvg(clients=4, local_steps=1, batch=16, optimizer=SGD(0.05)), rounds=5)
    sgd = trained(wave, waves, FedSGD(clients=4, server_lr=0.05), rounds=5)
    np.testing.assert_allclose(avg.network.parameters, sgd.network.parameters, rtol=2e-5, atol=2e-7)


def test_fed_avg_is_batched_reptile(wave, waves):
    avg = FedAvg(clients=4, local_steps=3, batch=5, optimizer=Adam(0.01))
    reptile = Reptile(clients=4, local_steps=3, batch=5, optimizer=Adam(0.01))
    assert bits(trained(wave, waves, avg)) == bits(trained(wave, waves, reptile))


def test_fed_prox_without_pull_is_fed_avg(wave, waves):
    avg = trained(wave, waves, FedAvg(clients=4, local_epochs=2, batch=5))
    assert bits(trained(wave, waves, FedProx(mu=0.0, clients=4, local_epochs=2, batch=5))) == bits(avg)


def test_fed_prox_pulls_towards_the_start(wave, waves):
    def distance(mu):
        run = trained(wave, waves, FedProx(mu=mu, clients=4, local_epochs=4, batch=4), rounds=1)
        return np.linalg.norm(run.network.parameters - wave.parameters)

    assert distance(0.0) > distance(5.0) > distance(20.0)


def test_fed_prox_takes_its_step_as_written(wave, waves):
    """w2 = w1 - rate * (g(w1) + mu * (w1 - w0)): the second step is the first where the pull shows."""
    rate, mu = np.float32(0.05), np.float32(0.5)
    x, y = (part[0] for part in clients_of(waves, 1, 0))
    w1 = centralised(wave, [(x[:8], y[:8])], rate)
    free = centralised(wave.with_parameters(w1), [(x[8:], y[8:])], rate)
    expected = free - rate * mu * (w1 - wave.parameters)
    algorithm = FedProx(mu=0.5, clients=1, local_epochs=1, batch=8, optimizer=SGD(0.05))
    run = trained(wave, waves, algorithm, rounds=1)
    np.testing.assert_allclose(run.network.parameters, expected, rtol=1e-5, atol=1e-6)


def test_per_fed_avg_applies_the_gradient_after_adaptation_to_the_start(wave, waves):
    alpha, beta = 0.1, 0.05
    x, y = (part[0] for part in clients_of(waves, 1, 0))
    adapted = centralised(wave, [(x[:8], y[:8])], alpha)
    moved = centralised(wave.with_parameters(adapted), [(x[8:], y[8:])], beta)
    run = trained(wave, waves, PerFedAvg(clients=1, batch=8, alpha=alpha, beta=beta), rounds=1)
    np.testing.assert_allclose(
        run.network.parameters, wave.parameters + (moved - adapted), rtol=1e-5, atol=1e-6
    )


def test_per_fed_avg_without_adaptation_is_fed_sgd_on_the_second_batch(wave, waves):
    x, y = (part[0] for part in clients_of(waves, 1, 0))
    run = trained(wave, waves, PerFedAvg(clients=1, batch=8, alpha=0.0, beta=0.05), rounds=1)
    assert bits(run) == centralised(wave, [(x[8:], y[8:])], 0.05).tobytes()


def test_joint_training_is_sgd_on_the_pooled_samples_and_counts_them(wave, waves):
    x, y = clients_of(waves, 2, 0)
    turns = x.transpose(1, 0, 2).reshape(-1, 1), y.transpose(1, 0, 2).reshape(-1, 1)
    batches = [(turns[0][i : i + 8], turns[1][i : i + 8]) for i in range(0, 32, 8)]
    run = trained(wave, waves, JointTraining(clients=2, batch=8, optimizer=SGD(0.05)), rounds=1)
    np.testing.assert_allclose(run.network.parameters, centralised(wave, batches, 0.05), rtol=1e-6, atol=1e-7)
    assert run.history.rows[0].bytes_up == 2 * 16 * 2 * 4
    assert run.history.rows[0].bytes_down == 0


def local_and_shared(network, layer):
    offset = 0
    mask = np.zeros(network.parameters.size, bool)
    for name in network.trainable:
        size = network.arrays[name].size
        mask[offset : offset + size] = name.startswith(layer + ".")
        offset += size
    return mask


def test_the_local_part_of_tiny_meta_fed_never_moves_and_never_travels(wave, waves):
    run = trained(wave, waves, TinyMetaFed(local_steps=8, reconstruction_steps=4, top_p=0.2))
    local = local_and_shared(wave, "dense_3")
    before, after = wave.parameters, run.network.parameters
    assert after[local].tobytes() == before[local].tobytes()
    assert (after[~local] != before[~local]).any()
    shared = int((~local).sum())
    assert set(run.history.column("bytes_down")) == {Dense().size(shared)}
    assert set(run.history.column("bytes_up")) == {TopP(0.2).size(shared)}


def test_tiny_meta_fed_rebuilds_the_local_part_then_learns_the_shared_one(wave, waves):
    algorithm = TinyMetaFed(
        local_steps=8, reconstruction_steps=4, local_layers=("dense_3",), top_p=1.0, local_lr=0.05
    )
    image = wave.plan("sgd").image()

    def learnt(start, part, learn):
        executor = runtime.Executor(image)
        executor.parameters[:] = start
        executor.set_optimizer(SGD(0.05).phase())
        for number, name in enumerate(wave.plan("sgd").layers):
            if name.startswith("dense") and name not in learn:
                executor.set_trainable(number, False)
        for sample, target in zip(x[part], y[part], strict=True):
            executor.learn(sample, target)
        return executor.parameters.copy()

    block = SimulatedCohort(waves)._draw(range(1), 1, 12)
    x, y = block.x[block.row[0]], block.targets[0]
    rebuilt = learnt(wave.parameters, slice(0, 4), {"dense_3"})
    end = learnt(rebuilt, slice(4, 12), {"dense_1", "dense_2"})
    local = local_and_shared(wave, "dense_3")
    expected = wave.parameters
    expected[~local] += end[~local] - expected[~local]
    assert bits(trained(wave, waves, algorithm, rounds=1)) == expected.tobytes()


def test_tiny_meta_fed_without_local_part_and_with_everything_sent_is_tiny_reptile(wave, waves):
    meta = TinyMetaFed(local_steps=20, local_layers=(), reconstruction_steps=0, top_p=1.0)
    assert bits(trained(wave, waves, meta)) == bits(trained(wave, waves, TinyReptile(local_steps=20)))


@pytest.mark.parametrize("algorithm", [TinyReptile(local_steps=12), FedAvg(clients=3, local_epochs=1)])
def test_codecs_up_and_down_are_counted_apart_and_learn_nearly_the_same(wave, waves, algorithm):
    exact = trained(wave, waves, algorithm)
    lossy = trained(wave, waves, replace(algorithm, upload=Dense("int8"), download=Dense("f16")))
    count, clients = wave.parameters.size, algorithm.clients
    assert set(lossy.history.column("bytes_up")) == {clients * Dense("int8").size(count)}
    assert set(lossy.history.column("bytes_down")) == {clients * Dense("f16").size(count)}
    assert set(exact.history.column("bytes_up")) == {clients * Dense().size(count)}
    assert bits(lossy) != bits(exact)
    np.testing.assert_allclose(lossy.network.parameters, exact.network.parameters, atol=0.05)


def test_signs_travel_too(wave, waves):
    run = trained(wave, waves, replace(EVERY[2], upload=Sign()))
    assert run.history.rows[0].bytes_up == 3 * Sign().size(wave.parameters.size)


def test_a_client_with_one_sample_learns(wave):
    tasks = datasets.sine(shots=1, queries=4)
    for algorithm in EVERY:
        assert np.isfinite(trained(wave, tasks, algorithm, rounds=3).network.parameters).all()


def test_a_family_of_one_client_learns(line):
    rng = np.random.default_rng(0)
    x, y, group = rng.normal(size=(20, 2)), rng.normal(size=20), np.repeat([0, 1], 10)
    tasks = datasets.by_group(x, y, group, shots=8, queries=2, held_out=[1])
    assert tasks.clients == 1
    run = trained(line, tasks, FedSGD(clients=1, server_lr=0.1), rounds=60)
    losses = run.history.column("loss")
    assert losses[-1] < losses[0]


def test_tiny_reptile_learns_to_learn_sines():
    network = nn.Network(
        [nn.Dense(32, "tanh"), nn.Dense(32, "tanh"), nn.Dense(1)], input_shape=(1,), loss="mse", seed=0
    )
    tasks = datasets.sine()
    run = trained(network, tasks, TinyReptile(server_lr=Linear(1, 0)), rounds=4000)
    learnt = evaluate(run.network, tasks)
    scratch = evaluate(network, tasks, control=FromScratch())
    assert learnt.loss[-1] < 0.3
    assert scratch.loss[-1] > 2
    assert learnt.loss[-1] + learnt.loss_interval[-1] < scratch.loss[-1] - scratch.loss_interval[-1]


def test_reptile_learns_classes_it_has_never_seen(blobs):
    network, family = blobs
    algorithm = Reptile(
        clients=5, local_steps=5, batch=6, optimizer=Adam(0.01, beta1=0.0), server_lr=Linear(1, 0)
    )
    run = trained(network, family, algorithm, rounds=200)
    learnt = evaluate(run.network, family, optimizer=SGD(0.1), steps=(0, 12))
    scratch = evaluate(network, family, optimizer=SGD(0.1), steps=(0, 12), control=FromScratch())
    assert learnt.accuracy[1] > scratch.accuracy[1]
    assert learnt.accuracy[1] > 0.9


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (lambda: TinyReptile(local_steps=0), "local_steps is 0"),
        (lambda: TinyReptile(local_steps=1.5), "local_steps is 1.5"),
        (lambda: TinyReptile(upload="f32"), "upload is 'f32'"),
        (lambda: Reptile(clients=0), "clients is 0"),
        (lambda: Reptile(batch=True), "batch is True"),
        (lambda: Reptile(optimizer="adam"), "optimizer is 'adam'"),
        (lambda: Reptile(serial=1), "serial is 1"),
        (lambda: Reptile(local_lr=-1), "local_lr is -1"),
        (FedAvg, "local_steps is None and local_epochs is None"),
        (lambda: FedAvg(local_steps=1, local_epochs=1), "one of the two"),
        (lambda: FedProx(mu=-1, local_steps=1), "mu is -1"),
        (lambda: PerFedAvg(alpha=float("nan")), "alpha is nan"),
        (lambda: JointTraining(local_samples=0), "local_samples is 0"),
        (lambda: TinyMetaFed(top_p=0), "top_p is 0"),
        (lambda: TinyMetaFed(values="f8"), "values is 'f8'"),
        (lambda: TinyMetaFed(local_layers=3), "local_layers is 3"),
        (lambda: TinyMetaFed(reconstruction_steps=0), "reconstruction_steps is 0"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_named(make, names):
    with pytest.raises(ConfigError, match=names):
        make()


def test_an_unknown_local_layer_is_refused_with_the_nearest(wave, waves):
    with pytest.raises(ConfigError, match="no layer 'dense_4' that learns") as caught:
        Run(wave, waves, TinyMetaFed(local_layers=("dense_4",)), rounds=1)
    assert caught.value.hint.startswith("dense_")
    with pytest.raises(ConfigError, match="none is left to share"):
        Run(wave, waves, TinyMetaFed(local_layers=("dense_1", "dense_2", "dense_3")), rounds=1)
