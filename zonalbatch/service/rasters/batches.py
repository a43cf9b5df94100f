"""Batches: the route that answers for many areas on many rasters, as rows that are streamed."""

from __future__ import annotations

import asyncio
import io
import json
import math
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import partial
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from zonalbatch.service.areas import Area
from zonalbatch.service.problems import PROBLEMS
from zonalbatch.service.questions import BatchBody, Feature
from zonalbatch.service.rasters.measuring import Measure
from zonalbatch.service.rasters.routes import measure_of
from zonalbatch.service.rasters.rows import Source, batch_areas, batch_rows, lost_rows, schema_of
from zonalbatch.service.refusals import TOO_LARGE, Refusal
from zonalbatch.service.settings import Settings
from zonalbatch.service.workers import Workers

__all__ = ["router"]

GEOJSON, ARROW, PARQUET = (
    "application/geo+json", "application/vnd.apache.arrow.stream",
    "application/vnd.apache.parquet",
)  # fmt: skip

router = APIRouter(prefix="/api/v1/zonal-stats", tags=["zonal statistics"], responses=PROBLEMS)


@router.post(
    "/raster/batch",
    response_class=StreamingResponse,
    responses={200: {"content": {name: {} for name in (GEOJSON, ARROW, PARQUET)}}},
)
async def raster_batch(body: BatchBody, request: Request) -> StreamingResponse:
    """A row for each feature and raster, as `Accept` asks: GeoJSON, an Arrow stream, GeoParquet.

    A raster that cannot be read has rows too, with `status` `failed` and the reason in `error`.
    """
    app = request.app.state
    _check_size(body, app.settings)
    measure, features = measure_of(body), body.features.features
    shapes = [one.geometry.model_dump() for one in features]
    # A refusal of an area is told by the status: nothing is sent before.
    bounded = not measure.approximate
    areas = await app.workers.asked(partial(batch_areas, bounded=bounded), shapes)
    sources = [Source(url, bool(body.items), body.asset) for url in body.urls or body.items]
    rows = _tables(app.workers, app.settings, measure, areas, sources)
    first = await anext(rows)
    kind = _accepted(request.headers.get("accept", ""))
    writer = _WRITERS[kind](measure, features)
    return StreamingResponse(_written(writer, first, rows), media_type=kind)


def _check_size(body: BatchBody, settings: Settings) -> None:
    for what, many, most in (
        ("features", len(body.features.features), settings.features),
        ("rasters", len(body.urls or body.items), settings.items),
    ):
        if many > most:
            raise Refusal(TOO_LARGE, f"there are {many:,} {what}, and at most {most:,} in a batch")


async def _tables(
    workers: Workers,
    settings: Settings,
    measure: Measure,
    areas: Sequence[Area],
    sources: Sequence[Source],
) -> AsyncIterator[pa.Table]:
    """The rows of each raster, in order, some of them under way while one is sent."""
    waiting: list[asyncio.Task[pa.Table]] = []
    left = list(reversed(sources))
    with workers.counted():  # one question, however many rasters it has
        try:
            while left or waiting:
                while left and len(waiting) < 2 * settings.workers:
                    rows = _rows(workers, measure, areas, left.pop())
                    waiting.append(asyncio.create_task(rows))
                yield await waiting.pop(0)
        finally:
            for task in waiting:
                task.cancel()


async def _rows(
    workers: Workers, measure: Measure, areas: Sequence[Area], source: Source
) -> pa.Table:
    try:
        return (await workers.said(batch_rows, measure, areas, source)).told()
    except Refusal as refusal:
        return lost_rows(measure, areas, source, refusal)


def _accepted(header: str) -> str:
    """The form that a client asks for; GeoJSON unless it asks for another."""
    return next((kind for kind in (ARROW, PARQUET) if kind in header), GEOJSON)


async def _written(
    writer: Writer, first: pa.Table, rows: AsyncIterator[pa.Table]
) -> AsyncIterator[bytes]:
    yield await run_in_threadpool(writer.begin, first)
    async for table in rows:
        yield await run_in_threadpool(writer.more, table)
    yield await run_in_threadpool(writer.end)


class Writer(Protocol):
    """Rows as bytes, piece by piece."""

    def begin(self, table: pa.Table) -> bytes:
        """The head and the first rows."""
        ...

    def more(self, table: pa.Table) -> bytes:
        """Further rows."""
        ...

    def end(self) -> bytes:
        """What comes last."""
        ...


class _GeoJson:
    """A FeatureCollection; each feature with its own properties beside the figures."""

    def __init__(self, _: Measure, features: Sequence[Feature]) -> None:
        self._features = features

    def begin(self, table: pa.Table) -> bytes:
        """The head and the first rows."""
        head = b'{"type":"FeatureCollection","features":['
        return head + ",".join(self._rows(table)).encode()

    def more(self, table: pa.Table) -> bytes:
        """Further rows."""
        return "".join(f",{row}" for row in self._rows(table)).encode()

    def end(self) -> bytes:
        """The brackets that are open."""
        return b"]}"

    def _rows(self, table: pa.Table) -> Iterator[str]:
        for row in table.to_pylist():
            feature = self._features[row.pop("feature")]
            shape = shapely.from_wkb(row.pop("geometry"))
            figures = {name: _plain(value) for name, value in row.items()}
            told = {
                "type": "Feature", "id": feature.id,
                "geometry": shapely.geometry.mapping(shape),
                "properties": {**_finite(feature.properties or {}), **figures},
            }  # fmt: skip
            yield json.dumps(told, allow_nan=False)


class _Arrow:
    """An Arrow stream, a batch for each raster."""

    def __init__(self, measure: Measure, features: Sequence[Feature]) -> None:
        self._features = features
        self._schema = _carrying(schema_of(measure))
        self._sink = io.BytesIO()

    def begin(self, table: pa.Table) -> bytes:
        """The schema and the first rows."""
        self._writer = pa.ipc.new_stream(self._sink, self._schema)
        return self.more(table)

    def more(self, table: pa.Table) -> bytes:
        """Further rows."""
        self._writer.write_table(_carried(table, self._features, self._schema))
        return _taken(self._sink)

    def end(self) -> bytes:
        """The mark of the end."""
        self._writer.close()
        return _taken(self._sink)


class _Parquet(_Arrow):
    """GeoParquet, a row group for each raster."""

    def begin(self, table: pa.Table) -> bytes:
        """The head and the first rows."""
        geo = {
            "version": "1.1.0", "primary_column": "geometry",
            "columns": {"geometry": {"encoding": "WKB", "geometry_types": []}},
        }  # fmt: skip
        self._schema = self._schema.with_metadata({"geo": json.dumps(geo)})
        self._sink = _Pipe()
        self._writer = pq.ParquetWriter(self._sink, self._schema, compression="zstd")
        return self.more(table)


class _Pipe(io.BytesIO):
    """Bytes that are taken as they come, while the place in the file goes on."""

    taken = 0

    def tell(self) -> int:
        return self.taken + super().tell()


def _taken(sink: io.BytesIO) -> bytes:
    """The bytes since the last time."""
    found = sink.getvalue()
    if isinstance(sink, _Pipe):
        sink.taken += len(found)
    sink.seek(0)
    sink.truncate()
    return found


def _carrying(schema: pa.Schema) -> pa.Schema:
    """The columns of rows with what features carry: their id and, as JSON, their properties."""
    return schema.insert(1, pa.field("id", pa.string())).insert(
        2, pa.field("properties", pa.string())
    )


def _carried(table: pa.Table, features: Sequence[Feature], schema: pa.Schema) -> pa.Table:
    which = [features[i] for i in table["feature"].to_pylist()]
    ids = [None if one.id is None else str(one.id) for one in which]
    told = [json.dumps(_finite(one.properties or {})) for one in which]
    return (
        table.add_column(1, schema.field(1), pa.array(ids, pa.string()))
        .add_column(2, schema.field(2), pa.array(told, pa.string()))
        .replace_schema_metadata(schema.metadata)
    )


def _plain(value: Any) -> Any:
    """A value as JSON has it: maps as objects."""
    if isinstance(value, list):
        return dict(value)
    return value


def _finite(value: Any) -> Any:
    """What features carry, with null for NaN and infinity: many write them, JSON has none."""
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


_WRITERS: dict[str, Callable[[Measure, Sequence[Feature]], Writer]] = {
    GEOJSON: _GeoJson,
    ARROW: _Arrow,
    PARQUET: _Parquet,
}
