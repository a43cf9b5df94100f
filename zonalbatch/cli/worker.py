"""The command ``worker``: one that comes to the scheduler of a run."""

from __future__ import annotations

import logging
import os
import sys
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from zonalbatch.errors import InputError

__all__ = ["seconds_given", "worker"]

ADDRESS = "DASK_SCHEDULER_ADDRESS"
PROTOCOLS = frozenset({"tcp", "tls", "ws", "wss"})
ENDED = 128
"""What is added to a signal's number where it ended a program, as shells have it."""


def worker(
    address: Annotated[
        str, typer.Argument(help=f"The scheduler, tcp://host:port; else {ADDRESS}.")
    ] = "",
    name: Annotated[str, typer.Option(help="What it is called.")] = "",
    memory_limit: Annotated[
        str,
        typer.Option(help="Bytes at which it is ended, such as 3GiB; auto: what the machine has."),
    ] = "auto",
    death_timeout: Annotated[
        str, typer.Option(help="How long to wait for a scheduler, at first and when one is gone.")
    ] = "10min",
    local_directory: Annotated[str, typer.Option(help="Where it may leave files.")] = "",
) -> None:
    """Work for the run whose scheduler is at an address (`cluster: {kind: listen}`), until it ends.

    When the scheduler goes though the run has not ended, the worker waits for the next one there.
    Certificates for tls:// are those of Dask's configuration (DASK_DISTRIBUTED__COMM__TLS__…).

    Exit codes: 0 the run has ended · 5 no scheduler was ever there · 143 asked to go (SIGTERM)

    Example: `zonalbatch worker tcp://10.0.0.1:8786 --memory-limit 3GiB`
    """
    from zonalbatch.clusters.worker import Stopped, attend

    address = _address(address or os.environ.get(ADDRESS, ""))
    options: dict[str, Any] = {"memory_limit": _memory(memory_limit)}
    options |= {"name": name} if name else {}
    options |= {"local_directory": local_directory} if local_directory else {}
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(message)s"
    )
    try:
        attend(address, seconds_given("--death-timeout", death_timeout), **options)
    except Stopped as stopped:
        raise typer.Exit(ENDED + stopped.number) from None


def _address(text: str) -> str:
    place = urlsplit(text)
    try:
        if place.scheme in PROTOCOLS and place.hostname and place.port:
            return text
    except ValueError:  # of a port that is none
        pass
    given = f", not {text!r}" if text else ""
    raise InputError(
        f"give the address of a scheduler{given}: tcp://host:port or tls://…, or set {ADDRESS}"
    )


def seconds_given(option: str, text: str) -> float:
    """The seconds that an option asks for.

    Raises:
        InputError: it is no time.
    """
    from zonalbatch.job.amounts import seconds_of

    try:
        return seconds_of(text)
    except ValueError as error:
        raise InputError(f"{option} is {text!r}: {error}") from None


def _memory(text: str) -> int | str:
    from zonalbatch.sizes import bytes_of

    if text == "auto":
        return text
    try:
        return bytes_of(text)
    except ValueError as error:
        raise InputError(f"--memory-limit is {text!r}: {error}, or auto") from None
