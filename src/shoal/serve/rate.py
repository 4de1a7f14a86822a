"""How often a client may ask."""

from __future__ import annotations

import time
from collections import OrderedDict

__all__ = ["Rate"]

CLIENTS = 10_000


class Rate:
    """A bucket of requests for each client, which fills at a constant rate.

    Parameters
    ----------
    rate
        Requests per second.
    burst
        Requests at once; twice the rate by default, and one at least.

    Examples
    --------
    >>> rate = Rate(10.0, burst=2)
    >>> [rate.wait("a", now=0.0), rate.wait("a", now=0.0), round(rate.wait("a", now=0.05), 3)]
    [0.0, 0.0, 0.05]
    """

    def __init__(self, rate: float, burst: float | None = None) -> None:
        self.rate = rate
        self.burst = max(1.0, 2 * rate if burst is None else burst)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, client: str, now: float | None = None) -> float:
        """Take one request of a client; returns 0, or the seconds after which it may ask again."""
        now = time.monotonic() if now is None else now
        full, at = self._buckets.pop(client, (self.burst, now))
        full = min(self.burst, full + (now - at) * self.rate)
        wait = 0.0 if full >= 1 else (1 - full) / self.rate
        self._buckets[client] = (full if wait else full - 1, now)
        if len(self._buckets) > CLIENTS:
            # The one that asked longest ago: its bucket is the fullest.
            self._buckets.popitem(last=False)
        return wait
