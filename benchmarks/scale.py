"""Cost against work: ``python -m benchmarks.scale [--quick] [--only SERIES] [--data FOLDER]``.

Zones grow, layers grow, and parts without work grow; on two workers. It prints what each took and,
unless it was quick, keeps the figures and draws ``scale.png``, which ``docs/scaling.md`` shows.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console

import zonalbatch as zb
from benchmarks.data import FULL, QUICK, Data
from benchmarks.empty import Empty, empty_run, two_workers
from benchmarks.timing import apart, peak_mib

__all__ = ["Cost", "measured"]

HERE = Path(__file__).parent
FIGURES, PICTURE = HERE / "scale.json", HERE / "scale.png"
EMPTY = (1_000, 10_000, 100_000)
LAYERS = (12, 24, 48, 120, 240, 480)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run took."""

    zones: int
    layers: int
    parts: int
    rows: int
    seconds: float
    client: float
    """Peak of the client, MiB; scheduler and planning are in it."""
    worker: float
    """Peak of the larger worker, MiB."""
    planned: float
    """What the plan said of it, MiB."""


def measured(data: Data, zones: int, layers: int) -> Cost:
    """The cost of a run on two workers: count, mean, std and median of fields on scenes."""
    files = sorted(map(str, data.dates(layers).iterdir()))[:layers]
    with TemporaryDirectory() as folder, two_workers() as client:
        job = {
            "zones": {"path": str(data.fields(zones)), "id": "field_id"},
            "source": {"kind": "cog", "files": files},
            "bands": {"red": 1},
            "statistics": ["count", "mean", "std", "median"],
            "output": {"path": folder + "/out"},
        }
        began = time.perf_counter()
        planned = zb.plan(job).estimate.memory / 2**20
        report = zb.run(job, client)
        seconds = time.perf_counter() - began
        worker = max(client.run(peak_mib).values())
    return Cost(zones, layers, report.parts, report.rows, seconds, peak_mib(), worker, planned)


def main() -> None:
    """Measure, print as it goes; after a full run, keep the figures and draw them."""
    options = _options()
    if not options.draw:
        scale = QUICK if options.quick else FULL
        found = _all(Data(options.data, scale), 100 if options.quick else 1, options.only)
        if options.quick:
            return
        kept = json.loads(FIGURES.read_text()) if options.only else {}
        FIGURES.write_text(json.dumps(kept | found, indent=1) + "\n")
    draw(json.loads(FIGURES.read_text()), PICTURE)


def _all(data: Data, less: int, only: str | None) -> dict[str, list[dict[str, Any]]]:
    console, scenes = Console(width=200), data.scale.scenes
    apart(measured, data, data.scale.growth[0], 4)  # kernels are compiled once for all
    fields, dates = data.scale.growth, [n for n in LAYERS if n <= 20 * scenes]
    series: dict[str, Iterator[Any]] = {
        "zones": (apart(measured, data, n, scenes) for n in fields),
        "layers": (apart(measured, data, data.scale.fields, n) for n in dates),
        "empty parts": (apart(_empty, n // less) for n in EMPTY),
    }
    return {
        name: [asdict(one) for one in _told(console, name, costs)]
        for name, costs in series.items()
        if only in (None, name)
    }


def _empty(parts: int) -> Empty:
    with two_workers() as client:
        empty_run(500, client)  # what is compiled and imported once is no part of growth
        return empty_run(parts, client)


def _told(console: Console, name: str, costs: Iterator[Any]) -> list[Any]:
    """Print each cost as it comes, as a row; give all of them."""
    found = []
    for one in costs:
        found.append(one)
        console.print(f"{name}: " + ", ".join(f"{k} {v:,.4g}" for k, v in asdict(one).items()))
    return found


def draw(found: dict[str, list[dict[str, Any]]], path: Path) -> None:
    """Draw time and memory against work."""
    from matplotlib.figure import Figure

    from zonalbatch.pictures import write_picture

    figure = Figure(figsize=(11, 6.4), layout="constrained", dpi=110)
    found = {name: costs for name, costs in found.items() if costs}
    axes = dict(zip(found, figure.subplots(2, len(found)).T, strict=True))
    titles = {
        "zones": ("zones", "zones × 24 layers", "rows"),
        "layers": ("layers", "layers × 10,000 zones", "rows"),
        "empty parts": ("parts", "parts without work", "parts"),
    }
    for name, costs in found.items():
        _column(axes[name], costs, *titles[name])
    write_picture(figure, path)


def _column(axes: Any, costs: Sequence[dict[str, Any]], by: str, title: str, of: str) -> None:
    """One kind of work: seconds above, memory below."""
    x = [one[by] for one in costs]
    above, below = axes
    seconds = [one["seconds"] for one in costs]
    above.loglog(x, seconds, "o-", color="#1b6ca8", label="seconds")
    most = seconds[-1] / costs[-1][of]
    above.loglog(x, [most * one[of] for one in costs], ":", color="#888888", label="in proportion")
    above.set(title=title, ylabel="seconds on two workers")
    lines = {"client": "client", "worker": "worker", "planned": "worker, as planned"}
    if "grown" in costs[0]:
        lines = {"grown": "client, growth in the run", "planned": "client, growth by the plan"}
    for style, (key, label) in zip(("o-", "s-", ":"), lines.items(), strict=False):
        below.semilogx(x, [one[key] for one in costs], style, label=label)
    below.set(xlabel=title, ylabel="MiB")
    below.set_ylim(bottom=0)
    for one in axes:
        one.grid(alpha=0.3)
        one.legend(frameon=False, fontsize=8)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a hundredth of the work")
    parser.add_argument("--only", choices=("zones", "layers", "empty parts"), help="one series")
    parser.add_argument("--draw", action="store_true", help="draw the kept figures again")
    parser.add_argument(
        "--data", type=Path, default=Path(".bench-data"), help="where generated data is kept"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
