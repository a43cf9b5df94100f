"""Victims: jobs that are killed again and again, and what they should come to."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas
import pandas as pd
import pytest
import shapely

import zonalbatch as zb
from tests.made.jobs import amend, write_job
from tests.made.rasters import noise, spoil, write_tif
from tests.made.struck import EXPIRES, Step, run_struck
from tests.made.zones import squares
from zonalbatch.planning import partition
from zonalbatch.sinks.output import Output

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["Victim"]


@dataclass
class Victim:
    """A job that is killed again and again, before and after its input changes."""

    context: ForkServerContext
    client: Client
    folder: Path
    out: str
    environment: dict[str, str] = field(default_factory=dict)
    kills: int = 0
    """That landed while something was left to do."""
    log: list[tuple[str, int]] = field(default_factory=list)
    """Each step that was tried, and how the run ended."""

    def make(self) -> Path:
        """Write the job: 5 dates, of which one has a broken block; zones beside them, too."""
        for year in range(2020, 2025):
            write_tif(
                self.folder / f"a_{year}0601.tif",
                noise(400, 400, seed=year),
                tiled=True,
                compress="deflate",
            )
        spoil(str(self.folder / "a_20210601.tif"), (0, 1))
        self.write(squares(6, side=650))
        document = {
            "zones": {"path": "zones.parquet", "id": "id"},
            "source": {"kind": "cog", "pattern": "a_{date:%Y%m%d}.tif"},
            "bands": {"red": 1},
            "statistics": ["count", "mean", "median"],
            "output": {"path": self.out},
            "temporal": {"every": "year", "statistics": ["mean"]},
        }
        return write_job(self.folder, document)

    def change(self) -> None:
        """Another date, one that is another file now, and a zone that moved."""
        for year, seed in ((2024, 7), (2025, 8)):
            write_tif(
                self.folder / f"a_{year}0601.tif",
                noise(400, 400, seed=seed),
                tiled=True,
                compress="deflate",
            )
        zones = squares(6, side=650)
        moved = shapely.affinity.translate(zones.geometry[7], 90, 40)
        shapes = [moved if i == 7 else shape for i, shape in enumerate(zones.geometry)]
        self.write(zones.set_geometry(shapes, crs=zones.crs))

    def write(self, zones: geopandas.GeoDataFrame) -> None:
        """Write the zones, and some that meet no raster."""
        far = zones.iloc[:3].set_geometry(zones.geometry[:3].translate(50_000.0, 0))
        both = [zones, far.assign(id=far["id"] + 1000)]
        pd.concat(both).to_parquet(self.folder / "zones.parquet")

    def quiet(self, job: Path) -> str:
        """The digest of a run that nobody disturbs, into a folder of its own."""
        shutil.rmtree(self.folder / "quiet", ignore_errors=True)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(partition, "ROWS", 24)
            zb.run(str(amend(job, "quiet.yaml", output={"path": "quiet"})), self.client)
        return zb.open_results(self.folder / "quiet").digest

    def strike(self, job: Path, step: Step) -> bool:
        """Run until a step; True if it came to it."""
        code = run_struck(self.context, job, step, self.environment)
        assert code in (-9, 0), (step, code)
        self.log.append((str(step), code))
        if code == -9:
            self.kills += not self.sealed
            self.assert_readable()
            time.sleep(2 * EXPIRES if self.environment else 0)  # until its lease is anybody's
        return code == -9

    @property
    def sealed(self) -> bool:
        """True if nothing is left to do."""
        manifest = Output.at(self.out).manifest()
        told = manifest.get("sealed") or {}
        return bool(manifest) and told.get("fingerprint") == manifest["fingerprint"]

    def assert_readable(self) -> None:
        """Whenever it is read, no pair of zone and layer is there twice."""
        output = Output.at(self.out)
        if output.part_sizes() and output.files:
            rows = zb.open_results(self.out).table.select(["zone_id", "layer"]).to_pandas()
            assert not rows.duplicated().any()

    def ends(self, job: Path) -> None:
        """A run that nobody kills comes to what a quiet one does, and leaves nothing else."""
        assert run_struck(self.context, job, None, self.environment) == 0
        results, output = zb.open_results(self.out), Output.at(self.out)
        assert results.digest == self.quiet(job)
        assert self.sealed
        assert {str(output.part_path(name)) for name in output.part_sizes()} == set(results.files)
        assert output.lost(output.sums()) == set()
        assert len(output.plans.folders()) == 1
        self.assert_readable()
        left = [path for path in Path(self.folder / "out").rglob(".*") if path.name != ".lock"]
        assert left == []
