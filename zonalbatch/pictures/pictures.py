"""Pictures: what can be drawn of the rows of a result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from zonalbatch.explore.rows import Rows
    from zonalbatch.pictures.panels import Panels

__all__ = ["Pictures"]


@dataclass(frozen=True, slots=True, repr=False)
class Pictures:
    """Pictures of rows by matplotlib.

    Each is drawn on the axes that are given, else in a figure of its own, which notebooks show.
    Where there is no value at all, the picture says why. All of them raise an InputError if
    matplotlib is missing, or if there is no such zone or column, and an OutputError if the run has
    not ended.
    """

    rows: Rows

    def __repr__(self) -> str:
        names = [name for name in dir(self) if not name.startswith("_") and name != "rows"]
        return f"<Pictures: {', '.join(names)}>"

    def series(
        self, zone: Any = None, column: str | None = None, smooth: str | None = None,
        season: bool = False, ax: Axes | None = None,
    ) -> Axes:  # fmt: skip
        """A column over time: its values, their spread, and marks where there is none.

        The spread is from the 10th to the 90th percentile, or of another such pair, else ± the
        standard deviation, whatever the result has. A value of less than 80 % of a zone's cells is
        a hollow point; a date without a value has a mark at the lower edge.

        Args:
            zone: its id, or a list of ids; None takes all, if they are few.
            column: its name, such as ``ndvi_mean``; None takes the mean of what is measured alone.
            smooth: adds a smooth line: ``whittaker``, ``savgol`` or ``median``, as of
                `Series.smooth`.
            season: adds lines at start, peak and end of seasons, as of `Series.phenology`.
            ax: where to draw.

        Raises:
            InputError: there are more zones than can be told apart, or rows have no dates.
        """
        from zonalbatch.pictures.series import draw

        return draw(self.rows, zone, column, smooth, season, ax)

    def multiples(
        self, column: str | None = None, zones: Any = None, cols: int = 4,
        fig: Figure | None = None,
    ) -> Panels:  # fmt: skip
        """A column over time, one small panel for each zone, all on the same axes.

        Args:
            column: as of `series`.
            zones: ids; None takes all. The first 36 are drawn, and the picture says how many are
                left out.
            cols: panels in a row.
            fig: a figure to draw in.

        Raises:
            InputError: rows have no dates.
        """
        from zonalbatch.pictures.multiples import draw

        return draw(self.rows, column, zones, cols, fig)

    def heat(self, column: str | None = None, zones: Any = None, ax: Axes | None = None) -> Axes:
        """A column of all zones over time, colours in a row for each zone.

        Dates are at their true places: what is grey has no value, where it is white there is no
        date.

        Args:
            column: as of `series`.
            zones: ids; None takes all.
            ax: where to draw.
        """
        from zonalbatch.pictures.heat import draw

        return draw(self.rows, column, zones, ax)

    def histogram(
        self, column: str | None = None, time: Any = None, ax: Axes | None = None
    ) -> Axes:
        """How a column is distributed over zones, and its median.

        Args:
            column: as of `series`.
            time: a day takes the nearest date that has values, a period (``2024-06``,
                ``2024-06/2024-08``) the values of all dates in it; None takes all. The name of a
                layer, where layers have no dates.
            ax: where to draw.
        """
        from zonalbatch.pictures.histogram import draw

        return draw(self.rows, column, time, ax)

    def choropleth(
        self, column: str | None = None, time: Any = None, ax: Axes | None = None
    ) -> Axes:
        """A map of the zones by the value of a date; hatched where there is none.

        Args:
            column: as of `series`.
            time: a day takes the nearest date that has values, a period the median of each zone's
                values in it; None takes the date that has the most. The name of a layer, where
                layers have no dates.
            ax: where to draw.
        """
        from zonalbatch.pictures.choropleth import draw

        return draw(self.rows, column, time, ax)

    def choropleths(
        self, column: str | None = None, times: Sequence[Any] | None = None, cols: int = 4,
        fig: Figure | None = None,
    ) -> Panels:  # fmt: skip
        """Maps of several dates, with the same colours for the same values.

        Args:
            column: as of `series`.
            times: each as of `choropleth`; None takes the date with most values of each month, or
                of longer stretches, so that there are 12 at most.
            cols: maps in a row.
            fig: a figure to draw in.
        """
        from zonalbatch.pictures.choropleth import draw_several

        return draw_several(self.rows, column, times, cols, fig)

    def field(
        self, zone: Any, time: Any = None, measurement: str | None = None, ax: Axes | None = None
    ) -> Axes:
        """A zone over its pixels, as `explain` tells them; they are read again.

        Args:
            zone: its id.
            time: a day takes the nearest date that has a value, a period the date in it of which
                most is seen; None takes that of all dates. The name of a layer, where layers have
                no dates.
            measurement: such as ``ndvi``; None takes what is measured alone.
            ax: where to draw.

        Raises:
            InputError: the result has no job.yaml, as its zones or rasters were objects in memory.
        """
        from zonalbatch.pictures.field import draw

        return draw(self.rows, zone, time, measurement, ax)

    def sheet(
        self, time: Any = None, bands: Sequence[Any] = ("red", "green", "blue"), area: Any = None,
        cols: int | None = None, ax: Axes | None = None,
    ) -> Axes:  # fmt: skip
        """All scenes of a period in true colour over an area, small and side by side.

        Pixels are read again, no more than are seen. What is black and white is the same on the
        whole sheet: the usual 2nd and 98th percentile of scenes that are at least half clear.

        Args:
            time: as of `search`: ``2024-06``, ``2024-06/2024-08``; None takes all, 240 at most.
            bands: where red, green and blue lie: names of bands of the job, or what its ``bands``
                may hold, such as ``B04`` or ``{"asset": "IMAGE", "description": "B04"}``.
            area: west, south, east and north in degrees, or a GeoDataFrame; None takes the box of
                the zones.
            cols: scenes in a row.
            ax: where to draw.

        Raises:
            InputError: a band is in no scene, or the result has no job.yaml, as its zones or
                rasters were objects in memory.
        """
        from zonalbatch.pictures.sheet import draw

        return draw(self.rows, time, bands, area, cols, ax)
