"""Output: the folder of a result and what lies where in it.

job.yaml      the job
plan/         plans by fingerprint
results/      one GeoParquet file for each part, its receipt in the footer
temporal/     one GeoParquet file for each stretch of zones, if reductions over time are asked for
failures/     what a part could not read, one file for each part that failed to
picked/       of each part the rows that were picked, if the job picks
ledger/       receipts, appended as they come in
zones.parquet  layers.parquet  failures.parquet  sums.json  manifest.json    written at the seal
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from zonalbatch.errors import (
    BusyError,
    DamagedError,
    InputError,
    OutputError,
    UnreachableError,
    ZonalbatchWarning,
)
from zonalbatch.layers import Failure
from zonalbatch.places import Place, place_of
from zonalbatch.receipts import Receipt
from zonalbatch.sinks.dataset import Dataset, rows_read, written
from zonalbatch.sinks.failures import read_failures, write_failures
from zonalbatch.sinks.ledger import Ledger
from zonalbatch.sinks.sealed import Sealed
from zonalbatch.sinks.sums import Sum, read_sums, sum_of, write_sums
from zonalbatch.vouched import unvouched, vouched

__all__ = ["Output", "read_receipt"]

RECEIPT = b"zonalbatch"
"""Key of the receipt in the footer of a result file."""
AGAIN = 2.0
"""Seconds between two looks at whether another run has ended."""
FOLDERS = frozenset({"results", "picked", "temporal", "plan", "ledger", "failures"})
"""What a run makes before it claims an output with its manifest."""
TABLES = frozenset({"job.yaml", "zones.parquet", "layers.parquet", "failures.parquet", "sums.json"})
"""What a run writes later, over files of the same names."""


@dataclass(frozen=True, slots=True)
class Output:
    """The folder of a result."""

    path: Place

    @classmethod
    def at(cls, path: str | os.PathLike[str]) -> Output:
        """The output in a folder, or below a link into an object store."""
        return cls(place_of(path))

    @classmethod
    def of_plan(cls, plan: Place) -> Output:
        """The output that a plan is stored in."""
        return cls(plan.parent.parent)

    @property
    def results(self) -> Place:
        """Folder of result files: a GeoParquet dataset."""
        return self.path / "results"

    @property
    def failed(self) -> Place:
        """Folder of what parts could not read."""
        return self.path / "failures"

    @property
    def picked(self) -> Dataset:
        """The rows that were picked."""
        return Dataset(self.path / "picked")

    @property
    def temporal(self) -> Dataset:
        """The rows over time."""
        return Dataset(self.path / "temporal")

    @property
    def plans(self) -> Place:
        """Folder of plans."""
        return self.path / "plan"

    @property
    def ledger(self) -> Ledger:
        """The receipts."""
        return Ledger(self.path / "ledger")

    @contextmanager
    def opened(self, wait: float = 0.0) -> Iterator[Callable[[], None]]:
        """Keep other runs out of it until the block ends; gives what checks that they are.

        A folder that is new and gets nothing but invalid input is taken away again.

        Args:
            wait: seconds to wait for another run to end.

        Raises:
            InputError: it holds files that no run of ours left there.
            BusyError: another run is writing to it.
            OutputError: it cannot be written to.
        """
        there = self._names()
        self._refuse_foreign(there)
        try:
            with ExitStack() as stack:
                yield self._held(stack, time.monotonic() + wait)
        except InputError:
            if not there and not self.part_sizes():
                self.path.clear()
            raise

    def _held(self, stack: ExitStack, until: float) -> Callable[[], None]:
        """Hold it as long as a stack lasts, as soon as no other run does."""
        waiting = False
        while True:
            try:
                return stack.enter_context(self.path.held())
            except BusyError as busy:
                if time.monotonic() >= until:
                    raise
                if not waiting:
                    warnings.warn(f"{busy}; waiting", ZonalbatchWarning, stacklevel=4)
                waiting = True
            time.sleep(AGAIN)

    def make_folders(self) -> None:
        """Make the folders that a run writes into; a plan alone has no need of them.

        Raises:
            OutputError: one of them cannot be written to.
        """
        for folder in (self.results, self.path / "ledger", self.failed):
            folder.make()

    def _names(self) -> set[str]:
        """What lies in it, and its lock; nothing if it is not there, or cannot be looked into."""
        try:
            lock = {".lock"} if (self.path / ".lock").exists() else set[str]()
            return {*self.path.files(), *self.path.folders(), *lock}
        except OSError:  # that is told when it is written to
            return set()

    def _refuse_foreign(self, names: set[str]) -> None:
        """Refuse a folder with files of the user: some would be written over.

        A manifest is the sign of a run. Without one, a run that was refused or ended early left
        its lock and no more than empty or planned folders; where there are parts, it was lost.
        Hidden files are nobody's: none is written over but our lock.
        """
        with suppress(DamagedError):  # or it is another tool's
            if "manifest.json" in names and "fingerprint" in self.manifest():
                return
        parts = bool(names) and bool(self.part_sizes())
        # In a bucket a lock is let go by being removed; plans and parts are ours by their names.
        ours = FOLDERS if ".lock" in names or self.plans.folders() else frozenset[str]()
        if ours and parts:
            ours |= TABLES | {"manifest.json"}
        foreign = sorted(names - ours - {".lock"})
        if foreign:
            raise InputError(
                f"{self.path} holds {foreign[0]!r}, which is no result of a run; choose an empty "
                "or new folder as output.path"
            )

    def manifest(self) -> dict[str, Any]:
        """What is known of the result; empty if there is none.

        Raises:
            DamagedError: it is not what was written.
            UnreachableError: it cannot be read.
        """
        place = self.path / "manifest.json"
        try:
            return _told(place, place.read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except UnreachableError:  # a store's, which names it
            raise
        except OSError as error:
            raise UnreachableError(f"{place} cannot be read: {error}") from error

    def drop_damaged_manifest(self) -> bool:
        """Remove the manifest if it is damaged; true if it was. A run makes it anew."""
        try:
            self.manifest()
        except DamagedError:
            (self.path / "manifest.json").remove()
            return True
        return False

    def write_manifest(self, **entries: Any) -> None:
        """Change entries of the manifest."""
        place = self.path / "manifest.json"

        def change(text: str | None) -> str:
            return vouched((_told(place, text) if text else {}) | entries, indent=1) + "\n"

        place.change(change)

    def sealed(self) -> Sealed | None:
        """What its last seal says; None if it has none, or its files are being changed."""
        document = self.manifest().get("sealed")
        return Sealed(**document) if document else None

    def write_sums(self, sums: Mapping[str, Sum]) -> None:
        """Write what the files that the seal wrote add up to, by their path in the output."""
        write_sums(self.path, sums)

    def sums(self) -> dict[str, Sum]:
        """What `write_sums` wrote; empty if that is gone or damaged."""
        return read_sums(self.path)

    def lost(self, sums: Mapping[str, Sum]) -> set[str]:
        """Which files of the seal are gone, or are of another size."""
        there = dict(self.path.files())
        for folder in ("results", "picked", "temporal"):
            sizes = (self.path / folder).files()
            there |= {f"{folder}/{name}": size for name, size in sizes.items()}
        return {name for name, one in sums.items() if there.get(name) != one.bytes}

    @property
    def files(self) -> list[Place]:
        """The files that hold the rows: of the last seal; before that, of the run under way."""
        there, manifest = set(self.part_sizes()), self.manifest()
        told = manifest.get("sealed") or manifest
        plan = self.plans / told.get("fingerprint", "") / "parts.parquet"
        if "alone" in told and plan.exists():
            ids = pq.read_table(plan.source(), columns=["id"])["id"].to_pylist()
            there &= {*ids, told["alone"]}
        return [self.part_path(part) for part in sorted(there)]

    def part_path(self, part: str) -> Place:
        """Where the rows of a part lie."""
        return self.results / f"part-{part}.parquet"

    def failures_path(self, part: str) -> Place:
        """Where lies what a part could not read."""
        return self.failed / f"part-{part}.parquet"

    def write_part(
        self,
        part: str,
        tables: Iterable[pa.Table],
        schema: pa.Schema,
        metadata: dict[bytes, bytes],
        receipt: Callable[[], Receipt],
    ) -> Receipt:
        """Write the rows of a part with its receipt, whole or not at all."""
        with written(self.part_path(part), tables, schema, metadata) as (writer, summing):
            done = receipt()
            writer.add_key_value_metadata({RECEIPT: done.to_json().encode()})
        return replace(done, bytes=summing.sum.bytes, hash=summing.sum.hash)

    def write_failures(self, part: str, failures: Sequence[Failure]) -> None:
        """Write what a part could not read, or remove what an earlier try left."""
        if failures:
            write_failures(self.failures_path(part), failures)
        else:
            self.failures_path(part).remove()

    def failures(self, parts: Iterable[str]) -> list[Failure]:
        """All that some parts could not read.

        Raises:
            OutputError: a file of it is broken.
        """
        there = self.failed.files()
        wanted = sorted(part for part in parts if f"part-{part}.parquet" in there)
        try:
            return [one for part in wanted for one in read_failures(self.failures_path(part))]
        except (OSError, pa.ArrowException) as error:
            raise OutputError(
                f"a file in {self.failed} is broken ({str(error).splitlines()[0]}); run again "
                "with --verify to have it back"
            ) from error

    def receipts(self, wanted: Iterable[str]) -> dict[str, Receipt]:
        """Receipts of the wanted parts whose files are there and whole, by part.

        The ledger is asked first, and believed where it knows the file's size; then the footer,
        which knows no hash of its file.
        """
        asked = set(wanted)
        there = {part: size for part, size in self.part_sizes().items() if part in asked}
        known: dict[str, Receipt] = {}
        for receipt in self.ledger.receipts() if there else ():
            if there.get(receipt.part) == receipt.bytes:
                known[receipt.part] = receipt
        for part in set(there) - set(known):
            found = read_receipt(self.part_path(part), there[part])
            if found is not None and found.part == part:
                known[part] = found
        return known

    def whole(self, part: str) -> Receipt | None:
        """The receipt of a part whose file can be read, and lacks nothing that may be read later.

        Its hash is that of what is there: pages vouch for themselves, by checksums of their own.
        """
        place = self.part_path(part)
        receipt = read_receipt(place)
        if receipt is None or receipt.part != part or receipt.passing or rows_read(place) < 0:
            return None
        return replace(receipt, hash=sum_of(place).hash)

    def done(self, wanted: Iterable[str]) -> dict[str, Receipt]:
        """Receipts of the wanted parts that lack nothing which might be read another time.

        What a run that was killed did not write into the ledger is written into it now.
        """
        known = self.receipts(wanted)
        looked_at = {part: self.whole(part) for part, one in known.items() if not one.hash}
        new = {part: one for part, one in looked_at.items() if one is not None}
        self.ledger.append(list(new.values()))
        summed = {part: one for part, one in known.items() if one.hash}
        return {part: one for part, one in (summed | new).items() if not one.passing}

    def part_sizes(self) -> dict[str, int]:
        """Size of each result file, by part."""
        return _parts(self.results)

    def drop_others(self, parts: Iterable[str]) -> None:
        """Remove results and failures that are not of these parts: an earlier plan's."""
        kept = set(parts)
        for folder in (self.results, self.failed):
            for part in set(_parts(folder)) - kept:
                (folder / f"part-{part}.parquet").remove()

    def drop_other_plans(self, fingerprint: str) -> None:
        """Remove all plans but one, each of which holds a copy of its zones."""
        for name in self.plans.folders() - {fingerprint}:
            (self.plans / name).clear()

    def sweep(self) -> None:
        """Remove what writers that were killed left under temporary names."""
        for name in FOLDERS:
            (self.path / name).sweep()
        self.path.sweep()


def _told(place: Place, text: str | bytes) -> dict[str, Any]:
    """What a manifest says."""
    try:
        return unvouched(text)
    except ValueError as error:
        raise DamagedError(
            f"{place} is damaged; run the job again with --verify, which makes it anew"
        ) from error


def _parts(folder: Place) -> dict[str, int]:
    """Bytes of each file of a part in a folder, by part."""
    return {
        name.removeprefix("part-").removesuffix(".parquet"): size
        for name, size in folder.files().items()
        if name.startswith("part-") and name.endswith(".parquet")
    }


def read_receipt(place: Place, size: int | None = None) -> Receipt | None:
    """The receipt in the footer of a result file; None if the file is not a whole one of ours.

    Args:
        place: the file.
        size: its bytes, where they are known.
    """
    try:
        metadata = pq.read_metadata(place.source()).metadata or {}
        receipt = Receipt.from_json(metadata[RECEIPT].decode())
        size = place.size() if size is None else size
    except (OSError, pa.ArrowException, KeyError, ValueError, TypeError):
        return None
    return replace(receipt, bytes=size)
