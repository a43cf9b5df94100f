"""Counts, odd zones, cells: what a report makes of a grid and of rows."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from tests.made.outputs import FIRST, Made, fields, season, written
from zonalbatch.explore.columns import column_named
from zonalbatch.explore.grid import STATUS, Grid, grid_of
from zonalbatch.layers import Failure
from zonalbatch.pages import pooled
from zonalbatch.pages.atlas import carried_table
from zonalbatch.pages.causes import causes_of
from zonalbatch.pages.counts import BARS, counts_of
from zonalbatch.pages.odd import odd_of
from zonalbatch.pages.spread import bands, histograms, telling


@pytest.mark.parametrize("layout", ["wide", "long"])
def test_counts_are_those_of_pandas(tmp_path: Path, layout: str) -> None:
    """Rows by date and status, once for each zone and layer."""
    values, times = season(20, 15)
    made = Made(zones=fields(20), times=times, values=values, layout=layout)
    counts = counts_of(written(tmp_path / "out", made, parts=3))
    there = np.isfinite(values)
    assert counts.total == {"ok": there.sum(), "empty": (~there).sum()}
    assert counts.document["bars"]["ok"] == there.sum(axis=0).tolist()
    assert counts.document["names"][0] == f"{FIRST:%Y-%m-%d}"


def test_many_dates_are_counted_by_month(tmp_path: Path) -> None:
    """A chart has no more bars than it has room for, and the page says so."""
    dates = BARS + 50
    times = [FIRST + dt.timedelta(days=one) for one in range(dates)]
    made = Made(zones=fields(2), times=times, values=np.ones((2, dates)))
    counts = counts_of(written(tmp_path / "out", made))
    assert counts.document["unit"] == "month"
    assert sum(counts.document["bars"]["ok"]) == 2 * dates
    assert counts.note == "Rows are counted by month, not by date."


def test_histograms_hold_all_values(tmp_path: Path) -> None:
    """Bins and what lies beyond them are the values that there are."""
    values, times = season(30, 20)
    rows = written(tmp_path / "out", Made(zones=fields(30), times=times, values=values))
    (found,) = histograms(rows, telling(rows.columns))
    assert found["column"] == "ndvi_mean"
    assert sum(found["counts"]) + found["below"] + found["above"] == np.isfinite(values).sum()


def test_bands_are_quantiles_by_date() -> None:
    """None on a date without a value."""
    values = np.array([[1.0, np.nan], [2.0, np.nan], [3.0, np.nan]])
    assert bands(values)[2] == [2.0, None]
    assert bands(np.empty((0, 2))) == [[None, None]] * 5


def grid(values: np.ndarray, codes: np.ndarray | None = None) -> Grid:
    """A grid of one column, days from 1 January 2024."""
    zones, times = values.shape
    usual = np.where(np.isfinite(values), STATUS.index("ok"), STATUS.index("empty"))
    return Grid(
        zones=np.arange(zones), values={"v": values}, seen=np.isfinite(values).astype(float),
        times=np.datetime64("2024-01-01", "ns") + np.arange(times) * np.timedelta64(1, "D"),
        codes=(usual if codes is None else codes).astype(np.int8),
    )  # fmt: skip


class TestOdd:
    """Zones that are worth a look."""

    def test_the_farthest_comes_first(self) -> None:
        """By spreads from the median of each date, on average; the peak is told."""
        values = np.random.default_rng(4).normal(0, 1, (50, 12))
        values[31] += 8
        values[31, 5] += 30
        found = odd_of(grid(values), "v", lambda value: f"{value:.0f}")
        zone, why = found.far[0]
        assert zone == 31
        assert "most on 2024-01-06: 3" in why
        assert found.worst[0][0] == 31
        assert 31 not in [zone for zone, _ in found.usual]

    def test_what_all_lack_is_nobodys_fault(self) -> None:
        """A date without a value of any zone makes none of them odd."""
        values = np.random.default_rng(4).normal(0, 1, (20, 6))
        values[:, 2] = np.nan
        assert odd_of(grid(values), "v", str).missing == ()
        values[7, 4] = np.nan
        assert odd_of(grid(values), "v", str).missing == (
            (7, "2 of 6 dates without a value"),
        )  # fmt: skip

    def test_there_may_be_nothing(self) -> None:
        """No zones, no dates, no values."""
        for shape in ((0, 0), (0, 3), (3, 0), (3, 3)):
            found = odd_of(grid(np.full(shape, np.nan)), "v", str)
            assert found.far == ()
            assert found.usual == ()


def test_too_many_zones_become_cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cell has the mean of its zones on each date, and says of how many."""
    values, times = season(400, 5)
    rows = written(tmp_path / "out", Made(zones=fields(400), times=times, values=values))
    laid = grid_of(rows, [column_named(rows.columns, "ndvi_mean")])
    whole = pooled.mapped(laid, "ndvi_mean", rows.zones, carried_table(rows))
    assert not whole.pooled
    monkeypatch.setattr(pooled, "PAIRS", 200)
    made = pooled.mapped(laid, "ndvi_mean", rows.zones, carried_table(rows))
    assert made.pooled
    assert made.atlas.notes[0].startswith("The map shows ")
    owner, shapes = pooled._cells(rows.zones, 40)
    together = pooled._together(laid, "ndvi_mean", owner, shapes["zone_id"].to_numpy())
    assert 10 < len(shapes) <= 60
    mine = laid.values["ndvi_mean"][owner == 3]
    known = np.isfinite(mine).any(axis=0)
    np.testing.assert_allclose(
        together.values["ndvi_mean"][3][known], np.nanmean(mine[:, known], axis=0)
    )


def test_causes_hide_secrets() -> None:
    """Neither a cause nor an example shows a signature."""
    failure = Failure(
        layer="a", href="https://h/x.tif?sig=abcdef123", permanent=False,
        cause="https://h/x.tif?sig=abcdef123: 503",
    )  # fmt: skip
    (cause,) = causes_of([failure])
    assert "abcdef" not in cause.cause + cause.href
    assert "run the job again" in cause.advice
