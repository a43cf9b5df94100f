"""`stats`: a table at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pytest

import zonalbatch as zb
from tests.made.commands import Command, assert_one_sentence, command
from tests.made.places import CRS
from tests.made.rasters import write_tif
from tests.made.zones import cells
from zonalbatch.demo import Landscape


class TestStats:
    """stats: a table at once."""

    @pytest.fixture
    def red(self, land: Landscape) -> Path:
        """A raster of the landscape."""
        return land.scenes[0] / "B04.tif"

    @pytest.fixture
    def frame(self, land: Landscape, red: Path) -> Any:
        """What zonal_stats says of it."""
        return zb.zonal_stats(land.fields, red, ["mean", "p90"])

    def test_print(self, here: Command, land: Landscape, red: Path, frame: Any) -> None:
        """Without `--out` a table of all zones is printed, without geometry."""
        code, out, err = here("stats", land.fields, red, "--stats", "mean,p90")
        assert (code, err) == (0, "")
        head, *lines = out.splitlines()
        assert head.split() == ["row", "field_id", "crop", "mean", "p90"]
        printed = [[float(text) for text in line.split()[-2:]] for line in lines]
        np.testing.assert_allclose(printed, frame[["mean", "p90"]], atol=1e-6)

    def test_id_and_columns(self, here: Command, land: Landscape, red: Path) -> None:
        """The id stands first, else the row; only the columns that are named are carried."""
        _, out, _ = here("stats", land.fields, red, "-s", "max", "--id", "field_id", "-c", "crop")
        assert out.split()[:3] == ["field_id", "crop", "max"]
        _, out, _ = here("stats", land.fields, red, "-s", "max", "-c", "field_id", "--prefix", "r_")
        assert out.split()[:3] == ["row", "field_id", "r_max"]

    def test_weights(self, here: Command, land: Landscape, red: Path, tmp_path: Path) -> None:
        """`--weights` and `--weight-by` are those of zonal_stats; explain takes weights too."""
        weights = str(land.scenes[0] / "B08.tif")
        code, out, err = here(
            "stats", land.fields, red, "-s", "weighted_mean", "--weights", weights,
            "--weight-by", "area", "-c", "field_id",
        )  # fmt: skip
        assert (code, err) == (0, "")
        printed = [float(line.split()[-1]) for line in out.splitlines()[1:]]
        expected = zb.zonal_stats(land.fields, red, "weighted_mean", weights=weights)
        np.testing.assert_allclose(printed, expected["weighted_mean"], atol=1e-6)
        code, out, _ = here("explain", land.fields, red, "--zone", 3, "--weights", weights)
        assert code == 0
        assert "weighted_mean" in out

    def test_quantile_method(self, here: Command, land: Landscape, red: Path) -> None:
        """`--quantile-method` is that of zonal_stats, and explain names it and heeds it."""
        options = ("--quantile-method", "inverted_cdf")
        _, out, _ = here("stats", land.fields, red, "-s", "median", "-c", "field_id", *options)
        printed = [float(line.split()[-1]) for line in out.splitlines()[1:]]
        expected = zb.zonal_stats(land.fields, red, "median", quantile_method="inverted_cdf")
        np.testing.assert_allclose(printed, expected["median"], atol=1e-6)
        code, out, _ = here("explain", land.fields, red, "--zone", 3, *options)
        assert code == 0
        assert "quantiles    inverted_cdf" in out
        assert f"median          {expected['median'].iloc[3]:.15g}" in out

    def test_classes_and_edges(self, here: Command, land: Landscape, tmp_path: Path) -> None:
        """`--classes`, `--edges` and `--bins` are those of zonal_stats; explain tells of them."""
        scl, out = land.scenes[0] / "SCL.tif", tmp_path / "out.parquet"
        asked = ["frac,histogram", "--classes", "4=green,5=bare", "-o", out]
        for options, given in (
            (("--edges", "0,4.5,12"), {"edges": [0, 4.5, 12]}),
            (("--bins", "0:12:3"), {"bins": {"start": 0, "stop": 12, "count": 3}}),
        ):
            code, _, err = here("stats", land.fields, scl, "-s", *asked, *options)
            assert (code, err) == (0, "")
            expected = zb.zonal_stats(
                land.fields, scl, ["frac", "histogram"], classes={4: "green", 5: "bare"},
                **given,  # type: ignore[arg-type]
            )  # fmt: skip
            written = geopandas.read_parquet(out)
            assert list(written.columns) == list(expected.columns)
            np.testing.assert_array_equal(written["frac_green"], expected["frac_green"])
            code, told, _ = here(
                "explain", land.fields, scl, "-z", 3, "--classes", "4=green", "--min-fraction",
                "0.5", "--default-value", "9", *options,
            )  # fmt: skip
            assert code == 0
            assert all(
                word in told for word in ("  green", "bins", "least share  0.5", "count as 9")
            )

    def test_statistics_add_up(self, here: Command, land: Landscape, red: Path) -> None:
        """An option that is given twice counts twice, for stats and for points."""
        _, once, _ = here("stats", land.fields, red, "-s", "mean,max,count")
        _, twice, _ = here("stats", land.fields, red, "-s", "mean", "-s", "max,count")
        assert once == twice
        assert once.split()[3:6] == ["mean", "max", "count"]

    @pytest.mark.parametrize("verb", ["stats", "points", "explain"])
    def test_swapped(self, here: Command, land: Landscape, red: Path, verb: str) -> None:
        """Raster and zones in each other's place are told of in one sentence."""
        more = ["--zone", "1"] if verb == "explain" else []
        code, out, err = here(verb, red, land.fields, *more)
        assert (code, out) == (2, "")
        said = {"points": f"{red} is a raster; give the points first, then rasters"}
        otherwise = f"{land.fields} holds zones, not pixels; give the zones first, then rasters"
        assert_one_sentence(err, said.get(verb, otherwise))

    @pytest.mark.parametrize("ending", ["csv", "parquet", "gpkg", "geojson", "CSV"])
    def test_write(
        self,
        here: Command,
        land: Landscape,
        red: Path,
        frame: Any,
        tmp_path: Path,
        ending: str,
    ) -> None:
        """The ending of the name says the format; what is read back is what was computed."""
        path = tmp_path / f"table.{ending}"
        code, out, err = here("stats", land.fields, red, "-s", "mean,p90", "-o", path)
        assert (code, out, err) == (0, f"wrote 60 rows to {path}\n", "")
        readers: dict[str, Callable[[Path], Any]] = {
            "csv": pd.read_csv, "parquet": geopandas.read_parquet,
            "gpkg": geopandas.read_file, "geojson": geopandas.read_file,
        }  # fmt: skip
        found = readers[ending.lower()](path)
        assert found["field_id"].tolist() == frame["field_id"].tolist()
        np.testing.assert_allclose(found["mean"], frame["mean"], rtol=1e-12)
        np.testing.assert_allclose(found["p90"], frame["p90"], rtol=1e-12)
        if ending.lower() == "csv":
            assert list(found) == ["field_id", "crop", "mean", "p90"]
        else:
            assert found.crs == frame.crs
            assert found.geometry.geom_equals_exact(frame.geometry, 1e-6).all()

    def test_unknown_ending(
        self, here: Command, land: Landscape, red: Path, tmp_path: Path
    ) -> None:
        """An unknown ending is refused, with those that are known."""
        code, _, err = here("stats", land.fields, red, "-o", tmp_path / "table.xyz")
        assert code == 2
        assert_one_sentence(err, ".parquet")

    def test_several_bands_and_rasters(self, here: Command, land: Landscape) -> None:
        """Bands make columns, rasters make rows; items do as well as files."""
        files = [scene / "B04.tif" for scene in land.scenes]
        _, out, _ = here("stats", land.fields, *files, "-s", "max", "-c", "field_id")
        assert len(out.splitlines()) == 62 or "180 rows" in out
        bands = ("-b", "B04", "-b", "B08")
        code, out, _ = here("stats", land.fields, land.items, *bands, "-s", "max", "-c", "field_id")
        assert code == 0
        assert {"B04_max", "B08_max", "layer", "datetime"} <= set(out.splitlines()[0].split())

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["--stats", "meen"], "did you mean 'mean'"),
            (["--coverage", "centre"], "center"),
            (["--band", "7"], "band"),
            (["--column", "krop"], "krop"),
            (["--id", "crop"], "unique"),
        ],
    )
    def test_invalid(
        self,
        here: Command,
        land: Landscape,
        red: Path,
        arguments: list[str],
        words: str,
    ) -> None:
        """Invalid options end with exit 2 and one sentence."""
        code, out, err = here("stats", land.fields, red, *arguments)
        assert (code, out) == (2, "")
        assert_one_sentence(err, words)

    def test_unreadable(self, here: Command, land: Landscape, red: Path, tmp_path: Path) -> None:
        """A raster that cannot be read ends it with exit 3 and one sentence, not with numbers."""
        broken = tmp_path / "broken.tif"
        data = bytearray(red.read_bytes())
        data[len(data) // 2 :] = b"\xff" * (len(data) - len(data) // 2)
        broken.write_bytes(data)
        code, out, err = here("stats", land.fields, broken)
        assert (code, out) == (3, "")
        assert_one_sentence(err, "broken.tif")


@pytest.mark.parametrize("ending", ["csv", "gpkg", "geojson", "parquet"])
def test_lists_in_every_format(tmp_path: Path, ending: str) -> None:
    """Classes are JSON where a format knows no lists; Parquet keeps them and can be read back."""
    raster = write_tif(tmp_path / "classes.tif", np.array([[1, 1], [2, 3]], np.uint8))
    geopandas.GeoDataFrame(geometry=[cells(0, 0, 2, 2)], crs=CRS).to_file(tmp_path / "one.gpkg")
    out = tmp_path / f"out.{ending}"
    told = command("stats", tmp_path / "one.gpkg", raster, "--stats", "unique,frac", "--out", out)
    assert told.code == 0, told.err
    read = {"csv": pd.read_csv, "parquet": geopandas.read_parquet}.get(ending, geopandas.read_file)
    (unique,), (frac,) = read(out)["unique"], read(out)["frac"]
    if ending == "parquet":
        assert (unique.tolist(), len(frac)) == ([1.0, 2.0, 3.0], 3)
    else:
        unique, frac = (json.loads(v) if isinstance(v, str) else v for v in (unique, frac))
        assert list(unique) == [1.0, 2.0, 3.0]  # GeoJSON's reader has parsed it
        assert frac == {"1": 0.5, "2": 0.25, "3": 0.25}
