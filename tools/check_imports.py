"""Check that imports inside the package point down, and that no modules import each other in a circle.

Run as `python tools/check_imports.py [folder with the package]`; every violation is printed as file:line.
"""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

PACKAGE = "shoal"

# What each part may import, itself apart, from the bottom of the house to the top. Data sets stand beside.
BELOW: dict[str, set[str]] = {
    "errors": set(),
    "datasets": {"errors"},
    "nn": {"errors"},
    "runtime": {"errors", "nn"},
    "learn": {"errors", "nn", "runtime"},
    "federate": {"errors", "nn", "runtime", "datasets", "learn"},
}
BELOW["boards"] = {"errors"}
BELOW["catalog"] = {"errors", "nn", "learn", "boards"}
BELOW["devices"] = {"errors", "nn", "runtime", "learn"}
BELOW["build"] = {"errors", "nn", "runtime", "learn", "boards", "devices"}
BELOW["serve"] = {"errors", "catalog"}
BELOW[PACKAGE] = set(BELOW)  # the package's own __init__
BELOW["cli"] = set(BELOW)
BELOW["__main__"] = set(BELOW)


@dataclass(frozen=True, slots=True)
class Import:
    """One module that imports another, and where."""

    source: str
    target: str
    file: Path
    line: int
    typing_only: bool


def part(module: str) -> str:
    """Return the layer that a module belongs to: `shoal.nn.plan` is in `nn`."""
    names = module.split(".")
    return names[1] if len(names) > 1 else names[0]


def modules_in(root: Path) -> dict[str, Path]:
    """Find every module of the package under `root`, by dotted name."""
    modules = {}
    for file in sorted((root / PACKAGE).rglob("*.py")):
        names = file.relative_to(root).with_suffix("").parts
        modules[".".join(names[:-1] if names[-1] == "__init__" else names)] = file
    return modules


def _typing_lines(tree: ast.AST) -> set[int]:
    """Return the lines under `if TYPE_CHECKING:`; they import nothing when the program runs."""
    return {
        line
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for child in node.body
        for line in range(child.lineno, (child.end_lineno or child.lineno) + 1)
    }


def _targets(node: ast.Import | ast.ImportFrom, package: str) -> list[str]:
    """Return the dotted names that a statement in a module of `package` may import."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    base = node.module or ""
    if node.level:
        parents = package.split(".")
        base = ".".join([*parents[: len(parents) - node.level + 1], *([base] if base else [])])
    return [f"{base}.{alias.name}" for alias in node.names]


def imports_of(source: str, modules: dict[str, Path]) -> list[Import]:
    """Return what one module imports from the package."""
    file = modules[source]
    package = source if file.name == "__init__.py" else source.rpartition(".")[0]
    tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
    typing_lines = _typing_lines(tree)
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        for name in _targets(node, package):
            # `from shoal.nn import plan` means the module shoal.nn.plan or else a name of shoal.nn.
            target = name if name in modules else name.rpartition(".")[0]
            if target in modules and target != source:
                found.append(Import(source, target, file, node.lineno, node.lineno in typing_lines))
    return found


def upward(imports: list[Import]) -> list[str]:
    """Return a line for each import that does not point down."""
    problems = []
    for item in imports:
        above, below = part(item.source), part(item.target)
        if above != below and below not in BELOW.get(above, set()):
            where = f"{item.file}:{item.line}"
            problems.append(f"{where}: {above} may not import {below} ({item.source} imports {item.target})")
    return problems


def circle(imports: list[Import]) -> list[str]:
    """Return the imports that form a circle, or nothing."""
    graph: dict[str, set[str]] = {}
    for item in imports:
        if not item.typing_only:
            graph.setdefault(item.source, set()).add(item.target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        # The sorter lists the circle from the imported to the importing module.
        pairs = list(zip(error.args[1][1:], error.args[1], strict=False))
        first = {(item.source, item.target): item for item in reversed(imports)}
        return [
            f"{first[pair].file}:{first[pair].line}: part of an import circle ({pair[0]} imports {pair[1]})"
            for pair in pairs
        ]
    return []


def check(root: Path) -> list[str]:
    """Return every problem in the package under `root`, one line each."""
    modules = modules_in(root)
    unknown = [
        f"{file}:1: no place for '{part(name)}' in the layers, add it to BELOW in tools/check_imports.py"
        for name, file in modules.items()
        if part(name) not in BELOW
    ]
    imports = [item for name in modules for item in imports_of(name, modules)]
    return [*unknown, *upward(imports), *circle(imports)]


def main() -> int:
    """Print the problems and return the exit status."""
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "src"
    problems = check(root)
    print("\n".join(problems) if problems else f"imports: {len(modules_in(root))} modules, all point down")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
