"""The same pixels and zones give the same rows, wherever they come from."""

from __future__ import annotations

from typing import Any, ClassVar

import dask_geopandas
import geopandas
import pandas as pd
import pytest
import rioxarray

from tests.made.runs import Runner


class TestSources:
    """The same pixels and zones give the same rows, wherever they come from."""

    BAND: ClassVar[dict[str, Any]] = {"bands": {"red": 1}, "measurements": None, "mask": None}

    def files(self, runner: Runner) -> dict[str, Any]:
        """The first red band as a file."""
        scene = str(runner.land.scenes[0] / "B04.tif")
        return self.BAND | {"source": {"kind": "cog", "files": scene}}

    def array(self, runner: Runner, **options: Any) -> Any:
        """The first red band as a DataArray."""
        array: Any = rioxarray.open_rasterio(runner.land.scenes[0] / "B04.tif", **options)
        return array.squeeze("band", drop=True).rename("B04")

    def test_array_in_memory(self, runner: Runner) -> None:
        """A loaded DataArray is the file it was read from."""
        digest = runner.digest("file", **self.files(runner))
        array = self.array(runner).load()
        source = {"kind": "array", "data": array}
        assert runner.digest("array", source=source, **self.BAND) == digest

    def test_lazy_array(self, runner: Runner) -> None:
        """A DataArray that dask reads in chunks is the file it was read from."""
        digest = runner.digest("file", **self.files(runner))
        array = self.array(runner, chunks={"x": 100, "y": 64}, lock=False)
        source = {"kind": "array", "data": array}
        assert runner.digest("array", source=source, **self.BAND) == digest

    def test_array_over_time(self, runner: Runner) -> None:
        """Time steps are layers, as the files of their dates are."""
        import xarray as xr

        pattern = str(runner.land.folder / "scenes/{date:%Y%m%d}/{band}.tif")
        job = {"bands": {"red": "B04"}, "measurements": None, "mask": None}
        runner.run("files", source={"kind": "cog", "pattern": pattern}, **job)
        bands: list[Any] = [
            rioxarray.open_rasterio(scene / "B04.tif") for scene in runner.land.scenes
        ]
        times = pd.Index(pd.to_datetime([s.name for s in runner.land.scenes]), name="time")
        cube = xr.concat([b.squeeze("band", drop=True) for b in bands], times).rename("B04")
        runner.run("array", source={"kind": "array", "data": cube}, **job)
        pd.testing.assert_frame_equal(
            pd.DataFrame(runner.results("array").gdf.drop(columns=["layer", "geometry"])),
            pd.DataFrame(runner.results("files").gdf.drop(columns=["layer", "geometry"])),
        )

    def test_an_array_leaves_no_job_document(self, runner: Runner) -> None:
        """What is in memory cannot be written down; a second run with it computes nothing."""
        source = {"kind": "array", "data": self.array(runner).load()}
        runner.run(source=source, **self.BAND)
        assert not (runner.folder / "out/job.yaml").exists()
        assert runner.run(source=source, **self.BAND).computed == 0

    @pytest.mark.parametrize("partitions", [0, 3])
    def test_zones_in_memory(self, runner: Runner, partitions: int) -> None:
        """A GeoDataFrame, whole or in Dask's partitions, is the file it was read from."""
        digest = runner.digest("file")
        frame = geopandas.read_parquet(runner.land.fields)
        zones = (
            dask_geopandas.from_geopandas(frame, npartitions=partitions) if partitions else frame
        )
        keys = {"path": zones, "id": "field_id", "columns": ["crop"]}
        assert runner.digest("frame", zones=keys) == digest

    def test_zones_in_parts(self, runner: Runner) -> None:
        """A folder of several GeoParquet files is the one file that was cut into them."""
        digest = runner.digest("file")
        frame = geopandas.read_parquet(runner.land.fields)
        (runner.folder / "zones").mkdir()
        for i in range(3):
            frame.iloc[i::3].to_parquet(runner.folder / "zones" / f"{i}.parquet")
        keys = {"path": str(runner.folder / "zones"), "id": "field_id", "columns": ["crop"]}
        assert runner.digest("folder", zones=keys) == digest

    def test_stac_is_cog(self, runner: Runner) -> None:
        """Items and a pattern over the same files give the same values."""
        runner.run("stac")
        pattern = str(runner.land.folder / "scenes/{date:%Y%m%d}/{band}.tif")
        runner.run("cog", source={"kind": "cog", "pattern": pattern})
        stac, cog = (runner.results(out).gdf for out in ("stac", "cog"))
        stac["datetime"] = stac["datetime"].dt.normalize()
        drop = ["layer", "geometry"]
        pd.testing.assert_frame_equal(
            pd.DataFrame(stac.drop(columns=drop)), pd.DataFrame(cog.drop(columns=drop))
        )
