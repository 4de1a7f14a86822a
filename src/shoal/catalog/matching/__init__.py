"""Which model runs on which device, and why not.

:func:`check` is the definition: every condition of one model on one device. :class:`Index` answers the same
for millions of them.
"""

from __future__ import annotations

from shoal.catalog.matching.answers import Answer, Matches
from shoal.catalog.matching.checking import check
from shoal.catalog.matching.condition import Condition, Match
from shoal.catalog.matching.coverage import Coverage
from shoal.catalog.matching.index import Index
from shoal.catalog.matching.nearby import Gain, WhatIf
from shoal.catalog.matching.needs import ALL, REFERENCE_RULE

__all__ = [
    "ALL",
    "Answer",
    "Condition",
    "Coverage",
    "Gain",
    "Index",
    "Match",
    "Matches",
    "REFERENCE_RULE",
    "WhatIf",
    "check",
]
