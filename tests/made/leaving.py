"""Clients of the service's workers: each library by which a file can be asked for."""

from __future__ import annotations

import ssl
import urllib.request
from collections.abc import Callable

import numpy as np

from zonalbatch.service.way_out import refusals_told
from zonalbatch.sources.causes import reading

__all__ = ["CLIENTS", "fetched"]


def _gdal(url: str) -> float:
    from zonalbatch.sources import RasterPixels

    return float(RasterPixels(url).read([1], (0, 0, 8, 8)).sum())


def _obstore(url: str) -> float:
    from zonalbatch.sources.async_cog.pixels import CogPixels

    return float(CogPixels(url).read([1], (0, 0, 8, 8)).sum())


def _urllib(url: str) -> float:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return _of(answer.read())


def _requests(url: str) -> float:
    import requests

    answer = requests.get(url, timeout=10)
    answer.raise_for_status()
    return _of(answer.content)


def _pystac(url: str) -> float:
    """An item, and the file that it names."""
    from zonalbatch.sources import RasterPixels
    from zonalbatch.sources.documents import read_items

    raise NotImplementedError


def _of(content: bytes) -> float:
    from rasterio.io import MemoryFile

    with MemoryFile(content) as memory, memory.open() as file:
        return float(np.sum(file.read(1)[:8, :8]))


CLIENTS: dict[str, Callable[[str], float]] = {
    "gdal": _gdal,
    "obstore": _obstore,
    "urllib": _urllib,
    "requests": _requests,
}
"""Name -> the sum of the first 8 × 8 cells of a file, read by it."""


def fetched(client: str, url: str) -> float:
    """What a client reads of a file, in a worker.

    Raises:
        ForbiddenAddress: the file may not be reached.
        ReadError: it cannot be read.
    """
    with refusals_told(), reading(url):
        return CLIENTS[client](url)
