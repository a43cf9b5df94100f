"""Layer work: one layer while it is read and reduced, and its summary in the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from zonalbatch.cover.cells import Layout
from zonalbatch.errors import GridMismatch, PermanentReadError, ReadError
from zonalbatch.lattice import Lattice, nesting_factor
from zonalbatch.layers import Failure, Layer, Scene
from zonalbatch.measure import (
    NO_ENCODING,
    Encoding,
    Measurement,
    measure,
    physical,
)
from zonalbatch.receipts import key_of
from zonalbatch.recipe import Recipe, cell_area, lattices_of
from zonalbatch.sources.protocol import Header
from zonalbatch.sources.secrets import shown
from zonalbatch.statistics import Column, Statistic, Summary, summary_of
from zonalbatch.work.encoding import contradicted, encoding_of
from zonalbatch.work.ground import Ground
from zonalbatch.work.mosaic import Mosaic, mosaicked
from zonalbatch.work.place import extent_of, extent_of_scene, place_of
from zonalbatch.work.reading import Handles, SheetReader
from zonalbatch.work.schedule import Pass, Sheet, Step
from zonalbatch.work.tile_cells import SceneBands, TileCells
from zonalbatch.work.weights import WeightTiles

__all__ = ["LayerSummary", "LayerWork", "sheets_of", "without", "work_on"]


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
    unweighed: NDArray[np.bool_]
    """(zone,) True if the weight of a cell could not be read, so that ``weighted_*`` are null."""
    valid: NDArray[np.bool_]
    """(zone,) True if any measurement has a valid cell."""
    clear: NDArray[np.float64]
    """(zone,) the least ``clear_fraction`` of its measurements; NaN if none has data."""
    filtered: NDArray[np.bool_]
    """(zone,) True if that is less than was asked for, so that statistics are null."""
    approximate: Mapping[tuple[str, str], NDArray[np.bool_]]
    """(measurement, statistic column) -> (zone,) True if it is not exact; of capped ones only."""
    failures: tuple[Failure, ...]
    encodings: tuple[tuple[Scene, Mapping[str, Encoding]], ...]
    """What was applied to each band that was read of each scene."""
    contradicted: Mapping[str, tuple[float, float]]
    """`key_of` a band -> (scale, offset) of its file's tags, where others were applied."""


@dataclass(slots=True, eq=False)
class LayerWork:
    """One layer, on the lattices of one piece of it, while it is read and reduced."""

    layer: Layer
    passes: tuple[Pass, ...]
    measurements: tuple[tuple[Measurement, ...], ...]
    """(pass,) what is measured on each."""
    steps: tuple[Step, ...]
    readers: tuple[SheetReader, ...]
    scenes: tuple[SceneBands, ...]
    """In the order in which they answer."""
    mixed: frozenset[str]
    """Measurements that are physical, as the raw values of their scenes mean different things."""
    statistics: tuple[Statistic, ...]
    failures: list[Failure]
    weights: tuple[WeightTiles, ...]
    """(pass,) weights of the tiles; none where none are wanted."""
    layouts: tuple[Layout, ...] = ()
    """The tiles of the step that was reduced last, with their weights."""
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
        self.layouts = tuple(self._weighed(step.of, layout) for layout in step.layouts)
        for layout in self.layouts:
            tiles = self.tiles(step, layout)
            for measurement in self.measurements[step.of]:
                seen = self.measured(tiles, layout, measurement)
                self._summary(step.of, measurement, seen.encoding).add(seen.cells)

    def _weighed(self, of: int, layout: Layout) -> Layout:
        """The next tile of a pass with all the weights that statistics want."""
        averaging = self.passes[of].covered.averaging
        if averaging is None and not self.weights:
            return layout
        return replace(
            layout,
            averaging=None if averaging is None else averaging(layout),
            weighted=next(self.weights[of].tiles) if self.weights else None,
        )

    def tiles(self, step: Step, layout: Layout) -> tuple[TileCells, ...]:
        """The bands of a tile in each scene that has any of it (the first of all, if none has).

        That is, while the tile's step is the last that was reduced.
        """
        lattice = self.passes[step.of].lattice
        there = [one for one in self.scenes if one.meets(lattice, layout)] or self.scenes[:1]
        return tuple(TileCells(self.readers, one, lattice, layout) for one in there)

    def measured(
        self, tiles: Sequence[TileCells], layout: Layout, measurement: Measurement
    ) -> Mosaic:
        """A measurement at the cells of a tile: of the first scene with a valid value in each."""
        told = [measure(measurement, layout, tile) for tile in tiles]
        if measurement.name in self.mixed:
            told = [physical(*one) for one in told]
        return mosaicked(told)

    def _summary(self, of: int, measurement: Measurement, encoding: Encoding) -> Summary:
        if measurement.name not in self._summaries:
            one, scaling = self.passes[of], (encoding.scale, encoding.offset)
            extent = extent_of(self.layer, one.lattice)
            summary = summary_of(one.covered, self.statistics, extent, scaling)
            self._summaries[measurement.name] = (summary, encoding)
        return self._summaries[measurement.name][0]

    def finish(self) -> LayerSummary:
        """Close all summaries and turn them into columns."""
        n = self.passes[0].covered.coverage.n_zones
        columns, unread, approximate = {}, {}, {}
        met, valid, unweighed = (np.zeros(n, bool) for _ in range(3))
        clear = np.full(n, np.nan)
        for of, measurements in enumerate(self.measurements):
            for measurement in measurements:
                summary = self._summary(of, measurement, NO_ENCODING)
                encoding = self._summaries[measurement.name][1]
                summary.finish(encoding.scale, encoding.offset)
                lost = unread[measurement.name] = summary.unread
                clear = np.fmin(clear, np.where(lost, np.nan, summary.clear))
                met |= summary.met
                valid |= (summary.count > 0) & ~lost
                unweighed |= summary.unweighed
                for statistic in self.statistics:
                    gone = lost | summary.unweighed if statistic.weighted else lost
                    column = without(gone, statistic.finalize(summary))
                    columns[measurement.name, statistic.column] = column
                for statistic in (s for s in self.statistics if s.capped):
                    rough = summary.approximate(str(statistic.state)) & ~lost
                    approximate[measurement.name, statistic.column] = rough
        self._record_failed_reads()
        return LayerSummary(
            layer=self.layer,
            met=met,
            columns=columns,
            unread=unread,
            unweighed=unweighed,
            valid=valid,
            clear=clear,
            filtered=np.zeros(n, bool),
            approximate=approximate,
            failures=tuple(self.failures),
            encodings=tuple(
                (one.scene, {name: encoding for name, (_, _, encoding) in one.places.items()})
                for one in self.scenes
            ),
            contradicted=dict(self._contradicted()),
        )

    def _contradicted(self) -> Iterator[tuple[str, tuple[float, float]]]:
        for one in self.scenes:
            for name, (reader, _, _) in one.places.items():
                asset = one.scene.assets[name]
                tags = contradicted(asset, self.readers[reader].header)
                if tags is not None:
                    yield key_of(asset.href, asset.band), tags

    def _record_failed_reads(self) -> None:
        for one in self.weights:
            self.failures += [Failure.of(self.layer.id, one.href, e) for e in one.errors.values()]
        for reader in self.readers:
            seen = {str(error): error for error in reader.failures}
            self.failures += [
                Failure.of(self.layer.id, reader.sheet.href, e) for e in seen.values()
            ]


def without(lost: NDArray[np.bool_], column: Column) -> Column:
    """A column with nothing where a cell could not be read."""
    if isinstance(column, np.ndarray):
        return np.where(lost, np.nan, column)
    if not lost.any():
        return column
    return pc.if_else(pa.array(lost), pa.scalar(None, column.type), column)


def _tagged(reader: SheetReader, read: Callable[[], Any]) -> Callable[[], Any]:
    return lambda: (reader, read())


def sheets_of(layer: Layer, recipe: Recipe) -> list[Sheet]:
    """The files of a layer that hold wanted bands, each once."""
    bands: dict[str, set[int]] = {}
    grids, halos = {}, dict[str, float]()
    dilations = recipe.dilations
    for scene in layer.scenes:
        for name in (name for name in recipe.bands if name in scene.assets):
            asset = scene.assets[name]
            bands.setdefault(asset.href, set()).add(asset.band)
            grids[asset.href] = asset.grid
            halo = dilations.get(name, 0.0)
            halos[asset.href] = max(halo, halos.get(asset.href, 0.0))
    return [
        Sheet(href, tuple(sorted(some)), grids[href], halos[href]) for href, some in bands.items()
    ]


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
    scenes = []
    for scene in layer.scenes:
        lacking = [_lacking(layer, scene, n) for n in recipe.bands if n not in scene.assets]
        failures += [Failure.of(layer.id, "", error) for error in lacking]
        nothing = {}
        for lattice in by_lattice if lacking else ():
            nothing[lattice] = len(readers)
            readers.append(reader(_nowhere(scene, lattice), lacking[0]))
        extents = {lattice: extent_of_scene(scene, lattice) for lattice in by_lattice}
        scenes.append(SceneBands(scene, _places(scene, readers), nothing, extents))
    return LayerWork(
        layer=layer,
        passes=ground.passes(places),
        measurements=tuple(tuple(m) for m in by_lattice.values()),
        steps=ground.steps(places),
        readers=tuple(readers),
        scenes=tuple(scenes),
        mixed=frozenset(_mixed(layer, recipe, scenes, readers)),
        statistics=recipe.asked,
        failures=failures,
        weights=ground.weight_tiles(places),
    )


def _mixed(
    layer: Layer, recipe: Recipe, scenes: Sequence[SceneBands], readers: Sequence[SheetReader]
) -> Iterator[str]:
    """Measurements of a band whose raw values mean different things in several scenes."""
    for measurement in recipe.measurements:
        found = [one.places[b] for one in scenes for b in measurement.bands[:1] if b in one.places]
        kinds = {(readers[at].dtype, told.scale, told.offset) for at, _, told in found}
        if len(kinds) > 1 or not set(measurement.bands[:1]).isdisjoint(layer.mixed):
            yield measurement.name


def _checked(layer: Layer, sheet: Sheet, header: Header | ReadError) -> Header | ReadError:
    """A header that has the grid and the bands it was planned with, or what is wrong with it."""
    if isinstance(header, ReadError):
        return header
    if header.grid.on(sheet.grid.lattice) != sheet.grid:
        raise GridMismatch(layer.id)
    if sheet.bands[-1] > len(header.dtypes):
        return PermanentReadError(
            f"{shown(sheet.href)} has {len(header.dtypes)} bands, but band "
            f"{sheet.bands[-1]} is wanted"
        )
    return header


def _lacking(layer: Layer, scene: Scene, band: str) -> PermanentReadError:
    cause = scene.missing.get(band, "the layer lacks this band")
    return PermanentReadError(f"band {band!r} of layer {layer.id!r} is missing: {cause}")


def _nowhere(scene: Scene, lattice: Lattice) -> Sheet:
    """The extent of a band that a scene lacks: where another of its bands lies."""
    grids = [asset.grid for asset in sorted(scene.assets.values(), key=cell_area)]
    return Sheet("", (1,), next(g for g in grids if nesting_factor(g.lattice, lattice)))


def _places(scene: Scene, readers: Sequence[SheetReader]) -> dict[str, tuple[int, int, Encoding]]:
    """Band name -> (its sheet, its place among the sheet's bands, what its values mean)."""
    found = {}
    index = {reader.sheet.href: i for i, reader in enumerate(readers)}
    for name, asset in scene.assets.items():
        if asset.href in index:
            reader = readers[index[asset.href]]
            if asset.band in reader.sheet.bands:
                place = reader.sheet.bands.index(asset.band)
                found[name] = (index[asset.href], place, encoding_of(asset, reader.header))
    return found
