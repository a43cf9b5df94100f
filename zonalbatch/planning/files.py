"""The stored form of a plan: zones, layers and parts as Parquet, and how a worker reads its own.

zones.parquet    in the order of cells, so that the zones of a part are neighbours
layers.parquet   one row for each band of each scene of each layer
parts.parquet    one row for each part
cells.parquet    one row for each cell of space that holds a zone
recipe.json      how numbers are made and written
functions.pickle the user's functions, if there are any
"""

from __future__ import annotations

import datetime as dt
import json
import pickle
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from zonalbatch.breakdown import Bins, Breakdown
from zonalbatch.errors import OutputError, SourceError, StatisticError
from zonalbatch.expression import parse
from zonalbatch.layers import Layer, Scene
from zonalbatch.masks.mask import mask_from
from zonalbatch.measure import Measurement
from zonalbatch.places import Place
from zonalbatch.planning.assets import asset_document, asset_from
from zonalbatch.planning.identity import METHOD
from zonalbatch.planning.partition import Cell
from zonalbatch.recipe import Recipe
from zonalbatch.sinks.sums import read_sums, sum_of, write_sums
from zonalbatch.sinks.table import TABLE, Form
from zonalbatch.statistics import OfCells

__all__ = [
    "Part",
    "PartInput",
    "layer_table",
    "load_part",
    "part_table",
    "read_cells",
    "read_layers",
    "read_parts",
    "read_zones",
    "recipe_from",
    "replace_parts",
    "write_cells",
    "write_functions",
    "write_rows",
    "write_zones",
]

FUNCTIONS = "functions.pickle"

ZONES_IN_GROUP, ROWS_IN_GROUP = 20_000, 1_000
"""Zones in a row group, and parts or bands of layers: a worker reads the groups that it needs."""

BYTES_IN_GROUP = TABLE // 2
"""Bytes of geometry in a row group of zones, at most, unless a zone has more."""


@dataclass(frozen=True, slots=True)
class Part:
    """One unit of work, of retry, of output and of resume."""

    id: str
    cell: str
    bucket: str
    start: int
    """First zone, in the order of the plan."""
    stop: int
    """The one after the last."""
    layers: tuple[int, ...]
    """Indices of layers."""
    scenes: tuple[int, ...]
    """Numbers of those of their scenes that its zones may meet."""
    decoded: int
    """About how many bytes of pixels its zones' bounds hold."""
    source: str | None = None
    """The part of an earlier plan whose file holds all of its rows, among others."""
    peak: int = 0
    """The most bytes that a worker takes for it; 0 if its plan does not say."""

    @property
    def pairs(self) -> int:
        """Number of (zone, layer) pairs: an upper bound on its rows."""
        return (self.stop - self.start) * len(self.layers)


def write_zones(
    source: Path, target: Path, order: NDArray[np.int64], sizes: NDArray[np.float32]
) -> None:
    """Write the zones in the order of their cells; the source stays on disk, mapped.

    Args:
        source: the zones in the order of the input, as an Arrow file.
        target: a Parquet file.
        order: (zone,) rows of the input.
        sizes: (row,) bytes of the geometry of each row of the input.
    """
    groups = np.cumsum(sizes[order].astype(np.int64)) // BYTES_IN_GROUP
    edges = {0, len(order), *range(0, len(order), ZONES_IN_GROUP)}
    edges |= set((np.flatnonzero(np.diff(groups)) + 1).tolist())
    with pa.memory_map(str(source)) as mapped:
        table = pa.ipc.open_file(mapped).read_all()
        with pq.ParquetWriter(target, table.schema, compression="zstd") as writer:
            for start, stop in pairwise(sorted(edges)):
                writer.write_table(table.take(pa.array(order[start:stop])))


def write_cells(cells: Sequence[Cell], target: Path) -> None:
    """Write the cells of space, with the zones that each of them holds."""
    pq.write_table(pa.Table.from_pylist([asdict(cell) for cell in cells]), target)


def read_cells(folder: Place) -> list[Cell]:
    """The cells of a stored plan."""
    table = pq.read_table((folder / "cells.parquet").source())
    return [Cell(**row) for row in table.to_pylist()]


LAYER_SCHEMA = pa.schema(
    [
        ("index", pa.int32()), ("scene", pa.int32()), ("layer", pa.string()),
        ("datetime", pa.timestamp("us", "UTC")), ("datetime_end", pa.timestamp("us", "UTC")),
        ("items", pa.list_(pa.string())), ("superseded", pa.list_(pa.string())),
        ("footprint", pa.binary()), ("mixed", pa.list_(pa.string())),
        ("band", pa.string()), ("missing", pa.string()),
        ("href", pa.string()), ("file_band", pa.int32()), ("crs", pa.string()),
        ("dx", pa.float64()), ("dy", pa.float64()), ("x0", pa.float64()), ("y0", pa.float64()),
        ("window", pa.list_(pa.int64())), ("south_up", pa.bool_()), ("dtype", pa.string()),
        ("nodata", pa.string()), ("scale", pa.float64()), ("offset", pa.float64()),
        ("scaled_by", pa.string()),
        ("version", pa.string()),
    ]
)  # fmt: skip


def layer_table(layers: Sequence[Layer]) -> pa.Table:
    """One row for each band of each scene of each layer; scenes are numbered through."""
    scenes = [(i, layer, scene) for i, layer in enumerate(layers) for scene in layer.scenes]
    rows = [
        {"index": i, "scene": number} | row
        for number, (i, layer, scene) in enumerate(scenes)
        for row in _scene_rows(layer, scene)
    ]
    return pa.Table.from_pylist(rows, schema=LAYER_SCHEMA)


def _scene_rows(layer: Layer, scene: Scene) -> Iterator[dict[str, Any]]:
    head = {
        "layer": layer.id, "datetime": layer.datetime, "datetime_end": layer.datetime_end,
        "items": list(scene.items), "superseded": list(scene.superseded),
        "footprint": scene.footprint, "mixed": list(layer.mixed),
    }  # fmt: skip
    for name, asset in scene.assets.items():
        yield head | {"band": name, "scaled_by": asset.scaled_by} | asset_document(asset)
    for name, cause in scene.missing.items():
        yield head | {"band": name, "missing": cause}


def _layers_from(table: pa.Table) -> dict[int, Layer]:
    """Layers by index, from rows of `layer_table`."""
    scenes: dict[int, dict[int, list[dict[str, Any]]]] = {}
    for row in table.to_pylist():
        scenes.setdefault(row["index"], {}).setdefault(row["scene"], []).append(row)
    return {index: _layer_from(list(some.values())) for index, some in scenes.items()}


def _layer_from(scenes: Sequence[Sequence[Mapping[str, Any]]]) -> Layer:
    """The layer of the rows of its scenes."""
    head = scenes[0][0]
    return Layer(
        id=head["layer"],
        datetime=_utc(head["datetime"]),
        datetime_end=_utc(head["datetime_end"]),
        scenes=tuple(map(_scene_from, scenes)),
        mixed=tuple(head["mixed"] or ()),
    )


def _scene_from(rows: Sequence[Mapping[str, Any]]) -> Scene:
    head = rows[0]
    return Scene(
        items=tuple(head["items"] or ()),
        assets={row["band"]: asset_from(row) for row in rows if row["href"] is not None},
        missing={row["band"]: row["missing"] for row in rows if row["href"] is None},
        footprint=head["footprint"],
        superseded=tuple(head["superseded"] or ()),
    )


def _utc(time: dt.datetime | None) -> dt.datetime | None:
    return None if time is None else time.astimezone(dt.UTC)


def part_table(parts: Sequence[Part]) -> pa.Table:
    """One row for each part."""
    columns = {
        "id": pa.string(), "cell": pa.string(), "bucket": pa.string(), "start": pa.int64(),
        "stop": pa.int64(), "layers": pa.list_(pa.int32()), "scenes": pa.list_(pa.int32()),
        "decoded": pa.int64(), "source": pa.string(), "peak": pa.int64(),
    }  # fmt: skip
    schema = pa.schema(list(columns.items()))
    if not parts:
        return schema.empty_table()
    return pa.table([[getattr(p, name) for p in parts] for name in columns], schema=schema)


def write_rows(table: pa.Table, target: Path | IO[bytes]) -> None:
    """Write parts or layers so that a worker need not read them all to find its own."""
    pq.write_table(table, target, row_group_size=ROWS_IN_GROUP)


def replace_parts(parts: Sequence[Part], folder: Place) -> None:
    """Write the parts of a stored plan anew; workers see the old ones or the new.

    Raises:
        OutputError: the folder cannot be written to.
    """
    place = folder / "parts.parquet"
    with place.replacing() as file:
        write_rows(part_table(parts), file)
    write_sums(folder, {**read_sums(folder), place.name: sum_of(place)})


def _rows_of(file: Place, column: str, wanted: Sequence[Any]) -> pa.Table:
    """The rows of a file whose column holds one of some values, in order."""
    # It is opened once: halves of a part may take its place in another file at any moment.
    stored = pq.ParquetFile(file.source())
    keys = pa.array(wanted, stored.schema_arrow.field(column).type)
    found = pc.is_in(stored.read(columns=[column])[column], value_set=keys)
    rows = np.flatnonzero(found.to_numpy())
    starts = _starts(stored)
    groups = np.unique(np.searchsorted(starts, rows, "right") - 1)
    table = stored.read_row_groups(groups.tolist())
    return table.filter(pc.is_in(table[column], value_set=keys))


def _starts(file: pq.ParquetFile) -> NDArray[np.int64]:
    """(row group + 1,) the first row of each, and the number of all."""
    groups = range(file.num_row_groups)
    sizes = [file.metadata.row_group(i).num_rows for i in groups]
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def _parts_from(table: pa.Table) -> Iterator[Part]:
    """The parts that `part_table` wrote; they share the texts and lists that are the same."""
    known: dict[Any, Any] = {}
    for batch in table.to_batches(ROWS_IN_GROUP):
        for row in batch.to_pylist():
            for name in ("layers", "scenes"):
                row[name] = tuple(row[name])
            for name in ("cell", "bucket", "layers", "scenes"):
                row[name] = known.setdefault(row[name], row[name])
            yield Part(**row)


def read_parts(folder: Place) -> tuple[Part, ...]:
    """All parts of a stored plan."""
    return tuple(_parts_from(pq.read_table((folder / "parts.parquet").source())))


def read_layers(folder: Place) -> tuple[Layer, ...]:
    """All layers of a stored plan, in their order."""
    found = _layers_from(pq.read_table((folder / "layers.parquet").source()))
    return tuple(found[index] for index in sorted(found))


@dataclass(frozen=True, slots=True, eq=False)
class PartInput:
    """All that a worker needs for one part."""

    part: Part
    zones: pa.Table
    """zone_id, carried columns, geometry (WKB), bounds."""
    crs: str
    layers: tuple[Layer, ...]
    recipe: Recipe
    form: Form


def load_part(folder: Place, part_id: str) -> PartInput:
    """Read what one part needs from a stored plan.

    Raises:
        SourceError: the plan was made by another version of the method.
        OutputError: its files are damaged.
    """
    try:
        return _loaded(folder, part_id)
    except (ValueError, KeyError, TypeError, pa.ArrowException) as error:
        raise OutputError(
            f"the plan {folder} is damaged ({str(error).splitlines()[0]}); run the job again, "
            "which makes it anew"
        ) from error


def _loaded(folder: Place, part_id: str) -> PartInput:
    document = json.loads((folder / "recipe.json").read_text())
    if document["method"] != METHOD:
        raise SourceError(
            f"the plan {folder} was made by method {document['method']}, this worker has {METHOD}; "
            "use the same version of zonalbatch on client and workers"
        )
    (part,) = _parts_from(_rows_of(folder / "parts.parquet", "id", [part_id]))
    layers = _layers_from(_rows_of(folder / "layers.parquet", "scene", part.scenes))
    return PartInput(
        part=part,
        zones=read_zones(folder, part.start, part.stop),
        crs=document["crs"],
        layers=tuple(layers[i] for i in part.layers),
        recipe=recipe_from(document["recipe"], _functions_of(folder)),
        form=Form(**document["form"]),
    )


def read_zones(folder: Place, start: int, stop: int) -> pa.Table:
    """The zones from ``start`` up to ``stop`` in the order of a plan, without their hashes."""
    file = pq.ParquetFile((folder / "zones.parquet").source())
    starts = _starts(file)
    first = int(np.searchsorted(starts, start, "right")) - 1
    last = int(np.searchsorted(starts, stop))
    names = [name for name in file.schema_arrow.names if name != "hash"]
    table = file.read_row_groups(list(range(first, last)), columns=names)
    return table.slice(start - int(starts[first]), stop - start)


def write_functions(folder: Path, recipe: Recipe) -> None:
    """Store the functions of a recipe, if it has any, so that workers can call them.

    Raises:
        StatisticError: one cannot be pickled.
    """
    functions = {s.name: s for s in recipe.statistics if not isinstance(s, str)}
    if not functions:
        return
    import cloudpickle

    for name, function in functions.items():
        try:
            cloudpickle.dumps(function)
        except Exception as error:
            raise StatisticError(
                f"the function {name} cannot be sent to workers ({error}); have it open what it "
                "needs when it is called, instead of holding it"
            ) from error
    (folder / FUNCTIONS).write_bytes(cloudpickle.dumps(functions))


def _functions_of(folder: Place) -> Mapping[str, OfCells]:
    """The functions that are stored with a plan.

    Raises:
        StatisticError: their code is not where this worker looks for it.
    """
    file = folder / FUNCTIONS
    try:
        return pickle.loads(file.read_bytes()) if file.exists() else {}
    except (ImportError, AttributeError) as error:
        raise StatisticError(
            f"a worker cannot load a function of statistics ({error}); install its module there"
        ) from error


def recipe_from(document: Mapping[str, Any], functions: Mapping[str, OfCells]) -> Recipe:
    """The recipe that `recipe_document` wrote, with its functions by name."""
    masks = mask_from(document["mask"])
    return Recipe(
        measurements=tuple(
            Measurement(name, parse(text), masks, document.get("default_value"))
            for name, text in document["measurements"].items()
        ),
        statistics=tuple(
            s if isinstance(s, str) else functions[s["name"]] for s in document["statistics"]
        ),
        coverage=document["coverage"],
        min_fraction=document.get("min_fraction", 0.0),
        min_clear=document.get("min_clear", 0.0),
        densify=document["densify"],
        weights=asset_from(document["weights"]) if "weights" in document else None,
        weight_by=document.get("weight_by", "fraction"),
        quantile_method=document.get("quantile_method", "linear"),
        sketch=document["sketch"],
        kept=tuple(document.get("temporal", ())),
        breakdown=_breakdown_from(document),
    )


def _breakdown_from(document: Mapping[str, Any]) -> Breakdown:
    bins = document.get("bins")
    span = tuple(bins["span"]) if bins and bins["span"] else None
    return Breakdown(
        classes=tuple((name, value) for name, value in document.get("classes", ())),
        edges=tuple(document.get("edges", ())),
        bins=None if bins is None else Bins(bins["count"], span),
    )
