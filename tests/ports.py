"""Ports on 127.0.0.1 for tests."""

import socket
from contextlib import suppress


def free_range(count: int) -> int:
    """Return the first of `count` free ports in a row, below those that the kernel gives to connections."""
    for first in range(20080, 32000, 10):
        with suppress(OSError):
            for port in range(first, first + count):
                socket.create_server(("127.0.0.1", port)).close()
            return first
    raise AssertionError("no free ports")
