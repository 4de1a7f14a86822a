"""Projects for every toolchain: what is in them, and that it compiles without a warning."""

from __future__ import annotations

import json
import re
import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest

from shoal import build, learn
from shoal.boards import BOARDS
from shoal.devices.machines import machine
from shoal.errors import ConfigError
from tests.build.conftest import CORES, NETWORKS, firmware, need, need_core

STUBS = Path(__file__).parent / "stubs"
WARNINGS = [
    *("-pedantic", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wdouble-promotion", "-Wvla", "-Werror")
]
BOARD = {"esp-idf": "esp32c3-devkitm"}
STUBS_OF = {"platformio": "arduino"}
WITHOUT_IDE = {"nrf52840dk"}  # PlatformIO has the Arduino framework for it, the Arduino IDE no name
KINDS = [
    *(("dense", "sgd"), ("dense", None), ("conv", "sgd"), ("int8", "sgd"), ("int8", None), ("int16", "sgd"))
]


def board_of(target: str) -> str:
    return BOARD.get(target, "nano33ble")


@pytest.mark.parametrize("target", build.TARGETS)
@pytest.mark.parametrize(("name", "optimizer"), KINDS)
def test_c_compiles_for_the_board_without_a_warning(tmp_path, target, name, optimizer):
    made = firmware(name, board_of(target), optimizer)
    need_core(made.board.core)
    folder = build.project(made, target, tmp_path / "project")
    compile_all(folder, made.board.core, target, made.learns)


def compile_all(folder: Path, core: str, target: str, learns: bool) -> None:
    """Compile every C file, with stubs of the toolchain's own calls."""
    found = machine(core)
    includes = {f"-I{file.parent}" for file in folder.rglob("*.h")}
    includes.add(f"-I{STUBS / STUBS_OF.get(target, target)}")
    defines = ["-DUART=0u", "-DCOUNTER=0u", "-DFLASH_STORE=0u", "-DTURNS=8"] if target == "qemu" else []
    command = [found.compiler, *found.flags, *WARNINGS, *sorted(includes), *defines]
    runtime = {file.name for file in (build.sources() / "src").glob("*.c")}
    for source in sorted(folder.rglob("*.c")):
        own = target == "cmake" and source.name == "main.c"  # of this computer, not of the board
        elsewhere = source.name in runtime and target != "cmake"  # the same file for every toolchain
        if not own and not elsewhere and source.parent.name != "port":
            extra = ["-Wno-pedantic"] if target == "zephyr" else []
            subprocess.run([*command, *extra, "-c", str(source), "-o", "/dev/null"], check=True)
    compiler = found.compiler.replace("gcc", "g++")
    for source in [*folder.rglob("*.ino"), *folder.rglob("*.cpp")]:
        flags = [flag for flag in found.flags if not flag.startswith("-std")]
        options = ["-std=gnu++11", "-x", "c++", "-include", "Arduino.h", "-Wall", "-Wextra", "-Werror"]
        if not learns:
            options.append("-Wno-type-limits")  # no values are read for a label
        subprocess.run(
            [compiler, *flags, *options, *sorted(includes), "-c", str(source), "-o", "/dev/null"], check=True
        )


@pytest.mark.parametrize("target", build.TARGETS)
def test_a_project_is_complete(tmp_path, target):
    made = firmware("dense", board_of(target))
    folder = build.project(made, target, tmp_path / "project")
    files = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
    names = {Path(file).name for file in files}
    assert {"LICENSE", "README.md"} <= files
    assert {"shoal.h", "shoal_store.h", "shoal_config.h", "dense.c", "store.c"} <= names
    assert {"model.h", "model.c", "golden.h", "golden.c", "app.h", "app.c", "sensor.h", "flash.c"} <= names
    assert not names & {"cohort.c", "conv2d.c", "pool.c"}
    assert build.TARGETS[target].sensor in files
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert f"{build.requirements(made).ram_total:,}" in text
    assert "Apache License" in (folder / "LICENSE").read_text(encoding="utf-8")
    for file in files - {"LICENSE"}:
        assert "@{" not in (folder / file).read_text(encoding="utf-8"), file


@pytest.mark.parametrize("target", build.TARGETS)
def test_a_network_that_only_answers_brings_no_store(tmp_path, target):
    folder = build.project(firmware("dense", board_of(target), None), target, tmp_path / "project")
    names = {file.name for file in folder.rglob("*")}
    assert not names & {"store.c", "shoal_store.h", "flash.c", "flash.h"}


@pytest.mark.parametrize("board", [name for name, board in BOARDS.items() if board.targets])
def test_boards_are_refused_or_built_with_every_toolchain_that_knows_them(board):
    for target in build.TARGETS:
        made = firmware("dense", board)
        known = made.board.core in CORES if target in {"cmake", "qemu"} else target in made.board.targets
        if target == "platformio":
            known = known and ("arduino" in made.board.targets or board in WITHOUT_IDE)
        if known:
            assert build.project_files(made, target)
        else:
            with pytest.raises(ConfigError) as refused:
                build.project_files(made, target)
            assert refused.value.hint


# --- Arduino: the rules of arduino-lint for libraries that text alone decides -----------------------------

FIELDS = [
    *("name", "version", "author", "maintainer", "sentence", "paragraph", "category", "url", "architectures")
]
CATEGORIES = {
    *("Communication", "Data Processing", "Data Storage", "Device Control", "Display", "Other"),
    *("Sensors", "Signal Input/Output", "Timing", "Uncategorized"),
}


@pytest.fixture
def library(tmp_path):
    return build.project(firmware("dense"), "arduino", tmp_path / "dense")


def test_library_properties_are_sound(library):
    lines = (library / "library.properties").read_text(encoding="utf-8").splitlines()
    properties = dict(line.split("=", 1) for line in lines)
    assert len(properties) == len(lines)
    assert set(FIELDS) <= set(properties)
    assert all(properties[field].strip() for field in FIELDS)
    name = properties["name"]
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.\- ]{0,62}", name)
    assert not name.lower().startswith("arduino")
    assert "library" not in name.lower()
    assert re.fullmatch(r"\d+\.\d+\.\d+", properties["version"])
    assert properties["category"] in CATEGORIES
    assert properties["architectures"] == "mbed_nano"
    assert properties["url"].startswith("https://")
    assert not properties["maintainer"].lower().startswith("arduino")
    assert not properties["paragraph"].startswith(properties["sentence"])
    assert all((library / "src" / header.strip()).exists() for header in properties["includes"].split(","))
    assert (library / "src" / f"{name}.h").exists()


def test_library_folders_are_as_arduino_wants_them(library):
    assert {entry.name for entry in library.iterdir()} == {
        *("LICENSE", "README.md", "examples", "keywords.txt", "library.properties", "src")
    }
    sketches = list((library / "examples").rglob("*.ino"))
    assert sketches
    assert all(sketch.stem == sketch.parent.name for sketch in sketches)
    assert not [file for file in library.rglob("*") if file.is_symlink() or file.suffix == ".exe"]
    for line in (library / "keywords.txt").read_text(encoding="utf-8").splitlines():
        assert re.fullmatch(r"[A-Za-z_]\w*\t(KEYWORD[123]|LITERAL[12])", line)


def test_two_units_of_a_sketch_can_include_the_library(library, tmp_path):
    need("arm-none-eabi-g++")
    found = machine("cortex-m4f")
    flags = [flag for flag in found.flags if not flag.startswith("-std")]
    for name in ("one", "two"):
        (tmp_path / f"{name}.cpp").write_text("#include <dense.h>\n", encoding="utf-8")
        command = ["arm-none-eabi-g++", *flags, f"-I{library / 'src'}", "-c", f"{name}.cpp"]
        subprocess.run([*command, "-o", f"{name}.o"], cwd=tmp_path, check=True)
    subprocess.run(["arm-none-eabi-ld", "-r", "one.o", "two.o", "-o", "both.o"], cwd=tmp_path, check=True)


# --- PlatformIO, ESP-IDF, Zephyr ---------------------------------------------------------------------------


def test_platformio_names_platform_board_and_flags(tmp_path):
    folder = build.project(firmware("dense", "pico"), "platformio", tmp_path / "project")
    parser = ConfigParser()
    parser.read(folder / "platformio.ini")
    section = parser["env:pico"]
    assert (section["platform"], section["board"], section["framework"]) == ("raspberrypi", "pico", "arduino")
    manifest = json.loads((folder / "lib" / "network" / "library.json").read_text(encoding="utf-8"))
    assert "-ffp-contract=off" in manifest["build"]["flags"]


def test_every_board_of_platformio_has_a_platform_or_a_reason():
    for name, board in BOARDS.items():
        if "platformio" in board.targets and "arduino" in board.targets:
            assert build.project_files(firmware("dense", name), "platformio")


def test_zephyr_module_and_application_agree(tmp_path):
    folder = build.project(firmware("dense"), "zephyr", tmp_path / "project")
    option = re.search(r"^config (\w+)$", (folder / "Kconfig").read_text(encoding="utf-8"), re.MULTILINE)[1]
    assert f"CONFIG_{option}=y" in (folder / "app" / "prj.conf").read_text(encoding="utf-8")
    lists = (folder / "CMakeLists.txt").read_text(encoding="utf-8")
    assert f"if(CONFIG_{option})" in lists
    named = re.findall(r"^\s+((?:shoal|model)/\S+\.c)\)?$", lists, re.MULTILINE)
    present = {str(file.relative_to(folder)) for file in folder.rglob("*.c")}
    assert set(named) == {file for file in present if not file.startswith("app/")}
    app = re.findall(r"src/\w+\.c", (folder / "app" / "CMakeLists.txt").read_text(encoding="utf-8"))
    assert {f"app/{file}" for file in app} == {file for file in present if file.startswith("app/")}


def test_esp_idf_lists_its_files_and_has_room_for_them(tmp_path):
    made = firmware("conv", "esp32c3-devkitm")
    folder = build.project(made, "esp-idf", tmp_path / "project")
    component = folder / "components" / "network"
    named = re.findall(r"(?:src|model)/\w+\.c", (component / "CMakeLists.txt").read_text(encoding="utf-8"))
    assert set(named) == {str(file.relative_to(component)) for file in component.rglob("*.c")}
    main = re.findall(r"\w+\.c", (folder / "main" / "CMakeLists.txt").read_text(encoding="utf-8"))
    assert set(main) == {file.name for file in (folder / "main").glob("*.c")}
    lines = (folder / "partitions.csv").read_text(encoding="utf-8").splitlines()[1:]
    table = [line.split(",") for line in lines]
    sizes = {row[0].strip(): int(row[4].strip(), 0) for row in table}
    assert sum(sizes.values()) + 0x9000 <= made.board.flash_bytes
    assert sizes["factory"] % 0x10000 == 0
    assert sizes["shoal"] >= 2 * (4 * made.plan.state + 40)
    settings = (folder / "sdkconfig.defaults").read_text(encoding="utf-8")
    assert 'CONFIG_IDF_TARGET="esp32c3"' in settings


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_makes_a_project(name):
    for optimizer in ("sgd", None):
        assert build.project_files(firmware(name, optimizer=optimizer), "cmake")
    if name in {"dense", "conv", "regressor", "residual"}:
        assert build.project_files(firmware(name, optimizer=learn.Adam()), "cmake")
