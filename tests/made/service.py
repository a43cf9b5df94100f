"""The HTTP service on loopback, and what is asked of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import rasterio
import uvicorn
from rasterio.transform import from_bounds

from zonalbatch.service.app import create_app
from zonalbatch.service.settings import Settings

__all__ = ["AREA", "RASTER", "Served", "serving", "write_fact"]

RASTER = "/api/v1/zonal-stats/raster"
AREA = {
    "type": "Polygon",
    "coordinates": [[[-0.16, 51.5], [-0.11, 51.5], [-0.11, 51.52], [-0.16, 51.52], [-0.16, 51.5]]],
}
"""The polygon of the fact."""


@dataclass(frozen=True)
class Served:
    """A service that runs."""

    url: str
    client: httpx.Client

    def ask(self, path: str, body: Any, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """Post a question."""
        return self.client.post(path, json=body, headers=headers)

    def answer(self, path: str, body: Any) -> Any:
        """What is answered, which is no refusal."""
        found = self.ask(path, body)
        assert found.status_code == 200, found.text
        return found.json()


@contextmanager
def serving(settings: Settings) -> Iterator[Served]:
    """The service in a thread, until the end of the block."""
    config = uvicorn.Config(
        create_app(settings), port=0, log_config=None, access_log=False, server_header=False
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the service did not start"
            time.sleep(0.05)
        port = server.servers[0].sockets[0].getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
            yield Served(url, client)
    finally:
        server.should_exit = True
        thread.join()


def write_fact(path: Path) -> None:
    """The raster of the fact: 10 x 10 cells, nodata 0, and ten values in two rows."""
    values = np.zeros((10, 10), "uint8")
    values[3:5, 2:7] = [[3, 4, 4, 5, 5], [5, 5, 6, 6, 3]]
    place = from_bounds(-0.16, 51.50, -0.10, 51.53, 10, 10)
    with rasterio.open(
        path, "w", driver="GTiff", width=10, height=10, count=1, dtype="uint8", nodata=0,
        crs="EPSG:4326", transform=place,
    ) as file:  # fmt: skip
        file.write(values, 1)
