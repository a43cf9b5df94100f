"""Plan: what will be done, decided from metadata alone and stored as Parquet.

A plan reads no pixel. It lives in a folder of its own, ``plan/<fingerprint>``, with the zones in
the order of their cells, the layers with their assets, and the parts. A worker is told the folder
and a part's id and reads only the rows it needs.
"""

from __future__ import annotations

import json
import math
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from zonalbatch.errors import SourceError
from zonalbatch.lattice import Grid, Lattice
from zonalbatch.layers import Asset, Failure, Layer, Layers, Scene
from zonalbatch.planning.files import (
    Part,
    layer_table,
    part_table,
    write_functions,
    write_zones,
)
from zonalbatch.planning.identity import METHOD, digest, layer_hash, recipe_document, recipe_hash
from zonalbatch.planning.partition import (
    Bucket,
    Cell,
    Load,
    Partition,
    bucket_codes,
    bucket_of,
    cells_of,
    chunks,
    level_for,
    longest_bucket,
    most_layers,
)  # fmt: skip
from zonalbatch.planning.reach import Reach
from zonalbatch.planning.zone_rows import ZoneRows
from zonalbatch.recipe import Recipe, check_layers, lattices_of, pieces_of
from zonalbatch.sinks.files import make_folder, write_text
from zonalbatch.sinks.table import Form
from zonalbatch.statistics import MOMENTS
from zonalbatch.zones import ZoneReader

__all__ = ["Estimate", "Plan", "make_plan", "on_one_lattice"]


WITH_GEOMETRY = 10_000_000
"""Results of more rows than this leave the geometry out by default."""

ITEM, LISTED = 24, 16
"""Bytes of a class or a listed cell while it is gathered, and in each list of the result."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a plan will cost, from metadata."""

    zones: int
    layers: int
    parts: int
    rows: int
    """An upper bound: zones that a layer does not cover have no row."""
    decoded: int
    """Bytes of pixels, decoded; an upper bound."""
    memory: int
    """Peak bytes of one worker, roughly."""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """All of the work."""

    fingerprint: str
    zones_digest: str
    """What the zones are, whatever their order."""
    folder: Path
    """Where it is stored."""
    recipe: Recipe
    form: Form
    layers: tuple[Layer, ...]
    parts: tuple[Part, ...]
    partition: Partition
    n_zones: int
    crs: str
    failures: tuple[Failure, ...]
    """What could not be planned, and why."""
    notes: tuple[str, ...] = field(default=())

    @property
    def estimate(self) -> Estimate:
        """What it will cost."""
        largest = max((p.pairs for p in self.parts), default=0)
        told, states = self.recipe.told, len(MOMENTS) if self.recipe.states else 0
        bins = sum(2 * len(s.edges) for s in told if s.listed)
        columns = len(self.recipe.measurements) * (len(told) + states + bins + 8)
        return Estimate(
            zones=self.n_zones,
            layers=len(self.layers),
            parts=len(self.parts),
            rows=sum(p.pairs for p in self.parts),
            decoded=sum(p.decoded for p in self.parts),
            memory=400 * 1024**2 + 2 * largest * columns * 8 + self._lists,
        )

    @property
    def _lists(self) -> int:
        """Peak bytes of classes and lists: as if each cell in a part's bounds made one item."""
        told, sketched = self.recipe.told, "values" in self.recipe.states
        if not sketched and not any(one.detailed for one in told):
            return 0
        item = ITEM + LISTED * (sum(one.listed for one in told) + sketched)
        cell = min(_bytes_of_cell(scene) for layer in self.layers for scene in layer.scenes)
        cells = max((part.decoded for part in self.parts), default=0) // cell
        return cells * len(self.recipe.measurements) * item


def make_plan(
    zones: ZoneReader,
    found: Layers,
    recipe: Recipe,
    form: Form,
    folder: Path,
    kept: Partition | None = None,
) -> Plan:
    """Decide all of the work and store it under ``folder``.

    Args:
        zones: what to summarise over; read once, in batches.
        found: what a source has to offer.
        recipe: what to compute.
        form: how results are written.
        folder: the ``plan`` folder of an output.
        kept: the partition of an earlier plan of the same output.

    Raises:
        ZonesError: there is no zone, or an id stands twice.
        SourceError: there is no usable layer, or bands do not nest.
    """
    layers, failures = _usable(on_one_lattice(found.layers), found.failures)
    check_layers(layers, recipe)
    draft = make_folder(folder) / f".draft-{uuid.uuid4()}"
    draft.mkdir()
    try:
        rows = ZoneRows.stream(zones, _reference(layers, recipe), draft / "zones.arrow")
        return _Planner(zones, layers, recipe, form, rows).plan(
            draft, folder, kept, failures, (*found.notes, *found.doubts, *zones.notes)
        )
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def on_one_lattice(layers: Iterable[Layer]) -> tuple[Layer, ...]:
    """The layers with equal lattices made one: the first that fits, in order of hrefs.

    Two rasters may share all cells and yet differ in the last bits of their origins.
    """
    known: dict[str, list[Lattice]] = {}
    moved: dict[Grid, Grid] = {}
    layers = tuple(layers)
    assets = {a.href: a.grid for layer in layers for a in layer.assets}
    for href in sorted(assets):
        grid = assets[href]
        if grid in moved:
            continue
        same = known.setdefault(grid.lattice.crs, [])
        fits = (g for g in (grid.on(lattice) for lattice in same) if g is not None)
        moved[grid] = next(fits, grid)
        if moved[grid] is grid:
            same.append(grid.lattice)
    return tuple(_with_grids(layer, moved) for layer in layers)


def _with_grids(layer: Layer, moved: Mapping[Grid, Grid]) -> Layer:
    return layer.each_asset(lambda asset: replace(asset, grid=moved.get(asset.grid, asset.grid)))


def _usable(
    layers: Sequence[Layer], failures: Sequence[Failure]
) -> tuple[tuple[Layer, ...], tuple[Failure, ...]]:
    """Layers with at least one asset; the others become failures."""
    useless = tuple(
        Failure(layer.id, "", f"layer {layer.id!r} has none of the bands: {_why(layer)}", True)
        for layer in layers
        if not layer.assets
    )
    usable = tuple(layer for layer in layers if layer.assets)
    if not usable:
        causes = [f.cause for f in (*failures, *useless)]
        raise SourceError(causes[0] if causes else "the source has no layer; check its files")
    return usable, (*failures, *useless)


def _why(layer: Layer) -> str:
    return "; ".join(dict.fromkeys(layer.missing.values())) or "nothing was found"


def _reference(layers: Sequence[Layer], recipe: Recipe) -> Lattice:
    """The lattice that cells of space are cut on: the one most layers are measured on."""
    counts: dict[Lattice, int] = {}
    for layer in layers:
        for piece in pieces_of(layer, recipe):
            for lattice in lattices_of(piece, recipe):
                counts[lattice] = counts.get(lattice, 0) + 1
    return min(counts, key=lambda lattice: (-counts[lattice], repr(lattice)))


@dataclass(slots=True, eq=False)
class _Planner:
    """Everything that parts follow from."""

    zones: ZoneReader
    layers: tuple[Layer, ...]
    recipe: Recipe
    form: Form
    rows: ZoneRows
    scenes: tuple[Scene, ...] = field(init=False)
    """Of all layers, numbered through."""
    owner: NDArray[np.int64] = field(init=False)
    """(scene,) index of its layer."""

    def __post_init__(self) -> None:
        self.scenes = tuple(scene for layer in self.layers for scene in layer.scenes)
        counts = [len(layer.scenes) for layer in self.layers]
        self.owner = np.repeat(np.arange(len(counts)), counts)

    def plan(
        self,
        draft: Path,
        folder: Path,
        kept: Partition | None,
        failures: tuple[Failure, ...],
        notes: tuple[str, ...],
    ) -> Plan:
        """Cut the work into parts, name them, and store it all."""
        partition, order, cells = self._cut(kept)
        loads = self._loads(cells, order)
        if self.form.geometry is None:
            rows = sum((load.cell.stop - load.cell.start) * len(load.near) for load in loads)
            self.form = replace(self.form, geometry=rows <= WITH_GEOMETRY)
        recipe = recipe_hash(self.recipe, self.form.document)
        zones = np.sort(self.rows.hashes.view("V16").reshape(-1)).tobytes()
        fingerprint = digest(recipe, zones, *sorted(map(layer_hash, self.layers))).hex()
        plan = Plan(
            fingerprint=fingerprint,
            zones_digest=digest(zones).hex(),
            folder=folder / fingerprint,
            recipe=self.recipe,
            form=self.form,
            layers=self.layers,
            parts=tuple(self._parts(loads, partition.bucket, order, recipe)),
            partition=partition,
            n_zones=len(order),
            crs=self.zones.crs,
            failures=failures,
            notes=notes,
        )
        if not (plan.folder / "parts.parquet").exists():
            self._store(plan, draft, order)
        return plan

    def _cut(self, kept: Partition | None) -> tuple[Partition, NDArray[np.int64], list[Cell]]:
        """How space and time are cut, the order of zones, and the cells."""
        level = kept.level if kept else level_for(self.layers)
        tiles, names = self.rows.tiles, self.rows.hashes.view(np.uint64)
        order, cells = cells_of(tiles, names, level)
        loads = self._loads(cells, order)
        bucket = kept.bucket if kept else longest_bucket(self.layers, loads)
        codes = bucket_codes(self.layers, bucket)
        at_once = np.empty(len(order), np.int64)
        for load in loads:
            at_once[order[load.cell.start : load.cell.stop]] = most_layers(load, codes)
        return Partition(level, bucket), *cells_of(tiles, names, level, at_once)

    def _loads(self, cells: Sequence[Cell], order: NDArray[np.int64]) -> list[Load]:
        """What each cell would have to do."""
        beside = 1 if self.recipe.coverage == "bilinear" else 0  # where cells around a point lie
        reach = Reach.of(self.scenes, self.zones.crs, beside)
        decoded = np.array([_decoded(scene) for scene in self.scenes], float)
        loads = []
        for cell in cells:
            shares = reach.shares(self.rows.bounds[order[cell.start : cell.stop]])
            seen = np.flatnonzero(shares)
            near, of = np.unique(self.owner[seen], return_inverse=True)
            sizes = np.zeros(len(near))
            np.add.at(sizes, of, shares[seen] * decoded[seen])
            loads.append(Load(cell, seen, near, sizes))
        return loads

    def _parts(
        self,
        loads: Sequence[Load],
        bucket: Bucket,
        order: NDArray[np.int64],
        recipe: bytes,
    ) -> Iterator[Part]:
        known: dict[tuple[int, ...], bytes] = {}

        def seen(scenes: NDArray[np.int64]) -> bytes:
            """The hash of a layer as far as its scenes are near."""
            key = tuple(scenes.tolist())
            if key not in known:
                layer = self.layers[self.owner[key[0]]]
                near = tuple(self.scenes[i] for i in key)
                known[key] = layer_hash(replace(layer, scenes=near))
            return known[key]

        names = np.array([bucket_of(layer, bucket) for layer in self.layers])
        for load in loads:
            size = np.zeros(len(self.layers))
            size[load.near] = load.sizes
            for name in np.unique(names[load.near]):
                near = load.near[names[load.near] == name]
                for zones, some in chunks(load.cell, near, size[near]):
                    ids = self.rows.hashes[order[zones.start : zones.stop]].tobytes()
                    scenes = [load.scenes[self.owner[load.scenes] == i] for i in some]
                    yield Part(
                        id=digest(recipe, ids, *map(seen, scenes)).hex(),
                        cell=load.cell.name,
                        bucket=str(name),
                        start=zones.start,
                        stop=zones.stop,
                        layers=some,
                        scenes=tuple(np.concatenate(scenes).tolist()),
                        decoded=int(size[list(some)].sum()),
                    )

    def _store(self, plan: Plan, draft: Path, order: NDArray[np.int64]) -> None:
        """Write all tables, then give the folder its name."""
        write_zones(self.rows.file, draft / "zones.parquet", order)
        self.rows.file.unlink()
        pq.write_table(layer_table(self.layers), draft / "layers.parquet")
        pq.write_table(part_table(plan.parts), draft / "parts.parquet")
        document = {
            "method": METHOD,
            "fingerprint": plan.fingerprint,
            "crs": plan.crs,
            "recipe": recipe_document(self.recipe),
            "form": self.form.document,
            "partition": asdict(plan.partition),
        }
        write_text(draft / "recipe.json", json.dumps(document, indent=1))
        write_functions(draft, self.recipe)
        shutil.rmtree(plan.folder, ignore_errors=True)
        draft.rename(plan.folder)


def _decoded(scene: Scene) -> int:
    """Bytes of a scene's wanted bands, decoded whole, each once."""
    return sum(math.prod(asset.grid.shape) * _itemsize(asset) for asset in _bands(scene))


def _bytes_of_cell(scene: Scene) -> int:
    """Bytes of one cell of all of a scene's wanted bands."""
    return sum(_itemsize(asset) for asset in _bands(scene))


def _bands(scene: Scene) -> Iterable[Asset]:
    """A scene's bands, each once."""
    return {(asset.href, asset.band): asset for asset in scene.assets.values()}.values()


def _itemsize(asset: Asset) -> int:
    return np.dtype(asset.dtype or "uint16").itemsize
