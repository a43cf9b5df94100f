"""What is wrong is refused in one sentence, and what cannot be read is recorded.

Exit codes are those of the design: 2 invalid input, 3 done with failures recorded, 4 cannot write,
5 no cluster.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import rasterio
import shapely
import yaml
from numpy.typing import NDArray
from rasterio.transform import Affine, from_origin

import zonalbatch as zb
from zonalbatch import cli

if TYPE_CHECKING:
    from distributed import Client

LEFT, TOP = 500_000, 5_600_000
CRS = "EPSG:32631"


def write_tif(path: Path, values: NDArray[Any], **options: Any) -> str:
    """Write (row, col) or (band, row, col) values as a GeoTIFF with cells of 10 m; its path."""
    cube = values if values.ndim == 3 else values[None]
    profile = {
        "driver": "GTiff", "count": len(cube), "height": cube.shape[1], "width": cube.shape[2],
        "dtype": cube.dtype, "crs": CRS, "transform": from_origin(LEFT, TOP, 10, 10),
    }  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(path, "w", **profile | options) as file:
        file.write(cube)
    return str(path)


def spoil(path: str, *blocks: tuple[int, int]) -> None:
    """Overwrite (row, col) blocks of a tiled DEFLATE GeoTIFF, so that they cannot be decoded."""
    with rasterio.open(path) as file:
        about = [
            tuple(
                int(file.get_tag_item(f"BLOCK_{what}_{col}_{row}", "TIFF", bidx=1))
                for what in ("OFFSET", "SIZE")
            )
            for row, col in blocks
        ]
    with open(path, "r+b") as raw:
        for offset, size in about:
            raw.seek(offset)
            raw.write(b"\xff" * size)


def unreadable_blocks(path: str, band: int = 1) -> list[shapely.Geometry]:
    """The boxes of the blocks that cannot be decoded, one by one."""
    bad = []
    with rasterio.open(path) as file:
        for _, window in file.block_windows(band):
            try:
                file.read(band, window=window)
            except rasterio.errors.RasterioIOError:
                bad.append(shapely.box(*rasterio.windows.bounds(window, file.transform)))
    return bad


def grid_of_zones(bounds: tuple[float, ...], count: int, crs: Any = CRS) -> geopandas.GeoDataFrame:
    """count × count squares within bounds, which touch no border of theirs."""
    left, bottom, right, top = bounds
    x, y = np.linspace(left, right, count + 1), np.linspace(bottom, top, count + 1)
    inset = 0.05 * (x[1] - x[0])
    shapes = [
        shapely.box(x[c] + inset, y[r] + inset, x[c + 1] - inset, y[r + 1] - inset)
        for r in range(count)
        for c in range(count)
    ]
    return geopandas.GeoDataFrame({"id": range(count**2)}, geometry=shapes, crs=crs)


@dataclass(frozen=True)
class Bench:
    """A small good job in a folder, to be spoilt in one point."""

    folder: Path

    @property
    def out(self) -> Path:
        """The job's output."""
        return self.folder / "out"

    def document(self) -> dict[str, Any]:
        """The good job: four zones, two dates of red and nir."""
        rng = np.random.default_rng(2)
        for date in ("20240601", "20240701"):
            for band in ("red", "nir"):
                values = rng.integers(1, 9999, (64, 64)).astype("uint16")
                write_tif(self.folder / f"s2_{date}_{band}.tif", values)
        zones = grid_of_zones((LEFT, TOP - 640, LEFT + 640, TOP), 2)
        zones["crop"] = ["wheat", "maize", "maize", "grass"]
        zones.to_parquet(self.folder / "zones.parquet")
        return {
            "zones": {"path": "zones.parquet", "id": "id", "columns": ["crop"]},
            "source": {"kind": "cog", "pattern": "s2_{date:%Y%m%d}_{band}.tif"},
            "bands": {"red": "red", "nir": "nir"},
            "measurements": {"red": "red", "ndvi": "(nir - red) / (nir + red)"},
            "output": {"path": "out"},
        }

    def write(self, document: dict[str, Any]) -> Path:
        """Write a job document; its path."""
        path = self.folder / "job.yaml"
        path.write_text(yaml.safe_dump(document))
        return path

    def assert_nothing_done(self) -> None:
        """No row, no plan, no claim on the output."""
        assert not list(self.folder.rglob("part-*.parquet"))
        assert not list(self.folder.rglob("manifest.json"))
        assert not list(self.folder.rglob("parts.parquet"))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A folder with a small good job."""
    return Bench(tmp_path)


Told = tuple[int, str, str]
"""Exit code, stdout, stderr."""


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Told]:
    """The command line in this process, for speed."""

    def run(*arguments: object) -> Told:
        monkeypatch.setattr(sys, "argv", ["zonalbatch", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capfd.readouterr()
        return int(ended.value.code or 0), out, err

    return run


def command(*arguments: object, cwd: Path | None = None) -> Told:
    """The command line in a process of its own, as a user has it."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONWARNINGS"}
    script = Path(sys.executable).with_name("zonalbatch")
    done = subprocess.run(
        [script, *map(str, arguments)],
        capture_output=True, text=True, env=environment, cwd=cwd, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def assert_one_sentence(err: str, *words: str) -> None:
    """One line on stderr, which holds the words; no traceback."""
    assert err.count("\n") == 1, err
    assert err.startswith("error: ")
    assert "Traceback" not in err
    for word in words:
        assert word in err, err


# --- 2: what is given cannot be used ----------------------------------------------------------

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


def zones(change: Callable[[geopandas.GeoDataFrame], geopandas.GeoDataFrame]) -> Change:
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
        write_tif(path, values, transform=from_origin(LEFT, TOP, 15, 15))


def carry_as(name: str) -> Change:
    """Carry a column of another name."""

    def changed(document: dict[str, Any], folder: Path) -> None:
        zones(lambda z: z.rename(columns={"crop": name}))(document, folder)
        document["zones"]["columns"] = [name]

    return changed


SMALL = np.ones((8, 8), "uint16")
ROTATED = Affine.translation(LEFT, TOP) @ Affine.rotation(30) @ Affine.scale(10, -10)

INVALID: dict[str, tuple[Change, tuple[str, ...]]] = {
    "zones file missing": (put("zones", "path", value="nope.gpkg"), ("nope.gpkg",)),
    "zones file garbage": (text_file("zones.parquet", "no parquet"), ("zones.parquet",)),
    "zones file without geometry": (
        lambda d, f: pd.DataFrame({"id": [1]}).to_parquet(f / "zones.parquet"),
        ("zones.parquet", "GeoParquet"),
    ),
    "no zones": (zones(lambda z: z.iloc[:0]), ("no zones",)),
    "zones without CRS": (
        zones(lambda z: z.set_crs(None, allow_override=True)), ("zones.parquet", "no CRS"),
    ),
    "points for zones": (
        zones(lambda z: z.set_geometry(z.centroid)), ("Point",),
    ),
    "duplicate ids": (zones(lambda z: z.assign(id=[1, 2, 2, 3])), ("unique", "'id'", "2")),
    "null id": (zones(lambda z: z.assign(id=["a", None, "b", "c"])), ("null", "'id'")),
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
def test_invalid_input(case: str, bench: Bench, here: Callable[..., Told]) -> None:
    """Exit 2, one sentence that names the thing and what to do, and nothing computed."""
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
    """The same from a shell, in another folder: paths are relative to the job file."""
    change, words = INVALID[case]
    document = bench.document()
    change(document, bench.folder)
    code, out, err = command("run", bench.write(document), cwd=Path("/"))
    assert (code, out) == (2, "")
    assert_one_sentence(err, *words)
    bench.assert_nothing_done()


@pytest.mark.parametrize("case", ["unknown band", "zones without CRS", "duplicate ids"])
def test_invalid_input_leaves_nothing_behind(
    case: str, bench: Bench, here: Callable[..., Told]
) -> None:
    """Nothing is written either: no empty output that looks like one of a run."""
    document = bench.document()
    INVALID[case][0](document, bench.folder)
    here("run", bench.write(document))
    assert not bench.out.exists()


@pytest.mark.parametrize("subcommand", ["run", "plan", "validate"])
@pytest.mark.parametrize("text", ["}{", "a: [1, 2", "just text", "- 1\n- 2\n", "", "a: 1\na: 2\n"])
def test_not_a_job(subcommand: str, text: str, tmp_path: Path, here: Callable[..., Told]) -> None:
    """What is no YAML, or no keys with values, is refused with the file's name."""
    job = tmp_path / "job.yaml"
    job.write_text(text)
    code, out, err = here(subcommand, job)
    assert (code, out) == (2, "")
    assert_one_sentence(err, str(job))


def test_no_job_file(tmp_path: Path, here: Callable[..., Told]) -> None:
    """A path to nothing, or to a folder."""
    for path in (tmp_path / "nope.yaml", tmp_path):
        code, _, err = here("run", path)
        assert code == 2
        assert_one_sentence(err, str(path), "cannot be read")


def test_a_prefix_helps_where_columns_collide(bench: Bench, cluster: Client) -> None:
    """What the error offers works."""
    document = bench.document() | {"prefix": "zb_"}
    carry_as("red_mean")(document, bench.folder)
    zb.run(zb.Job.from_file(bench.write(document)), cluster)
    names = zb.open_results(bench.out).table.column_names
    assert {"red_mean", "zb_red_mean"} <= set(names)


# --- 4: the result cannot be written ----------------------------------------------------------


class TestOutput:
    """Places where nothing can be written."""

    def refused(self, bench: Bench, here: Callable[..., Told], path: str) -> str:
        """What is said of an output."""
        document = bench.document() | {"output": {"path": path}}
        code, out, err = here("run", bench.write(document))
        assert (code, out) == (4, "")
        assert_one_sentence(err, path)
        bench.assert_nothing_done()
        return err

    def test_a_file(self, bench: Bench, here: Callable[..., Told]) -> None:
        """The output is a file."""
        (bench.folder / "taken").write_text("mine")
        self.refused(bench, here, str(bench.folder / "taken"))
        assert (bench.folder / "taken").read_text() == "mine"

    def test_below_a_file(self, bench: Bench, here: Callable[..., Told]) -> None:
        """The output would lie in a file."""
        (bench.folder / "taken").write_text("mine")
        self.refused(bench, here, str(bench.folder / "taken" / "out"))

    @pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no /proc")
    def test_where_nobody_may(self, bench: Bench, here: Callable[..., Told]) -> None:
        """A place where not even root can write."""
        self.refused(bench, here, "/proc/zonalbatch/out")

    @pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
    def test_without_permission(self, bench: Bench, here: Callable[..., Told]) -> None:
        """A folder of somebody else's."""
        closed = bench.folder / "closed"
        closed.mkdir(mode=0o500)
        self.refused(bench, here, str(closed / "out"))

    def test_a_table_below_a_file(self, bench: Bench, here: Callable[..., Told]) -> None:
        """So it is with `stats --out`."""
        bench.document()
        (bench.folder / "taken").write_text("mine")
        for ending in ("csv", "parquet", "gpkg", "geojson"):
            code, _, err = here(
                "stats", bench.folder / "zones.parquet", bench.folder / "s2_20240601_red.tif",
                "--out", bench.folder / "taken" / f"table.{ending}",
            )  # fmt: skip
            assert code == 4, ending
            assert_one_sentence(err, f"table.{ending}")


# --- 5: no cluster ----------------------------------------------------------------------------


class TestCluster:
    """Addresses where nobody listens."""

    NOWHERE = {"kind": "address", "address": "tcp://127.0.0.1:9"}  # noqa: RUF012

    @pytest.mark.long
    def test_nobody_listens(self, bench: Bench) -> None:
        """Exit 5 within 25 s, with the address in the sentence."""
        job = bench.write(bench.document() | {"cluster": self.NOWHERE})
        began = time.monotonic()
        code, out, err = command("run", job)
        assert (code, out) == (5, "")
        assert_one_sentence(err, "tcp://127.0.0.1:9")
        assert time.monotonic() - began < 25
        assert not list(bench.folder.rglob("part-*.parquet"))

    def test_an_output_without_rows_is_nobodys(
        self, bench: Bench, cluster: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A run that found no cluster computed nothing: the job may change before the next."""
        import distributed

        def nobody(*_: Any, **__: Any) -> None:
            raise TimeoutError("nobody answers")

        document = bench.document() | {"cluster": self.NOWHERE}
        with monkeypatch.context() as patched:
            patched.setattr(distributed, "Client", nobody)
            with pytest.raises(zb.errors.ClusterError):
                zb.run(zb.Job.from_file(bench.write(document)))
        changed = zb.Job.from_file(bench.write(document | {"statistics": ["max"]}))
        assert zb.run(changed, cluster).rows == 8

    @pytest.mark.parametrize("address", ["nowhere", "127.0.0.1:8786", ""])
    def test_no_address(self, bench: Bench, here: Callable[..., Told], address: str) -> None:
        """What is no address is invalid input."""
        document = bench.document() | {"cluster": {"kind": "address", "address": address}}
        code, _, err = here("run", bench.write(document))
        assert code == 2
        assert_one_sentence(err, "cluster.address")


# --- 3: what could not be read is recorded ----------------------------------------------------


def run_over(
    folder: Path,
    cluster: Client,
    zones: geopandas.GeoDataFrame,
    *,
    by: Callable[..., Told] = command,
    **document: Any,
) -> tuple[Told, pd.DataFrame, pd.DataFrame]:
    """Run a job from the command line; what it told, its rows and its failures."""
    assert cluster.scheduler is not None
    zones.to_parquet(folder / "zones.parquet")
    job = folder / "job.yaml"
    job.write_text(
        yaml.safe_dump(
            {
                "zones": {"path": "zones.parquet", "id": "id"},
                "output": {"path": "out", "geometry": "none"},
                "statistics": ["count", "mean", "max", "n_total"],
                "cluster": {"kind": "address", "address": cluster.scheduler.address},
            }
            | document
        )
    )
    told = by("run", job)
    rows = pd.read_parquet(folder / "out" / "results")
    return told, rows, pq.read_table(folder / "out/failures.parquet").to_pandas()


class TestUnreadable:
    """Files that cannot be read, among good ones."""

    @staticmethod
    def cube(seed: int = 4) -> NDArray[Any]:
        """Values of 96 × 96 cells."""
        return np.random.default_rng(seed).integers(1, 9999, (96, 96)).astype("uint16")

    @staticmethod
    def tiled() -> dict[str, Any]:
        """A profile of 3 × 3 blocks of 32 cells."""
        return {"tiled": True, "blockxsize": 32, "blockysize": 32, "compress": "deflate"}

    BOUNDS = (LEFT, TOP - 960, LEFT + 960, TOP)

    def test_corrupt_file(self, data_dir: Path, tmp_path: Path, cluster: Client) -> None:
        """tricky/rasterio/corrupt.tif, one block of which is cut off, between two good ones.

        Exit 3; every pair has its row; those on the unreadable block are `failed` and have no
        number; all others are as in the good files.
        """
        folder = data_dir / "tricky" / "rasterio"
        files = [str(folder / "cogeo.tif"), str(folder / "corrupt.tif"), str(tmp_path / "z.tif")]
        shutil.copy(files[0], files[2])
        with rasterio.open(files[0]) as file:
            zones = grid_of_zones(tuple(file.bounds), 4, file.crs)
        bands = {"red": 1, "blue": 3}
        (code, out, err), rows, failures = run_over(
            tmp_path, cluster, zones, source={"kind": "cog", "files": files}, bands=bands
        )
        assert code == 3
        assert "Traceback" not in err
        assert "1 failures" in out
        assert failures["layer"].tolist() == ["corrupt"]
        assert failures["permanent"].all()
        assert "corrupt.tif" in failures["cause"][0]
        assert len(rows) == 3 * 16
        self.assert_failed_where_unreadable(rows, "corrupt", "cogeo", zones, files[1])

    def test_truncated_file(self, data_dir: Path, tmp_path: Path, cluster: Client) -> None:
        """tricky/derived/B01_truncated_60pct.tif: blocks are missing from the second row on."""
        bad = str(data_dir / "tricky/derived/B01_truncated_60pct.tif")
        with rasterio.open(bad) as file:
            zones = grid_of_zones(tuple(file.bounds), 6, file.crs)
            profile = {"crs": file.crs, "transform": file.transform, "nodata": file.nodata}
            shape, dtype = file.shape, file.dtypes[0]
        good = write_tif(tmp_path / "good.tif", np.full(shape, 7, dtype), **profile)
        source = {"kind": "cog", "files": [bad, good]}
        (code, _, err), rows, failures = run_over(
            tmp_path, cluster, zones, source=source, bands={"red": 1}
        )
        assert code == 3
        assert "Traceback" not in err
        assert set(failures["layer"]) == {"B01_truncated_60pct"}
        assert len(rows) == 2 * 36
        lost = shapely.union_all(unreadable_blocks(bad))
        layer = rows[rows["layer"] == "B01_truncated_60pct"].set_index("zone_id")
        expected = zones.set_index("id").geometry.intersects(lost)
        assert (layer["status"] == "failed").to_dict() == expected.to_dict()
        assert layer.loc[expected, "red_count"].isna().all()
        assert set(rows.loc[rows["layer"] == "good", "status"]) == {"ok"}

    @staticmethod
    def assert_failed_where_unreadable(
        rows: pd.DataFrame, bad: str, good: str, zones: geopandas.GeoDataFrame, path: str
    ) -> None:
        """A zone of the bad layer failed if it meets an unreadable block, else it is as good."""
        lost = shapely.union_all(unreadable_blocks(path))
        failed = zones.set_index("id").geometry.intersects(lost)
        table = rows.set_index("zone_id").sort_index()
        wrong = table[table["layer"] == bad]
        right = table[table["layer"] == good]
        numbers = list(table.filter(regex="_(count|mean|max|n_total)$"))
        assert 0 < failed.sum() < len(failed)
        assert (wrong["status"] == "failed").to_dict() == failed.to_dict()
        assert wrong.loc[failed, numbers].isna().all(axis=None)
        pd.testing.assert_frame_equal(wrong.loc[~failed, numbers], right.loc[~failed, numbers])

    def test_one_block_loses_only_its_zones(
        self, tmp_path: Path, cluster: Client, here: Callable[..., Told]
    ) -> None:
        """A block that cannot be decoded takes no number from zones on the blocks beside it."""
        good = write_tif(tmp_path / "good.tif", self.cube(), **self.tiled())
        bad = shutil.copy(good, tmp_path / "bad.tif")
        spoil(str(bad), (1, 1))
        assert len(unreadable_blocks(str(bad))) == 1
        zones = grid_of_zones(self.BOUNDS, 6)
        source = {"kind": "cog", "files": [good, str(bad)]}
        (code, _, _), rows, _ = run_over(
            tmp_path, cluster, zones, by=here, source=source, bands={"red": 1}
        )
        assert code == 3
        self.assert_failed_where_unreadable(rows, "bad", "good", zones, str(bad))

    def test_memory_changes_nothing_where_a_block_is_corrupt(
        self, tmp_path: Path, cluster: Client
    ) -> None:
        """How much is read at once must not decide which zones fail."""
        values = np.random.default_rng(1).integers(1, 9999, (600, 1600)).astype("uint16")
        bad = write_tif(
            tmp_path / "bad.tif", values, tiled=True, blockxsize=128, blockysize=128,
            compress="deflate",
        )  # fmt: skip
        spoil(bad, (1, 1))
        zones = grid_of_zones((LEFT, TOP - 6000, LEFT + 16000, TOP), 12)
        digests = set()
        for memory in ("1.5GiB", "64MB"):
            job = zb.Job(
                zones={"path": zones, "id": "id"}, bands={"red": 1}, limits={"memory": memory},
                source={"kind": "cog", "files": bad}, output={"path": str(tmp_path / memory)},
            )  # fmt: skip
            zb.run(job, cluster)
            digests.add(zb.open_results(tmp_path / memory).digest)
        assert len(digests) == 1

    def test_one_band_of_two(
        self, tmp_path: Path, cluster: Client, here: Callable[..., Told]
    ) -> None:
        """Where one measurement is lost and another is not, a row is `partial`."""
        for date in ("20240601", "20240701"):
            for band in ("red", "nir"):
                write_tif(tmp_path / f"s2_{date}_{band}.tif", self.cube(), **self.tiled())
        bad = tmp_path / "s2_20240701_red.tif"
        spoil(str(bad), *((row, col) for row in range(3) for col in range(3)))
        (code, _, _), rows, failures = run_over(
            tmp_path, cluster, grid_of_zones(self.BOUNDS, 3),
            by=here,
            source={"kind": "cog", "pattern": str(tmp_path / "s2_{date:%Y%m%d}_{band}.tif")},
            bands={"red": "red", "nir": "nir"},
            measurements={"red": "red", "nir": "nir", "ndvi": "(nir - red) / (nir + red)"},
        )  # fmt: skip
        assert code == 3
        assert set(failures["href"]) == {str(bad)}
        assert len(rows) == 2 * 9
        first, second = (rows[rows["layer"] == f"s2_{d}"] for d in ("20240601", "20240701"))
        assert set(first["status"]) == {"ok"}
        assert set(second["status"]) == {"partial"}
        assert second[["red_mean", "red_count", "ndvi_mean", "ndvi_n_total"]].isna().all(axis=None)
        np.testing.assert_array_equal(
            second.sort_values("zone_id")["nir_mean"], first.sort_values("zone_id")["nir_mean"]
        )

    def test_empty_file_among_others(
        self, tmp_path: Path, cluster: Client, here: Callable[..., Told]
    ) -> None:
        """Exit 3; the file is recorded, and the layers of the others have all their rows."""
        files = [write_tif(tmp_path / f"{name}.tif", self.cube()) for name in ("a", "c")]
        (tmp_path / "b.tif").write_bytes(b"")
        source = {"kind": "cog", "files": [files[0], str(tmp_path / "b.tif"), files[1]]}
        (code, out, _), rows, failures = run_over(
            tmp_path,
            cluster,
            grid_of_zones(self.BOUNDS, 3),
            by=here,
            source=source,
            bands={"red": 1},
        )
        assert code == 3
        assert "b.tif" in out
        assert failures["href"].tolist() == [str(tmp_path / "b.tif")]
        assert rows.groupby("layer").size().to_dict() == {"a": 9, "c": 9}
        assert set(rows["status"]) == {"ok"}

    def test_empty_band_among_others(
        self, tmp_path: Path, cluster: Client, here: Callable[..., Told]
    ) -> None:
        """Where another file of the layer is good, its rows are there, and `partial`."""
        for band in ("red", "nir"):
            write_tif(tmp_path / f"s2_20240601_{band}.tif", self.cube())
        (tmp_path / "s2_20240601_red.tif").write_bytes(b"")
        write_tif(tmp_path / "s2_20240701_red.tif", self.cube())
        (code, _, _), rows, failures = run_over(
            tmp_path, cluster, grid_of_zones(self.BOUNDS, 3),
            by=here,
            source={"kind": "cog", "pattern": str(tmp_path / "s2_{date:%Y%m%d}_{band}.tif")},
            bands={"red": "red", "nir": "nir"},
        )  # fmt: skip
        assert code == 3
        assert rows.groupby("layer").size().to_dict() == {"s2_20240601": 9, "s2_20240701": 9}
        assert set(rows["status"]) == {"partial"}
        assert len(failures) == 2

    @staticmethod
    def items(folder: Path, **hrefs: str) -> dict[str, Any]:
        """A source of STAC items that all say they have 96 × 96 cells from LEFT, TOP."""
        features: list[dict[str, Any]] = [
            {
                "type": "Feature", "stac_version": "1.1.0", "id": name, "links": [], "bbox": None,
                "geometry": None,
                "properties": {"datetime": f"2024-0{month}-01T00:00:00Z", "proj:code": CRS},
                "assets": {
                    "data": {
                        "href": href, "proj:shape": [96, 96],
                        "proj:transform": [10.0, 0.0, LEFT, 0.0, -10.0, TOP],
                    }
                },
            }
            for month, (name, href) in enumerate(hrefs.items(), 1)
        ]  # fmt: skip
        document = {"type": "FeatureCollection", "features": features}
        (folder / "items.json").write_text(json.dumps(document))
        return {"kind": "stac", "items": str(folder / "items.json")}

    @pytest.mark.parametrize(
        "what", ["missing", "empty", "no raster", "rotated", "no CRS", "small"]
    )
    def test_unusable_file_of_an_item(
        self, tmp_path: Path, cluster: Client, here: Callable[..., Told], what: str
    ) -> None:
        """An item says where its file lies; the file turns out to be of no use when it is opened.

        That is recorded as any other permanent failure: the run goes on, exit 3, and the rows of
        the layer are there and `failed`. Only a file on another grid is planned again.
        """
        bad = tmp_path / "bad.tif"
        if what == "empty":
            bad.write_bytes(b"")
        elif what == "no raster":
            bad.write_text("a text")
        elif what == "rotated":
            write_tif(bad, self.cube(), transform=ROTATED)
        elif what == "no CRS":
            write_tif(bad, self.cube(), crs=None)
        elif what == "small":
            write_tif(bad, self.cube()[:32, :32])
        source = self.items(tmp_path, a=write_tif(tmp_path / "a.tif", self.cube()), bad=str(bad))
        (code, _, err), rows, failures = run_over(
            tmp_path, cluster, grid_of_zones(self.BOUNDS, 3),
            by=here, source=source, bands={"red": "data"},
        )  # fmt: skip
        good = rows[rows["layer"] == "a"]
        assert (len(good), set(good["status"])) == (9, {"ok"})
        layer = rows[rows["layer"] == "bad"]
        if what == "small":
            assert (code, len(failures)) == (0, 0)
            assert (len(layer), set(layer["status"])) == (1, {"ok"})
            return
        assert code == 3
        assert "Traceback" not in err
        assert failures["layer"].tolist() == ["bad"]
        assert failures["permanent"].tolist() == [True]
        assert (len(layer), set(layer["status"])) == (9, {"failed"})

    def test_a_header_that_fails_for_a_while(
        self, tmp_path: Path, cluster: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What passes is tried again by the next run, also where it struck the plan.

        The first run says 3 and is not sealed; the second adds the layer, and is not refused.
        """
        from zonalbatch.sources import cog

        files = [write_tif(tmp_path / f"s_{year}.tif", self.cube(year)) for year in (2020, 2021)]
        job = zb.Job(
            zones={"path": grid_of_zones(self.BOUNDS, 3), "id": "id"}, bands={"red": 1},
            source={"kind": "cog", "files": files, "datetime_pattern": "%Y"},
            output={"path": str(tmp_path / "out")},
        )  # fmt: skip
        read = cog.read_headers

        def shaky(hrefs: Any) -> Any:
            error = zb.errors.PassingReadError(f"{files[1]} could not be read just now (timed out)")
            return read(hrefs) | {files[1]: error}

        with monkeypatch.context() as patched:
            patched.setattr(cog, "read_headers", shaky)
            first = zb.run(job, cluster)
        assert (first.exit_code, first.rows) == (3, 9)
        assert not json.loads((tmp_path / "out/manifest.json").read_text())["sealed"]
        second = zb.run(job, cluster)
        assert (second.exit_code, second.rows) == (0, 18)

    def test_what_is_computed_is_kept(self, tmp_path: Path, cluster: Client) -> None:
        """Whatever ends a first run, the parts that it has written stay for the next."""
        zones = grid_of_zones(self.BOUNDS, 3)
        files = [write_tif(tmp_path / f"s_{year}.tif", self.cube(year)) for year in (2020, 2021)]
        job = zb.Job(
            zones={"path": zones, "id": "id"}, bands={"red": 1},
            source={"kind": "cog", "files": files, "datetime_pattern": "%Y"},
            output={"path": str(tmp_path / "out")},
        )  # fmt: skip
        assert len(zb.plan(job).parts) == 2
        shutil.rmtree(tmp_path / "out")

        class Stubborn:
            """Ends the run with invalid input once a part is there."""

            def began(self, *_: Any) -> None:
                """Not asked."""

            def finished(self, *_: Any) -> None:
                """Raise what a worker may raise that finds a file of no use."""
                raise zb.errors.SourceError("a file is of no use")

        with pytest.raises(zb.errors.SourceError):
            zb.run(job, cluster, Stubborn())
        assert zb.run(job, cluster).computed < 2

    def test_failures_are_not_tried_again(self, tmp_path: Path, cluster: Client) -> None:
        """A second run computes nothing, says 3 again, and keeps rows and failures."""
        bad = write_tif(tmp_path / "bad.tif", self.cube(), **self.tiled())
        spoil(bad, (0, 0))
        job = zb.Job(
            zones={"path": grid_of_zones(self.BOUNDS, 3), "id": "id"}, bands={"red": 1},
            source={"kind": "cog", "files": bad}, output={"path": str(tmp_path / "out")},
        )  # fmt: skip
        first = zb.run(job, cluster)
        digest, failures = (
            zb.open_results(first.output).digest,
            zb.open_results(first.output).failures,
        )
        again = zb.run(job, cluster)
        assert (first.exit_code, again.exit_code, again.computed) == (3, 3, 0)
        assert zb.open_results(first.output).digest == digest
        pd.testing.assert_frame_equal(zb.open_results(first.output).failures, failures)

    def test_on_failure_raise(self, tmp_path: Path, cluster: Client) -> None:
        """The run ends at once with the file's name, and the error comes from a worker whole."""
        bad = write_tif(tmp_path / "bad.tif", self.cube(), **self.tiled())
        spoil(bad, (0, 0))
        job = zb.Job(
            zones={"path": grid_of_zones(self.BOUNDS, 3), "id": "id"}, bands={"red": 1},
            source={"kind": "cog", "files": bad}, output={"path": str(tmp_path / "out")},
            on_failure="raise",
        )  # fmt: skip
        with pytest.raises(zb.errors.PermanentReadError, match=r"bad\.tif"):
            zb.run(job, cluster)

    def test_max_failures(self, tmp_path: Path, cluster: Client) -> None:
        """A run stops when more has failed than it may."""
        bad = write_tif(tmp_path / "bad.tif", self.cube(), **self.tiled())
        spoil(bad, (0, 0))
        job = zb.Job(
            zones={"path": grid_of_zones(self.BOUNDS, 3), "id": "id"}, bands={"red": 1},
            source={"kind": "cog", "files": bad}, output={"path": str(tmp_path / "out")},
            limits={"max_failures": 0},
        )  # fmt: skip
        with pytest.raises(zb.errors.ReadError, match="max_failures"):
            zb.run(job, cluster)
