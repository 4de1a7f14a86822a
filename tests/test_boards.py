"""The table of boards."""

from __future__ import annotations

import pytest

from shoal.boards import BOARDS, board
from shoal.errors import ConfigError
from shoal.learn.footprint import CORES


@pytest.mark.parametrize("name", BOARDS)
def test_a_board_is_described(name):
    found = board(name)
    assert found.name == name
    assert found.core in CORES
    assert found.core != "host"
    assert found.ram_bytes < found.flash_bytes
    assert found.ram_bytes % 1024 == found.flash_bytes % 1024 == 0
    assert 16_000_000 <= found.clock_hz <= 600_000_000
    assert found.title
    assert found.source


def test_the_smallest_comes_first_and_titles_differ():
    sizes = [found.ram_bytes for found in BOARDS.values()]
    assert sizes == sorted(sizes)
    assert len({found.title for found in BOARDS.values()}) == len(BOARDS)


def test_the_margin_is_below_0_where_it_does_not_fit():
    assert board("nano33iot").margin(41_312) == 32_768 - 41_312
    assert board("nano33iot").margin(32_768) == 0


def test_an_unknown_board_is_named_with_the_known_ones():
    with pytest.raises(ConfigError, match="unknown board 'nano34'") as caught:
        board("nano34")
    assert "nano33iot" in caught.value.hint
