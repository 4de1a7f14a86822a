"""The catalog over HTTP: a W3C WoT Thing Description Directory, with models, matching and deployments.

Needs the extra `server`.
"""

from __future__ import annotations

from shoal.serve.server import serve
from shoal.serve.settings import Settings

__all__ = ["Settings", "serve"]
