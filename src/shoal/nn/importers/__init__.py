"""Networks from the files of other frameworks, one subpackage for each format.

Each has ``load(path, loss=None)`` and needs its own package only when it is called. :func:`shoal.nn.load`
chooses by the file.
"""

from __future__ import annotations

from shoal.nn.importers.errors import ModelError

__all__ = ["ModelError"]
