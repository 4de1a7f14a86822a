"""The learner as a user sees it."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from shoal import learn, nn
from shoal.errors import ConfigError, DivergedError, InputError, StateError, StorageError
from shoal.runtime import Executor

OPTIMIZERS = [learn.SGD(0.05), learn.Momentum(0.01, 0.8), learn.Adam(0.01)]


def classifier(reserve=0):
    return nn.Network(
        [nn.Dense(12, "tanh"), nn.Dense(3, "softmax", reserve=reserve)], (2,), "cross_entropy", seed=1
    )


def clusters(n, classes, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, n)
    angle = 2 * np.pi * y / classes
    x = np.stack([np.cos(angle), np.sin(angle)], 1) + 0.2 * rng.standard_normal((n, 2))
    return x.astype(np.float32), y.astype(np.float32)


def accuracy(learner, x, y):
    return (learner.predict_many(x).argmax(1) == y).mean()


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("batch", [1, 8])
def test_it_learns(optimizer, batch):
    learner = learn.Learner(classifier(), optimizer, batch=batch)
    x, y = clusters(1600, 3)
    before = learner.score_many(x, y).mean()
    learner.learn_many(x, y)
    assert learner.steps == 1600 // batch
    assert learner.score_many(x, y).mean() < 0.6 * before
    assert accuracy(learner, x, y) > 0.9


def test_predicting_and_scoring_learn_nothing():
    learner = learn.Learner(classifier())
    x, y = clusters(5, 3)
    before = learner.checksum
    learner.predict_one(x[0])
    learner.score_one(x[0], y[0])
    assert learner.checksum == before
    learner.learn_one(x[0], y[0])
    assert learner.checksum != before


def test_learn_one_returns_the_loss_before_the_step():
    learner = learn.Learner(classifier(), learn.SGD(0.1))
    x, y = clusters(1, 3)
    expected = learner.score_one(x[0], y[0])
    assert learner.learn_one(x[0], y[0]) == expected
    assert learner.score_one(x[0], y[0]) < expected


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_save_load_and_clone_continue_with_the_same_bits(optimizer, tmp_path):
    x, y = clusters(60, 3)
    learner = learn.Learner(classifier(), optimizer, batch=4)
    learner.learn_many(x[:30], y[:30])
    learner.save(tmp_path / "state.bin")
    loaded = learn.Learner(classifier(), optimizer, batch=4)
    loaded.load(tmp_path / "state.bin")
    clone = learner.clone()
    ends = []
    for each in (learner, loaded, clone):
        each.learn_many(x[30:], y[30:])
        ends.append(each._executor.save())
    assert ends[0] == ends[1] == ends[2]


def test_a_class_in_reserve_answers_zero_until_it_is_taken():
    learner = learn.Learner(classifier(reserve=1), learn.SGD(0.1))
    x, y = clusters(400, 4)
    assert learner.predict_one(x[0])[3] == 0
    with pytest.raises(InputError, match="not a class"):
        learner.learn_one(x[0], 3)
    assert learner.grow() == 3
    learner.learn_many(x, y)
    assert accuracy(learner, x, y) > 0.8
    with pytest.raises(InputError, match="reserve"):
        learner.grow()


def test_frozen_layers_keep_their_bits():
    learner = learn.Learner(classifier(), learn.SGD(0.1))
    x, y = clusters(20, 3)
    learner.freeze("dense_1")
    learner.learn_many(x, y)
    network = learner.learned_network()
    assert np.array_equal(network.arrays["dense_1.weights"], classifier().arrays["dense_1.weights"])
    assert not np.array_equal(network.arrays["dense_2.weights"], classifier().arrays["dense_2.weights"])
    learner.thaw("dense_1")
    learner.learn_many(x, y)
    assert not np.array_equal(
        learner.learned_network().arrays["dense_1.weights"], classifier().arrays["dense_1.weights"]
    )
    with pytest.raises(ConfigError, match="no layer"):
        learner.freeze("dense_9")


def test_a_clone_keeps_what_is_frozen():
    learner = learn.Learner(classifier(), learn.SGD(0.1))
    learner.freeze("dense_1")
    clone = learner.clone()
    x, y = clusters(20, 3)
    learner.learn_many(x, y)
    clone.learn_many(x, y)
    assert clone.checksum == learner.checksum


def test_a_state_saved_within_a_longer_batch_goes_on(tmp_path):
    x, y = clusters(20, 3)
    long = learn.Learner(classifier(), batch=8)
    long.learn_many(x[:5], y[:5])
    long.save(tmp_path / "state")
    short = learn.Learner(classifier(), batch=4)
    short.load(tmp_path / "state")
    short.learn_many(x[5:13], y[5:13])
    assert short.steps == 2


def test_the_learned_network_keeps_classes_that_were_added():
    learner = learn.Learner(classifier(reserve=2), learn.SGD(0.1))
    learner.grow()
    x, y = clusters(200, 4)
    learner.learn_many(x, y)
    network = learner.learned_network()
    assert network.active == 4
    assert network.reserve == 1
    again = learn.Learner(network)
    assert np.array_equal(again.predict_many(x), learner.predict_many(x))
    with pytest.raises(ConfigError, match="are in reserve"):
        network.grow(2)


def test_statistics_are_not_lost_in_silence():
    learner = learn.Learner(nn.Network([nn.Standardize(), nn.Dense(1)], (2,), "mse"))
    with pytest.raises(ConfigError, match="running statistics"):
        learner.learned_network()


def test_a_sample_beyond_all_bounds_does_not_spoil_the_statistics():
    learner = learn.Learner(nn.Network([nn.Standardize(), nn.Dense(1)], (2,), "mse"))
    for x in ([3e38, 1.0], [-3e38, 2.0], [1.0, 3.0], [2.0, 1.0]):
        learner.observe_one(x)
    assert np.abs(learner.predict_one([1.0, 1.0])).max() < 10
    learner._executor.save()


def test_statistics_see_samples_without_labels():
    network = nn.Network([nn.Standardize(), nn.Dense(1)], (2,), "mse")
    learner = learn.Learner(network)
    for x in np.random.default_rng(0).normal([100, -3], [10, 0.1], (500, 2)):
        learner.observe_one(x.astype(np.float32))
    center, above = learner.predict_one([100, -3]), learner.predict_one([110, -3])
    weights = network.arrays["dense_1.weights"][:, 0]
    assert abs(center[0]) < 0.2
    assert above[0] - center[0] == pytest.approx(weights[0], rel=0.1)
    assert learner.steps == 0


def test_bad_samples_are_refused_with_nothing_learnt():
    learner = learn.Learner(classifier())
    before = learner._executor.save()
    for x in ([1.0], [[1.0, 2.0]], [1.0, float("nan")], [1.0, float("inf")], ["a", "b"], [1 + 2j, 0], 3.0):
        with pytest.raises(InputError) as error:
            learner.learn_one(x, 0)
        assert "where  x" in str(error.value)
    for y in (-1, 3, 1.5, float("nan"), [0, 1], "a"):
        with pytest.raises(InputError) as error:
            learner.learn_one([0, 0], y)
        assert "where  y" in str(error.value)
    with pytest.raises(InputError, match="no samples"):
        learner.learn_many(np.zeros((0, 2), np.float32), np.zeros(0, np.float32))
    with pytest.raises(InputError, match="2 samples with 3 targets"):
        learner.learn_many(np.zeros((2, 2), np.float32), np.zeros(3, np.float32))
    good = np.zeros((3, 2), np.float32)
    with pytest.raises(InputError):
        learner.learn_many(good, [0, 1, 7])
    assert learner._executor.save() == before


def test_divergence_is_an_error_and_the_state_can_be_restored(tmp_path):
    network = nn.Network([nn.Dense(4), nn.Dense(1)], (1,), "mse")
    learner = learn.Learner(network, learn.SGD(1e6))
    learner.save(tmp_path / "good")
    with pytest.raises(DivergedError):
        learner.learn_many(np.ones((100, 1), np.float32), np.ones((100, 1), np.float32))
    learner.load(tmp_path / "good")
    assert np.array_equal(learner._executor.parameters, network.parameters)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: learn.SGD(-1), "rate is -1"),
        (lambda: learn.SGD(float("nan")), "rate is nan"),
        (lambda: learn.Momentum(0.1, 1.0), "momentum is 1"),
        (lambda: learn.Adam(beta2=1.5), "beta2 is 1.5"),
        (lambda: learn.Adam(epsilon=0), "epsilon is 0"),
        (lambda: learn.Learner(classifier(), batch=0), "batch is 0"),
        (lambda: learn.Learner(nn.Network([nn.Dense(1)], (1,))).learn_one([1.0], [1.0]), "without learning"),
        (lambda: learn.Learner(classifier()).footprint("z80"), "unknown core"),
    ],
)
def test_bad_settings_are_refused(make, match):
    with pytest.raises(ConfigError, match=match):
        make()


def test_damaged_and_foreign_states_are_refused(tmp_path):
    learner = learn.Learner(classifier())
    path = tmp_path / "state"
    learner.save(path)
    content = bytearray(path.read_bytes())
    content[50] ^= 1
    path.write_bytes(content)
    before = learner._executor.save()
    with pytest.raises(StateError, match="damaged") as error:
        learner.load(path)
    assert str(path) in str(error.value)
    with pytest.raises(StateError):
        learn.Learner(classifier(), learn.Adam()).load(path)
    with pytest.raises(StorageError):
        learner.load(tmp_path / "absent")
    assert learner._executor.save() == before


FULL_DISK = """
import resource, signal, sys
import numpy as np
from shoal import learn, nn
from shoal.errors import StorageError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
learner = learn.Learner(nn.Network([nn.Dense(2000), nn.Dense(1)], (1,), "mse"))
learner.save(sys.argv[1])
good = open(sys.argv[1], "rb").read()
learner.learn_one([1.0], [1.0])
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    learner.save(sys.argv[1])
except StorageError as error:
    assert open(sys.argv[1], "rb").read() == good
    print("refused", error)
"""


@pytest.mark.skipif(os.name == "nt", reason="needs a limit on the size of files")
def test_a_full_disk_keeps_the_old_state(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path / "state")], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("refused cannot write")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["state"]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("batch", [1, 2])
def test_the_footprint_is_what_the_runtime_needs(optimizer, batch):
    learner = learn.Learner(classifier(), optimizer, batch=batch)
    footprint = learner.footprint("host")
    assert footprint.ram == Executor(learner._plan.image()).memory
    assert footprint.ram == sum(footprint.parts.values())
    assert learner.footprint("cortex-m4f").ram < footprint.ram
