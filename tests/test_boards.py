"""The catalog of boards."""

from __future__ import annotations

import doctest
import re
import subprocess
import sys
import tomllib
from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest

from shoal.boards import BOARDS, UNITS, Chip, Current, Sensor, board
from shoal.boards.chip import CORES as FPUS
from shoal.boards.parse import parse
from shoal.boards.table import page
from shoal.errors import ConfigError
from shoal.learn.footprint import CORES

PAGE = Path(__file__).parents[1] / "docs" / "boards.md"
CATALOG = (resources.files("shoal.boards") / "catalog.toml").read_text(encoding="utf-8")
SENSORS = {(s.part, s.observes): s for found in BOARDS.values() for s in found.sensors}

TARGETS = {
    "arduino": r"[\w-]+:\w+:\w+(:\w+=\w+)?",
    "platformio": r"[a-z0-9][\w-]*",
    "zephyr": r"[a-z]\w+(@\w+)?(/\w+)*",
    "esp-idf": r"esp32\w*",
}

SMALL = """\
[parts.LPS22HB]
source = "LPS22HB datasheet"
observes = [{ property = "pressure", low = 260, high = 1260, rate_hz = 75 }]

[chips.nrf52832]
title = "Nordic nRF52832"
core = "cortex-m4f"
fpu = "single"
clock_mhz = 64
ram_kib = 64
source = "nRF52832 Product Specification"
current = { microamperes_per_mhz = 58, volts = 3.0, condition = "CoreMark", source = "the same" }

[boards.tag]
title = "A tag"
chip = "nrf52832"
flash_kib = 512
source = "its manual"
sensors = ["LPS22HB"]
targets.zephyr = "tag/nrf52832"
"""


@pytest.mark.parametrize("name", BOARDS)
def test_a_board_is_described(name):
    found = board(name)
    assert found.name == name
    assert re.fullmatch(r"[a-z][a-z0-9-]*", name)
    assert CORES[found.core] == 4
    assert found.ram_bytes < found.flash_bytes
    assert found.ram_bytes % 1024 == found.chip.ram_total_bytes % 1024 == found.flash_bytes % 1024 == 0
    assert 16_000_000 <= found.clock_hz <= 800_000_000
    assert len(SENSORS) > len(found.sensors) == len({(s.part, s.observes) for s in found.sensors})
    for source in (found.source, found.chip.source):
        assert "://" not in source
        assert len(source) > 10


def test_there_are_boards_of_every_core_and_titles_differ():
    assert len(BOARDS) >= 24
    assert {found.core for found in BOARDS.values()} == set(FPUS)
    assert len({found.title for found in BOARDS.values()}) == len(BOARDS)
    sizes = [found.ram_bytes for found in BOARDS.values()]
    assert sizes == sorted(sizes)


@pytest.mark.parametrize(
    ("name", "core", "mhz", "ram", "flash"),
    [
        ("hifive1b", "rv32imac", 320, 16, 4096),
        ("nucleo-f103rb", "cortex-m3", 72, 20, 128),
        ("nano33iot", "cortex-m0+", 48, 32, 256),
        ("microbit2", "cortex-m4f", 64, 128, 512),
        ("nucleo-f446re", "cortex-m4f", 180, 128, 512),
        ("nano33ble", "cortex-m4f", 64, 256, 1024),
        ("pico", "cortex-m0+", 133, 264, 2048),
        ("nucleo-h743zi", "cortex-m7", 480, 512, 2048),
        ("portenta-h7", "cortex-m7", 480, 512, 2048),
        ("esp32c6", "rv32imac", 160, 512, 8192),
        ("pico2", "cortex-m33", 150, 520, 4096),
    ],
)
def test_the_boards_of_version_0_1_are_still_what_they_were(name, core, mhz, ram, flash):
    found = board(name)
    assert (found.core, found.clock_hz) == (core, mhz * 1_000_000)
    assert (found.ram_bytes, found.flash_bytes) == (ram * 1024, flash * 1024)


def test_every_part_and_every_chip_is_on_a_board():
    document = tomllib.loads(CATALOG)
    assert {part for part, _ in SENSORS} == set(document["parts"])
    assert {entry["chip"] for entry in document["boards"].values()} == set(document["chips"])


def test_every_property_is_observed_by_some_board():
    assert {observes for _, observes in SENSORS} == set(UNITS)


@pytest.mark.parametrize("name", [name for name, found in BOARDS.items() if found.targets])
def test_a_name_in_a_toolchain_has_its_form_and_names_the_chip(name):
    found = board(name)
    chip = re.sub(r"[^a-z0-9]", "", found.chip.title.lower())
    for tool, target in found.targets.items():
        assert re.fullmatch(TARGETS[tool], target), target
    if "esp-idf" in found.targets:
        assert chip.endswith(found.targets["esp-idf"])
    qualifiers = found.targets.get("zephyr", "").split("/")[1:]
    if qualifiers:
        assert re.sub(r"xx$|a$", "", qualifiers[0]) in chip


def test_targets_differ_but_where_revisions_share_one():
    for tool in ("zephyr", "platformio", "arduino"):
        names = [found.targets[tool] for found in BOARDS.values() if tool in found.targets]
        twice = {name for name in names if names.count(name) > 1}
        assert twice <= {"nano33ble", "arduino:mbed_nano:nano33ble"}


def test_the_margin_is_below_0_where_it_does_not_fit():
    assert board("nano33iot").margin(41_312) == 32_768 - 41_312
    assert board("nano33iot").margin(32_768) == 0


def test_energy_is_current_times_voltage():
    current = board("nrf52840dk").chip.current
    assert current is not None
    # 3.3 mA at 64 MHz and 3 V, to two digits.
    assert current.joules_per_cycle == pytest.approx(3.3e-3 * 3.0 / 64e6, rel=0.01)


def test_an_unknown_board_is_named_with_the_nearest():
    with pytest.raises(ConfigError, match="unknown board 'nano34iot'") as caught:
        board("nano34iot")
    assert caught.value.hint.split(", ")[0] == "nano33iot"
    with pytest.raises(ConfigError) as caught:
        board("zzz")
    assert caught.value.hint == "one of " + ", ".join(BOARDS)


def test_the_catalog_is_read_when_a_board_is_first_asked_for():
    program = (
        "import sys, shoal; assert 'shoal.boards' not in sys.modules; "
        "from shoal.boards import catalog, BOARDS; print(catalog._read.cache_info().currsize); "
        "len(BOARDS); len(BOARDS); print(catalog._read.cache_info().misses)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "1"]


def test_the_mapping_holds_what_it_lists():
    assert list(BOARDS) == [found.name for found in BOARDS.values()]
    assert "pico" in BOARDS
    assert "pico3" not in BOARDS
    assert repr(BOARDS).startswith(f"<{len(BOARDS)} boards: hifive1b, ")


def test_a_description_is_read():
    (tag,) = parse(SMALL, "tag.toml").values()
    (sensor,) = tag.sensors
    assert (tag.name, tag.core, tag.clock_hz, tag.chip.fpu) == ("tag", "cortex-m4f", 64_000_000, "single")
    assert (tag.ram_bytes, tag.chip.ram_total_bytes, tag.flash_bytes) == (65_536, 65_536, 524_288)
    assert (sensor.part, sensor.observes, sensor.unit) == ("LPS22HB", "pressure", "hPa")
    assert (sensor.low, sensor.high, sensor.rate_hz) == (260, 1260, 75)
    assert tag.chip.current == Current(
        microamperes_per_mhz=58, volts=3.0, condition="CoreMark", source="the same"
    )
    assert tag.targets == {"zephyr": "tag/nrf52832"}
    assert hash(tag) == hash(replace(tag, targets={}))


@pytest.mark.parametrize(
    ("old", "new", "what", "where", "hint"),
    [
        ("[parts", "[[", "not TOML", "", "catalog.toml"),
        ("[boards.tag]", "[board.tag]", "unknown key 'board'", "", "boards"),
        ("flash_kib", "flash_kb", "unknown key 'flash_kb'", "boards.tag", "flash_kib"),
        ("flash_kib = 512\n", "", "'flash_kib' is missing", "boards.tag", "flash_kib"),
        ("flash_kib = 512", "flash_kib = 512.5", "512.5 cannot be used", "boards.tag.flash_kib", "int"),
        ("flash_kib = 512", "flash_kib = true", "True cannot be used", "boards.tag.flash_kib", "int"),
        ("flash_kib = 512", "flash_kib = 0", "flash_bytes is 0", "boards.tag.flash_bytes", "above 0"),
        ('"its manual"', '" "', "source is empty", "boards.tag.source", "document"),
        ('chip = "nrf52832"', 'chip = "nrf52833"', "'nrf52833' is not", "boards.tag.chip", "nrf52832"),
        ('["LPS22HB"]', '["LPS22HH"]', "'LPS22HH' is not", "boards.tag.sensors", "LPS22HB"),
        ('["LPS22HB"]', "[22]", "22 cannot be used", "boards.tag.sensors[0]", "str"),
        ("targets.zephyr", "targets.zephir", "targets is 'zephir'", "boards.tag.targets", "zephyr"),
        ("targets.zephyr", "external_ram_kib = -1\ntargets.zephyr", "is -1024", "external_ram_bytes", "0"),
        ('"tag/nrf52832"', "7", "7 cannot be used", "boards.tag.targets.zephyr", "str"),
        ('"cortex-m4f"', '"cortex-m4"', "core is 'cortex-m4'", "chips.nrf52832.core", "cortex-m4f"),
        ('"single"', '"double"', "fpu is 'double'", "chips.nrf52832.fpu", "single"),
        ("ram_kib = 64", "ram_kib = 64\nram_total_kib = 32", "32768 B", "chips.nrf52832.ram_total", "least"),
        ("clock_mhz = 64", "clock_mhz = 0", "clock_hz is 0", "chips.nrf52832.clock_hz", "above 0"),
        ("volts = 3.0", "volts = -3.0", "volts is -3.0", "chips.nrf52832.current.volts", "above 0"),
        ("volts = 3.0", 'volts = "3"', "'3' cannot be used", "chips.nrf52832.current.volts", "float"),
        ('"CoreMark"', '""', "condition is empty", "chips.nrf52832.current.condition", "document"),
        ('"pressure"', '"presure"', "observes is 'presure'", "parts.LPS22HB.observes[0]", "pressure"),
        ('"pressure"', '"sound"', "sound has no unit", "parts.LPS22HB.observes[0].low", "no range"),
        ("low = 260, ", "", "half a range", "parts.LPS22HB.observes[0].low", "neither"),
        ("low = 260", "low = 1260", "range is 1260 to 1260", "parts.LPS22HB.observes[0].low", "low < high"),
        ("rate_hz = 75", "rate_hz = 0", "rate_hz is 0", "parts.LPS22HB.observes[0].rate_hz", "Hz"),
        ("rate_hz = 75", "pixels = [9]", "pixels is [9]", "parts.LPS22HB.observes[0].pixels", "height"),
        ("rate_hz = 75", "pixels = [9, 0]", "pixels is 0", "parts.LPS22HB.observes[0].pixels", "above 0"),
        ("rate_hz = 75", 'pixels = ["9"]', "'9' cannot be used", "observes[0].pixels[0]", "int"),
        ("[{ property", "[[{ property", "is not a table", "parts.LPS22HB.observes[0]", "property"),
    ],
)
def test_a_wrong_description_is_refused_with_its_place(old, new, what, where, hint):
    text = SMALL.replace(old, new, 1)
    if new.startswith("[[{"):
        text = text.replace("75 }]", "75 }]]")
    assert text != SMALL
    with pytest.raises(ConfigError) as caught:
        parse(text, "tag.toml")
    assert what in caught.value.what
    assert caught.value.where.startswith("tag.toml")
    assert where in caught.value.where
    assert hint in caught.value.hint


def test_a_fact_is_checked_outside_a_file_too():
    with pytest.raises(ConfigError, match="core is 'avr'"):
        Chip(
            title="ATmega328P",
            core="avr",
            fpu="none",
            clock_hz=20_000_000,
            ram_bytes=2048,
            ram_total_bytes=2048,
            source="ATmega328P datasheet",
        )
    with pytest.raises(ConfigError, match="observes is 'smell'"):
        Sensor(observes="smell", part="nose", source="none")


def test_the_page_shows_the_catalog():
    text = PAGE.read_text(encoding="utf-8")
    assert page(text, BOARDS.values()) == text, "python -m shoal.boards.table docs/boards.md writes it anew"
    for name, found in BOARDS.items():
        assert f"| `{name}` | {found.title} | {found.core} |" in text
        assert f"| {found.source} | " in text
    assert all(f"| {part} | {observes} |" in text for part, observes in SENSORS)


def test_the_page_follows_the_catalog():
    text = PAGE.read_text(encoding="utf-8")
    assert page(text, [replace(board("pico"), title="A cone")]).count("A cone") == 1
    with pytest.raises(ConfigError, match="no table 'prices'") as caught:
        page("<!-- table: prices -->\n<!-- end -->", BOARDS.values())
    assert "currents" in caught.value.hint


def test_the_examples_of_the_page_are_real():
    assert doctest.testfile(str(PAGE), module_relative=False).failed == 0
    assert doctest.testfile(str(PAGE), module_relative=False).attempted >= 4
