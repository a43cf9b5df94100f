"""What travels between client and workers: small tasks out, receipts for every pair back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow.parquet as pq
import pytest
from distributed.protocol import pickle as dask_pickle

import zonalbatch as zb
from tests.made.runs import Runner, cut_small
from zonalbatch.progress import Silent
from zonalbatch.receipts import Receipt
from zonalbatch.sinks.output import Output


class TestReceipts:
    """Every pair of zone and layer is accounted for."""

    def test_rows_and_uncovered_are_all_pairs(
        self, runner: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """rows + uncovered = zones × layers in every part, and the rows are in its file."""
        cut_small(monkeypatch)
        zones = runner.half_outside()
        zones.to_parquet(runner.folder / "squares.parquet")
        job = runner.job(zones={"path": str(runner.folder / "squares.parquet"), "id": "id"})
        planned = zb.plan(job)
        report = zb.run(job, runner.client)
        assert report.parts == len(planned.parts) > 2
        receipts = runner.receipts()
        for part in planned.parts:
            receipt = receipts.pop(part.id)
            assert receipt.rows + receipt.uncovered == part.pairs
            assert (
                receipt.rows
                == pq.read_metadata(Output.at(report.output).part_path(part.id)).num_rows
            )
        (alone,) = receipts.values()  # what is left are the zones that meet no layer
        met = set(runner.results().gdf.dropna(subset="layer")["zone_id"])
        assert alone.rows == len(zones) - len(met) > 0
        assert sum(p.pairs for p in planned.parts) <= len(zones) * 3

    def test_the_ledger_holds_them(self, runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each receipt of the ledger is that of the footer, which cannot know its file's size."""
        cut_small(monkeypatch)
        runner.run()
        ledger = [
            Receipt.from_json(line)
            for file in (runner.folder / "out/ledger").glob("*.jsonl")
            for line in file.read_text().splitlines()
        ]
        assert {r.part: replace(r, bytes=0, hash="") for r in ledger} == runner.receipts()

    def test_a_receipt_says_the_size_of_its_file(self, runner: Runner) -> None:
        """`bytes` is the size of the written file, in what the client is given."""
        report = runner.run()
        (file,) = (runner.folder / "out/ledger").glob("*.jsonl")
        receipt = Receipt.from_json(file.read_text().splitlines()[0])
        assert receipt.bytes == report.bytes


class TestTask:
    """What travels to the workers."""

    def test_a_task_is_small_and_has_no_geometry(
        self, runner: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Function and arguments take under 1 kB pickled, and are plain values."""
        cut_small(monkeypatch)
        sent: list[tuple[Any, tuple[Any, ...], dict[str, Any]]] = []
        submit = runner.client.submit

        def noted(function: Any, *args: Any, **options: Any) -> Any:
            given = {k: v for k, v in options.items() if k not in ("key", "pure")}
            sent.append((function, args, given))
            return submit(function, *args, **options)

        monkeypatch.setattr(runner.client, "submit", noted)
        report = runner.run()
        assert len(sent) == report.parts > 1
        for function, args, given in sent:
            assert len(dask_pickle.dumps((function, args, given))) < 1000
            (version, method), *rest = args
            values = (version, method, *rest, *given.values())
            assert all(isinstance(value, str | int | bool) for value in values)

    def test_a_receipt_is_small(self, runner: Runner) -> None:
        """No row comes back: a receipt does not grow with the rows."""
        receipts = []

        class Listener(Silent):
            def finished(self, part: Any, receipt: Receipt) -> None:
                """Keep it."""
                receipts.append(receipt)

        zb.run(runner.job(), runner.client, Listener())
        (receipt,) = receipts
        assert receipt.rows == 180
        assert len(dask_pickle.dumps(receipt)) < 1000
