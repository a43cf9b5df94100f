"""Rasters and items behind a real HTTP server."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import geopandas
import numpy as np
import pytest

import zonalbatch as zb
from zonalbatch.demo import Landscape
from zonalbatch.errors import SourceError

SERVER = Path(__file__).resolve().parent.parent / "range_server.py"


@pytest.fixture(scope="module")
def url(land: Landscape) -> Iterator[str]:
    """The same landscape over HTTP, from a process of its own."""
    command = [sys.executable, str(SERVER), str(land.folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        yield f"http://127.0.0.1:{port}"
        server.terminate()


def test_rasters_over_http_give_the_numbers_of_the_files(land: Landscape, url: str) -> None:
    """Where a raster lies changes no number."""
    fields = geopandas.read_parquet(land.fields)
    names = [f"{folder.name}/B08.tif" for folder in land.scenes]
    local = zb.zonal_stats(
        fields, [str(land.scenes[0].parent / n) for n in names], "count,mean,p90"
    )
    remote = zb.zonal_stats(fields, [f"{url}/scenes/{n}" for n in names], "count,mean,p90")
    for column in ("count", "mean", "p90"):
        np.testing.assert_array_equal(local[column], remote[column])


def test_items_over_http_give_the_numbers_of_the_files(land: Landscape, url: str) -> None:
    """Relative hrefs of an item collection are resolved against its URL."""
    bands = {"nir": "B08"}
    local = zb.zonal_stats(land.fields, land.items, "mean", bands=bands)
    remote = zb.zonal_stats(land.fields, f"{url}/items.json", "mean", bands=bands)
    np.testing.assert_array_equal(local["mean"], remote["mean"])
    assert local["layer"].tolist() == remote["layer"].tolist()


def test_a_missing_raster_is_named_in_one_sentence(land: Landscape, url: str) -> None:
    """A 404 is a clear error with the URL and without its query."""
    with pytest.raises((SourceError, zb.errors.ReadError), match=r"gone\.tif") as caught:
        zb.zonal_stats(land.fields, f"{url}/gone.tif?token=secret")
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
