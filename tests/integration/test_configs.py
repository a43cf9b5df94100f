"""The jobs in configs/, run from the command line over real data, against independent figures.

REFERENCE.json holds what exactextract and rasterstats say of some of the layers. What they do not
say (masks, expressions, the other dates) is worked out here the slow way, on whole dense arrays.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
import yaml
from numpy.typing import NDArray

from tests.made.commands import command
from tests.made.jobs import write_job
from tests.made.runs import CLOUDY

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
FLANDERS = "timeseries/worldcereal_flanders/00002806639B424A"
FIGURES = ("count", "mean", "min", "max")
"""What REFERENCE.json says of a zone, in its order."""

RunConfig = Callable[..., pd.DataFrame]


@pytest.fixture
def run_config(data_dir: Path, tmp_path: Path) -> RunConfig:
    """Runs a copy of a config, its paths brought to the data and a new output, by the CLI."""

    def run(name: str, **changes: Any) -> pd.DataFrame:
        document = yaml.safe_load((CONFIGS / f"{name}.yaml").read_text())
        document = _moved(document, str(data_dir)) | changes
        document["output"] |= {"path": str(tmp_path / "out"), "geometry": "none"}
        told = command("run", write_job(tmp_path, document))
        assert told.code == 0, told.err
        return pd.read_parquet(tmp_path / "out" / "results")

    return run


def _moved(value: Any, data: str) -> Any:
    """A document whose paths lie under another folder of data."""
    if isinstance(value, dict):
        return {key: _moved(inner, data) for key, inner in value.items()}
    return value.replace("../../shared/data", data) if isinstance(value, str) else value


def reference(data: Path, combo: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """(file stem, zone, figures by program) of one combination of zones and rasters."""
    document = json.loads((data / "REFERENCE.json").read_text())
    for raster in document["combos"][combo]["rasters"]:
        for zone, figures in raster["zones"].items():
            yield Path(raster["raster"]).stem, zone, figures


def compare(
    rows: pd.DataFrame,
    wanted: Iterator[tuple[str, str, Mapping[str, Any]]],
    measurement: str,
    program: str,
    *,
    suffix: str,
    skip: Callable[[Any], bool] = lambda row: False,
) -> int:
    """Hold results against one program's figures, 1e-6 relative; the number of pairs compared.

    ``skip`` is asked with the row of a pair, None if it has none.
    """
    by_pair = rows.set_index(["layer", "zone_id"])
    compared = 0
    for stem, zone, figures in wanted:
        key = (stem.removesuffix(suffix).rstrip("_"), int(zone))
        count = figures[program][0] or 0
        row: Any = by_pair.loc[key] if key in by_pair.index else None
        if skip(row):
            continue
        if row is None:
            assert count == 0, f"{key} has no row, but {program} counts {count} cells"
            continue
        assert row[f"{measurement}_count"] == pytest.approx(count, rel=1e-6, abs=1e-9), key
        if count:
            got = [row[f"{measurement}_{name}"] for name in FIGURES[1:]]
            assert got == pytest.approx(figures[program][1:], rel=1e-6), key
        compared += 1
    return compared


# --- Flanders ---------------------------------------------------------------------------------


class Scene:
    """One date of Flanders as dense arrays of reflectances on cells of 10 m."""

    def __init__(self, folder: Path, date: str) -> None:
        with rasterio.open(folder / "b10m" / f"S2_L2A_{date}_B02B03B04B08.tif") as file:
            raw = file.read([3, 4])
            left, top = file.bounds.left, file.bounds.top
        with rasterio.open(folder / "scl" / f"S2_L2A_{date}_SCL.tif") as file:
            self.classes = file.read(1).repeat(2, axis=0).repeat(2, axis=1)
        self.there = raw != 0
        self.red, self.nir = raw * 0.0001
        with np.errstate(invalid="ignore"):
            self.ndvi = (self.nir - self.red) / (self.nir + self.red)
        self.clear = ~np.isin(self.classes, CLOUDY)
        self.centers = np.meshgrid(left + 10 * np.arange(64) + 5, top - 10 * np.arange(64) - 5)

    def values(self, name: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """A measurement and where it has data."""
        there = {"red": self.there[0], "nir": self.there[1], "ndvi": self.there.all(axis=0)}
        return getattr(self, name), there[name]


def brute_force(folder: Path, *, masked: bool) -> dict[tuple[str, int, str], dict[str, float]]:
    """(layer, field, measurement) -> statistics; the fields' edges lie on edges of cells."""
    fields = geopandas.read_parquet(folder / "fields_polygonized.parquet")
    dates = sorted(f.stem.split("_")[2] for f in (folder / "scl").glob("*.tif"))
    insides: list[NDArray[np.bool_]] = []
    found = {}
    for date in dates:
        scene = Scene(folder, date)
        insides = insides or [shapely.contains_xy(g, *scene.centers) for g in fields.geometry]
        for field, inside in zip(fields["fid_"], insides, strict=True):
            for name in ("red", "nir", "ndvi"):
                values, there = scene.values(name)
                good = inside & there & (scene.clear if masked else True)
                key = (f"S2_L2A_{date}", int(field), name)
                found[key] = figures_of(values[good]) | {
                    "n_total": inside.sum(),
                    "n_nodata": (inside & ~there).sum(),
                    "n_masked": (inside & there & ~scene.clear).sum() if masked else 0,
                }
    return found


def figures_of(values: NDArray[np.float64]) -> dict[str, float]:
    """The statistics of some values of equal weight; NaN where there is none."""
    if not len(values):
        return {"count": 0} | dict.fromkeys(("mean", "std", "min", "max", "median"), np.nan)
    low, high = np.quantile(values, [0.1, 0.9])
    return {
        "count": len(values), "mean": values.mean(), "std": values.std(), "min": values.min(),
        "max": values.max(), "median": float(np.median(values)), "p10": low, "p90": high,
    }  # fmt: skip


def assert_as_brute_force(
    rows: pd.DataFrame, wanted: Mapping[tuple[str, int, str], Mapping[str, float]]
) -> None:
    """Every figure of every row equals the one worked out the slow way; null stands for none."""
    by_pair = rows.set_index(["layer", "zone_id"])
    pairs = pd.MultiIndex.from_tuples([key[:2] for key in wanted], names=["layer", "zone_id"])
    assert set(by_pair.index) == set(pairs)
    for measurement in dict.fromkeys(key[2] for key in wanted):
        these = {key[:2]: row for key, row in wanted.items() if key[2] == measurement}
        table = pd.DataFrame.from_dict(these, orient="index")
        got = by_pair.loc[table.index, [f"{measurement}_{name}" for name in table]]
        np.testing.assert_allclose(
            got.to_numpy(), table.to_numpy(float), rtol=1e-9, atol=1e-12, err_msg=measurement
        )


@pytest.mark.long
def test_flanders_masked(run_config: RunConfig, data_dir: Path) -> None:
    """The job as it stands: 118 dates × 21 fields, red, nir and NDVI without clouds, to 1e-9."""
    rows = run_config("flanders_ndvi")
    assert len(rows) == 118 * 21
    assert_as_brute_force(rows, brute_force(data_dir / FLANDERS, masked=True))
    counts = rows[[f"ndvi_{n}" for n in ("count", "n_nodata", "n_nan", "n_masked", "n_outside")]]
    np.testing.assert_allclose(counts.sum(axis=1), rows["ndvi_n_total"], rtol=1e-12)
    assert set(rows["status"]) == {"ok", "empty"}
    assert rows[["lc", "ct"]].notna().all(axis=None)


@pytest.mark.long
def test_flanders_unmasked(run_config: RunConfig, data_dir: Path, at_hand: dict[str, str]) -> None:
    """B08 and SCL are those of exactextract, red and NDVI those of dense arrays."""
    rows = run_config(
        "flanders_ndvi",
        mask=None,
        measurements={
            "red": "red",
            "nir": "nir",
            "ndvi": "(nir - red) / (nir + red)",
            "scl": "scl",
        },
        cluster=at_hand,
    )
    assert_as_brute_force(rows, brute_force(data_dir / FLANDERS, masked=False))
    combo = "worldcereal_00002806639B424A_{}".format
    nir = reference(data_dir, combo("B08"))
    assert compare(rows, nir, "nir", "exactextract", suffix="B02B03B04B08") == 15 * 21
    scl = reference(data_dir, combo("SCL"))
    assert compare(rows, scl, "scl", "exactextract", suffix="SCL") == 5 * 21


@pytest.mark.long
def test_flanders_by_centers(
    run_config: RunConfig, data_dir: Path, at_hand: dict[str, str]
) -> None:
    """Raw B08 by cell centres is that of rasterstats.

    SCL is not compared: the edges of the fields run through the centres of its cells, where GDAL's
    rule is not a partition.
    """
    rows = run_config(
        "flanders_ndvi",
        mask=None,
        measurements={"nir": "nir"},
        coverage="center",
        scale_offset="none",
        cluster=at_hand,
    )
    wanted = reference(data_dir, "worldcereal_00002806639B424A_B08")
    assert compare(rows, wanted, "nir", "rasterstats", suffix="B02B03B04B08") == 15 * 21


# --- New York ---------------------------------------------------------------------------------


@pytest.mark.long
def test_landsat(run_config: RunConfig, data_dir: Path) -> None:
    """The job as it stands: B5 and BQA are those of exactextract, on 19 grids, zones repaired.

    Leaving out the fill of 0 changes the count and the mean, but not the sum.
    """
    rows = run_config("landsat_newyork")
    b5 = reference(data_dir, "gdalcubes_nycd_B5")
    assert compare(rows, b5, "b5", "exactextract", suffix="B5") == len(rows)
    bqa = reference(data_dir, "gdalcubes_nycd_BQA")
    assert compare(rows, bqa, "bqa", "exactextract", suffix="BQA") == 3 * 71
    assert rows["layer"].nunique() == 19
    assert (rows["b5_valid_n_nodata"] > 0).any()
    np.testing.assert_allclose(
        rows["b5_valid_count"] + rows["b5_valid_n_nodata"], rows["b5_count"], atol=1e-9
    )
    sums = (rows["b5_valid_count"] * rows["b5_valid_mean"]).fillna(0)
    np.testing.assert_allclose(sums, rows["b5_count"] * rows["b5_mean"], rtol=1e-9)


@pytest.mark.long
def test_landsat_by_centers(run_config: RunConfig, data_dir: Path, at_hand: dict[str, str]) -> None:
    """Raw B5 and BQA by cell centres are those of rasterstats.

    Zones that hang over a scene, or lie beside it, are not compared: the files have no nodata tag,
    and rasterstats fills what lies outside with 0 and counts it. Which zones have a row at all is
    worked out here.
    """
    rows = run_config("landsat_newyork", coverage="center", scale_offset="none", cluster=at_hand)
    pairs = set(pairs_by_centers(data_dir))
    alone = rows["layer"].isna()
    assert set(rows.loc[alone, "zone_id"]) == set(range(71)) - {zone for _, zone in pairs}
    rows = rows[~alone]
    assert set(zip(rows["layer"], rows["zone_id"], strict=True)) == pairs
    inside = {}
    for band, combo in (("b5", "gdalcubes_nycd_B5"), ("bqa", "gdalcubes_nycd_BQA")):
        inside[band] = compare(
            rows, reference(data_dir, combo), band, "rasterstats", suffix=band.upper(),
            skip=lambda row: row is None or row["b5_n_outside"] > 0,
        )  # fmt: skip
    assert inside["b5"] == (rows["b5_n_outside"] == 0).sum() == 841
    assert inside["bqa"] > 100


def pairs_by_centers(data: Path) -> Iterator[tuple[str, int]]:
    """(layer, zone) of each scene and each zone that contains the centre of one of its cells."""
    folder = data / "timeseries" / "gdalcubes_L8NY18"
    zones = shapely.make_valid(geopandas.read_file(folder / "nycd.gpkg").geometry.to_numpy())
    shapely.prepare(zones)
    for path in folder.glob("L8NY18/*/*_B5.TIF"):
        with rasterio.open(path) as file:
            x, y = rasterio.transform.xy(file.transform, *np.indices(file.shape).reshape(2, -1))
        for zone, shape in enumerate(zones):
            if shapely.contains_xy(shape, x, y).any():
                yield path.stem.removesuffix("_B5"), zone


@pytest.mark.parametrize("name", ["flanders_ndvi", "landsat_newyork"])
def test_paths_of_a_config_lead_to_the_data(name: str, data_dir: Path) -> None:
    """Paths are relative to the job file and end in ../shared/data; the output stays in ../out."""
    document = yaml.safe_load((CONFIGS / f"{name}.yaml").read_text())
    assert document["zones"]["path"].startswith("../../shared/data/timeseries/")
    assert (data_dir / document["zones"]["path"].removeprefix("../../shared/data/")).is_file()
    assert document["source"]["pattern"].startswith("../../shared/data/timeseries/")
    assert document["output"]["path"] == f"../out/{name}"
    assert document["zones"]["densify"] == "none"
