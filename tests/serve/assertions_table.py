"""The table of assertions and what the tests say of them: `python -m tests.serve.assertions_table`."""

from __future__ import annotations

import re
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from tests.serve.assertions import ASSERTIONS

FOLDER = Path(__file__).parent


class Results:
    """Notes how each test ends."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: Any) -> None:
        name = re.sub(r"\[.*", "", report.nodeid.rpartition("::")[2])
        if report.when == "call" or report.outcome != "passed":
            worse = self.found.get(name, "passed") != "passed"
            self.found[name] = self.found[name] if worse else report.outcome


def main() -> int:
    """Run the tests and print the table as Markdown."""
    results = Results()
    files = sorted(str(file) for file in FOLDER.glob("test_tdd_*.py"))
    with redirect_stdout(sys.stderr):
        pytest.main(["-q", "--no-header", *files], [results])
    sys.stdout.write("| assertion | | says | result |\n| --- | --- | --- | --- |\n")
    for name, (strength, text) in ASSERTIONS.items():
        result = results.found.get(function(name), "no test")
        sys.stdout.write(f"| {name} | {strength} | {text} | {result} |\n")
    ends = [results.found.get(function(name), "no test") for name in ASSERTIONS]
    sys.stdout.write(f"\n{ends.count('passed')} of {len(ends)} pass\n")
    return 0 if ends.count("passed") == len(ends) else 1


def function(assertion: str) -> str:
    """The test of an assertion is called after it."""
    return f"test_{assertion.replace('-', '_')}"


if __name__ == "__main__":
    sys.exit(main())
