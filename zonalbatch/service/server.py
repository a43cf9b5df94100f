"""Server: the application on a port, until it is told to stop."""

from __future__ import annotations

import logging
import signal
import socket
import sys

import uvicorn
from fastapi import FastAPI
from pydantic import ValidationError

from zonalbatch.errors import InputError
from zonalbatch.service.app import create_app
from zonalbatch.service.jobs.routes import JobDesk
from zonalbatch.service.settings import Settings
from zonalbatch.service.telemetry import JsonLines

__all__ = ["listen"]


def listen(host: str, port: int, behind: str = "") -> None:
    """Answer requests until SIGINT or SIGTERM; those under way are answered first.

    Args:
        host: address.
        port: 0 takes a free one, which the log tells.
        behind: addresses of proxies that are believed, separated by commas.

    Raises:
        InputError: a setting cannot be used.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = f"ZONALBATCH_SERVICE_{'_'.join(map(str, first['loc'][:1])).upper()}"
        raise InputError(f"{name}: {first['msg']}; correct the variable") from None
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    app = create_app(settings)
    config = uvicorn.Config(
        app, host=host, port=port, log_config=None, access_log=False,
        server_header=False, proxy_headers=bool(behind), forwarded_allow_ips=behind or None,
        timeout_graceful_shutdown=round(settings.seconds) + 1, timeout_keep_alive=30,
    )  # fmt: skip
    for number in (signal.SIGINT, signal.SIGTERM):
        # uvicorn raises again what it was stopped by, once all is answered: that is the end.
        signal.signal(number, lambda *_: None)
    _Server(config, app).run()


class _Server(uvicorn.Server):
    """A server that tells those who watch jobs that it stops: it waits for their streams."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End in order."""
        desk: JobDesk | None = self._app.state.jobs
        if desk is not None:
            desk.runs.leaving = True
        await super().shutdown(sockets)
