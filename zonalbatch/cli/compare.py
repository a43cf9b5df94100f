"""The command ``compare``: this engine beside another tool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from zonalbatch.compat.comparison import Comparison

__all__ = ["compare"]


def compare(
    zones: Annotated[str, typer.Argument(metavar="ZONES", help="Areas.")],
    raster: Annotated[str, typer.Argument(metavar="RASTER", help="A raster.")],
    peer: Annotated[str, typer.Option("--with", help="rasterstats or exactextract.")],
    names: Annotated[
        str, typer.Option("--stats", "-s", help="Statistics, separated by commas.")
    ] = "count,mean,min,max,std",
    band: Annotated[int, typer.Option("--band", "-b", help="Number of the band.", min=1)] = 1,
    id: Annotated[str | None, typer.Option(help="Column of unique ids.")] = None,
) -> None:
    """Ask this engine and another tool for the same; tell where they differ, why, and the time.

    Example: `zonalbatch compare fields.gpkg ndvi.tif --with exactextract --stats mean,median`
    """
    from zonalbatch.compat.comparison import compare as compared

    _tell(compared(zones, raster, names, peer=peer, band=band, id=id))


def _tell(found: Comparison) -> None:
    rows = [("statistic", "zones", "largest", "zone", "zonalbatch", found.peer, "likely cause")]
    for one in found.differences:
        told = ("-", "-", "-", "equal to the last bit")
        if one.largest:
            told = (f"{one.zone}", f"{one.ours:.7g}", f"{one.theirs:.7g}", one.cause)
        rows.append((one.statistic, f"{one.differing:,}", f"{one.largest:.1e}", *told))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        print("  ".join(cells).rstrip())
    ours, theirs = found.seconds
    print(
        f"\n{found.zones:,} zones: zonalbatch {ours:.3f} s, {found.peer} {theirs:.3f} s "
        f"({theirs / ours:.1f} x); largest is relative, zones are those beyond rounding"
    )
