"""Reading: each needed block once, and what becomes of zones when a read fails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import shapely
from numpy.typing import NDArray

from tests.made.layers import with_scene
from tests.oracles import Raster, covered, dense, layer_of, measured, placed, raster
from zonalbatch.errors import PassingReadError, PermanentReadError, ReadError, SourceError
from zonalbatch.expression import bare
from zonalbatch.lattice import Lattice, Window
from zonalbatch.layers import Asset, Layer, Scene
from zonalbatch.measure import Measurement
from zonalbatch.recipe import Recipe
from zonalbatch.sinks.table import STATUS, Form, Matrix
from zonalbatch.sources import retries
from zonalbatch.sources.protocol import Header
from zonalbatch.work.layer_work import LayerSummary

FINE = Lattice("EPSG:32631", 10.0, 10.0, 0.0, 0.0)
COARSE = Lattice("EPSG:32631", 20.0, 20.0, 0.0, 0.0)
ROW, COL, HEIGHT, WIDTH = 300, -140, 700, 640
"""The rasters' first cell and size on the fine lattice: they lie in four fold tiles."""
AROUND = Window(ROW - 100, COL - 100, ROW + HEIGHT + 100, COL + WIDTH + 100)
MEMORY = (1, 2**30)
"""Fold tiles one at a time, and all at once."""


@pytest.fixture
def zones() -> list[shapely.Geometry]:
    """A few fields here and there, one across fold tiles, one beyond the border."""
    shapes = [
        shapely.Point(30, 40).buffer(9), shapely.Point(400, 333).buffer(25),
        shapely.box(100.5, 150.25, 190.75, 240.5), shapely.Point(0, 690).buffer(30),
        shapely.LineString([(20, 650), (600, 30)]).buffer(0.7), shapely.box(900, 900, 950, 950),
    ]  # fmt: skip
    return [placed(shape, FINE, ROW, COL) for shape in shapes]


def scene(rows: int = HEIGHT, cols: int = WIDTH, bands: int = 1, **about: Any) -> Raster:
    """A raster of distinct values on the fine lattice."""
    values = np.arange(bands * rows * cols).reshape(bands, rows, cols) % 60_000
    return raster(values.astype(np.uint16), FINE, ROW, COL, **about)


def cells_of(zones: Sequence[shapely.Geometry], factor: int = 1) -> NDArray[np.bool_]:
    """(row, col) cells of the rasters that any zone covers, in blocks of factor × factor."""
    coverage = covered(zones, FINE)
    total = sum((dense_of(coverage, i) for i in range(len(zones))), np.zeros(AROUND.shape))
    inside = total[100:-100, 100:-100] > 0
    blocks = inside.reshape(HEIGHT // factor, factor, WIDTH // factor, factor)
    return np.asarray(blocks.any(axis=(1, 3)))


def dense_of(coverage: Any, zone: int) -> NDArray[np.float64]:
    """(row, col) shares of a zone about the rasters; far zones are left away."""
    try:
        return dense(coverage, zone, AROUND)
    except AssertionError:
        return np.zeros(AROUND.shape)


def once(file: Raster, cells: NDArray[np.bool_]) -> None:
    """Assert that each block that holds one of the cells was read once, and no other block."""
    read = Counter(file.blocks_read())
    assert set(read) == file.blocks_with(cells)
    assert set(read.values()) == {1}


# --- each block once --------------------------------------------------------------------------


@pytest.mark.parametrize("memory", MEMORY)
@pytest.mark.parametrize("south_up", [False, True], ids=["north_up", "south_up"])
@pytest.mark.parametrize(
    "block",
    [(256, 256), (512, 512), (300, 170), (64, 1000), (1, WIDTH), (7, WIDTH), (HEIGHT, WIDTH)],
    ids=str,
)
def test_each_needed_block_is_read_once(
    zones: list[shapely.Geometry], block: tuple[int, int], south_up: bool, memory: int
) -> None:
    """Blocks that hold a covered cell are read once, no other is, whatever their shape."""
    file = scene(block=block, south_up=south_up)
    measured(zones, {"a": file}, memory=memory)
    once(file, cells_of(zones))


@pytest.mark.parametrize("memory", MEMORY)
def test_bands_of_one_file_are_read_together(zones: list[shapely.Geometry], memory: int) -> None:
    """Two bands and an expression of them ask a file for each block once."""
    file = scene(bands=3, block=(128, 128))
    layer = layer_of("one", red=("a", 1), nir=("a", 3))({"a": file})
    texts = {"red": "red", "ndvi": "(nir - red) / (nir + red)", "nir": "nir"}
    measured(zones, {"a": file}, [layer], measurements=texts, memory=memory)
    once(file, cells_of(zones))


@pytest.mark.parametrize("memory", MEMORY)
@pytest.mark.parametrize("south_up", [False, True], ids=["north_up", "south_up"])
@pytest.mark.parametrize("block", [(64, 64), (100, 90), (1, WIDTH // 2)], ids=str)
def test_a_coarse_band_on_two_lattices_is_read_once(
    zones: list[shapely.Geometry], block: tuple[int, int], south_up: bool, memory: int
) -> None:
    """A band that is measured on its own cells and on finer ones is read once for both."""
    values = np.arange(HEIGHT * WIDTH // 4).reshape(HEIGHT // 2, WIDTH // 2) % 251
    coarse = raster(
        values.astype(np.uint8), COARSE, ROW // 2, COL // 2, block=block, south_up=south_up
    )
    rasters = {"fine": scene(), "coarse": coarse}
    layer = layer_of("one", red="fine", swir="coarse")(rasters)
    texts = {"red": "red", "swir": "swir", "both": "red + swir"}
    measured(zones, rasters, [layer], measurements=texts, memory=memory)
    once(rasters["fine"], cells_of(zones))
    once(coarse, cells_of(zones, 2))


@pytest.mark.parametrize("memory", MEMORY)
def test_every_layer_is_read_once(zones: list[shapely.Geometry], memory: int) -> None:
    """Layers of other extents and blocks on one lattice are each read once."""
    rasters = {
        "a": scene(), "b": scene(block=(5, WIDTH)), "c": scene(rows=128, cols=200, block=(64, 64)),
    }  # fmt: skip
    measured(zones, rasters, memory=memory)
    cells = cells_of(zones)
    once(rasters["a"], cells)
    once(rasters["b"], cells)
    once(rasters["c"], cells[:128, :200])


def test_a_layer_that_no_zone_meets_is_not_read(zones: list[shapely.Geometry]) -> None:
    """No covered cell, no read; and the zones are not met."""
    file = scene()
    (found,) = measured(zones[-1:], {"a": file})
    assert file.windows == []
    assert not found.met.any()


# --- failed reads -----------------------------------------------------------------------------


def spoiled(
    block: tuple[int, int], at: tuple[int, int], error: ReadError
) -> Callable[[tuple[int, int, int, int]], Exception | None]:
    """A file of which one block cannot be read: no window with a cell of it can."""
    top, left = at[0] * block[0], at[1] * block[1]

    def spoil(window: tuple[int, int, int, int]) -> Exception | None:
        apart = (
            window[2] <= top or window[0] >= top + block[0]
            or window[3] <= left or window[1] >= left + block[1]
        )  # fmt: skip
        return None if apart else error

    return spoil


def lost_by(file: Raster, zones: Sequence[shapely.Geometry], at: tuple[int, int]) -> list[bool]:
    """Which zones have a covered cell in a block (north-up files)."""
    coverage = covered(zones, FINE)
    height, width = file.block
    rows = slice(100 + at[0] * height, 100 + min((at[0] + 1) * height, HEIGHT))
    cols = slice(100 + at[1] * width, 100 + min((at[1] + 1) * width, WIDTH))
    return [bool((dense_of(coverage, i)[rows, cols] > 0).any()) for i in range(len(zones))]


def statuses(found: LayerSummary, zones: int, statistics: Sequence[str]) -> list[str]:
    """The status that a result has for every zone."""
    recipe = Recipe(
        measurements=tuple(Measurement(name, bare(name)) for name in found.unread),
        statistics=tuple(statistics),
    )
    table = pa.table({"zone_id": np.arange(zones)})
    matrix = Matrix(table, 1, recipe, Form(geometry=False))
    matrix.put(found)
    return [STATUS[code] for code in matrix.status[:, 0]]


@pytest.mark.parametrize("memory", MEMORY)
@pytest.mark.parametrize("block", [(128, 128), (30, WIDTH), (HEIGHT, WIDTH)], ids=str)
def test_a_failed_block_loses_only_its_zones(
    zones: list[shapely.Geometry], block: tuple[int, int], memory: int
) -> None:
    """Zones with a cell in a block that cannot be read have no number; all others keep theirs.

    Which zones these are does not depend on memory, that is on which blocks are read together.
    """
    statistics = ["count", "mean", "median", "n_total"]
    (sound,) = measured(zones, {"a": scene()}, statistics=statistics)
    at = (333 // block[0], 400 // block[1])
    file = scene(block=block, spoil=spoiled(block, at, PermanentReadError("block is corrupt")))
    (found,) = measured(zones, {"a": file}, statistics=statistics, memory=memory)
    lost = np.array(lost_by(file, zones, at))
    assert lost.any()
    np.testing.assert_array_equal(found.unread["value"], lost)
    for key, column in found.columns.items():
        assert np.isnan(column[lost]).all()
        np.testing.assert_array_equal(column[~lost], sound.columns[key][~lost])
    status = statuses(found, len(zones), statistics)
    assert [s == "failed" for s in status] == lost.tolist()
    (failure,) = found.failures
    assert (failure.href, failure.permanent) == ("a", True)
    assert failure.cause == "block is corrupt"


def test_a_file_that_cannot_be_opened_loses_its_bands_only(
    zones: list[shapely.Geometry],
) -> None:
    """The measurements of another file keep their numbers, and the rows are partial."""

    class Broken(Raster):
        @property
        def header(self) -> Header:
            raise PermanentReadError("no such file")

    rasters: dict[str, Raster] = {"a": scene(), "b": scene()}
    layer = layer_of("one", red="a", nir="b")(rasters)
    rasters["b"] = Broken(rasters["b"].values, rasters["b"].grid)
    texts = {"red": "red", "nir": "nir", "ndvi": "(nir - red) / (nir + red)"}
    (found,) = measured(zones, rasters, [layer], measurements=texts, statistics=["mean"])
    met = np.array([True] * 5 + [False])
    np.testing.assert_array_equal(found.met, met)
    assert not found.unread["red"].any()
    np.testing.assert_array_equal(found.unread["nir"], met)
    np.testing.assert_array_equal(found.unread["ndvi"], met)
    assert np.isfinite(found.columns["red", "mean"][met]).all()
    assert np.isnan(found.columns["ndvi", "mean"]).all()
    assert [f.cause for f in found.failures] == ["no such file"]
    assert statuses(found, len(zones), ["mean"]) == ["partial"] * 5 + ["empty"]


def test_a_file_of_no_use_is_a_failure_of_its_layer(zones: list[shapely.Geometry]) -> None:
    """A file whose header is read but cannot be used (no CRS, rotated) does not end the run."""

    class Useless(Raster):
        @property
        def header(self) -> Header:
            raise SourceError("b has no CRS")

    rasters: dict[str, Raster] = {"a": scene(), "b": scene()}
    layers = [layer_of(name, value=name)(rasters) for name in rasters]
    rasters["b"] = Useless(rasters["b"].values, rasters["b"].grid)
    good, bad = measured(zones, rasters, layers, statistics=["mean"])
    assert np.isfinite(good.columns["value", "mean"][:5]).all()
    assert bad.unread["value"][:5].all()
    assert [f.permanent for f in bad.failures] == [True]


def test_a_band_that_the_file_has_not_is_a_failure(zones: list[shapely.Geometry]) -> None:
    """A layer that was planned with more bands than its file has is recorded, not a crash."""
    file = scene()
    layer = Layer(
        id="one",
        datetime=None,
        scenes=(Scene(assets={"value": Asset(href="a", band=4, grid=file.grid)}),),
    )
    (found,) = measured(zones, {"a": file}, [layer], statistics=["mean"])
    assert found.unread["value"][:5].all()
    assert [f.permanent for f in found.failures] == [True]


@pytest.mark.parametrize("fine_is_there", [True, False])
def test_a_missing_band_loses_what_needs_it(
    zones: list[shapely.Geometry], fine_is_there: bool
) -> None:
    """A layer without a band has no number for its measurements, and says why.

    Also where the bands that are there are coarser or finer than the rest of the layer.
    """
    values = np.ones((HEIGHT // 2, WIDTH // 2), np.uint8)
    rasters = {"a": scene(), "c": raster(values, COARSE, ROW // 2, COL // 2)}
    layer = with_scene(layer_of("one", red="a", swir="c")(rasters), missing={"nir": "lost"})
    text = "red - nir" if fine_is_there else "swir - nir"
    texts = {"red": "red", "swir": "swir", "index": text}
    (found,) = measured(zones, rasters, [layer], measurements=texts, statistics=["count"])
    assert found.unread["index"][:5].all()
    assert not found.unread["red"].any()
    assert not found.unread["swir"].any()
    (failure,) = found.failures
    assert "lost" in failure.cause


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits before further attempts, which take no time."""
    waited: list[float] = []
    monkeypatch.setattr(retries.RETRYING, "sleep", waited.append)
    return waited


def test_passing_failures_are_tried_again(
    zones: list[shapely.Geometry], waits: list[float]
) -> None:
    """A read that fails three times in passing is made a fourth; nothing is lost or recorded."""
    tried: Counter[tuple[int, int, int, int]] = Counter()

    def spoil(window: tuple[int, int, int, int]) -> Exception | None:
        tried[window] += 1
        return PassingReadError("503") if tried[window] < retries.TRIES else None

    (sound,) = measured(zones, {"a": scene()})
    (found,) = measured(zones, {"a": scene(spoil=spoil)})
    assert found.failures == ()
    for key, column in sound.columns.items():
        np.testing.assert_array_equal(found.columns[key], column)
    assert set(tried.values()) == {retries.TRIES}
    assert len(waits) == len(tried) * (retries.TRIES - 1)
    assert min(waits) < max(waits)


def test_passing_failures_that_stay_are_recorded_as_such(
    zones: list[shapely.Geometry], waits: list[float]
) -> None:
    """After the last attempt the zones have no number, and the failure may be tried again."""
    file = scene(spoil=lambda window: PassingReadError("503"))
    (found,) = measured(zones, {"a": file}, statistics=["mean"])
    assert found.unread["value"][:5].all()
    assert {(f.cause, f.permanent) for f in found.failures} == {("503", False)}
    assert set(Counter(file.windows).values()) == {retries.TRIES}
    assert waits


def test_permanent_failures_are_not_tried_again(
    zones: list[shapely.Geometry], waits: list[float]
) -> None:
    """What is corrupt is read once and recorded."""
    file = scene(spoil=lambda window: PermanentReadError("corrupt"))
    (found,) = measured(zones, {"a": file}, statistics=["mean"])
    assert {f.permanent for f in found.failures} == {True}
    assert waits == []
