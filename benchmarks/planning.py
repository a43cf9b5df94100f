"""Planning at scale: no pixel, no file but items and zones."""

from __future__ import annotations

import statistics
import time
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import zonalbatch as zb
from benchmarks import archive
from benchmarks.data import Data
from benchmarks.report import Outcome, at_least, at_most
from benchmarks.timing import Timing, peak_mib
from zonalbatch.planning.plan import Plan

__all__ = ["planning"]

ZONES, DATES = 50_000, 100


def planning(_: Data) -> Outcome:
    """50,000 zones × 500 items × 3 bands planned in ≤ 60 s and ≤ 2 GiB (one core); large parts."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        zones = archive.fields(folder / "zones.parquet", ZONES)
        items = archive.write_items(folder / "items.json", DATES)
        make = partial(zb.plan, archive.job(zones, items, folder / "out"))
        start = time.perf_counter()
        plan = make()
        times = {"the plan": Timing((time.perf_counter() - start,))}
    rows = [part.pairs for part in plan.parts]
    findings = (
        at_most(60, "seconds", times["the plan"].median, "s"),
        at_most(2048, "peak memory", peak_mib(), "MiB"),
        at_least(None, "parts", len(rows), ""),
        at_least(
            200_000 if _cut(plan) else None, "median of a part", statistics.median(rows), "rows"
        ),
    )
    note = f"Cut by {plan.partition.bucket} and {len({p.cell for p in plan.parts})} cells."
    return Outcome(times, findings, (note,))


def _cut(plan: Plan) -> bool:
    """True if a cell and bucket of time has more than one part."""
    return len({(part.cell, part.bucket) for part in plan.parts}) < len(plan.parts)
