"""Output: the folder of a result and what lies where in it.

job.yaml      the job
plan/         plans by fingerprint
results/      one GeoParquet file for each part, its receipt in the footer
temporal/     one GeoParquet file for each stretch of zones, if reductions over time are asked for
failures/     what a part could not read, one file for each part that failed to
picked/       of each part the rows that were picked, if the job picks
ledger/       receipts, appended as they come in
zones.parquet  layers.parquet  failures.parquet  manifest.json    written at the seal
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from zonalbatch.errors import InputError, OutputError
from zonalbatch.layers import Failure
from zonalbatch.receipts import Receipt
from zonalbatch.sinks.dataset import Dataset, written
from zonalbatch.sinks.files import locked, make_folder, replacing, write_text

__all__ = ["Output", "read_receipt"]

RECEIPT = b"zonalbatch"
"""Key of the receipt in the footer of a result file."""
FOLDERS = frozenset({"results", "picked", "temporal", "plan", "ledger", "failures"})
"""What a run makes before it claims an output with its manifest."""
TABLES = frozenset({"job.yaml", "zones.parquet", "layers.parquet", "failures.parquet"})
"""What a run writes later, over files of the same names."""


@dataclass(frozen=True, slots=True)
class Output:
    """The folder of a result."""

    path: Path

    @classmethod
    def of_plan(cls, plan: Path) -> Output:
        """The output that a plan is stored in."""
        return cls(plan.parent.parent)

    @property
    def results(self) -> Path:
        """Folder of result files: a GeoParquet dataset."""
        return self.path / "results"

    @property
    def picked(self) -> Dataset:
        """The rows that were picked."""
        return Dataset(self.path / "picked")

    @property
    def temporal(self) -> Dataset:
        """The rows over time."""
        return Dataset(self.path / "temporal")

    @property
    def plans(self) -> Path:
        """Folder of plans."""
        return self.path / "plan"

    @property
    def ledger(self) -> Path:
        """Folder of receipts."""
        return self.path / "ledger"

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Make the folder and keep other runs out of it until the block ends.

        A folder that is new and gets nothing but invalid input is taken away again.

        Raises:
            InputError: it holds files that no run of ours left there.
            OutputError: it cannot be written to, or another run is writing to it.
        """
        self._refuse_foreign()
        fresh = not self.path.exists()
        make_folder(self.path)
        try:
            with locked(self.path / ".lock"):
                yield
        except InputError:
            if fresh and not self.part_sizes():
                shutil.rmtree(self.path, ignore_errors=True)
            raise

    def make_folders(self) -> None:
        """Make the folders that a run writes into; a plan alone has no need of them.

        Raises:
            OutputError: one of them cannot be written to.
        """
        for folder in (self.results, self.ledger, self.path / "failures"):
            make_folder(folder)

    def _refuse_foreign(self) -> None:
        """Refuse a folder with files of the user: some would be written over.

        A manifest is the sign of a run. Without one, a run that was refused or ended early left
        its lock and no more than empty or planned folders; where there are parts, it was lost.
        Hidden files are nobody's: none is written over but our lock.
        """
        try:
            names = {entry.name for entry in self.path.iterdir()}
        except OSError:  # it is not there, or cannot be written to: that is told later
            return
        if "manifest.json" in names and "fingerprint" in self.manifest():
            return
        ours = FOLDERS if ".lock" in names else frozenset[str]()
        if ours and self.part_sizes():
            ours |= TABLES
        foreign = sorted(name for name in names - ours if not name.startswith("."))
        if foreign:
            raise InputError(
                f"{self.path} holds {foreign[0]!r}, which is no result of a run; choose an empty "
                "or new folder as output.path"
            )

    def manifest(self) -> dict[str, Any]:
        """What is known of the result; empty if there is none."""
        try:
            document: dict[str, Any] = json.loads((self.path / "manifest.json").read_text())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise OutputError(f"{self.path / 'manifest.json'} cannot be read: {error}") from error
        return document

    def write_manifest(self, **entries: Any) -> None:
        """Change entries of the manifest."""
        document = self.manifest() | entries
        write_text(self.path / "manifest.json", json.dumps(document, indent=1) + "\n")

    def part_path(self, part: str) -> Path:
        """Where the rows of a part lie."""
        return self.results / f"part-{part}.parquet"

    def write_part(
        self,
        part: str,
        tables: Iterable[pa.Table],
        schema: pa.Schema,
        metadata: dict[bytes, bytes],
        receipt: Callable[[], Receipt],
    ) -> Receipt:
        """Write the rows of a part with its receipt, whole or not at all."""
        with written(self.part_path(part), tables, schema, metadata) as writer:
            done = receipt()
            writer.add_key_value_metadata({RECEIPT: done.to_json().encode()})
        return replace(done, bytes=self.part_path(part).stat().st_size)

    def write_failures(self, part: str, failures: Sequence[Failure]) -> None:
        """Write what a part could not read, or remove what an earlier try left."""
        path = self.path / "failures" / f"part-{part}.parquet"
        if failures:
            with replacing(path) as file:
                pq.write_table(failure_table(failures), file)
        else:
            path.unlink(missing_ok=True)

    def failures(self) -> list[Failure]:
        """All that parts could not read."""
        files = sorted((self.path / "failures").glob("part-*.parquet"))
        return [Failure(**row) for file in files for row in pq.read_table(file).to_pylist()]

    def append_ledger(self, receipts: Sequence[Receipt]) -> None:
        """Write receipts to a new file of the ledger."""
        if receipts:
            lines = "".join(receipt.to_json() + "\n" for receipt in receipts)
            write_text(self.ledger / f"{uuid.uuid4()}.jsonl", lines)

    def receipts(self, wanted: Iterable[str]) -> dict[str, Receipt]:
        """Receipts of the wanted parts whose files are there and whole, by part.

        The ledger is asked first, and believed where it knows the file's size; then the footer.
        """
        asked = set(wanted)
        there = {part: size for part, size in self.part_sizes().items() if part in asked}
        known: dict[str, Receipt] = {}
        for file in self.ledger.glob("*.jsonl"):
            for line in file.read_text().splitlines():
                receipt = Receipt.from_json(line)
                if there.get(receipt.part) == receipt.bytes:
                    known[receipt.part] = receipt
        for part in set(there) - set(known):
            found = read_receipt(self.part_path(part))
            if found is not None:
                known[part] = found
        return known

    def done(self, wanted: Iterable[str]) -> dict[str, Receipt]:
        """Receipts of the wanted parts that lack nothing which might be read another time."""
        return {part: one for part, one in self.receipts(wanted).items() if not one.passing}

    def part_sizes(self) -> dict[str, int]:
        """Size of each result file, by part."""
        files = self.results.glob("part-*.parquet")
        return {file.stem.removeprefix("part-"): file.stat().st_size for file in files}

    def drop_others(self, parts: Iterable[str]) -> None:
        """Remove results that are not of these parts: an earlier plan of this run wrote them."""
        for part in set(self.part_sizes()) - set(parts):
            self.part_path(part).unlink()
            (self.path / "failures" / f"part-{part}.parquet").unlink(missing_ok=True)

    def drop_other_plans(self, fingerprint: str) -> None:
        """Remove all plans but one, each of which holds a copy of its zones."""
        for folder in self.plans.iterdir():
            if folder.name != fingerprint:
                shutil.rmtree(folder, ignore_errors=True)


def read_receipt(path: Path) -> Receipt | None:
    """The receipt in the footer of a result file; None if the file is not a whole one of ours."""
    try:
        metadata = pq.read_metadata(path).metadata or {}
        receipt = Receipt.from_json(metadata[RECEIPT].decode())
    except (OSError, pa.ArrowException, KeyError, ValueError, TypeError):
        return None
    return replace(receipt, bytes=path.stat().st_size)


def failure_table(failures: Sequence[Failure]) -> pa.Table:
    """Failures as a table."""
    schema = pa.schema(
        [
            ("layer", pa.string()), ("href", pa.string()), ("cause", pa.string()),
            ("permanent", pa.bool_()),
        ]
    )  # fmt: skip
    rows = [
        {"layer": f.layer, "href": f.href, "cause": f.cause, "permanent": f.permanent}
        for f in failures
    ]
    return pa.Table.from_pylist(rows, schema=schema)
