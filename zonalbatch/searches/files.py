"""Files: items written as an ItemCollection or as stac-geoparquet, to be a source later."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from zonalbatch.errors import InputError, OutputError
from zonalbatch.places.files import replacing
from zonalbatch.sources import check_library, write_item_table

__all__ = ["writer"]

Items = Sequence[dict[str, Any]]


def writer(path: Path) -> Callable[[Items], None]:
    """What writes items to a file, whole or not at all.

    Raises:
        InputError: the name does not end in ``.json``, ``.geojson`` or ``.parquet``, or the library
            for the last is missing.
    """
    write = _WAYS.get(path.suffix.lower())
    if write is None:
        raise InputError(f"cannot write {path}: use a name that ends in {', '.join(_WAYS)}")
    if write is write_item_table:
        check_library(str(path))

    def written(items: Items) -> None:
        try:
            with replacing(path) as file:
                write(items, Path(file.name))
        except OSError as error:
            raise OutputError(f"cannot write {path}: {error.strerror or error}") from error

    return written


def _collection(items: Items, path: Path) -> None:
    """Write items as one GeoJSON document."""
    document = {"type": "FeatureCollection", "features": list(items)}
    path.write_text(json.dumps(document, indent=1))


_WAYS: dict[str, Callable[[Items, Path], None]] = {
    ".json": _collection,
    ".geojson": _collection,
    ".parquet": write_item_table,
}
