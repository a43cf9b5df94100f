"""Explanation: which cells one zone's number is made of, and what was wrong with the others.

The cells are not worked out anew: the engine's own pipeline runs for this one zone, layer and
measurement, its totals are those that a job or `zonal_stats` gives, and the cells are taken from
its layouts and tiles as they pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from zonalbatch.cover.cells import OUTSIDE, REASONS, UNREAD
from zonalbatch.cover.coverage import CoverageRule
from zonalbatch.cover.figures import AREA, KINDS, LINE, POINT
from zonalbatch.cover.outlines import outline, shapes_of
from zonalbatch.cover.paths import paths
from zonalbatch.cover.spots import spots
from zonalbatch.explanation.amounts import Amounts
from zonalbatch.explanation.seen import Some, seen_of
from zonalbatch.lattice import TILE, Grid
from zonalbatch.layers import Failure, Layer
from zonalbatch.measure import BandCells, Encoding, Measurement
from zonalbatch.recipe import Recipe, WeightBy, cell_area
from zonalbatch.sources.protocol import Pixels
from zonalbatch.sources.secrets import shown
from zonalbatch.statistics import QuantileMethod, parse_statistics
from zonalbatch.work.ground import Ground, Shapes
from zonalbatch.work.layer_work import LayerWork, sheets_of, work_on
from zonalbatch.work.place import Place
from zonalbatch.work.reading import Handles
from zonalbatch.work.weights import Weights

__all__ = ["NAMES", "TOTALS", "Explanation", "explanation_of"]

NAMES = ("valid", "unread", "outside", "nodata", "nan", "file mask", "user mask")
"""What each reason of `cells` is called."""
TOTALS = (
    "count", "sum", "mean", "min", "max", "std", "median",
    "n_total", "n_nodata", "n_nan", "n_masked", "n_outside",
)  # fmt: skip
"""Statistics that an explanation tells; of points it tells the ``value`` as well."""
WEIGHTED = ("weighted_sum", "weighted_mean", "weighted_std")
"""Those it tells beside them where cells have weights."""
KEPT = 4_000_000
"""How many cells are kept one by one; those of later tiles are in the totals only."""
CELLS_AT_ONCE = 16 * TILE * TILE
THREADS = 8
AHEAD = 64 * 1024**2
"""Bytes of weights that are read before they are asked for."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Explanation:
    """The cells of one zone under one layer, as one measurement saw them, row by row."""

    zone_id: int | str
    id_name: str
    """What ``zone_id`` is of: a column or index, ``row`` for row numbers, ``label`` for labels."""
    layer: str
    """Id of the layer."""
    items: tuple[str, ...]
    """Ids of the items, or paths of the files, that answer, in their order; those of the layer on
    other grids are not among them."""
    measurement: Measurement
    coverage: CoverageRule
    """How the zone takes cells."""
    weights: str
    """The file of weights; empty without one."""
    weight_by: WeightBy
    """How averages weigh cells."""
    min_fraction: float
    """Share of a cell below which an area leaves it out."""
    quantile_method: QuantileMethod
    """Where quantiles lie among the values."""
    unweighed: bool
    """True if the weight of a cell could not be read."""
    grid: Grid
    """Where the raster lies whose cells are measured: the finest of the measurement's bands."""
    row: Ints
    """(cell,) row in that raster, as it is stored; beyond its sides where the cell is outside."""
    col: Ints
    """(cell,) column in that raster."""
    x: Floats
    """(cell,) x of the centre, units of the CRS."""
    y: Floats
    """(cell,) y of the centre, units of the CRS."""
    fraction: Floats
    """(cell,) weight: share of the cell for areas, metres for lines, points for points."""
    raw: Mapping[str, np.ma.MaskedArray[Any, Any]]
    """Band, the mask's last -> (cell,) raw values, masked where its file has no such cell."""
    encodings: Mapping[str, Encoding]
    """Band -> its nodata, and the scale and offset that were applied."""
    value: Floats
    """(cell,) physical value, NaN where there is none."""
    weight: Floats | None
    """(cell,) what the raster of weights says, NaN where it says nothing; None without one."""
    reason: NDArray[np.uint8]
    """(cell,) why there is no value, as in `cells`; 0 where there is one."""
    masked: Ints
    """(cell,) which mask of the measurement took it, from 0; -1 where none did."""
    grown: NDArray[np.bool_]
    """(cell,) True where that mask took it only because it grows."""
    totals: Mapping[str, float | None]
    """Statistic -> what a run writes; None where it writes null."""
    amounts: Amounts
    """How much of the zone the classes and bins have that are given."""
    n_cells: int
    """Number of covered cells in the tiles that were visited; more than there are rows if the
    zone is very large."""
    unlisted: float
    """Sum of the weights of cells so far from the layer's files that they are outside unseen."""
    failures: tuple[Failure, ...]
    """What could not be read; with any unread cell a zone has no numbers."""
    outline: tuple[Floats, ...]
    """(vertex, 2) each: rings of an area, segments of a line, points, in the raster's CRS."""
    kind: int
    """Kind of the zone: `figures.AREA`, ``LINE`` or ``POINT``."""

    def __repr__(self) -> str:
        mean = self.totals["mean"]
        return (
            f"<Explanation of {self.measurement.name} of zone {self.zone_id!r} on layer "
            f"{self.layer!r}: mean {'null' if mean is None else f'{mean:g}'}, "
            f"{self.n_cells:,} cells>"
        )

    @property
    def met(self) -> bool:
        """True if a covered cell lies in the layer's files."""
        return bool((self.reason != OUTSIDE).any())

    @property
    def status(self) -> str:
        """``ok``; ``empty`` without a valid cell; ``failed`` if a cell, ``partial`` if only its
        weight could not be read."""
        if self.totals["n_total"] is None:
            return "failed"
        if self.unweighed:
            return "partial"
        return "ok" if self.totals["count"] else "empty"

    @property
    def complete(self) -> bool:
        """True if every covered cell of the visited tiles is a row here."""
        return len(self.row) == self.n_cells

    @cached_property
    def by_reason(self) -> dict[str, tuple[int, float]]:
        """Reason -> number of the cells here and the sum of their weights; only what occurs."""
        number = np.bincount(self.reason, minlength=REASONS)
        weight = np.bincount(self.reason, self.fraction, minlength=REASONS)
        found = zip(NAMES, number.tolist(), weight.tolist(), strict=True)
        return {name: (n, w) for name, n, w in found if n}

    def to_frame(self) -> pd.DataFrame:
        """A row for each cell: row, col, x, y, fraction, a ``raw_`` column a band, value, a weight
        where there are weights, reason.

        Raw values are of nullable types where a cell has none.
        """
        columns: dict[str, Any] = {
            "row": self.row, "col": self.col, "x": self.x, "y": self.y, "fraction": self.fraction,
        }  # fmt: skip
        for band, raw in self.raw.items():
            column = pd.Series(raw.data)
            lacking = np.ma.getmaskarray(raw)
            if lacking.any():
                column = column.convert_dtypes(convert_string=False).mask(lacking)
            columns[f"raw_{band}"] = column
        columns["value"] = self.value
        if self.weight is not None:
            columns["weight"] = self.weight
        columns["reason"] = np.array(NAMES, dtype=object)[self.reason]
        if self.measurement.masks:
            columns["mask"] = self._masks()
        return pd.DataFrame(columns)

    def _masks(self) -> NDArray[np.object_]:
        """(cell,) band of the mask that took it, and whether it does so only as it grows."""
        bands = np.array(["", *(mask.band for mask in self.measurement.masks)], dtype=object)
        return np.where(self.grown, bands[self.masked + 1] + ", grown", bands[self.masked + 1])

    @cached_property
    def by_mask(self) -> dict[str, tuple[int, float]]:
        """Band of a mask, with "grown" where it took a cell only so -> number of cells, weights."""
        names = self._masks()
        found = {str(name): names == name for name in dict.fromkeys(names) if name}
        return {n: (int(at.sum()), float(self.fraction[at].sum())) for n, at in found.items()}


def explanation_of(
    zone_id: int | str,
    id_name: str,
    shapes: Shapes,
    layer: Layer,
    recipe: Recipe,
    *,
    open_pixels: Callable[[str], Pixels],
) -> Explanation:
    """How the number of one zone on one layer comes about.

    Args:
        zone_id: what the zone is called.
        id_name: what that is of.
        shapes: that zone alone.
        layer: on a unified lattice, with the bands that the whole job reads.
        recipe: how numbers are made, with one measurement.
        open_pixels: opens a file.

    Raises:
        GridMismatch: a file's grid is not that of its asset.
    """
    (measurement,) = recipe.measurements
    kind = int(KINDS[shapely.get_type_id(shapes_of(shapes.wkb))[0]])
    totals = (*TOTALS, "value") if kind == POINT else TOTALS
    totals = totals if recipe.weights is None else (*totals, *WEIGHTED)
    totals = tuple(dict.fromkeys([*totals, *_quantiles(recipe)]))
    amounts = Amounts.asked(recipe.breakdown)
    recipe = replace(recipe, statistics=(*totals, *amounts), sketch=False)
    handles = Handles(open_pixels)
    with ThreadPoolExecutor(THREADS, thread_name_prefix="read") as pool, closing(handles):
        weights = None
        if recipe.weights is not None:
            weights = Weights(recipe.weights, handles, pool, ahead=AHEAD, room=0)
        ground = Ground.of(shapes, [layer], recipe, CELLS_AT_ONCE, weights)
        work = _work(ground, recipe, handles, layer)
        found, n_cells = _watched(work, measurement, pool)
    summary = work.finish()
    coverage = work.passes[0].covered.coverage
    (place,) = ground.extents
    grid = _finest(layer, measurement)
    return Explanation(
        zone_id=zone_id,
        id_name=id_name,
        layer=layer.id,
        items=layer.items,
        measurement=measurement,
        coverage=recipe.coverage,
        weights="" if recipe.weights is None else shown(recipe.weights.href),
        weight_by=recipe.weight_by,
        min_fraction=recipe.min_fraction,
        quantile_method=recipe.quantile_method,
        unweighed=bool(summary.unweighed[0]),
        grid=grid,
        **_columns(found, grid, measurement, weighted=recipe.weights is not None),
        encodings={
            band: told
            for _, encodings in reversed(summary.encodings)
            for band, told in encodings.items()
            if band in measurement.bands
        },
        totals={
            one.name: _number(summary.columns[measurement.name, one.column])
            for one in recipe.asked
            if one.by is None
        },
        amounts=Amounts.of(summary, measurement, recipe),
        n_cells=n_cells,
        unlisted=max(0.0, float(coverage.zone_total[0] - coverage.total.sum()))
        if coverage.beyond[0]
        else 0.0,
        failures=summary.failures,
        outline=_drawn(shapes, recipe, place),
        kind=kind,
    )


def _quantiles(recipe: Recipe) -> Iterator[str]:
    """The quantiles that are asked for."""
    return (s.name for s in parse_statistics(recipe.statistics) if s.probability is not None)


def _work(ground: Ground, recipe: Recipe, handles: Handles, layer: Layer) -> LayerWork:
    """The layer, ready to be read."""
    sheets = sheets_of(layer, recipe)
    headers: list[Future[Any]] = [Future() for _ in sheets]
    for sheet, header in zip(sheets, headers, strict=True):
        header.set_result(handles.header(sheet.href))
    return work_on(ground, recipe, handles, layer, sheets, headers)


def _watched(
    work: LayerWork, measurement: Measurement, pool: ThreadPoolExecutor
) -> tuple[list[Some], int]:
    """Read and reduce a layer; the cells of the first tiles, and the number of all."""
    found, n_cells = [], 0
    for step in work.steps:
        reads, _ = work.reads(step)
        work.reduce(step, list(pool.map(lambda read: read(), reads)))
        for layout in work.layouts:
            if n_cells < KEPT:
                found.append(seen_of(work, step, layout, measurement))
            n_cells += layout.size
    return found, n_cells


def _finest(layer: Layer, measurement: Measurement) -> Grid:
    """Where the raster lies whose cells are measured."""
    every = layer.scenes[0].assets
    assets = [every[b] for b in measurement.bands if b in every]
    return min(assets or every.values(), key=cell_area).grid


def _columns(
    found: list[Some], grid: Grid, measurement: Measurement, *, weighted: bool
) -> dict[str, Any]:
    """The cells of all tiles in order of (row, col) from north to south."""
    row, col = _joined([s.row for s in found], int), _joined([s.col for s in found], int)
    order = np.lexsort((col, row))
    row, col = row[order], col[order]
    lattice, window = grid.lattice, grid.window
    raw = {
        name: np.ma.concatenate([_there(s.raw[name]) for s in found])[order]
        if found
        else np.ma.masked_array([], dtype=float)
        for name in measurement.bands
    }
    return {
        "row": window.bottom - 1 - row if grid.south_up else row - window.top,
        "col": col - window.left,
        "x": lattice.x0 + lattice.dx * (col + 0.5),
        "y": lattice.y0 - lattice.dy * (row + 0.5),
        "fraction": _joined([s.fraction for s in found], float)[order],
        "raw": raw,
        "value": _joined([s.value for s in found], float)[order],
        "weight": _joined([s.weight for s in found], float)[order] if weighted else None,
        "reason": _joined([s.reason for s in found], np.uint8)[order],
        "masked": _joined([s.masked for s in found], np.int64)[order],
        "grown": _joined([s.grown for s in found], bool)[order],
    }


def _joined(parts: list[NDArray[Any]], dtype: Any) -> NDArray[Any]:
    return np.concatenate([np.empty(0, dtype), *parts])


def _there(cells: BandCells) -> np.ma.MaskedArray[Any, Any]:
    """Raw values, masked where the file has no such cell or it could not be read."""
    if not len(cells.reasons):
        return np.ma.masked_array(cells.values, np.zeros(len(cells.values), bool))
    absent = np.isin(cells.reasons, [UNREAD, OUTSIDE])
    return np.ma.masked_array(cells.values, absent)


def _number(column: Any) -> float | None:
    """The one number of a column, None for NaN."""
    number = float(column[0])
    return None if np.isnan(number) else number


def _drawn(shapes: Shapes, recipe: Recipe, place: Place) -> tuple[Floats, ...]:
    """The lines that a zone is drawn with, where the engine's coverage has them."""
    lattice, some = place.lattice, shapes_of(shapes.wkb)
    kind = KINDS[shapely.get_type_id(some)[0]]
    cell = (lattice.dx, lattice.dy)
    if kind == AREA:
        found = outline(
            some, shapes.crs, lattice.crs, cell=cell, densify=recipe.densify, west=place.west
        )
        return tuple(_split(found.xy, found.rings))
    if kind == LINE:
        segments = paths(
            some, shapes.crs, lattice.crs, cell=cell, densify=recipe.densify, west=place.west
        )
        return tuple(np.stack([segments.low, segments.high], axis=1))
    return (spots(some, shapes.crs, lattice.crs, west=place.west).xy,)


def _split(xy: Floats, starts: Ints) -> Iterator[Floats]:
    for start, stop in pairwise(starts.tolist()):
        yield xy[start:stop]
