"""`points`: values at points, at once."""

from __future__ import annotations

from pathlib import Path

import geopandas
import numpy as np
import pytest

import zonalbatch as zb
from tests.made.commands import Command, assert_one_sentence
from zonalbatch.demo import Landscape


class TestPoints:
    """points: values at points, at once."""

    @pytest.fixture
    def plots(self, land: Landscape, tmp_path: Path) -> Path:
        """A point in each field."""
        fields = geopandas.read_parquet(land.fields)
        path = tmp_path / "plots.gpkg"
        fields.set_geometry(fields.representative_point()).to_file(path)
        return path

    @pytest.fixture
    def red(self, land: Landscape) -> Path:
        """A raster of the landscape."""
        return land.scenes[0] / "B04.tif"

    def test_print(self, here: Command, plots: Path, red: Path) -> None:
        """Without `--out` a table of all points is printed, without geometry."""
        code, out, err = here("points", plots, red, "-i", "bilinear")
        assert (code, err) == (0, "")
        head, *lines = out.splitlines()
        assert head.split() == ["row", "field_id", "crop", "value"]
        printed = [float(line.split()[-1]) for line in lines]
        expected = zb.point_query(plots, red, interpolate="bilinear")["value"]
        np.testing.assert_allclose(printed, expected, atol=1e-4)

    def test_write(self, here: Command, plots: Path, red: Path, tmp_path: Path) -> None:
        """Statistics around points are written to a file, with ids as its index."""
        words = ("--radius", 25, "-s", "mean,max", "--id", "field_id", "-b", 1)
        path = tmp_path / "around.parquet"
        code, out, _ = here("points", plots, red, *words, "-o", path)
        assert (code, out) == (0, f"wrote 60 rows to {path}\n")
        found = geopandas.read_parquet(path)
        assert found.index.name == "field_id"
        expected = zb.point_query(plots, red, radius=25, stats="mean,max")
        for name in ("mean", "max"):
            np.testing.assert_array_equal(found[name], expected[name])

    @pytest.mark.parametrize(
        ("words", "text"),
        [
            (("-i", "cubic"), "'cubic'"),
            (("-s", "max"), "give a radius"),
            (("-s", "mean"), "give a radius"),
            (("--radius", "-3"), "positive number of metres"),
            (("-o", "plots.shp"), ".parquet, .gpkg, .geojson, .csv"),
        ],
    )
    def test_refusals(
        self, here: Command, plots: Path, red: Path, words: tuple[str, ...], text: str
    ) -> None:
        """What makes no sense is said in one sentence, with exit code 2."""
        told = here("points", plots, red, *words)
        assert told.code == 2
        assert_one_sentence(told.err, text)
