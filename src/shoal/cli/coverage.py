"""`shoal match` without a model: how much of the fleet each one covers."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from shoal.cli import console
from shoal.cli.catalogs import table

if TYPE_CHECKING:
    from shoal.catalog import Catalog
    from shoal.catalog.matching import Coverage
    from shoal.cli.console import Format

__all__ = ["show"]


def show(found: Coverage, catalog: Catalog, output_format: Format, follow: str) -> int:
    """Write how many devices each model fits.

    Parameters
    ----------
    follow
        The options of the next command.
    """
    names = {record.id: record.body for record in catalog.store.records("model")}
    rows = sorted(
        (
            (f"{names[key]['name']}:{names[key]['version']}", int(count))
            for key, count in zip(found.models, found.by_model, strict=True)
        ),
        key=lambda row: (-row[1], row[0]),
    )
    total = len(found.devices)
    if output_format == "json":
        console.json_result(
            {
                "models": len(found.models),
                "devices": total,
                "pairs": found.pairs,
                "by_model": dict(rows),
                "idle": list(found.idle),
            }
        )
        return 0 if found.pairs else 1
    shown = [(name, f"{count:,}", f"{count / max(total, 1):.0%}") for name, count in rows]
    both = f"{console.counted(len(rows), 'model')} × {console.counted(total, 'device')}"
    title = f"{both}: {found.pairs:,} of {len(rows) * total:,} pairs match"
    table(title, ("model", "devices", "of all"), shown)
    if found.idle:
        who = "1 device runs" if len(found.idle) == 1 else f"{len(found.idle):,} devices run"
        more = ", ..." if len(found.idle) > 3 else ""
        console.note(f"{who} no model: {', '.join(found.idle[:3])}{more}")
    if rows:
        console.next_command(f"shoal match {shlex.quote(rows[-1][0])}{follow}")
    return 0 if found.pairs else 1
