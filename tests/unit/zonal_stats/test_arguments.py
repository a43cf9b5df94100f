"""zb.zonal_stats: arguments that cannot be used are refused in one sentence."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pytest
import rasterio
import rioxarray
from numpy.typing import NDArray

import zonalbatch as zb
from tests.made.rasters import write_tif
from zonalbatch.errors import InputError

PAIR = r"\(scale, offset\)"
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"nodata": "0"}, "nodata='0': give a number, or 'none'"),
    ({"nodata": "0", "bands": 1}, "nodata='0': give a number, or 'none'"),
    ({"nodata": [0]}, r"nodata=\[0\]: give a number"),
    ({"nodata": True}, "nodata=True: give a number"),
    ({"mask": {"band": "qa", "exclude": ["1"]}}, "no item says what '1' of mask band"),
    ({"mask": {"band": "qa", "include": 1}}, "mask include=1: give a list of numbers"),
    ({"mask": "qa"}, "mask 'qa' is not understood"),
    ({"scale_offset": "off"}, f"scale_offset='off': give auto, item, file, none, {PAIR}"),
    ({"scale_offset": None}, "scale_offset=None: give"),
    ({"scale_offset": (1, 2, 3)}, "scale_offset=.*: give"),
    ({"scale_offset": (1, float("nan"))}, "scale_offset=.*: give"),
    ({"scale_offset": {"scale": 2}}, "scale_offset=.*: give"),
    ({"layout": "tall"}, "layout='tall' is unknown; use wide or long"),
    ({"bands": 1.0}, "band 1.0: give a whole number"),
    ({"bands": [np.float64(1)]}, "band .*: give a whole number"),
    ({"bands": True}, "band True: give a whole number"),
    ({"bands": {"a": {"idx": 1}}}, "has no key 'idx'; known are .*index"),
    ({"bands": {"a": {"index": 1, "nodata": "0"}}}, "nodata='0': give a number"),
    ({"bands": {"a": {"index": 1, "scale_offset": "off"}}}, "scale_offset='off': give"),
    ({"bands": {"a": {"index": 1.5}}}, "band 1.5: give a whole number"),
    ({"bands": "qa", "mask": {"band": "qa", "exclude": [1]}}, "there is nothing to measure: give"),
    ({"measurements": {}}, "there is nothing to measure: give"),
    ({"measurements": "red"}, "measurements='red': give a name for each expression"),
    ({"measurements": ["red"]}, r"measurements=\['red'\]: give a name for each expression"),
    ({"measurements": {"red": 1}}, "measurements=.*: give a name for each expression"),
    ({"stats": None}, "stats=None: give names of statistics"),
    ({"id": ["name"]}, r"id=\['name'\]: give the name of one column"),
    ({"id": "geometry"}, "id='geometry' is the zones' geometry"),
]
"""Arguments, and what is said of them."""


@pytest.fixture
def bands(values: NDArray[np.uint16], tmp_path: Path) -> str:
    """A file of the values and of a band that is 1 where they are odd."""
    return write_tif(tmp_path / "bands.tif", np.stack([values, values % 2]), names=("red", "qa"))


class TestArguments:
    """What is taken, and what is refused."""

    @pytest.mark.parametrize(("given", "words"), REFUSED, ids=[str(g) for g, _ in REFUSED])
    def test_refused(
        self, zones: geopandas.GeoDataFrame, bands: str, given: dict[str, Any], words: str
    ) -> None:
        """What the job file refuses is refused here, with the value seen."""
        with pytest.raises(InputError, match=words):
            zb.zonal_stats(zones, bands, **given)

    @pytest.mark.parametrize(
        ("given", "same"),
        [
            ({"nodata": np.uint8(7)}, {"nodata": 7}),
            ({"scale_offset": {"scale": 2, "offset": 1}}, {"scale_offset": (2.0, 1.0)}),
            ({"scale_offset": [2, 1]}, {"scale_offset": (2.0, 1.0)}),
            ({"bands": np.int64(1)}, {"bands": 1}),
            ({"bands": np.array([2, 1])}, {"bands": [2, 1]}),
            ({"bands": {"a": np.uint8(2)}}, {"bands": {"a": 2}}),
            (
                {"mask": {"band": "qa", "exclude": np.array([1])}},
                {"mask": {"band": "qa", "exclude": [1]}},
            ),
            (
                {"bands": {"a": {"index": np.int64(1), "nodata": 7}}},
                {"bands": {"a": 1}, "nodata": 7},
            ),
            ({"columns": ["weight", "geometry", "weight"]}, {"columns": ["weight"]}),
            ({"stats": iter(["mean", "max"])}, {"stats": "mean,max"}),
        ],
        ids=lambda given: "-".join(given),
    )
    def test_taken(
        self,
        zones: geopandas.GeoDataFrame,
        bands: str,
        given: dict[str, Any],
        same: dict[str, Any],
    ) -> None:
        """NumPy's numbers, lists and walks are as good as plain ones."""
        pd.testing.assert_frame_equal(
            zb.zonal_stats(zones, bands, **given), zb.zonal_stats(zones, bands, **same)
        )

    def test_no_rasters(self, zones: geopandas.GeoDataFrame, tif: str) -> None:
        """What is no raster is named by its type, with what is taken."""
        array = rioxarray.open_rasterio(tif)
        with rasterio.open(tif) as file:
            every: list[tuple[Any, str]] = [
                (None, "NoneType"), (np.zeros((4, 4)), r"numpy\.ndarray"), (7, "int"),
                (file, "DatasetReader"), (zones, "GeoDataFrame"), (b"a.tif", "bytes"),
                ([None], "a list of NoneType"), ([array], "a list of .*DataArray"),
                ([tif, array], "a list of paths and .*DataArray"),
            ]  # fmt: skip
            for given, kind in every:
                with pytest.raises(InputError, match=f"rasters cannot be .*{kind}; give a path"):
                    zb.zonal_stats(zones, given)

    def test_a_walk_through_rasters(
        self, zones: geopandas.GeoDataFrame, tif: str, bands: str
    ) -> None:
        """A generator of rasters is the list of them."""
        files = [tif, bands]
        pd.testing.assert_frame_equal(
            zb.zonal_stats(zones, (f for f in files), bands=1),
            zb.zonal_stats(zones, files, bands=1),
        )

    def test_a_raster_given_twice(
        self, zones: geopandas.GeoDataFrame, tif: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The same file twice, in whatever spelling, is refused by name."""
        folder, name = os.path.split(tif)
        monkeypatch.chdir(folder)
        for again in (name, f"./{name}", tif, Path(tif), f"file://{tif}"):
            with pytest.raises(InputError, match=rf"the raster .*{name} is given twice"):
                zb.zonal_stats(zones, [name, again])

    def test_id_that_is_the_index(self, zones: geopandas.GeoDataFrame, tif: str) -> None:
        """The index's own name as id leaves the index as it is."""
        pd.testing.assert_frame_equal(
            zb.zonal_stats(zones, tif, id="number"), zb.zonal_stats(zones, tif)
        )

    def test_columns_of_one_name(self, zones: geopandas.GeoDataFrame, tif: str) -> None:
        """Two columns of one name are refused by that name."""
        zones.columns = pd.Index(["name", "name", "geometry"])
        with pytest.raises(InputError, match="two columns named 'name'; rename one"):
            zb.zonal_stats(zones, tif)
