"""Picture: an explanation drawn, the zone over its pixels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS

from zonalbatch.cover.cells import (
    FILE_MASK,
    NODATA,
    NOT_A_NUMBER,
    OUTSIDE,
    UNREAD,
    USER_MASK,
    VALID,
)
from zonalbatch.cover.figures import AREA, LINE
from zonalbatch.errors import InputError
from zonalbatch.explanation.explanation import NAMES, Explanation
from zonalbatch.pictures import check_picture, write_picture
from zonalbatch.pictures.style import DPI, HATCH, RAMP, colour_bar

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["LEGEND", "draw", "draw_on", "size_of"]

LOOKS = {
    UNREAD: ("#ffffff", "xxxx"),
    OUTSIDE: ("#f2f2f2", "...."),
    NODATA: ("#d9d9d9", "////"),
    NOT_A_NUMBER: ("#d9d9d9", "++++"),
    FILE_MASK: ("#cccccc", "\\\\\\\\"),
    USER_MASK: ("#cccccc", "||||"),
}
"""Reason -> grey and hatch of its cells."""
OUTLINE = "#d7191c"
HATCHED, WRITTEN = 4_000, 200
"""Most cells of a reason that are hatched, and most cells whose shares are written in."""
SMALLEST = 4.0
"""Smallest font that can be read, points."""
MOST = 25_000_000
"""Most cells in the box around a zone that is drawn."""
WIDTH = 8.0
"""Inches."""
LEGEND: dict[str, Any] = {
    "loc": "outside lower left", "ncols": 4, "fontsize": 8, "frameon": False, "handlelength": 2.4,
    "handleheight": 1.4,
}  # fmt: skip
"""How the legend of a figure looks that shows this alone."""


def draw(explanation: Explanation, path: Path) -> None:
    """Draw a zone over its pixels.

    Raises:
        InputError: matplotlib is missing; there is nothing to draw, or far too much.
        OutputError: the file cannot be written.
    """
    check_picture(path)
    from matplotlib.figure import Figure

    figure = Figure(figsize=size_of(explanation), dpi=DPI, layout="compressed")
    handles = draw_on(figure.add_subplot(), explanation)
    figure.legend(handles=handles, **LEGEND)
    write_picture(figure, path)


def size_of(explanation: Explanation) -> tuple[float, float]:
    """Width and height of a figure, inches, for a zone in its true shape.

    Raises:
        InputError: there is nothing to draw, or far too much.
    """
    _refuse(explanation)
    return WIDTH, _Frame(explanation).figure_height


def draw_on(axes: Axes, explanation: Explanation) -> list[Any]:
    """Draw a zone over its pixels on axes; the entries of a legend.

    Raises:
        InputError: there is nothing to draw, or far too much.
    """
    _refuse(explanation)
    frame = _Frame(explanation)
    _pixels(axes, explanation, frame)
    reasons = _reasons(axes, explanation, frame)
    _cell_edges(axes, explanation, frame)
    _zone(axes, explanation)
    _shares(axes, explanation, frame)
    _words(axes, explanation, frame)
    return [_entry(explanation, frame), *reasons]


class _Frame:
    """What is shown: the cells of the zone and one more on each side."""

    def __init__(self, e: Explanation) -> None:
        lattice = e.grid.lattice
        self.dx, self.dy = lattice.dx, lattice.dy
        left, right = e.x.min() - 1.5 * self.dx, e.x.max() + 1.5 * self.dx
        bottom, top = e.y.min() - 1.5 * self.dy, e.y.max() + 1.5 * self.dy
        self.extent = (left, right, bottom, top)
        self.shape = (round((top - bottom) / self.dy), round((right - left) / self.dx))
        self.at = (
            np.round((top - e.y) / self.dy - 0.5).astype(int),
            np.round((e.x - left) / self.dx - 0.5).astype(int),
        )
        crs = CRS.from_user_input(lattice.crs)
        self.geographic = crs.is_geographic
        middle = np.radians((bottom + top) / 2)
        self.aspect = 1 / max(0.05, np.cos(middle)) if self.geographic else 1.0
        self.crs = lattice.crs if len(lattice.crs) < 40 else crs.name

    @property
    def figure_height(self) -> float:
        """Height of the figure, inches, for axes in their true shape."""
        left, right, bottom, top = self.extent
        tall = self.aspect * (top - bottom) / (right - left)
        return float(np.clip(0.78 * WIDTH * tall + 1.3, 2.4, 14.0))

    @property
    def font_size(self) -> float:
        """Points of a font of which four digits fill two thirds of a cell."""
        inches = min(0.78 * WIDTH / self.shape[1], 11.0 / self.shape[0])
        return float(min(72 * inches * 0.66 / 2.4, 10.0))

    def image(self, values: NDArray[Any]) -> np.ma.MaskedArray[Any, Any]:
        """(row, col) values of the zone's cells, masked where it has none."""
        # What is masked is a number too: matplotlib reckons with it, and masked_all leaves any.
        out = np.ma.masked_array(np.zeros(self.shape, values.dtype), True)
        out[self.at] = values
        return out


def _refuse(e: Explanation) -> None:
    """Say why there can be no picture.

    Raises:
        InputError: no cell is covered, or too many.
    """
    if not e.n_cells:
        raise InputError(f"zone {e.zone_id} covers no cell of layer {e.layer}: nothing to draw")
    height, width = np.ptp(e.y) / e.grid.lattice.dy + 3, np.ptp(e.x) / e.grid.lattice.dx + 3
    if not e.complete or height * width > MOST:
        raise InputError(
            f"zone {e.zone_id} is too large to draw: {e.n_cells:,} cells in a box of "
            f"{height:,.0f} × {width:,.0f}; leave out the picture, or read overviews (resolution)"
        )


def _pixels(axes: Axes, e: Explanation, frame: _Frame) -> None:
    """The valid cells, and what their colours mean."""
    valid = e.reason == VALID
    image = np.ma.masked_invalid(frame.image(e.value))
    shown = axes.imshow(image, cmap=RAMP, extent=frame.extent, interpolation="nearest")
    axes.set_aspect(frame.aspect)
    if valid.any():
        text = e.measurement.expression.text
        same = e.measurement.name == text or len(text) > 60
        label = e.measurement.name if same else f"{e.measurement.name} = {text}"
        bar = colour_bar(axes, shown, label, pad=0.02)
        bar.ax.yaxis.label.set_size(9)
        bar.ax.tick_params(labelsize=8)


def _reasons(axes: Axes, e: Explanation, frame: _Frame) -> list[Any]:
    """The cells without a value, grey and hatched by reason; their entries of the legend."""
    from matplotlib.patches import Patch

    entries = []
    for reason, (grey, hatch) in LOOKS.items():
        some = e.reason == reason
        if not some.any():
            continue
        _greyed(axes, frame, some, grey)
        if some.sum() <= HATCHED:  # more would cost too much, and grey is enough for them
            axes.add_collection(
                _boxes(e, frame, some, facecolor="none", edgecolor=HATCH, hatch=hatch, lw=0)
            )
        else:
            hatch = ""
        label = f"{NAMES[reason]} ({int(some.sum()):,})"
        entries.append(Patch(facecolor=grey, edgecolor=HATCH, hatch=hatch, label=label))
    return entries


def _greyed(axes: Axes, frame: _Frame, some: NDArray[np.bool_], grey: str) -> None:
    from matplotlib.colors import ListedColormap

    layer = np.ma.masked_equal(frame.image(some).filled(False), False)
    axes.imshow(
        layer, cmap=ListedColormap([grey]), extent=frame.extent, interpolation="nearest",
        aspect=frame.aspect,
    )  # fmt: skip


def _cell_edges(axes: Axes, e: Explanation, frame: _Frame) -> None:
    """Thin edges of cells where they can be told apart."""
    if len(e.x) <= HATCHED:
        everywhere = np.ones(len(e.x), bool)
        axes.add_collection(
            _boxes(e, frame, everywhere, facecolor="none", edgecolor="#ffffff", lw=0.4)
        )


def _boxes(e: Explanation, frame: _Frame, some: NDArray[np.bool_], **look: Any) -> Any:
    """Some cells as boxes."""
    from matplotlib.collections import PolyCollection

    corners = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])
    centres = np.column_stack([e.x[some], e.y[some]])
    sides = corners * [frame.dx, frame.dy]
    return PolyCollection(list(centres[:, None, :] + sides), **look)


def _zone(axes: Axes, e: Explanation) -> None:
    """The zone's outline, with a white seam that keeps it visible on dark cells."""
    from matplotlib.collections import LineCollection

    if e.kind not in (AREA, LINE):
        for xy in e.outline:
            axes.plot(xy[:, 0], xy[:, 1], "o", ms=7, mfc=OUTLINE, mec="white", mew=1.2)
        return
    for colour, width in (("white", 3.2), (OUTLINE, 1.6)):
        axes.add_collection(
            LineCollection(list(e.outline), colors=colour, linewidths=width, capstyle="round")
        )


def _shares(axes: Axes, e: Explanation, frame: _Frame) -> None:
    """The share of each cell, where there are few."""
    if not _is_written(e, frame):
        return
    from matplotlib.patheffects import withStroke

    size = frame.font_size
    for x, y, fraction, dark in zip(e.x, e.y, e.fraction, _dark(e), strict=True):
        ink, halo = ("white", "#333333") if dark else ("black", "white")
        axes.text(
            x, y, _written(float(fraction)), ha="center", va="center", fontsize=size, color=ink,
            path_effects=[withStroke(linewidth=size / 5, foreground=halo, alpha=0.75)],
        )  # fmt: skip


def _is_written(e: Explanation, frame: _Frame) -> bool:
    """True if the cells are few and large enough to write their shares in."""
    return len(e.x) < WRITTEN and frame.font_size >= SMALLEST


def _dark(e: Explanation) -> NDArray[np.bool_]:
    """(cell,) True where the cell's colour is dark: the lower half of the values."""
    if not (e.reason == VALID).any():
        return np.zeros(len(e.value), bool)
    low, high = np.nanmin(e.value), np.nanmax(e.value)
    dark: NDArray[np.bool_] = e.value <= low + 0.55 * (high - low)  # False for NaN
    return dark


def _written(fraction: float) -> str:
    """A share in at most four characters."""
    if fraction == 1:
        return "1"
    if fraction >= 1:
        return f"{fraction:.3g}"
    return "<.01" if fraction < 0.005 else f"{fraction:.2f}".lstrip("0").replace("1.00", ".99")


def _words(axes: Axes, e: Explanation, frame: _Frame) -> None:
    """Title and axes."""
    left, right, bottom, top = frame.extent
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    axes.set_facecolor("white")
    axes.ticklabel_format(useOffset=False, style="plain")
    axes.locator_params(nbins=5)
    axes.tick_params(labelsize=7)
    axes.set_xlabel(f"x, {frame.crs}", fontsize=8)
    axes.set_ylabel("y", fontsize=8)
    axes.set_title(_title(e), fontsize=10, loc="left")


def _entry(e: Explanation, frame: _Frame) -> Any:
    """The zone's entry of a legend."""
    from matplotlib.lines import Line2D

    look = {"color": OUTLINE, "lw": 1.6} if e.kind in (AREA, LINE) else {
        "color": OUTLINE, "lw": 0, "marker": "o"
    }  # fmt: skip
    return Line2D([], [], label=_of_zone(e, frame), **look)  # type: ignore[arg-type]


def _of_zone(e: Explanation, frame: _Frame) -> str:
    """The zone's entry of the legend, with what is written in the cells."""
    what = {AREA: "shares of cells", LINE: "metres in cells"}.get(e.kind, "points in cells")
    return f"zone, {e.coverage}" + (f" ({what})" if _is_written(e, frame) else "")


def _title(e: Explanation) -> str:
    """Zone and layer; below, the numbers."""

    def told(name: str) -> str:
        number = e.totals[name]
        return f"{name} null" if number is None else f"{name} {number:,.7g}"

    numbers = f"{told('mean')} · {told('count')} of {told('n_total')}"
    return f"zone {e.zone_id} · {e.layer}\n{numbers} · {e.n_cells:,} cells"
