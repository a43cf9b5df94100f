"""Rows: those of a result, whole or some of them, and the forms that they are looked at in."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from zonalbatch.explore.columns import Column, column_named, columns_of
from zonalbatch.explore.reading import framed, zone_shapes
from zonalbatch.sinks.output import Output

if TYPE_CHECKING:
    import geopandas
    import pandas as pd
    import pyarrow.compute as pc
    import xarray

    from zonalbatch.explore.series import Series
    from zonalbatch.pages.page import Page
    from zonalbatch.pictures.pictures import Pictures

__all__ = ["Rows"]


class Rows:
    """Rows of a result."""

    output: Output

    def read(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Some columns of the rows; None reads all.

        Raises:
            OutputError: a file is gone or broken, or a run that goes on has written none yet.
        """
        raise NotImplementedError

    def pieces(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """What `read` reads, file by file.

        Raises:
            As `read`.
        """
        raise NotImplementedError

    @property
    def schema(self) -> pa.Schema:
        """Names and types of what is told of each row."""
        raise NotImplementedError

    @property
    def zone_filter(self) -> pc.Expression | None:
        """Which zones rows may be of; None allows all."""
        raise NotImplementedError

    @property
    def columns(self) -> tuple[Column, ...]:
        """What was measured, in order: name, measurement and statistic of each column.

        Raises:
            InputError: nothing tells what was measured.
        """
        return columns_of(self.schema, self.output.manifest())

    @cached_property
    def gdf(self) -> geopandas.GeoDataFrame:
        """The rows as a GeoDataFrame with geometry, ordered by zone and time.

        Raises:
            OutputError: the run has not ended.
        """
        return framed(self.read(), self.zones)

    @cached_property
    def zones(self) -> geopandas.GeoDataFrame:
        """``zone_id`` and geometry of the zones, ordered by id.

        Raises:
            OutputError: the run has not ended.
        """
        return zone_shapes(self.output, self.zone_filter)

    @property
    def plot(self) -> Pictures:
        """Pictures of the rows: ``plot.series(3)``, ``plot.choropleth("ndvi_mean")`` and others."""
        from zonalbatch.pictures.pictures import Pictures

        return Pictures(self)

    def to_xarray(self, columns: Sequence[str] | None = None) -> xarray.Dataset:
        """A cube, (geometry, time), with a variable for each column.

        Zones are found by ``cube.sel(zone_id=…)`` and, as xvec indexes their geometry, by
        ``cube.xvec.query("geometry", …)``.
        Where several layers tell of one zone and time, the one that saw most of the zone does.

        Args:
            columns: names; None takes all numbers.

        Raises:
            OutputError: the run has not ended.
            InputError: there is no such column, or xvec is not installed.
        """
        from zonalbatch.explore.cube import cube

        return cube(self, columns)

    def series(self, zone: Any = None, column: str | None = None) -> Series:
        """A column over time: of a zone, of several, or of all.

        Args:
            zone: its id, or a list of ids; None takes all.
            column: its name, such as ``ndvi_mean``; None takes the mean of what is measured alone.

        Raises:
            OutputError: the run has not ended.
            InputError: there is no such zone or column, or no row has a date.
        """
        from zonalbatch.explore.series import series_of

        return series_of(self, zone, column_named(self.columns, column))

    def pivot(self, column: str | None = None) -> pd.DataFrame:
        """A column as a table: a row for each date, a column for each zone.

        Raises:
            OutputError: the run has not ended.
            InputError: there is no such column, or no row has a date.
        """
        return self.series(column=column).frame

    def smooth(
        self, column: str | None = None, method: str = "whittaker", **settings: Any
    ) -> Series:
        """`Series.smooth` of all zones."""
        return self.series(column=column).smooth(method, **settings)

    def anomaly(self, column: str | None = None, **settings: Any) -> Series:
        """`Series.anomaly` of all zones."""
        return self.series(column=column).anomaly(**settings)

    def phenology(self, column: str | None = None, **settings: Any) -> pd.DataFrame:
        """`Series.phenology` of all zones."""
        return self.series(column=column).phenology(**settings)

    def explore(
        self,
        column: str | None = None,
        time: Any = "slider",
        path: str | os.PathLike[str] | None = None,
    ) -> Page:
        """A map as a page that needs no network: a slider over dates, series by a click.

        Args:
            column: as of `series`.
            time: ``slider``, or one day, such as ``2024-06-01``; the name of a layer where layers
                have no date.
            path: of an HTML file to write.

        Raises:
            OutputError: the run has not ended, or the file cannot be written.
            InputError: there is no such column, or no such day.
        """
        from zonalbatch.pages.explorer import explorer

        return explorer(self, column_named(self.columns, column), time, path)

    def report(
        self,
        path: str | os.PathLike[str] | None = None,
        column: str | None = None,
        zones: Sequence[Any] | None = None,
    ) -> Page:
        """What the run did and found, as a page that needs no network.

        What ran, rows and status by date, failures by cause, a map, distributions, the zones that
        are worth a look, series of some.

        Args:
            path: of an HTML file to write.
            column: of the map and the series, such as ``ndvi_mean``; None takes the mean of the
                first measurement that is an expression, or of the first of all.
            zones: ids whose series are drawn; None takes the worst and some usual ones.

        Raises:
            OutputError: the file cannot be written, or the result's manifest is damaged.
            InputError: there is no such column or zone.
        """
        from zonalbatch.pages.report import report

        return report(self, path, column, zones)
