"""Lists in a frame, and columns by class and bin."""

from __future__ import annotations

import pickle
from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
import pytest
import rioxarray  # noqa: F401 (rasters have a CRS by it)
import shapely
import xarray as xr

import zonalbatch as zb
from zonalbatch.errors import InputError

VALUES = np.array([[1, 1, 2, 3], [1, 2, 2, 3], [0, 0, 4, 4]], np.uint8)


def array() -> xr.DataArray:
    """Three rows and four columns of classes; 0 means no data."""
    return xr.DataArray(
        VALUES, dims=("y", "x"), coords={"y": [2.5, 1.5, 0.5], "x": [0.5, 1.5, 2.5, 3.5]}
    ).rio.write_crs("EPSG:32631")


def boxes() -> geopandas.GeoDataFrame:
    """A zone of nine cells and parts, one on nodata only, one of a single cell."""
    shapes = [shapely.box(0.5, 0, 4, 3), shapely.box(0, 0, 1, 1), shapely.box(3, 2, 4, 3)]
    return geopandas.GeoDataFrame({"k": [1, 2, 3]}, geometry=shapes, crs="EPSG:32631")


def found(stats: str, **about: object) -> geopandas.GeoDataFrame:
    """The frame of some statistics."""
    return zb.zonal_stats(boxes(), array(), stats, nodata=0, **about)  # type: ignore[arg-type]


def test_rows_are_lists() -> None:
    """A row's list is Python's; cells are told row by row, with ids counted over the raster."""
    table = found("values,coverage,cell_id,center_x,frac")
    assert table["values"].iloc[0] == [1, 1, 2, 3, 1, 2, 2, 3, 4, 4]
    assert table["coverage"].iloc[0] == [0.5, 1, 1, 1, 0.5, 1, 1, 1, 1, 1]
    assert table["cell_id"].iloc[0] == [0, 1, 2, 3, 4, 5, 6, 7, 10, 11]
    assert table["center_x"].iloc[2] == [3.5]
    assert table["values"].iloc[1] == table["frac"].iloc[1] == []
    assert table["frac"].iloc[2] == [{"class": 3.0, "value": 1.0}]


def test_lists_are_written_and_read_again(tmp_path: Path) -> None:
    """Parquet keeps lists, also of a part of the frame; pandas and geopandas read them."""
    table = found("values,frac,histogram")
    for kept in (table, table[table["k"] != 2], pd.concat([table, table]), table.copy()):
        kept.to_parquet(tmp_path / "t.parquet")
        read = geopandas.read_parquet(tmp_path / "t.parquet")
        assert [list(v) for v in read["values"]] == list(kept["values"])
        assert [list(v) for v in read["frac"]] == list(kept["frac"])
    pd.DataFrame(table.drop(columns="geometry")).to_parquet(tmp_path / "p.parquet")
    assert list(pd.read_parquet(tmp_path / "p.parquet")["values"][2]) == [3.0]


def test_a_frame_with_lists_is_a_frame() -> None:
    """It is pickled, joined, sorted, grouped and exploded as others are."""
    table = found("values")
    again = pickle.loads(pickle.dumps(table))
    pd.testing.assert_frame_equal(pd.DataFrame(again), pd.DataFrame(table))
    assert table.sort_values("k", ascending=False)["values"].iloc[0] == [3.0]
    joined = table.merge(pd.DataFrame({"k": [3], "crop": ["rye"]}), on="k")
    assert joined["values"].tolist() == [[3.0]]
    assert table.explode("values")["values"].notna().sum() == 11
    assert table["values"].map(len).tolist() == [10, 0, 1]


def test_columns_by_class_and_bin() -> None:
    """A class that is not there is 0; without a valid cell all are null; bins are closed on top."""
    table = found(
        "frac,class_count,class_area,unique,histogram,area,valid_area",
        classes={3: "rye", 9: "oats"}, edges=[0, 2, 4],
    )  # fmt: skip
    assert table["class_count_rye"].tolist()[::2] == [2.0, 1.0]
    assert table["frac_rye"].tolist()[::2] == [2.0 / 9, 1.0]
    assert table["unique_rye"].tolist()[::2] == [1.0, 1.0]
    assert table["class_count_oats"].tolist()[::2] == [0.0, 0.0]
    assert table["histogram_0"].tolist()[::2] == [2.0, 0.0]
    assert table["histogram_2"].tolist()[::2] == [7.0, 1.0]
    assert table.filter(regex="_(rye|oats|0|2)$").iloc[1].isna().all()
    whole = found("class_area,area", classes=[1, 2, 3, 4]).filter(like="class_area").sum(axis=1)
    assert whole.to_numpy() == pytest.approx(table["valid_area"].to_numpy())


def test_bins_of_a_list() -> None:
    """Bins are each zone's own, as NumPy's, or the same for all."""
    (own, none, one) = found("histogram", bins=3)["histogram"]
    assert [b["class"] for b in own] == [1.0, 2.0, 3.0]
    assert [b["value"] for b in own] == [2.0, 3.0, 4.0]
    assert (none, one[1]) == ([], {"class": pytest.approx(2.5 + 1 / 3), "value": 1.0})
    fixed = found("histogram", bins={"start": 0, "stop": 8, "count": 2})["histogram"]
    assert fixed.iloc[0] == [{"class": 0.0, "value": 7.0}, {"class": 4.0, "value": 2.0}]


def test_the_long_layout_takes_columns_but_no_lists() -> None:
    """A class is a statistic of its own there."""
    table = found("frac", classes=[3, 4], layout="long")
    assert table["statistic"].tolist() == ["frac_3", "frac_4"] * 3
    with pytest.raises(InputError, match="list"):
        found("frac", layout="long")


def test_classes_of_scaled_and_of_float32_pixels() -> None:
    """0.3 is a class where the raster holds 3 with a scale of 0.1, or the nearest float32."""
    tenths = (VALUES / np.float32(10)).astype(np.float32)
    scaled = zb.zonal_stats(
        boxes(), array(), "class_count", classes=[0.3], scale_offset=(0.1, 0.0), nodata=0
    )
    single = zb.zonal_stats(boxes(), array().copy(data=tenths), "class_count", classes=[0.3])
    assert scaled["class_count_0_3"].iloc[0] == single["class_count_0_3"].iloc[0] == 2.0


def test_counts_stay_where_areas_weigh_cells() -> None:
    """In degrees shares of classes follow areas with ``weight_by``; what is counted does not."""
    degrees = array().rio.write_crs("EPSG:4326")
    zones = boxes().set_crs("EPSG:4326", allow_override=True)
    names, about = "count,frac,class_count,histogram", {"classes": [1, 2, 3, 4], "nodata": 0}
    plain, areas = (
        zb.zonal_stats(zones, degrees, names, weight_by=by, **about)  # type: ignore[arg-type]
        for by in ("fraction", "area")
    )
    counted = [f"class_count_{c}" for c in (1, 2, 3, 4)]
    assert areas[counted].iloc[0].tolist() == plain[counted].iloc[0].tolist()
    assert areas[counted].iloc[0].sum() == areas["count"].iloc[0]
    assert areas["histogram"].iloc[0] == plain["histogram"].iloc[0]
    assert areas["frac_4"].iloc[0] > plain["frac_4"].iloc[0]  # nearest to the equator
