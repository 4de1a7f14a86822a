"""Instructions before anything is built: the model against counts of networks that it never saw."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.cost.count import counts, subject
from benchmarks.cost.fit import fit, guess
from shoal import boards, build, learn, nn
from shoal.build.cost import CYCLES, priced, table, total_work
from shoal.build.work import work
from shoal.devices import cores
from tests.build.conftest import CORES, NETWORKS, firmware, need_core

# Seeds that benchmarks.cost does not fit to: two networks of each family, and a few with pools on integers.
OTHERS = [*range(1_000_000, 1_000_030), *range(1_500_000, 1_500_004)]
ON_EVERY_CORE = ("dense", "conv", "int8_learning")
ONCE_MORE = ("cortex-m0+", "cortex-m4f")  # without and with FPU


@pytest.mark.parametrize("core", ONCE_MORE)
def test_other_networks_take_what_the_model_says(tmp_path, core):
    need_core(core, emulator=True)
    answers, steps = [], []
    for count in counts(core, OTHERS, tmp_path):
        off = guess(table()[core], count) / count.instructions - 1
        (steps if count.learning else answers).append(abs(off))
        assert abs(off) <= 0.05, f"{count.family}, {'a step' if count.learning else 'an answer'}"
    assert len(answers) == len(OTHERS)
    assert len(steps) > 20
    assert np.median(answers) < 0.01
    assert np.median(steps) < 0.02


@pytest.mark.parametrize(
    ("core", "name"),
    [
        *((core, name) for core in CORES for name in ON_EVERY_CORE),
        *((core, name) for core in ONCE_MORE for name in NETWORKS if name not in ON_EVERY_CORE),
    ],
)
def test_a_firmware_takes_what_the_model_says_within_5_percent(emulated, core, name):
    need_core(core, emulator=True)
    made = firmware(name, CORES[core])
    trial, _ = emulated(made)
    expected = build.requirements(made).instructions
    assert expected.predict == pytest.approx(trial.predict, rel=0.05)
    assert expected.learn == pytest.approx(trial.learn, rel=0.05)


def test_every_emulated_core_has_a_table_and_an_assumption():
    assert set(table()) == set(cores())
    assert set(cores()) <= set(CYCLES)


@pytest.mark.parametrize("core", cores())
@pytest.mark.parametrize("name", NETWORKS)
def test_every_piece_of_work_has_a_price(core, name):
    found = build.requirements(firmware(name, CORES[core])).instructions
    assert found.learn > found.predict > 0
    assert build.requirements(firmware(name, CORES[core], None)).instructions.learn is None


def test_work_that_was_never_measured_has_no_price():
    assert priced({"dense": 5.0}, {"dense": 2}) == 10
    assert priced({"dense": 5.0}, {"dense": 2, "lstm": 1}) is None


def test_work_is_counted_as_the_loops_run():
    layers = [nn.Conv2D(9, 3, stride=2, padding="same", activation="relu"), nn.Flatten(), nn.Dense(5)]
    plan = nn.Network(layers, (5, 5, 2), loss="mse", seed=0).plan("sgd")
    pieces = dict(work(plan, learning=True))
    # Three positions each way; at the borders one of three kernel positions lies outside.
    inside = (2 + 3 + 2) * (2 + 3 + 2)
    assert pieces["conv2d"]["multiply by 8"] == pieces["conv2d"]["multiply by 1"] == inside * 2
    assert pieces["dense"]["multiply by 4"] == pieces["dense"]["multiply by 1"] == 3 * 3 * 9
    assert pieces["dense backward"]["descend by 4"] == 3 * 3 * 9
    assert pieces["dense backward"]["turned, 4 by 4"] == 3 * 3 * 9 // 4
    assert pieces["mse"]["mse, values"] == 5


def test_integers_are_multiplied_in_pairs_where_the_core_can():
    layers = [nn.Conv2D(8, 3, padding="valid"), nn.Flatten(), nn.Dense(4)]
    network = nn.Network(layers, (8, 8, 4), seed=0)
    plan = learn.quantize(network, np.random.default_rng(0).uniform(-1, 1, (8, 8, 8, 4))).plan(None)
    pairs, fours = (total_work(plan, core, learning=False) for core in ("cortex-m4f", "cortex-m3"))
    products = 36 * 8 * 36 + 288 * 4
    assert 4 * 2 * 2 * pairs["dot int8 twice by 4"] == 36 * 8 * 36
    assert 4 * 2 * pairs["dot int8 by 4"] == 288 * 4
    assert 4 * fours["dot int8 by 1"] == products


def test_the_fit_finds_what_each_piece_takes():
    from collections import Counter

    from benchmarks.cost.count import Count

    rng = np.random.default_rng(0)
    costs = {"call": 100.0, "values": 7.5, "products, with 0": -2.0, "nothing": 0.0}
    found = []
    for _ in range(40):
        pieces = Counter({name: int(rng.integers(1, 200)) for name in costs} | {"call": 1})
        pieces["values"] += pieces["products, with 0"]
        found.append(Count("any", False, pieces, sum(costs[name] * pieces[name] for name in costs)))
    assert fit(found) == pytest.approx(costs, rel=0.01, abs=0.05)


def test_time_and_energy_follow_from_instructions():
    needs = build.requirements(firmware("dense"))
    board = boards.board("nano33ble")
    count = needs.instructions.learn
    seconds = count * CYCLES["cortex-m4f"] / board.clock_hz
    assert needs.seconds(count) == pytest.approx(seconds)
    current = board.chip.current
    joules = seconds * current.microamperes_per_mhz * board.clock_hz / 1e6 * 1e-6 * current.volts
    assert needs.joules(count) == pytest.approx(joules)


def test_a_core_that_was_not_measured_has_no_estimate():
    needs = build.requirements(firmware("dense", "esp32s3-eye"))
    assert needs.instructions is None
    assert not needs.has_code
    assert needs.seconds(1000) is None
    assert needs.joules(1000) is None


def test_layers_that_remember_and_conversions_are_counted():
    def q(kind: str, zero: int = 0) -> nn.Quantization:
        return nn.Quantization(kind, 2.0**-9, zero)

    layers = [
        nn.LSTM(5, quantized=q("int8"), cell=nn.Quantization("int16", 2.0**-12, 0)),
        nn.Flatten(),
        nn.SVDF(6, 3, 2, quantized=q("int8"), state=q("int16")),
        nn.Quantize(q("int32")),
    ]
    network = nn.Network(layers, (1, 2, 7), seed=0, input_quantization=q("int8"))
    pieces = total_work(network.plan(None), "cortex-m3", learning=False)
    rows, cells, filters = 2, 5, 12
    assert pieces["integer lstm, cells"] == rows * cells
    assert pieces["integer lstm, rescaled"] == 2 * 4 * rows * cells
    assert 4 * pieces["dot int8 by 1"] == 4 * rows * cells * (7 + cells) + filters * rows * cells
    assert pieces["integer svdf, times in int16"] == filters * 3
    assert pieces["integer svdf, bytes forgotten"] == 2 * filters * 3
    assert pieces["requantize, values"] == 6
    lstm = nn.Network([nn.LSTM(5)], (1, 2, 7), seed=0).plan(None)
    assert total_work(lstm, "cortex-m4f", learning=False)["turned, 4 by 4"] == rows * cells * (
        7 // 4 + 5 // 4
    )
    assert total_work(lstm, "cortex-m3", learning=False)["products"] == rows * cells * 4 * (7 + 5)


@pytest.mark.parametrize("core", cores())
def test_every_piece_of_every_family_has_a_price(core):
    for seed in (*range(45), *range(500_000, 500_020)):
        one = subject(seed)
        for learning in (False, True)[: 1 + (one.optimizer is not None)]:
            assert priced(table()[core], total_work(one.plan, core, learning=learning)) > 0
