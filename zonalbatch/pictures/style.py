"""Style: colours, axes and words that all pictures share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from zonalbatch.errors import InputError
from zonalbatch.pictures.writing import check_matplotlib

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "ALARM", "COLOURS", "DPI", "GREY", "HATCH", "INK", "RAMP", "axes_of", "bare", "colour_bar",
    "dated", "legend_below", "nothing", "scale_bar", "title",
]  # fmt: skip

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Okabe and Ito's, told apart by colour-blind eyes, without the yellow that is lost on white."""
RAMP = "viridis"
"""Told apart by colour-blind eyes; none of its colours is a grey, which is for no value."""
GREY, HATCH, INK = "#d9d9d9", "#9a9a9a", "#4d4d4d"
"""What has no value, the hatch on it, and words and marks about it."""
ALARM = "#c1121f"
"""Marks of what could not be read."""
DPI = 150
"""Dots an inch of files."""
LEAST = timedelta(days=4)
"""Time that an axis of dates shows at least before and after what is drawn."""


def axes_of(ax: Axes | None, size: tuple[float, float], layout: str = "constrained") -> Axes:
    """The axes that are given, or those of a new figure of some inches.

    Raises:
        InputError: matplotlib is missing, or what is given is no axes.
    """
    check_matplotlib()
    if ax is not None:
        if not hasattr(ax, "add_collection"):
            raise InputError(
                f"ax is of type {type(ax).__name__}; give one axes, such as plt.subplots()[1]"
            )
        return ax
    import matplotlib.pyplot as plt  # whose figures notebooks show

    return plt.figure(figsize=size, layout=layout).add_subplot()


def bare(axes: Axes, grid: str | None = "y") -> None:
    """Take away the frame but its left and lower side, and draw faint lines behind."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_axisbelow(True)
    if grid is not None:
        axes.grid(axis=grid, color="#dddddd", linewidth=0.8)  # type: ignore[arg-type]


def dated(axes: Axes, times: Sequence[Any] = ()) -> None:
    """Make x an axis of dates that can be read, also around a single one."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=3, maxticks=9)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    # Else matplotlib shows years around a single date.
    if len(times) and max(times) - min(times) < LEAST:
        axes.set_xlim(min(times) - LEAST, max(times) + LEAST)


def title(axes: Axes, text: str) -> None:
    """What a picture is of."""
    axes.set_title(text, loc="left", fontsize=11)


def legend_below(axes: Axes, handles: Sequence[Any], points: float = 32) -> None:
    """A legend so many points under the axes, where it hides nothing."""
    from matplotlib.transforms import offset_copy

    figure = axes.get_figure(root=True)
    if not handles or figure is None:
        return
    wide = axes.get_position().width * figure.get_figwidth()
    axes.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0, 0), frameon=False, fontsize=8,
        bbox_transform=offset_copy(axes.transAxes, figure, y=-points, units="points"),
        ncols=max(1, min(len(handles), int(wide // 1.7))), borderaxespad=0, columnspacing=1.4,
        handletextpad=0.6,
    )  # fmt: skip


def colour_bar(axes: Axes, shown: Any, label: str, **place: Any) -> Any:
    """What the colours of something drawn mean."""
    figure = axes.get_figure()
    assert figure is not None
    bar = figure.colorbar(shown, ax=place.pop("ax", axes), **({"fraction": 0.046} | place))
    bar.set_label(label)
    bar.outline.set_visible(False)
    return bar


def nothing(axes: Axes, text: str) -> None:
    """Say on empty axes why they are."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_facecolor("#f5f5f5")
    axes.spines[:].set_visible(False)
    axes.text(
        0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=INK,
        fontsize=10, linespacing=1.5, gid="nothing",
    )  # fmt: skip


def scale_bar(axes: Axes, metres: float) -> None:
    """A bar of a round length near a quarter of the axes' width, under their lower left corner.

    Args:
        axes: whose limits are set.
        metres: a unit of x.
    """
    from matplotlib.transforms import blended_transform_factory

    left, right = axes.get_xlim()
    length = _round((right - left) * metres / 4)
    told = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    across = blended_transform_factory(axes.transData, axes.transAxes)
    end = left + length / metres
    axes.plot([left, end], [-0.02, -0.02], transform=across, color="black", lw=2.5,
              solid_capstyle="butt", clip_on=False, gid="scale")  # fmt: skip
    axes.annotate(
        told, (end, -0.02), xycoords=across, xytext=(5, 0), textcoords="offset points",
        va="center", fontsize=8, annotation_clip=False,
    )  # fmt: skip


def _round(length: float) -> float:
    """The largest 1, 2 or 5 times a power of ten that is no longer."""
    power = 10.0 ** int(f"{length:e}".partition("e")[2])
    return max(times * power for times in (1, 2, 5) if times * power <= length)
