"""REFERENCE.json: real zones and rasters, with the figures that exactextract and rasterstats give.

Zones are projected vertex by vertex (``densify: none``), as the peers have them. Peers differ from
what our numbers mean in a few places, each named here: two figures that exactextract gets wrong,
and how rasterstats counts cells outside of a raster.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from zonalbatch.cover.coverage import CoverageRule
from zonalbatch.expression import bare
from zonalbatch.measure import Measurement
from zonalbatch.sources import Band, RasterPixels, ScaleOffset, cog_layers, open_pixels
from zonalbatch.work.summarise import Recipe, Shapes, summarise
from zonalbatch.zones import open_zones

Peer = Literal["exactextract", "rasterstats"]
Figures = NDArray[np.float64]
"""(zone, 4): count, mean, min, max; NaN for none."""

COMBOS = (
    "rasterstats_polygons_slope", "rasterstats_partial_overlap", "rasterstats_no_overlap",
    "olinda_L7", "olinda_dem", "nc_landsat_c2l2", "gdalcubes_nycd_B5", "gdalcubes_nycd_BQA",
    "worldcereal_00002806639B424A_B08", "worldcereal_00002806639B424A_SCL",
    "sao_tome_worldcover", "dem_same_values_family",
)  # fmt: skip
STATISTICS = ("count", "mean", "min", "max", "sum", "n_outside", "n_total")
NOT_COMPARED: dict[tuple[str, Peer], str] = {
    ("worldcereal_00002806639B424A_SCL", "rasterstats"): (
        "the zones' edges run through the centres of 20 m cells, where rasterstats takes cells on "
        "both sides and we the right and the lower one"
    ),
    ("sao_tome_worldcover", "rasterstats"): "rasterstats was not run on it (memory)",
}
WRONG: dict[tuple[str, str, Peer], dict[str, str]] = {
    ("rasterstats_partial_overlap", "dataset_mask.tif", "exactextract"): {
        "3": "exactextract loses the mask of a zone that reaches beyond the raster",
    },
}
"""(combo, raster, peer) -> zones whose figures are a fault of the peer."""


@pytest.fixture(scope="module")
def reference(data_dir: Path) -> dict[str, Any]:
    """What the file says, by combo."""
    return dict(json.loads((data_dir / "REFERENCE.json").read_text())["combos"])


def test_all_combos_are_known(reference: dict[str, Any]) -> None:
    """No combination of zones and rasters is left out in silence."""
    assert set(reference) == set(COMBOS)


def zones_of(folder: Path, combo: dict[str, Any]) -> gpd.GeoDataFrame:
    """The zones that have figures, indexed as the reference names them."""
    path = folder / combo["zones"]
    if not path.exists():
        pytest.skip(f"{combo['zones']} is not among the data")
    parquet = path.suffix in (".parquet", ".geoparquet")
    zones = gpd.read_parquet(path) if parquet else gpd.read_file(path)
    column = combo["zone_id"]
    names = range(len(zones)) if column.startswith("row number") else zones[column]
    zones.index = [str(name) for name in names]
    wanted = list(dict.fromkeys(z for r in combo["rasters"] for z in r.get("zones") or ()))
    return zones.loc[wanted, [zones.geometry.name]]


def ours(
    path: Path, band: int, zones: gpd.GeoDataFrame, rule: CoverageRule, scaled: ScaleOffset
) -> dict[str, Figures]:
    """Our statistics of every zone, by name."""
    reader = open_zones(zones.reset_index(drop=True))
    table = pa.concat_tables(list(reader.batches()))
    found = cog_layers(files=[str(path)], bands={"v": Band(index=band)}, scale_offset=scaled)
    recipe = Recipe(
        measurements=(Measurement("v", bare("v")),), statistics=STATISTICS, coverage=rule,
        densify="none",
    )  # fmt: skip
    (summary,) = summarise(
        Shapes(table["geometry"], reader.crs), found.layers, recipe, open_pixels=open_pixels,
        memory=2**28,
    )  # fmt: skip
    return {name: column for (_, name), column in summary.columns.items()}


def by_rasterstats(found: dict[str, Figures], path: Path) -> dict[str, Figures]:
    """What rasterstats makes of our figures: cells beyond a raster without nodata are zeros."""
    header = RasterPixels(str(path)).header
    beyond = found["n_outside"] * (header.nodata[0] is None and not header.masked)
    count = found["count"] + beyond
    with np.errstate(invalid="ignore"):
        return {
            "count": count,
            "mean": np.where(beyond > 0, np.nan_to_num(found["sum"]) / count, found["mean"]),
            "min": np.where(beyond > 0, np.fmin(found["min"], 0), found["min"]),
            "max": np.where(beyond > 0, np.fmax(found["max"], 0), found["max"]),
        }


def compared(
    folder: Path, name: str, combo: dict[str, Any], peer: Peer
) -> Iterator[tuple[str, Figures, Figures]]:
    """Raster, our figures, the peer's, of each raster of a combination."""
    zones = zones_of(folder, combo)
    twin = next((r for r in combo["rasters"] if "plain" in r["raster"]), None)
    for one in combo["rasters"]:
        path = folder / one["raster"]
        # South-up rasters, which the peers refuse, hold the same values as their twin.
        figures = (one if one.get("zones") else twin or one)["zones"]
        rule: CoverageRule = "fraction" if peer == "exactextract" else "center"
        scaled: ScaleOffset = "file" if peer == "exactextract" else "none"
        found = ours(path, one["band"], zones, rule, scaled)
        if peer == "rasterstats":
            found = by_rasterstats(found, path)
        wrong = WRONG.get((name, path.name, peer), {})
        kept = [i for i, zone in enumerate(zones.index) if zone in figures and zone not in wrong]
        theirs = np.array([figures[zones.index[i]][peer] for i in kept], float).reshape(-1, 4)
        mine = np.column_stack([found[s][kept] for s in ("count", "mean", "min", "max")])
        yield f"{path.name}:{one['band']}", mine, theirs


@pytest.mark.parametrize("peer", ["exactextract", "rasterstats"])
@pytest.mark.parametrize("name", COMBOS)
def test_figures_agree(data_dir: Path, reference: dict[str, Any], name: str, peer: Peer) -> None:
    """Count, mean, min and max of every zone agree with the peer's within 1e-6."""
    if (name, peer) in NOT_COMPARED:
        pytest.skip(NOT_COMPARED[name, peer])
    combo = reference[name]
    rasters = 0
    for label, mine, theirs in compared(data_dir, name, combo, peer):
        assert len(theirs) > 0, label
        np.testing.assert_allclose(mine, theirs, rtol=1e-6, atol=0, err_msg=label)
        rasters += 1
    assert rasters == len(combo["rasters"])


@pytest.mark.parametrize("name", [n for n in COMBOS if n.startswith("worldcereal")])
def test_zones_on_edges_of_cells_have_whole_counts(
    data_dir: Path, reference: dict[str, Any], name: str
) -> None:
    """Fields drawn along 10 m cells cover whole cells of 10 m, and quarters of cells of 20 m."""
    cells = 4 if name.endswith("SCL") else 1
    zones = zones_of(data_dir, reference[name])
    one = reference[name]["rasters"][0]
    found = ours(data_dir / one["raster"], one["band"], zones, "fraction", "none")
    assert (found["n_total"] * cells == np.round(found["n_total"] * cells)).all()
