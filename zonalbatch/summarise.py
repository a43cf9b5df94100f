"""Summarise: cover -> read -> gather -> measure -> reduce -> finalize, for some zones and layers.

This is the engine's inner pipeline, the same in a worker and in `zonal_stats`. The cells that zones
cover are found once for each lattice and serve all layers on it; layers are reduced one after the
other while the reads of the next ones go on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from zonalbatch.cells import Covered, Layout
from zonalbatch.coverage import CoverageRule, cover
from zonalbatch.errors import GridMismatch, PermanentReadError, ReadError, SourceError
from zonalbatch.lattice import Lattice, Window, nesting_factor
from zonalbatch.layers import Asset, Failure, Layer
from zonalbatch.measure import BandCells, Encoding, Measurement, TileBand, measure
from zonalbatch.outlines import outline
from zonalbatch.reading import (
    Handles,
    Pass,
    Schedule,
    Sheet,
    SheetReader,
    Step,
    nesting,
    processors,
    read_ahead,
    steps_of,
)
from zonalbatch.sources.protocol import Header, Pixels, is_remote
from zonalbatch.statistics import Summary, parse_statistics

__all__ = ["LayerSummary", "Recipe", "Shapes", "lattices_of", "summarise"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How numbers are made: all that a result depends on beside zones and layers."""

    measurements: tuple[Measurement, ...]
    statistics: tuple[str, ...]
    coverage: CoverageRule = "fraction"
    densify: Literal["auto", "none"] = "auto"

    @property
    def bands(self) -> tuple[str, ...]:
        """Names of all bands that are read."""
        return tuple(dict.fromkeys(b for m in self.measurements for b in m.bands))


@dataclass(frozen=True, slots=True, eq=False)
class Shapes:
    """The geometries of some zones."""

    wkb: Any
    """(zone,) WKB, pyarrow or object array, or an object array of geometries."""
    crs: str


@dataclass(frozen=True, slots=True, eq=False)
class LayerSummary:
    """The statistics of one layer for every zone of a part."""

    layer: Layer
    met: NDArray[np.bool_]
    """(zone,) True if the zone has a covered cell in the layer's extent."""
    columns: Mapping[tuple[str, str], NDArray[np.float64]]
    """(measurement, statistic column) -> (zone,) values, NaN for none."""
    unread: Mapping[str, NDArray[np.bool_]]
    """Measurement -> (zone,) True if a cell of the zone could not be read."""
    valid: NDArray[np.bool_]
    """(zone,) True if any measurement has a valid cell."""
    failures: tuple[Failure, ...]
    encodings: Mapping[str, Encoding]
    """What was applied to each band that was read."""


def summarise(
    shapes: Shapes,
    layers: Sequence[Layer],
    recipe: Recipe,
    *,
    open_pixels: Callable[[str], Pixels],
    memory: int,
    requests: int = 64,
) -> Iterator[LayerSummary]:
    """The statistics of every layer, in order.

    Args:
        shapes: the zones.
        layers: on unified lattices; each has at least one asset.
        recipe: what to compute.
        open_pixels: opens a file.
        memory: bytes that buffers may take, beside coverage and results.
        requests: how many reads may go on at once.

    Raises:
        GridMismatch: a file's grid is not that of its asset.
    """
    remote = any(is_remote(a.href) for layer in layers for a in layer.assets.values())
    threads = max(min(requests, 8 if remote else 1), processors())
    handles = Handles(open_pixels)
    ground = _Ground.of(shapes, layers, recipe, cells_at_once=max(1, memory // 512))
    with ThreadPoolExecutor(threads, thread_name_prefix="read") as pool:
        # A thread that opens its first file pays for PROJ's tables, more than a local file costs.
        submit = pool.submit if remote else _at_once
        works = _opened(ground, layers, recipe, handles, submit, ahead=2 * threads)
        for (work, step), rects in read_ahead(_steps(works), pool, memory // 8):
            if step is not None:
                work.reduce(step, rects)
            if step is None or step.index == work.steps[-1].index:
                yield work.finish()
                for reader in work.readers:
                    handles.close(reader.sheet.href)
    handles.close()


def lattices_of(layer: Layer, recipe: Recipe) -> dict[Lattice, list[Measurement]]:
    """The measurements of a layer by the lattice they are made on: the finest of their bands.

    Raises:
        SourceError: the grids of the bands do not nest.
    """
    found: dict[Lattice, list[Measurement]] = {}
    for measurement in recipe.measurements:
        assets = {b: layer.assets[b] for b in measurement.bands if b in layer.assets}
        assets = assets or dict(layer.assets)
        finest = min(assets.values(), key=_cell_area).grid.lattice
        for band, asset in assets.items():
            if nesting_factor(asset.grid.lattice, finest) is None:
                raise SourceError(_do_not_nest(layer, measurement, band, asset, finest))
        found.setdefault(finest, []).append(measurement)
    return found


def _cell_area(asset: Asset) -> float:
    return asset.grid.lattice.dx * asset.grid.lattice.dy


def _do_not_nest(
    layer: Layer, measurement: Measurement, band: str, asset: Asset, finest: Lattice
) -> str:
    coarse = asset.grid.lattice
    return (
        f"measurement {measurement.name!r} of layer {layer.id!r} needs band {band!r} with cells of "
        f"{coarse.dx:g} × {coarse.dy:g} on cells of {finest.dx:g} × {finest.dy:g} ({finest.crs}), "
        "which do not nest; bring the bands to one grid first, with gdalwarp -tap -tr and a "
        "resampling you choose (-r near, bilinear, cubic, average, mode)"
    )


def _at_once(function: Callable[..., Any], *args: Any) -> Future[Any]:
    """A future that is done already: the call is made here and now."""
    future: Future[Any] = Future()
    try:
        future.set_result(function(*args))
    except Exception as error:
        future.set_exception(error)
    return future


@dataclass(slots=True, eq=False)
class _Ground:
    """What follows from zones and lattices alone, made once and used for every layer."""

    shapes: Shapes
    recipe: Recipe
    cells_at_once: int
    extents: dict[Lattice, Window]
    _passes: dict[Lattice, Pass] = field(default_factory=dict)
    _steps: dict[tuple[Lattice, ...], tuple[Step, ...]] = field(default_factory=dict)
    _schedules: dict[Any, Schedule] = field(default_factory=dict)

    @classmethod
    def of(
        cls, shapes: Shapes, layers: Sequence[Layer], recipe: Recipe, cells_at_once: int
    ) -> _Ground:
        extents: dict[Lattice, Window] = {}
        for layer in layers:
            for lattice in lattices_of(layer, recipe):
                for asset in layer.assets.values():
                    window = _window_on(asset, lattice)
                    if window is not None:
                        extents[lattice] = _union(extents.get(lattice, window), window)
        return cls(shapes, recipe, cells_at_once, extents)

    def passes(self, lattices: Sequence[Lattice]) -> tuple[Pass, ...]:
        """The covered cells of some lattices."""
        return tuple(self._pass(lattice) for lattice in lattices)

    def _pass(self, lattice: Lattice) -> Pass:
        if lattice not in self._passes:
            bounds = lattice.bounds(self.extents[lattice])
            outlines = outline(
                self.shapes.wkb, self.shapes.crs, lattice.crs, cell=(lattice.dx, lattice.dy),
                densify=self.recipe.densify, west=_seam(lattice, bounds), extent=bounds,
            )  # fmt: skip
            coverage = cover(
                outlines, lattice, rule=self.recipe.coverage, extent=self.extents[lattice]
            )
            self._passes[lattice] = Pass(lattice, Covered.of(coverage))
        return self._passes[lattice]

    def steps(self, lattices: tuple[Lattice, ...]) -> tuple[Step, ...]:
        """In which order the tiles of some lattices are visited."""
        if lattices not in self._steps:
            self._steps[lattices] = steps_of(self.passes(lattices), self.cells_at_once)
        return self._steps[lattices]

    def schedule(
        self, sheet: Sheet, block: tuple[int, int], lattices: tuple[Lattice, ...]
    ) -> Schedule:
        """When the blocks of a sheet are needed; the same for all sheets of the same grid."""
        key = (sheet.grid, block, lattices)
        if key not in self._schedules:
            usable = [nesting_factor(sheet.grid.lattice, lattice) for lattice in lattices]
            steps = [s for s in self.steps(lattices) if usable[s.of] is not None]
            self._schedules[key] = Schedule.of(sheet.grid, block, self.passes(lattices), steps)
        return self._schedules[key]


def _window_on(asset: Asset, lattice: Lattice) -> Window | None:
    """The cells of ``lattice`` in an asset's extent, or None if the grids do not nest."""
    if nesting_factor(asset.grid.lattice, lattice) is None:
        return None
    factor, row, col = nesting(asset.grid.lattice, lattice)
    w = asset.grid.window
    return Window(w.top * factor, w.left * factor, w.bottom * factor, w.right * factor).shift(
        row, col
    )


def _union(a: Window, b: Window) -> Window:
    return Window(
        min(a.top, b.top), min(a.left, b.left), max(a.bottom, b.bottom), max(a.right, b.right)
    )


def _seam(lattice: Lattice, bounds: tuple[float, float, float, float]) -> float | None:
    """Where zones are cut on grids in degrees that leave −180..180, such as 0..360."""
    from pyproj import CRS

    left, _, right, _ = bounds
    leaves = left < -180 - lattice.dx or right > 180 + lattice.dx
    return left if leaves and CRS.from_user_input(lattice.crs).is_geographic else None


def _opened(
    ground: _Ground,
    layers: Sequence[Layer],
    recipe: Recipe,
    handles: Handles,
    submit: Callable[..., Future[Any]],
    ahead: int,
) -> Iterator[_LayerWork]:
    """Each layer with its files' headers, some layers ahead of their use."""
    waiting: deque[tuple[Layer, list[Sheet], list[Future[Header | ReadError]]]] = deque()
    for layer in layers:
        sheets = _sheets(layer, recipe)
        headers = [submit(handles.header, s.href) for s in sheets if s.href]
        waiting.append((layer, sheets, headers))
        if len(waiting) > ahead:
            yield _work(ground, recipe, handles, *waiting.popleft())
    while waiting:
        yield _work(ground, recipe, handles, *waiting.popleft())


def _sheets(layer: Layer, recipe: Recipe) -> list[Sheet]:
    """The files of a layer that hold wanted bands, each once."""
    bands: dict[str, set[int]] = {}
    grids = {}
    for name in recipe.bands:
        asset = layer.assets.get(name)
        if asset is not None:
            bands.setdefault(asset.href, set()).add(asset.band)
            grids[asset.href] = asset.grid
    return [Sheet(href, tuple(sorted(b)), grids[href]) for href, b in bands.items()]


def _work(
    ground: _Ground,
    recipe: Recipe,
    handles: Handles,
    layer: Layer,
    sheets: list[Sheet],
    headers: list[Future[Header | ReadError]],
) -> _LayerWork:
    by_lattice = lattices_of(layer, recipe)
    lattices = tuple(by_lattice)
    readers = []
    failures = []
    for sheet, future in zip(sheets, headers, strict=True):
        header = future.result()
        if isinstance(header, ReadError):
            failures.append(Failure.of(layer.id, sheet.href, header))
            block = sheet.grid.shape
        else:
            _check_grid(layer, sheet, header)
            block = header.block
        schedule = ground.schedule(sheet, block, lattices)
        readers.append(SheetReader(sheet, header, schedule, handles))
    lacking = [name for name in recipe.bands if name not in layer.assets]
    places = _places(layer, readers)
    for name in lacking:
        cause = layer.missing.get(name, "the layer lacks this band")
        error = PermanentReadError(f"band {name!r} of layer {layer.id!r} is missing: {cause}")
        failures.append(Failure.of(layer.id, "", error))
        grid = min(layer.assets.values(), key=_cell_area).grid
        sheet = Sheet("", (1,), grid)
        readers.append(
            SheetReader(sheet, error, ground.schedule(sheet, grid.shape, lattices), handles)
        )
        places[name] = (len(readers) - 1, 0, Encoding(None, 1.0, 0.0))
    return _LayerWork(
        layer=layer,
        passes=ground.passes(lattices),
        measurements=tuple(tuple(m) for m in by_lattice.values()),
        steps=ground.steps(lattices),
        readers=tuple(readers),
        places=places,
        statistics=recipe.statistics,
        failures=failures,
    )


def _check_grid(layer: Layer, sheet: Sheet, header: Header) -> None:
    if header.grid.on(sheet.grid.lattice) != sheet.grid:
        raise GridMismatch(layer.id)


def _places(layer: Layer, readers: Sequence[SheetReader]) -> dict[str, tuple[int, int, Encoding]]:
    """Band name -> (its sheet, its place among the sheet's bands, what its values mean)."""
    found = {}
    index = {reader.sheet.href: i for i, reader in enumerate(readers)}
    for name, asset in layer.assets.items():
        if asset.href in index:
            reader = readers[index[asset.href]]
            if asset.band in reader.sheet.bands:
                place = reader.sheet.bands.index(asset.band)
                found[name] = (index[asset.href], place, _encoding(asset, reader.header))
    return found


def _encoding(asset: Asset, header: Header | ReadError) -> Encoding:
    """What the plan says of a band's values, and where it is silent, the file."""
    if isinstance(header, ReadError):
        return Encoding(None, 1.0, 0.0)
    b = asset.band - 1
    nodata = header.nodata[b] if asset.nodata is None else asset.nodata
    return Encoding(
        nodata=_holdable(nodata, np.dtype(header.dtypes[b])),
        scale=header.scales[b] if asset.scale is None else asset.scale,
        offset=header.offsets[b] if asset.offset is None else asset.offset,
    )


def _holdable(nodata: float | int | str | None, dtype: np.dtype[Any]) -> float | int | None:
    """A nodata value, or None if the type of the pixels cannot hold it."""
    if nodata is None or isinstance(nodata, str):
        return None
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        whole = nodata == nodata and float(nodata).is_integer()
        return int(nodata) if whole and info.min <= nodata <= info.max else None
    return nodata


@dataclass(slots=True, eq=False)
class _LayerWork:
    """One layer while it is read and reduced."""

    layer: Layer
    passes: tuple[Pass, ...]
    measurements: tuple[tuple[Measurement, ...], ...]
    """(pass,) what is measured on each."""
    steps: tuple[Step, ...]
    readers: tuple[SheetReader, ...]
    places: dict[str, tuple[int, int, Encoding]]
    statistics: tuple[str, ...]
    failures: list[Failure]
    _summaries: dict[str, tuple[Summary, Encoding]] = field(default_factory=dict)

    def reads(self, step: Step) -> tuple[list[Callable[[], Any]], int]:
        """The reads that a step needs, and about how many bytes they give."""
        reads: list[Callable[[], Any]] = []
        size = 0
        for reader in self.readers:
            reads += [_tagged(reader, read) for read in reader.reads(step.index)]
            pixel = reader.dtype.itemsize * len(reader.sheet.bands)
            size += reader.schedule.cells(step.index) * pixel
        return reads, size

    def reduce(self, step: Step, rects: Sequence[tuple[SheetReader, Any]]) -> None:
        """Fold the cells of a step's tiles into the summaries."""
        for reader in self.readers:
            reader.keep([rect for owner, rect in rects if owner is reader], step.index)
        for layout in step.layouts:
            tile = _Tile(self, self.passes[step.of].lattice, layout)
            for measurement in self.measurements[step.of]:
                cells, encoding = measure(measurement, layout, tile.band)
                self._summary(step.of, measurement, encoding).add(cells)

    def _summary(self, of: int, measurement: Measurement, encoding: Encoding) -> Summary:
        if measurement.name not in self._summaries:
            summary = Summary(self.passes[of].covered, parse_statistics(self.statistics))
            self._summaries[measurement.name] = (summary, encoding)
        return self._summaries[measurement.name][0]

    def finish(self) -> LayerSummary:
        """Close all summaries and turn them into columns."""
        statistics = parse_statistics(self.statistics)
        n = self.passes[0].covered.coverage.n_zones
        columns, unread = {}, {}
        met, valid = np.zeros(n, bool), np.zeros(n, bool)
        for of, measurements in enumerate(self.measurements):
            for measurement in measurements:
                nothing = Encoding(None, 1.0, 0.0)
                summary = self._summary(of, measurement, nothing)
                encoding = self._summaries[measurement.name][1]
                summary.finish(encoding.scale, encoding.offset)
                lost = unread[measurement.name] = summary.unread
                met |= summary.met
                valid |= (summary.count > 0) & ~lost
                for statistic in statistics:
                    column = statistic.finalize(summary)
                    columns[measurement.name, statistic.column] = np.where(lost, np.nan, column)
        self._record_failed_reads()
        applied = {name: encoding for name, (_, _, encoding) in self.places.items()}
        return LayerSummary(self.layer, met, columns, unread, valid, tuple(self.failures), applied)

    def _record_failed_reads(self) -> None:
        for reader in self.readers:
            seen = {str(error): error for error in reader.failures}
            self.failures += [
                Failure.of(self.layer.id, reader.sheet.href, e) for e in seen.values()
            ]


def _tagged(reader: SheetReader, read: Callable[[], Any]) -> Callable[[], Any]:
    return lambda: (reader, read())


class _Tile:
    """The bands of one tile, each laid out and gathered once."""

    def __init__(self, work: _LayerWork, lattice: Lattice, layout: Layout) -> None:
        self._work, self._lattice, self._layout = work, lattice, layout
        self._sheets: dict[int, Any] = {}
        self._bands: dict[str, BandCells] = {}

    def band(self, name: str) -> BandCells:
        """A band at the covered cells of the tile."""
        if name not in self._bands:
            sheet, place, encoding = self._work.places[name]
            if sheet not in self._sheets:
                self._sheets[sheet] = self._work.readers[sheet].tile(self._lattice, self._layout)
            pixels, absent, valid = self._sheets[sheet]
            tile = TileBand(pixels[place], absent, valid, encoding)
            self._bands[name] = BandCells.of(tile, self._layout)
        return self._bands[name]


def _steps(
    works: Iterator[_LayerWork],
) -> Iterator[tuple[tuple[_LayerWork, Step | None], list[Callable[[], Any]], int]]:
    """All steps of all layers in order; a layer that no zone meets has one empty step."""
    for work in works:
        if not work.steps:
            yield (work, None), [], 0
        for step in work.steps:
            reads, size = work.reads(step)
            yield (work, step), reads, size
