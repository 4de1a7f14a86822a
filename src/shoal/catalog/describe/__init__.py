"""Model files, described: what a file says of itself, a sidecar beside it, and what somebody adds."""

from __future__ import annotations

from shoal.catalog.describe.describe import ASKED, Description, describe, read
from shoal.catalog.describe.sensors import observations, sensor_needs

__all__ = ["ASKED", "Description", "describe", "observations", "read", "sensor_needs"]
