"""Ports on 127.0.0.1 for tests."""

import itertools
import secrets
import socket
from collections.abc import Iterator
from contextlib import suppress

_RANGES = range(20000, 32000, 10)
"""Below the ports that the kernel gives to outgoing connections: what is free now is so when a server binds it."""
_START = secrets.randbelow(len(_RANGES))
"""Somewhere else in each process, so that two runs side by side do not want the same."""
_firsts: Iterator[int] = itertools.cycle([*_RANGES[_START:], *_RANGES[:_START]])


def free_range(count: int) -> int:
    """Return the first of `count` (at most 10) free ports in a row; no two calls get the same."""
    for first in itertools.islice(_firsts, len(_RANGES)):
        with suppress(OSError):
            for port in range(first, first + count):
                socket.create_server(("127.0.0.1", port)).close()
            return first
    raise AssertionError("no free ports")
