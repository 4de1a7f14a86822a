"""Placement: values that are needed at the same time never share memory."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shoal.nn.liveness import Buffer
from shoal.nn.placement import place

BUFFERS = st.lists(
    st.builds(
        lambda size, first, length: Buffer(size, first, first + length),
        st.integers(1, 40),
        st.integers(-1, 12),
        st.integers(0, 6),
    ),
    min_size=1,
    max_size=25,
)


@given(BUFFERS)
def test_live_buffers_never_overlap(buffers):
    offsets, arena = place(buffers)
    for i, (a, start) in enumerate(zip(buffers, offsets, strict=True)):
        assert 0 <= start <= arena - a.size
        for b, other in list(zip(buffers, offsets, strict=True))[:i]:
            apart_in_time = a.last < b.first or b.last < a.first
            assert apart_in_time or start + a.size <= other or other + b.size <= start


@given(BUFFERS)
def test_the_arena_is_no_smaller_than_needed_and_no_larger_than_all(buffers):
    _, arena = place(buffers)
    busiest = max(sum(b.size for b in buffers if b.first <= time <= b.last) for time in range(-1, 20))
    assert busiest <= arena <= sum(b.size for b in buffers)


def test_memory_is_used_again():
    chain = [Buffer(10, i, i + 1) for i in range(9)]
    assert place(chain)[1] == 20
