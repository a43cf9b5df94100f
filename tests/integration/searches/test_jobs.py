"""Jobs and calls whose scenes come from a search of a real API."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import zonalbatch as zb
from tests.made.apis import light_api, scene
from tests.made.runs import Runner
from zonalbatch.demo import Landscape
from zonalbatch.errors import SourceError
from zonalbatch.searches.files import writer
from zonalbatch.sources.documents import read_items

if TYPE_CHECKING:
    from distributed import Client

SERVER = Path(__file__).resolve().parents[2] / "range_server.py"


@pytest.fixture
def runner(land: Landscape, cluster: Client, tmp_path: Path) -> Runner:
    """Runs the landscape's job."""
    return Runner(land, cluster, tmp_path)


def catalog(land: Landscape, root: str) -> list[dict[str, Any]]:
    """The landscape's items with their assets below a root, and one far away that has none."""
    items = read_items(land.items)
    for item in items:
        item["collection"] = "demo"
        for asset in item["assets"].values():
            asset["href"] = asset["href"].replace(str(land.folder), root)
    return [*items, scene("far", 100, 10, collection="demo"), scene("other", 3, 50)]


@pytest.fixture(scope="module")
def api(land: Landscape, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An API over the landscape, whose assets are local files."""
    items = catalog(land, str(land.folder))
    with light_api(tmp_path_factory.mktemp("catalog"), items) as url:
        yield url


def test_a_search_gives_the_rows_of_its_items(runner: Runner, api: str) -> None:
    """From an API to GeoParquet: the same bits as from the file of items, and it is told."""
    source = {"kind": "stac", "api": api, "collections": ["demo"], "trusted": True}
    report = runner.run("searched", source=source)
    count = len(runner.land.scenes)
    assert f"{count} items came from {api} in 1 search" in report.notes
    assert runner.results("searched").digest == runner.digest("given")
    assert runner.run("searched", source=source).computed == 0


def test_assets_over_http(
    runner: Runner, land: Landscape, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The same bits where the API's assets lie behind a server."""
    command = [sys.executable, str(SERVER), str(land.folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            root = f"http://127.0.0.1:{server.stdout.readline().strip()}"
            folder = tmp_path_factory.mktemp("remote")
            with light_api(folder, catalog(land, root)) as url:
                source = {"kind": "stac", "api": url, "collections": "demo"}
                assert runner.digest("remote", source=source) == runner.digest("given")
        finally:
            server.terminate()


def test_a_plan_says_how_many_items_came(runner: Runner, api: str) -> None:
    """Of one date, where the zones lie; the search of all of the world is wider."""
    day = runner.land.scenes[0].name
    source = {
        "kind": "stac", "api": api, "collections": ["demo"], "limit": 1, "trusted": True,
        "datetime": f"{day[:4]}-{day[4:6]}-{day[6:]}",
    }  # fmt: skip
    made = zb.plan(runner.job(source=source))
    assert [layer.id for layer in made.layers] == [f"demo_{day}"]
    assert any(note.startswith("1 item came from") for note in made.notes)


def test_a_search_that_finds_nothing_is_refused(runner: Runner, api: str) -> None:
    """There is nothing to run over."""
    source = {"kind": "stac", "api": api, "collections": ["demo"], "datetime": "1999"}
    with pytest.raises(SourceError, match=r"0 items came from .*; ask for a longer time"):
        zb.plan(runner.job(source=source))


def test_a_job_with_a_search_is_a_document(runner: Runner, api: str) -> None:
    """It is written beside the result, and reading that gives an equal job."""
    source = {
        "kind": "stac", "api": api, "collections": "demo", "datetime": 2024, "limit": 10,
        "trusted": True,
        "query": {"eo:cloud_cover": {"lt": 20}}, "filter": "a = 1", "bbox": [0, 40, 9, 60],
    }  # fmt: skip
    job = runner.job(source=source)
    assert zb.Job.from_yaml(job.to_yaml()) == job


@pytest.mark.parametrize("name", ["items.json", "items.parquet"])
def test_what_was_found_is_a_source(runner: Runner, api: str, name: str) -> None:
    """Kept as a file of either kind, or in memory, it gives the rows of the search."""
    found = zb.search(api, runner.land.fields, collections="demo")
    writer(runner.folder / name)(found)
    digest = runner.digest("given")
    kept = {"kind": "stac", "items": str(runner.folder / name), "trusted": True}
    assert runner.digest("kept", source=kept) == digest
    assert runner.digest("held", source={"kind": "stac", "items": found, "trusted": True}) == digest


def test_what_was_found_is_a_raster(runner: Runner, api: str) -> None:
    """`zonal_stats` takes the items, and the files of them."""
    zones, bands = runner.land.fields, {"nir": "B08"}
    found = zb.search(api, zones, collections="demo")
    writer(runner.folder / "items.parquet")(found)
    told = zb.zonal_stats(zones, runner.land.items, "mean", bands=bands)["mean"]
    for items in (found, runner.folder / "items.parquet"):
        found_here = zb.zonal_stats(zones, items, "mean", bands=bands, trusted=True)
        np.testing.assert_array_equal(found_here["mean"], told)
