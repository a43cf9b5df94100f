"""What must change no bit of a result."""

from __future__ import annotations

import geopandas
import pytest
import shapely

import zonalbatch as zb
from tests.made.rasters import noise, write_tif
from tests.made.runs import Runner, cut_small
from tests.made.zones import frame
from zonalbatch.planning import partition


class TestLaws:
    """What must change no bit of a result."""

    @pytest.fixture
    def digest(self, runner: Runner) -> str:
        """The digest of the run as it comes."""
        return runner.digest("plain")

    @pytest.mark.parametrize("memory", ["64MB", "300MiB", "1.5GiB"])
    def test_memory(self, runner: Runner, digest: str, memory: str) -> None:
        """The memory limit changes when blocks are read, not what comes out."""
        assert runner.digest("other", limits={"memory": memory}) == digest

    @pytest.mark.parametrize("rows", [7, 40, 100])
    def test_rows(
        self, runner: Runner, digest: str, monkeypatch: pytest.MonkeyPatch, rows: int
    ) -> None:
        """Parts of few rows, of few layers or of few zones, give what one part gives."""
        cut_small(monkeypatch, rows)
        assert runner.run("other").parts > 1
        assert runner.results("other").digest == digest

    @pytest.mark.parametrize("decoded", [10_000, 200_000])
    def test_decoded(
        self, runner: Runner, digest: str, monkeypatch: pytest.MonkeyPatch, decoded: int
    ) -> None:
        """Parts of few bytes to decode give what one part gives."""
        monkeypatch.setattr(partition, "DECODED", decoded)
        assert runner.run("other").parts > 1
        assert runner.results("other").digest == digest

    def test_workers(self, runner: Runner, digest: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """One worker gives what two give."""
        from distributed import Client, LocalCluster

        cut_small(monkeypatch)
        with (
            LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as one,
            Client(one) as client,
        ):
            zb.run(runner.job("other"), client)
        assert runner.results("other").digest == digest

    def test_order_of_zones(self, runner: Runner, digest: str) -> None:
        """The order in which zones come changes nothing."""
        shuffled = geopandas.read_parquet(runner.land.fields).sample(frac=1, random_state=1)
        path = runner.folder / "shuffled.parquet"
        shuffled.to_parquet(path)
        zones = {"path": str(path), "id": "field_id", "columns": ["crop"]}
        assert runner.digest("other", zones=zones) == digest

    def test_huge_zones_in_little_memory(
        self, runner: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Zones over many fold tiles and blocks, cut in every way, give the same bits."""
        files = [
            write_tif(
                runner.folder / f"{i}.tif", noise(1500, 1300, seed=i) - 1,
                nodata=0, tiled=True, blockxsize=256, blockysize=256, compress="deflate",
            )
            for i in range(3)
        ]  # fmt: skip
        zones = frame(
            shapely.Point(506_000, 5_592_000).buffer(6_500),
            shapely.box(500_003, 5_585_007, 512_995, 5_599_991),
            shapely.Polygon([(500_010, 5_599_900), (512_900, 5_599_000), (501_000, 5_585_100)]),
            id=[1, 2, 3],
        )
        job = {
            "zones": {"path": zones, "id": "id"},
            "source": {"kind": "cog", "files": files},
            "bands": {"value": 1},
            "measurements": None,
            "mask": None,
        }
        digest = runner.digest("plain", **job)
        assert runner.digest("little", **job, limits={"memory": "64MB"}) == digest
        cut_small(monkeypatch, 2)
        assert runner.digest("cut", **job) == digest
