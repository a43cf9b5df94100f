"""Pictures of rasters: colours where they belong, and nothing where there is no data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from pyproj import Transformer
from rasterio.io import MemoryFile

from tests.made.rasters import write_tif
from zonalbatch.errors import ZonalbatchError
from zonalbatch.service.desk import Desk
from zonalbatch.service.pictures.colours import ANCHORS, STEPS, png, ramp
from zonalbatch.service.pictures.drawing import Picture, PictureQuestion, picture
from zonalbatch.service.refusals import Refusal
from zonalbatch.service.settings import Settings

DEGREES: dict[str, Any] = {"left": 7.0, "top": 50.0, "cell": 0.1, "crs": "EPSG:4326"}


def asked(folder: Path, name: str = "a.tif", settings: dict[str, Any] | None = None,
          **question: Any) -> Picture:  # fmt: skip
    """The picture of a file of a folder."""
    whole = {"band": 1, "bounds": None, "size": 200, "values": None} | question
    desk = Desk(Settings(root=folder, **(settings or {})))
    return picture(desk, PictureQuestion(url=f"file:///{name}", **whole))


def pixels(data: bytes) -> NDArray[np.uint8]:
    """(row, col, 4) red, green, blue and alpha of a PNG, as GDAL reads it."""
    with MemoryFile(data) as held, held.open() as file:
        colours = np.array([file.colormap(1)[step] for step in range(STEPS + 1)], np.uint8)
        return colours[file.read(1)]


def colour(share: float) -> list[int]:
    """Of a share of the way from the first colour to the last, opaque."""
    return [*ramp()[round(share * (STEPS - 1))].tolist(), 255]


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_steps_are_colours_and_zero_is_transparent() -> None:
    """GDAL reads what is written; the ends of the ramp are its anchors."""
    found = pixels(png(np.array([[0, 1, STEPS], [1, 0, 0]], np.uint8)))
    assert found.shape == (2, 3, 4)
    assert found[0, 0, 3] == found[1, 1, 3] == found[1, 2, 3] == 0
    assert found[0, 1].tolist() == [*bytes.fromhex(ANCHORS[0]), 255]
    assert found[0, 2].tolist() == [*bytes.fromhex(ANCHORS[-1]), 255]


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_each_cell_has_its_colour_and_nodata_has_none(tmp_path: Path) -> None:
    """A cell of 0.1° is a square of the picture, in the colour of its value between the ends."""
    values = np.array([[1, 2], [0, 5]], "uint8")
    write_tif(tmp_path / "a.tif", values, nodata=0, **DEGREES)
    drawn = asked(tmp_path, values=(1, 5))
    found = pixels(drawn.png)
    rows, cols = found.shape[0] // 2, found.shape[1] // 2
    assert drawn.bounds == pytest.approx((7.0, 49.8, 7.2, 50.0))
    squares = found[:rows, :cols], found[:rows, cols:], found[rows:, cols:]
    for square, share in zip(squares, (0, 0.25, 1), strict=True):
        assert (square == colour(share)).all()
    assert (found[rows:, :cols, 3] == 0).all()


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_scale_and_offset_are_applied(tmp_path: Path) -> None:
    """Values of the ends are physical."""
    values = np.arange(100, dtype="int16").reshape(10, 10)
    write_tif(tmp_path / "a.tif", values, scale=0.5, offset=10, **DEGREES)
    drawn = asked(tmp_path)
    assert drawn.values is not None
    np.testing.assert_allclose(drawn.values, (11, 58.5), atol=0.6)


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize("side", [300, 3000])
def test_a_place_of_a_projected_raster_is_where_its_degrees_say(tmp_path: Path, side: int) -> None:
    """The only bright cells are seen within a pixel of where PROJ puts them; thinned or not."""
    values = np.ones((side, side), "uint8")
    row, col, half = side // 3, side // 4, side // 60
    values[row - half : row + half, col - half : col + half] = 9
    cell = 30_000 / side
    write_tif(tmp_path / "a.tif", values, left=500_000, top=5_600_000, cell=cell, crs="EPSG:32631")
    drawn = asked(tmp_path, size=500, values=(1, 9))
    found = pixels(drawn.png)
    bright = np.argwhere((found == colour(1)).all(2))
    west, south, east, north = drawn.bounds
    down, across = (north - south) / found.shape[0], (east - west) / found.shape[1]
    there = west + (bright[:, 1].mean() + 0.5) * across, north - (bright[:, 0].mean() + 0.5) * down
    onto = Transformer.from_crs("EPSG:32631", "OGC:CRS84", always_xy=True)
    expected = onto.transform(500_000 + col * cell, 5_600_000 - row * cell)
    assert abs(there[0] - expected[0]) <= across / 2
    assert abs(there[1] - expected[1]) <= down / 2


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_bounds_cut_the_picture(tmp_path: Path) -> None:
    """What is asked for beyond the raster is left out, and the bounds say so."""
    write_tif(tmp_path / "a.tif", np.full((4, 4), 3, "uint8"), **DEGREES)
    drawn = asked(tmp_path, bounds=(7.3, 49.0, 9.0, 49.75))
    assert drawn.bounds == pytest.approx((7.3, 49.6, 7.4, 49.75))
    assert (pixels(drawn.png)[..., 3] == 255).all()


def test_a_raster_without_data_is_transparent(tmp_path: Path) -> None:
    """There are no ends where there are no values."""
    write_tif(tmp_path / "a.tif", np.zeros((4, 4), "uint8"), nodata=0, **DEGREES)
    assert asked(tmp_path).values is None


def test_what_cannot_be_drawn_is_refused(tmp_path: Path) -> None:
    """Elsewhere, no such band, too many pixels: each is a sentence."""
    write_tif(tmp_path / "a.tif", np.ones((400, 400), "uint8"), **DEGREES | {"cell": 0.001})
    with pytest.raises(Refusal, match="is not there"):
        asked(tmp_path, bounds=(-10.0, -10.0, -9.0, -9.0))
    with pytest.raises(ZonalbatchError, match="band"):
        asked(tmp_path, band=2)
    with pytest.raises(Refusal, match="160,000 pixels"):
        asked(tmp_path, settings={"pixels": 1000})


def test_overviews_spare_pixels(tmp_path: Path) -> None:
    """A picture of a file with overviews is made of one of them, whatever its size."""
    values = np.ones((2048, 2048), "uint8")
    write_tif(tmp_path / "a.tif", values, **DEGREES | {"cell": 0.001}, driver="COG")
    with rasterio.open(tmp_path / "a.tif") as file:
        assert file.overviews(1) == [2, 4]
    drawn = asked(tmp_path, settings={"pixels": 600 * 600})
    assert drawn.values == (1, 1)
