"""Which parts an output counts as done: its files, its ledger and their footers together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from zonalbatch.receipts import Receipt
from zonalbatch.sinks.output import Output

SCHEMA = pa.schema([("zone_id", pa.int64())])


@pytest.fixture
def output(tmp_path: Path) -> Output:
    """An output with the folders of a run."""
    made = Output.at(tmp_path / "out")
    made.make_folders()
    return made


def written(output: Output, part: str = "a", rows: int = 3) -> Receipt:
    """A part of some rows; its receipt, which no ledger knows yet."""
    table = pa.table({"zone_id": pa.array(range(rows), pa.int64())})
    receipt = Receipt(part=part, rows=rows)
    return output.write_part(part, [table], SCHEMA, {}, lambda: receipt)


def test_a_part_without_a_ledger_is_known_by_its_footer(output: Output) -> None:
    """A run that ended before it wrote its ledger has done what it has done."""
    receipt = written(output)
    assert output.receipts(["a", "b"]) == {"a": replace(receipt, hash="")}
    assert output.done(["a", "b"]) == {"a": receipt}
    assert output.receipts(["a", "b"]) == {"a": receipt}  # it is in the ledger now


def test_the_ledger_is_believed_where_it_knows_the_size(output: Output) -> None:
    """Then the file is not opened."""
    receipt = replace(written(output), rows=99)
    output.ledger.append([receipt])
    assert output.receipts(["a"])["a"].rows == 99


def test_a_file_of_another_size_speaks_for_itself(output: Output) -> None:
    """The ledger may tell of an earlier file."""
    receipt = written(output)
    output.ledger.append([replace(receipt, rows=99, bytes=receipt.bytes + 1)])
    assert output.receipts(["a"])["a"].rows == 3


def test_a_file_that_was_cut_is_not_done(output: Output) -> None:
    """Neither the ledger nor the footer vouches for it."""
    receipt = written(output)
    output.ledger.append([receipt])
    path = Path(str(output.part_path("a")))
    path.write_bytes(path.read_bytes()[:-10])
    assert output.receipts(["a"]) == {}


def test_a_file_that_is_gone_is_not_done(output: Output) -> None:
    """Whatever the ledger says."""
    output.ledger.append([written(output)])
    output.part_path("a").remove()
    assert output.receipts(["a"]) == {}
