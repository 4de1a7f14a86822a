"""Questions to the catalog in SPARQL, answered in a process that can be killed."""

from __future__ import annotations

from shoal.catalog.query.examples import examples
from shoal.catalog.query.limits import Limits
from shoal.catalog.query.magic import Answers
from shoal.catalog.query.parameters import bound, filled
from shoal.catalog.query.remote import Remote
from shoal.catalog.query.results import Results
from shoal.catalog.query.worker import Worker

__all__ = ["Answers", "Limits", "Remote", "Results", "Worker", "bound", "examples", "filled"]
