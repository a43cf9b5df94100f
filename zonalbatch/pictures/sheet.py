"""Sheet: all scenes of a period in true colour, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyproj import CRS

from zonalbatch.cog.frame import Frame
from zonalbatch.errors import InputError, SourceError
from zonalbatch.explore.columns import numbers
from zonalbatch.explore.stored_job import stored_job
from zonalbatch.pictures.labels import some_of
from zonalbatch.pictures.panels import checked_cols
from zonalbatch.pictures.scenes import Bounds, Scene, frame_over, scenes_seen
from zonalbatch.pictures.style import GREY, HATCH, INK, axes_of, nothing, title
from zonalbatch.pictures.told import Told, ends_of, told_of
from zonalbatch.projections import transformer

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from zonalbatch.explore.rows import Rows
    from zonalbatch.job import Job
    from zonalbatch.layers import Layer

__all__ = ["MOST", "draw"]

MOST = 240
"""Scenes of a sheet."""
CHANNELS = ("red", "green", "blue")
EARTH = "OGC:CRS84"
SEEN = (2.0, 98.0)
"""Percentiles of a scene that are black and white, if it is the usual one."""
CLEAR = 0.5
"""Share of clear cells with which a scene has a say in what is black and white: clouds have not."""
WIDE, WIDEST = 12.0, 2.4
"""Width of a sheet, and of a scene at most, inches."""
GAP, LINE = 0.06, 11.0
"""Between scenes, in widths of one; height of a line of text, points."""


def draw(
    rows: Rows, time: Any, bands: Sequence[Any], area: Any, cols: int | None, ax: Axes | None
) -> Axes:
    """See `Pictures.sheet`."""
    layers, told = _asked(rows, time)
    if not len(layers):
        axes = axes_of(ax, (6.4, 4))
        nothing(axes, "no scene" if not len(told.times) else f"no scene in {time}")
        return axes
    scenes, frame = _scenes(rows, list(layers)[:MOST], bands, area)
    lost = sum(bool(one.cause) for one in scenes)
    away = sum(one.empty for one in scenes)
    shown = [one for one in scenes if not one.empty]
    sheet = _Sheet(len(shown), _tall(frame), cols)
    axes = axes_of(ax, sheet.size)
    if lost == len(shown):
        causes = sorted({one.cause for one in shown})
        nothing(axes, "\n".join([f"{lost:,} of {len(scenes):,} scenes: could not be read",
                                 *causes[:2]]))  # fmt: skip
        return axes
    _fill(axes, sheet, shown, _clear(told, layers))
    left_out = max(0, len(layers) - MOST)
    _words(axes, told, len(shown) - lost, {"could not be read": lost, "show nothing there": away,
                                           "are left out": left_out})  # fmt: skip
    return axes


def _asked(rows: Rows, time: Any) -> tuple[dict[str, Any], Told]:
    """Layer -> its time, of the layers that have rows in a period, in order; a column of them."""
    column = next((one for one in numbers(rows.columns)), None)
    told = told_of(rows, None if column is None else column.name, beside=("n_total",))
    table = rows.read(["layer", "datetime"]).to_pandas().dropna(subset="layer").drop_duplicates()
    times = pd.DatetimeIndex(table["datetime"]).tz_localize(None).to_numpy()
    table = table.assign(datetime=times.astype("datetime64[ns]"))
    if time is not None:
        start, end = ends_of(time)
        table = table[table["datetime"].between(start, end)]
    table = table.sort_values(["datetime", "layer"])
    return dict(zip(table["layer"], table["datetime"].to_numpy(), strict=True)), told


def _scenes(
    rows: Rows, wanted: Sequence[str], bands: Sequence[Any], area: Any
) -> tuple[list[Scene], Frame]:
    """The scenes as they are seen, and where."""
    from zonalbatch.asked import access_of
    from zonalbatch.sources import open_pixels

    job = _job(rows, bands)
    found, arrays = _layers(job)
    by_id = {layer.id: layer for layer in found if layer.assets}
    layers = [by_id[name] for name in wanted if name in by_id]
    if not layers:
        raise InputError(f"none of the scenes of {rows.output.path} is found any more")
    access = access_of(job)
    frame = frame_over(layers, lambda crs: _box(rows, area, crs))
    return scenes_seen(layers, CHANNELS, frame, lambda h: open_pixels(h, arrays, access)), frame


def _job(rows: Rows, bands: Sequence[Any]) -> Job:
    """The job of the rows, with three bands in the place of its own."""
    if isinstance(bands, str) or len(list(bands)) != 3:
        raise InputError(f"bands {bands!r} are not three; give those of red, green and blue")
    own = stored_job(rows.output).model_dump(mode="json", exclude_none=True)["bands"]
    named = {
        channel: own.get(band, band) if isinstance(band, str) else band
        for channel, band in zip(CHANNELS, bands, strict=True)
    }
    measured = {channel: channel for channel in CHANNELS}
    return stored_job(rows.output, bands=named, measurements=measured, mask=None, weights=None)


def _layers(job: Job) -> tuple[Sequence[Layer], Mapping[str, Any]]:
    """The layers of a job, and what holds them if that is memory.

    Raises:
        InputError: a band is in none of them.
    """
    from zonalbatch.asked import find_layers

    try:
        found, arrays = find_layers(job)
    except SourceError as error:
        raise InputError(
            f"{error}; say by bands where red, green and blue lie, as a job does, such as ['B04', "
            "'B03', 'B02'], or {'asset': 'IMAGE', 'description': 'B03'} where a file has several"
        ) from error
    return found.layers, arrays


def _box(rows: Rows, area: Any, crs: str) -> Bounds:
    """Left, bottom, right and top of the area in a CRS.

    Raises:
        InputError: it is no area.
    """
    shapes = rows.zones if area is None else area
    if hasattr(shapes, "total_bounds"):
        own, sides = CRS.from_user_input(shapes.crs).to_wkt(), [*map(float, shapes.total_bounds)]
    else:
        own = EARTH
        try:
            sides = [float(side) for side in shapes]
        except (TypeError, ValueError):
            sides = []
    good = len(sides) == 4 and np.isfinite(sides).all()
    if not good or sides[0] > sides[2] or sides[1] > sides[3]:
        raise InputError(
            f"area {area!r} is no box; give west, south, east, north in degrees, or a GeoDataFrame"
        )
    west, south, east, north = sides
    onto = transformer(own, crs)
    left, bottom, right, top = onto.transform_bounds(west, south, east, north, densify_pts=21)
    return left, bottom, right, top


def _tall(frame: Frame) -> float:
    """How much higher than wide the area is on the ground."""
    left, bottom, right, top = frame.bounds
    wide = right - left
    if CRS.from_user_input(frame.crs).is_geographic:
        wide *= max(0.05, float(np.cos(np.radians((bottom + top) / 2))))
    return float(np.clip((top - bottom) / wide, 0.2, 5.0))


class _Sheet:
    """Where scenes lie on a sheet, in widths of a scene, rows downward."""

    def __init__(self, count: int, tall: float, cols: int | None) -> None:
        self.tall = tall
        usual = int(np.ceil(np.sqrt(count * tall * 1.4)))
        self.cols = min(count, usual if cols is None else checked_cols(cols)) or 1
        self.rows = -(-count // self.cols)
        self.inches = min(WIDEST, WIDE / self.cols / (1 + GAP))
        self.line = LINE / 72 / self.inches

    @property
    def wide(self) -> float:
        return self.cols * (1 + GAP) - GAP

    @property
    def high(self) -> float:
        return self.rows * (self.tall + self.line + GAP)

    @property
    def size(self) -> tuple[float, float]:
        """Inches of a figure."""
        return max(4.5, self.wide * self.inches + 0.2), self.high * self.inches + 0.6

    def corner(self, at: int) -> tuple[float, float]:
        """Left and top of a scene, beneath the line above it."""
        row, col = divmod(at, self.cols)
        return col * (1 + GAP), -(row * (self.tall + self.line + GAP) + self.line)


def _clear(told: Told, layers: Mapping[str, Any]) -> dict[str, float]:
    """Layer -> share of all zones' cells that have a value on its date, where that is known."""
    cells = told.beside.get("n_total")
    if cells is None or not told.dated:
        return {}
    known = np.where(np.isnan(told.seen), 0, cells)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.nansum(told.seen * known, axis=0) / known.sum(axis=0)
    by_time = dict(zip(told.times, share, strict=True))
    found = {name: float(by_time.get(time, np.nan)) for name, time in layers.items()}
    return {name: share for name, share in found.items() if np.isfinite(share)}


def _stretch(scenes: Sequence[Scene], clear: Mapping[str, float]) -> tuple[float, float]:
    """What is black and white on the whole sheet."""
    read = [one for one in scenes if not one.cause]
    few = [one for one in read if clear.get(one.layer.id, 0) >= CLEAR] or read
    ends = [np.percentile(one.image[np.isfinite(one.image)], SEEN) for one in few]
    low, high = np.median(ends, axis=0)  # so that a cloud which a mask has missed changes little
    return float(low), float(high if high > low else low + 1)


def _fill(axes: Axes, sheet: _Sheet, scenes: Sequence[Scene], clear: Mapping[str, float]) -> None:
    from matplotlib.patches import Rectangle

    low, high = _stretch(scenes, clear)
    figure = axes.get_figure(root=True)
    assert figure is not None
    inches = axes.get_position().width * figure.get_figwidth() / sheet.wide
    font = float(np.clip(72 * inches / 10.4, 3.5, 9))  # so that a line of 17 letters fits
    for at, one in enumerate(scenes):
        left, top = sheet.corner(at)
        box = (left, left + 1, top - sheet.tall, top)
        lost = {"fc": GREY, "hatch": "xx", "gid": "lost"}
        look: dict[str, Any] = lost if one.cause else {"fc": "#f2f2f2", "gid": "seen"}
        look |= {"ec": HATCH, "lw": 0.4, "zorder": -1}
        axes.add_patch(Rectangle((box[0], box[2]), 1, sheet.tall, **look))
        if not one.cause:
            axes.imshow(_painted(one.image, low, high), extent=box, interpolation="nearest")
        axes.text(left, top + sheet.line * 0.2, _told(one, clear), fontsize=font, va="bottom",
                  color="black" if not one.cause else INK)  # fmt: skip
    axes.set_xlim(-0.01, sheet.wide + 0.01)
    axes.set_ylim(-sheet.high, 0)
    axes.set_aspect("equal")
    axes.set_axis_off()


def _painted(image: NDArray[np.float64], low: float, high: float) -> NDArray[np.float32]:
    """(row, col, red green blue alpha) from 0 to 1."""
    there = np.isfinite(image).all(axis=-1)
    colours = np.clip((np.nan_to_num(image) - low) / (high - low), 0, 1)
    return np.dstack([colours, there]).astype(np.float32)


def _told(scene: Scene, clear: Mapping[str, float]) -> str:
    """The date of a scene, and how much of it is clear."""
    when = scene.layer.datetime
    name = scene.layer.id if when is None else f"{when:%Y-%m-%d}"
    if scene.cause:
        return f"{name} not read"
    share = clear.get(scene.layer.id)
    return name if share is None else f"{name} · {share:.0%}"


def _words(axes: Axes, told: Told, count: int, others: Mapping[str, int]) -> None:
    """How many scenes are shown, and what is with the others."""
    parts = [some_of(count, "scene")]
    parts += [f"{number:,} {what}" for what, number in others.items() if number]
    if told.dated and "n_total" in told.beside:
        parts.append(
            f"%: share of cells of the zones that are {'clear' if told.masked else 'valid'}"
        )
    title(axes, " · ".join(parts))
