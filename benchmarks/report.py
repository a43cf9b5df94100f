"""The table of ratios: on the screen, and as benchmarks/RESULTS.md."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import rasterio
from rich.console import Console
from rich.table import Table

from benchmarks.timing import Timing

__all__ = ["Finding", "Outcome", "as_markdown", "at_least", "at_most", "show", "write"]

PACKAGES = (
    *("zonalbatch", "exactextract", "rasterstats", "extractrs", "rasterio", "numpy", "numba"),
    *("dask", "distributed", "geopandas", "shapely", "pyarrow"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One ratio or amount, and what it should be."""

    what: str
    """What was compared with what."""
    value: float
    """The measured figure."""
    unit: str = "x"
    """Follows the figure."""
    low: float | None = None
    """The target is at least this."""
    high: float | None = None
    """The target is at most this."""

    @property
    def target(self) -> str:
        """The target in words; empty where there is none."""
        if self.low is not None:
            return f"≥ {self.low:g} {self.unit}"
        return f"≤ {self.high:g} {self.unit}" if self.high is not None else ""

    @property
    def verdict(self) -> str:
        """``met``, ``missed``, or nothing where there is no target."""
        if not self.target:
            return ""
        low, high = self.low or 0.0, float("inf") if self.high is None else self.high
        return "met" if low <= self.value <= high else "missed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one benchmark found."""

    timings: Mapping[str, Timing]
    """Time of each party."""
    findings: Sequence[Finding]
    """The ratios that matter."""
    notes: Sequence[str] = ()
    """Sentences on how it was measured."""


def at_least(target: float | None, what: str, value: float, unit: str = "x") -> Finding:
    """A finding that should be ``target`` or more (None: shown without a target)."""
    return Finding(what=what, value=value, unit=unit, low=target)


def at_most(target: float | None, what: str, value: float, unit: str = "x") -> Finding:
    """A finding that should be ``target`` or less (None: shown without a target)."""
    return Finding(what=what, value=value, unit=unit, high=target)


def show(console: Console, name: str, goal: str, outcome: Outcome) -> None:
    """Print what one benchmark found."""
    console.print(f"\n[bold]{name}[/bold]  {goal}")
    if outcome.timings:
        console.print(_table(("party", "median s", "repetitions s"), _timing_rows(outcome)))
    if outcome.findings:
        console.print(_table(("finding", "value", "target", ""), _finding_rows(outcome)))
    for note in outcome.notes:
        console.print(f"  {note}", style="dim")


def as_markdown(outcomes: Mapping[str, tuple[str, Outcome]], scale: str) -> str:
    """The whole report; ``outcomes`` maps a benchmark's name to its goal and what it found."""
    parts = [
        "# Benchmarks\n",
        f"Written by `make bench` on {date.today().isoformat()}, scale `{scale}`. "
        "Times are medians of alternating repetitions in one run; compare ratios, not seconds.\n",
        f"Machine: {_machine()}\n",
        _markdown(("package", "version"), _versions()),
    ]
    for name, (goal, outcome) in outcomes.items():
        parts += [f"## {name}\n", f"{goal}\n"]
        if outcome.findings:
            parts.append(_markdown(("finding", "value", "target", ""), _finding_rows(outcome)))
        if outcome.timings:
            parts.append(_markdown(("party", "median s", "repetitions s"), _timing_rows(outcome)))
        parts += [f"- {note}" for note in outcome.notes] + [""]
    return "\n".join(parts)


def write(path: Path, outcomes: Mapping[str, tuple[str, Outcome]], scale: str) -> None:
    """Write the report."""
    path.write_text(as_markdown(outcomes, scale), encoding="utf-8")


def _timing_rows(outcome: Outcome) -> Iterator[tuple[str, ...]]:
    for name, timing in outcome.timings.items():
        share = f" (x {timing.factor:g})" if timing.factor != 1 else ""
        seconds = " ".join(f"{s:.3f}" for s in timing.seconds)
        yield name, f"{timing.median:.3f}", seconds + share


def _finding_rows(outcome: Outcome) -> Iterator[tuple[str, ...]]:
    for finding in outcome.findings:
        value = f"{finding.value:.3g}" if finding.value < 100 else f"{finding.value:.0f}"
        yield finding.what, f"{value} {finding.unit}", finding.target, finding.verdict


def _table(head: Sequence[str], rows: Iterator[tuple[str, ...]]) -> Table:
    """A table for the screen, with missed targets in red."""
    table = Table(*head)
    for row in rows:
        table.add_row(*row, style="red" if row[-1] == "missed" else None)
    return table


def _markdown(head: Sequence[str], rows: Iterator[tuple[str, ...]]) -> str:
    """A table for the file."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _versions() -> Iterator[tuple[str, ...]]:
    yield "Python", platform.python_version()
    yield "GDAL (in rasterio)", rasterio.__gdal_version__
    for name in PACKAGES:
        try:
            yield name, version(name)
        except PackageNotFoundError:
            yield name, "not installed"


def _machine() -> str:
    """Processor, cores and memory; nothing that names the machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}"


def _processor() -> str:
    """The processor's model where the system tells it (Linux), else its architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    models = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.machine())
