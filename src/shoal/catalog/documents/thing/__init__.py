"""Thing Descriptions of W3C WoT, version 1.1 (and 1.0): their rules."""

from __future__ import annotations

from shoal.catalog.documents.thing.context import BUNDLED, DISCOVERY, TD_1_0, TD_1_1
from shoal.catalog.documents.thing.thing import Thing

__all__ = ["BUNDLED", "DISCOVERY", "TD_1_0", "TD_1_1", "Thing"]
