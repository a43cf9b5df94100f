"""The command ``serve``: the HTTP service."""

from __future__ import annotations

from typing import Annotated

import typer

from zonalbatch.errors import InputError

__all__ = ["serve"]


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="Its port; 0 takes a free one.", min=0, max=65535)
    ] = 8000,
    behind: Annotated[
        str, typer.Option(help="Addresses of proxies whose X-Forwarded-For is believed.")
    ] = "",
) -> None:
    """Answer questions over HTTP: statistics of one area now, and of many by jobs.

    What it allows is set by environment variables, ZONALBATCH_SERVICE_…, as the README lists them.

    **Examples**

        zonalbatch serve

        ZONALBATCH_SERVICE_ROOT=/data ZONALBATCH_SERVICE_KEYS=… zonalbatch serve --host 0.0.0.0
    """
    try:
        from zonalbatch.service.server import listen
    except ModuleNotFoundError as error:
        raise InputError(
            f"the service needs {error.name}; install it with: pip install 'zonalbatch[service]'"
        ) from None
    listen(host, port, behind)
