"""Server: the application on a port, until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys

import uvicorn
from fastapi import FastAPI

from zonalbatch.errors import InputError
from zonalbatch.service.app import create_app
from zonalbatch.service.jobs.routes import JobDesk
from zonalbatch.service.settings import settings_here
from zonalbatch.service.telemetry import LOG, JsonLines

__all__ = ["listen"]


def listen(host: str, port: int, behind: str = "") -> None:
    """Answer requests until SIGINT or SIGTERM; those under way are answered first.

    Args:
        host: address.
        port: 0 takes a free one, which the log tells.
        behind: addresses of proxies that are believed, separated by commas.

    Raises:
        InputError: a setting or the port cannot be used.
        OutputError: the folder of jobs cannot be written to, or is another service's.
    """
    settings = settings_here()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # Processes that measure begin by `python -c`, which would find modules in the working folder.
    os.environ["PYTHONSAFEPATH"] = "1"
    app = create_app(settings)
    config = uvicorn.Config(
        app, lifespan="off", log_config=None, access_log=False,
        server_header=False, proxy_headers=bool(behind), forwarded_allow_ips=behind or None,
        timeout_graceful_shutdown=round(settings.seconds) + 1, timeout_keep_alive=30,
    )  # fmt: skip
    with _port(host, port) as place, asyncio.Runner(loop_factory=config.get_loop_factory()) as loop:
        loop.run(_served(app, _Server(config, app), place))


def _port(host: str, port: int) -> socket.socket:
    """The port, before all that takes time.

    Raises:
        InputError: it cannot be had.
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        place = socket.create_server(address[:2], family=family, backlog=2048)
    except (OSError, OverflowError) as error:
        told = getattr(error, "strerror", None) or error
        raise InputError(f"cannot listen on {host}:{port} ({told}); choose another") from None
    _tell("starting", place)
    return place


def _tell(what: str, place: socket.socket) -> None:
    host, port, *_ = place.getsockname()
    name = f"[{host}]" if ":" in host else host
    LOG.info(what, extra={"told": {"address": f"http://{name}:{port}"}})


async def _served(app: FastAPI, server: _Server, place: socket.socket) -> None:
    """Answer until the end. What fails before the first answer is raised, not logged."""
    async with app.router.lifespan_context(app):
        for number in (signal.SIGINT, signal.SIGTERM):
            # uvicorn raises again what it was stopped by, once all is answered: that is the end.
            signal.signal(number, lambda *_: None)
        await server.serve(sockets=[place])


class _Server(uvicorn.Server):
    """A server that tells those who watch jobs that it stops: it waits for their streams."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, and say where."""
        await super().startup(sockets)
        for place in sockets or ():
            _tell("listening", place)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End in order."""
        desk: JobDesk | None = self._app.state.jobs
        if desk is not None:
            desk.runs.leaving = True
        await super().shutdown(sockets)
