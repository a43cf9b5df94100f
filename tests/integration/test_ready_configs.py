"""The other files of configs/: each is loaded, planned, and as values of the chart rendered."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

import zonalbatch as zb
from tests.made.chart import hold_to_schemas, job_document, of_kind, rendered
from tests.made.commands import command
from tests.made.many_fields import write_fields, write_items
from tests.made.rasters import noise, write_tif
from tests.made.zones import squares
from zonalbatch.demo import make_landscape
from zonalbatch.planning.plan import Plan

CONFIGS = Path(__file__).resolve().parents[2] / "configs"


def values_of(name: str) -> dict[str, Any]:
    """Values that are ready."""
    found: dict[str, Any] = yaml.safe_load((CONFIGS / f"kubernetes/{name}.yaml").read_text())
    return found


JOBS = sorted(path.stem for path in CONFIGS.glob("*.yaml"))
VALUES = sorted(path.stem for path in (CONFIGS / "kubernetes").glob("*.yaml"))
WITH_JOBS = [name for name in VALUES if "job" in values_of(name)]
FIRST, DAYS = datetime(2022, 1, 1, 10, 30, tzinfo=UTC), 3 * 365


@pytest.mark.parametrize("name", JOBS)
def test_jobs_are_loaded(name: str) -> None:
    """Each job is valid as it stands, and written out it is the same job."""
    job = zb.Job.from_file(CONFIGS / f"{name}.yaml")
    assert zb.Job.from_yaml(job.to_yaml()) == job


def planned(folder: Path, document: dict[str, Any], fields: int, tiles: int = 1) -> Plan:
    """A job planned over three years of items that say all, and so many fields."""
    column = document["zones"]["id"]
    write_fields(folder / "fields.parquet", fields, column, tiles)
    metres = {"red": 10, "nir": 10, "scl": 20, "B04": 10, "B08": 10, "SCL": 20}
    items = write_items(folder / "items.json", FIRST, DAYS, metres, tiles)
    zones = document["zones"] | {"path": str(folder / "fields.parquet")}
    source = {"kind": "stac", "items": str(folder / "items.json")}
    output = document["output"] | {"path": str(folder / "out")}
    made = zb.plan(zb.Job(**document | {"zones": zones, "source": source, "output": output}))
    assert made.estimate.layers == items
    return made


@pytest.mark.parametrize("name", ["gateway", "slurm"])
def test_jobs_of_other_clusters_are_planned(name: str, tmp_path: Path) -> None:
    """What a job asks of its cluster changes nothing in its plan, which needs none."""
    document = yaml.safe_load((CONFIGS / f"{name}.yaml").read_text())
    made = planned(tmp_path, document, 400)
    assert made.estimate.rows == 400 * made.estimate.layers


@pytest.mark.long
def test_the_laptop(tmp_path: Path) -> None:
    """The commands that stand at its head, in the folder of the demo: planned, then run."""
    make_landscape(tmp_path, fields=60, dates=3)
    job = tmp_path / "laptop.yaml"
    job.write_text((CONFIGS / "laptop.yaml").read_text())
    told = command("plan", job)
    assert told.code == 0, told.err
    assert "rows      at most 180" in told.out
    told = command("run", job)
    assert told.code == 0, told.err
    assert len(zb.open_results(tmp_path / "out_laptop").gdf) == 180


@pytest.mark.parametrize("name", VALUES)
def test_values_are_rendered(name: str) -> None:
    """Manifests by each file of values pass the strict schemas."""
    resources = rendered(values_of(name))
    assert resources
    for resource in resources:
        hold_to_schemas(resource)


@pytest.mark.parametrize("name", WITH_JOBS)
def test_jobs_of_values_are_loaded(name: str) -> None:
    """The job that a pod gets is valid."""
    values = values_of(name)
    job = zb.Job(**job_document(rendered(values)))
    assert job.cluster.kind in ("address", "listen", "local")


@pytest.mark.long
@pytest.mark.parametrize("name", ["fields_on_spot", "nightly"])
def test_many_fields_are_planned(name: str, tmp_path: Path) -> None:
    """50,000 fields of a country under three years of scenes: a part for each of 200 workers and
    more, and none that takes more than the pods have."""
    values = values_of(name)
    resources = rendered(values)
    made = planned(tmp_path, job_document(resources), 50_000, tiles=4)
    assert made.estimate.rows == 50_000 * made.estimate.layers
    assert made.estimate.memory <= 1.5 * 2**30
    if name == "fields_on_spot":
        assert made.estimate.parts >= 200
        (scaler,) = of_kind(resources, "DaskAutoscaler")
        assert scaler["spec"]["maximum"] == 200
        # docs/kubernetes.md reckons what it costs from these.
        page = (CONFIGS.parent / "docs" / "kubernetes.md").read_text()
        assert (
            f"says {made.estimate.rows:,} rows and at most {made.estimate.decoded / 2**40:.2f} TiB"
            in page
        )
        assert f"{made.estimate.decoded / 1e12:.2f} TB decoded" in page
        assert f"here {made.estimate.parts}: each" in page


def test_files_on_a_claim_are_planned(tmp_path: Path) -> None:
    """The job of the mode standalone, over rasters as its pattern names them."""
    values = values_of("standalone")
    document = job_document(rendered(values))
    (tmp_path / "era5").mkdir()
    for month in ("202401", "202402"):
        write_tif(tmp_path / "era5" / f"t2m_{month}.tif", noise(64, 64, seed=1))
    squares(3).rename(columns={"id": "HYBAS_ID"}).to_file(tmp_path / "basins.gpkg")
    moved = yaml.safe_load(yaml.safe_dump(document).replace("/inputs", str(tmp_path)))
    moved["output"]["path"] = str(tmp_path / "out")
    made = zb.plan(zb.Job(**moved))
    assert (made.estimate.zones, made.estimate.layers) == (9, 2)
