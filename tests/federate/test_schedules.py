from __future__ import annotations

import math

import pytest

from shoal.errors import ConfigError
from shoal.federate import Constant, Cosine, Linear, TinyReptile
from shoal.federate.schedules import value_at


@pytest.mark.parametrize("schedule", [Linear(0.5, 0.1), Cosine(0.5, 0.1)])
def test_a_schedule_starts_and_ends_where_it_says_and_never_rises(schedule):
    values = [schedule.value(round, 50) for round in range(50)]
    assert values[0] == 0.5
    assert values[-1] == pytest.approx(0.1)
    assert values == sorted(values, reverse=True)


def test_cosine_is_half_way_in_the_middle():
    assert Cosine(1, 0).value(50, 101) == pytest.approx(0.5)


@pytest.mark.parametrize("schedule", [Linear(0.5, 0.1), Cosine(0.5, 0.1), Constant(0.5), 0.5])
def test_a_run_of_one_round_has_the_first_value(schedule):
    assert value_at(schedule, 0, 1) == 0.5


@pytest.mark.parametrize("value", [-0.1, math.nan, math.inf, "1", None, True])
def test_a_value_that_is_no_rate_is_refused(value):
    for make in (
        Constant,
        lambda v: Linear(1, v),
        lambda v: Cosine(v, 0),
        lambda v: TinyReptile(server_lr=v),
    ):
        with pytest.raises(ConfigError, match="is "):
            make(value)
