"""A device has the verbs of a learner, with the same answers and the same errors."""

from __future__ import annotations

import numpy as np
import pytest

from shoal import nn
from shoal.devices import Layout, emulate
from shoal.devices.emulator import boot
from shoal.devices.machines import machine
from shoal.devices.remote import RemoteExecutor
from shoal.errors import ConfigError, DivergedError, ImageError, InputError, StateError
from shoal.learn import SGD, Adam, Learner, Momentum
from tests.devices import nets

CORE = "cortex-m4f"
pytestmark = nets.needs(CORE)


@pytest.mark.parametrize("optimizer", [SGD(0.05), Momentum(0.01), Adam(0.01)], ids=lambda one: one.name)
@pytest.mark.parametrize("batch", [1, 4])
def test_every_verb_answers_as_a_learner_does(optimizer, batch, tmp_path):
    layers = [nn.Standardize(), nn.Dense(9, "tanh"), nn.Dense(3, reserve=2), nn.Softmax()]
    network = nn.Network(layers, input_shape=(5,), loss="cross_entropy", seed=2)
    x, y = nets.samples(network, 30)
    learner = Learner(network, optimizer, batch=batch)
    with emulate(network, CORE, optimizer, batch=batch) as device:
        for one in (learner, device):
            one.observe_one(x[0])
        assert (device.learn_many(x, y) == learner.learn_many(x, y)).all()
        assert device.grow() == learner.grow() == 3
        y[3] = 3
        assert [device.learn_one(*pair) for pair in zip(x, y, strict=True)] == [
            learner.learn_one(*pair) for pair in zip(x, y, strict=True)
        ]
        for one in (learner, device):
            one.freeze("dense_1")
        assert (device.learn_many(x, y, passes=2) == [learner.learn_many(x, y) for _ in range(2)][1]).all()
        for one in (learner, device):
            one.thaw("dense_1")
        assert (device.predict_many(x) == learner.predict_many(x)).all()
        assert (device.predict_one(x[1]) == learner.predict_one(x[1])).all()
        assert (device.score_many(x, y) == learner.score_many(x, y)).all()
        assert device.score_one(x[2], y[2]) == learner.score_one(x[2], y[2])
        assert device.steps == learner.steps > 0
        assert device.checksum == learner.checksum
        assert device.footprint(CORE) == learner.footprint(CORE)
        assert (device._executor.parameters == learner._executor.parameters).all()

        device.save(tmp_path / "device")
        learner.save(tmp_path / "learner")
        assert (tmp_path / "device").read_bytes() == (tmp_path / "learner").read_bytes()
        twin = device.clone()
        device.learn_many(x, y)
        device.load(tmp_path / "learner")
        assert device.checksum == learner.checksum == twin.checksum
        assert (device.learn_many(x, y) == twin.learn_many(x, y)).all()


def test_refusals_are_those_of_a_learner():
    network = nets.dense()
    x, y = nets.samples(network)
    learner = Learner(network)
    with emulate(network, CORE) as device:
        for one in (learner, device):
            with pytest.raises(InputError, match="label 3 is not a class"):
                one.learn_one(x[0], 3)
            with pytest.raises(InputError):
                one.predict_one([np.nan] * 6)
            with pytest.raises(InputError):
                one.predict_one([1, 2])
            with pytest.raises(InputError, match="10 samples with 3 targets"):
                one.learn_many(x, y[:3])
            with pytest.raises(InputError, match="no output is left in reserve"):
                one.grow()
            with pytest.raises(ConfigError, match="no layer 'x'"):
                one.freeze("x")
        with pytest.raises(ConfigError, match="'fly' is not counted"):
            device.count("fly")
        with pytest.raises(ConfigError, match="passes is 0"):
            device.learn_many(x, y, passes=0)
        assert device.steps == 0
        assert device.checksum == learner.checksum


def test_a_loss_that_is_not_finite_is_not_learnt():
    network = nn.Network([nn.Dense(2), nn.Dense(1)], input_shape=(2,), loss="mse", seed=0)
    with emulate(network, CORE) as device:
        before = device.checksum
        with pytest.raises(DivergedError):
            device.learn_one([1e30, 1e30], [0])
        assert device.checksum == before


def test_a_damaged_state_changes_nothing(tmp_path):
    network = nets.dense()
    with emulate(network, CORE) as device:
        device.save(tmp_path / "state")
        saved = bytearray((tmp_path / "state").read_bytes())
        saved[-9] ^= 1
        (tmp_path / "state").write_bytes(saved)
        before = device.checksum
        with pytest.raises(StateError, match="damaged"):
            device.load(tmp_path / "state")
        (tmp_path / "state").write_bytes(bytes(300_000))
        with pytest.raises(StateError, match="300,000 bytes"):
            device.load(tmp_path / "state")
        assert device.checksum == before


def test_integer_samples_cross_the_line_as_they_are():
    quantization = nn.Quantization("int8", 0.1, 5)
    network = nn.Network(
        [nn.Dequantize(), nn.Dense(4, "tanh"), nn.Dense(2)],
        input_shape=(7,),
        loss="mse",
        seed=4,
        input_quantization=quantization,
    )
    rng = np.random.default_rng(5)
    x = rng.integers(-128, 128, (9, 7)).astype(np.int8)
    y = rng.normal(size=(9, 2)).astype(np.float32)
    learner = Learner(network)
    with emulate(network, CORE) as device:
        assert (device.learn_many(x, y, passes=3) == [learner.learn_many(x, y) for _ in range(3)][2]).all()
        assert device.learn_one(x[0], y[0]) == learner.learn_one(x[0], y[0])
        assert (device.predict_many(x) == learner.predict_many(x)).all()
        assert device.checksum == learner.checksum


@pytest.mark.parametrize("loss", ["mse", None])
def test_samples_targets_and_answers_that_are_longer_than_a_frame(loss):
    network = nn.Network([nn.Dense(4), nn.Dense(700)], input_shape=(700,), loss=loss, seed=0)
    x, y = nets.samples(network, 3)
    learner = Learner(network, SGD(0.001))
    with emulate(network, CORE, SGD(0.001)) as device:
        assert device.board.board.frame < 4 * 700
        if loss:
            assert (
                device.learn_many(x, y, passes=2) == [learner.learn_many(x, y) for _ in range(2)][1]
            ).all()
            assert (device.score_many(x, y) == learner.score_many(x, y)).all()
            assert device.checksum == learner.checksum
        assert (device.predict_many(x) == learner.predict_many(x)).all()


def test_a_board_without_an_image_takes_one_from_the_line():
    board = boot(CORE)
    try:
        assert board.board.flash_image == 0
        for network in (nets.dense(), nets.conv()):
            learner = Learner(network, SGD(0.1))
            board.open(learner._plan.image(), learner.footprint(CORE).ram)
            board.set_optimizer(learner.optimizer.phase())
            x, y = nets.samples(network)
            assert (board.learn(x, y, 5) == [learner.learn_many(x, y) for _ in range(5)][4]).all()
            assert board.checksum() == learner.checksum
        large = Learner(nn.Network([nn.Dense(200)], input_shape=(300,), loss="mse"))
        with pytest.raises(ImageError, match="B of RAM are needed, of which the image takes 241,"):
            board.open(large._plan.image(), large.footprint(CORE).ram)
    finally:
        board.link.close()


def test_a_board_that_has_learnt_goes_on():
    network = nets.dense()
    x, y = nets.samples(network)
    with emulate(network, CORE) as device:
        device.learn_many(x, y)
        again = RemoteExecutor(device.board.link)
        assert again.has(device._plan.image())
        assert not again.has(Learner(nets.conv())._plan.image())
        assert again.info.steps == 10
        again.open(device._plan.image())  # from flash: anew
        assert again.info.steps == 0
        assert again.checksum() == Learner(network).checksum


def test_instructions_are_counted_and_repeat():
    network = nets.dense()
    x, y = nets.samples(network)
    counts = []
    for _ in range(2):
        with emulate(network, CORE) as device:
            assert device.count("learn") == 0
            device.learn_one(x[0], y[0])
            device.predict_one(x[0])
            device.observe_one(x[0])
            assert device.unit == "instructions"
            counts.append([device.count(verb) for verb in ("learn", "predict", "observe", "apply")])
    assert counts[0] == counts[1]
    learn, predict, observe, apply = counts[0]
    assert learn > predict > 0
    assert 0 < observe < learn
    assert apply == 0


@pytest.mark.parametrize("core", ["cortex-m4f", "cortex-m33", "cortex-m55"])
def test_the_counter_is_fine_enough_for_exact_counts(core):
    # Both ends of a count may be off by a tick: less than half an instruction may be lost by that.
    assert machine(core).ticks > 2


def test_the_stack_is_measured():
    with emulate(nets.conv(), CORE, layout=Layout(stack=4096)) as device:
        before = device.stack_used
        device.predict_one(nets.samples(device.network)[0][0])
        assert 128 < before < device.stack_used < 4096
        assert device.board.stack()[1] == 4096


def test_repr_names_board_and_network():
    with emulate(nets.dense(), CORE) as device:
        assert repr(device).startswith("<Device cortex-m4f on mps2-an386: Network(")
