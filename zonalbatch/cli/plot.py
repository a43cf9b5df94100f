"""The command that draws a result: plot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zonalbatch.errors import InputError
from zonalbatch.near import hint

if TYPE_CHECKING:
    from zonalbatch.explore.rows import Rows
    from zonalbatch.pictures.pictures import Pictures

__all__ = ["plot"]

TAKES: Mapping[str, frozenset[str]] = {
    "series": frozenset({"zone", "column", "time", "smooth", "season"}),
    "multiples": frozenset({"zone", "column", "time", "cols"}),
    "heat": frozenset({"zone", "column", "time"}),
    "histogram": frozenset({"column", "time"}),
    "choropleth": frozenset({"column", "time"}),
    "choropleths": frozenset({"column", "time", "cols"}),
    "field": frozenset({"zone", "time", "measurement"}),
    "sheet": frozenset({"time", "band", "area", "cols"}),
}
"""Picture -> the options that it takes."""
PERIODS = ("series", "multiples", "heat")
"""Pictures over time, which show all dates of a period."""


def plot(
    result: Annotated[str, typer.Argument(metavar="OUT", help="The output folder of a run.")],
    what: Annotated[str, typer.Argument(metavar="WHAT", help=f"One of {', '.join(TAKES)}.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The file to write, .png; WHAT.png if none.")
    ] = None,
    column: Annotated[
        str | None, typer.Option("--column", "-c", help="What is drawn, such as ndvi_mean.")
    ] = None,
    zone: Annotated[
        list[str] | None, typer.Option("--zone", "-z", help="Id of a zone; may be repeated.")
    ] = None,
    time: Annotated[
        list[str] | None,
        typer.Option(
            "--time", "-t",
            help="A day, or a period: 2024-06, 2024-06/2024-08; of choropleths several.",
        ),
    ] = None,
    smooth: Annotated[
        str | None, typer.Option(help="Of series: a smooth line: whittaker, savgol or median.")
    ] = None,
    season: Annotated[
        bool, typer.Option("--season", help="Of series: start, peak and end of seasons.")
    ] = False,
    measurement: Annotated[
        str | None, typer.Option("--measurement", "-m", help="Of field: such as ndvi.")
    ] = None,
    band: Annotated[
        list[str] | None,
        typer.Option(
            "--band", "-b",
            help="Of sheet, three times: where red, green and blue lie: a band of the job, an "
            "asset, or ASSET:BAND by number or description.",
        ),
    ] = None,
    area: Annotated[
        str | None, typer.Option(help="Of sheet: west,south,east,north in degrees.")
    ] = None,
    cols: Annotated[int | None, typer.Option(help="Panels in a row.", min=1)] = None,
) -> None:  # fmt: skip
    """Draw a result as a PNG: its series, maps, distributions, pixels, scenes.

    Examples: `zonalbatch plot out/ series -c ndvi_mean -z 17 --smooth whittaker`,
    `zonalbatch plot out/ choropleth -c ndvi_mean -t 2024-06-01 -o june.png`,
    `zonalbatch plot out/ sheet -t 2024-06 -b B04 -b B03 -b B02`
    """
    from zonalbatch.pictures import check_picture
    from zonalbatch.results import open_results

    given = {
        "column": column, "zone": zone, "time": time, "smooth": smooth, "season": season or None,
        "measurement": measurement, "band": band, "area": area, "cols": cols,
    }  # fmt: skip
    options = {name: value for name, value in given.items() if value is not None}
    _check(what, options)
    path = Path(f"{what}.png") if out is None else out
    check_picture(path)
    _write(open_results(result), what, options, path)
    print(f"wrote {path}")


def _check(what: str, options: Mapping[str, Any]) -> None:
    """Refuse a picture that there is not, and options that it does not take."""
    if what not in TAKES:
        near = hint(what, TAKES) or f"; there are {', '.join(TAKES)}"
        raise InputError(f"there is no picture {what!r}{near}")
    for name in options:
        if name not in TAKES[what]:
            others = ", ".join(one for one, takes in TAKES.items() if name in takes)
            raise InputError(f"--{name} goes with {others}; leave it out of {what}")
    if what == "field" and len(options.get("zone", ())) != 1:
        raise InputError("a field is one zone; say which by --zone")
    several = what in ("choropleth", "choropleths")
    if len(options.get("time", ())) > 1 and not several:
        raise InputError(f"{what} is of one time; write a period as 2024-06/2024-08")


def _write(rows: Rows, what: str, options: Mapping[str, Any], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("agg")  # nothing is shown, also where there is a screen
    import matplotlib.pyplot as plt

    from zonalbatch.pictures import write_picture
    from zonalbatch.pictures.style import DPI

    figure = _drawn(rows, what, dict(options)).figure
    figure.set_dpi(DPI)
    try:
        write_picture(figure, path)
    finally:
        plt.close(figure)


def _drawn(rows: Rows, what: str, options: dict[str, Any]) -> Any:
    """Axes or panels, as a method of `Pictures` gives them."""
    times = options.pop("time", None)
    if what in PERIODS and times:
        rows = rows.select(time=times[0])  # type: ignore[attr-defined]
    pictures = rows.plot
    zones = options.pop("zone", None)
    if what == "sheet":
        return pictures.sheet(times[0] if times else None, **_of_sheet(options))
    if what == "field":
        return pictures.field(zones[0], times[0] if times else None, **options)
    if what in PERIODS:
        name = "zone" if what == "series" else "zones"
        return _method(pictures, what)(**{name: zones}, **options)
    if what == "choropleths" or len(times or ()) > 1:
        return pictures.choropleths(times=times, **options)
    return _method(pictures, what)(time=times[0] if times else None, **options)


def _method(pictures: Pictures, what: str) -> Callable[..., Any]:
    found: Callable[..., Any] = getattr(pictures, what)
    return found


def _of_sheet(options: dict[str, Any]) -> dict[str, Any]:
    """Bands and area as `Pictures.sheet` takes them."""
    told = {name: value for name, value in options.items() if name not in ("band", "area")}
    if "band" in options:
        told["bands"] = [_band(text) for text in options["band"]]
    if "area" in options:
        told["area"] = options["area"].split(",")
    return told


def _band(text: str) -> Any:
    """``B04``, ``IMAGE:3`` or ``IMAGE:B04`` as a job has it."""
    asset, colon, name = text.partition(":")
    if not colon:
        return text
    return {"asset": asset, **({"index": int(name)} if name.isdigit() else {"description": name})}
