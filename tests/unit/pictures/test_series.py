"""Pictures over time: what lines and marks there are is what the rows say."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from tests.made.artefacts import keep_picture
from tests.made.year import BROKEN, CLOUDY, DATES, HALF, Year
from zonalbatch.errors import InputError
from zonalbatch.pictures import heat, multiples
from zonalbatch.pictures.panels import Panels
from zonalbatch.pictures.style import COLOURS
from zonalbatch.results import Results


def lines(axes: Any, name: str) -> list[Any]:
    """The lines of an axes that stand for something."""
    return [line for line in axes.lines if line.get_gid() == name]


def days(line: Any) -> list[str]:
    """Dates of the points of a line."""
    return list(pd.DatetimeIndex(line.get_xdata()).strftime("%Y%m%d"))


def said(axes: Any) -> list[str]:
    """The entries of a legend."""
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_values_are_those_of_the_series(rows: Results) -> None:
    """The line holds the values of `series`, without those that lack; x are their dates."""
    axes: Any = rows.plot.series(1)
    wanted = rows.series(1).frame[1].dropna()
    (line,) = lines(axes, "values")
    np.testing.assert_array_equal(line.get_ydata(), wanted.to_numpy())
    np.testing.assert_array_equal(line.get_xdata(), wanted.index.to_numpy())
    assert axes.get_ylabel() == "NDVI mean"
    assert axes.get_title(loc="left") == "zone 1"
    keep_picture("series", axes)


def test_spread_is_between_percentiles(rows: Results) -> None:
    """The band lies between the 10th and the 90th percentile on every date."""
    axes: Any = rows.plot.series(0)
    (band,) = [one for one in axes.collections if one.get_gid() == "spread"]
    corners = band.get_paths()[0].vertices
    low, high = (rows.series(0, f"ndvi_{name}").frame[0].dropna() for name in ("p10", "p90"))
    assert {*low, *high} <= set(corners[:, 1])
    assert "10th to 90th percentile" in said(axes)


def test_spread_without_percentiles(scenes: Year) -> None:
    """± the standard deviation, if that is all there is; nothing about anything but a centre."""
    rows = scenes.run("std", statistics=["mean", "std", "max"])
    axes: Any = rows.plot.series(0)
    (band,) = [one for one in axes.collections if one.get_gid() == "spread"]
    frame = rows.gdf[rows.gdf["zone_id"] == 0].dropna(subset="ndvi_mean")
    ends = [*(frame["ndvi_mean"] - frame["ndvi_std"]), *(frame["ndvi_mean"] + frame["ndvi_std"])]
    found = np.sort(np.unique(band.get_paths()[0].vertices[:, 1]))
    np.testing.assert_allclose(found, np.unique(ends))
    assert not rows.plot.series(0, "ndvi_max").collections


def test_dates_without_a_value_are_marked(rows: Results) -> None:
    """Cloudy dates are marked at the lower edge, unread ones by a cross; both are explained."""
    axes: Any = rows.plot.series(BROKEN[1])
    (cloudy,), (lost,) = lines(axes, "unseen"), lines(axes, "lost")
    assert tuple(days(cloudy)) == CLOUDY
    assert days(lost) == [BROKEN[0]]
    assert "no clear pixel (2)" in said(axes)
    assert "could not be read (1)" in said(axes)
    low, high = axes.get_ylim()
    (line,) = lines(axes, "values")
    share = (line.get_ydata().min() - low) / (high - low)
    assert share > cloudy.get_ydata().max(), "marks lie below all values"


def test_partly_seen_dates_are_hollow(rows: Results) -> None:
    """A value of less than 80 % of the zone's cells is a hollow point."""
    date, zone = HALF
    axes: Any = rows.plot.series(zone)
    (partly,), (whole,) = lines(axes, "partly"), lines(axes, "whole")
    assert days(partly) == [date]
    assert to_hex(partly.get_markerfacecolor()) == "#ffffff"
    assert set(days(whole)) == {*DATES} - {*CLOUDY, date}
    assert "less than 80% of it seen" in said(axes)


def test_several_zones_have_a_colour_each(rows: Results) -> None:
    """Colours are Okabe and Ito's; the legend names the zones."""
    axes: Any = rows.plot.series([0, 2, 3])
    assert [line.get_color() for line in lines(axes, "values")] == list(COLOURS[:3])
    assert said(axes)[:3] == ["zone 0", "zone 2", "zone 3"]
    heights = [line.get_ydata()[0] for line in lines(axes, "unseen")]
    assert len(set(heights)) == 3, "each zone's marks have a row of their own"


def test_smooth_and_season(rows: Results) -> None:
    """The smooth line is that of `smooth`; lines stand where `phenology` says."""
    axes: Any = rows.plot.series(3, smooth="whittaker", season=True)
    wanted = rows.series(3).smooth("whittaker").frame[3].dropna()
    (line,) = lines(axes, "smooth")
    found = pd.Series(line.get_ydata(), pd.DatetimeIndex(line.get_xdata()))
    np.testing.assert_allclose(found[wanted.index], wanted)
    season = rows.phenology("ndvi_mean").set_index("zone_id").loc[3]
    for stage in ("start", "peak", "end"):
        (mark,) = lines(axes, stage)
        assert pd.Timestamp(mark.get_xdata()[0]) == season[stage]
    keep_picture("season", axes)


def test_given_axes_are_drawn_on(rows: Results) -> None:
    """With ``ax`` no figure is made, and the same axes come back."""
    figure = Figure()
    left, right = figure.subplots(1, 2)
    before = plt.get_fignums()
    assert rows.plot.series(0, ax=left) is left
    assert rows.plot.heat(ax=right) is right
    assert plt.get_fignums() == before


def test_what_has_no_series(rows: Results, scenes: Year) -> None:
    """Too many zones, and layers without dates, are told in one sentence."""
    with pytest.raises(InputError, match="there is no zone 9"):
        rows.plot.series(9)
    with pytest.raises(InputError, match="smoothing by 'savgl' is unknown"):
        rows.plot.series(0, smooth="savgl")
    source = {"kind": "cog", "pattern": str(scenes.folder / "y_20240104_{band}.tif")}
    undated = scenes.run("undated", source=source)
    with pytest.raises(InputError, match="ndvi_mean has no dates"):
        undated.plot.series(0)
    assert undated.plot.heat().get_xticklabels()[0].get_text() == "y_20240104"


def test_selections_have_pictures(rows: Results) -> None:
    """A selection's picture is of its rows only."""
    axes = rows.select(zones=[1, 2], time="2024-05/2024-06").plot.series()
    assert {day[:6] for line in lines(axes, "values") for day in days(line)} == {"202405", "202406"}
    assert said(axes)[:2] == ["zone 1", "zone 2"]


# --- multiples --------------------------------------------------------------------------------


def test_multiples_have_a_panel_for_each_zone(rows: Results) -> None:
    """Each panel shows its zone's values, all on the same axes; one legend tells of all."""
    panels = rows.plot.multiples(cols=3)
    assert isinstance(panels, Panels)
    frame = rows.pivot("ndvi_mean")
    for axes, zone in zip(panels.axes, frame, strict=True):
        (line,) = lines(axes, "values")
        np.testing.assert_array_equal(line.get_ydata(), frame[zone].dropna().to_numpy())
        assert axes.get_title(loc="left") == f"zone {zone}"
        assert axes.get_ylim() == panels.axes[0].get_ylim()
    (legend,) = panels.figure.legends
    words = " ".join(text.get_text() for text in legend.get_texts())
    assert "no clear pixel" in words
    assert "could not be read" in words
    keep_picture("multiples", panels)


def test_multiples_say_what_they_leave_out(rows: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more panels than can be read; the picture says how many zones it has no room for."""
    monkeypatch.setattr(multiples, "MOST", 3)
    panels = rows.plot.multiples(fig=Figure())
    assert len(panels.axes) == 3
    assert panels.figure.get_suptitle() == "3 zones; 1 more left out"


# --- heat -------------------------------------------------------------------------------------


def image(axes: Any, name: str) -> Any:
    """Values of an image of the axes, masked where it shows nothing."""
    (one,) = [one for one in axes.images if one.get_gid() == name]
    return np.ma.asarray(one.get_array())


def test_heat_is_the_pivot(rows: Results) -> None:
    """A row for each zone, a column for each date; grey is what was not seen, or not read."""
    axes: Any = rows.plot.heat("ndvi_mean")
    shown, grey = image(axes, "values"), image(axes, "none")
    wanted = rows.pivot("ndvi_mean").to_numpy().T
    np.testing.assert_allclose(np.ma.filled(shown, np.nan), wanted)
    at = {date: place for place, date in enumerate(DATES)}
    assert (grey[:, [at[date] for date in CLOUDY]] == 1).all()
    assert grey[BROKEN[1], at[BROKEN[0]]] == 2
    assert grey.count() == 2 * 4 + 1
    assert said(axes) == ["no clear pixel", "could not be read"]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["0", "1", "2", "3"]
    keep_picture("heat", axes)


def test_dates_are_at_their_true_places() -> None:
    """A column lies about its day, ends where the next begins, and not far into a gap."""
    edges, places = heat.spans(np.array([0.0, 5.0, 10.0, 15.0, 20.0, 80.0, 85.0]))
    assert list(edges) == [-2.5, 2.5, 7.5, 12.5, 17.5, 22.5, 77.5, 82.5, 87.5]
    assert list(places) == [0, 1, 2, 3, 4, 6, 7]
