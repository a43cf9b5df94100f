"""Functions of the user's as statistics."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import zonalbatch as zb
from tests.made.rasters import LEFT, TOP, noise, write_tif
from tests.made.zones import frame
from zonalbatch.errors import StatisticError


@pytest.fixture(scope="module")
def raster(tmp_path_factory: pytest.TempPathFactory) -> str:
    """1,100 × 1,100 cells of 10 m, so that zones lie in several tiles; scaled, some nodata."""
    values = noise(1100, 1100)
    values[::7, ::5] = 0
    path = tmp_path_factory.mktemp("raster") / "r.tif"
    return write_tif(path, values, nodata=0, scale=0.01, offset=-3.0, tiled=True)


def box(left: float, top: float, right: float, bottom: float) -> shapely.Polygon:
    """A box in metres from the upper left corner."""
    return shapely.box(LEFT + left, TOP - bottom, LEFT + right, TOP - top)


def weighted_mean(values: Any, fractions: Any) -> float:
    """What ``mean`` is."""
    return float(np.average(values, weights=fractions))


def first(values: Any, fractions: Any) -> float:
    """The value of the cell furthest north, and of several furthest west."""
    return float(values[0])


SIDE = st.floats(0, 11_000, width=32)


class TestCells:
    """What a function is shown."""

    @pytest.mark.filterwarnings("ignore:every zone is empty")  # a box may be hardly any
    @settings(max_examples=20, deadline=None)
    @given(st.lists(SIDE, min_size=4, max_size=4, unique=True))
    def test_moments(self, raster: str, sides: list[float]) -> None:
        """NumPy's average of what it is shown is the engine's mean, the sum of shares its count."""

        def shares(values: Any, fractions: Any) -> float:
            return float(fractions.sum())

        a, b, c, d = sides
        zone = box(min(a, b), min(c, d), max(a, b), max(c, d))
        found = zb.zonal_stats(
            frame(zone), raster, ["count", "mean", weighted_mean, shares], geometry=False
        )
        row = found.fillna(0).iloc[0]
        assert row["weighted_mean"] == pytest.approx(row["mean"], rel=1e-12)
        assert row["shares"] == pytest.approx(row["count"], rel=1e-12)

    def test_row_by_row(self, raster: str) -> None:
        """Cells of a zone in several tiles come row by row, from west to east."""
        with_order = []

        def order(values: Any, fractions: Any) -> float:
            with_order.append(values)
            return 0.0

        zb.zonal_stats(frame(box(5000, 5000, 5300, 5300)), raster, [order], geometry=False)
        import rasterio

        with rasterio.open(raster) as file:
            raw = file.read(1)[500:530, 500:530].astype(float)
        assert np.array_equal(with_order[0], raw[raw != 0] * 0.01 - 3.0)

    def test_once_for_each_zone(self, raster: str) -> None:
        """A zone is shown when it is whole, one without a valid cell never."""
        calls = []

        def seen(values: Any, fractions: Any) -> int:
            calls.append(len(values))
            return len(calls)

        zones = frame(box(0, 0, 10_000, 10_000), box(100, 100, 200, 300), box(-90, 0, -10, 50))
        found = zb.zonal_stats(zones, raster, [seen, "count"], geometry=False)
        assert sorted(calls) == sorted(found["count"][:2])
        assert found["seen"].isna().tolist() == [False, False, True]

    def test_several_bands_and_layers(self, raster: str, tmp_path_factory: Any) -> None:
        """Each measurement and layer calls by itself; the column is the function's name."""
        found = zb.zonal_stats(
            frame(box(0, 0, 95, 55)), raster, ["mean", weighted_mean],
            measurements={"a": "band_1", "b": "2 * band_1"}, geometry=False,
        )  # fmt: skip
        assert list(found) == ["a_mean", "a_weighted_mean", "b_mean", "b_weighted_mean"]
        assert found["b_weighted_mean"][0] == pytest.approx(found["b_mean"][0])

    def test_weights(self, raster: str, tmp_path: Path) -> None:
        """A function of three arguments is shown the cells that have a weight, and these."""
        weights = noise(1100, 1100, seed=3)
        weights[:500] = 0
        path = write_tif(tmp_path / "w.tif", weights, nodata=0)

        def by_weight(values: Any, fractions: Any, weights: Any) -> float:
            return float(np.average(values, weights=fractions * weights))

        zones = frame(box(10, 4900, 245, 5213), box(10, 10, 40, 40))
        found = zb.zonal_stats(zones, raster, ["weighted_mean", by_weight], weights=path)
        assert found["by_weight"][0] == pytest.approx(found["weighted_mean"][0], rel=1e-12)
        assert found["by_weight"].isna().tolist() == [False, True]
        with pytest.raises(StatisticError, match="'by_weight' needs weights"):
            zb.zonal_stats(zones, raster, by_weight)

    def test_none_is_null(self, raster: str) -> None:
        """A function may say that there is no number."""

        def nothing(values: Any, fractions: Any) -> None:
            return None

        found = zb.zonal_stats(frame(box(0, 0, 95, 55)), raster, nothing, geometry=False)
        assert found["nothing"].isna().all()


def one(values: Any) -> float:
    """Takes too little."""
    return 0.0


def a_list(values: Any, fractions: Any) -> Any:
    """Returns what is no number."""
    return [1, 2]


def fails(values: Any, fractions: Any) -> float:
    """Does not know what to say."""
    raise ValueError("no idea")


class TestRefused:
    """What cannot be a statistic, and what fails."""

    @pytest.mark.parametrize(
        ("function", "problem"),
        [
            (one, r"def one\(values, fractions\)"),
            (lambda values, fractions: 1.0, "has no name"),
            (functools.partial(first, 1), "has no name"),
        ],
    )
    def test_beforehand(self, raster: str, function: Any, problem: str) -> None:
        """A function needs a name and two arguments."""
        with pytest.raises(StatisticError, match=problem):
            zb.zonal_stats(frame(box(0, 0, 95, 55)), raster, [function])

    def test_name_of_another(self, raster: str) -> None:
        """No two statistics have one name."""

        def mean(values: Any, fractions: Any) -> float:
            return 0.0

        with pytest.raises(StatisticError, match="two statistics are named 'mean'"):
            zb.zonal_stats(frame(box(0, 0, 95, 55)), raster, ["mean", mean])

    @pytest.mark.parametrize(
        ("function", "problem"),
        [
            (a_list, "a_list failed .*returned a list, where a number or None is wanted"),
            (fails, r"fails failed \(ValueError: no idea\)"),
        ],
    )
    def test_while_it_is_called(self, raster: str, function: Any, problem: str) -> None:
        """The error names the function and the zone by its id."""
        zones = frame(box(-50, 0, -10, 9), box(0, 0, 95, 55), field=["a", "b"])
        with pytest.raises(StatisticError, match=f"{problem}.* on zone 'b'"):
            zb.zonal_stats(zones, raster, [function], id="field")
