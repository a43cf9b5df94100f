"""min_fraction and default_value: what counts as a cell, and what as a value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

import zonalbatch as zb
from tests.made.rasters import LEFT, TOP, write_tif
from tests.made.zones import frame
from zonalbatch.errors import InputError

PIXEL = 10.0
VALUES = np.arange(1, 26, dtype="uint8").reshape(5, 5)


def box(left: float, top: float, right: float, bottom: float) -> shapely.Polygon:
    """A box in columns and rows of the raster."""
    return shapely.box(
        LEFT + PIXEL * left, TOP - PIXEL * bottom, LEFT + PIXEL * right, TOP - PIXEL * top
    )


def told(path: str, zone: Any, stats: str, **about: Any) -> list[float]:
    """Statistics of one zone."""
    found = zb.zonal_stats(frame(zone, id=[0]), path, stats, columns=[], geometry=False, **about)
    return [float(value) for value in found.iloc[0]]


@pytest.fixture(scope="module")
def raster(tmp_path_factory: pytest.TempPathFactory) -> str:
    """5 × 5 cells from 1 to 25, of which 13 is nodata; physical is a tenth, less 1."""
    path = tmp_path_factory.mktemp("raster") / "r.tif"
    return str(write_tif(path, VALUES[None], nodata=13, scale=0.1, offset=-1.0))


class TestMinFraction:
    """Cells of which a zone covers less are left out altogether."""

    def test_faint_cells_are_no_cells(self, raster: str) -> None:
        """They count in no number, not even in n_total."""
        zone = box(0.5, 0, 2.25, 1)  # 0.5 of cell 1, all of 2, 0.25 of 3
        assert told(raster, zone, "count,n_total,sum", min_fraction=0.4) == pytest.approx(
            [1.5, 1.5, 0.5 * -0.9 + -0.8]
        )

    def test_a_share_just_so_large_is_kept(self, raster: str) -> None:
        """The least share is part of what is kept."""
        assert told(raster, box(0.5, 0, 2.25, 1), "count", min_fraction=0.25) == [1.75]
        assert told(raster, box(0.5, 0, 2.25, 1), "count", min_fraction=0.5) == [1.5]
        assert told(raster, box(0.5, 0, 2.25, 1), "count", min_fraction=1) == [1.0]

    def test_touched_cells_by_share(self, raster: str) -> None:
        """all_touched counts those whole that are kept."""
        zone = box(0.5, 0, 2.25, 1)
        assert told(raster, zone, "count", coverage="all_touched", min_fraction=0.4) == [2.0]

    def test_beyond_the_raster(self, raster: str) -> None:
        """Faint cells beyond the raster do not count as outside either."""
        zone = box(-1.25, 0, 1.75, 1)
        found = told(raster, zone, "n_total,n_outside,count", min_fraction=0.5)
        assert found == pytest.approx([2.75, 1.0, 1.75])

    @pytest.mark.filterwarnings("ignore::zonalbatch.errors.ZonalbatchWarning")
    @given(
        st.floats(0, 1),
        st.lists(st.floats(0, 5, width=32), min_size=4, max_size=4, unique=True),
    )
    def test_brute_force(self, raster: str, least: float, sides: list[float]) -> None:
        """The sum of the shares that shapely finds and that are not smaller."""
        zone = box(*min_max(sides))
        cells = [box(c, r, c + 1, r + 1) for r in range(5) for c in range(5)]
        shares = np.array([zone.intersection(cell).area for cell in cells]) / PIXEL**2
        if np.abs(shares - least).min() > 1e-6:
            (count,) = told(raster, zone, "n_total", min_fraction=least)
            assert count == pytest.approx(shares[shares >= least].sum(), abs=1e-6)

    @pytest.mark.parametrize("value", [-0.1, 1.1, "half", None, True, float("nan")])
    def test_no_share(self, raster: str, value: Any) -> None:
        """A share lies between 0 and 1."""
        with pytest.raises(InputError, match="from 0 to 1"):
            told(raster, box(0, 0, 1, 1), "count", min_fraction=value)

    def test_centres_have_no_share(self, raster: str) -> None:
        """A cell is taken by its centre, or by its share."""
        with pytest.raises(InputError, match="use fraction or all_touched"):
            told(raster, box(0, 0, 1, 1), "count", min_fraction=0.5, coverage="center")


def min_max(sides: list[float]) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of four sides in any order."""
    a, b, c, d = sides
    return min(a, c), min(b, d), max(a, c), max(b, d)


class TestDefaultValue:
    """What counts where the files say nothing."""

    def test_nodata_counts_as_it(self, raster: str) -> None:
        """In physical units, also where no raw value stands for it."""
        zone = box(2, 2, 3, 4)  # 13, which is nodata, and 18
        for value in (2.0, 0.123, -7.5):
            assert told(raster, zone, "count,n_nodata,sum", default_value=value) == pytest.approx(
                [2, 0, value + 0.8]
            )

    def test_of_an_expression(self, raster: str) -> None:
        """It is the measurement's value, not the band's."""
        found = told(
            raster, box(2, 2, 3, 4), "sum", measurements={"twice": "2 * band_1"}, default_value=5
        )
        assert found == pytest.approx([5 + 1.6])

    def test_masked_and_outside_stay_so(self, raster: str) -> None:
        """What the mask takes away, or no file has, is no missing value."""
        zone = box(2, 2, 3, 6)  # 13, 18, 23 and beyond
        found = told(
            raster, zone, "count,n_masked,n_outside", default_value=0,
            mask={"band": "m", "exclude": [13, 18]}, bands={"v": 1, "m": 1},
        )  # fmt: skip
        assert found == [1, 2, 1]

    def test_nan_counts_as_it(self, tmp_path: Path) -> None:
        """So do NaN and infinity."""
        values = np.array([[np.nan, np.inf, 3.0]], "float32")
        path = write_tif(tmp_path / "f.tif", values[None])
        assert told(str(path), box(0, 0, 3, 1), "count,sum", default_value=0.1) == pytest.approx(
            [3, 3.2]
        )

    @pytest.mark.parametrize("value", ["0", float("nan"), True])
    def test_no_number(self, raster: str, value: Any) -> None:
        """It is a finite number."""
        with pytest.raises(InputError, match="finite number"):
            told(raster, box(0, 0, 1, 1), "count", default_value=value)
