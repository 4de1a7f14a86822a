"""Messages between a catalog and the process that answers its queries: JSON, its length before it."""

from __future__ import annotations

import json
from typing import IO, Any

__all__ = ["receive", "send"]

Message = dict[str, Any]


def send(stream: IO[bytes], message: Message) -> None:
    """Write a message."""
    content = json.dumps(message, ensure_ascii=False).encode(errors="surrogatepass")
    rest = memoryview(len(content).to_bytes(8, "big") + content)
    while rest:
        rest = rest[stream.write(rest) :]
    stream.flush()


def receive(stream: IO[bytes]) -> Message | None:
    """Read a message, None at the end."""
    head = exactly(stream, 8)
    content = exactly(stream, int.from_bytes(head, "big")) if head is not None else None
    if content is None:
        return None
    message: Message = json.loads(content.decode(errors="surrogatepass"))
    return message


def exactly(stream: IO[bytes], size: int) -> bytes | None:
    """Read so many bytes, None if the end comes before."""
    pieces = []
    while size > 0:
        piece = stream.read(size)
        if not piece:
            return None
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
