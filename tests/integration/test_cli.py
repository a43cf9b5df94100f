"""The command line: what it prints, what it writes, what it leaves alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import rasterio
import yaml
from typer.testing import CliRunner

import zonalbatch as zb
from zonalbatch import cli
from zonalbatch.demo import Landscape, make_landscape

if TYPE_CHECKING:
    from distributed import Client

COMMANDS = {"run", "plan", "validate", "schema", "status", "stats", "demo"}
HEAVY = {
    "dask", "distributed", "geopandas", "numba", "numpy", "pandas", "pyarrow", "pystac",
    "rasterio", "rioxarray", "shapely", "xarray",
}  # fmt: skip

Told = tuple[int, str, str]
"""Exit code, stdout, stderr."""


@pytest.fixture(scope="module")
def land(tmp_path_factory: pytest.TempPathFactory) -> Landscape:
    """60 fields and 3 dates."""
    return make_landscape(tmp_path_factory.mktemp("land"), fields=60, dates=3)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Told]:
    """The command line in this process."""

    def run(*arguments: object) -> Told:
        monkeypatch.setattr(sys, "argv", ["zonalbatch", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capfd.readouterr()
        return int(ended.value.code or 0), out, err

    return run


@pytest.fixture
def job(land: Landscape, tmp_path: Path, cluster: Client) -> Path:
    """The landscape's job, on the cluster of the tests, into a folder of this test's own."""
    assert cluster.scheduler is not None
    document = yaml.safe_load(land.job.read_text())
    document["zones"]["path"] = str(land.fields)
    document["source"]["items"] = str(land.items)
    document["cluster"] = {"kind": "address", "address": cluster.scheduler.address}
    path = tmp_path / "job.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


def python(code: str) -> str:
    """What a fresh interpreter prints."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONWARNINGS"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    return done.stdout


class TestStart:
    """What a user meets first."""

    @pytest.mark.parametrize(
        "code",
        [
            "import zonalbatch",
            "import zonalbatch.cli",
            "import sys, zonalbatch.cli\nsys.argv = ['zonalbatch', '--help']\n"
            "try: zonalbatch.cli.main()\nexcept SystemExit: pass",
            "import sys, zonalbatch.cli\nsys.argv = ['zonalbatch', 'run', '--help']\n"
            "try: zonalbatch.cli.main()\nexcept SystemExit: pass",
        ],
        ids=["package", "cli", "help", "help of run"],
    )
    def test_it_is_cheap(self, code: str) -> None:
        """Neither the package nor the help imports anything heavy."""
        told = python(f"{code}\nimport sys\nprint('\\nLOADED', *sys.modules)")
        loaded = {name.partition(".")[0] for name in told.rpartition("LOADED")[2].split()}
        assert not loaded & HEAVY

    def test_commands(self) -> None:
        """Those of the surface are there."""
        names = {c.name or c.callback.__name__ for c in cli.app.registered_commands if c.callback}
        assert names >= COMMANDS

    @pytest.mark.parametrize("name", sorted(COMMANDS))
    def test_help_has_an_example(self, name: str) -> None:
        """Every command shows how it is typed."""
        done = CliRunner().invoke(cli.app, [name, "--help"])
        assert done.exit_code == 0
        text = " ".join(done.output.split())
        assert "Example" in text
        assert f"zonalbatch {name}" in text.partition("Example")[2]

    def test_version(self) -> None:
        """As the package has it."""
        script = Path(sys.executable).with_name("zonalbatch")
        done = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
        assert done.stdout == f"zonalbatch {zb.__version__}\n"

    def test_no_command_shows_the_help(self, here: Callable[..., Told]) -> None:
        """A name alone tells what there is; an unknown command is invalid input."""
        code, out, err = here()
        assert "Commands" in out + err
        assert code in (0, 2)
        assert here("nope")[0] == 2
        assert here("run")[0] == 2
        assert here("run", "job.yaml", "--nope")[0] == 2

    def test_the_surface_of_the_package(self) -> None:
        """What is promised can be had, and `dir` tells of it."""
        for name in ("Job", "Results", "open_results", "plan", "run", "zonal_stats", "errors"):
            assert name in dir(zb)
            assert getattr(zb, name) is not None
        with pytest.raises(AttributeError, match="nope"):
            _ = zb.nope


class TestDocuments:
    """schema and validate."""

    def test_schema(self, here: Callable[..., Told], job: Path) -> None:
        """JSON Schema of draft 2020-12 in which every key is described; a job is valid by it."""
        code, out, err = here("schema")
        assert (code, err) == (0, "")
        schema = json.loads(out)
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert schema["type"] == "object"
        assert set(schema["required"]) == {"zones", "source", "bands", "output"}
        assert schema["additionalProperties"] is False
        assert set(zb.Job.model_fields) == set(schema["properties"])
        for key, about in schema["properties"].items():
            assert about.get("description") or about.get("$ref"), key
        self.assert_all_references_lead_somewhere(schema)
        jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.validate(yaml.safe_load(job.read_text()), schema)

    @staticmethod
    def assert_all_references_lead_somewhere(schema: dict[str, Any]) -> None:
        """Each $ref is in $defs."""

        def references(value: Any) -> set[str]:
            if isinstance(value, dict):
                own = {value["$ref"]} if "$ref" in value else set()
                return own.union(*map(references, value.values()))
            return set().union(*map(references, value)) if isinstance(value, list) else set()

        assert references(schema) <= {f"#/$defs/{name}" for name in schema["$defs"]}

    def test_validate(self, here: Callable[..., Told], job: Path) -> None:
        """It says what the job makes, and opens neither zones nor rasters."""
        document = yaml.safe_load(job.read_text())
        document["zones"]["path"] = "nowhere.parquet"
        document["source"]["items"] = "nowhere.json"
        job.write_text(yaml.safe_dump(document))
        code, out, err = here("validate", job)
        assert (code, err) == (0, "")
        assert "2 measurements × 7 statistics" in out
        assert not (job.parent / "out").exists()

    def test_validate_refuses(self, here: Callable[..., Told], job: Path) -> None:
        """Statistics are checked too; the exit code is that of invalid input."""
        document = yaml.safe_load(job.read_text()) | {"statistics": ["meen"]}
        job.write_text(yaml.safe_dump(document))
        code, out, err = here("validate", job)
        assert (code, out) == (2, "")
        assert "did you mean 'mean'" in err

    def test_several_problems_are_told_at_once(self, here: Callable[..., Told], job: Path) -> None:
        """One line each, so that a document is mended in one go."""
        document = yaml.safe_load(job.read_text()) | {"coverage": "centre", "limitz": {}}
        job.write_text(yaml.safe_dump(document))
        code, _, err = here("validate", job)
        assert code == 2
        assert len(err.splitlines()) == 2
        assert "coverage" in err
        assert "limitz" in err


class TestPlan:
    """plan: what a run would do."""

    def test_numbers(self, here: Callable[..., Told], job: Path, land: Landscape) -> None:
        """Zones, layers, rows, parts and bytes are those of the run that follows."""
        code, out, err = here("plan", job, "--json")
        assert (code, err) == (0, "")
        plan = json.loads(out)
        whole = sum(self.decoded(scene) for scene in land.scenes)
        assert (plan["zones"], plan["layers"], plan["rows"]) == (60, 3, 180)
        assert 0.5 * whole < plan["decoded"] <= whole
        assert 0 < plan["memory"] < 1536 * 1024**2
        _, ran, _ = here("run", job, "--json")
        report = json.loads(ran)
        assert report["parts"] == plan["parts"]
        assert report["rows"] <= plan["rows"]
        assert report["fingerprint"] == plan["fingerprint"]

    @staticmethod
    def decoded(scene: Path) -> int:
        """Bytes of the bands of a scene that the job needs."""
        size = 0
        for name in ("B04", "B08", "SCL"):
            with rasterio.open(scene / f"{name}.tif") as file:
                size += file.width * file.height * np.dtype(file.dtypes[0]).itemsize
        return size

    def test_text(self, here: Callable[..., Told], job: Path) -> None:
        """For people: the same in a few lines."""
        code, out, _ = here("plan", job)
        assert code == 0
        for words in ("zones     60", "layers    3 on 2 lattices", "rows      at most 180"):
            assert words in out

    def test_it_reads_no_pixel(
        self,
        here: Callable[..., Told],
        job: Path,
        land: Landscape,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Not one, by any way of reading; with items not even a file is opened."""
        read: list[str] = []

        def noted(self: Any, *_: Any, **__: Any) -> None:
            read.append(self.name)
            raise AssertionError(f"pixels of {self.name} were read")

        for name in ("read", "read_masks", "dataset_mask", "sample"):
            monkeypatch.setattr(rasterio.io.DatasetReader, name, noted)
        assert here("plan", job)[0] == 0
        document = yaml.safe_load(job.read_text())
        document["source"] = {
            "kind": "cog", "pattern": str(land.folder / "scenes/{date:%Y%m%d}/{band}.tif"),
        }  # fmt: skip
        other = tmp_path / "other.yaml"
        other.write_text(yaml.safe_dump(document | {"output": {"path": "other"}}))
        assert here("plan", other)[0] == 0
        assert read == []

    def test_it_leaves_room_for_another_job(
        self, here: Callable[..., Told], job: Path, land: Landscape
    ) -> None:
        """A plan claims nothing: the job may change before it is run."""
        here("plan", job)
        document = yaml.safe_load(job.read_text()) | {"statistics": ["mean"]}
        job.write_text(yaml.safe_dump(document))
        code, out, _ = here("plan", job, "--json")
        assert code == 0
        assert json.loads(out)["rows"] == 180
        assert not list((job.parent / "out" / "results").iterdir())


class TestRun:
    """run: what is told of it."""

    def test_lines(self, here: Callable[..., Told], job: Path) -> None:
        """Progress in plain lines on stderr where that is no terminal, the sum on stdout."""
        code, out, err = here("run", job)
        assert code == 0
        assert "60 zones × 3 layers" in err
        assert "1/1 parts, 180 rows" in err
        assert "Dask dashboard: http" in err
        assert out.startswith("180 rows, ")
        assert str(job.parent / "out/results") in out
        again = here("run", job)
        assert again[0] == 0
        assert "(1 were there already)" in again[1]

    def test_quiet(self, here: Callable[..., Told], job: Path) -> None:
        """Nothing at all if all is well."""
        assert here("run", job, "--quiet") == (0, "", "")

    def test_json(self, here: Callable[..., Told], job: Path) -> None:
        """One JSON document on stdout."""
        code, out, _ = here("run", job, "--json")
        report = json.loads(out)
        assert code == 0
        assert (report["rows"], report["computed"], report["failures"]) == (180, 1, 0)

    def test_job_yaml_is_kept(self, here: Callable[..., Told], job: Path) -> None:
        """The output has the whole job, and running that one finds all done."""
        here("run", job)
        kept = job.parent / "out" / "job.yaml"
        assert zb.Job.from_file(kept) == zb.Job.from_file(job)
        code, out, _ = here("run", kept, "--json")
        assert (code, json.loads(out)["computed"]) == (0, 0)


class TestStatus:
    """status: how far a run has come."""

    def test_text_and_json(self, here: Callable[..., Told], job: Path) -> None:
        """Parts, rows, size, failures, sealed or not, and the digest if asked."""
        here("run", job)
        out = job.parent / "out"
        code, text, err = here("status", out)
        assert (code, err) == (0, "")
        assert "sealed" in text.splitlines()[0]
        assert "not sealed" not in text
        assert "digest" not in text
        _, told, _ = here("status", out, "--json", "--digest")
        status = json.loads(told)
        results = zb.open_results(out)
        assert status["digest"] == results.digest
        assert len(status["digest"]) == 64
        assert (status["parts"], status["done"], status["rows"], status["failures"]) == (
            1,
            1,
            180,
            0,
        )
        assert status["bytes"] == sum(f.stat().st_size for f in results.files)
        assert status["sealed"] is True
        assert f"digest    {results.digest}" in here("status", out, "--digest")[1]

    def test_a_lost_part(self, here: Callable[..., Told], job: Path) -> None:
        """A part whose file is gone is not done, and the result not whole."""
        here("run", job)
        (file,) = zb.open_results(job.parent / "out").files
        file.unlink()
        status = json.loads(here("status", job.parent / "out", "--json")[1])
        assert (status["done"], status["rows"], status["sealed"]) == (0, 0, False)

    @pytest.mark.parametrize("lost", ["plan", "ledger", "failures", "zones.parquet", "job.yaml"])
    def test_without_what_is_beside(self, here: Callable[..., Told], job: Path, lost: str) -> None:
        """What can be told is told, or one sentence says what is missing; never a traceback."""
        here("run", job)
        out = job.parent / "out"
        (shutil.rmtree if (out / lost).is_dir() else os.unlink)(out / lost)
        code, _, err = here("status", out, "--digest")
        assert code in (0, 2, 4)
        assert len(err.splitlines()) <= 1

    def test_a_broken_part_is_noticed(self, here: Callable[..., Told], job: Path) -> None:
        """A part that is no longer whole is done again, or refused in one sentence."""
        here("run", job)
        out = job.parent / "out"
        digest = zb.open_results(out).digest
        (file,) = zb.open_results(out).files
        file.write_bytes(file.read_bytes()[:1000])
        code, _, err = here("run", job, "--quiet")
        if code == 0:
            assert zb.open_results(out).digest == digest
        else:
            assert code == 4
            assert err.count("\n") == 1
            assert file.name in err

    def test_no_output(self, here: Callable[..., Told], tmp_path: Path) -> None:
        """A folder that no run wrote to, or none."""
        for path in (tmp_path, tmp_path / "nope"):
            code, out, err = here("status", path)
            assert (code, out) == (2, "")
            assert err.startswith(f"error: {path}")
            assert err.count("\n") == 1


class TestStats:
    """stats: a table at once."""

    @pytest.fixture
    def red(self, land: Landscape) -> Path:
        """A raster."""
        return land.scenes[0] / "B04.tif"

    @pytest.fixture
    def frame(self, land: Landscape, red: Path) -> Any:
        """What zonal_stats says."""
        return zb.zonal_stats(land.fields, red, ["mean", "p90"])

    def test_print(self, here: Callable[..., Told], land: Landscape, red: Path, frame: Any) -> None:
        """A table of all zones, without geometry."""
        code, out, err = here("stats", land.fields, red, "--stats", "mean,p90")
        assert (code, err) == (0, "")
        head, *lines = out.splitlines()
        assert head.split() == ["field_id", "crop", "mean", "p90"]
        printed = [[float(text) for text in line.split()[-2:]] for line in lines]
        np.testing.assert_allclose(printed, frame[["mean", "p90"]], atol=1e-6)

    def test_id_and_columns(self, here: Callable[..., Told], land: Landscape, red: Path) -> None:
        """The id is the index, and only the columns that are named are carried."""
        _, out, _ = here("stats", land.fields, red, "-s", "max", "--id", "field_id", "-c", "crop")
        assert out.split()[:2] == ["crop", "max"]
        _, out, _ = here("stats", land.fields, red, "-s", "max", "-c", "field_id", "--prefix", "r_")
        assert out.split()[:2] == ["field_id", "r_max"]

    @pytest.mark.parametrize("ending", ["csv", "parquet", "gpkg", "geojson", "CSV"])
    def test_write(
        self,
        here: Callable[..., Told],
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
        self, here: Callable[..., Told], land: Landscape, red: Path, tmp_path: Path
    ) -> None:
        """Refused before anything is computed."""
        code, _, err = here("stats", land.fields, red, "-o", tmp_path / "table.xyz")
        assert code == 2
        assert ".parquet" in err
        assert err.count("\n") == 1

    def test_several_bands_and_rasters(self, here: Callable[..., Told], land: Landscape) -> None:
        """Bands make columns, rasters make rows; items do as well as files."""
        files = [scene / "B04.tif" for scene in land.scenes]
        _, out, _ = here("stats", land.fields, *files, "-s", "max", "-c", "field_id")
        assert len(out.splitlines()) == 62 or "180 rows" in out
        code, out, _ = here(
            "stats",
            land.fields,
            land.items,
            "-b",
            "B04",
            "-b",
            "B08",
            "-s",
            "max",
            "-c",
            "field_id",
        )
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
        here: Callable[..., Told],
        land: Landscape,
        red: Path,
        arguments: list[str],
        words: str,
    ) -> None:
        """Exit 2 and one sentence."""
        code, out, err = here("stats", land.fields, red, *arguments)
        assert (code, out) == (2, "")
        assert words in err
        assert err.count("\n") == 1

    def test_unreadable(
        self, here: Callable[..., Told], land: Landscape, red: Path, tmp_path: Path
    ) -> None:
        """A raster that cannot be read ends it with exit 3 and one sentence, not with numbers."""
        broken = tmp_path / "broken.tif"
        data = bytearray(red.read_bytes())
        data[len(data) // 2 :] = b"\xff" * (len(data) - len(data) // 2)
        broken.write_bytes(data)
        code, out, err = here("stats", land.fields, broken)
        assert (code, out) == (3, "")
        assert "broken.tif" in err
        assert err.count("\n") == 1


def test_results_of_a_run(here: Callable[..., Told], job: Path) -> None:
    """What the README promises of a result folder is there after a run."""
    here("run", job, "--quiet")
    out = job.parent / "out"
    names = {path.name for path in out.iterdir()}
    assert names >= {
        "job.yaml", "plan", "results", "zones.parquet", "layers.parquet", "failures.parquet",
        "ledger", "manifest.json",
    }  # fmt: skip
    manifest = json.loads((out / "manifest.json").read_text())
    plan = out / "plan" / manifest["fingerprint"]
    assert {p.name for p in plan.iterdir()} >= {"zones.parquet", "layers.parquet", "parts.parquet"}
    assert len(pq.read_table(out / "zones.parquet")) == 60
    assert len(pq.read_table(out / "failures.parquet")) == 0
    assert set(pq.read_table(out / "layers.parquet")["band"].to_pylist()) == {"red", "nir", "scl"}
