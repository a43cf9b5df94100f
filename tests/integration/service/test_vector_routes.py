"""The routes about features, asked over HTTP of a service with one process."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import shapely

from tests.made.features import geojson, squares, written
from tests.made.ranges import Server, serving_ranges
from tests.made.service import Served, serving
from zonalbatch.service.settings import Settings

ROWS = 490
AREA = geojson(shapely.box(5.1042, 50.3042, 5.1142, 50.3113))
"""Squares of three of the file's rows, which lie in one row group."""

Ask = Callable[..., httpx.Response]


def _asking(served: Served) -> Ask:
    """Asks a service about features."""
    served.client.timeout = httpx.Timeout(300)  # where nothing is compiled yet
    return lambda path, **body: served.ask(f"/api/v1/zonal-stats{path}", body)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """19,600 squares in 40 row groups, and items that name them."""
    folder = tmp_path_factory.mktemp("features") / "root"
    folder.mkdir()
    written(squares(side=140, step=0.005), folder / "squares.parquet", rows=ROWS)
    (folder / "note.txt").write_text("this is a note, and no file of features")
    shutil.copy(folder / "squares.parquet", folder.parent / "outside.parquet")
    (folder / "link.parquet").symlink_to(folder.parent / "outside.parquet")
    names = {"item": "./squares.parquet", "out": "../outside.parquet", "away": "/etc/passwd",
             "file": "file:///squares.parquet"}  # fmt: skip
    for name, href in names.items():
        (folder / f"{name}.json").write_text(json.dumps(_item(href)))
    return folder


def _item(href: str) -> dict[str, Any]:
    return {
        "type": "Feature", "stac_version": "1.0.0", "id": "squares", "geometry": None,
        "properties": {"datetime": "2026-01-01T00:00:00Z"}, "links": [],
        "assets": {
            "preview": {"href": "./preview.png", "type": "image/png"},
            "data": {"href": href, "type": "application/vnd.apache.parquet"},
            "note": {"href": "./note.txt", "type": "text/plain"},
        },
    }  # fmt: skip


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    """A server of these files that counts what is asked for."""
    with serving_ranges(folder) as server:
        yield server


@pytest.fixture(scope="module")
def ask(folder: Path, server: Server, closed_port: int) -> Iterator[Ask]:
    """Asks a service that may read the folder and this machine's servers."""
    hosts = (server.url.removeprefix("http://"), f"127.0.0.1:{closed_port}")
    settings = Settings(root=folder, private=hosts, workers=1, seconds=300, rate=0)
    with serving(settings) as served:
        yield _asking(served)


def test_only_row_groups_that_match_are_fetched(ask: Ask, server: Server, folder: Path) -> None:
    """Of a file far away: its two ends, and the wanted columns of one row group of forty."""
    server.counts()
    url = f"{server.url}/squares.parquet"
    answer = ask("/vector", aoi=AREA, url=url, columns=["n"], stats=["count", "sum"])
    assert answer.status_code == 200, answer.text
    figures = answer.json()["n"]
    assert figures["count"] == pytest.approx(0.01 / 0.005 * 0.0071 / 0.005, rel=1e-4)
    assert figures["data_area"] == pytest.approx(figures["aoi_area"], rel=1e-4)
    asked = server.counts()["requests"]
    size = (folder / "squares.parquet").stat().st_size
    fetched = sum(stop - start for _, start, stop in asked)
    assert fetched < 16 + 64 * 1024 + size / 40
    assert len(asked) <= 4


def test_files_near_and_far_are_answered_alike(ask: Ask, server: Server) -> None:
    """The same numbers, bit for bit; by an item, too."""
    asked = {"aoi": AREA, "columns": ["n", "v"], "stats": ["mean", "density", "p90", "std"]}
    near = ask("/vector", url="file:///squares.parquet", **asked)
    far = ask("/vector", url=f"{server.url}/squares.parquet", **asked)
    items = [ask("/vector/stac", url=url, **asked) for url in
             ("file:///item.json", f"{server.url}/item.json")]  # fmt: skip
    assert near.status_code == 200, near.text
    assert list(near.json()["v"]) == [*asked["stats"], "aoi_area", "data_area"]
    assert [one.json() for one in (far, *items)] == [near.json()] * 3


def test_defaults_are_the_amounts_and_the_mean(ask: Ask) -> None:
    """Sum, mean, count and density of the file's primary geometry."""
    answer = ask("/vector", aoi=AREA, url="file:///squares.parquet", columns=["v"])
    assert list(answer.json()["v"])[:4] == ["sum", "mean", "count", "density"]


@pytest.mark.parametrize(
    ("status", "word", "change"),
    [
        (422, "'w'", {"columns": ["w"]}),
        (422, "no number", {"columns": ["geometry"]}),
        (422, "'v'", {"geometry_column": "v"}),
        (422, "'area'", {"stats": ["area"]}),
        (422, "columns", {"columns": []}),
        (422, "bands", {"bands": [1]}),
        (415, "Parquet", {"url": "file:///note.txt"}),
        (400, "no such file", {"url": "file:///absent.parquet"}),
        (400, "no such file", {"url": "file:///../outside.parquet"}),
        (400, "no such file", {"url": "file:///link.parquet"}),
        (400, "links are", {"url": "/etc/passwd"}),
        (400, "beyond", {"aoi": {"type": "Point", "coordinates": [200, 0]}}),
    ],
)
def test_refusals_say_what_and_why(
    ask: Ask, status: int, word: str, change: dict[str, Any]
) -> None:
    """Each with its status, and the name of what is wrong."""
    body = {"aoi": AREA, "url": "file:///squares.parquet", "columns": ["v"]} | change
    answer = ask("/vector", **body)
    assert answer.status_code == status, answer.text
    assert word in json.dumps(answer.json()["detail"], ensure_ascii=False)


def test_servers_that_do_not_answer_are_said_to(ask: Ask, server: Server, closed_port: int) -> None:
    """502 for a closed port, 400 for a file that is not there."""
    url = f"http://127.0.0.1:{closed_port}/squares.parquet"
    answer = ask("/vector", aoi=AREA, url=url, columns=["v"])
    assert answer.status_code == 502, answer.text
    answer = ask("/vector", aoi=AREA, url=f"{server.url}/absent.parquet", columns=["v"])
    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize("name", ["out", "away", "file"])
def test_items_lead_nowhere_else(ask: Ask, server: Server, name: str) -> None:
    """Neither out of the folder, nor from the web into this machine."""
    for url in (f"file:///{name}.json", f"{server.url}/{name}.json"):
        answer = ask("/vector/stac", aoi=AREA, url=url, columns=["v"])
        assert answer.status_code == 400, answer.text
        assert "root:" not in answer.text


def test_assets_are_named_or_the_first_that_fits(ask: Ask) -> None:
    """One that is not there, and one that is no Parquet."""
    asked = {"aoi": AREA, "url": "file:///item.json", "columns": ["v"]}
    assert ask("/vector/stac", **asked, asset="data").status_code == 200
    absent = ask("/vector/stac", **asked, asset="other")
    assert absent.status_code == 400
    assert "'other'" in absent.json()["detail"]
    assert ask("/vector/stac", **asked, asset="note").status_code == 415


def test_limits_are_answered_with_413(folder: Path) -> None:
    """Of features in row groups, and of square kilometres."""
    settings = Settings(root=folder, workers=1, seconds=300, rate=0, rows=ROWS, area=5)
    with serving(settings) as served:
        ask = _asking(served)
        asked = {"url": "file:///squares.parquet", "columns": ["v"]}
        two = geojson(shapely.box(5.1042, 50.312, 5.1142, 50.318))  # row groups
        assert "features" in ask("/vector", aoi=two, **asked).json()["detail"]
        assert ask("/vector", aoi=two, **asked).status_code == 413
        large = geojson(shapely.box(5, 50, 5.1, 50.1))
        assert "km²" in ask("/vector", aoi=large, **asked).json()["detail"]
        assert ask("/vector", aoi=AREA, **asked).status_code == 200
