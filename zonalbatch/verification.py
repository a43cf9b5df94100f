"""Verification: whether the files of a result are what was written, byte for byte.

What is broken is removed, so that the run which asked computes or writes it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq

from zonalbatch.places import Place
from zonalbatch.planning.plan import Plan
from zonalbatch.receipts import Receipt
from zonalbatch.sinks.dataset import rows_read
from zonalbatch.sinks.failures import read_failures
from zonalbatch.sinks.output import Output
from zonalbatch.sinks.sums import Sum, sum_of
from zonalbatch.sinks.table import rows_of_pair

__all__ = ["remove_broken"]

AT_ONCE = 8
"""Files that are read at a time."""


def remove_broken(plan: Plan, output: Output) -> list[str]:
    """Remove what is not as it was written; the paths of these files in the output.

    Files are held against the hashes that the ledger and the seal keep, and rows against receipts.
    Where the ledger was lost, a file is held against the checksums of its own pages and columns.
    """
    with ThreadPoolExecutor(AT_ONCE) as pool:
        checks = [*_of_parts(plan, output), *_of_seal(output)]
        broken = [name for name, bad in pool.map(_asked, checks) if bad]
    for name in broken:
        (output.path / name).remove()
    return sorted(broken)


Check = tuple[str, Callable[[], bool]]
"""The path of a file in the output, and what says if it is broken."""


def _asked(check: Check) -> tuple[str, bool]:
    name, is_broken = check
    return name, is_broken()


def _of_parts(plan: Plan, output: Output) -> Iterator[Check]:
    each = rows_of_pair(plan.recipe, plan.form)
    planned = {part.id for part in plan.parts}
    receipts = output.receipts(planned)
    for part, receipt in receipts.items():
        yield f"results/part-{part}.parquet", partial(_is_broken, output, receipt, each)
    written = {receipt.part for receipt in output.ledger.receipts()} | output.part_sizes().keys()
    for part in (planned & written) - receipts.keys():  # gone, or without an end
        yield f"results/part-{part}.parquet", lambda: True


def _of_seal(output: Output) -> Iterator[Check]:
    sums = output.sums()
    if output.sealed() is not None and not sums:  # then nothing vouches for them
        return
    for name, sum_ in sums.items():
        yield name, partial(_differs, output.path / name, sum_)


def _is_broken(output: Output, receipt: Receipt, rows_each: int) -> bool:
    """True if the file of a part, or of what it could not read, is not what its receipt says."""
    place = output.part_path(receipt.part)
    if receipt.hash:
        told = Sum(receipt.bytes, receipt.hash)
        bad = _differs(place, told) or _rows(place) != receipt.rows * rows_each
    else:
        bad = rows_read(place) != receipt.rows * rows_each
    return bad or _failures(output, receipt.part) != receipt.failures


def _differs(place: Place, told: Sum) -> bool:
    try:
        return sum_of(place) != told
    except OSError:
        return True


def _rows(place: Place) -> int:
    """Rows that a file says it has; -1 if it cannot be read."""
    try:
        return int(pq.read_metadata(place.source()).num_rows)
    except (OSError, pa.ArrowException):
        return -1


def _failures(output: Output, part: str) -> int:
    """How many failures the file of a part holds; 0 without one, -1 if it is broken."""
    try:
        return len(read_failures(output.failures_path(part)))
    except FileNotFoundError:
        return 0
    except (OSError, pa.ArrowException):
        return -1
