"""datasets, extract and clip, as they are typed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import geopandas
import numpy as np
import pytest
import rasterio
import shapely

from tests.made.apis import light_api
from tests.made.commands import SCRIPT, typed
from tests.made.datasets import data_set, tile


@pytest.fixture(scope="module")
def hills(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a data set of one tile, and a zone."""
    folder = tmp_path_factory.mktemp("hills")
    item = tile(folder, "a", np.arange(400, dtype="int16").reshape(20, 20), 10, 51)
    zone = geopandas.GeoDataFrame(
        {"id": [7]}, geometry=[shapely.box(10.3, 50.3, 10.5, 50.5)], crs="EPSG:4326"
    )
    zone.to_parquet(folder / "zones.parquet")
    with light_api(folder, [item]) as url:
        place = {"kind": "stac", "api": url, "collections": ["dem"], "trusted": True}
        data_set(folder, place)
        yield folder


def test_datasets() -> None:
    """A line for each variable; all about one; JSON."""
    told = typed([SCRIPT, "datasets"])
    assert told.code == 0
    assert "esa_worldcover:map" in told.out
    one = typed([SCRIPT, "datasets", "esa_worldcover"]).out
    assert "40: Cropland" in one
    assert "CC BY 4.0" in one
    assert json.loads(typed([SCRIPT, "datasets", "--json"]).out)["nasadem"]["variables"]
    wrong = typed([SCRIPT, "datasets", "nasadm"])
    assert (wrong.code, wrong.err.count("\n")) == (2, 1)
    assert "did you mean 'nasadem'" in wrong.err


def test_extract(hills: Path) -> None:
    """A file with a name of its own, told with its licence; as JSON too."""
    words = [SCRIPT, "extract", "own.yaml", "--bbox", "10.2,50.2,10.6,50.6", "-o", "out"]
    told = typed(words, hills)
    assert told.code == 0, told.err
    (path,) = (hills / "out").iterdir()
    assert str(path.relative_to(hills)) in told.out
    assert "Free for all uses." in told.out
    document = json.loads(typed([*words, "--json"], hills).out)
    assert document["shape"] == [8, 8]
    assert document["license"]["name"] == "CC0"
    assert document["provenance"]["items"] == ["a"]
    with rasterio.open(path) as file:
        assert file.read(1)[0, 0] == 8 * 20 + 4


def test_what_cannot_be_extracted(hills: Path) -> None:
    """One sentence, exit code 2."""
    for words in (["--bbox", "1,2,3"], ["--bbox", "a,b,c,d"], [], ["--bbox", "50,10,51,11"]):
        told = typed([SCRIPT, "extract", "own.yaml", *words, "-o", "none"], hills)
        assert (told.code, told.err.count("\n")) == (2, 1), told.err


def test_clip(hills: Path) -> None:
    """A chip for the zone, and the table."""
    told = typed([SCRIPT, "clip", "own.yaml", "zones.parquet", "--id", "id", "-o", "chips"], hills)
    assert told.code == 0, told.err
    assert "wrote 1 chip to" in told.out
    assert sorted(one.name for one in (hills / "chips").iterdir()) == ["7.tif", "chips.parquet"]
