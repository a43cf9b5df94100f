"""Job files: what of a job's output is its result."""

from __future__ import annotations

from pathlib import Path

from zonalbatch.service.jobs.child import OUT
from zonalbatch.service.jobs.store import Ticket
from zonalbatch.service.refusals import NOT_YET, Refusal
from zonalbatch.sinks.output import Output

__all__ = ["PARQUET", "result_files"]

PARQUET = "application/vnd.apache.parquet"
TABLES = ("zones.parquet", "layers.parquet", "failures.parquet")
"""What the seal writes beside the rows."""


def result_files(ticket: Ticket, folder: Path) -> dict[str, Path]:
    """The files of a job's result by name, those that hold its rows first.

    Raises:
        Refusal: the job has none, or none yet.
    """
    if ticket.state not in ("done", "failures"):
        raise Refusal(NOT_YET, f"the job is {ticket.state}, and has no results; ask for its state")
    output, place = Output.at(folder / OUT), folder / OUT
    datasets = [output.files, output.picked.files, output.temporal.files]
    found = [Path(str(file)) for files in datasets for file in files]
    found += [place / name for name in TABLES if (place / name).is_file()]
    return {path.relative_to(place).as_posix(): path for path in found}
