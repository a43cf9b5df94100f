"""Causes: what could not be read, and how to go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zonalbatch.errors import OutputError
from zonalbatch.layers import Failure
from zonalbatch.sinks.failures import by_cause, read_failures
from zonalbatch.sinks.output import Output
from zonalbatch.sources.secrets import shown

__all__ = ["Cause", "causes_of", "failures_of"]

PASSING = "It may be read another time: run the job again."
PERMANENT = "Mend the file, then run the job with --retry-failed."


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Failures that differ in nothing but file, layer and numbers."""

    cause: str
    """Of the first of them."""
    count: int
    layer: str
    """Of the first of them."""
    href: str
    """The same; without secrets."""
    advice: str


def failures_of(output: Output) -> list[Failure]:
    """All failures of a run, or those so far.

    Raises:
        OutputError: a file of them is broken.
    """
    place = output.path / "failures.parquet"
    if output.manifest().get("sealed") and place.exists():
        try:
            return read_failures(place)
        except (OSError, ValueError) as error:
            raise OutputError(
                f"{place} cannot be read ({str(error).splitlines()[0]}); run the job again with "
                "--verify to have it back"
            ) from error
    return output.failures(output.part_sizes())


def causes_of(failures: Sequence[Failure]) -> list[Cause]:
    """Failures by cause, the most frequent first."""
    return [
        Cause(
            cause=shown(first.cause), count=count, layer=first.layer or "",
            href=shown(first.href or ""), advice=PERMANENT if first.permanent else PASSING,
        )
        for first, count in by_cause(failures)
    ]  # fmt: skip
