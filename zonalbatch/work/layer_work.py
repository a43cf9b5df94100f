"""Layer work: one layer while it is read and reduced, and its summary in the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from zonalbatch.cover.cells import Layout
from zonalbatch.errors import GridMismatch, PermanentReadError, ReadError
from zonalbatch.lattice import Lattice, nesting_factor
from zonalbatch.layers import Asset, Failure, Layer
from zonalbatch.measure import BandCells, Encoding, Measurement, TileBand, measure
from zonalbatch.recipe import Recipe, cell_area, lattices_of
from zonalbatch.sources.protocol import Header
from zonalbatch.statistics import Column, Statistic, Summary, summary_of
from zonalbatch.work.ground import Ground, extent_of, place_of
from zonalbatch.work.reading import Handles, SheetReader
from zonalbatch.work.schedule import Pass, Sheet, Step

__all__ = ["LayerSummary", "LayerWork", "TileCells", "sheets_of", "work_on"]


@dataclass(frozen=True, slots=True, eq=False)
class LayerSummary:
    """The statistics of one layer for every zone of a part."""

    layer: Layer
    met: NDArray[np.bool_]
    """(zone,) True if the zone has a covered cell in the layer's extent."""
    columns: Mapping[tuple[str, str], Column]
    """(measurement, statistic column) -> (zone,) numbers, NaN for none, or lists."""
    unread: Mapping[str, NDArray[np.bool_]]
    """Measurement -> (zone,) True if a cell of the zone could not be read."""
    valid: NDArray[np.bool_]
    """(zone,) True if any measurement has a valid cell."""
    failures: tuple[Failure, ...]
    encodings: Mapping[str, Encoding]
    """What was applied to each band that was read."""


@dataclass(slots=True, eq=False)
class LayerWork:
    """One layer while it is read and reduced."""

    layer: Layer
    passes: tuple[Pass, ...]
    measurements: tuple[tuple[Measurement, ...], ...]
    """(pass,) what is measured on each."""
    steps: tuple[Step, ...]
    readers: tuple[SheetReader, ...]
    places: dict[str, tuple[int, int, Encoding]]
    """Band name -> (its reader, its place among the sheet's bands, what its values mean)."""
    nothing: dict[Lattice, int]
    """Lattice -> the reader that stands for bands which the layer lacks."""
    statistics: tuple[Statistic, ...]
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
            found = [rect for owner, some in rects if owner is reader for rect in some]
            reader.keep(found, step.index)
        for layout in step.layouts:
            tile = self.tile(step, layout)
            for measurement in self.measurements[step.of]:
                cells, encoding = measure(measurement, layout, tile.band)
                self._summary(step.of, measurement, encoding).add(cells)

    def tile(self, step: Step, layout: Layout) -> TileCells:
        """The bands of a tile of a step, while that step is the last that was reduced."""
        return TileCells(self, self.passes[step.of].lattice, layout)

    def _summary(self, of: int, measurement: Measurement, encoding: Encoding) -> Summary:
        if measurement.name not in self._summaries:
            one = self.passes[of]
            extent = extent_of(self.layer, one.lattice)
            summary = summary_of(one.covered, self.statistics, extent)
            self._summaries[measurement.name] = (summary, encoding)
        return self._summaries[measurement.name][0]

    def finish(self) -> LayerSummary:
        """Close all summaries and turn them into columns."""
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
                for statistic in self.statistics:
                    column = _without(lost, statistic.finalize(summary))
                    columns[measurement.name, statistic.column] = column
        self._record_failed_reads()
        applied = {name: encoding for name, (_, _, encoding) in self.places.items()}
        return LayerSummary(self.layer, met, columns, unread, valid, tuple(self.failures), applied)

    def _record_failed_reads(self) -> None:
        for reader in self.readers:
            seen = {str(error): error for error in reader.failures}
            self.failures += [
                Failure.of(self.layer.id, reader.sheet.href, e) for e in seen.values()
            ]


def _without(lost: NDArray[np.bool_], column: Column) -> Column:
    """A column with nothing where a cell could not be read."""
    if isinstance(column, np.ndarray):
        return np.where(lost, np.nan, column)
    if not lost.any():
        return column
    return pc.if_else(pa.array(lost), pa.scalar(None, column.type), column)


def _tagged(reader: SheetReader, read: Callable[[], Any]) -> Callable[[], Any]:
    return lambda: (reader, read())


class TileCells:
    """The bands of one tile, each laid out and gathered once."""

    def __init__(self, work: LayerWork, lattice: Lattice, layout: Layout) -> None:
        self._work, self._lattice, self._layout = work, lattice, layout
        self._sheets: dict[int, Any] = {}
        self._bands: dict[str, BandCells] = {}

    def band(self, name: str) -> BandCells:
        """A band at the covered cells of the tile."""
        if name not in self._bands:
            lacking = (self._work.nothing.get(self._lattice, 0), 0, Encoding(None, 1.0, 0.0))
            sheet, place, encoding = self._work.places.get(name, lacking)
            if sheet not in self._sheets:
                self._sheets[sheet] = self._work.readers[sheet].tile(self._lattice, self._layout)
            pixels, absent, valid = self._sheets[sheet]
            tile = TileBand(pixels[place], absent, valid, encoding)
            self._bands[name] = BandCells.of(tile, self._layout)
        return self._bands[name]


def sheets_of(layer: Layer, recipe: Recipe) -> list[Sheet]:
    """The files of a layer that hold wanted bands, each once."""
    bands: dict[str, set[int]] = {}
    grids = {}
    for name in recipe.bands:
        asset = layer.assets.get(name)
        if asset is not None:
            bands.setdefault(asset.href, set()).add(asset.band)
            grids[asset.href] = asset.grid
    return [Sheet(href, tuple(sorted(b)), grids[href]) for href, b in bands.items()]


def work_on(
    ground: Ground,
    recipe: Recipe,
    handles: Handles,
    layer: Layer,
    sheets: list[Sheet],
    headers: list[Future[Header | ReadError]],
) -> LayerWork:
    """One layer, ready to be read, with what is wrong with it so far.

    Raises:
        GridMismatch: a file's grid is not that of its asset.
    """
    by_lattice = lattices_of(layer, recipe)
    places = tuple(place_of(layer, lattice) for lattice in by_lattice)

    def reader(sheet: Sheet, header: Header | ReadError) -> SheetReader:
        block = sheet.grid.shape if isinstance(header, ReadError) else header.block
        return SheetReader(sheet, header, ground.schedule(sheet, block, places), handles)

    readers = [
        reader(sheet, _checked(layer, sheet, future.result()))
        for sheet, future in zip(sheets, headers, strict=True)
    ]
    failures = [
        Failure.of(layer.id, r.sheet.href, r.header)
        for r in readers
        if isinstance(r.header, ReadError)
    ]
    lacking = [_lacking(layer, name) for name in recipe.bands if name not in layer.assets]
    failures += [Failure.of(layer.id, "", error) for error in lacking]
    nothing = {}
    if lacking:
        nothing = {one: reader(_nowhere(layer, one), lacking[0]) for one in by_lattice}
    return LayerWork(
        layer=layer,
        passes=ground.passes(places),
        measurements=tuple(tuple(m) for m in by_lattice.values()),
        steps=ground.steps(places),
        readers=(*readers, *nothing.values()),
        places=_places(layer, readers),
        nothing={one: len(readers) + i for i, one in enumerate(nothing)},
        statistics=recipe.asked,
        failures=failures,
    )


def _checked(layer: Layer, sheet: Sheet, header: Header | ReadError) -> Header | ReadError:
    """A header that has the grid and the bands it was planned with, or what is wrong with it."""
    if isinstance(header, ReadError):
        return header
    if header.grid.on(sheet.grid.lattice) != sheet.grid:
        raise GridMismatch(layer.id)
    if sheet.bands[-1] > len(header.dtypes):
        return PermanentReadError(
            f"{sheet.href} has {len(header.dtypes)} bands, but band {sheet.bands[-1]} is wanted"
        )
    return header


def _lacking(layer: Layer, band: str) -> PermanentReadError:
    cause = layer.missing.get(band, "the layer lacks this band")
    return PermanentReadError(f"band {band!r} of layer {layer.id!r} is missing: {cause}")


def _nowhere(layer: Layer, lattice: Lattice) -> Sheet:
    """The extent of a band that a layer lacks: where another of its bands lies."""
    grids = [asset.grid for asset in sorted(layer.assets.values(), key=cell_area)]
    return Sheet("", (1,), next(g for g in grids if nesting_factor(g.lattice, lattice)))


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
    if np.isfinite(nodata) and abs(nodata) > float(np.finfo(dtype).max):
        return None
    return nodata
