"""Outputs: results written without a run, as large and as odd as a test wants them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
import yaml
from numpy.typing import NDArray

from zonalbatch.layers import Failure
from zonalbatch.receipts import Receipt
from zonalbatch.results import Results, open_results
from zonalbatch.sinks.failures import write_failures
from zonalbatch.sinks.output import Output
from zonalbatch.sinks.sealed import Sealed
from zonalbatch.sinks.table import TIME, geo_metadata

__all__ = ["Made", "fields", "season", "written"]

PLAN = "0" * 32
FIRST = dt.datetime(2023, 10, 1, tzinfo=dt.UTC)
SIDE = 250.0
"""Metres from a field to the next."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Made:
    """What a result shall hold."""

    zones: geopandas.GeoDataFrame
    """``zone_id``, carried columns, geometry."""
    times: Sequence[dt.datetime | None]
    values: NDArray[np.float64]
    """(zone, time); NaN where there is none."""
    status: NDArray[Any] | None = None
    """(zone, time); ok and empty if none is given; "" where there is no row."""
    seen: NDArray[np.float64] | None = None
    """(zone, time) shares; 1 and 0 if none are given."""
    failures: Sequence[Failure] = ()
    layout: str = "wide"
    ended: bool = True
    measurement: str = "ndvi"


def fields(count: int, seed: int = 7, crs: str = "EPSG:32631") -> geopandas.GeoDataFrame:
    """Uneven fields in rows, with ids and crops."""
    rng = np.random.default_rng(seed)
    wide = int(np.ceil(np.sqrt(count)))
    row, col = np.divmod(np.arange(count), wide)
    angles = np.linspace(0, 2 * np.pi, 9)[:-1]
    reach = rng.uniform(0.25, 0.48, (count, 8)) * SIDE
    x = 500_000 + col[:, None] * SIDE + reach * np.cos(angles)
    y = 5_600_000 - row[:, None] * SIDE + reach * np.sin(angles)
    shapes = shapely.polygons(np.dstack([x, y]))
    crops = np.array(["wheat", "maize", "grass", None], object)[rng.integers(0, 4, count)]
    ids = [f"F{number:05d}" for number in range(count)]
    return geopandas.GeoDataFrame({"zone_id": ids, "crop": crops}, geometry=shapes, crs=crs)


def season(count: int, dates: int, seed: int = 7) -> tuple[NDArray[np.float64], list[dt.datetime]]:
    """(zone, time) of a season with clouds, and its dates, every four days."""
    rng = np.random.default_rng(seed)
    wide = np.sqrt(count)
    row, col = np.divmod(np.arange(count), np.ceil(wide))
    hills = 35 * np.sin(5 * row / wide) + 30 * np.cos(4 * col / wide)
    peak = (200 + hills + rng.normal(0, 12, count))[:, None]
    day = 4.0 * np.arange(dates)
    curve = 0.15 + 0.7 * np.exp(-(((day - peak) / 70) ** 2)) + rng.normal(0, 0.03, (count, dates))
    cloudy = rng.random(dates)[None] ** 0.7 > rng.random((count, dates))
    cloudy[:, dates // 3] = True
    return np.where(cloudy, np.nan, curve), [FIRST + dt.timedelta(days=float(one)) for one in day]


def written(folder: Path, made: Made, parts: int = 2) -> Results:
    """The result in a folder."""
    output = Output.at(folder)
    output.make_folders()
    status, seen = _status(made), _seen(made)
    receipts = []
    for part, some in enumerate(np.array_split(np.arange(len(made.zones)), parts)):
        table = _rows(made, some, status, seen)
        receipts.append(_write(output, f"{part:032d}", table))
    output.ledger.append(receipts)
    (output.path / "job.yaml").write_text(yaml.safe_dump(_job(made), sort_keys=False))
    plan = output.plans / PLAN
    plan.make()
    with (plan / "parts.parquet").replacing() as file:
        pq.write_table(pa.table({"id": [one.part for one in receipts]}), file)
    output.write_manifest(**_manifest(made, receipts))
    if made.ended:
        _seal(output, made)
    return open_results(folder)


def _status(made: Made) -> NDArray[Any]:
    usual = np.where(np.isfinite(made.values), "ok", "empty").astype("<U8")
    return usual if made.status is None else made.status


def _seen(made: Made) -> NDArray[np.float64]:
    return np.isfinite(made.values).astype(float) if made.seen is None else made.seen


def _rows(
    made: Made, zones: NDArray[Any], status: NDArray[Any], seen: NDArray[np.float64]
) -> pa.Table:
    at, time = np.nonzero(status[zones] != "")
    zone = zones[at]
    names = pa.array([_layer(number, moment) for number, moment in enumerate(made.times)])
    value = made.values[zone, time]
    own = made.measurement
    fixed = {
        "zone_id": pa.array(made.zones["zone_id"]).take(pa.array(zone)),
        "datetime": pa.array(made.times, TIME).take(pa.array(time)),
        "layer": names.take(pa.array(time)),
    }
    state = {"status": pa.array(status[zone, time])}
    columns = {
        f"{own}_count": pa.array(seen[zone, time] * 200),
        f"{own}_mean": pa.array(value, mask=np.isnan(value)),
        f"{own}_n_total": pa.array(np.full(len(zone), 200.0)),
    }
    if made.layout == "wide":
        return pa.table(fixed | columns | state)
    rows = pa.table(fixed | state)
    long = [
        rows.append_column("measurement", pa.array([own] * len(zone)))
        .append_column("statistic", pa.array([name.removeprefix(f"{own}_")] * len(zone)))
        .append_column("value", column)
        for name, column in columns.items()
    ]
    # Those of one pair lie beside each other, as in a result.
    order = np.argsort(np.tile(np.arange(len(zone)), len(columns)), kind="stable")
    return pa.concat_tables(long).take(pa.array(order))


def _layer(number: int, moment: dt.datetime | None) -> str:
    return f"layer{number}" if moment is None else f"S2_{moment:%Y%m%d}"


def _write(output: Output, part: str, table: pa.Table) -> Receipt:
    receipt = Receipt(
        part=part, rows=table.num_rows, stop=1, decoded=7 * 2**20, seconds=3.5
    )  # fmt: skip
    return output.write_part(part, [table], table.schema, {}, lambda: receipt)


def _job(made: Made) -> dict[str, Any]:
    return {
        "version": 1, "zones": {"path": "fields.gpkg", "id": "zone_id"},
        "source": {"kind": "cog", "pattern": "https://example.org/S2_{date}_{band}.tif"},
        "measurements": {made.measurement: "(nir - red) / (nir + red)"},
        "statistics": ["count", "mean", "n_total"], "output": {"path": "out"},
    }  # fmt: skip


def _manifest(made: Made, receipts: Sequence[Receipt]) -> dict[str, Any]:
    sealed = Sealed(
        fingerprint=PLAN, complete=True, version="0.1.0", parts=len(receipts),
        rows=sum(one.rows for one in receipts), zones=len(made.zones), zones_without_layer=0,
        alone="none", layers=len(made.times), failures=len(made.failures), unplanned="",
        bytes=sum(one.bytes for one in receipts), temporal=None, picked=None,
    )  # fmt: skip
    recipe = {
        "measurements": {made.measurement: "((nir - red) / (nir + red))"},
        "mask": {"band": "scl", "values": [0, 1, 3, 8, 9, 10], "keep": False},
        "statistics": ["count", "mean", "n_total"], "coverage": "fraction",
    }  # fmt: skip
    return {
        "method": 3, "fingerprint": PLAN, "recipe": recipe,
        "form": {"layout": made.layout, "geometry": False, "prefix": "", "ranges": False},
        "sealed": sealed.document if made.ended else None,
    }  # fmt: skip


def _seal(output: Output, made: Made) -> None:
    zones = made.zones
    carried = {name: pa.array(zones[name]) for name in zones if name != "geometry"}
    shapes = pa.array(shapely.to_wkb(zones.geometry.to_numpy()), pa.binary())
    table = pa.table(carried | {"geometry": shapes})
    crs = zones.crs.to_string()
    with (output.path / "zones.parquet").replacing() as file:
        pq.write_table(
            table.replace_schema_metadata(geo_metadata(crs, covering=False)), file,
            write_page_checksum=True,
        )  # fmt: skip
    write_failures(output.path / "failures.parquet", made.failures)
