"""Reading: tables of a result, whole or filtered, and rows with their geometry."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from zonalbatch.errors import OutputError
from zonalbatch.places import Place
from zonalbatch.sinks.output import Output

if TYPE_CHECKING:
    import geopandas

__all__ = ["framed", "read_schema", "read_table", "sealed_file", "zone_shapes"]


def read_table(
    place: Place, columns: list[str] | None = None, filters: pc.Expression | None = None
) -> pa.Table:
    """A table of a result, whose pages are what their checksums say.

    Args:
        place: of the file.
        columns: names; None takes all.
        filters: which rows; row groups without any are not read.

    Raises:
        OutputError: the file is gone or broken.
    """
    with _broken(place):
        return pq.read_table(
            place.source(), columns=columns, filters=filters, page_checksum_verification=True
        )


def read_schema(place: Place) -> pa.Schema:
    """Names and types of the columns of a table.

    Raises:
        OutputError: the file is gone or broken.
    """
    with _broken(place):
        return pq.read_schema(place.source())


@contextmanager
def _broken(place: Place) -> Iterator[None]:
    """What Arrow says of a file, as an error of ours."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise OutputError(
            f"{place} cannot be read ({str(error).splitlines()[0]}); run the job again with "
            "--verify to have it back"
        ) from error


def sealed_file(output: Output, name: str) -> Place:
    """A file that is written when a run ends.

    Raises:
        OutputError: it has not ended.
    """
    place = output.path / name
    ended = output.sealed() is not None or not output.manifest()
    if not ended or not place.exists():
        raise OutputError(
            f"the run in {output.path} has not ended: there is no {name} yet; run the job again "
            "to go on with it"
        )
    return place


def zone_shapes(output: Output, filters: pc.Expression | None = None) -> geopandas.GeoDataFrame:
    """``zone_id`` and geometry of the zones, ordered by id.

    Raises:
        OutputError: the run has not ended.
    """
    import geopandas

    place = sealed_file(output, "zones.parquet")
    zones = read_table(place, ["zone_id", "geometry"], filters)
    geo = json.loads(zones.schema.metadata[b"geo"])
    frame = zones.replace_schema_metadata(None).to_pandas()
    shapes = geopandas.GeoSeries.from_wkb(frame["geometry"], crs=geo["columns"]["geometry"]["crs"])
    there = geopandas.GeoDataFrame(frame[["zone_id"]], geometry=shapes)
    return there.sort_values("zone_id", ignore_index=True)


def framed(table: pa.Table, shapes: geopandas.GeoDataFrame) -> geopandas.GeoDataFrame:
    """Rows with the geometry of their zones, ordered by zone and time."""
    import geopandas

    table = table.replace_schema_metadata(None)
    keep = [name for name in table.column_names if name not in ("bbox", "geometry")]
    frame: Any = table.select(keep).to_pandas()
    order = [c for c in ("zone_id", "datetime", "layer", "measurement") if c in frame]
    frame = frame.sort_values(order, kind="stable", ignore_index=True)
    shape = frame["zone_id"].map(shapes.set_index("zone_id")["geometry"])
    return geopandas.GeoDataFrame(frame.assign(geometry=shape), geometry="geometry", crs=shapes.crs)
