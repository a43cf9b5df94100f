"""Many areas on many rasters: rows as GeoJSON, as an Arrow stream, as GeoParquet."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pyarrow as pa
import pytest
import rasterio
import shapely
from rasterio.transform import from_bounds

from tests.made.service import AREA, RASTER, Served, serving
from tests.made.silence import silent
from zonalbatch.service.settings import Settings

BATCH = f"{RASTER}/batch"
POINT = {"type": "Point", "coordinates": [-0.1409, 51.5195]}


def collection(*shapes: Any) -> dict[str, Any]:
    """Features with ids and properties."""
    features = [
        {"type": "Feature", "id": f"f{i}", "geometry": one, "properties": {"crop": i}}
        for i, one in enumerate(shapes)
    ]
    return {"type": "FeatureCollection", "features": features}


BODY: dict[str, Any] = {
    "features": collection(AREA, POINT), "urls": ["file:///fact.tif", "file:///fact.tif"],
    "stats": ["mean", "count", "freq_hist"],
}  # fmt: skip


def test_geojson(service: Served) -> None:
    """A feature for each area and raster, in that order, with its own properties too."""
    answer = service.ask(BATCH, BODY)
    assert answer.headers["content-type"] == "application/geo+json"
    told = answer.json()["features"]
    assert [one["id"] for one in told] == ["f0", "f1", "f0", "f1"]
    assert [one["properties"]["crop"] for one in told] == [0, 1, 0, 1]
    first = told[0]["properties"]
    assert first["band_1_mean"] == pytest.approx(4.6)
    assert first["band_1_freq_hist"] == {"3": 2, "4": 2, "5": 4, "6": 2}
    assert first["aoi_area"] == pytest.approx(7_724_123, abs=0.5)
    assert first["status"] == "ok"
    assert shapely.geometry.shape(told[1]["geometry"]).equals(shapely.Point(-0.1409, 51.5195))


def test_rows_are_what_single_questions_give(service: Served) -> None:
    """To the bit."""
    rows = service.ask(BATCH, {**BODY, "stats": ["mean", "std", "p90"]}).json()["features"]
    for shape, row in zip((AREA, POINT), rows, strict=False):
        names = ["mean", "std", "p90"]
        body = {"aoi": shape, "url": "file:///fact.tif", "stats": names}
        (alone,) = service.answer(RASTER, body).values()
        assert [row["properties"][f"band_1_{name}"] for name in names] == [
            alone[name] for name in names
        ]


def test_arrow(service: Served) -> None:
    """A batch for each raster."""
    answer = service.ask(BATCH, BODY, {"accept": "application/vnd.apache.arrow.stream"})
    with pa.ipc.open_stream(answer.content) as stream:
        batches = list(stream)
    assert [batch.num_rows for batch in batches] == [2, 2]
    assert batches[0]["band_1_count"].to_pylist() == [10, 1]
    assert batches[0]["id"].to_pylist() == ["f0", "f1"]


def test_geoparquet(service: Served) -> None:
    """As geopandas reads it, in the CRS of GeoJSON."""
    answer = service.ask(BATCH, BODY, {"accept": "application/vnd.apache.parquet"})
    frame = geopandas.read_parquet(io.BytesIO(answer.content))
    assert frame.crs == "OGC:CRS84"
    assert frame["band_1_mean"].tolist() == pytest.approx([4.6, 4, 4.6, 4])
    assert frame.geometry.iloc[0].equals(shapely.geometry.shape(AREA))


@pytest.mark.parametrize("kind", ["geo+json", "vnd.apache.arrow.stream", "vnd.apache.parquet"])
def test_a_raster_that_cannot_be_read(service: Served, kind: str) -> None:
    """Its rows have no figures, and say why; those of the others are whole."""
    urls = ["file:///none.tif", "file:///fact.tif", "ftp://example.org/a.tif"]
    answer = service.ask(BATCH, {**BODY, "urls": urls}, {"accept": f"application/{kind}"})
    assert answer.status_code == 200
    rows = _rows(answer.content, kind)
    assert [row["status"] for row in rows] == ["failed"] * 2 + ["ok"] * 2 + ["failed"] * 2
    assert "no such file" in rows[0]["error"]
    assert "ftp" in rows[4]["error"]
    assert rows[2]["band_1_count"] == 10


def test_a_raster_that_takes_too_long(root: Path) -> None:
    """Its rows say so; those after it are whole, and nothing is cut off."""
    with silent() as silence:
        host = f"127.0.0.1:{silence.port}"
        settings = Settings(root=root, workers=2, rate=0, seconds=3, private=(host,))
        with serving(settings) as served:
            urls = [f"http://{host}/a.tif", "file:///fact.tif"]
            rows = _rows(served.ask(BATCH, {**BODY, "urls": urls}).content, "geo+json")
    assert [row["status"] for row in rows] == ["failed"] * 2 + ["ok"] * 2
    assert "no answer in 3 s" in rows[0]["error"]
    assert rows[0]["aoi_area"] == rows[2]["aoi_area"]


def test_a_batch_is_one_question(root: Path) -> None:
    """However many rasters it has: it is not refused by its own calls."""
    with serving(Settings(root=root, workers=1, at_once=1, seconds=120)) as served:
        body = {**BODY, "urls": ["file:///fact.tif", "http://[::1/x", "file:///fact.tif"]}
        rows = _rows(served.ask(BATCH, body).content, "geo+json")
    assert [row["status"] for row in rows] == ["ok"] * 2 + ["failed"] * 2 + ["ok"] * 2


def test_one_area_of_many_values(service: Served, root: Path) -> None:
    """Counts of each value are refused of the area that has too many; its neighbour has its own."""
    with rasterio.open(root / "fact.tif") as file:
        place = from_bounds(*file.bounds, 100, 100)
    with rasterio.open(
        root / "values.tif", "w", driver="GTiff", width=100, height=100, count=1, dtype="uint16",
        crs="EPSG:4326", transform=place,
    ) as file:  # fmt: skip
        file.write(np.arange(10_000, dtype="uint16").reshape(1, 100, 100))
    rows = _rows(service.ask(BATCH, {**BODY, "urls": ["file:///values.tif"]}).content, "geo+json")
    assert [row["status"] for row in rows] == ["failed", "ok"]
    assert rows[1]["band_1_count"] == 1


@pytest.mark.parametrize("kind", ["geo+json", "vnd.apache.arrow.stream"])
def test_properties_that_are_no_json(service: Served, kind: str) -> None:
    """NaN, which many write for what is missing, comes back as null."""
    feature = {"type": "Feature", "geometry": POINT, "properties": {"a": [1, math.nan]}}
    features = {"type": "FeatureCollection", "features": [feature]}
    content = json.dumps({**BODY, "features": features}).encode()
    headers = {"accept": f"application/{kind}", "content-type": "application/json"}
    (row, _) = _rows(service.client.post(BATCH, content=content, headers=headers).content, kind)
    told = row["a"] if kind == "geo+json" else json.loads(row["properties"])["a"]
    assert told == [1, None]


def _rows(content: bytes, kind: str) -> list[dict[str, Any]]:
    if kind == "geo+json":
        return [one["properties"] for one in json.loads(content)["features"]]
    if kind.endswith("parquet"):
        found: list[dict[str, Any]] = geopandas.read_parquet(io.BytesIO(content)).to_dict("records")
        return found
    with pa.ipc.open_stream(content) as stream:
        rows: list[dict[str, Any]] = stream.read_all().to_pylist()
    return rows


@pytest.fixture(scope="module")
def small(root: Path) -> Iterator[Served]:
    """A service that takes small batches."""
    with serving(Settings(root=root, workers=1, features=2, items=2)) as served:
        yield served


REFUSED: dict[str, tuple[dict[str, Any], int]] = {
    "too many features": ({"features": collection(AREA, AREA, AREA)}, 413),
    "too many rasters": ({"urls": ["file:///fact.tif"] * 3}, 413),
    "no feature": ({"features": collection()}, 422),
    "no raster": ({"urls": []}, 422),
    "rasters and items": ({"items": ["file:///item.json"]}, 422),
    "a feature beyond the Earth": (
        {"features": collection(AREA, {"type": "Point", "coordinates": [0, 91]})},
        400,
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(small: Served, name: str) -> None:
    """Before the first row."""
    changed, status = REFUSED[name]
    answer = small.ask(BATCH, {**BODY, **changed})
    assert answer.status_code == status, answer.text[:300]
    assert list(answer.json()) == ["detail"]
