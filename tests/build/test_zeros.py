"""The share of zeros in what operations read, measured on the runtime of this machine."""

from __future__ import annotations

import numpy as np
import pytest

from shoal import learn, nn
from shoal.build.cost import depends_on_data, drawn_zeros, total_work
from shoal.build.golden import drawn_sample, drawn_target
from shoal.build.zeros import Share, readings, spread, zeros_of
from shoal.nn.graph import BACKWARD, QUANTIZED, Code
from shoal.runtime import Executor
from tests.build.conftest import NETWORKS, firmware

ONE = np.ones(2, np.float32)


def two_of_three() -> nn.Network:
    """Return a network of which two of three hidden values are 0 for positive inputs."""
    layers = [nn.Dense(3, "relu"), nn.Dense(1)]
    network = nn.Network(layers, (2,), loss="mse", seed=0)
    network.arrays["dense_1.weights"][:] = [[1, -1, -2], [1, -1, -2]]
    return network


@pytest.mark.parametrize("name", NETWORKS)
def test_values_that_do_not_share_memory_are_the_same_bits(name):
    for optimizer in ("sgd", None, *((learn.Adam(),) if not name.startswith("int") else ())):
        made = firmware(name, optimizer=optimizer)
        both = [Executor(made.plan.image()), Executor(spread(made.plan).image())]
        for executor in both if made.optimizer is not None else ():
            executor.set_optimizer(made.optimizer.phase())
        for i in range(3):
            x = drawn_sample(made, i)
            answers = [executor.predict(x).tobytes() for executor in both]
            assert answers[0] == answers[1]
            if made.learns:
                losses = [executor.learn(x, drawn_target(made, i))[1] for executor in both]
                assert losses[0] == losses[1]
        assert both[0].checksum() == both[1].checksum()


def test_zeros_are_counted_where_operations_read_them():
    plan = two_of_three().plan("sgd")
    shares = zeros_of(plan, [ONE], [np.zeros(1, np.float32)], learn.SGD().phase())
    found = dict(zip([operation.code for operation in plan.operations[2:]], shares[2:], strict=True))
    assert [share.given for share in shares[:3]] == pytest.approx([0, 0, 2 / 3])
    last, first = [
        share
        for operation, share in zip(plan.operations, shares, strict=True)
        if operation.code == BACKWARD + Code.DENSE
    ]
    assert last.given == pytest.approx(2 / 3)  # what relu passed on
    assert last.gradient == 0
    assert first.given == 0
    assert first.gradient == pytest.approx(2 / 3)  # what relu let back
    assert found[BACKWARD + Code.RELU].gradient == 0


def test_what_an_optimizer_keeps_is_looked_at():
    shares = zeros_of(two_of_three().plan("adam"), [ONE], [np.zeros(1, np.float32)], learn.Adam(1e-3).phase())
    assert shares[-1].moments == pytest.approx(2 / 3)
    assert shares[0].moments == shares[-1].moments  # the same weights
    assert all(share.moments == 0 for share in zeros_of(two_of_three().plan(None), [ONE]))


def test_values_count_as_often_as_a_convolution_reads_them():
    layers = [nn.Conv2D(2, (1, 3), stride=(1, 2), padding="same"), nn.Flatten(), nn.Dense(1)]
    plan = nn.Network(layers, (1, 5, 1), loss="mse", seed=0).plan("sgd")
    forward, back = (readings(plan, one) for one in (plan.operations[0], plan.operations[-1]))
    assert forward[0].tolist() == back[0].tolist() == [1, 2, 1, 2, 1]
    assert forward[1] is None
    assert back[1].tolist() == [2, 3, 2]
    assert readings(plan, plan.operations[1]) == (None, None)


def test_learning_that_diverges_is_watched_until_then():
    plan = two_of_three().plan("sgd")
    phase = learn.SGD(1e38).phase()
    once = zeros_of(plan, [ONE], [np.full(1, 9, np.float32)], phase)
    again = zeros_of(plan, [ONE] * 4, [np.full(1, 9, np.float32)] * 4, phase)
    assert again[: len(plan.forward)] == once[: len(plan.forward)]
    never = zeros_of(plan, [ONE], [np.full(1, 3e38, np.float32)], phase)
    assert never == [Share()] * len(plan.operations)


def test_only_some_calls_depend_on_the_data():
    dense, integers, fixed = (firmware(name).plan for name in ("dense", "int8_learning", "int16"))
    assert not depends_on_data(dense, "cortex-m4f")
    assert depends_on_data(dense, "cortex-m0+")
    assert all(
        depends_on_data(plan, core) for plan in (integers, fixed) for core in ("cortex-m4f", "rv32imc")
    )
    frozen = firmware("int8")  # its head is on floats
    assert not depends_on_data(frozen.plan, "cortex-m7")
    assert depends_on_data(frozen.plan, "cortex-m3")


def test_work_follows_from_what_is_zero():
    made = firmware("int8_learning")
    shares = drawn_zeros(made)
    all_work, less = (total_work(made.plan, "cortex-m4f", zeros, learning=True) for zeros in ((), shares))
    passed = "integer learning, sums with more than 0"
    assert 0 < less[passed] < all_work[passed] == all_work["integer learning, sums"]
    assert less["integer learning, sums"] == all_work["integer learning, sums"]
    back = [
        share
        for operation, share in zip(made.plan.operations, shares, strict=True)
        if operation.code == QUANTIZED + BACKWARD + Code.DEPTHWISE_CONV2D
    ]
    assert 0.2 < back[0].gradient < 0.9


def test_products_with_0_are_counted_without_an_fpu():
    plan = two_of_three().plan("sgd")
    shares = [Share(given=0.5)] * len(plan.operations)
    pieces = total_work(plan, "cortex-m3", shares, learning=False)
    assert pieces["products"] == 2 * 3 + 3
    assert pieces["products, with 0"] == 3 + 2  # of two operations, rounded
