"""The tour: make the landscape, run its job, show what came out and what to try next."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from zonalbatch.api import run
from zonalbatch.demo import make_landscape
from zonalbatch.job import Job
from zonalbatch.places.files import make_folder
from zonalbatch.progress import Bar, observer_for, size_text
from zonalbatch.receipts import Report
from zonalbatch.results import open_results

__all__ = ["show"]


def show(folder: Path) -> Report:
    """Run the whole job over a made landscape and print what a new user wants to see.

    Raises:
        OutputError: the folder cannot be written to.
    """
    make_folder(folder)
    job_file = folder / "job.yaml"
    if job_file.exists():
        print(f"1. the landscape in {folder}/ is there already")
    else:
        print(f"1. making 1,000 fields and 12 dates of red, nir and SCL as COGs in {folder}/")
        make_landscape(folder)
    print(f"2. running {job_file} on a local cluster of 2 workers")
    observer = observer_for(sys.stderr)
    try:
        report = run(Job.from_file(job_file), observer=observer)
    finally:
        if isinstance(observer, Bar):
            observer.stop()
    print(
        f"3. {report.rows:,} rows ({size_text(report.bytes)}) in {folder}/out/results, "
        f"{report.seconds:.0f} s, {report.failures} failures"
    )
    _show_rows(open_results(folder / "out").gdf)
    _show_next(folder)
    return report


def _show_rows(rows: Any) -> None:
    """One field's year, and the mean of each crop over it."""
    field = rows["zone_id"].iloc[0]
    one = rows[rows["zone_id"] == field]
    columns = ["datetime", "ndvi_count", "ndvi_mean", "ndvi_p10", "ndvi_p90", "status"]
    print(f"\nfield {field} ({one['crop'].iloc[0]}), clouds masked:\n")
    shown = one[columns].assign(datetime=one["datetime"].dt.date)
    print(shown.to_string(index=False, float_format="%.3f", na_rep="·"))
    months = rows["datetime"].dt.strftime("%b")
    table = rows.pivot_table("ndvi_mean", "crop", months, sort=False)
    print("\nmean NDVI by crop and month:\n")
    print(table.to_string(float_format="%.2f", na_rep="·"))


def _show_next(folder: Path) -> None:
    command = _command()
    files = "scenes/*/*B08*.tif"
    scene = next(iter(sorted(folder.glob(files))), folder / "scenes")
    print("\nNow try:\n")
    print(f"  {command} run {folder}/job.yaml            # nothing to do: all parts are there")
    print(f"  {command} status {folder}/out --digest")
    print(f"  {command} report {folder}/out             # a page: rows by date, a map, series")
    print(f"  {command} stats {folder}/fields.parquet {scene} --stats mean,p90 --column crop")


def _command() -> str:
    """How this program was called, so that what is shown can be typed."""
    called = sys.argv[0]
    if Path(called).name != "zonalbatch":
        return "zonalbatch"
    return os.path.relpath(called) if os.sep in called else "zonalbatch"
