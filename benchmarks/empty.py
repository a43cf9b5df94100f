"""Parts whose work is empty: what is left is the scheduler, and what the client keeps of parts."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from unittest import mock

from benchmarks.timing import resident_mib
from zonalbatch.clusters import open_client
from zonalbatch.engine import Limits, execute
from zonalbatch.expression import parse
from zonalbatch.job import LocalCluster
from zonalbatch.lattice import Lattice
from zonalbatch.measure import Measurement
from zonalbatch.planning.files import Part
from zonalbatch.planning.news import Change, News
from zonalbatch.planning.partition import Partition
from zonalbatch.planning.plan import Plan
from zonalbatch.progress import Silent
from zonalbatch.receipts import Receipt
from zonalbatch.recipe import Recipe
from zonalbatch.sinks.output import Output
from zonalbatch.sinks.table import Form

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["Empty", "empty_run", "two_workers"]

ZONES, LAYERS = 10, 24
"""Of each part."""
MEMORY = 2**30


@dataclass(frozen=True, slots=True)
class Empty:
    """What it took to do parts that are empty."""

    parts: int
    seconds: float
    """From the first submitted to the last receipt."""
    busy: float
    """Seconds of a processor that client and scheduler took, in one process."""
    planned: float
    """MiB that the client grew by as the plan was made."""
    grown: float
    """MiB that it grew by until the last receipt was in, beside the plan."""


@contextmanager
def two_workers() -> Iterator[Client]:
    """A client of two worker processes."""
    with open_client(LocalCluster(kind="local", workers=2), MEMORY) as client:
        yield client


def empty_run(parts: int, client: Client) -> Empty:
    """Do so many empty parts on a cluster."""
    with TemporaryDirectory() as name:
        output = Output.at(name)
        output.make_folders()
        before = _settled_mib()
        plan = _plan(output, parts)
        planned = _settled_mib()
        began, worked = time.perf_counter(), time.process_time()
        with mock.patch("zonalbatch.engine.window.do_task", empty_part):
            done = execute(
                plan, output, lambda: client, Limits(memory=MEMORY, requests=1), Silent()
            )
        seconds, busy = time.perf_counter() - began, time.process_time() - worked
        if done.computed != parts:
            raise RuntimeError(f"{done.computed} of {parts} parts were done")
        return Empty(parts, seconds, busy, planned - before, _settled_mib() - planned)


def empty_part(_: tuple[str, int], __: str, part_id: str, *___: Any) -> Receipt:
    """A part without work."""
    return Receipt(part=part_id, rows=ZONES * LAYERS)


def _settled_mib() -> float:
    gc.collect()
    return resident_mib()


def _plan(output: Output, parts: int) -> Plan:
    layers = tuple(range(LAYERS))
    return Plan(
        fingerprint="empty",
        inputs="empty",
        folder=output.plans / "empty",
        recipe=Recipe(measurements=(Measurement("red", parse("red"), ()),), statistics=("mean",)),
        form=Form(),
        layers=(),
        parts=tuple(
            Part(
                f"{i:032x}",
                f"5.{i // 1000}.0",
                "2024",
                i * ZONES,
                (i + 1) * ZONES,
                layers,
                layers,
                1,
            )
            for i in range(parts)
        ),
        partition=Partition(5, "year", Lattice("EPSG:32631", 10.0, 10.0, 0.0, 0.0)),
        n_zones=parts * ZONES,
        crs="EPSG:32631",
        failures=(),
        news=News(Change(parts * ZONES), Change(LAYERS)),
    )
