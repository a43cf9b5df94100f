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
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pyproj import Transformer

from zonalbatch.errors import SourceError, ZonesError
from zonalbatch.identity import METHOD, digest, layer_hash, recipe_document, recipe_hash
from zonalbatch.lattice import TILE, Grid, Lattice
from zonalbatch.layers import Failure, Layer, Layers
from zonalbatch.partition import (
    Bucket,
    Cell,
    Partition,
    bucket_of,
    cells_of,
    choose,
    chunks,
)  # fmt: skip
from zonalbatch.plan_files import Part, layer_table, part_table, write_zones
from zonalbatch.sinks.files import make_folder, write_text
from zonalbatch.sinks.table import Form
from zonalbatch.summarise import Recipe, lattices_of
from zonalbatch.zones import ZoneReader

__all__ = ["Estimate", "Plan", "make_plan", "on_one_lattice"]


Box: TypeAlias = tuple[float, float, float, float]
"""Left, bottom, right, top."""


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
        columns = len(self.recipe.measurements) * (len(self.recipe.statistics) + 8)
        return Estimate(
            zones=self.n_zones,
            layers=len(self.layers),
            parts=len(self.parts),
            rows=sum(p.pairs for p in self.parts),
            decoded=sum(p.decoded for p in self.parts),
            memory=400 * 1024**2 + 2 * largest * columns * 8,
        )


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
    for layer in layers:
        lattices_of(layer, recipe)
    draft = make_folder(folder) / f".draft-{uuid.uuid4()}"
    draft.mkdir()
    try:
        rows = _Rows.stream(zones, _reference(layers, recipe), draft / "zones.arrow")
        return _Planner(zones, layers, recipe, form, rows).plan(
            draft, folder, kept, failures, (*found.notes, *zones.notes)
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
    assets = {a.href: a.grid for layer in layers for a in layer.assets.values()}
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
    assets = {
        name: replace(asset, grid=moved.get(asset.grid, asset.grid))
        for name, asset in layer.assets.items()
    }
    return replace(layer, assets=assets)


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
        for lattice in lattices_of(layer, recipe):
            counts[lattice] = counts.get(lattice, 0) + 1
    return min(counts, key=lambda lattice: (-counts[lattice], repr(lattice)))


@dataclass(slots=True, eq=False)
class _Rows:
    """What the client keeps of each zone: 64 bytes, half of them its bounds."""

    file: Path
    """All columns, in the order of the input (Arrow IPC)."""
    tiles: NDArray[np.int64]
    """(zone, 2) row and column of the fold tile that the middle of its bounds lies in."""
    bounds: NDArray[np.float64]
    """(zone, 4) left, bottom, right, top; NaN for an empty zone."""
    hashes: NDArray[np.uint8]
    """(zone, 16)."""

    @classmethod
    def stream(cls, zones: ZoneReader, reference: Lattice, file: Path) -> _Rows:
        """Read all zones in batches, writing them to a file on the way."""
        tiles, bounds, hashes = [], [], []
        writer = None
        for batch in zones.batches():
            writer = writer or pa.ipc.new_file(str(file), batch.schema)
            writer.write_table(batch)
            box = np.column_stack([batch[c].to_numpy() for c in ("left", "bottom", "right", "top")])
            bounds.append(box)
            tiles.append(_tiles(box, zones.crs, reference))
            raw = batch["hash"].combine_chunks()
            hashes.append(np.frombuffer(b"".join(raw.to_pylist()), np.uint8).reshape(-1, 16))
        if writer is None or not sum(len(b) for b in bounds):
            raise ZonesError("there are no zones; check the file, or what was selected from it")
        writer.close()
        return cls(file, np.concatenate(tiles), np.concatenate(bounds), np.concatenate(hashes))


def _tiles(box: NDArray[np.float64], crs: str, reference: Lattice) -> NDArray[np.int64]:
    """(zone, 2) the fold tile of the middle of each zone's bounds; zero if it is nowhere."""
    x, y = (box[:, 0] + box[:, 2]) / 2, (box[:, 1] + box[:, 3]) / 2
    if crs != reference.crs:
        x, y = Transformer.from_crs(crs, reference.crs, always_xy=True).transform(x, y)
    row = (reference.y0 - y) / (reference.dy * TILE)
    col = (x - reference.x0) / (reference.dx * TILE)
    both = np.column_stack([row, col])
    both[~np.isfinite(both).all(axis=1)] = 0
    return np.floor(np.clip(both, -(2**40), 2**40)).astype(np.int64)


@dataclass(slots=True, eq=False)
class _Planner:
    """Everything that parts follow from."""

    zones: ZoneReader
    layers: tuple[Layer, ...]
    recipe: Recipe
    form: Form
    rows: _Rows

    def plan(
        self,
        draft: Path,
        folder: Path,
        kept: Partition | None,
        failures: tuple[Failure, ...],
        notes: tuple[str, ...],
    ) -> Plan:
        """Cut the work into parts, name them, and store it all."""
        partition = kept or choose(self.layers, self.rows.tiles, _decoded)
        buckets = self._buckets(partition.bucket)
        most = max(len(b) for b in buckets.values())
        order, cells = cells_of(self.rows.tiles, partition, most)
        hashes = [layer_hash(layer) for layer in self.layers]
        recipe = recipe_hash(self.recipe, asdict(self.form))
        fingerprint = digest(
            recipe, np.sort(self.rows.hashes.view("V16").reshape(-1)).tobytes(), *sorted(hashes)
        ).hex()
        parts = tuple(self._parts(cells, buckets, order, hashes, recipe))
        plan = Plan(
            fingerprint, folder / fingerprint, self.recipe, self.form, self.layers, parts,
            partition, len(order), self.zones.crs, failures, notes,
        )  # fmt: skip
        if not (plan.folder / "parts.parquet").exists():
            self._store(plan, draft, order)
        return plan

    def _buckets(self, length: Bucket) -> dict[str, list[int]]:
        """Layers by bucket of time."""
        buckets: dict[str, list[int]] = {}
        for i, layer in enumerate(self.layers):
            buckets.setdefault(bucket_of(layer, length), []).append(i)
        return buckets

    def _parts(
        self,
        cells: Sequence[Cell],
        buckets: Mapping[str, list[int]],
        order: NDArray[np.int64],
        hashes: Sequence[bytes],
        recipe: bytes,
    ) -> Iterator[Part]:
        reach = _Reach.of(self.layers, self.zones.crs)
        for cell in cells:
            bounds = self.rows.bounds[order[cell.start : cell.stop]]
            shares = reach.shares(bounds)
            for bucket, layers in buckets.items():
                near = [i for i in layers if shares[i] > 0]
                sizes = [int(shares[i] * _decoded(self.layers[i])) for i in near]
                if near:
                    for zones, some in chunks(cell, near, sizes):
                        ids = self.rows.hashes[order[zones.start : zones.stop]].tobytes()
                        own = digest(recipe, ids, *(hashes[i] for i in some)).hex()
                        decoded = sum(sizes[near.index(i)] for i in some)
                        yield Part(own, cell.name, bucket, zones.start, zones.stop, some, decoded)

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
            "form": asdict(self.form),
            "partition": asdict(plan.partition),
        }
        write_text(draft / "recipe.json", json.dumps(document, indent=1))
        shutil.rmtree(plan.folder, ignore_errors=True)
        draft.rename(plan.folder)


@dataclass(frozen=True, slots=True, eq=False)
class _Reach:
    """Where layers lie in the zones' CRS, to leave out those that no zone of a cell can meet."""

    boxes: NDArray[np.float64]
    """(layer, 4) left, bottom, right, top, a little too large rather than too small."""
    crs: str

    @classmethod
    def of(cls, layers: Sequence[Layer], crs: str) -> _Reach:
        seen: dict[tuple[str, Box], Box] = {}
        boxes = []
        for layer in layers:
            parts = []
            for asset in layer.assets.values():
                lattice = asset.grid.lattice
                key = (lattice.crs, lattice.bounds(asset.grid.window))
                if key not in seen:
                    seen[key] = _box_in(crs, *key)
                parts.append(seen[key])
            box = np.array(parts)
            boxes.append([*box[:, :2].min(axis=0), *box[:, 2:].max(axis=0)])
        return cls(np.array(boxes), crs)

    def shares(self, bounds: NDArray[np.float64]) -> NDArray[np.float64]:
        """(layer,) share of a layer's box within the bounds of some zones; 0 if they miss it."""
        some = bounds[np.isfinite(bounds).all(axis=1)]
        if not len(some):
            return np.zeros(len(self.boxes))
        low, high = some[:, :2].min(axis=0), some[:, 2:].max(axis=0)
        sides = np.minimum(self.boxes[:, 2:], high) - np.maximum(self.boxes[:, :2], low)
        meets = (sides >= 0).all(axis=1)
        area = np.prod(np.maximum(sides, 0), axis=1)
        whole = np.prod(self.boxes[:, 2:] - self.boxes[:, :2], axis=1)
        return np.where(meets, np.clip(area / whole, 1e-9, 1.0), 0.0)


def _box_in(crs: str, own: str, bounds: Box) -> Box:
    """Bounds of a box in another CRS, with a margin for curved sides; all of it if in doubt."""
    if crs == own:
        return bounds
    transformer = Transformer.from_crs(own, crs, always_xy=True)
    left, bottom, right, top = transformer.transform_bounds(*bounds, densify_pts=21)
    box = np.array([left, bottom, right, top])
    turned = transformer.target_crs is not None and transformer.target_crs.is_geographic
    if not np.isfinite(box).all() or right < left or (turned and (left < -180 or right > 180)):
        return (-math.inf, bottom if math.isfinite(bottom) else -math.inf, math.inf,
                top if math.isfinite(top) else math.inf)  # fmt: skip
    margin = 0.01 * max(right - left, top - bottom)
    return left - margin, bottom - margin, right + margin, top + margin


def _decoded(layer: Layer) -> int:
    """Bytes of a layer's wanted bands, decoded whole."""
    return sum(
        math.prod(asset.grid.shape) * np.dtype(asset.dtype or "uint16").itemsize
        for asset in layer.assets.values()
    )
