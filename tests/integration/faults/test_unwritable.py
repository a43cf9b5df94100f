"""Outputs that cannot be written: exit 4."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.made.commands import Command, assert_one_sentence
from tests.made.jobs import DATES, Bench


class TestOutput:
    """Places where nothing can be written."""

    @staticmethod
    def assert_refused(bench: Bench, here: Command, path: str) -> None:
        """Exit 4, one sentence with the path, and nothing done."""
        document = bench.document() | {"output": {"path": path}}
        code, out, err = here("run", bench.write(document))
        assert (code, out) == (4, "")
        assert_one_sentence(err, path)
        bench.assert_nothing_done()

    def test_a_file(self, bench: Bench, here: Command) -> None:
        """An output that is a file is refused, and the file stays as it is."""
        (bench.folder / "taken").write_text("mine")
        self.assert_refused(bench, here, str(bench.folder / "taken"))
        assert (bench.folder / "taken").read_text() == "mine"

    def test_below_a_file(self, bench: Bench, here: Command) -> None:
        """An output that would lie in a file is refused."""
        (bench.folder / "taken").write_text("mine")
        self.assert_refused(bench, here, str(bench.folder / "taken" / "out"))

    @pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no /proc")
    def test_where_nobody_may(self, bench: Bench, here: Command) -> None:
        """An output where not even root can write is refused."""
        self.assert_refused(bench, here, "/proc/zonalbatch/out")

    @pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
    def test_without_permission(self, bench: Bench, here: Command) -> None:
        """An output in a folder that is closed to us is refused."""
        closed = bench.folder / "closed"
        closed.mkdir(mode=0o500)
        self.assert_refused(bench, here, str(closed / "out"))

    def test_a_table_below_a_file(self, bench: Bench, here: Command) -> None:
        """A table of `stats --out` that would lie in a file is refused, whatever its format."""
        bench.document()
        (bench.folder / "taken").write_text("mine")
        for ending in ("csv", "parquet", "gpkg", "geojson"):
            code, _, err = here(
                "stats", bench.folder / "zones.parquet", bench.folder / f"s2_{DATES[0]}_red.tif",
                "--out", bench.folder / "taken" / f"table.{ending}",
            )  # fmt: skip
            assert code == 4, ending
            assert_one_sentence(err, f"table.{ending}")
