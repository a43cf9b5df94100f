"""Offered: what a data set has for zones, in the words of `zonal_stats`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zonalbatch.zones import ZoneReader

__all__ = ["Offered", "is_data_set", "offered"]


def is_data_set(source: Any) -> bool:
    """True of ``{kind: dataset, name: ...}``."""
    return isinstance(source, Mapping) and source.get("kind") == "dataset"


@dataclass(frozen=True, slots=True, eq=False)
class Offered:
    """Rasters, and how they are read."""

    raster: Any
    """Items or files."""
    bands: Mapping[str, Any]
    mask: Any
    sign: Any
    trusted: bool
    group_by: Any


def offered(
    source: Mapping[str, Any],
    zones: Callable[[], ZoneReader],
    *,
    bands: Any,
    measurements: Any,
    mask: Any,
) -> Offered:
    """What a data set has where zones lie.

    Args:
        source: ``{"kind": "dataset", "name": ...}`` and, perhaps, keys of a search.
        zones: opens them, where they are needed.
        bands: names of variables, or keys by name.
        measurements: expressions by name.
        mask: as of a job; the data set knows some by name.

    Raises:
        SourceError: there is no such data set, or nothing of it there.
        ReadError: its provider cannot be reached.
    """
    from zonalbatch.catalog.expanded import expanded  # which reads YAML: most calls need none
    from zonalbatch.job.items import StacSource
    from zonalbatch.searched import items_of
    from zonalbatch.searches.addresses import signed_by

    named = [bands] if isinstance(bands, str) else bands
    by_name = named if named is None or isinstance(named, Mapping) else {one: one for one in named}
    document = {"source": source, "bands": by_name, "measurements": measurements, "mask": mask}
    told = expanded({key: value for key, value in document.items() if value is not None})
    keys = told["source"]
    if keys["kind"] == "cog":
        return Offered(keys["files"], told["bands"], told.get("mask"), None, False, None)
    search = StacSource(**keys)
    items, _ = items_of(search, zones)
    sign = search.sign or signed_by(str(search.api))
    return Offered(
        items, told["bands"], told.get("mask"), sign, search.trusted, told.get("group_by")
    )
