"""Failures: what could not be read, as tables."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from zonalbatch.layers import Failure
from zonalbatch.places import Place
from zonalbatch.sinks.sums import Sum, Summing

__all__ = ["read_failures", "write_failures"]

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
