"""Failures: what could not be read, as tables."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from zonalbatch.layers import Failure
from zonalbatch.places import Place
from zonalbatch.sinks.sums import Sum, Summing
from zonalbatch.sources.secrets import shown

__all__ = ["by_cause", "read_failures", "write_failures"]

SCHEMA = pa.schema(
    [
        ("layer", pa.string()), ("href", pa.string()), ("cause", pa.string()),
        ("permanent", pa.bool_()),
    ]
)  # fmt: skip


def write_failures(place: Place, failures: Sequence[Failure]) -> Sum:
    """Write failures to a file of their own."""
    rows = [{name: getattr(one, name) for name in SCHEMA.names} for one in failures]
    with place.replacing() as file:
        summing = Summing(file)
        pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), summing, write_page_checksum=True)
    return summing.sum


def read_failures(place: Place) -> list[Failure]:
    """The failures that a file holds.

    Raises:
        OSError: it is not there, or is broken.
    """
    table = pq.read_table(place.source(), page_checksum_verification=True)
    return [Failure(**row) for row in table.to_pylist()]


def by_cause(failures: Sequence[Failure]) -> list[tuple[Failure, int]]:
    """The first failure of each cause, and how many have it; the most frequent cause first.

    Causes are one if they differ in nothing but the file, the layer and numbers.
    """
    alike: dict[str, list[Failure]] = {}
    for failure in failures:
        named = (name for name in (failure.href, shown(failure.href), failure.layer) if name)
        cause = failure.cause
        for name in named:
            cause = cause.replace(name, "…")
        alike.setdefault(re.sub(r"\d+", "#", cause), []).append(failure)
    groups = sorted(alike.values(), key=len, reverse=True)
    return [(some[0], len(some)) for some in groups]
