"""Clusters where nobody listens: exit 5."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import zonalbatch as zb
from tests.made.commands import Command, assert_one_sentence, command, typed
from tests.made.jobs import NOWHERE, Bench
from tests.made.places import CRS, LEFT, TOP
from tests.made.rasters import noise, write_tif

if TYPE_CHECKING:
    from distributed import Client


class TestCluster:
    """Addresses where nobody listens."""

    @pytest.mark.long
    def test_nobody_listens(self, bench: Bench) -> None:
        """Where nobody listens a run ends in time, with the address in the sentence."""
        job = bench.write(bench.document() | {"cluster": NOWHERE})
        began = time.monotonic()
        code, out, err = command("run", job)
        assert (code, out) == (5, "")
        assert_one_sentence(err, NOWHERE["address"])
        assert time.monotonic() - began < 60
        assert not list(bench.folder.rglob("part-*.parquet"))

    def test_an_output_without_rows_is_nobodys(
        self, bench: Bench, cluster: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A run that found no cluster computed nothing: the job may change before the next."""
        import distributed

        def nobody(*_: Any, **__: Any) -> None:
            raise TimeoutError("nobody answers")

        document = bench.document() | {"cluster": NOWHERE}
        with monkeypatch.context() as patched:
            patched.setattr(distributed, "Client", nobody)
            with pytest.raises(zb.errors.ClusterError):
                zb.run(zb.Job.from_file(bench.write(document)))
        changed = zb.Job.from_file(bench.write(document | {"statistics": ["max"]}))
        assert zb.run(changed, cluster).rows == 8

    @pytest.mark.parametrize("address", ["nowhere", "127.0.0.1:8786", ""])
    def test_no_address(self, bench: Bench, here: Command, address: str) -> None:
        """What is no address is invalid input."""
        document = bench.document() | {"cluster": {"kind": "address", "address": address}}
        code, _, err = here("run", bench.write(document))
        assert code == 2
        assert_one_sentence(err, "cluster.address")


def test_a_script_without_a_guard_is_told_of_it(tmp_path: Path) -> None:
    """Worker processes import the script that starts them; what to do is said first and last."""
    raster = write_tif(tmp_path / "a.tif", noise(40, 40))
    (tmp_path / "script.py").write_text(
        "import geopandas, shapely, zonalbatch as zb\n"
        f"zone = shapely.box({LEFT}, {TOP - 99}, {LEFT + 99}, {TOP})\n"
        f"g = geopandas.GeoDataFrame(geometry=[zone], crs='{CRS}')\n"
        f"zb.run(zb.Job(zones={{'path': g}}, source={{'kind': 'cog', 'files': [{raster!r}]}},\n"
        "              bands={'red': 1}, output={'path': 'out'}, cluster={'kind': 'local',"
        " 'workers': 1}))\n"
    )
    told = typed([sys.executable, "script.py"], tmp_path)
    assert told.code != 0
    lines = told.err.strip().splitlines()
    assert "__name__ == '__main__'" in lines[0]
    assert "__name__ == '__main__'" in lines[-1]
