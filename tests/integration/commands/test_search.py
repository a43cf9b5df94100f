"""The command ``search``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import geopandas
import pytest
import shapely

from tests.made.apis import light_api, many_scenes
from tests.made.commands import Command, assert_one_sentence
from tests.made.jobs import write_job
from zonalbatch.searches.census import census, table
from zonalbatch.sources.documents import read_items


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of the light server."""
    with light_api(tmp_path_factory.mktemp("light"), many_scenes()) as url:
        yield url


@pytest.fixture
def zones(tmp_path: Path) -> Path:
    """One zone that meets four scenes."""
    frame = geopandas.GeoDataFrame(
        {"id": [1]}, geometry=[shapely.box(3.1, 50.1, 3.3, 50.3)], crs=4326
    )
    frame.to_parquet(tmp_path / "zones.parquet")
    return tmp_path / "zones.parquet"


def test_a_table_is_told(here: Command, api: str, zones: Path) -> None:
    """Collection, dates, number and clouds, and where it came from."""
    told = here("search", api, "--zones", zones)
    assert told.code == 0, told.err
    met = [f"scene-{row}-{column:02}" for row in (0, 1) for column in (0, 1)]
    items = [item for item in many_scenes() if item["id"] in met]
    assert told.out == f"{table(census(items))}\n4 items came from {api} in 1 search\n"


@pytest.mark.parametrize("name", ["items.json", "items.parquet"])
def test_items_and_a_chart_are_written(
    here: Command, api: str, zones: Path, tmp_path: Path, name: str
) -> None:
    """The files hold what the table tells."""
    told = here(
        "search", api, "-z", zones, "-c", "s2,landsat", "-d", "2024-01/..", "--limit", 3,
        "-o", tmp_path / name, "--plot", tmp_path / "clouds.png",
    )  # fmt: skip
    assert told.code == 0, told.err
    assert f"wrote 4 items to {tmp_path / name}" in told.out
    assert len(read_items(tmp_path / name)) == 4
    assert (tmp_path / "clouds.png").stat().st_size > 10_000


def test_json_is_all_that_is_printed(here: Command, api: str, tmp_path: Path) -> None:
    """What else is said goes to stderr."""
    told = here("search", api, "--max-items", 3, "--json", "-o", tmp_path / "items.json")
    assert [item["id"] for item in json.loads(told.out)["features"]] == [
        item["id"] for item in read_items(tmp_path / "items.json")
    ]


def test_the_search_of_a_job(here: Command, api: str, zones: Path, tmp_path: Path) -> None:
    """It is done as the job would, and has no options."""
    job = write_job(
        tmp_path,
        {
            "zones": {"path": zones.name, "id": "id"},
            "source": {"kind": "stac", "api": api, "collections": ["s2"]},
            "bands": {"red": "red"},
            "output": {"path": "out"},
        },
    )
    assert f"2 items came from {api}" in here("search", job).out
    assert_one_sentence(here("search", job, "-c", "s2").err, "--collections goes with an API")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("-o", "items.csv"), "ends in .json, .geojson, .parquet"),
        (("--plot", "clouds.jpg"), "ends in .png"),
        (("-q", "cloudy"), "query 'cloudy' is no comparison"),
        (("--bbox", "1,2,3"), "is no box"),
        (("--bbox", "a"), "write west,south,east,north"),
        (("--intersects", "a"), "is no JSON"),
        (("--datetime", "June"), "2024-06/2024-08"),
        (("-c", "s3"), "no collection 's3'"),
        (("--zones", "none.parquet"), "none.parquet"),
    ],
)
def test_what_makes_no_sense_is_told(
    here: Command, api: str, options: tuple[str, str], words: str
) -> None:
    """One sentence, and exit code 2."""
    told = here("search", api, *options)
    assert told.code == 2
    assert_one_sentence(told.err, words)


def test_a_name_of_no_api_is_told(here: Command) -> None:
    """The near name is offered."""
    told = here("search", "earthsearch")
    assert told.code == 2
    assert_one_sentence(told.err, "did you mean 'earth-search'?")
