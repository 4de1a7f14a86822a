"""`shoal doctor`: what works here and what is missing."""

from __future__ import annotations

from rich.text import Text

from shoal.cli import console
from shoal.cli.console import FormatOption

__all__ = ["doctor"]

STYLES = {"ok": "green", "missing": "yellow", "failed": "bold red"}


def doctor(*, output_format: FormatOption = "table") -> int:
    """Check this installation.

    The self-check lets a small network learn 1,000 steps at every width; its parameters must have the known
    checksum. Exit code 0 where the essentials work, 1 otherwise.
    """
    from shoal.cli.checks import checks

    found = checks()
    works = not any(check.essential and check.status != "ok" for check in found)
    if output_format == "json":
        console.json_result(
            {
                "ok": works,
                "checks": [
                    {
                        "name": check.name,
                        "status": check.status,
                        "essential": check.essential,
                        "value": check.value,
                        "try": check.hint,
                    }
                    for check in found
                ],
            }
        )
    else:
        rows = [(check.name, Text(check.status, style=STYLES[check.status]), check.value) for check in found]
        console.table("shoal doctor", ("check", "", "found"), rows, left=(0, 1, 2))
        for check in found:
            if check.status != "ok" and check.hint:
                console.text(f"{check.name}: {check.hint}")
        console.text("the essentials work" if works else "an essential part does not work", "bold")
    return 0 if works else 1
