"""Groups: scenes of one time or one day, or all of them, as one layer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import shapely

from zonalbatch.errors import SourceError
from zonalbatch.layers import Layer, Layers, Scene
from zonalbatch.sources.footprints import footprint_of
from zonalbatch.sources.protocol import GroupBy, in_order

__all__ = ["grouped", "solar_day"]


def grouped(found: Layers, by: GroupBy) -> Layers:
    """Layers with those of one time, of one solar day, or all of them, put together.

    A solar day is the date of UTC + round(longitude / 15) hours, with the longitude of the middle
    of a scene's footprint: a pass over many tiles is then one day, also where it straddles midnight
    UTC. Scenes answer in the order of their time, then of their id.

    Raises:
        SourceError: a layer has no time to be grouped by.
    """
    if by == "item":
        return found
    groups: dict[str, list[Layer]] = {}
    for layer in found.layers:
        groups.setdefault(_key(layer, by), []).append(layer)
    layers = in_order(_together(key, some) for key, some in groups.items())
    return replace(found, layers=layers)


def _key(layer: Layer, by: GroupBy) -> str:
    if by == "all":
        return "all"
    if layer.datetime is None:
        raise SourceError(
            f"layer {layer.id!r} has no time to group it by; leave it out, use group_by: item, or "
            "say where the date stands in the names of files (datetime_pattern)"
        )
    if by == "datetime":
        return layer.datetime.isoformat().replace("+00:00", "Z")
    return solar_day(layer.datetime, layer.scenes[0])


def solar_day(when: datetime, scene: Scene) -> str:
    """The date of a scene in the mean local time of its middle, to the hour."""
    return (when + timedelta(hours=round(_longitude(scene) / 15))).date().isoformat()


def _longitude(scene: Scene) -> float:
    """Longitude of the middle of a scene's footprint; of its largest part, if it has several.

    A footprint at the antimeridian has a part on either side, and its own middle is far off.
    """
    parts = shapely.get_parts(footprint_of(scene))
    largest = max(parts, key=shapely.area)
    return float(shapely.get_x(shapely.centroid(largest)))


def _together(key: str, layers: Sequence[Layer]) -> Layer:
    first = datetime.min.replace(tzinfo=UTC)
    ordered = sorted(layers, key=lambda one: (one.datetime or first, one.items, one.id))
    ends = [one.datetime_end for one in ordered if one.datetime_end is not None]
    scenes = tuple(scene for layer in ordered for scene in layer.scenes)
    return Layer(
        id=key,
        datetime=ordered[0].datetime,
        datetime_end=max(ends, default=None),
        scenes=scenes,
        mixed=tuple(_mixed(scenes)),
    )


def _mixed(scenes: Sequence[Scene]) -> Iterable[str]:
    """Bands of which the plan says different things in different scenes."""
    kinds: dict[str, set[object]] = {}
    for scene in scenes:
        for name, asset in scene.assets.items():
            kinds.setdefault(name, set()).add((asset.dtype, asset.scale, asset.offset))
    return (name for name, told in kinds.items() if len(told) > 1)
