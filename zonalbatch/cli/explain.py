"""The command ``explain``: where a number comes from, cell by cell."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zonalbatch.cli.breakdowns import Bins, Classes, Edges, breakdown_typed
from zonalbatch.cli.jobs import AllowCode
from zonalbatch.cli.tables import Trusted
from zonalbatch.errors import InputError, ReadError

if TYPE_CHECKING:
    from zonalbatch.explanation.explanation import Explanation

__all__ = ["explain"]

What = Annotated[
    list[str], typer.Argument(metavar="JOB | ZONES RASTER", help="A job, or zones and a raster.")
]
Zone = Annotated[str, typer.Option("--zone", "-z", help="Id of the zone, or its row.")]


def explain(
    what: What,
    zone: Zone,
    layer: Annotated[str | None, typer.Option("--layer", "-l", help="Which layer.")] = None,
    measurement: Annotated[
        str | None, typer.Option("--measurement", "-m", help="Which measurement.")
    ] = None,
    band: Annotated[
        str | None, typer.Option("--band", "-b", help="Band of the raster: its number or name.")
    ] = None,
    coverage: Annotated[
        str | None, typer.Option(help="Of ZONES RASTER: fraction, center or all_touched.")
    ] = None,
    nodata: Annotated[
        float | None, typer.Option(help="Of ZONES RASTER: raw value that means no data.")
    ] = None,
    id: Annotated[str | None, typer.Option(help="Of ZONES RASTER: column of unique ids.")] = None,
    weights: Annotated[
        str | None, typer.Option(help="Of ZONES RASTER: a raster of weights.")
    ] = None,
    quantile_method: Annotated[
        str | None, typer.Option(help="Of ZONES RASTER: linear or inverted_cdf.")
    ] = None,
    min_fraction: Annotated[
        float | None, typer.Option(help="Of ZONES RASTER: least share of a cell that counts.")
    ] = None,
    default_value: Annotated[
        float | None, typer.Option(help="Of ZONES RASTER: what cells without data count as.")
    ] = None,
    zone_band: Annotated[
        int | None, typer.Option(help="Of ZONES RASTER: which band of a raster of labels.")
    ] = None,
    trusted: Trusted = False,
    classes: Classes = None,
    edges: Edges = None,
    bins: Bins = None,
    png: Annotated[
        Path | None, typer.Option(help="A picture to write: the zone drawn over its pixels.")
    ] = None,
    limit: Annotated[int, typer.Option(help="How many cells to print.", min=0)] = 50,
    allow_code: AllowCode = False,
) -> None:
    """Show where one number comes from: cells, fractions, values, masks and sums.

    Examples: `zonalbatch explain fields.gpkg ndvi.tif --zone 12 --png zone.png`,
    `zonalbatch explain job.yaml --zone F00017 --layer S2A_20240604 --measurement ndvi`
    """
    from zonalbatch.explanation.account import account

    given = {
        "band": band, "coverage": coverage, "nodata": nodata, "id": id, "weights": weights,
        "quantile_method": quantile_method, "min_fraction": min_fraction,
        "default_value": default_value, "zone_band": zone_band,
        "trusted": trusted or None,
        **breakdown_typed(classes, edges, bins),
    }  # fmt: skip
    of_rasters = {name: value for name, value in given.items() if value is not None}
    asked = {"layer": layer, "measurement": measurement, "png": png}
    if len(what) == 1:
        made = _of_job(Path(what[0]), zone, asked, of_rasters, allow_code)
    elif allow_code:
        raise InputError("--allow-code goes with a JOB; leave it out of ZONES RASTER")
    else:
        made = _of_rasters(what, zone, asked, of_rasters)
    print(account(made, limit))
    if png is not None:
        print(f"\nwrote {png}")
    if made.failures:
        raise typer.Exit(ReadError.exit_code)


def _of_job(
    path: Path, zone: str, asked: dict[str, Any], of_rasters: dict[str, Any], allow_code: bool
) -> Explanation:
    from zonalbatch.explanation.inquiry import explain_job
    from zonalbatch.job import Job

    if path.suffix.lower() not in (".yaml", ".yml", ".json"):
        raise InputError(
            f"{path} alone is no job (.yaml or .json); give a job, or zones and a raster"
        )
    if of_rasters:
        name = next(iter(of_rasters))
        option = name.replace("_", "-")
        raise InputError(f"--{option} goes with ZONES RASTER; in a job it stands in the job file")
    return explain_job(Job.from_file(path, allow_code=allow_code), zone, **asked)


def _of_rasters(
    what: list[str], zone: str, asked: dict[str, Any], of_rasters: dict[str, Any]
) -> Explanation:
    from zonalbatch.explanation.inquiry import explain as explained

    band = of_rasters.pop("band", None)
    bands = int(band) if band is not None and band.isdigit() else band
    zones, *rasters = what
    raster = rasters if len(rasters) > 1 else rasters[0]
    return explained(zones, raster, zone, bands=bands, **asked, **of_rasters)
