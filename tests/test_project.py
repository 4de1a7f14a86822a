"""What holds for the project as a whole: its public surface, its version, its tools."""

from __future__ import annotations

import ast
import importlib
import re
import shutil
import subprocess
from importlib import metadata, resources
from pathlib import Path
from types import ModuleType

import pytest

import shoal
from tools import check_imports, module_sizes

ROOT = Path(__file__).parents[1]
PACKAGES = [
    "shoal",
    "shoal.boards",
    "shoal.catalog",
    "shoal.catalog.documents",
    "shoal.datasets",
    "shoal.devices",
    "shoal.federate",
    "shoal.learn",
    "shoal.nn",
]
SOURCES = sorted((ROOT / "src").rglob("*.py"))


@pytest.mark.parametrize("name", PACKAGES)
def test_all_lists_the_public_names_in_order(name):
    package = importlib.import_module(name)
    listed = package.__all__
    assert list(listed) == sorted(set(listed))
    public = {
        key: value
        for key, value in vars(package).items()
        if not key.startswith("_") and key not in {"annotations", "TYPE_CHECKING"}
    }
    # A submodule becomes an attribute when something imports it; it is public only if it is listed.
    values = {key for key, value in public.items() if not isinstance(value, ModuleType)}
    modules = {key for key in listed if isinstance(getattr(package, key), ModuleType)}
    lazy = {key for key in listed if key not in vars(package)}  # imported when it is first used
    assert set(listed) - {"__version__"} == values | modules | lazy
    assert all(getattr(package, key).__name__ == f"{name}.{key}" for key in modules)


@pytest.mark.parametrize("name", PACKAGES)
def test_an_init_holds_a_docstring_imports_and_all(name):
    file = Path(importlib.import_module(name).__file__)
    tree = ast.parse(file.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    rest = [node for node in tree.body[1:] if not isinstance(node, ast.Import | ast.ImportFrom)]
    if name == "shoal":  # imports its subpackages when they are used
        kinds = [type(node) for node in rest]
        rest = [node for node in rest if isinstance(node, ast.Assign)]
        assert sorted(kind.__name__ for kind in kinds if kind is not ast.Assign) == ["FunctionDef", "If"]
    assigned = [target.id for node in rest if isinstance(node, ast.Assign) for target in node.targets]
    assert len(assigned) == len(rest)
    assert set(assigned) <= {"__all__", "__version__"}


def test_the_version_is_the_newest_in_the_changelog():
    versions = re.findall(
        r"^## \[(\d[^\]]*)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert versions[0] == metadata.version("shoal") == shoal.__version__


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT / "src")))
def test_no_code_is_loaded_from_data(file):
    assert unsafe(file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import loads",
        "import torch, shelve",
        "eval('1')",
        "exec(text)",
        "import builtins\nbuiltins.eval(text)",
        "numpy.load(file, allow_pickle=True)",
        "numpy.load(file)",
    ],
)
def test_the_check_for_unsafe_code_finds_it(source):
    assert unsafe(source)


def unsafe(source: str) -> list[str]:
    """Return what in the source could run code that came as data."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                modules = [alias.name for alias in names]
            case ast.ImportFrom(module=str(module)):
                modules = [module]
            case _:
                modules = []
        found += [
            name
            for name in modules
            if name.split(".")[0] in {"dill", "joblib", "marshal", "pickle", "shelve"}
        ]
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            safe = any(
                keyword.arg == "allow_pickle" and ast.unparse(keyword.value) == "False"
                for keyword in node.keywords
            )
            if called.removeprefix("builtins.") in {"eval", "exec", "compile", "__import__"}:
                found.append(called)
            if called in {"np.load", "numpy.load"} and not safe:
                found.append(f"{called} without allow_pickle=False")
    return found


def libraries() -> list[Path]:
    with resources.as_file(resources.files("shoal") / "_lib") as folder:
        return sorted(folder.glob("shoal_*"))


def test_the_package_holds_its_libraries():
    names = {file.stem for file in libraries()}
    assert names in ({"shoal_avx2", "shoal_avx512", "shoal_baseline"}, {"shoal_neon"}, {"shoal_baseline"})


@pytest.mark.skipif(shutil.which("nm") is None, reason="nm (binutils) is not installed")
@pytest.mark.parametrize("library", libraries(), ids=lambda file: file.stem)
def test_a_library_exports_only_names_with_the_prefix(library):
    command = ["nm", "-gU" if library.suffix == ".dylib" else "-D", "--defined-only", str(library)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    names = {line.split()[-1] for line in lines} - {"_init", "_fini"}
    assert names
    assert all(name.startswith("shoal_") for name in names), sorted(names)
    for width in ("_w8", "_w16"):
        assert any(name.endswith(width) for name in names), f"no kernels at {width}"


def write_package(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        file = root / "shoal" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return root


HOUSE = {
    "__init__.py": "from shoal import nn\n",
    "errors.py": "",
    "nn/__init__.py": "from shoal.nn.plan import plan\n",
    "nn/plan.py": "from shoal.errors import ShoalError\n",
    "learn/__init__.py": "from ..nn import plan\n",
    "cli.py": "from shoal import learn\n",
}


def test_imports_that_point_down_pass(tmp_path):
    assert check_imports.check(write_package(tmp_path, HOUSE)) == []


@pytest.mark.parametrize(
    ("file", "text", "where", "what"),
    [
        ("nn/plan.py", "\nimport shoal.learn\n", "plan.py:2", "nn may not import learn"),
        ("nn/plan.py", "def f():\n    from shoal import learn\n", "plan.py:2", "nn may not import learn"),
        ("nn/plan.py", "from ..learn import x\n", "plan.py:1", "nn may not import learn"),
        ("nn/plan.py", "from shoal import VERSION\n", "plan.py:1", "nn may not import shoal"),
        ("nn/plan.py", "from shoal.nn import other\n", "plan.py:1", "part of an import circle"),
        ("learn/data.py", "from shoal import datasets\n", "data.py:1", "learn may not import datasets"),
        ("tricks.py", "", "tricks.py:1", "no place for 'tricks'"),
    ],
)
def test_imports_that_point_up_or_round_fail_with_the_line(tmp_path, file, text, where, what):
    root = write_package(tmp_path, HOUSE | {"datasets/__init__.py": ""} | {file: text})
    assert any(where in problem and what in problem for problem in check_imports.check(root))


def test_an_import_for_types_alone_makes_no_circle_but_must_point_down(tmp_path):
    guard = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from "
    circle = write_package(tmp_path / "circle", HOUSE | {"nn/plan.py": guard + "shoal.nn import other\n"})
    assert check_imports.check(circle) == []
    upward = write_package(tmp_path / "upward", HOUSE | {"nn/plan.py": guard + "shoal.learn import other\n"})
    assert len(check_imports.check(upward)) == 1


@pytest.mark.parametrize(
    ("sizes", "problem"),
    [
        ([100] * 8 + [110, 801], "801 lines, at most 800"),
        ([111] * 3, "median of 111"),
        ([50] * 8 + [401, 402], "90th percentile of 401"),
        ([110] * 8 + [400, 800], None),
        ([800] * 2 + [3] * 20, "median of 800"),
    ],
)
def test_module_sizes_keep_their_budget(tmp_path, sizes, problem):
    write_package(tmp_path / "src", {f"m{i}.py": "x = 1\n" * size for i, size in enumerate(sizes)})
    _, problems = module_sizes.check(tmp_path)
    assert problems == [] if problem is None else any(problem in text for text in problems)
