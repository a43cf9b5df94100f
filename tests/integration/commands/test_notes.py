"""What a command tells beside its result: notes in a line, and what was given in a wrong place."""

from __future__ import annotations

from pathlib import Path

import geopandas
import pytest
import shapely

from tests.made.commands import Command, assert_one_sentence
from zonalbatch.demo import Landscape


@pytest.fixture
def red(land: Landscape) -> Path:
    """A raster of the landscape."""
    return land.scenes[0] / "B04.tif"


@pytest.fixture
def bare(land: Landscape, tmp_path: Path) -> Path:
    """The fields without any column."""
    path = tmp_path / "bare.gpkg"
    geopandas.read_parquet(land.fields)[["geometry"]].to_file(path)
    return path


@pytest.mark.parametrize("verb", ["stats", "points"])
def test_zones_beyond_the_raster(here: Command, red: Path, tmp_path: Path, verb: str) -> None:
    """Rows are printed, and one note on stderr says where zones and raster lie."""
    shapes = [shapely.Point(1, 2), shapely.Point(3, 4)]
    geopandas.GeoDataFrame(geometry=shapes, crs="EPSG:32631").to_file(tmp_path / "far.gpkg")
    code, out, err = here(verb, tmp_path / "far.gpkg", red)
    assert (code, len(out.splitlines()), err.count("\n")) == (0, 3, 1)
    assert err.startswith("note: no zone takes a cell of any raster, and every row is empty: in ")
    assert "zones span x 1 to 3, y 2 to 4, rasters x " in err


def test_which_layer_was_read(here: Command, land: Landscape, red: Path, tmp_path: Path) -> None:
    """Of a file of two layers a note says which it was; there is no other word on stderr."""
    fields = geopandas.read_parquet(land.fields)
    for layer in ("this", "that"):
        fields.to_file(tmp_path / "two.gpkg", layer=layer)
    code, _, err = here("stats", tmp_path / "two.gpkg", red)
    assert (code, err.count("\n")) == (0, 1)
    assert err.startswith("note: ")
    assert "has 2 layers; zones are read from 'this'" in err


def test_rows_are_known(here: Command, bare: Path, red: Path) -> None:
    """Zones without a column are printed by their row, which `explain` takes, and says so."""
    _, out, _ = here("stats", bare, red, "-s", "max")
    assert [line.split()[0] for line in out.splitlines()] == ["row", *map(str, range(60))]
    code, told, _ = here("explain", bare, red, "--zone", 17, "--limit", 0)
    assert code == 0
    assert "zone         row 17, counted from 0, as no column of ids is named" in told
    assert float(told.partition("\nmax ")[2].split()[0]) == float(out.splitlines()[18].split()[-1])


def test_ids_are_told(here: Command, land: Landscape, red: Path) -> None:
    """With a column of ids `explain` names it."""
    first = geopandas.read_parquet(land.fields)["field_id"].iloc[0]
    _, told, _ = here("explain", land.fields, red, "--zone", first, "--id", "field_id")
    assert f"zone         {first} in 'field_id'" in told


@pytest.mark.parametrize("ending", ["csv", "parquet", "gpkg", "geojson"])
def test_no_such_folder(here: Command, land: Landscape, red: Path, ending: str) -> None:
    """A table cannot be written where there is no folder: exit 4, before anything is read."""
    code, out, err = here("stats", land.fields, red, "-o", f"nowhere/out.{ending}")
    assert (code, out) == (4, "")
    assert_one_sentence(err, f"cannot write nowhere/out.{ending}: there is no folder nowhere")


@pytest.mark.parametrize("verb", ["stats", "points"])
@pytest.mark.parametrize("name", ["job.yaml", "job.json"])
def test_a_job_in_the_place_of_zones(
    here: Command, land: Landscape, red: Path, tmp_path: Path, verb: str, name: str
) -> None:
    """It is told what it is, and what does it; another text is no job."""
    text = '{"zones": "a.gpkg", "source": {}}' if name.endswith("n") else land.job.read_text()
    (tmp_path / name).write_text(text)
    code, _, err = here(verb, tmp_path / name, red)
    assert code == 2
    assert_one_sentence(err, f"{name} is a job, not zones; do it by `zonalbatch run ")
    (tmp_path / name).write_text('{"zones": 1}')
    assert "is a job" not in here(verb, tmp_path / name, red).err


@pytest.mark.parametrize("coverage", ["foo", "centre"])
def test_rules_of_areas(here: Command, land: Landscape, red: Path, coverage: str) -> None:
    """What areas can be taken by is offered first."""
    _, _, err = here("stats", land.fields, red, "--coverage", coverage)
    assert_one_sentence(err, "use fraction, center or all_touched (bilinear is for points)")


def test_explain_and_code(here: Command, land: Landscape, red: Path, tmp_path: Path) -> None:
    """A job that names code is explained where that is allowed; a raster names none."""
    (tmp_path / "sums.py").write_text("def total(values, fractions):\n    return values.sum()\n")
    job = tmp_path / "job.yaml"
    job.write_text(
        f"zones: {{path: {land.fields}, id: field_id}}\n"
        f"source: {{kind: cog, files: {red}}}\n"
        "bands: {red: 1}\nstatistics: ['sums:total']\noutput: {path: out}\n"
    )
    first = geopandas.read_parquet(land.fields)["field_id"].iloc[0]
    code, _, err = here("explain", job, "--zone", first)
    assert code == 2
    assert_one_sentence(err, "--allow-code")
    code, told, _ = here("explain", job, "--zone", first, "--allow-code")
    assert (code, f"zone {first} on layer B04" in told) == (0, True)
    code, _, err = here("explain", land.fields, red, "--zone", 1, "--allow-code")
    assert code == 2
    assert_one_sentence(err, "--allow-code goes with a JOB")
