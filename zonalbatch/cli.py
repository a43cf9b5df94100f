"""The command line.

Exit codes: 0 all done · 1 a fault of ours · 2 invalid input · 3 done, with failures recorded ·
4 cannot write · 5 no cluster · 130 interrupted (a second run goes on from there).
"""

from __future__ import annotations

import json
import signal
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zonalbatch import __version__
from zonalbatch.cli_explain import explain
from zonalbatch.errors import ZonalbatchError

if TYPE_CHECKING:
    from zonalbatch.planning import Plan
    from zonalbatch.receipts import Report

__all__ = ["app", "main"]

app = typer.Typer(
    name="zonalbatch",
    help="Exact zonal statistics of many zones over many raster scenes.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

INTERRUPTED = 130

JobFile = Annotated[Path, typer.Argument(metavar="JOB", help="A job file, YAML or JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Rasters = Annotated[list[str], typer.Argument(metavar="RASTER...", help="Rasters, or items.")]
Bands = Annotated[
    list[str] | None, typer.Option("--band", "-b", help="A band: its number or name.")
]
IdColumn = Annotated[str | None, typer.Option(help="Column of unique ids.")]
Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", help="A file to write: .parquet, .gpkg, .geojson or .csv."),
]


def main() -> None:
    """Run the command line; errors end it with one sentence and their exit code."""
    try:
        app()
    except ZonalbatchError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"zonalbatch {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Exact zonal statistics of many zones over many raster scenes."""
    warnings.simplefilter("ignore")  # what matters is raised or noted; libraries' own are noise


@app.command()
def run(job: JobFile, quiet: Quiet = False, as_json: AsJson = False) -> None:
    """Do a job, or what is left of it.

    Run the same command again after an interruption: parts that are done are kept.

    Example: `zonalbatch run job.yaml`
    """
    from zonalbatch.api import run as run_job
    from zonalbatch.job import Job
    from zonalbatch.progress import Bar, Silent, observer_for

    document = Job.from_file(job)
    observer: Any = Silent() if quiet else observer_for()
    with _terminating():
        try:
            report = run_job(document, observer=observer)
        finally:
            if isinstance(observer, Bar):
                observer.stop()
    _tell_report(report, as_json, quiet)
    raise typer.Exit(report.exit_code)


@app.command()
def plan(job: JobFile, as_json: AsJson = False) -> None:
    """Print what a job will do: parts, rows, bytes, memory. Reads no pixel.

    Example: `zonalbatch plan job.yaml`
    """
    from zonalbatch.api import plan as plan_job
    from zonalbatch.job import Job

    _tell_plan(plan_job(Job.from_file(job)), as_json)


@app.command()
def validate(job: JobFile) -> None:
    """Check a job file without opening its zones or rasters.

    Example: `zonalbatch validate job.yaml`
    """
    from zonalbatch.api import recipe_of
    from zonalbatch.job import Job

    document = Job.from_file(job)
    recipe = recipe_of(document)
    print(
        f"{job} is a valid job: {len(recipe.measurements)} measurements × "
        f"{len(recipe.statistics)} statistics, into {document.output.path}"
    )


@app.command()
def schema() -> None:
    """Print the JSON Schema of job files, for editors and services.

    Example: `zonalbatch schema > job.schema.json`
    """
    from zonalbatch.job import Job

    print(json.dumps(Job.schema_json(), indent=2))


@app.command()
def status(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The output folder of a run.")],
    digest: Annotated[
        bool, typer.Option("--digest", help="Print a SHA-256 over all rows, however they are cut.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Tell how far a run has come.

    Example: `zonalbatch status out/ --digest`
    """
    from dataclasses import asdict

    from zonalbatch.progress import size_text
    from zonalbatch.results import open_results, status_of

    found = asdict(status_of(out))
    if digest:
        found["digest"] = open_results(out).digest
    if as_json:
        print(json.dumps(found))
        return
    state = "sealed" if found["sealed"] else "not sealed; run the job again to go on"
    print(f"{out}: {state}")
    print(f"  parts     {found['done']:,} of {found['parts']:,} done")
    print(f"  rows      {found['rows']:,}")
    print(f"  size      {size_text(found['bytes'])}")
    print(f"  failures  {found['failures']:,}")
    if digest:
        print(f"  digest    {found['digest']}")


@app.command()
def stats(
    zones: Annotated[Path, typer.Argument(metavar="ZONES", help="Areas, lines or points.")],
    raster: Rasters,
    names: Annotated[
        str, typer.Option("--stats", "-s", help="Statistics, separated by commas.")
    ] = "count,mean",
    band: Bands = None,
    coverage: Annotated[
        str, typer.Option(help="How zones take cells: fraction, center or all_touched.")
    ] = "fraction",
    nodata: Annotated[float | None, typer.Option(help="Raw value that means no data.")] = None,
    id: IdColumn = None,
    column: Annotated[
        list[str] | None, typer.Option("--column", "-c", help="A column to carry; all by default.")
    ] = None,
    prefix: Annotated[str | None, typer.Option(help="Text before the result columns.")] = None,
    out: Out = None,
) -> None:
    """Compute statistics here and now, without a cluster, and print or write a table.

    Examples: `zonalbatch stats fields.gpkg ndvi.tif --stats mean,p90`,
    `zonalbatch stats fields.gpkg scene.tif -b 1 -b 4 -s mean -o fields.parquet`
    """
    from zonalbatch.frames import zonal_stats
    from zonalbatch.tables import teller

    tell = teller(out)
    frame = zonal_stats(
        str(zones), raster if len(raster) > 1 else raster[0], names, bands=_bands(band), id=id,
        columns=column, prefix=prefix, coverage=coverage, nodata=nodata,  # type: ignore[arg-type]
        progress=sys.stderr.isatty(),
    )  # fmt: skip
    tell(frame)


@app.command()
def points(
    points: Annotated[Path, typer.Argument(metavar="POINTS", help="A file of points.")],
    raster: Rasters,
    interpolate: Annotated[
        str, typer.Option("--interpolate", "-i", help="nearest or bilinear.")
    ] = "nearest",
    radius: Annotated[
        float | None, typer.Option("--radius", "-r", help="Metres around each point.")
    ] = None,
    names: Annotated[
        str, typer.Option("--stats", "-s", help="Statistics within the radius.")
    ] = "mean",
    band: Bands = None,
    id: IdColumn = None,
    out: Out = None,
) -> None:
    """Read the values at points, or around them, and print or write a table.

    Examples: `zonalbatch points plots.gpkg ndvi.tif -i bilinear`,
    `zonalbatch points plots.gpkg ndvi.tif --radius 30 --stats mean,std -o plots.csv`
    """
    from zonalbatch.points import point_query
    from zonalbatch.tables import teller

    tell = teller(out)
    frame = point_query(
        str(points), raster if len(raster) > 1 else raster[0], bands=_bands(band),
        interpolate=interpolate, radius=radius, stats=names, id=id,  # type: ignore[arg-type]
    )  # fmt: skip
    tell(frame)


app.command()(explain)


def _bands(names: list[str] | None) -> list[int | str] | None:
    """Bands by number or name as they were typed."""
    return [int(name) if name.isdigit() else name for name in names] if names else None


@app.command()
def demo(
    folder: Annotated[
        Path, typer.Option(help="Where the data, the job and the result are left.")
    ] = Path("zonalbatch-demo"),
) -> None:
    """Make a small landscape, run a whole job over it, and show what came out.

    Example: `zonalbatch demo`
    """
    from zonalbatch.demo.tour import show

    with _terminating():
        show(folder)


@contextmanager
def _terminating() -> Iterator[None]:
    """Take SIGTERM as Ctrl-C: both leave a result that a second run goes on from.

    Raises:
        typer.Exit: with 130, after an interruption.
    """

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    except KeyboardInterrupt:
        print("interrupted; run the same command again to go on from here", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from None
    finally:
        signal.signal(signal.SIGTERM, before)


def _tell_report(report: Report, as_json: bool, quiet: bool) -> None:
    from dataclasses import asdict

    from zonalbatch.progress import size_text

    if as_json:
        print(json.dumps(asdict(report)))
        return
    if quiet:
        return
    there = report.parts - report.computed
    kept = f" ({there:,} were there already)" if there else ""
    print(
        f"{report.rows:,} rows, {size_text(report.bytes)}, in {report.parts:,} parts{kept}: "
        f"{report.output}/results   {report.seconds:.1f} s"
    )
    for note in report.notes:
        print(f"note: {note}")
    if report.failures:
        print(f"{report.failures:,} failures, listed in {report.output}/failures.parquet:")
        _tell_failures(report)


def _tell_failures(report: Report) -> None:
    """The first few causes."""
    import pyarrow.parquet as pq

    rows = pq.read_table(Path(report.output) / "failures.parquet").to_pylist()
    for row in rows[:5]:
        print(f"  {row['layer']}: {row['cause']}")
    if len(rows) > 5:
        print(f"  … and {len(rows) - 5:,} more")


def _tell_plan(made: Plan, as_json: bool) -> None:
    from dataclasses import asdict

    from zonalbatch.progress import size_text

    estimate = made.estimate
    if as_json:
        print(json.dumps(asdict(estimate) | {"fingerprint": made.fingerprint}))
        return
    lattices = {a.grid.lattice for layer in made.layers for a in layer.assets.values()}
    print(f"plan {made.fingerprint}")
    print(f"  zones     {estimate.zones:,}")
    print(f"  layers    {estimate.layers:,} on {len(lattices):,} lattices")
    print(
        f"  parts     {estimate.parts:,}, cut by {made.partition.bucket} and cells of "
        f"{2**made.partition.level} × {2**made.partition.level} fold tiles"
    )
    print(f"  rows      at most {estimate.rows:,}")
    print(f"  to read   at most {size_text(estimate.decoded)}, decoded")
    print(f"  memory    about {size_text(estimate.memory)} a worker")
    for failure in made.failures:
        print(f"  failure   {failure.cause}")
    for note in made.notes:
        print(f"  note      {note}")


if __name__ == "__main__":
    main()
