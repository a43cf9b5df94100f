"""Oracles: coverage, statistics and quantiles worked out the slow and obvious way.

Beside them, what tests of the pipeline share: rasters in memory that note what is read of them,
and one call that covers or summarises a few zones.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from tests.made.names import COUNTS
from tests.made.places import CELL, CRS, LEFT, TOP
from tests.made.zones import wkb
from zonalbatch.breakdown import Breakdown
from zonalbatch.cover.coverage import Coverage, CoverageRule, cover
from zonalbatch.cover.outlines import outline
from zonalbatch.expression import bare, parse
from zonalbatch.lattice import TILE, Grid, Lattice, Window
from zonalbatch.layers import Asset, Layer, Scene
from zonalbatch.masks.mask import Mask
from zonalbatch.measure import Measurement
from zonalbatch.recipe import LISTS, Recipe, WeightBy
from zonalbatch.sources.protocol import Header
from zonalbatch.work.ground import Shapes
from zonalbatch.work.layer_work import LayerSummary
from zonalbatch.work.summarise import summarise

QUANTILES = {"p0": 0.0, "p10": 0.1, "p25": 0.25, "median": 0.5, "p90": 0.9, "p100": 1.0}
STATISTICS = (
    *COUNTS, "n_total", "valid_fraction", "sum", "mean", "min", "max", "range", "std", "variance",
    *QUANTILES,
)  # fmt: skip


# --- coverage ---------------------------------------------------------------------------------


def areas(shape: shapely.Geometry, lattice: Lattice, window: Window) -> NDArray[np.float64]:
    """(row, col) area that a shape shares with each cell of a window, cells, by shapely.

    The shape is brought to cells from the window's corner first: areas of small cells at large
    coordinates would lose the digits that are asked for.
    """
    rows, cols = np.indices(window.shape)
    boxes = shapely.box(cols, rows, cols + 1, rows + 1)
    return np.asarray(shapely.area(shapely.intersection(boxes, in_cells(shape, lattice, window))))


def centers_inside(
    shape: shapely.Geometry, lattice: Lattice, window: Window
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(row, col) whether a cell's centre lies in a shape, and whether it is away from its edge."""
    local = in_cells(shape, lattice, window)
    rows, cols = np.indices(window.shape)
    centers = shapely.points(cols + 0.5, rows + 0.5)
    clear = shapely.distance(shapely.boundary(local), centers) > 1e-7
    return np.asarray(shapely.contains(local, centers)), np.asarray(clear)


def in_cells(shape: shapely.Geometry, lattice: Lattice, window: Window) -> shapely.Geometry:
    """A shape in columns and rows from the upper left corner of a window."""

    def moved(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        col = (xy[:, 0] - lattice.x0) / lattice.dx - window.left
        row = (lattice.y0 - xy[:, 1]) / lattice.dy - window.top
        return np.column_stack([col, row])

    return shapely.transform(shape, moved)


def placed(shape: shapely.Geometry, lattice: Lattice, row: int, col: int) -> shapely.Geometry:
    """A shape given in columns and rows from a cell, in the coordinates of the lattice."""

    def moved(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        x = lattice.x0 + lattice.dx * (col + xy[:, 0])
        y = lattice.y0 - lattice.dy * (row + xy[:, 1])
        return np.column_stack([x, y])

    return shapely.transform(shape, moved)


def window_of(shape: shapely.Geometry, lattice: Lattice, margin: int = 1) -> Window:
    """The cells that a shape may touch, and some around."""
    left, bottom, right, top = shapely.bounds(shape)
    return Window(
        int(np.floor((lattice.y0 - top) / lattice.dy)) - margin,
        int(np.floor((left - lattice.x0) / lattice.dx)) - margin,
        int(np.ceil((lattice.y0 - bottom) / lattice.dy)) + margin,
        int(np.ceil((right - lattice.x0) / lattice.dx)) + margin,
    )


def covered(
    zones: Sequence[shapely.Geometry | None],
    lattice: Lattice,
    rule: CoverageRule = "fraction",
    extent: Window | None = None,
) -> Coverage:
    """What the package says that zones in the lattice's CRS cover."""
    outlines = outline(wkb(zones), lattice.crs, lattice.crs, cell=(lattice.dx, lattice.dy))
    return cover(outlines, lattice, rule=rule, extent=extent)


def shares(coverage: Coverage, zone: int) -> dict[tuple[int, int], float]:
    """(row, col) of the lattice -> share, of the cells that one zone covers.

    Raises:
        AssertionError: a cell is covered twice, or a run leaves its row.
    """
    found: dict[tuple[int, int], float] = {}
    for piece in np.flatnonzero(coverage.zone == zone):
        row0 = int(coverage.tile_row[piece]) * TILE
        col0 = int(coverage.tile_col[piece]) * TILE
        cells: list[tuple[int, float]] = []
        for run in range(*coverage.run_span[piece]):
            at, length = int(coverage.run_at[run]), int(coverage.run_length[run])
            assert at // TILE == (at + length - 1) // TILE
            cells += [(at + i, 1.0) for i in range(length)]
        for cell in range(*coverage.cell_span[piece]):
            cells.append((int(coverage.cell_at[cell]), float(coverage.cell_fraction[cell])))
        for at, share in cells:
            key = (row0 + at // TILE, col0 + at % TILE)
            assert key not in found
            found[key] = share
    return found


def dense(coverage: Coverage, zone: int, window: Window) -> NDArray[np.float64]:
    """(row, col) share of each cell of a window that one zone covers.

    Raises:
        AssertionError: a covered cell lies outside of the window.
    """
    out = np.zeros(window.shape)
    for (row, col), share in shares(coverage, zone).items():
        assert window.top <= row < window.bottom
        assert window.left <= col < window.right
        out[row - window.top, col - window.left] = share
    return out


# --- statistics -------------------------------------------------------------------------------


def quantile(values: NDArray[Any], weights: NDArray[np.float64], q: float) -> float:
    """One quantile by the definition: S_k = k·w_k + (n−1)·C_(k−1), linear at q·S_(n−1)."""
    kept = weights >= 1e-6 * weights.max()
    value, weight = values[kept].astype(np.float64), weights[kept].astype(np.longdouble)
    order = np.lexsort((weight, value))
    value, weight = value[order], weight[order]
    n = len(value)
    if n == 1:
        return float(value[0])
    before = np.concatenate([[0], np.cumsum(weight)[:-1]])
    s = np.arange(n) * weight + (n - 1) * before
    goal = q * s[-1]
    k = min(int(np.searchsorted(s, goal, side="right")) - 1, n - 2)
    part = (goal - s[k]) / (s[k + 1] - s[k])
    return float(value[k] + part * (value[k + 1] - value[k]))


@dataclass(frozen=True, kw_only=True)
class Told:
    """What is known of the cells of one band beside their raw values; arrays are (row, col)."""

    nodata: float | int | None = None
    scale: float = 1.0
    offset: float = 0.0
    inside: NDArray[np.bool_] | None = None
    """True where the file has cells."""
    valid: NDArray[np.bool_] | None = None
    """The file's own mask, True means valid."""
    unwanted: NDArray[np.bool_] | None = None
    """True where the user's mask lies."""


def zonal(raw: NDArray[Any], share: NDArray[np.float64], told: Told) -> dict[str, float]:
    """All statistics of one zone from (row, col) raw values and shares; NaN for no value."""
    everything = np.ones(raw.shape, bool)
    inside = everything if told.inside is None else told.inside
    n_nodata = np.zeros(raw.shape, bool)
    if told.nodata is not None:
        n_nodata = np.isnan(raw) if np.isnan(told.nodata) else raw == told.nodata
    n_nan = ~np.isfinite(raw) if raw.dtype.kind == "f" else ~everything
    n_masked = ~everything
    if told.valid is not None:
        n_masked = n_masked | ~told.valid
    if told.unwanted is not None:
        n_masked = n_masked | told.unwanted
    open_ = everything
    out: dict[str, float] = {"n_total": share.sum()}
    reasons = {"n_outside": ~inside, "n_nodata": n_nodata, "n_nan": n_nan, "n_masked": n_masked}
    for name, where in reasons.items():  # the first reason wins
        out[name] = share[open_ & where].sum()
        open_ = open_ & ~where
    good = open_ & (share > 0)
    return out | of_valid(raw[good], share[good], told, out["n_total"])


def of_valid(
    raw: NDArray[Any], weights: NDArray[np.float64], told: Told, total: float
) -> dict[str, float]:
    """The statistics of valid raw values, in extended precision."""
    count = float(weights.sum())
    ratio = count / total if total > 0 else np.nan
    if not len(raw):
        nothing = dict.fromkeys(STATISTICS, np.nan)
        return {k: v for k, v in nothing.items() if not k.startswith("n_")} | {
            "count": 0.0,
            "valid_fraction": ratio,
        }
    physical = raw.astype(np.float64) * told.scale + told.offset
    v, w = physical.astype(np.longdouble), weights.astype(np.longdouble)
    mean = (v * w).sum() / w.sum()
    variance = float((w * (v - mean) ** 2).sum() / w.sum())
    return {
        "count": count,
        "valid_fraction": ratio,
        "sum": float((v * w).sum()),
        "mean": float(mean),
        "variance": variance,
        "std": variance**0.5,
        "min": float(physical.min()),
        "max": float(physical.max()),
        "range": float(physical.max() - physical.min()),
    } | {name: quantile(physical, weights, q) for name, q in QUANTILES.items()}


# --- rasters and layers -----------------------------------------------------------------------


@dataclass(eq=False)
class Raster:
    """A raster in memory; notes which windows are read of it, in the file's own order of rows."""

    values: NDArray[Any]
    """(band, row, col), north row first whatever the order of the file's rows."""
    grid: Grid
    nodata: float | int | None = None
    scale: float = 1.0
    offset: float = 0.0
    block: tuple[int, int] = (256, 256)
    valid: NDArray[np.bool_] | None = None
    """(row, col) the file's own mask, north row first."""
    spoil: Callable[[tuple[int, int, int, int]], Exception | None] = lambda window: None
    """Window -> the error that its read ends with."""
    windows: list[tuple[int, int, int, int]] = field(default_factory=list)
    """(top, left, bottom, right) of every read of pixels that was tried."""
    _lock: Any = field(default_factory=threading.Lock)

    @property
    def header(self) -> Header:
        """What the raster says of itself."""
        count, dtype = len(self.values), self.values.dtype.name
        return Header(
            grid=self.grid,
            dtypes=(dtype,) * count,
            nodata=(self.nodata,) * count,
            scales=(self.scale,) * count,
            offsets=(self.offset,) * count,
            descriptions=(None,) * count,
            block=self.block,
            masked=self.valid is not None,
            version="",
        )

    def read(self, bands: Sequence[int], window: tuple[int, int, int, int]) -> NDArray[Any]:
        """Raw pixels of a window, noted."""
        with self._lock:
            self.windows.append(window)
        error = self.spoil(window)
        if error is not None:
            raise error
        top, left, bottom, right = window
        assert 0 <= top < bottom <= self.grid.shape[0]
        assert 0 <= left < right <= self.grid.shape[1]
        return self._filed(self.values)[[b - 1 for b in bands], top:bottom, left:right].copy()

    def read_mask(self, window: tuple[int, int, int, int]) -> NDArray[np.bool_]:
        """The mask of a window."""
        top, left, bottom, right = window
        valid = np.ones(self.grid.shape, bool) if self.valid is None else self.valid
        return self._filed(valid)[top:bottom, left:right].copy()

    def close(self) -> None:
        """Nothing to let go of."""

    def _filed(self, array: NDArray[Any]) -> NDArray[Any]:
        return array[..., ::-1, :] if self.grid.south_up else array

    def blocks_read(self) -> list[tuple[int, int]]:
        """(block row, block col) of every block of every read, in the file's own order of rows."""
        found = []
        for top, left, bottom, right in self.windows:
            rows = range(top // self.block[0], -(-bottom // self.block[0]))
            cols = range(left // self.block[1], -(-right // self.block[1]))
            found += [(r, c) for r in rows for c in cols]
        return found

    def blocks_with(self, cells: NDArray[np.bool_]) -> set[tuple[int, int]]:
        """Blocks that hold a True of (row, col) cells, which are north row first."""
        rows, cols = np.nonzero(self._filed(cells))
        return {
            (int(r), int(c))
            for r, c in zip(rows // self.block[0], cols // self.block[1], strict=True)
        }


def lattice_at(left: float = LEFT, top: float = TOP, cell: float = CELL, crs: str = CRS) -> Lattice:
    """A lattice of square cells."""
    return Lattice.through(crs, left, top, cell, cell)


def raster(
    values: NDArray[Any],
    lattice: Lattice,
    row: int,
    col: int,
    *,
    south_up: bool = False,
    **about: Any,
) -> Raster:
    """A raster of (row, col) or (band, row, col) values whose first cell is (row, col)."""
    cube = values if values.ndim == 3 else values[None]
    height, width = cube.shape[1:]
    grid = Grid(lattice, Window(row, col, row + height, col + width), south_up)
    return Raster(cube, grid, **about)


def layer_of(name: str, **bands: str | tuple[str, int]) -> Callable[[Mapping[str, Raster]], Layer]:
    """How a layer is made of named rasters: band name -> raster, or (raster, 1-based band)."""

    def made(rasters: Mapping[str, Raster]) -> Layer:
        places = {b: (at, 1) if isinstance(at, str) else at for b, at in bands.items()}
        assets = {
            band: Asset(href=href, band=index, grid=rasters[href].grid)
            for band, (href, index) in places.items()
        }
        return Layer(id=name, datetime=None, scenes=(Scene(assets=assets),))

    return made


def measured(
    zones: Sequence[shapely.Geometry | None],
    rasters: Mapping[str, Raster],
    layers: Sequence[Layer] | None = None,
    *,
    measurements: Mapping[str, str] | None = None,
    mask: Mask | Sequence[Mask] | None = None,
    statistics: Sequence[Any] = STATISTICS,
    rule: CoverageRule = "fraction",
    sketch: bool = False,
    memory: int = 2**28,
    crs: str | None = None,
    breakdown: Breakdown = LISTS,
    weights: str | None = None,
    weight_by: WeightBy = "fraction",
    **recipe_keys: Any,
) -> list[LayerSummary]:
    """What the pipeline says of zones, by default in the rasters' CRS and with a layer of each.

    The raster named by ``weights`` weighs cells, by its first band, and makes no layer. More keys
    are those of the recipe.
    """
    if layers is None:
        layers = [layer_of(href, value=href)(rasters) for href in rasters if href != weights]
    named = measurements or {"value": "value"}
    masks = () if mask is None else (mask,) if isinstance(mask, Mask) else tuple(mask)
    recipe = Recipe(
        measurements=tuple(
            Measurement(name, bare(text) if text.isidentifier() else parse(text), masks)
            for name, text in named.items()
        ),
        statistics=tuple(statistics),
        coverage=rule,
        breakdown=breakdown,
        weights=Asset(href=weights, band=1, grid=rasters[weights].grid) if weights else None,
        weight_by=weight_by,
        sketch=sketch,
        **recipe_keys,
    )
    crs = crs or next(iter(rasters.values())).grid.lattice.crs
    return list(
        summarise(
            Shapes(wkb(zones), crs),
            layers,
            recipe,
            open_pixels=lambda href: rasters[href],
            memory=memory,
        )
    )


def bits(summary: LayerSummary) -> dict[str, bytes]:
    """Every column of a layer as bytes, to compare to the last bit."""
    return {
        "_".join(key): column.tobytes()
        if isinstance(column, np.ndarray)
        else repr(column.to_pylist()).encode()
        for key, column in summary.columns.items()
    }
