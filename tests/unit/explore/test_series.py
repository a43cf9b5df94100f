"""Series: smoothed, filled, against other years, and their seasons."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from zonalbatch.errors import InputError
from zonalbatch.explore.series import Series

DAYS = pd.date_range("2020-01-01", "2021-12-31", freq="5D", name="datetime")


def series(values: Any, times: pd.DatetimeIndex = DAYS) -> Series:
    """A series of one zone, all of which is seen."""
    frame = pd.DataFrame({"a": np.asarray(values, float)}, index=times)
    return Series(column="ndvi_mean", frame=frame, seen=frame.notna() * 1.0)


def bump(times: pd.DatetimeIndex, peak: str, width: float) -> Any:
    """A season: a Gaussian about a day, of a standard deviation in days."""
    days = ((times - pd.Timestamp(peak)) / pd.Timedelta("1D")).to_numpy()
    return np.exp(-((days / width) ** 2) / 2)


class TestSmooth:
    """Curves of days."""

    @pytest.mark.parametrize("method", ["whittaker", "savgol", "median"])
    def test_a_line_stays_a_line(self, method: str) -> None:
        """Noise is what differs from it; dates that are missing change nothing."""
        line = np.linspace(0.2, 0.8, len(DAYS))
        gaps = np.where(np.arange(len(DAYS)) % 4 == 1, np.nan, line)
        found = series(gaps).smooth(method).frame["a"]
        inner = slice(8, -8)  # a window that has one side only is another one
        np.testing.assert_allclose(found[inner], line[inner], atol=5e-3)

    def test_a_parabola_is_kept(self) -> None:
        """By Savitzky and Golay's filter of second order, on daily values."""
        times = pd.date_range("2020-01-01", periods=200, name="datetime")
        curve = (np.arange(200) - 90) ** 2 / 8100
        np.testing.assert_allclose(
            series(curve, times).smooth("savgol").frame["a"], curve, atol=1e-9
        )

    @pytest.mark.parametrize("method", ["whittaker", "savgol", "median"])
    def test_noise_is_less(self, method: str) -> None:
        """And the season is still there."""
        season = 0.2 + 0.6 * bump(DAYS, "2020-07-01", 40)
        noise = np.random.default_rng(3).normal(0, 0.05, len(DAYS))
        found = series(season + noise).smooth(method).frame["a"]
        assert np.std(found - season) < 0.03
        assert found.idxmax() == pytest.approx(pd.Timestamp("2020-07-01"), abs=pd.Timedelta("12D"))

    def test_weights_of_clouds(self) -> None:
        """A gap is filled by the curve; nothing is told before the first value or past the last."""
        season = 0.2 + 0.6 * bump(DAYS, "2020-07-01", 40)
        gaps = season.copy()
        gaps[:3] = gaps[-4:] = np.nan
        gaps[30:36] = np.nan
        found = series(gaps).smooth().frame["a"]
        assert found[:3].isna().all()
        assert found[-4:].isna().all()
        assert found[3:-4].notna().all()
        np.testing.assert_allclose(found[30:36], season[30:36], atol=0.1)

    def test_how_many_dates_there_are_does_not_matter(self) -> None:
        """The same curve is found of a date in five days as of one in fifteen."""
        season = 0.2 + 0.6 * bump(DAYS, "2020-07-01", 60)
        few = np.where(np.arange(len(DAYS)) % 3 == 0, season, np.nan)
        one, other = series(season).smooth().frame["a"], series(few).smooth().frame["a"]
        np.testing.assert_allclose(one[6:-6], other[6:-6], atol=0.03)

    def test_too_few_values(self) -> None:
        """There is no curve through three."""
        values = np.full(len(DAYS), np.nan)
        values[[1, 5, 9]] = 1
        assert series(values).smooth().frame["a"].isna().all()

    def test_two_dates_of_a_day(self) -> None:
        """They are averaged."""
        times = pd.DatetimeIndex(np.repeat(pd.date_range("2020-01-01", periods=40), 2))
        times += pd.to_timedelta(np.tile([10, 11], 40), "h")
        found = series(np.tile([0.0, 1.0], 40), times).smooth("savgol").frame["a"]
        np.testing.assert_allclose(found, 0.5)

    @pytest.mark.parametrize(
        ("method", "settings", "said"),
        [
            ("savgl", {}, "use whittaker, savgol, median"),
            ("whittaker", {"window": 3}, "it has strength, order"),
            ("savgol", {"windw": 3}, "did you mean 'window'"),
            ("median", {"window": -1}, "a number above 0"),
            ("median", {"window": True}, "a number above 0"),
        ],
    )
    def test_what_makes_no_sense(self, method: str, settings: dict[str, Any], said: str) -> None:
        """One sentence."""
        with pytest.raises(InputError, match=said):
            series(np.ones(len(DAYS))).smooth(method, **settings)


class TestFill:
    """Lines from date to date."""

    def test_gaps(self) -> None:
        """By time, not by place; not before the first value; long ones stay, if asked."""
        times = pd.DatetimeIndex(
            ["2020-01-01", "2020-01-02", "2020-01-04", "2020-01-11", "2020-02-01", "2020-02-21"]
        )
        one = series([np.nan, 1, np.nan, 10, np.nan, 51], times)
        np.testing.assert_allclose(one.fill().frame["a"], [np.nan, 1, 3, 10, 31, 51])
        short = one.fill(limit="10d").frame["a"]
        np.testing.assert_allclose(short, [np.nan, 1, 3, 10, np.nan, 51])
        for limit in ("long", "-3d"):
            with pytest.raises(InputError, match="no length of time"):
                one.fill(limit=limit)


class TestAnomaly:
    """Against other years."""

    def test_years_that_are_alike(self) -> None:
        """Nothing is unusual; what is added to one year is shared with the other."""
        times = pd.date_range("2020-01-01", "2021-12-01", freq="MS", name="datetime")
        alike = np.sin(times.month.to_numpy())
        late = pd.DatetimeIndex(times)[1:]  # the first January is not there
        for added in (0, 0.2):
            values = alike[1:] + added * (late.year == 2021)
            found = series(values, late).anomaly("month").frame["a"]
            both = found[late.month != 1]
            share = np.where(late[late.month != 1].year == 2021, added, -added) / 2
            np.testing.assert_allclose(both, share, atol=1e-15)
            assert found[late.month == 1].isna().all()

    def test_a_winter_is_that_of_its_january(self) -> None:
        """December belongs to the year after, so that one winter is no two."""
        times = pd.DatetimeIndex(["2019-12-10", "2020-01-10", "2020-12-10", "2021-02-10"])
        found = series([1, 3, 5, 7], times).anomaly("season").frame["a"]
        np.testing.assert_allclose(found, [-3, -1, 1, 3])
        with pytest.raises(InputError, match="one only"):
            series([1, 3], times[:2]).anomaly("season")

    def test_one_year(self) -> None:
        """There is nothing to differ from."""
        with pytest.raises(InputError, match="take more dates"):
            series(np.ones(60), DAYS[:60]).anomaly()
        with pytest.raises(InputError, match="use month, week, season"):
            series(np.ones(60), DAYS[:60]).anomaly("decade")


class TestPhenology:
    """Start, peak and end."""

    def test_two_seasons(self) -> None:
        """A Gaussian is at half of its height 1.177 standard deviations from its peak."""
        times = pd.date_range("2020-01-01", "2021-12-31", name="datetime")
        curve = 0.2 + 0.5 * bump(times, "2020-06-10", 30) + 0.7 * bump(times, "2021-07-20", 30)
        found = series(curve, times).phenology(method="savgol", window=5)
        assert found["zone_id"].tolist() == ["a", "a"]
        assert found["season"].tolist() == [1, 2]
        half = pd.Timedelta(30 * np.sqrt(2 * np.log(2)), "D")
        assert found["peak"].tolist() == [pd.Timestamp("2020-06-10"), pd.Timestamp("2021-07-20")]
        day = pd.Timedelta("1.1D")
        assert ((found["start"] - (found["peak"] - half)).abs() < day).all()
        assert ((found["end"] - (found["peak"] + half)).abs() < day).all()
        assert (found["days"] == (found["end"] - found["start"]).dt.days).all()
        np.testing.assert_allclose(found["top"], [0.7, 0.9], atol=1e-3)
        np.testing.assert_allclose(found["base"], 0.2, atol=1e-3)

    def test_a_season_that_is_cut(self) -> None:
        """Where the curve begins above the threshold, its start is not known."""
        times = pd.date_range("2020-06-01", "2020-12-31", name="datetime")
        curve = 0.2 + 0.5 * bump(times, "2020-07-05", 30)
        found = series(curve, times).phenology(threshold=0.3)
        assert found["start"].isna().tolist() == [True]
        assert found["days"].isna().tolist() == [True]
        assert found["end"].notna().all()

    def test_no_season(self) -> None:
        """A constant, a zone without values and one that only rises have none; types are kept."""
        for values in (np.ones(len(DAYS)), np.full(len(DAYS), np.nan), np.arange(len(DAYS))):
            found = series(values).phenology()
            assert len(found) == 0
            assert str(found["peak"].dtype) == "datetime64[ns]"

    def test_small_rises_are_none(self) -> None:
        """A rise counts from a share of the range on."""
        times = pd.date_range("2020-01-01", "2020-12-31", name="datetime")
        curve = bump(times, "2020-05-01", 20) + 0.2 * bump(times, "2020-10-01", 20)
        one = series(curve, times)
        assert len(one.phenology(method="savgol", window=5)) == 1
        assert len(one.phenology(amplitude=0.1, method="savgol", window=5)) == 2

    @pytest.mark.parametrize("asked", [{"threshold": 0}, {"threshold": 1.2}, {"amplitude": -1}])
    def test_what_makes_no_sense(self, asked: dict[str, float]) -> None:
        """One sentence."""
        with pytest.raises(InputError, match="between 0 and 1"):
            series(np.ones(len(DAYS))).phenology(**asked)  # type: ignore[arg-type]
