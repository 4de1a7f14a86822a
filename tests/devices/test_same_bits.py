"""What a board has learnt after 10,000 steps is, bit for bit, what this process has learnt."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from shoal import runtime
from shoal.devices import cores, emulate
from shoal.learn import SGD, Learner
from tests.devices import nets

STEPS, RATE = 10_000, 0.02
NETWORKS = {
    "dense": nets.dense,
    "convolution": nets.conv,
    "int8 backbone": nets.backbone,
    "int8 learning": lambda: nets.backbone(trainable=True),
    "recurrent": nets.recurrent,
}
CORES = [
    core for core in cores() if core != "rv32imac"
]  # which differs from rv32imc by instructions not used


@pytest.fixture(scope="module", params=NETWORKS)
def learnt(request):
    """Return a network, samples, and the learner that has learnt them."""
    network = NETWORKS[request.param]()
    x, y = nets.samples(network)
    learner = Learner(network, SGD(RATE))
    before = learner.checksum
    for _ in range(STEPS // len(x)):
        losses = learner.learn_many(x, y)
    assert learner.checksum != before
    return network, x, y, learner, losses, learner.predict_many(x)


def rested(learner, x):
    """Return the answers of a learner that has forgotten all earlier samples."""
    learner.reset()
    return learner.predict_many(x)


@pytest.mark.parametrize("core", [pytest.param(core, marks=nets.needs(core)) for core in CORES])
def test_on_every_core(learnt, core):
    network, x, y, learner, losses, answers = learnt
    with emulate(network, core, SGD(RATE)) as device:
        assert (device.learn_many(x, y, passes=STEPS // len(x)) == losses).all()
        assert device.steps == learner.steps == STEPS
        assert device.checksum == learner.checksum
        assert device.board.save() == learner._executor.save()
        assert (device.predict_many(x) == answers).all()
        device.reset()
        assert (device.predict_many(x) == rested(learner, x)).all()


@pytest.mark.parametrize("width", [8, 16])
def test_at_every_width(learnt, width):
    network, x, y, learner, *_ = learnt
    if network.plan().quantized:
        pytest.skip("a cohort's report holds no integer parameters")
    if network.plan().stream:
        pytest.skip("what remembers earlier samples has no lanes")
    row = np.tile(np.arange(STEPS, dtype=np.uint32) % len(x), (width, 1))
    visits = runtime.visit(
        network.plan("sgd").image(),
        x=x,
        row=row,
        targets=y[row][..., None],
        phases=[runtime.Phase(RATE, STEPS)],
        start=network.parameters,
        width=width,
    )
    assert not visits.status.any()
    assert {zlib.crc32(end.astype("<f4").tobytes()) for end in visits.end} == {learner.checksum}
