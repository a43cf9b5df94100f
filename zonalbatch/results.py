"""Results: reading what a run wrote."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from zonalbatch.digest import digest_of
from zonalbatch.errors import InputError, OutputError
from zonalbatch.explore.columns import checked
from zonalbatch.explore.reading import framed, read_table, sealed_file
from zonalbatch.explore.rows import Rows
from zonalbatch.explore.selection import Selection, selection
from zonalbatch.sinks.dataset import Dataset
from zonalbatch.sinks.output import Output
from zonalbatch.sinks.table import told_columns

if TYPE_CHECKING:
    import geopandas
    import pandas as pd

__all__ = ["Results", "Status", "open_results", "status_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How far a result has come."""

    output: str
    fingerprint: str
    sealed: bool
    parts: int
    done: int
    failed: int
    """Parts of which something could not be read; it may be that they are done all the same."""
    rows: int
    bytes: int
    failures: int
    temporal: int | None = None
    """Rows over time; None where they are not asked for, or not yet made."""


@dataclass(frozen=True)
class Results(Rows):
    """The result of a run, read when it is asked for."""

    output: Output

    def _repr_html_(self) -> str:
        from zonalbatch.notebook.results import results_html

        return results_html(self)

    @property
    def path(self) -> str:
        """Where it lies: a folder, or a link into an object store."""
        return str(self.output.path)

    @property
    def files(self) -> list[str]:
        """The files that hold the rows; not those that a run under way has written since."""
        return list(map(str, self.output.files))

    @cached_property
    def table(self) -> pa.Table:
        """All rows as an Arrow table, without the states that some runs keep in them.

        Raises:
            OutputError: a file is gone or broken, or a run that goes on has written none yet.
        """
        return self._rows.select(told_columns(self._rows.schema))

    @cached_property
    def _rows(self) -> pa.Table:
        """All rows with all that is kept in them."""
        if not self.files:
            raise OutputError(
                f"the run in {self.path} has not ended, and none of its parts is there yet; run "
                "the job again to go on with it"
            )
        return pa.concat_tables([read_table(file) for file in self.output.files])

    def read(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Some columns of all rows; None reads what `table` holds.

        Raises:
            InputError: there is none of a name.
        """
        if columns is None:
            return self.table
        if "table" in self.__dict__:
            return self.table.select(checked(columns, self.table.schema))
        return self.select().read(columns)

    def pieces(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """The same, file by file."""
        if "table" in self.__dict__:
            return iter([self.table.select(list(columns))])
        return self.select().pieces(columns)

    @cached_property
    def schema(self) -> pa.Schema:
        """Names and types of the columns of `table`."""
        return self.select().schema

    @property
    def zone_filter(self) -> None:
        """None: rows of all zones."""
        return None

    def select(
        self,
        zones: Any = None,
        time: Any = None,
        measurements: str | Sequence[str] | None = None,
    ) -> Selection:
        """Some of the rows; what is not asked for is not read.

        Args:
            zones: an id, or several.
            time: as of `search`: ``2024-06-01``, ``2024-06``, ``2024-06/2024-08``, ``2024-06/..``.
            measurements: their names.

        Raises:
            InputError: there is no such zone or measurement, or the time is not understood.
            OutputError: the run has no rows yet.
        """
        return selection(self.output, zones=zones, time=time, measurements=measurements)

    @cached_property
    def picked(self) -> geopandas.GeoDataFrame:
        """The rows that were picked: one for each zone and window, ordered by zone and time.

        Raises:
            OutputError: the run has not ended.
            InputError: its job picks none.
        """
        table = self._beside(
            self.output.picked,
            "picks no rows; write pick into its job, such as pick: {every: 10d, by: clearest}",
        )
        return framed(table.select(told_columns(table.schema)), self.zones)

    @cached_property
    def temporal(self) -> geopandas.GeoDataFrame:
        """What is told over time: a row for each zone and period, ordered by zone and time.

        Raises:
            OutputError: the run has not ended.
            InputError: its job asks for nothing over time.
        """
        table = self._beside(
            self.output.temporal,
            "tells nothing over time; write temporal into its job, such as temporal: "
            "{every: month, statistics: [mean]}",
        )
        return framed(table, self.zones)

    def _beside(self, dataset: Dataset, none: str) -> pa.Table:
        """All rows of what is told beside the results; ``none`` says that there are none."""
        sealed_file(self.output, "failures.parquet")
        files = dataset.files
        if not files:
            raise InputError(f"the result in {self.path} {none}, and run it")
        return pa.concat_tables([read_table(file) for file in files])

    @cached_property
    def failures(self) -> pd.DataFrame:
        """What could not be read, and why.

        Raises:
            OutputError: the run has not ended.
        """
        return read_table(sealed_file(self.output, "failures.parquet")).to_pandas()

    def rollup(
        self,
        by: str | None = None,
        every: str | None = None,
        stats: Sequence[str] | str | None = None,
    ) -> pd.DataFrame:
        """The rows combined to coarser zones, longer times, or both, without reading a pixel.

        Moments and extremes are those of a run over the zones put together. Quantiles come from
        sketches; where a row has one it is `approximate`.

        Args:
            by: a carried column, by which zones are put together; they should not overlap. None
                keeps zones apart.
            every: the time that layers are put together by: day, week (from Monday), month,
                quarter, season (from December), year, or days such as 10d (from each 1 January),
                UTC; a zone's cells count once for each layer. None keeps layers apart.
            stats: names of statistics; None takes those of the run.

        Raises:
            OutputError: the run has not ended.
            InputError: the run kept no states (``sketch: true`` or ``temporal`` do), or there is
                no such column or time.
            StatisticError: a statistic cannot be rolled up.
        """
        from zonalbatch.rollup import rollup

        sealed_file(self.output, "failures.parquet")
        return rollup(self.output, by, every, stats)

    @property
    def digest(self) -> str:
        """SHA-256 over the rows sorted by (zone_id, layer), whatever files they lie in."""
        keys = ("zone_id", "layer", "measurement", "statistic")
        return digest_of(self._rows, [key for key in keys if key in self._rows.column_names])


def open_results(path: str | os.PathLike[str]) -> Results:
    """The result in the folder of a run.

    Raises:
        InputError: there is none.
    """
    if not isinstance(path, str | os.PathLike):
        raise InputError(f"{path!r} is no output of a run; give the output.path of one")
    output = Output.at(path)
    if not output.part_sizes():
        raise InputError(f"{path} holds no results; give the output.path of a run")
    return Results(output)


def status_of(path: str | os.PathLike[str]) -> Status:
    """How far the run in a folder has come.

    Raises:
        InputError: no run has written there, or one is still making its plan.
    """
    output = Output.at(path)
    manifest = output.manifest()
    if not manifest:
        raise InputError(_why_no_status(output))
    parts = read_table(output.plans / manifest["fingerprint"] / "parts.parquet", ["id"])
    sealed = output.sealed()
    if sealed is not None and sealed.fingerprint != manifest["fingerprint"]:
        sealed = None
    receipts = output.receipts(parts["id"].to_pylist())
    done = sum(not r.passing for r in receipts.values())
    return Status(
        output=str(path),
        fingerprint=manifest["fingerprint"],
        sealed=sealed is not None and sealed.complete and done == parts.num_rows,
        parts=parts.num_rows,
        done=done,
        failed=sum(r.failures > 0 for r in receipts.values()),
        rows=sum(r.rows for r in receipts.values()) + (sealed.zones_without_layer if sealed else 0),
        bytes=sum(output.part_sizes().values()),
        failures=sealed.failures if sealed else sum(r.failures for r in receipts.values()),
        temporal=(sealed.temporal or {}).get("rows") if sealed else None,
    )


def _why_no_status(output: Output) -> str:
    if output.plans.folders():
        return f"no run in {output.path} has begun: it holds a plan and no rows; run the job"
    if (output.path / ".lock").exists():  # its lock could not be tried without disturbing a run
        return (
            f"no run in {output.path} has begun: one is still making its plan, or ended before it "
            "had one; ask again in a while, or run the job"
        )
    return f"{output.path} is no output of a run: it has no manifest.json"
