"""Places for connections: so many there are, so many of them for one address."""

from __future__ import annotations

import socket
from collections import Counter
from typing import Protocol

__all__ = ["Places", "network"]

NETWORK = 8  # bytes of an IPv6 address: whoever has one has all that begin like it


class Visitor(Protocol):
    """What takes a place."""

    def leave(self) -> None:
        """Make room, at once."""


class Places:
    """Places for connections; one that nobody works for makes room where there is no other.

    So those who connect and say nothing, or half of something, keep nobody out: who has waited longest goes
    first.

    Parameters
    ----------
    total
        At one time.
    each
        Of them for one address.

    Examples
    --------
    >>> class One:
    ...     def leave(self):
    ...         print("left")
    >>> places, first, second = Places(1, each=1), One(), One()
    >>> places.enter(first, "a"), places.enter(second, "a")
    left
    (True, True)
    >>> places.busy(second)
    >>> places.enter(One(), "a")
    False
    """

    def __init__(self, total: int, each: int) -> None:
        self._total = total
        self._each = each
        self._of: dict[Visitor, str] = {}
        self._count: Counter[str] = Counter()
        self._idle: dict[Visitor, None] = {}  # in the order in which they became so

    def enter(self, one: Visitor, address: str) -> bool:
        """Give somebody a place as one that is idle; returns False where there is none."""
        if self._count[address] >= self._each:
            room = self._make(address)
        else:
            room = len(self._of) < self._total or self._make(None)
        if room:
            self._of[one] = address
            self._count[address] += 1
            self._idle[one] = None
        return room

    def leave(self, one: Visitor) -> None:
        """Take a place back; nothing happens where there is none."""
        address = self._of.pop(one, None)
        if address is not None:
            self._idle.pop(one, None)
            self._count[address] -= 1
            if not self._count[address]:
                del self._count[address]

    def busy(self, one: Visitor) -> None:
        """Note that a request is worked on."""
        self._idle.pop(one, None)

    def idle(self, one: Visitor) -> None:
        """Note that none is any more."""
        if one in self._of:
            self._idle[one] = None

    def _make(self, address: str | None) -> bool:
        """Let the one go that has been idle for longest, of this address or of any."""
        longest = next((one for one in self._idle if address in {None, self._of[one]}), None)
        if longest is None:
            return False
        self.leave(longest)
        longest.leave()
        return True


def network(host: str) -> str:
    """Return the address that a client has: of IPv6 the first half, for the second it chooses itself.

    Examples
    --------
    >>> network("192.0.2.1"), network("2001:db8::1") == network("2001:db8::2")
    ('192.0.2.1', True)
    """
    if ":" not in host:
        return host
    return socket.inet_pton(socket.AF_INET6, host.partition("%")[0])[:NETWORK].hex()
