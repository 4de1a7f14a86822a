from __future__ import annotations

import json

import numpy as np
import pytest

from shoal import datasets, learn, nn
from shoal.errors import ConfigError, DivergedError, InputError
from shoal.federate import (
    Adaptation,
    Evaluation,
    FromScratch,
    NoAdaptation,
    Run,
    TinyReptile,
    adapt,
    combine,
    evaluate,
)


def test_evaluation_is_what_a_learner_does_sample_by_sample(wave, waves):
    found = evaluate(wave, waves, steps=(0, 3, 16), optimizer=learn.SGD(0.05), tasks_count=5, seed=4)
    batch = waves.held_out().sample(4, np.arange(5, dtype=np.uint64))
    for i in range(5):
        learner = learn.Learner(wave, learn.SGD(0.05))
        for column, steps in enumerate((0, 3, 16)):
            while learner.steps < steps:
                learner.learn_one(batch[i].support_x[learner.steps], batch[i].support_y[learner.steps])
            expected = learner.score_many(batch[i].query_x, batch[i].query_y).mean(dtype=np.float64)
            assert found.losses[0, i, column] == expected


def test_batches_and_later_passes_are_learnt_too(wave, waves):
    found = evaluate(wave, waves, steps=(1, 6), optimizer=learn.Adam(0.01), tasks_count=3, batch=8)
    task = waves.held_out().sample(0, np.arange(3, dtype=np.uint64))[2]
    learner = learn.Learner(wave, learn.Adam(0.01), batch=8)
    learner.learn_many(task.support_x[:8], task.support_y[:8])
    assert found.losses[0, 2, 0] == learner.score_many(task.query_x, task.query_y).mean(dtype=np.float64)
    assert np.isfinite(found.losses).all()
    assert found.failed == 0


def test_accuracy_is_the_share_of_right_classes(blobs):
    network, family = blobs
    found = evaluate(network, family, steps=(0, 12), optimizer=learn.SGD(0.2), tasks_count=4)
    batch = family.held_out().sample(0, np.arange(4, dtype=np.uint64))
    for i in range(4):
        guess = learn.Learner(network).predict_many(batch[i].query_x).argmax(axis=1)
        assert found.accuracies[0, i, 0] == pytest.approx((guess == batch[i].query_y).mean())
    assert found.accuracy[1] > found.accuracy[0]
    assert evaluate(network, family, tasks_count=4).accuracies is not None


def test_lanes_threads_and_parts_change_no_bit(wave, waves, monkeypatch):
    def losses(**speed):
        return evaluate(wave, waves, tasks_count=37, **speed).losses.tobytes()

    reference = losses()
    assert losses(width=1) == losses(width=8, threads=2) == reference
    monkeypatch.setattr("shoal.federate.evaluation.VALUES", 3000)
    assert losses() == reference


def test_the_controls(wave, waves):
    plain = evaluate(wave, waves, tasks_count=10)
    still = evaluate(wave, waves, tasks_count=10, control=NoAdaptation())
    assert (still.losses == plain.losses[:, :, :1]).all()
    assert still.losses.shape == plain.losses.shape
    fresh = evaluate(wave, waves, tasks_count=10, control=FromScratch())
    assert not np.isin(fresh.losses, plain.losses).any()
    assert (
        fresh.losses.tobytes()
        != evaluate(wave, waves, tasks_count=10, control=FromScratch(seed=1)).losses.tobytes()
    )
    # Each device draws parameters of its own, whatever network is evaluated.
    other = nn.Network(wave.layers, wave.input_shape, wave.loss, seed=77)
    assert (
        fresh.losses.tobytes()
        == evaluate(other, waves, tasks_count=10, control=FromScratch()).losses.tobytes()
    )


def test_a_family_with_few_devices_is_judged_on_all_of_them(line, rooms):
    assert rooms.held_out().clients == 1
    assert evaluate(line, rooms, steps=(0, 1), tasks_count=50).losses.shape == (1, 1, 2)


def test_some_devices_of_a_family_are_drawn_without_replacement():
    rng = np.random.default_rng(0)
    family = datasets.by_group(
        rng.normal(size=(120, 2)),
        rng.normal(size=120),
        np.repeat(np.arange(30), 4),
        shots=3,
        queries=1,
        held_out=20,
    )
    network = nn.Network([nn.Dense(1)], input_shape=(2,), loss="mse", seed=0)
    found = evaluate(network, family, steps=(0,), tasks_count=15)
    assert len(set(found.losses[0, :, 0].tolist())) == 15


def test_a_device_that_diverges_keeps_its_start_and_is_counted(wave, waves):
    found = evaluate(wave, waves, steps=(0, 16), optimizer=learn.SGD(1e20), tasks_count=6)
    assert found.failed == 6
    assert (found.losses[:, :, 1] == found.losses[:, :, 0]).all()


def test_the_interval_is_that_of_student(wave, waves):
    one = evaluate(wave, waves, steps=(0, 4), tasks_count=9)
    expected = 2.306 * one.losses[0].std(axis=0, ddof=1) / 3
    np.testing.assert_allclose(one.loss_interval, expected)
    runs = [evaluate(wave, waves, steps=(0, 4), tasks_count=9, seed=seed) for seed in range(4)]
    joined = combine(runs)
    assert joined.losses.shape == (4, 9, 2)
    np.testing.assert_allclose(joined.loss, np.mean([run.loss for run in runs], axis=0))
    spread = np.std([run.loss for run in runs], axis=0, ddof=1)
    np.testing.assert_allclose(joined.loss_interval, 3.182 * spread / 2)
    assert combine([one]).loss_interval.tolist() == one.loss_interval.tolist()


def test_many_tasks_use_the_normal_quantile():
    values = np.random.default_rng(0).normal(size=(1, 100, 1))
    found = Adaptation((0,), values, None)
    assert found.loss_interval[0] == pytest.approx(1.96 * values.std(ddof=1) / 10)


@pytest.mark.parametrize(
    "change",
    [lambda a: Adaptation((0, 9), a.losses, None), lambda a: Adaptation(a.steps, a.losses[:, :2], None)],
)
def test_unlike_evaluations_cannot_be_combined(wave, waves, change):
    one = evaluate(wave, waves, steps=(0, 4), tasks_count=3)
    with pytest.raises(InputError, match="2 kinds of evaluations"):
        combine([one, change(one)])
    with pytest.raises(InputError, match="0 kinds"):
        combine([])


def test_an_adaptation_survives_json(blobs):
    network, family = blobs
    one = evaluate(network, family, tasks_count=3)
    back = Adaptation.from_json(json.loads(json.dumps(one.to_json())))
    assert back.losses.tobytes() == one.losses.tobytes()
    assert back.accuracies.tobytes() == one.accuracies.tobytes()
    assert back.steps == one.steps


def test_adapting_one_device_is_what_is_evaluated(wave, waves):
    task = waves.held_out().sample(0, np.arange(2, dtype=np.uint64))[1]
    adapted = adapt(wave, task, steps=8)
    score = learn.Learner(adapted).score_many(task.query_x, task.query_y).mean(dtype=np.float64)
    assert score == evaluate(wave, waves, steps=(8,), tasks_count=2).losses[0, 1, 0]
    same = adapt(wave, task.support_x, task.support_y, steps=8)
    assert same.parameters.tobytes() == adapted.parameters.tobytes()
    assert adapt(wave, task, steps=0).parameters.tobytes() == wave.parameters.tobytes()
    assert np.isfinite(adapt(wave, task, steps=50, batch=4, optimizer=learn.Momentum(0.01)).parameters).all()


def test_adapting_to_classes(blobs):
    network, family = blobs
    task = family.held_out().sample(0, np.arange(1, dtype=np.uint64))[0]
    adapted = adapt(network, task, steps=60, optimizer=learn.SGD(0.2))
    guess = learn.Learner(adapted).predict_many(task.query_x).argmax(axis=1)
    assert (guess == task.query_y).mean() > 0.8


def test_what_cannot_be_adapted_to_is_refused(wave, blobs):
    x = np.ones((3, 1), np.float32)
    with pytest.raises(InputError, match="samples without targets"):
        adapt(wave, x)
    with pytest.raises(InputError, match="shape"):
        adapt(wave, x, np.ones(3))
    with pytest.raises(InputError, match="no samples"):
        adapt(wave, np.ones((0, 1)), np.ones((0, 1)))
    with pytest.raises(InputError, match="not a finite"):
        adapt(wave, x * np.nan, np.ones((3, 1)))
    with pytest.raises(InputError, match="own targets"):
        adapt(wave, datasets.sine().sample(0, np.zeros(1, np.uint64))[0], x)
    with pytest.raises(DivergedError, match="diverged at rate 1e"):
        adapt(wave, x, x, optimizer=learn.SGD(1e30))
    with pytest.raises(InputError, match="names no class"):
        adapt(blobs[0], np.ones((1, 6)), np.array([3.0]))
    with pytest.raises(ConfigError, match="steps is -1"):
        adapt(wave, x, x, steps=-1)


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ({"steps": ()}, r"steps is \(\)"),
        ({"steps": (0, 4, 4)}, "steps is"),
        ({"steps": (-1,)}, "steps is -1"),
        ({"steps": "12"}, "steps is '12'"),
        ({"optimizer": 0.1}, "optimizer is 0.1"),
        ({"tasks_count": 0}, "tasks_count is 0"),
        ({"batch": 0}, "batch is 0"),
        ({"seed": 1.5}, "seed is 1.5"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_named(arguments, names):
    with pytest.raises(ConfigError, match=names):
        Evaluation(**arguments)


@pytest.mark.parametrize(
    ("network", "names"),
    [
        (nn.Network([nn.Dense(1)], (2,), "mse"), "inputs \\(1,\\), the network takes \\(2,\\)"),
        (nn.Network([nn.Dense(2)], (1,), "mse"), "2 outputs, the tasks need 1"),
        (nn.Network([nn.Dense(1)], (1,)), "no loss"),
        (nn.Network([nn.Dense(2), nn.Softmax()], (1,), "cross_entropy"), "needs classes"),
    ],
)
def test_tasks_that_do_not_fit_the_network_are_refused(network, names, waves):
    with pytest.raises(ConfigError, match=names):
        evaluate(network, waves)


def test_classes_that_do_not_fit_the_network_are_refused(blobs):
    _, family = blobs
    with pytest.raises(ConfigError, match="2 outputs, the tasks need 3"):
        evaluate(nn.Network([nn.Dense(2), nn.Softmax()], (6,), "cross_entropy"), family)
    with pytest.raises(ConfigError, match="3 classes, the loss is mse"):
        evaluate(nn.Network([nn.Dense(3)], (6,), "mse"), family)


def test_statistics_that_would_not_travel_are_refused():
    network = nn.Network([nn.Standardize(), nn.Dense(1)], (1,), "mse")
    task = datasets.sine().sample(0, np.array([7], np.uint64))[0]
    for use in (
        lambda: Run(network, datasets.sine(), TinyReptile(), 1),
        lambda: evaluate(network, datasets.sine()),
        lambda: adapt(network, task),
    ):
        with pytest.raises(ConfigError, match="statistics"):
            use()
