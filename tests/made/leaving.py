"""Leaving by the service's way out: a process like its workers, and libraries to read by."""

from __future__ import annotations

import asyncio
import socket
import threading
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from io import BytesIO
from multiprocessing import get_context

import numpy as np

from zonalbatch.service.egress.addresses import Addresses
from zonalbatch.service.egress.proxy import Bounds, Egress
from zonalbatch.service.egress.way_out import leave_by, refusals_told
from zonalbatch.sources.causes import reading

__all__ = ["CLIENTS", "beside", "fetched", "worker"]


@contextmanager
def beside(addresses: Addresses, bounds: Bounds | None = None) -> Iterator[Egress]:
    """The way out in a thread, as it is beside workers."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def done(step: Callable[[], object]) -> None:
        asyncio.run_coroutine_threadsafe(step(), loop).result(30)  # type: ignore[arg-type]

    egress = Egress(addresses, bounds)
    try:
        done(egress.__aenter__)
        yield egress
        done(lambda: egress.__aexit__(None, None, None))
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextmanager
def worker(url: str) -> Iterator[ProcessPoolExecutor]:
    """A spawned process that leaves by a proxy."""
    with ProcessPoolExecutor(
        1, mp_context=get_context("spawn"), initializer=leave_by, initargs=(url,)
    ) as pool:
        yield pool


def fetched(client: str, url: str) -> float:
    """The sum of the first 8 × 8 cells of a file, read by a library, in a worker.

    Raises:
        ForbiddenAddress: the file may not be reached.
        ReadError: it cannot be read.
    """

    def read() -> float:
        with reading(url):
            return CLIENTS[client](url)

    return refusals_told(read)


def _gdal(url: str) -> float:
    from zonalbatch.sources import RasterPixels

    return float(RasterPixels(url).read([1], (0, 0, 8, 8)).sum())


def _ranges(url: str) -> float:
    """By obstore, or by GDAL where that cannot do it."""
    from zonalbatch.sources.file import FilePixels

    return float(FilePixels(url).read([1], (0, 0, 8, 8)).sum())


def _urllib(url: str) -> float:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return _sum(answer.read())


def _requests(url: str) -> float:
    """As pystac-client does."""
    import requests

    answer = requests.get(url, timeout=10)
    answer.raise_for_status()
    return _sum(answer.content)


def _urllib3(url: str) -> float:
    """Hears of no proxy."""
    import urllib3

    try:
        return _sum(urllib3.request("GET", url, timeout=10, retries=False).data)
    except urllib3.exceptions.HTTPError as error:
        raise OSError(str(error)) from error


def _socket(url: str) -> float:
    """Hears of no proxy."""
    host, _, port = url.split("/")[2].rpartition(":")
    with socket.create_connection((host.strip("[]"), int(port)), timeout=10) as link:
        link.sendall(b"GET /a.tif HTTP/1.1\r\nHost: a\r\n\r\n")
        return float(len(link.recv(1)))


def _sum(content: bytes) -> float:
    import rasterio

    with rasterio.open(BytesIO(content)) as file:
        return float(np.sum(file.read(1)[:8, :8]))


CLIENTS: dict[str, Callable[[str], float]] = {
    "gdal": _gdal,
    "ranges": _ranges,
    "urllib": _urllib,
    "requests": _requests,
    "urllib3": _urllib3,
    "socket": _socket,
}
"""Name of a library -> how it reads a file."""
