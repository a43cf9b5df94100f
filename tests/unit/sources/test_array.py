"""Layers from xarray."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from typing import Any

import dask
import numpy as np
import pandas as pd
import pytest
import rioxarray  # noqa: F401 - gives arrays their .rio
import xarray as xr
from rasterio.transform import Affine

from zonalbatch.errors import SourceError
from zonalbatch.sources import ArrayPixels, Band, array_layers, identified, open_pixels

VALUES = np.arange(2 * 3 * 4 * 5, dtype=np.int16).reshape(2, 3, 4, 5)


def cube(values: np.ndarray = VALUES, **attrs: Any) -> xr.DataArray:
    """(band, time, y, x) values on a 10 m grid."""
    array = xr.DataArray(
        values,
        dims=("band", "time", "y", "x"),
        coords={
            "band": ["red", "nir"],
            "time": pd.date_range("2020-01-01", periods=3).values,
            "y": 5599995.0 - 10 * np.arange(4),
            "x": 500005.0 + 10 * np.arange(5),
        },
        attrs=attrs,
        name="cube",
    )
    return array.rio.write_crs("EPSG:32631")


def test_each_time_is_a_layer() -> None:
    """Ids are ISO times, bands are the coordinate's names, pixels are the array's."""
    found, arrays = array_layers(cube())
    assert [layer.id for layer in found.layers] == [f"2020-01-0{d}T00:00:00" for d in (1, 2, 3)]
    assert found.layers[1].datetime == datetime(2020, 1, 2, tzinfo=UTC)
    nir = found.layers[1].scenes[0].assets["nir"]
    assert (nir.grid.lattice.crs, nir.grid.shape) == ("EPSG:32631", (4, 5))
    assert (nir.dtype, nir.nodata, nir.scale, nir.offset) == ("int16", "none", 1.0, 0.0)
    assert nir.grid.lattice.bounds(nir.grid.window) == (500000, 5599960, 500050, 5600000)
    pixels = open_pixels(nir.href, arrays)
    np.testing.assert_array_equal(
        pixels.read([nir.band, 1], (1, 2, 3, 5)), VALUES[::-1, 1, 1:3, 2:]
    )
    assert pixels.read_mask((0, 0, 4, 5)).all()
    pixels.close()


@pytest.mark.parametrize(
    "order", [("time", "band", "y", "x"), ("y", "x", "band", "time"), ("x", "y", "time", "band")]
)
def test_the_order_of_dimensions_does_not_matter(order: tuple[str, ...]) -> None:
    """Any order gives the same pixels."""
    found, arrays = array_layers(cube().transpose(*order))
    asset = found.layers[2].scenes[0].assets["nir"]
    np.testing.assert_array_equal(
        open_pixels(asset.href, arrays).read([asset.band], (0, 0, 4, 5))[0], VALUES[1, 2]
    )


def test_a_plain_raster_is_one_undated_layer() -> None:
    """Without time the id is the array's name, and without bands so is the band."""
    plane = cube()[0, 0].drop_vars(["band", "time"])
    found, _ = array_layers(plane)
    assert [(layer.id, layer.datetime) for layer in found.layers] == [("cube", None)]
    assert list(found.layers[0].scenes[0].assets) == ["cube"]
    nameless, _ = array_layers(plane.rename(None))
    assert nameless.layers[0].id == "array"
    assert list(nameless.layers[0].scenes[0].assets) == ["band_1"]


def test_times_without_dates_are_counted() -> None:
    """A time dimension without coordinates makes numbered layers."""
    found, _ = array_layers(cube().drop_vars("time"))
    assert [layer.id for layer in found.layers] == ["layer-0", "layer-1", "layer-2"]


def test_variables_are_bands() -> None:
    """A Dataset's variables may differ in type; each keeps its own."""
    both = cube()
    data = xr.Dataset({"red": both[0].drop_vars("band"), "ndvi": both[1].drop_vars("band") / 2})
    data = data.rio.write_crs("EPSG:32631")
    found, arrays = array_layers(data)
    assets = found.layers[0].scenes[0].assets
    assert {name: one.dtype for name, one in assets.items()} == {"red": "int16", "ndvi": "float64"}
    ndvi = assets["ndvi"]
    np.testing.assert_array_equal(
        open_pixels(ndvi.href, arrays).read([ndvi.band], (0, 0, 4, 5))[0], VALUES[1, 0] / 2
    )


@pytest.mark.parametrize(
    ("band", "index"),
    [
        (Band(asset="nir"), 2),
        (Band(description="nir"), 2),
        (Band(index=2), 2),
        (Band(asset="2"), 2),
    ],
)
def test_bands_are_chosen_by_name_or_index(band: Band, index: int) -> None:
    """A name of the coordinate, or a number."""
    found, _ = array_layers(cube(), bands={"x": band})
    assert {n: a.band for n, a in found.layers[0].scenes[0].assets.items()} == {"x": index}


def test_an_unknown_band_offers_the_nearest() -> None:
    """A band that is not there is a typo."""
    with pytest.raises(SourceError, match="did you mean 'nir'"):
        array_layers(cube(), bands={"x": Band(asset="nr")})


def test_attributes_say_nodata_and_scale() -> None:
    """_FillValue, scale_factor and add_offset, unless the job says otherwise."""
    data = cube(_FillValue=-9, scale_factor=0.5, add_offset=2.0)
    asset = array_layers(data)[0].layers[0].scenes[0].assets["red"]
    assert (asset.nodata, asset.scale, asset.offset) == (-9, 0.5, 2.0)
    bands = {"red": Band(asset="red", nodata="none", scale_offset="none")}
    asset = array_layers(data, bands=bands)[0].layers[0].scenes[0].assets["red"]
    assert (asset.nodata, asset.scale, asset.offset) == ("none", 1.0, 0.0)


def test_a_lazy_array_is_computed_window_by_window() -> None:
    """Planning computes nothing; a read computes its chunks in the calling thread."""
    computed: list[int] = []

    def seen(block: np.ndarray) -> np.ndarray:
        computed.append(block.size)
        return block

    lazy = cube().chunk({"time": 1, "y": 2, "x": 5})
    lazy = lazy.copy(data=lazy.data.map_blocks(seen, dtype=lazy.dtype, meta=lazy.data._meta))
    found, arrays = array_layers(lazy)
    assert computed == []
    asset = found.layers[1].scenes[0].assets["red"]
    pixels = open_pixels(asset.href, arrays)
    assert pixels.header.block == (2, 5)
    with dask.config.set(scheduler="processes"):
        np.testing.assert_array_equal(pixels.read([1], (0, 0, 2, 5)), VALUES[:1, 1, :2])
    assert computed == [20]


def test_arrays_travel_by_pickle() -> None:
    """What a worker unpickles reads as the original."""
    for data in (cube(), cube().chunk({"time": 1})):
        found, arrays = array_layers(data)
        href = found.layers[2].scenes[0].assets["red"].href
        again = pickle.loads(pickle.dumps(arrays))
        assert isinstance(again[href], ArrayPixels)
        np.testing.assert_array_equal(again[href].read([2], (0, 0, 4, 5))[0], VALUES[1, 2])


def test_the_version_follows_the_values() -> None:
    """Equal values have equal versions; changed ones do not."""
    changed = VALUES.copy()
    changed[0, 0, 0, 0] += 1
    versions = [
        identified(*array_layers(cube(values))).layers[0].scenes[0].assets["red"].version
        for values in (VALUES, VALUES.copy(), changed)
    ]
    assert versions[0] == versions[1] != versions[2]


def test_south_up_arrays_are_told_so() -> None:
    """Rows that run north are a window read in reverse."""
    upright = array_layers(cube())[0].layers[0].scenes[0].assets["red"].grid
    turned = (
        array_layers(cube().isel(y=slice(None, None, -1)))[0].layers[0].scenes[0].assets["red"].grid
    )
    assert turned.south_up
    assert turned.window == upright.window


def test_a_slice_lies_where_its_coordinates_are() -> None:
    """A stale transform of the whole does not move a part of it."""
    whole = cube().rio.write_transform(Affine(10, 0, 500000, 0, -10, 5600000))
    grid = (
        array_layers(whole.isel(x=slice(2, 5), y=slice(1, 4)))[0]
        .layers[0]
        .scenes[0]
        .assets["red"]
        .grid
    )
    assert grid.lattice.bounds(grid.window) == (500020, 5599960, 500050, 5599990)


def test_without_coordinates_the_transform_counts() -> None:
    """An array of a bare transform lies where that says."""
    bare = cube().rio.write_transform(Affine(20, 0, 500000, 0, -20, 5600000)).drop_vars(["x", "y"])
    grid = array_layers(bare)[0].layers[0].scenes[0].assets["red"].grid
    assert grid.lattice.bounds(grid.window) == (500000, 5599920, 500100, 5600000)


def test_what_cannot_be_placed_is_refused() -> None:
    """No CRS, irregular coordinates, another dimension, no rows: each a clear error."""
    data = cube()
    with pytest.raises(SourceError, match="has no CRS"):
        array_layers(data.drop_vars("spatial_ref"))
    with pytest.raises(SourceError, match="irregular coordinates along x"):
        array_layers(data.assign_coords(x=[0.0, 1, 2, 3, 7]))
    with pytest.raises(SourceError, match="besides rows, columns and time"):
        array_layers(data.expand_dims(run=2))
    with pytest.raises(SourceError, match="none are x and y"):
        array_layers(data.rename(x="i", y="j").rio.write_crs("EPSG:32631"))
    with pytest.raises(SourceError, match="no xarray"):
        array_layers(VALUES)  # type: ignore[arg-type]


def test_an_href_needs_its_array() -> None:
    """An array: href that nothing stands for is an error."""
    with pytest.raises(SourceError, match="array:x"):
        open_pixels("array:x")


@pytest.mark.parametrize(
    ("dtype", "said"),
    [
        ("complex64", r"is complex \(complex64\); give the part of it to measure"),
        ("longdouble", "give integers or floats of up to 64 bits"),
        ("datetime64[s]", "give integers or floats of up to 64 bits"),
    ],
)
def test_types_that_cannot_be_measured(dtype: str, said: str) -> None:
    """They are refused in one sentence that says what to give instead."""
    with pytest.raises(SourceError, match=said):
        array_layers(cube(VALUES.astype(dtype)))


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint64", "float16", ">f4", ">i2"])
def test_types_that_can(dtype: str) -> None:
    """Each is planned by its own name and read as it is, whatever the order of its bytes."""
    values = VALUES.astype(dtype)
    found, arrays = array_layers(cube(values))
    red = found.layers[0].scenes[0].assets["red"]
    assert red.dtype == dtype
    read = open_pixels(red.href, arrays).read([1], (0, 0, 4, 5))[0]
    np.testing.assert_array_equal(read, values[0, 0])
