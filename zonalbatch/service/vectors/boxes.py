"""Boxes: what a GeoParquet file says of where the features of each row group lie.

By the statistics of a column of boxes (`covering` of GeoParquet 1.1, or a column named ``bbox``
where it is not declared and can be of no other CRS), or by those of Parquet's own geometry types.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import pyarrow.parquet as pq

__all__ = ["Box", "Boxes", "leaves_of"]

SIDES = ("xmin", "ymin", "xmax", "ymax")
ROUNDING = 2.0**-22
"""Relative; boxes may be of float32, rounded to the nearest."""


class Box(NamedTuple):
    """Bounds, units of a CRS."""

    left: float
    bottom: float
    right: float
    top: float


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """Where the statistics lie that tell the bounds of row groups."""

    metadata: pq.FileMetaData
    geometry: int
    """Column of the geometries."""
    sides: tuple[int, ...] | None
    """Columns of xmin, ymin, xmax and ymax; None where there are none."""
    geographic: bool
    """True where x is a longitude."""

    @classmethod
    def of(
        cls, metadata: pq.FileMetaData, name: str, told: Mapping[str, Any], *, geographic: bool
    ) -> Boxes:
        """What there is in a file.

        Args:
            metadata: of the file.
            name: of the geometry column.
            told: what GeoParquet says of it.
            geographic: True where x is a longitude.
        """
        leaves = leaves_of(metadata)
        numbers = {path: leaf for path, leaf in leaves.items() if _is_real(metadata, leaf)}
        sides = _declared(told, numbers)
        if sides is None and geographic:
            named = ([f"{column}.{side}" for side in SIDES] for column in (f"{name}_bbox", "bbox"))
            sides = next(filter(None, (_columns(one, numbers) for one in named)), None)
        return cls(metadata, leaves[name], sides, geographic)

    def may_meet(self, group: int, box: Box) -> bool:
        """False if surely no feature of a row group meets a box."""
        found = self._bounds(group)
        if found is None:
            return True
        left, bottom, right, top = found
        apart = box.bottom > _up(top) or box.top < _down(bottom)
        aside = box.left > _up(right) or box.right < _down(left)
        return not (apart or aside)

    def _bounds(self, group: int) -> Box | None:
        about = self.metadata.row_group(group)
        if self.sides is None:
            return self._told_of(about.column(self.geometry))
        told = [about.column(side).statistics for side in self.sides]
        if any(one is None or not one.has_min_max for one in told):
            return None
        west, south, east, north = told
        return self._upright(
            Box(west.min, south.min, east.max, north.max), across=west.max > east.min + 180
        )

    def _told_of(self, column: pq.ColumnChunkMetaData) -> Box | None:
        """By Parquet's own geometry types."""
        told = column.geo_statistics if getattr(column, "is_geo_stats_set", False) else None
        if told is None or None in (told.xmin, told.ymin, told.xmax, told.ymax):
            return None
        return self._upright(
            Box(told.xmin, told.ymin, told.xmax, told.ymax), across=told.xmin > told.xmax
        )

    def _upright(self, box: Box, *, across: bool) -> Box:
        """Of any longitude, if features may lie across the antimeridian, or beyond it."""
        if self.geographic and (across or box.left < -180 or box.right > 180):
            return box._replace(left=-float("inf"), right=float("inf"))
        return box


def leaves_of(metadata: pq.FileMetaData) -> dict[str, int]:
    """Path -> column as Parquet counts them; of those that share a path, none."""
    paths = [metadata.schema.column(i).path for i in range(metadata.num_columns)]
    counts = Counter(paths)
    return {path: i for i, path in enumerate(paths) if counts[path] == 1}


def _is_real(metadata: pq.FileMetaData, leaf: int) -> bool:
    return metadata.schema.column(leaf).physical_type in ("FLOAT", "DOUBLE")


def _declared(told: Mapping[str, Any], paths: Mapping[str, int]) -> tuple[int, ...] | None:
    try:
        bbox = told["covering"]["bbox"]
        return _columns([".".join(bbox[side]) for side in SIDES], paths)
    except (KeyError, TypeError):
        return None


def _columns(names: list[str], paths: Mapping[str, int]) -> tuple[int, ...] | None:
    found = tuple(paths[name] for name in names if name in paths)
    return found if len(found) == len(SIDES) else None


def _up(side: float) -> float:
    return side + abs(side) * ROUNDING


def _down(side: float) -> float:
    return side - abs(side) * ROUNDING
