"""Pictures over zones: histograms and maps show the values of the dates that are meant."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas
import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import shapely
from matplotlib.figure import Figure

from tests.made.artefacts import keep_picture
from tests.made.outputs import Made, written
from tests.made.year import BROKEN, CLOUDY, DATES, Year
from zonalbatch.errors import InputError
from zonalbatch.pictures.told import told_of
from zonalbatch.results import Results


def on(rows: Results, date: str) -> Any:
    """Values of a date by zone."""
    frame = rows.pivot("ndvi_mean")
    return frame[pd.DatetimeIndex(frame.index).strftime("%Y%m%d") == date].iloc[0]


def coloured(axes: Any, name: str = "values") -> Any:
    """The zones of a map that stand for something."""
    return next((one for one in axes.collections if one.get_gid() == name), None)


# --- which date -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("time", "dates"),
    [
        ("2024-05-04", ["20240504"]),
        ("2024-05-09", ["20240504"]),
        (dt.date(2024, 5, 18), ["20240519"]),
        (pd.Timestamp("2024-05-18T10:00"), ["20240519"]),
        (np.datetime64("2024-05-18"), ["20240519"]),
        ("2024-02-04", ["20240219"]),
        ("2024-06", ["20240604", "20240619"]),
        ("2024-11-15/..", ["20241119", "20241204", "20241219"]),
    ],
)
def test_times(rows: Results, time: Any, dates: list[str]) -> None:
    """A day is the nearest date with values, a period all of its dates."""
    told = told_of(rows, None).by_day()
    found = pd.DatetimeIndex(told.times[told.when(time)]).strftime("%Y%m%d")
    assert list(found) == dates


def test_no_such_time(rows: Results) -> None:
    """A period without a date, and what is no time, are told."""
    with pytest.raises(InputError, match="holds no date; there are dates from 2024-01-04 to"):
        rows.plot.histogram(time="2023-01/2023-02")
    with pytest.raises(InputError, match="'yesterday' is not understood"):
        rows.plot.choropleth(time="yesterday")


def test_the_date_with_most_values_is_the_default(rows: Results) -> None:
    """It has a value of every zone, and of all of its cells."""
    told = told_of(rows, None).by_day()
    (at,) = told.when(None)
    assert told.there[:, at].all()
    assert (told.seen[:, at] == np.nanmax(told.seen)).all()


# --- histogram --------------------------------------------------------------------------------


def test_histogram_counts_values(rows: Results) -> None:
    """Bars add up to the values there are; the line is their median; the rest is told."""
    axes: Any = rows.plot.histogram(time="2024-09-19")
    values = on(rows, BROKEN[0]).dropna()
    assert sum(bar.get_height() for bar in axes.patches) == len(values) == 3
    (median,) = [line for line in axes.lines if line.get_gid() == "median"]
    assert median.get_xdata()[0] == pytest.approx(values.median())
    assert axes.get_title(loc="right") == "1 zone without a value"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("NDVI mean", "zones")


def test_histogram_of_all_dates(rows: Results) -> None:
    """Without a time all values of all dates are counted."""
    axes: Any = rows.plot.histogram("ndvi_mean")
    total = int(rows.pivot("ndvi_mean").notna().to_numpy().sum())
    assert sum(bar.get_height() for bar in axes.patches) == total
    assert axes.get_title(loc="left") == f"2024-01-04 to 2024-12-19, {len(DATES)} dates"
    assert axes.get_ylabel() == "zones × dates"
    keep_picture("histogram", axes)


# --- choropleth -------------------------------------------------------------------------------


def test_choropleth_has_the_values_of_a_date(rows: Results) -> None:
    """Zones have their values; one without is hatched, and counted in the legend."""
    axes: Any = rows.plot.choropleth(time="2024-09-19")
    values = on(rows, BROKEN[0])
    np.testing.assert_allclose(coloured(axes).get_array(), values.dropna())
    assert len(coloured(axes, "none").get_paths()) == 1
    assert coloured(axes, "none").get_hatch()
    assert axes.get_legend().get_texts()[0].get_text() == "1 zone: no value"
    assert axes.get_title(loc="left") == "2024-09-19"
    keep_picture("choropleth", axes)


def test_choropleth_of_a_period_is_the_median(rows: Results) -> None:
    """Of the dates that have values."""
    axes: Any = rows.plot.choropleth(time="2024-07")
    values = on(rows, "20240704")
    np.testing.assert_allclose(coloured(axes).get_array(), values)
    assert axes.get_title(loc="left") == "2024-07-04", "2024-07-19 is cloudy"
    axes = rows.plot.choropleth(time="2024-06", ax=Figure().add_subplot())
    both = np.median([on(rows, "20240604"), on(rows, "20240619")], axis=0)
    np.testing.assert_allclose(coloured(axes).get_array(), both)


def test_choropleth_has_a_scale(rows: Results, scenes: Year) -> None:
    """A bar of metres on a map of metres; degrees along the sides of one in degrees."""
    axes: Any = rows.plot.choropleth()
    (bar,) = [line for line in axes.lines if line.get_gid() == "scale"]
    assert np.ptp(bar.get_xdata()) == 100
    assert "100 m" in [text.get_text() for text in axes.texts]
    zones = geopandas.read_parquet(scenes.folder / "zones.parquet").to_crs(4326)
    zones.to_parquet(scenes.folder / "degrees.parquet")
    keys = {"path": str(scenes.folder / "degrees.parquet"), "id": "id"}
    axes = scenes.run("degrees", zones=keys).plot.choropleth()
    axes.figure.draw_without_rendering()
    assert any(text.get_text().endswith("°") for text in axes.get_xticklabels())
    assert axes.get_aspect() == pytest.approx(1 / np.cos(np.radians(50.549)), rel=1e-4)


def test_choropleths_share_their_colours(rows: Results) -> None:
    """The same value has the same colour on all maps; one bar tells of all."""
    panels = rows.plot.choropleths(times=["2024-01-04", "2024-05-19", "2024-09-19"])
    titles = [axes.get_title(loc="left") for axes in panels.axes]
    assert titles == ["2024-01-04", "2024-05-19", "2024-09-19"]
    assert len({coloured(axes).get_clim() for axes in panels.axes}) == 1
    frame = rows.pivot("ndvi_mean")
    some = frame.loc["2024-01-04":"2024-01-04"].to_numpy(), frame.loc["2024-05-19"].to_numpy()  # type: ignore[misc]
    low, high = coloured(panels.axes[0]).get_clim()
    assert low <= some[0].min()
    assert high == some[1].max()
    assert len(panels.figure.axes) == 4
    keep_picture("choropleths", panels)


def test_choropleths_of_a_year(rows: Results) -> None:
    """Without times a month has a map: of the date with most values."""
    panels = rows.plot.choropleths()
    titles = [axes.get_title(loc="left") for axes in panels.axes]
    assert [title[5:7] for title in titles] == [f"{month:02d}" for month in range(1, 13)]
    assert not {f"{date[:4]}-{date[4:6]}-{date[6:]}" for date in CLOUDY} & set(titles)
    with pytest.raises(InputError, match="draw choropleths"):
        rows.plot.choropleth(time=["2024-01-04", "2024-05-19"])


def test_rows_of_one_day_are_one_date(rows: Results) -> None:
    """Of two scenes of a day, that is taken of a zone which saw more of it."""
    told = told_of(rows, None)
    times = told.times.copy()
    times[1] = times[0] + np.timedelta64(15, "s")
    seen = told.seen.copy()
    seen[0, 0] = 0.1
    values = told.values.copy()
    values[1, 1] = np.nan
    days = replace(told, times=times, seen=seen, values=values).by_day()
    assert len(days.times) == len(DATES) - 1
    assert days.values[0, 0] == values[0, 1]
    assert days.values[1, 0] == values[1, 0]


def test_a_day_is_itself_whatever_the_hour(rows: Results) -> None:
    """Scenes of an evening belong to their day; of two scenes of a day that of most values."""
    told = told_of(rows, None)
    times = told.times[:4].copy()
    times[:3] = np.array(["2024-01-03T18", "2024-01-04T06", "2024-01-04T18"], "datetime64[ns]")
    values = np.full((len(told.zones), 4), 0.5)
    values[1:, 1] = np.nan
    some = replace(told, times=times, values=values, seen=np.ones_like(values),
                   status=np.full(values.shape, "ok"))  # fmt: skip
    assert some.when("2024-01-04").tolist() == [2]
    assert some.when("2024-01-03").tolist() == [0]
    assert some.when("2024-01-04T05:00:00Z").tolist() == [1]


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda plot: plot.choropleth(time="2020-05-01"), "no value near 2020-05-01"),
        (lambda plot: plot.field(1, "2020-05-01"), "no value near 2020-05-01"),
        (lambda plot: plot.choropleths(times=3), "datetime .3. is not understood"),
        (lambda plot: plot.choropleths(cols=0), "cols=0 is no number"),
        (lambda plot: plot.multiples(cols="3"), "cols='3' is no number"),
        (lambda plot: plot.multiples(fig=5), "give a figure"),
        (lambda plot: plot.heat(ax=[1, 2]), "give one axes"),
        (lambda plot: plot.series(1, smooth=["savgol"]), "use whittaker"),
    ],
)
def test_what_makes_no_sense(rows: Results, ask: Callable[[Any], Any], said: str) -> None:
    """One sentence that says what to give."""
    with pytest.raises(InputError, match=said):
        ask(rows.plot)


def test_one_period_is_one_map(rows: Results) -> None:
    """Text is no list of letters."""
    assert len(list(rows.plot.choropleths(times="2024-06"))) == 1


def test_lines_have_the_colours_of_their_values(tmp_path: Path) -> None:
    """They are all edge, and an edge that parts areas would hide them."""
    shapes = [shapely.LineString([(0, 0), (900, 900)]), shapely.LineString([(0, 900), (900, 0)])]
    zones = geopandas.GeoDataFrame(
        {"zone_id": ["a", "b"]}, geometry=shapes, crs="EPSG:32631"
    )  # fmt: skip
    times = [dt.datetime(2024, 5, 1, tzinfo=dt.UTC)]
    made = Made(zones=zones, times=times, values=np.array([[0.2], [0.8]]))
    axes: Any = written(tmp_path / "out", made).plot.choropleth()
    axes.figure.canvas.draw()
    (drawn,) = [one for one in axes.collections if one.get_gid() == "values"]
    ends = mpl.colormaps["viridis"]([0.0, 1.0])
    np.testing.assert_allclose(drawn.get_edgecolor(), ends)
    assert min(drawn.get_linewidth()) >= 1
