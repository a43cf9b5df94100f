"""The commands that compute a table here and now: stats and points."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from zonalbatch.cli.breakdowns import Bins, Classes, Edges, breakdown_typed

__all__ = ["Trusted", "points", "stats"]

Rasters = Annotated[list[str], typer.Argument(metavar="RASTER...", help="Rasters, or items.")]
Bands = Annotated[
    list[str] | None, typer.Option("--band", "-b", help="A band: its number or name.")
]
IdColumn = Annotated[str | None, typer.Option(help="Column of unique ids.")]
Sign = Annotated[
    str | None,
    typer.Option(
        help="What it takes to read the files: planetary-computer, aws, or keys as in a job, "
        "such as '{kind: aws, requester_pays: true}'."
    ),
]
Trusted = Annotated[
    bool,
    typer.Option(
        "--trusted", help="Read also files that may have other files opened: VRT, HDF5, GML."
    ),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", help="A file to write: .parquet, .gpkg, .geojson or .csv."),
]


def stats(
    zones: Annotated[
        str, typer.Argument(metavar="ZONES", help="Areas, lines, points, or a raster of labels.")
    ],
    raster: Rasters,
    names: Annotated[
        list[str] | None,
        typer.Option("--stats", "-s", help="Statistics, separated by commas; count,mean if none."),
    ] = None,
    band: Bands = None,
    coverage: Annotated[
        str, typer.Option(help="How zones take cells: fraction, center or all_touched.")
    ] = "fraction",
    min_fraction: Annotated[
        float, typer.Option(help="Leave out cells of which an area covers less than this share.")
    ] = 0.0,
    nodata: Annotated[float | None, typer.Option(help="Raw value that means no data.")] = None,
    default_value: Annotated[
        float | None, typer.Option(help="Physical value that cells without data count as.")
    ] = None,
    id: IdColumn = None,
    column: Annotated[
        list[str] | None, typer.Option("--column", "-c", help="A column to carry; all by default.")
    ] = None,
    prefix: Annotated[str | None, typer.Option(help="Text before the result columns.")] = None,
    weights: Annotated[
        str | None, typer.Option(help="A raster of weights, for weighted_mean and its kin.")
    ] = None,
    weight_by: Annotated[
        str, typer.Option(help="area: averages in degrees weigh cells by their area.")
    ] = "fraction",
    quantile_method: Annotated[
        str, typer.Option(help="linear between values, or inverted_cdf: one that occurs.")
    ] = "linear",
    zone_band: Annotated[
        int | None, typer.Option(help="Which band of a raster of labels holds the zones.")
    ] = None,
    classes: Classes = None,
    edges: Edges = None,
    bins: Bins = None,
    sign: Sign = None,
    trusted: Trusted = False,
    out: Out = None,
) -> None:
    """Compute statistics here and now, without a cluster, and print or write a table.

    Examples: `zonalbatch stats fields.gpkg ndvi.tif --stats mean,p90`,
    `zonalbatch stats fields.gpkg scene.tif -b 1 -b 4 -s mean -o fields.parquet`,
    `zonalbatch stats basins.gpkg landcover.tif -s frac --classes 1=wheat,2=maize`
    """
    from zonalbatch.frames import zonal_stats
    from zonalbatch.tables import teller
    from zonalbatch.zones import ROW

    tell = teller(out, rows=ROW)
    frame = zonal_stats(
        zones, raster if len(raster) > 1 else raster[0], ",".join(names or ["count", "mean"]),
        bands=_bands(band), id=id, columns=column, prefix=prefix,
        coverage=coverage, weight_by=weight_by,  # type: ignore[arg-type]
        quantile_method=quantile_method,  # type: ignore[arg-type]
        zone_band=zone_band,
        min_fraction=min_fraction, nodata=nodata, default_value=default_value,
        weights=weights, sign=_keys(sign), trusted=trusted, progress=sys.stderr.isatty(),
        **breakdown_typed(classes, edges, bins),
    )  # fmt: skip
    tell(frame)


def points(
    points: Annotated[str, typer.Argument(metavar="POINTS", help="A file of points.")],
    raster: Rasters,
    interpolate: Annotated[
        str, typer.Option("--interpolate", "-i", help="nearest or bilinear.")
    ] = "nearest",
    radius: Annotated[
        float | None, typer.Option("--radius", "-r", help="Metres around each point.")
    ] = None,
    names: Annotated[
        list[str] | None,
        typer.Option("--stats", "-s", help="Statistics within the radius; mean if none."),
    ] = None,
    band: Bands = None,
    id: IdColumn = None,
    sign: Sign = None,
    trusted: Trusted = False,
    out: Out = None,
) -> None:
    """Read the values at points, or around them, and print or write a table.

    Examples: `zonalbatch points plots.gpkg ndvi.tif -i bilinear`,
    `zonalbatch points plots.gpkg ndvi.tif --radius 30 --stats mean,std -o plots.csv`
    """
    from zonalbatch.points import point_query
    from zonalbatch.tables import teller
    from zonalbatch.zones import ROW

    tell = teller(out, rows=ROW)
    frame = point_query(
        points, raster if len(raster) > 1 else raster[0], bands=_bands(band),
        interpolate=interpolate, radius=radius, stats=",".join(names) if names else None, id=id,  # type: ignore[arg-type]
        sign=_keys(sign), trusted=trusted,
    )  # fmt: skip
    tell(frame)


def _keys(text: str | None) -> Any:
    """The keys of an option, or its only word."""
    import yaml

    from zonalbatch.errors import InputError

    try:
        return None if text is None else yaml.safe_load(text)
    except yaml.YAMLError:
        raise InputError("--sign is no YAML; write a kind, or '{kind: aws, ...}'") from None


def _bands(names: list[str] | None) -> list[int | str] | None:
    """Bands by number or name as they were typed."""
    return [int(name) if name.isdigit() else name for name in names] if names else None
