"""Item table: STAC items as stac-geoparquet, a row for each item."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any

from zonalbatch.errors import InputError, SourceError
from zonalbatch.sources.access import Grant
from zonalbatch.sources.causes import read_error, shown
from zonalbatch.sources.whole import read_whole

__all__ = ["check_library", "is_item_table", "read_item_table", "write_item_table"]

TIMES = (
    "datetime", "start_datetime", "end_datetime", "created", "updated", "expires", "published",
    "unpublished",
)  # fmt: skip
"""Properties that stac-geoparquet keeps as times of microseconds."""
COLUMNS = {"id", "assets", "links", "geometry"}
"""What every such table has."""


def is_item_table(path: str) -> bool:
    """True for a local Parquet file with the columns of STAC items."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.lower().endswith(".parquet") or not Path(path).is_file():
        return False
    try:
        return set(pq.read_schema(path).names) >= COLUMNS
    except (pa.ArrowException, OSError):
        return False


def read_item_table(href: str) -> list[dict[str, Any]]:
    """The items of a stac-geoparquet file, as JSON has them.

    Raises:
        SourceError: it is no such file.
        ReadError: it cannot be read.
    """
    check_library(href)
    import pyarrow as pa
    import pyarrow.parquet as pq
    from stac_geoparquet.arrow import stac_table_to_items

    try:
        table = pq.read_table(BytesIO(read_whole(Grant(href))))
    except FileNotFoundError as error:
        raise SourceError(f"{shown(href)} does not exist; correct the path") from error
    except pa.ArrowInvalid as error:
        raise SourceError(f"{shown(href)} is no Parquet file; give a file of items") from error
    except (OSError, pa.ArrowException) as error:
        raise read_error(href, error) from error
    if missing := COLUMNS - set(table.column_names):
        raise SourceError(
            f"{shown(href)} has no column {min(missing)!r}, so it is no stac-geoparquet; give a "
            "file of STAC items"
        )
    return [_told(item) for item in stac_table_to_items(table)]


def write_item_table(items: Sequence[dict[str, Any]], path: Path) -> None:
    """Write items as stac-geoparquet.

    Raises:
        InputError: an item cannot be written, such as one that mixes kinds of values.
    """
    import pyarrow as pa
    from stac_geoparquet.arrow import parse_stac_items_to_arrow, to_parquet

    try:
        rows = parse_stac_items_to_arrow([_fit(item) for item in items])
        to_parquet(rows, path)
    except (pa.ArrowException, ValueError, AttributeError) as error:
        cause = " ".join(str(error).split())
        raise InputError(
            f"the items do not make a table ({cause}); write them as .json instead"
        ) from error


def check_library(name: str) -> None:
    """Refuse if stac-geoparquet is not installed.

    Raises:
        InputError: it is not.
    """
    if find_spec("stac_geoparquet") is None:
        raise InputError(
            f"{shown(name)}: items in Parquet need stac-geoparquet, which is not installed; "
            "install it with: pip install stac-geoparquet, or use .json"
        )


def _fit(item: dict[str, Any]) -> dict[str, Any]:
    """An item with the bounds that a table needs, and times that it can hold."""
    from shapely.geometry import shape

    properties = {
        key: _time(value) if key in TIMES else value for key, value in item["properties"].items()
    }
    bbox = item.get("bbox") or list(shape(item["geometry"]).bounds)
    flat = [*bbox[:2], *bbox[3:5]] if len(bbox) == 6 else list(bbox)
    return {**item, "bbox": flat, "links": item.get("links") or [], "properties": properties}


def _time(value: Any) -> Any:
    """A time in full, which some write as a date or with nanoseconds; None for what is none."""
    if not isinstance(value, str):
        return value
    try:
        when = datetime.fromisoformat(value)
    except ValueError:
        return None
    when = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    return when.isoformat().replace("+00:00", "Z")


def _told(value: Any) -> Any:
    """Values as JSON has them, without the nulls that other rows' columns leave."""
    if isinstance(value, dict):
        return {key: _told(one) for key, one in value.items() if one is not None}
    if isinstance(value, list | tuple):
        return [_told(one) for one in value]
    return value
