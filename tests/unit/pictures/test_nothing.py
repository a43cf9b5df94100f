"""Pictures of results without a value say so, each of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import geopandas
import pytest

from tests.made.artefacts import keep_picture
from tests.made.rasters import spoil
from tests.made.year import DATES, Year, year
from zonalbatch.results import Results

PICTURES: dict[str, Callable[[Results], Any]] = {
    "series": lambda rows: rows.plot.series(1),
    "several": lambda rows: rows.plot.series([0, 1], smooth="whittaker", season=True),
    "multiples": lambda rows: rows.plot.multiples(),
    "heat": lambda rows: rows.plot.heat(),
    "histogram": lambda rows: rows.plot.histogram(),
    "histogram of a day": lambda rows: rows.plot.histogram(time="2024-05-04"),
    "choropleth": lambda rows: rows.plot.choropleth(),
    "choropleth of a day": lambda rows: rows.plot.choropleth(time="2024-05-04"),
    "choropleths": lambda rows: rows.plot.choropleths(),
    "choropleths of days": lambda rows: rows.plot.choropleths(times=["2024-05", "2024-06-01"]),
}


def told(made: Any) -> str:
    """What the one axes of an empty picture says."""
    (axes,) = made.figure.axes
    (text,) = axes.texts
    assert text.get_gid() == "nothing"
    return str(text.get_text())


@pytest.fixture(scope="module")
def cloudy(scenes: Year) -> Results:
    """A result that saw nothing but clouds."""
    return scenes.run("cloudy", mask={"band": "cloud", "exclude": [0, 1]})


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """A result of scenes that could not be read."""
    made = year(tmp_path_factory.mktemp("failed"))
    for date in DATES:
        path = str(made.folder / f"y_{date}_index.tif")
        spoil(path, (0, 0), (0, 1), (1, 0), (1, 1))
    return made.run()


@pytest.fixture(scope="module")
def far(scenes: Year) -> Results:
    """A result of zones that meet no scene."""
    zones = geopandas.read_parquet(scenes.folder / "zones.parquet")
    zones.assign(geometry=zones.translate(1e5, 0)).to_parquet(scenes.folder / "far.parquet")
    return scenes.run("far", zones={"path": str(scenes.folder / "far.parquet"), "id": "id"})


@pytest.mark.parametrize("name", PICTURES)
def test_nothing_but_clouds(cloudy: Results, name: str) -> None:
    """How many rows had no clear pixel is told."""
    text = told(PICTURES[name](cloudy))
    assert text.startswith("no value\n")
    if name == "series":
        assert text == "no value\n24 of 24 dates: no clear pixel"
    else:
        assert "no clear pixel" in text


@pytest.mark.parametrize("name", PICTURES)
def test_nothing_could_be_read(failed: Results, name: str) -> None:
    """How many rows could not be read is told."""
    made = PICTURES[name](failed)
    count = {"series": "24 of 24 dates", "several": "48 of 48 rows"}.get(name, "96 of 96 rows")
    assert told(made) == f"no value\n{count}: could not be read"
    if name == "choropleth":
        keep_picture("nothing", made)


@pytest.mark.parametrize("name", PICTURES)
def test_no_scene_meets_a_zone(far: Results, name: str) -> None:
    """Zones beside all scenes have no dates at all."""
    assert told(PICTURES[name](far)).startswith("no value: no scene meets")
    assert far.pivot().shape == (0, 4)


def test_pixels_of_nothing(cloudy: Results, far: Results) -> None:
    """A clouded field is still drawn over its pixels; without a scene there is nothing."""
    legend = cloudy.plot.field(1, "2024-03-04").figure.legends[0]  # type: ignore[union-attr]
    assert any("user mask (676)" in text.get_text() for text in legend.get_texts())
    assert told(far.plot.field(1)) == "no value: no scene meets the zone"
    assert told(far.plot.sheet()) == "no scene"
