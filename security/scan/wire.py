"""Messages between a scan and its dry run: JSON behind its length, 4 bytes little-endian."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

MAX_MESSAGE = 1 << 20


def send(wire: socket.socket, message: dict[str, Any]) -> None:
    """Send one message."""
    data = json.dumps(message).encode()
    wire.sendall(struct.pack("<I", len(data)) + data)


def receive(wire: socket.socket) -> dict[str, Any]:
    """Receive one message. Raises EOFError where the other side is gone, ValueError."""
    head = bytearray(4)
    fill(wire, memoryview(head))
    (length,) = struct.unpack("<I", head)
    if length > MAX_MESSAGE:
        raise ValueError(f"a message of {length:,} bytes")
    data = bytearray(length)
    fill(wire, memoryview(data))
    found = json.loads(data)
    if not isinstance(found, dict):
        raise ValueError("a message that is no object")
    return found


def fill(wire: socket.socket, view: memoryview) -> None:
    """Fill a buffer from the wire. Raises EOFError where the other side is gone."""
    while view:
        got = wire.recv_into(view)
        if not got:
            raise EOFError
        view = view[got:]
