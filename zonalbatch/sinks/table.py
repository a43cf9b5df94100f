"""Tables of results: columns, their names and types, and rows in order of (zone, time)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyproj import CRS

from zonalbatch.errors import SchemaError
from zonalbatch.layers import Layer
from zonalbatch.recipe import Recipe
from zonalbatch.sinks.columns import Room, nullable, room_of
from zonalbatch.sources.view import overviews_of
from zonalbatch.work.layer_work import LayerSummary

__all__ = [
    "Form", "Matrix", "carried_columns", "check_names", "geo_metadata", "refuse_twins",
    "result_schema", "rows_of_pair", "told_columns", "without_layer",
]  # fmt: skip

STATUS = ("ok", "empty", "filtered", "partial", "failed")
"""What became of a row."""

OK, EMPTY, FILTERED, PARTIAL, FAILED = range(5)

TIME = pa.timestamp("us", "UTC")
"""Type of all times."""

ROWS_AT_ONCE = 100_000
"""Rows of a table that is written, at most: a row group."""

TABLE = 64 * 2**20
"""Bytes of geometry in it, at most, unless a row has more."""

LONG = ("measurement", "statistic", "value")
"""Columns that only the long layout has."""

FIXED = frozenset(
    ("zone_id", "datetime", "datetime_end", "layer", "status", "geometry", "bbox", *LONG)
)
"""Columns whose names are the same in all results."""
APPROXIMATE = "approximate"
"""Column that is true where a number is not exact; there is one if a statistic may not be."""
STATE = {b"zonalbatch": b"state"}
"""Metadata of a field that keeps states, which are no part of what a user asked for."""
OVERVIEW = "overview"
"""Column that tells which overview was read, null for full resolution, if a resolution is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How results are written."""

    layout: Literal["wide", "long"] = "wide"
    geometry: bool | None = True
    """True if each row repeats its zone's geometry; None until the plan has decided by the rows."""
    prefix: str = ""
    """Text before the names of result columns; before those of measurements in the long layout."""
    ranges: bool = False
    """True if a layer covers a range of time, so that there is a datetime_end."""
    overviews: bool = False
    """True if overviews may be read, so that rows say which."""

    @property
    def document(self) -> dict[str, Any]:
        """The form in plain types; later keys only where they are set, so that names stay."""
        keys = asdict(self)
        return keys if self.overviews else {k: v for k, v in keys.items() if k != "overviews"}

    def column(self, measurement: str, statistic: str) -> str:
        """Name of a result column."""
        return f"{self.prefixed(measurement)}_{statistic}"

    def prefixed(self, measurement: str) -> str:
        """A measurement as the column ``measurement`` of the long layout has it."""
        return f"{self.prefix}{measurement}"


def result_columns(recipe: Recipe, form: Form) -> dict[tuple[str, str], str]:
    """(measurement, statistic column) -> name of the result column, in order."""
    return {
        (m.name, s.column): form.column(m.name, s.column)
        for m in recipe.measurements
        for s in recipe.asked
    }


def result_kinds(recipe: Recipe) -> dict[tuple[str, str], pa.DataType]:
    """(measurement, statistic column) -> type of the result column, in order."""
    statistics = recipe.asked
    return {(m.name, s.column): s.kind for m in recipe.measurements for s in statistics}


def rows_of_pair(recipe: Recipe, form: Form) -> int:
    """How many rows tell of one zone and layer."""
    return 1 if form.layout == "wide" else len(result_columns(recipe, form))


def check_names(recipe: Recipe, form: Form, carried: Sequence[str]) -> None:
    """See that all column names are unique, and that long rows hold numbers only.

    Raises:
        SchemaError: two columns would have one name, or a long row would hold a list.
    """
    lists = [f"{s.name!r} is a list" for s in recipe.asked if s.listed]
    if recipe.states:
        lists = [("sketch: true" if recipe.sketch else "temporal") + " keeps states"]
    if form.layout == "long" and lists:
        raise SchemaError(
            f"{lists[0]}, and rows of the long layout hold one number each; "
            "use layout: wide, or leave it out"
        )
    fixed = [*(FIXED - set(LONG)), *[field.name for field in _last_fields(recipe, form)[:-1]]]
    results = list(result_columns(recipe, form).values())
    if form.layout == "long":
        fixed, results = [*fixed, *LONG], []
    refuse_twins([*fixed, *results, *carried])


def refuse_twins(names: Sequence[str]) -> None:
    """See that no column name stands twice.

    Raises:
        SchemaError: one does.
    """
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise SchemaError(
                f"two result columns would be named {name!r}; give a prefix (prefix: zb_), rename "
                "the measurement, or leave the zones' column out of zones.columns"
            )
        seen.add(name)


def result_schema(recipe: Recipe, form: Form, zones: pa.Schema) -> pa.Schema:
    """The schema of all result files: columns before the statistics, statistics, columns after."""
    fields = [zones.field("zone_id")]
    if form.layout == "wide":
        fields += [zones.field(name) for name in carried_columns(zones)]
    times = [pa.field("datetime", TIME)]
    if form.ranges:
        times.append(pa.field("datetime_end", TIME))
    if form.layout == "long":
        fields += [
            pa.field("layer", pa.string()), *times, pa.field("measurement", pa.string()),
            pa.field("statistic", pa.string()), pa.field("value", pa.float64()),
        ]  # fmt: skip
        return pa.schema([*fields, *_last_fields(recipe, form)])
    fields += [*times, pa.field("layer", pa.string())]
    names, kinds = result_columns(recipe, form), result_kinds(recipe)
    fields += [pa.field(name, kinds[key]) for key, name in names.items()]
    hidden = {form.column(m.name, s.column) for m in recipe.measurements for s in recipe.behind}
    fields = [one.with_metadata(STATE) if one.name in hidden else one for one in fields]
    return pa.schema([*fields, *_last_fields(recipe, form), *place_fields(form)])


def place_fields(form: Form) -> list[pa.Field]:
    """Where the zone of a row lies, if rows say it."""
    if not form.geometry:
        return []
    return [pa.field("geometry", pa.binary()), pa.field("bbox", BBOX)]


def told_columns(schema: pa.Schema) -> list[str]:
    """Names of the columns that a user asked for: all but those that keep states."""
    return [field.name for field in schema if not is_state(field)]


def is_state(field: pa.Field) -> bool:
    """True if a column keeps the states behind the numbers of its row."""
    return STATE.items() <= (field.metadata or {}).items()


def _last_fields(recipe: Recipe, form: Form) -> list[pa.Field]:
    """What is said of a row's numbers."""
    seen = [pa.field(OVERVIEW, pa.string())] if form.overviews else []
    rough = [pa.field(APPROXIMATE, pa.bool_())] if recipe.capped else []
    return [*seen, *rough, pa.field("status", pa.string())]


BBOX = pa.struct([(name, pa.float64()) for name in ("xmin", "ymin", "xmax", "ymax")])


def carried_columns(zones: pa.Schema) -> list[str]:
    """Names of the user's columns among the columns of zones."""
    own = {"zone_id", "geometry", "left", "bottom", "right", "top", "hash"}
    return [name for name in zones.names if name not in own]


def geo_metadata(crs: str, *, covering: bool) -> dict[bytes, bytes]:
    """The ``geo`` key of GeoParquet 1.1."""
    column: dict[str, Any] = {
        "encoding": "WKB",
        "geometry_types": [],
        "crs": CRS.from_user_input(crs).to_json_dict(),
    }
    if covering:
        column["covering"] = {"bbox": {k: ["bbox", k] for k in ("xmin", "ymin", "xmax", "ymax")}}
    document = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}
    return {b"geo": json.dumps(document).encode()}


class Matrix:
    """The results of one part while its layers come in: (zone, layer) for each column."""

    def __init__(self, zones: pa.Table, layers: int, recipe: Recipe, form: Form) -> None:
        self.zones, self.recipe, self.form = zones, recipe, form
        shape = (zones.num_rows, layers)
        kinds = result_kinds(recipe)
        self.columns: dict[tuple[str, str], Room] = {
            key: room_of(kind, *shape) for key, kind in kinds.items()
        }
        self.met = np.zeros(shape, bool)
        self.status = np.zeros(shape, np.int8)
        self.approximate = {
            (m.name, s.column): np.zeros(shape, bool)
            for m in recipe.measurements
            for s in recipe.asked
            if s.capped
        }
        """Capped statistics -> (zone, layer) True if the number is not exact."""
        self._layers: list[Any] = []

    def put(self, summary: LayerSummary) -> None:
        """Take in the next layer."""
        at = len(self._layers)
        self._layers.append(summary.layer)
        self.met[:, at] = summary.met
        self.status[:, at] = _status(summary)
        for key, column in summary.columns.items():
            self.columns[key].put(at, column)
        for key, rough in summary.approximate.items():
            self.approximate[key][:, at] = rough

    def put_failed(self, layer: Layer) -> None:
        """Take in a layer of which nothing is known: every zone has a row without a number."""
        at = len(self._layers)
        self._layers.append(layer)
        self.met[:, at], self.status[:, at] = True, FAILED

    @property
    def rows(self) -> int:
        """Number of rows: pairs of zone and layer that meet."""
        return int(self.met.sum())

    @property
    def unmet(self) -> NDArray[np.bool_]:
        """(zone,) True if the zone has no row."""
        return np.logical_not(self.met.any(axis=1))

    def tables(self) -> Iterator[pa.Table]:
        """The rows in order of (zone, time), some at a time."""
        zone, layer = np.nonzero(self.met)
        step = max(1, ROWS_AT_ONCE // rows_of_pair(self.recipe, self.form))
        for start, stop in pairwise(self._edges(zone, step)):
            yield self._table(zone[start:stop], layer[start:stop])

    def _edges(self, zone: NDArray[np.int64], step: int) -> NDArray[np.int64]:
        """Where tables of so many rows begin and end, cut further where geometries are large."""
        edges = {0, len(zone), *range(0, len(zone), step)}
        if self.form.geometry:
            sizes = pc.binary_length(self.zones["geometry"]).to_numpy()
            tables = np.cumsum(sizes.astype(np.int64)[zone]) // TABLE
            edges |= set((np.flatnonzero(np.diff(tables)) + 1).tolist())
        return np.array(sorted(edges))

    def _table(self, zone: NDArray[np.int64], layer: NDArray[np.int64]) -> pa.Table:
        schema = result_schema(self.recipe, self.form, self.zones.schema)
        rows = self._rows(zone, layer)
        if self.form.layout == "wide":
            for key, name in result_columns(self.recipe, self.form).items():
                rows[name] = self.columns[key].take(zone, layer)
            rough = [some[zone, layer] for some in self.approximate.values()]
            rows[APPROXIMATE] = np.any(rough, axis=0) if rough else None
        else:
            rows = self._long(rows, zone, layer)
        return pa.table([rows[name] for name in schema.names], schema=schema)

    def _rows(self, zone: NDArray[np.int64], layer: NDArray[np.int64]) -> dict[str, Any]:
        """The columns that are not statistics."""
        layers = self._layers
        times = pa.array([one.datetime for one in layers], TIME)
        ends = pa.array([one.datetime_end for one in layers], TIME)
        names = pa.array([one.id for one in layers], pa.string())
        at = pa.array(layer)
        rows = zone_columns(self.zones.take(pa.array(zone)), self.form)
        return rows | {
            "datetime": times.take(at),
            "datetime_end": ends.take(at),
            "layer": names.take(at),
            OVERVIEW: pa.array(map(overview_of, layers), pa.string()).take(at),
            "status": pa.array(STATUS).take(pa.array(self.status[zone, layer])),
        }

    def _long(
        self, rows: dict[str, Any], zone: NDArray[np.int64], layer: NDArray[np.int64]
    ) -> dict[str, Any]:
        """One row for each measurement and statistic."""
        keys = list(self.columns)
        repeat = pa.array(np.repeat(np.arange(len(zone)), len(keys)))
        long = {name: column.take(repeat) for name, column in rows.items()}
        columns = [self.columns[key].take(zone, layer).cast(pa.float64()) for key in keys]
        values = [column.to_numpy(zero_copy_only=False) for column in columns]
        long["value"] = nullable(np.column_stack(values).reshape(-1))
        exact = np.zeros(len(zone), bool)
        rough = [self.approximate[k][zone, layer] if k in self.approximate else exact for k in keys]
        long[APPROXIMATE] = np.column_stack(rough).reshape(-1)
        labels = [(self.form.prefixed(measurement), statistic) for measurement, statistic in keys]
        for place, name in enumerate(LONG[:2]):
            kinds = pa.array([told[place] for told in labels])
            long[name] = kinds.take(pa.array(np.tile(np.arange(len(keys)), len(zone))))
        return long


def overview_of(layer: Layer) -> str | None:
    """Which overviews are read of a layer; null at full resolution."""
    assets = {name: one.href for scene in layer.scenes for name, one in scene.assets.items()}
    return overviews_of(assets)


def zone_columns(zones: pa.Table, form: Form) -> dict[str, Any]:
    """The columns of rows that come from their zones."""
    columns = {"zone_id": zones["zone_id"]}
    columns |= {name: zones[name] for name in carried_columns(zones.schema)}
    if form.geometry:
        columns["geometry"] = zones["geometry"]
        columns["bbox"] = bounding_boxes(zones)
    return columns


def bounding_boxes(zones: pa.Table) -> pa.Array:
    """(zone,) struct of bounds, null for an empty zone."""
    sides = [zones[name].combine_chunks() for name in ("left", "bottom", "right", "top")]
    empty = np.isnan(sides[0].to_numpy(zero_copy_only=False))
    return pa.StructArray.from_arrays(sides, fields=list(BBOX), mask=pa.array(empty))


def without_layer(zones: pa.Table, schema: pa.Schema, form: Form) -> pa.Table:
    """The rows of zones that meet no layer: null layer and time, status ``empty``."""
    rows: dict[str, Any] = zone_columns(zones, form)
    rows["status"] = pa.array(["empty"] * zones.num_rows)
    rows[APPROXIMATE] = np.zeros(zones.num_rows, bool)
    columns = [
        rows[name] if name in rows else pa.nulls(zones.num_rows, schema.field(name).type)
        for name in schema.names
    ]
    return pa.table(columns, schema=schema)


def _status(summary: LayerSummary) -> NDArray[np.int8]:
    """(zone,) index into STATUS."""
    unread = np.column_stack(list(summary.unread.values()))
    return row_status(summary.valid, unread, summary.unweighed, summary.filtered)


def row_status(
    valid: NDArray[np.bool_],
    unread: NDArray[np.bool_],
    unweighed: NDArray[np.bool_] | bool = False,
    filtered: NDArray[np.bool_] | bool = False,
) -> NDArray[np.int8]:
    """(row,) index into STATUS.

    Args:
        valid: (row,) True if any measurement has a valid cell.
        unread: (row, measurement) True if a cell could not be read.
        unweighed: (row,) True if the weight of a cell could not be read.
        filtered: (row,) True if too little of the zone is clear.
    """
    status = np.where(valid, OK, EMPTY)
    status = np.where(unread.any(axis=1) | unweighed, PARTIAL, status)
    status = np.where(filtered, FILTERED, status)
    return np.where(unread.all(axis=1), FAILED, status).astype(np.int8)
