"""The command ``search``: items from a STAC API, as a table, a file, a chart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zonalbatch.cli.boxes import box_of
from zonalbatch.errors import InputError

if TYPE_CHECKING:
    from zonalbatch.searches.answer import Answer

__all__ = ["search"]

Several = list[str] | None


def search(
    what: Annotated[
        str,
        typer.Argument(
            metavar="API | JOB",
            help="A URL, planetary-computer, earth-search or copernicus; or a job with a search.",
        ),
    ],
    collections: Annotated[
        Several, typer.Option("--collections", "-c", help="Collections, separated by commas.")
    ] = None,
    zones: Annotated[
        str | None, typer.Option("--zones", "-z", help="Zones: what meets none is left out.")
    ] = None,
    datetime: Annotated[
        str | None, typer.Option("--datetime", "-d", help="2024-06-01, 2024-06/2024-08, 2024/..")
    ] = None,
    query: Annotated[
        Several, typer.Option("--query", "-q", help="A comparison: 'eo:cloud_cover<20'.")
    ] = None,
    filter: Annotated[str | None, typer.Option(help="CQL2, as text or JSON.")] = None,
    bbox: Annotated[
        str | None, typer.Option(help="west,south,east,north in degrees, in place of zones.")
    ] = None,
    intersects: Annotated[
        str | None, typer.Option(help="A GeoJSON geometry, in place of zones.")
    ] = None,
    ids: Annotated[Several, typer.Option(help="Ids of items, separated by commas.")] = None,
    fields: Annotated[
        Several, typer.Option(help="Fields of the items; what runs need comes anyway.")
    ] = None,
    sortby: Annotated[Several, typer.Option(help="Order, such as -properties.datetime.")] = None,
    limit: Annotated[int | None, typer.Option(help="Items of a page.", min=1)] = None,
    max_items: Annotated[int | None, typer.Option(help="Items in all.", min=1)] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="A file to write, a source of runs: .json or .parquet."),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="A chart to write: dates against cloud cover, .png.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the items as JSON.")] = False,
) -> None:
    """Find items in a STAC API, tell what there is, and write them as a source of runs.

    Examples: `zonalbatch search earth-search -c sentinel-2-l2a --zones fields.parquet
    -d 2024-06/2024-08 -q 'eo:cloud_cover<20' -o items.json`,
    `zonalbatch search job.yaml --plot clouds.png`
    """
    from zonalbatch.pictures import check_picture
    from zonalbatch.searches import picture
    from zonalbatch.searches.files import writer

    write = None if out is None else writer(out)
    if plot is not None:
        check_picture(plot)
    asked = {
        "collections": _several(collections), "datetime": datetime, "query": query or None,
        "filter": filter, "ids": _several(ids), "fields": _several(fields),
        "sortby": _several(sortby), "limit": limit, "max_items": max_items,
    }  # fmt: skip
    place = {"zones": zones, "bbox": box_of(bbox), "intersects": _geometry(intersects)}
    answer = _of_job(what, asked | place) if _is_job(what) else _of_api(what, asked, **place)
    _tell(answer, as_json)
    if write is not None:
        write(answer.items)
        _say(f"wrote {len(answer.items):,} items to {out}", as_json)
    if plot is not None and answer.items:
        picture.draw(answer.items, plot)
        _say(f"wrote {plot}", as_json)


def _is_job(what: str) -> bool:
    return "://" not in what and Path(what).suffix.lower() in (".yaml", ".yml", ".json")


def _of_job(path: str, options: dict[str, Any]) -> Answer:
    from zonalbatch.asked import find_zones
    from zonalbatch.job import Job
    from zonalbatch.searched import search_of

    given = [name for name, value in options.items() if value is not None]
    if given:
        name = given[0].replace("_", "-")
        raise InputError(f"--{name} goes with an API; the search of a job stands in the job file")
    job = Job.from_file(path)
    return search_of(job.source, lambda: find_zones(job))


def _of_api(
    api: str, asked: dict[str, Any], zones: str | None, bbox: Any, intersects: Any
) -> Answer:
    from zonalbatch.searches.answer import area_of, find
    from zonalbatch.searches.question import Question
    from zonalbatch.zones import open_zones

    question = Question.of(**asked)
    reader = None if zones is None else open_zones(zones)
    return find(api, question, area_of(reader, bbox, intersects))


def _tell(answer: Answer, as_json: bool) -> None:
    from zonalbatch.searches.census import census, table

    if as_json:
        print(json.dumps({"type": "FeatureCollection", "features": list(answer.items)}))
        return
    if answer.items:
        print(table(census(answer.items)))
    print(answer.note)


def _say(text: str, as_json: bool) -> None:
    """Tell on the terminal, but keep JSON on stdout pure."""
    typer.echo(text, err=as_json)


def _several(names: list[str] | None) -> list[str] | None:
    """What an option that may be repeated lists in all."""
    return [one for name in names for one in name.split(",")] if names else None


def _geometry(text: str | None) -> Any:
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError as error:
        raise InputError(f"--intersects is no JSON ({error}); give a GeoJSON geometry") from None
