"""The commands ``datasets``, ``extract`` and ``clip``: data sets by name, and their pixels."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zonalbatch.cli.boxes import box_of

if TYPE_CHECKING:
    from zonalbatch.catalog.document import DataSet

__all__ = ["clip", "datasets", "extract"]


def datasets(
    name: Annotated[
        str | None, typer.Argument(help="One of them, such as copernicus_dem: all about it.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """List the data sets that have a name: what they hold, and on what terms.

    Own ones are YAML files in folders that ZONALBATCH_DATASETS names, or paths: own.yaml:height.

    **Examples**

        zonalbatch datasets

        zonalbatch datasets esa_worldcover
    """
    from zonalbatch.catalog.named import known, parted

    if name is not None:
        provider, data, _ = parted(name)
        print(data.model_dump_json(indent=1) if as_json else _all_about(provider, data))
        return
    found = known()
    if as_json:
        document = {one: data.model_dump(mode="json") for one, data in found.items()}
        print(json.dumps(document, indent=1))
        return
    for provider, data in found.items():
        print(f"{data.title} ({data.license.name})")
        for variable, told in data.variables.items():
            kind = told.units or told.type
            print(f"    {provider + ':' + variable:<28} {kind:<12} {told.resolution}")


def _all_about(provider: str, data: DataSet) -> str:
    lines = [f"{data.title} ({provider})", "", data.about, ""]
    for name, told in data.variables.items():
        unit = f", {told.units}" if told.units else ""
        lines.append(f"{provider}:{name}  {told.about} {told.type}{unit}, {told.resolution}")
        lines += [f"    {value}: {word}" for value, word in told.classes.items()]
    lines += [f"mask {name}: {json.dumps(mask)}" for name, mask in data.masks.items()]
    lines += ["", f"{data.license.name}: {data.license.text}", data.license.url, "", data.citation]
    return "\n".join(lines)


def extract(
    dataset: Annotated[str, typer.Argument(help="provider:variable; `zonalbatch datasets` lists.")],
    bbox: Annotated[str | None, typer.Option(help="west,south,east,north in degrees.")] = None,
    zones: Annotated[str | None, typer.Option("--zones", "-z", help="Zones; their box.")] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the file.")] = Path(),
    resolution: Annotated[
        float | None, typer.Option(help="Side of a cell, units of the source's CRS.")
    ] = None,
    resampling: Annotated[str, typer.Option(help="nearest, bilinear, cubic, average.")] = "nearest",
    filename: Annotated[str | None, typer.Option(help="Name of the file.")] = None,
    datetime: Annotated[
        str | None, typer.Option("--datetime", "-d", help="A day, of what changes.")
    ] = None,
    target_crs: Annotated[
        str | None, typer.Option(help="Of the files that are taken, where they lie in several.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Write the pixels of a data set about a box as one cloud-optimised GeoTIFF.

    The box is grown outward to whole cells of the source; nothing is resampled unless asked for.

    **Examples**

        zonalbatch extract copernicus_dem:elevation --bbox 10.5,50.2,11.5,50.8 -o dem

        zonalbatch extract esa_worldcover --zones fields.parquet
    """
    from zonalbatch.extract.raster import extract_raster

    found = extract_raster(
        dataset, bbox=box_of(bbox), zones=zones, output_dir=out, target_resolution=resolution,
        resampling=resampling, filename=filename, datetime=datetime, target_crs=target_crs,
        progress=sys.stderr.isatty(),
    )  # fmt: skip
    if as_json:
        document: dict[str, Any] = asdict(found) | {"path": str(found.path)}
        print(json.dumps(document | {"license": found.license.model_dump()}, indent=1))
        return
    rows, cols = found.shape
    print(f"wrote {found.path}: {rows:,} rows, {cols:,} columns, {found.crs}")
    print(f"{found.license.name}: {found.license.text}")


def clip(
    dataset: Annotated[str, typer.Argument(help="provider:variable; `zonalbatch datasets` lists.")],
    zones: Annotated[str, typer.Argument(help="Zones: a file, as of stats.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the chips.")] = Path(),
    id: Annotated[str | None, typer.Option(help="Column of the zones' names.")] = None,
    datetime: Annotated[
        str | None, typer.Option("--datetime", "-d", help="2024-06/2024-08, of what changes.")
    ] = None,
    size: Annotated[
        int | None, typer.Option(help="Side of a chip, cells; else each zone's box.")
    ] = None,
    outside: Annotated[str, typer.Option(help="keep, or nodata: blank cells aside.")] = "keep",
    form: Annotated[str, typer.Option(help="cog: a file each; zarr: one cube.")] = "cog",
    target_crs: Annotated[
        str | None, typer.Option(help="Of the files that are taken, where they lie in several.")
    ] = None,
) -> None:
    """Write the pixels of a data set about each zone: a chip for each, and for each day.

    Chips lie on the source's own grid. Those that cannot be read are listed, with exit code 3. A
    second run goes on: files that are there are kept.

    **Examples**

        zonalbatch clip copernicus_dem:elevation fields.parquet --id field_id -o chips

        zonalbatch clip sentinel2_l2a:red fields.parquet -d 2024-06 --size 64 --form zarr
    """
    from zonalbatch.extract.chips import clip as clipped

    found = clipped(
        dataset, zones, output_dir=out, id=id, datetime=datetime, size=size,
        target_crs=target_crs,
        progress=sys.stderr.isatty(),
        outside=outside,  # type: ignore[arg-type]
        form=form,  # type: ignore[arg-type]
    )  # fmt: skip
    kept = f", {found.kept:,} were there" if found.kept else ""
    print(f"wrote {found.chips:,} chip{'s' * (found.chips != 1)} to {found.path}{kept}")
    if found.outside:
        print(f"{found.outside:,} zones and days without any pixel")
    print(f"{found.license.name}: {found.license.text}")
    for zone, day, cause in found.failures:
        print(f"failed: {zone} {day}: {cause}", file=sys.stderr)
    if found.failures:
        raise typer.Exit(3)
