"""A process without a network: two ways that hold until it ends, and one for where neither works."""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = ["alone", "no_new_files"]

# What Linux calls a kind of processor, and the numbers there of the call socket(); io_uring has one for all.
CALLS = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198), "riscv64": (0xC00000F3, 198)}
IO_URING, OTHER_CALLS = 425, 0x40000000
NEW_USER, NEW_NETWORK = 0x10000000, 0x40000000
NO_NEW_PRIVILEGES, SET_FILTER, FILTER = 38, 22, 2
# Instructions of a filter: load a word, compare it, return.
LOAD, EQUAL, ABOVE, RETURN = 0x20, 0x15, 0x35, 0x06
ALLOWED, REFUSED = 0x7FFF0000, 0x00050001


def alone() -> bool:
    """Take the network from this process for good; returns whether it is gone."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        left = leave_network(libc)
        return refuse_sockets(libc) or left
    except (OSError, AttributeError):
        return False


def leave_network(libc: ctypes.CDLL) -> bool:
    """Move this process to a network of its own, which has nothing in it; returns whether that worked."""
    return any(libc.unshare(flags) == 0 for flags in (NEW_NETWORK, NEW_USER | NEW_NETWORK))


def refuse_sockets(libc: ctypes.CDLL) -> bool:
    """Let the kernel refuse socket() to this thread and those that it starts; returns whether it does."""
    numbers = CALLS.get(platform.machine()) if sys.platform == "linux" and sys.maxsize > 2**32 else None
    if numbers is None:
        return False
    kind, socket = numbers
    program = [
        (LOAD, 0, 0, 4),  # the kind of processor: another one has other numbers
        (EQUAL, 0, 5, kind),
        (LOAD, 0, 0, 0),  # the call
        (ABOVE, 3, 0, OTHER_CALLS),
        (EQUAL, 2, 0, socket),
        (EQUAL, 1, 0, IO_URING),
        (RETURN, 0, 0, ALLOWED),
        (RETURN, 0, 0, REFUSED),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *one) for one in program))
    whole = struct.pack("@HP", len(program), ctypes.addressof(code))
    one, none = ctypes.c_ulong(1), ctypes.c_ulong(0)
    if libc.prctl(NO_NEW_PRIVILEGES, one, none, none, none) != 0:
        return False
    return bool(libc.prctl(SET_FILTER, ctypes.c_ulong(FILTER), ctypes.c_char_p(whole), none, none) == 0)


@contextmanager
def no_new_files() -> Iterator[None]:
    """Let this process open nothing for a while, no connection either; what is open stays so."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # The lowest number that is free is the one that the next file would get.
    free = os.dup(0)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
    try:
        yield
    finally:
        with suppress(ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
