"""Panels: several axes of one figure, and what is returned of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zonalbatch.errors import InputError
from zonalbatch.pictures.writing import check_matplotlib

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Panels", "checked_cols", "panels_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Panels:
    """A picture of several panels.

    It is no figure, as notebooks show those that are returned a second time.
    """

    figure: Figure
    axes: tuple[Axes, ...]
    """One for each panel, row by row."""

    def __repr__(self) -> str:
        return f"<Panels: {len(self.axes)} axes>"

    def __iter__(self) -> Iterator[Axes]:
        return iter(self.axes)

    def legend(self, handles: Sequence[Any]) -> None:
        """One for all panels, below them."""
        if handles:
            self.figure.legend(
                handles=handles, loc="outside lower left", fontsize=8, frameon=False,
                ncols=max(1, min(len(handles), int(self.figure.get_figwidth() // 1.9))),
            )  # fmt: skip


def checked_cols(cols: Any) -> int:
    """How many panels a row has.

    Raises:
        InputError: it is no number of panels.
    """
    if isinstance(cols, bool) or not isinstance(cols, int) or cols < 1:
        raise InputError(f"cols={cols!r} is no number of panels in a row; give 1 or more")
    return cols


def panels_of(
    fig: Figure | None, count: int, cols: int, size: tuple[float, float],
    beside: tuple[float, float] = (0.0, 0.0), layout: str = "constrained", share: bool = False,
) -> Panels:  # fmt: skip
    """So many axes in rows of ``cols``.

    Args:
        fig: a figure to draw in; None makes one.
        count: of panels; one at least.
        cols: most of a row.
        size: of a panel, inches.
        beside: what a new figure has more than panels, inches.
        layout: of a new figure.
        share: True gives all the same x and y.

    Raises:
        InputError: matplotlib is missing, or an argument makes no sense.
    """
    check_matplotlib()
    if fig is not None and not hasattr(fig, "subplots"):
        raise InputError(f"fig is of type {type(fig).__name__}; give a figure of matplotlib")
    cols = min(checked_cols(cols), max(1, count))
    rows = -(-count // cols)
    if fig is None:
        import matplotlib.pyplot as plt

        inches = (max(4.5, cols * size[0] + beside[0]), rows * size[1] + beside[1])
        fig = plt.figure(figsize=inches, layout=layout)
    grid = fig.subplots(rows, cols, sharex=share, sharey=share, squeeze=False).ravel()
    for spare in grid[count:]:
        spare.remove()
    if share:  # the last row may be short, and those above it have no labels then
        for last in grid[max(0, count - cols) : count]:
            last.tick_params(labelbottom=True)
    return Panels(fig, tuple(grid[:count]))
