"""zb.explain: what it lists is what the engine used, and sums to what zonal_stats gives."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
import rasterio
import shapely
from typer.testing import CliRunner

import zonalbatch as zb
from tests.made.jobs import Bench, write_job
from tests.made.places import CELL, LEFT, TOP
from tests.made.rasters import BLOCKS, noise, spoil, write_tif
from tests.made.zones import cells, frame
from zonalbatch.cli.app import app
from zonalbatch.errors import InputError, SourceError, ZonesError
from zonalbatch.explanation import explanation
from zonalbatch.explanation.account import account
from zonalbatch.explanation.explanation import NAMES, TOTALS, Explanation
from zonalbatch.explanation.inquiry import explain_job
from zonalbatch.explanation.picture import draw

HEIGHT, WIDTH = 40, 50
BANDS = {"red": 1, "nir": 2, "scl": 3}
NDVI = {"ndvi": "(nir - red) / (nir + red)"}
CLOUDS = {"band": "scl", "exclude": [3]}
MADE_OF: dict[str, dict[str, Any]] = {
    "band": {"bands": {"red": 1}},
    "expression": {"bands": BANDS, "measurements": NDVI},
    "mask": {"bands": BANDS, "measurements": NDVI, "mask": CLOUDS},
}


@pytest.fixture(scope="module")
def tif(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Red, nir and classes 1 to 3, scaled; a tenth of red is nodata (0)."""
    red, nir = noise(HEIGHT, WIDTH), noise(HEIGHT, WIDTH, seed=2)
    red[np.random.default_rng(1).random(red.shape) < 0.1] = 0
    classes = np.random.default_rng(3).integers(1, 4, red.shape).astype("uint16")
    path = tmp_path_factory.mktemp("explain") / "scene.tif"
    return write_tif(path, np.stack([red, nir, classes]), nodata=0, scale=0.5, offset=-10)


@pytest.fixture
def zones() -> geopandas.GeoDataFrame:
    """A ring that hangs over the raster's corner, a sliver, a box far away, a line, a point."""
    middle = shapely.Point(LEFT + 60, TOP - 70)
    ring = middle.buffer(83).difference(middle.buffer(20))
    line = shapely.LineString([(LEFT + 5, TOP - 5), (LEFT + 133, TOP - 77)])
    spot = shapely.Point(LEFT + 105, TOP - 55)
    shapes = [ring, cells(3, 3, 1, 1, 0.3).buffer(-4), cells(9000, 3, 2, 2), line, spot]
    return frame(*shapes, id=["ring", "sliver", "far", "line", "point"])


def totals(zones: Any, raster: Any, zone_id: str, **how: Any) -> dict[str, float | None]:
    """What zonal_stats says of one zone, by the names of the statistics."""
    point = zones.loc[zones["id"] == zone_id].geom_type.iloc[0] == "Point"
    names = (*TOTALS, "value") if point else TOTALS
    found = zb.zonal_stats(
        zones[["id", "geometry"]], raster, names, id="id", columns=[], geometry=False, **how
    )
    numbers = found.loc[zone_id].to_numpy(float)
    return dict(zip(names, [None if np.isnan(n) else float(n) for n in numbers], strict=True))


def assert_sums(made: Explanation) -> None:
    """The cells that are listed give the totals."""
    weight = np.bincount(made.reason, made.fraction, minlength=len(NAMES))
    of = dict(zip(NAMES, weight, strict=True))
    found = made.totals
    near: dict[str, Any] = {"rel": 1e-12, "abs": 1e-9}
    assert found["count"] == pytest.approx(of["valid"], **near)
    assert found["n_nodata"] == pytest.approx(of["nodata"], **near)
    assert found["n_nan"] == pytest.approx(of["nan"], **near)
    assert found["n_masked"] == pytest.approx(of["file mask"] + of["user mask"], **near)
    assert found["n_outside"] == pytest.approx(of["outside"] + made.unlisted, **near)
    assert found["n_total"] == pytest.approx(made.fraction.sum() + made.unlisted, **near)
    if found["count"]:
        valid = made.reason == 0
        total = (made.fraction * made.value)[valid].sum()
        assert found["sum"] == pytest.approx(total, **near)
        assert found["mean"] == pytest.approx(total / made.fraction[valid].sum(), **near)


# --- the law ------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", MADE_OF)
@pytest.mark.parametrize("coverage", ["fraction", "center", "all_touched"])
@pytest.mark.parametrize("zone_id", ["ring", "sliver", "far", "line", "point"])
def test_totals_are_those_of_zonal_stats(
    zones: geopandas.GeoDataFrame, tif: str, zone_id: str, coverage: Any, how: str
) -> None:
    """Totals are equal to the bit, and the cells sum to them."""
    asked = MADE_OF[how] | {"coverage": coverage}
    made = zb.explain(zones, tif, zone_id, id="id", **asked)
    assert made.totals == totals(zones, tif, zone_id, **asked)
    assert_sums(made)
    assert len(made.to_frame()) == made.n_cells


def test_raw_values_are_those_of_the_file(zones: geopandas.GeoDataFrame, tif: str) -> None:
    """Row and column say where the raw value stands in the file; centres lie on them."""
    made = zb.explain(zones, tif, "ring", id="id", **MADE_OF["mask"])
    inside = made.reason != NAMES.index("outside")
    assert inside.any()
    assert not inside.all()
    with rasterio.open(tif) as file:
        pixels = file.read()
        x, y = file.xy(made.row, made.col)
    np.testing.assert_allclose(made.x, x)
    np.testing.assert_allclose(made.y, y)
    for band, number in BANDS.items():
        expected = pixels[number - 1, made.row[inside], made.col[inside]]
        np.testing.assert_array_equal(made.raw[band][inside].data, expected)
        np.testing.assert_array_equal(np.ma.getmaskarray(made.raw[band]), ~inside)
    assert made.to_frame()["raw_red"].isna().sum() == (~inside).sum()


def test_fractions_are_shares_of_cells(zones: geopandas.GeoDataFrame, tif: str) -> None:
    """Each fraction is the share of the cell that shapely's intersection has."""
    made = zb.explain(zones, tif, "ring", id="id", bands=1)
    half = CELL / 2
    boxes = shapely.box(made.x - half, made.y - half, made.x + half, made.y + half)
    shares = shapely.area(shapely.intersection(boxes, zones.geometry.iloc[0])) / CELL**2
    np.testing.assert_allclose(made.fraction, shares, atol=1e-9)


def test_scaled_values(zones: geopandas.GeoDataFrame, tif: str) -> None:
    """A value is raw × scale + offset as the file has them."""
    made = zb.explain(zones, tif, "ring", id="id", bands={"red": 1})
    valid = made.reason == 0
    np.testing.assert_array_equal(made.value[valid], made.raw["red"][valid] * 0.5 - 10)
    assert np.isnan(made.value[~valid]).all()


# --- reasons ------------------------------------------------------------------------------------


def test_every_reason(tmp_path: Path) -> None:
    """Nodata, nan, the file's mask, the user's mask and outside are told apart."""
    values = np.arange(1.0, 7.0)[None].astype("float32")
    values[0, 1], values[0, 2] = -9, np.nan
    own = np.full((1, 6), 255, "uint8")
    own[0, 3] = 0
    classes = np.array([[1, 1, 1, 1, 7, 1]], "float32")
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
        path = write_tif(tmp_path / "masked.tif", np.stack([values[0], classes[0]])[:, None])
        with rasterio.open(path, "r+") as file:
            file.write_mask(own)
    made = zb.explain(
        frame(cells(0, 0, 1, 7)), path, 0, nodata=-9, bands={"v": 1, "c": 2},
        measurements={"v": "v"}, mask={"band": "c", "exclude": [7]},
    )  # fmt: skip
    told = made.to_frame()["reason"].tolist()
    assert told == ["valid", "nodata", "nan", "file mask", "user mask", "valid", "outside"]
    assert made.by_reason["valid"] == (2, 2.0)
    assert_sums(made)


def test_unread_cells(tmp_path: Path) -> None:
    """A block that cannot be decoded is told with its cause; the zone has no numbers."""
    path = write_tif(tmp_path / "spoilt.tif", noise(64, 64), **BLOCKS)
    spoil(path, (0, 1))
    made = zb.explain(frame(cells(0, 30, 1, 4)), path, 0)
    assert made.to_frame()["reason"].tolist() == ["valid", "valid", "unread", "unread"]
    assert (made.status, made.totals["mean"]) == ("failed", None)
    assert path in made.failures[0].cause
    assert "failure" in account(made)


def test_a_south_up_file(tmp_path: Path) -> None:
    """Rows are those of the file as it is stored, and y is that of the cell."""
    values = noise(8, 5)
    upward = rasterio.Affine(CELL, 0, LEFT, 0, CELL, TOP - 8 * CELL)
    path = write_tif(tmp_path / "up.tif", values, transform=upward)
    made = zb.explain(frame(cells(1, 2, 2, 2)), path, 0)
    (raw,) = made.raw.values()
    np.testing.assert_array_equal(raw, values[made.row, made.col])
    assert made.row.tolist() == [6, 6, 5, 5]
    np.testing.assert_allclose(made.y, TOP - CELL * np.array([1.5, 1.5, 2.5, 2.5]))


def test_large_zones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a very large zone some cells are kept, and the totals are of all."""
    wide = write_tif(tmp_path / "wide.tif", noise(20, 300))
    zone = frame(cells(2, 100, 10, 150, 0.5))  # in two fold tiles
    whole = zb.explain(zone, wide, 0)
    assert whole.complete
    monkeypatch.setattr(explanation, "KEPT", 1)
    some = zb.explain(zone, wide, 0)
    assert 0 < len(some.row) < some.n_cells == whole.n_cells == 1510
    assert some.totals == whole.totals
    assert not some.complete
    assert f"{1510 - len(some.row):,} more cells" in account(some, limit=2000)
    with pytest.raises(InputError, match="too large to draw"):
        draw(some, tmp_path / "zone.png")


# --- what is asked for --------------------------------------------------------------------------


def test_ids(zones: geopandas.GeoDataFrame, tif: str, tmp_path: Path) -> None:
    """A zone goes by its column, by the index of a frame, or by its row in a file."""
    zones.to_file(tmp_path / "zones.gpkg")
    by_name = zb.explain(zones, tif, "sliver", id="id", bands=1)
    for other in (
        zb.explain(zones.set_index("id"), tif, "sliver", bands=1),
        zb.explain(tmp_path / "zones.gpkg", tif, "1", bands=1),
        zb.explain(str(tmp_path / "zones.gpkg"), tif, "sliver", id="id", bands=1),
    ):
        assert other.totals == by_name.totals


def test_what_is_unknown(zones: geopandas.GeoDataFrame, tif: str) -> None:
    """A zone, layer or measurement that is not there is named, with what is."""
    with pytest.raises(ZonesError, match=r"no zone 'rung'.*ring, sliver"):
        zb.explain(zones, tif, "rung", id="id", bands=1)
    with pytest.raises(ZonesError, match=r"'x' cannot be.*integers"):
        zb.explain(zones, tif, "x", bands=1)
    with pytest.raises(InputError, match="3 measurements: name one of"):
        zb.explain(zones, tif, "ring", id="id", bands=BANDS)
    with pytest.raises(InputError, match="did you mean 'red'"):
        zb.explain(zones, tif, "ring", id="id", bands=BANDS, measurement="rad")
    with pytest.raises(InputError, match="layer 'x' is unknown; known are scene"):
        zb.explain(zones, tif, "ring", id="id", bands=1, layer="x")
    with pytest.raises(SourceError):
        zb.explain(zones, tif, "ring", id="id", bands=9)


def test_a_job_says_the_same(tmp_path: Path) -> None:
    """A job's row and its explanation have the same numbers."""
    bench = Bench(tmp_path)
    document = bench.document() | {"statistics": list(TOTALS)}
    job = zb.Job.from_file(bench.write(document | {"cluster": {"kind": "local", "workers": 1}}))
    layers = sorted(layer.id for layer in zb.plan(job).layers)
    made = explain_job(job, "2", layer=layers[1], measurement="ndvi")
    assert not list(bench.out.rglob("part-*.parquet"))
    shapes, files = bench.folder / "zones.parquet", bench.folder
    bands = {b: str(files / f"s2_20240701_{b}.tif") for b in ("red", "nir")}
    merged = np.stack([rasterio.open(path).read(1) for path in bands.values()])
    stacked = write_tif(tmp_path / "both.tif", merged)
    same = zb.explain(shapes, stacked, 2, id="id", bands={"red": 1, "nir": 2}, measurements=NDVI)
    assert made.totals == same.totals
    assert_sums(made)


def test_bands_of_two_sizes(tmp_path: Path) -> None:
    """Cells are those of the finest band; a coarser one repeats where it covers them."""
    fine, coarse = noise(40, 50), noise(20, 25, seed=5)
    write_tif(tmp_path / "s_20240601_red.tif", fine)
    write_tif(tmp_path / "s_20240601_scl.tif", coarse, cell=2 * CELL)
    frame(cells(3, 5, 6, 7, 0.4), id=["a"]).to_parquet(tmp_path / "zones.parquet")
    document = {
        "zones": {"path": "zones.parquet", "id": "id"},
        "source": {"kind": "cog", "pattern": "s_{date:%Y%m%d}_{band}.tif"},
        "bands": {"red": "red", "scl": "scl"},
        "measurements": {"red": "red"},
        "mask": {"band": "scl", "exclude": [int(coarse[2, 3])]},
        "output": {"path": "out"},
    }
    made = explain_job(zb.Job.from_file(write_job(tmp_path, document)), "a")
    np.testing.assert_array_equal(made.raw["red"], fine[made.row, made.col])
    np.testing.assert_array_equal(made.raw["scl"], coarse[made.row // 2, made.col // 2])
    assert made.by_reason["user mask"][0] == 4
    assert_sums(made)


@pytest.mark.parametrize("lost", [("nir",), ("red", "nir")])
def test_a_layer_that_cannot_be_read(tmp_path: Path, lost: tuple[str, ...]) -> None:
    """A band that a layer lacks leaves its cells unread; a layer without any lies nowhere."""
    bench = Bench(tmp_path)
    job = zb.Job.from_file(bench.write(bench.document()))
    for band in lost:
        (tmp_path / f"s2_20240601_{band}.tif").write_bytes(b"no raster")
    asked = {"layer": "s2_20240601", "measurement": "ndvi"}
    if len(lost) == 2:
        with pytest.raises(InputError, match="no row to explain"):
            explain_job(job, 1, **asked)
        return
    made = explain_job(job, 1, **asked)
    assert (made.status, set(made.by_reason)) == ("failed", {"unread"})
    assert np.ma.getmaskarray(made.raw["nir"]).all()
    assert not np.ma.getmaskarray(made.raw["red"]).any()
    assert "nir" in made.failures[0].cause
    first = account(made, limit=1).partition("reason\n")[2].split()
    assert first[5:9] == ["–", str(made.raw["red"][0]), "–", "unread"]


# --- the command and the picture ----------------------------------------------------------------


def test_the_command(zones: geopandas.GeoDataFrame, tif: str, tmp_path: Path) -> None:
    """Cells up to the limit, how many more there are, the totals; and the picture is written."""
    path = tmp_path / "zones.gpkg"
    zones.to_file(path)
    words = ["explain", str(path), tif, "--zone", "ring", "--id", "id", "--band", "1"]
    done = CliRunner().invoke(app, [*words, "--limit", "5", "--png", str(tmp_path / "zone.png")])
    assert done.exit_code == 0, done.output
    made = zb.explain(zones, tif, "ring", id="id", bands=1)
    assert f"{made.n_cells - 5:,} more cells" in done.output
    assert f"mean            {made.totals['mean']:.15g}" in done.output
    assert (tmp_path / "zone.png").read_bytes().startswith(b"\x89PNG")


def test_the_command_on_a_job(tmp_path: Path) -> None:
    """A job needs no raster; options that belong to rasters are refused."""
    bench = Bench(tmp_path)
    words = ["explain", str(bench.write(bench.document())), "--zone", "3", "-m", "red"]
    refused = CliRunner().invoke(app, words)
    assert isinstance(refused.exception, InputError)
    assert "2 layers" in str(refused.exception)
    layer = str(refused.exception).rpartition(" ")[2]
    done = CliRunner().invoke(app, [*words, "--layer", layer])
    assert done.exit_code == 0, done.output
    assert f"zone 3 on layer {layer}" in done.output
    refused = CliRunner().invoke(app, [*words, "--band", "1"])
    assert "--band goes with ZONES RASTER" in str(refused.exception)


@pytest.mark.parametrize("zone_id", ["ring", "sliver", "line", "point"])
def test_pictures(zones: geopandas.GeoDataFrame, tif: str, zone_id: str, tmp_path: Path) -> None:
    """Zones of every kind can be drawn."""
    path = tmp_path / "zone.png"
    zb.explain(zones, tif, zone_id, id="id", png=path, **MADE_OF["mask"])
    assert path.stat().st_size > 5_000


def test_what_cannot_be_drawn(
    zones: geopandas.GeoDataFrame, tif: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A zone without cells, another ending, a missing library are told in one sentence."""
    with pytest.raises(InputError, match="covers no cell"):
        zb.explain(zones, tif, "far", id="id", bands=1, png=tmp_path / "zone.png")
    with pytest.raises(InputError, match=r"ends in \.png"):
        zb.explain(zones, tif, "ring", id="id", bands=1, png=tmp_path / "zone.jpg")
    monkeypatch.setattr("zonalbatch.pictures.writing.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'zonalbatch\[plot\]'"):
        zb.explain(zones, tif, "ring", id="id", bands=1, png=tmp_path / "zone.png")


def test_matplotlib_is_loaded_for_pictures_only(
    zones: geopandas.GeoDataFrame, tif: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a picture nobody asks for matplotlib."""
    usual = builtins.__import__

    def refuse(name: str, *rest: Any, **more: Any) -> Any:
        assert not name.startswith("matplotlib")
        return usual(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    assert account(zb.explain(zones, tif, "ring", id="id", bands=1))


def test_weights(tif: str, zones: geopandas.GeoDataFrame, tmp_path: Path) -> None:
    """Each cell tells its weight, and the weighted totals are those of zonal_stats."""
    values = noise(HEIGHT, WIDTH, seed=8).astype("float32") / 1e4
    values[np.random.default_rng(9).random(values.shape) < 0.1] = np.nan
    pop = write_tif(tmp_path / "pop.tif", values)
    told = zb.explain(zones, tif, "ring", id="id", bands={"red": 1}, weights=pop)
    assert told.weight is not None
    inside = told.reason != NAMES.index("outside")
    expected = values[told.row[inside], told.col[inside]].astype(float)
    np.testing.assert_array_equal(told.weight[inside], expected)
    assert np.isnan(told.weight[~inside]).all()
    weight = np.where(np.isnan(told.weight), 0, told.weight * told.fraction)
    total = np.nansum(np.where(np.isnan(told.value), 0, told.value) * weight)
    assert told.totals["weighted_sum"] == pytest.approx(total)
    found = zb.zonal_stats(
        zones, tif, "weighted_sum,weighted_mean,weighted_std", id="id", bands={"red": 1},
        weights=pop,
    )  # fmt: skip
    for name in found.columns[:-1]:
        assert told.totals[name] == found.loc["ring", name]
    text = account(told)
    assert f"weights      {pop}" in text
    assert "weighted_mean" in text
    assert list(told.to_frame())[-2:] == ["weight", "reason"]
    assert zb.explain(zones, tif, "ring", id="id", bands={"red": 1}).weight is None
    broken = write_tif(tmp_path / "broken.tif", values, **BLOCKS)
    spoil(broken, (0, 0))
    lost = zb.explain(zones, tif, "ring", id="id", bands={"red": 1}, weights=broken)
    assert lost.status == "partial"
    assert lost.totals["weighted_mean"] is None
    assert lost.totals["mean"] == told.totals["mean"]
