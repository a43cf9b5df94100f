"""Input that cannot be used: exit 2, and one sentence that says what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas
import numpy as np
import pandas as pd
import pytest

import zonalbatch as zb
from tests.made.commands import Command, assert_one_sentence, command
from tests.made.jobs import Bench
from tests.made.rasters import ROTATED, write_tif

if TYPE_CHECKING:
    from distributed import Client


Change = Callable[[dict[str, Any], Path], None]
"""Spoils a good document, or the files in its folder."""


def put(*keys: str, value: Any) -> Change:
    """Set one key of the document."""

    def change(document: dict[str, Any], folder: Path) -> None:
        inner = document
        for key in keys[:-1]:
            inner = inner.setdefault(key, {})
        inner[keys[-1]] = value

    return change


def change_zones(change: Callable[[geopandas.GeoDataFrame], geopandas.GeoDataFrame]) -> Change:
    """Change the file of zones."""

    def changed(document: dict[str, Any], folder: Path) -> None:
        path = folder / "zones.parquet"
        change(geopandas.read_parquet(path)).to_parquet(path)

    return changed


def one_raster(write: Callable[[Path], object]) -> Change:
    """Take one file as the only raster, as `write` makes it."""

    def changed(document: dict[str, Any], folder: Path) -> None:
        write(folder / "only.tif")
        document["source"] = {"kind": "cog", "files": ["only.tif"]}
        document["bands"] = {"red": 1}
        document["measurements"] = {"red": "red"}

    return changed


def text_file(name: str, text: str) -> Change:
    """Write some text in place of a file."""

    def changed(document: dict[str, Any], folder: Path) -> None:
        (folder / name).write_text(text)

    return changed


def coarse_nir(document: dict[str, Any], folder: Path) -> None:
    """Cells of 15 m, which no whole number of 10 m makes."""
    values = np.ones((42, 42), "uint16")
    for path in folder.glob("*_nir.tif"):
        write_tif(path, values, cell=15.0)


def carry_as(name: str) -> Change:
    """Carry a column of another name."""

    def changed(document: dict[str, Any], folder: Path) -> None:
        change_zones(lambda z: z.rename(columns={"crop": name}))(document, folder)
        document["zones"]["columns"] = [name]

    return changed


SMALL = np.ones((8, 8), "uint16")

INVALID: dict[str, tuple[Change, tuple[str, ...]]] = {
    "zones file missing": (put("zones", "path", value="nope.gpkg"), ("nope.gpkg",)),
    "zones file garbage": (text_file("zones.parquet", "no parquet"), ("zones.parquet",)),
    "zones file without geometry": (
        lambda d, f: pd.DataFrame({"id": [1]}).to_parquet(f / "zones.parquet"),
        ("zones.parquet", "GeoParquet"),
    ),
    "no zones": (change_zones(lambda z: z.iloc[:0]), ("no zones",)),
    "zones without CRS": (
        change_zones(lambda z: z.set_crs(None, allow_override=True)), ("zones.parquet", "no CRS"),
    ),
    "duplicate ids": (change_zones(lambda z: z.assign(id=[1, 2, 2, 3])), ("unique", "'id'", "2")),
    "null id": (change_zones(lambda z: z.assign(id=["a", None, "b", "c"])), ("null", "'id'")),
    "unknown id column": (put("zones", "id", value="idd"), ("'idd'", "'id'")),
    "unknown carried column": (
        put("zones", "columns", value=["krop"]), ("'krop'", "did you mean 'crop'"),
    ),
    "raster missing": (
        put("source", value={"kind": "cog", "files": ["nope.tif"]}), ("nope.tif", "does not exist"),
    ),
    "pattern without match": (
        put("source", "pattern", value="s3_{date:%Y%m%d}_{band}.tif"), ("s3_", "no file"),
    ),
    "band beyond its files": (
        put("bands", "red", value={"asset": "red", "index": 2}), ("'red' (2)", "known are 1"),
    ),
    "unknown layer of zones": (
        put("zones", "layer", value="fields"), ("zones.layer", "'fields'", "GeoParquet"),
    ),
    "items missing": (
        put("source", value={"kind": "stac", "items": "nope.json"}), ("nope.json",),
    ),
    "unknown band": (
        put("bands", "nir", value="nirr"), ("'nirr'", "known are", "did you mean 'nir'"),
    ),
    "bad expression": (
        put("measurements", "ndvi", value="(nir - red"), ("measurements.ndvi", "(nir - red"),
    ),
    "unknown name in an expression": (
        put("measurements", "ndvi", value="nirr - red"), ("'nirr'", "did you mean 'nir'"),
    ),
    "call in an expression": (
        put("measurements", "ndvi", value="open('x')"), ("measurements.ndvi",),
    ),
    "unknown statistic": (
        put("statistics", value=["meen"]), ("'meen'", "did you mean 'mean'"),
    ),
    "unknown key": (put("statistcs", value=["mean"]), ("'statistcs'", "did you mean 'statistics'")),
    "unknown inner key": (
        put("zones", "pth", value="a"), ("'pth'", "zones", "did you mean 'path'"),
    ),
    "wrong value": (put("coverage", value="centre"), ("coverage", "'centre'", "center")),
    "empty file": (one_raster(lambda path: path.write_bytes(b"")), ("only.tif",)),
    "text for a raster": (one_raster(lambda path: path.write_text("a text")), ("only.tif",)),
    "rotated raster": (
        one_raster(lambda path: write_tif(path, SMALL, transform=ROTATED)),
        ("only.tif", "rotated", "gdalwarp"),
    ),
    "raster without CRS": (
        one_raster(lambda path: write_tif(path, SMALL, crs=None)), ("only.tif", "no CRS", "a_srs"),
    ),
    "grids that do not nest": (
        coarse_nir, ("'ndvi'", "do not nest", "gdalwarp", "bilinear"),
    ),
    "columns collide": (carry_as("red_mean"), ("'red_mean'", "prefix")),
    "a column has a name of ours": (carry_as("layer"), ("'layer'", "zones.columns")),
}  # fmt: skip


@pytest.mark.parametrize("case", INVALID)
def test_invalid_input(case: str, bench: Bench, here: Command) -> None:
    """Invalid input ends with exit 2 and one sentence that names the thing, and nothing is done."""
    change, words = INVALID[case]
    document = bench.document()
    change(document, bench.folder)
    code, out, err = here("run", bench.write(document))
    assert (code, out) == (2, "")
    assert_one_sentence(err, *words)
    bench.assert_nothing_done()


def test_the_good_job_is_good(bench: Bench, cluster: Client) -> None:
    """What the other tests spoil would run."""
    report = zb.run(zb.Job.from_file(bench.write(bench.document())), cluster)
    assert (report.exit_code, report.rows) == (0, 8)


@pytest.mark.parametrize(
    "case", ["zones file missing", "unknown band", "bad expression", "duplicate ids"]
)
def test_invalid_input_in_a_process_of_its_own(case: str, bench: Bench) -> None:
    """A shell in another folder is told the same: paths are relative to the job file."""
    change, words = INVALID[case]
    document = bench.document()
    change(document, bench.folder)
    code, out, err = command("run", bench.write(document), folder=Path("/"))
    assert (code, out) == (2, "")
    assert_one_sentence(err, *words)
    bench.assert_nothing_done()


@pytest.mark.parametrize("case", ["unknown band", "zones without CRS", "duplicate ids"])
def test_invalid_input_leaves_nothing_behind(case: str, bench: Bench, here: Command) -> None:
    """Invalid input writes nothing: no empty output that looks like one of a run."""
    document = bench.document()
    INVALID[case][0](document, bench.folder)
    here("run", bench.write(document))
    assert not bench.out.exists()


@pytest.mark.parametrize("subcommand", ["run", "plan", "validate"])
@pytest.mark.parametrize("text", ["}{", "a: [1, 2", "just text", "- 1\n- 2\n", "", "a: 1\na: 2\n"])
def test_not_a_job(subcommand: str, text: str, tmp_path: Path, here: Command) -> None:
    """What is no YAML, or no keys with values, is refused with the file's name."""
    job = tmp_path / "job.yaml"
    job.write_text(text)
    code, out, err = here(subcommand, job)
    assert (code, out) == (2, "")
    assert_one_sentence(err, str(job))


@pytest.mark.parametrize("text", ["", "\n# nothing yet\n", "{}"])
def test_an_empty_job(text: str, tmp_path: Path, here: Command) -> None:
    """Of an empty file it is said what belongs into it, and what writes one."""
    job = tmp_path / "job.yaml"
    job.write_text(text)
    code, _, err = here("run", job)
    assert code == 2
    assert_one_sentence(err, "is empty", "zones, source, bands and output", "zonalbatch demo")


def test_no_job_file(tmp_path: Path, here: Command) -> None:
    """A path to nothing, or to a folder, is refused with the path."""
    for path in (tmp_path / "nope.yaml", tmp_path):
        code, _, err = here("run", path)
        assert code == 2
        assert_one_sentence(err, str(path), "cannot be read")


def test_a_prefix_helps_where_columns_collide(bench: Bench, cluster: Client) -> None:
    """The prefix that the error offers keeps both columns."""
    document = bench.document() | {"prefix": "zb_"}
    carry_as("red_mean")(document, bench.folder)
    zb.run(zb.Job.from_file(bench.write(document)), cluster)
    names = zb.open_results(bench.out).table.column_names
    assert {"red_mean", "zb_red_mean"} <= set(names)
