"""The HTTP server, and how it stops without dropping a request."""

import asyncio
import signal
import socket
from types import FrameType

import uvicorn

from ledger.api import Process, application
from ledger.logs import log
from ledger.settings import Settings

_FINISH_SECONDS = 20
"""How long requests in flight may take after the last one was accepted."""

_KEEP_ALIVE_SECONDS = 75
"""Longer than nginx keeps idle connections (web/nginx.conf), so that it never sends into a closed one."""


class Server(uvicorn.Server):
    """uvicorn, except that SIGTERM first drains.

    On SIGTERM `/readyz` turns 503 while requests are still accepted for `drain_seconds`, because
    those who route to this pod learn of its end later than the pod. Then the listener closes and
    what is in flight finishes. A second signal, or SIGINT, skips the first part.
    """

    def __init__(self, process: Process) -> None:
        super().__init__(
            uvicorn.Config(
                application(process),
                host="0.0.0.0",
                port=process.settings.port,
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=_FINISH_SECONDS,
            )
        )
        self.process = process
        self.loop: asyncio.AbstractEventLoop | None = None

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until stopped."""
        self.loop = asyncio.get_running_loop()
        await super().serve(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop; called by uvicorn's signal handler."""
        # Never through the parent: it would raise the signal again at the end, and the exit code
        # of a good shutdown would be a failure.
        if sig == signal.SIGINT or self.process.draining or self.loop is None:
            self.should_exit = True
            return
        self.process.draining = True
        self.loop.call_soon_threadsafe(self._drain)

    def _drain(self) -> None:
        seconds = self.process.settings.drain_seconds
        log.info("draining", extra={"fields": {"seconds": seconds}})
        asyncio.get_running_loop().call_later(seconds, self._stop)

    def _stop(self) -> None:
        self.should_exit = True


def run(settings: Settings) -> None:
    """Serve until SIGTERM."""
    fields = {"version": settings.version, "revision": settings.revision, "needs": settings.schema_head}
    log.info("starting", extra={"fields": fields})
    Server(Process(settings)).run()
    log.info("stopped")
