"""What the service answers where there are no numbers: a status, and a sentence in `detail`."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import rasterio
import shapely
from rasterio.transform import from_origin

from tests.made.service import AREA, RASTER, Served, serving, write_fact
from tests.made.silence import silent
from zonalbatch.service.settings import Settings

FACT = {"aoi": AREA, "url": "file:///fact.tif"}
KEY = {"X-API-Key": "open sesame"}


@pytest.fixture(scope="module")
def strict(root: Path) -> Iterator[Served]:
    """A service that allows little, and wants a key."""
    limits: dict[str, Any] = {
        "area": 10, "pixels": 50, "vertices": 20, "body": 4096, "upload_seconds": 1,
        "seconds": 120,
    }  # fmt: skip
    keys: Any = "other, open sesame"
    with serving(Settings(root=root, workers=1, rate=40, keys=keys, **limits)) as served:
        served.client.headers.update(KEY)
        yield served


def refused(answer: httpx.Response, status: int) -> str:
    """The sentence of a refusal."""
    assert answer.status_code == status, answer.text[:500]
    assert list(answer.json()) == ["detail"]
    detail = answer.json()["detail"]
    text = detail if isinstance(detail, str) else json.dumps(detail)
    assert "Traceback" not in text
    assert "/tmp" not in text
    return text


SHAPES = {
    "no polygon": ({"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 0], [0, 0]]]}, "empty"),
    "beyond": ({"type": "Point", "coordinates": [200, 0]}, "beyond the Earth"),
    "too short": ({"type": "Polygon", "coordinates": [[[0, 0, 0], [1], [1, 1], [0, 0]]]}, ""),
    "mixed": ({"type": "Polygon", "coordinates": [[[0, 0, 1], [1, 0], [1, 1], [0, 0]]]}, ""),
}


@pytest.mark.parametrize("name", SHAPES)
def test_areas_that_are_none(service: Served, name: str) -> None:
    """400, or 422 where the body itself is not valid."""
    aoi, said = SHAPES[name]
    answer = service.ask(RASTER, {**FACT, "aoi": aoi})
    assert said in refused(answer, 422 if name == "too short" else 400)


def test_files_that_are_none(service: Served, root: Path) -> None:
    """400 of what is not there or cannot be used, 415 of what is no raster."""
    (root / "text.tif").write_text("no raster at all " * 100)
    (root / "cut.tif").write_bytes((root / "fact.tif").read_bytes()[:100])
    (root / "empty.tif").touch()
    with rasterio.open(root / "fact.tif") as file:
        profile = {**file.profile, "crs": None, "transform": from_origin(0, 0, 2, 2)}
    with rasterio.open(root / "nocrs.tif", "w", **profile) as file:
        file.write(np.ones((1, 10, 10), "uint8"))
    for name, status in (("text", 415), ("empty", 415), ("cut", 400), ("nocrs", 400), ("no", 400)):
        refused(service.ask(RASTER, {**FACT, "url": f"file:///{name}.tif"}), status)
    assert "band" in refused(service.ask(RASTER, {**FACT, "bands": [1, 2]}), 400)


@pytest.mark.parametrize("link", ["http://[::1/x", "http://a]b/x", "http://a\u2100b/x"])
def test_links_that_are_none(service: Served, link: str) -> None:
    """400, not a fault."""
    refused(service.ask(RASTER, {**FACT, "url": link}), 400)


@pytest.mark.parametrize("kind", ["", "application/x-www-form-urlencoded", "text/plain"])
def test_a_body_that_does_not_say_that_it_is_json(service: Served, kind: str) -> None:
    """415, with what to send: curl says something else by itself."""
    headers = {"content-type": kind} if kind else {}
    answer = service.client.post(RASTER, content=json.dumps(FACT).encode(), headers=headers)
    assert "Content-Type: application/json" in refused(answer, 415)


@pytest.mark.parametrize("driver", ["HFA", "ENVI", "GPKG"])
def test_other_formats(service: Served, root: Path, driver: str) -> None:
    """415: GDAL would read them, but some of them name further files."""
    with rasterio.open(root / "fact.tif") as file:
        profile, values = file.profile, file.read()
    with rasterio.open(
        root / f"{driver}.tif", "w", driver=driver, width=10, height=10, count=1, dtype="uint8",
        crs=profile["crs"], transform=profile["transform"],
    ) as file:  # fmt: skip
        file.write(values)
    refused(service.ask(RASTER, {**FACT, "url": f"file:///{driver}.tif"}), 415)


@pytest.mark.parametrize("name", ["vrt", "tif"])
def test_files_that_open_others(service: Served, root: Path, name: str) -> None:
    """A VRT is no GeoTIFF, whatever it is called: nothing that it names is opened."""
    text = (
        '<VRTDataset rasterXSize="10" rasterYSize="10"><SRS>EPSG:4326</SRS>'
        "<GeoTransform>-0.16, 0.006, 0, 51.53, 0, -0.003</GeoTransform>"
        '<VRTRasterBand dataType="Byte" band="1"><SimpleSource><SourceFilename>'
        f"{root / 'fact.tif'}</SourceFilename><SourceBand>1</SourceBand></SimpleSource>"
        "</VRTRasterBand></VRTDataset>"
    )
    (root / f"virtual.{name}").write_text(text)
    refused(service.ask(RASTER, {**FACT, "url": f"file:///virtual.{name}"}), 415)


BODIES: dict[str, dict[str, Any]] = {
    "no statistic": {"stats": []},
    "an unknown statistic": {"stats": ["mean", "meen"]},
    "no percentile": {"stats": ["p101"]},
    "no number": {"stats": ["p1e"]},
    "no bands": {"bands": []},
    "band 0": {"bands": [0]},
    "an unknown rule": {"coverage": "half"},
    "an unknown key": {"statistics": ["mean"]},
    "no area": {"aoi": None},
    "a line": {"aoi": {"type": "LineString", "coordinates": [[0, 0], [1, 1]]}},
    "a radius of a polygon": {"aoi": {**AREA, "radius": 5}},
    "a radius below 0": {"aoi": {"type": "Point", "coordinates": [0, 0], "radius": -1}},
    "no link": {"url": ""},
    "a number for a link": {"url": 1},
}


@pytest.mark.parametrize("name", BODIES)
def test_bodies_that_are_not_valid(service: Served, name: str) -> None:
    """422, with what is wrong where; a statistic is named."""
    text = refused(service.ask(RASTER, {**FACT, **BODIES[name]}), 422)
    if name == "an unknown statistic":
        assert "'meen'" in text
        assert "'mean'" not in text


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"aoi": NaN}'])
def test_what_is_no_json(service: Served, content: bytes) -> None:
    """422 as well."""
    answer = service.client.post(
        RASTER, content=content, headers={"content-type": "application/json"}
    )
    refused(answer, 422)


def test_what_is_no_text(service: Served) -> None:
    """400, which FastAPI says of it."""
    headers = {"content-type": "application/json"}
    refused(service.client.post(RASTER, content=b"\xff", headers=headers), 400)


def test_freq_hist_of_many_values(service: Served, root: Path) -> None:
    """A statistic that cannot be told is named, not left out."""
    values = np.random.default_rng(1).normal(size=(1, 100, 100)).astype("float32")
    with rasterio.open(
        root / "noise.tif", "w", driver="GTiff", width=100, height=100, count=1, dtype="float32",
        crs="EPSG:4326", transform=from_origin(-0.16, 51.53, 0.0005, 0.0005),
    ) as file:  # fmt: skip
        file.write(values)
    body = {**FACT, "url": "file:///noise.tif", "stats": ["mean", "freq_hist"]}
    assert "freq_hist" in refused(service.ask(RASTER, body), 422)


class TestLimits:
    """What is too much: 413, and what would be less."""

    def test_area(self, strict: Served) -> None:
        """Square kilometres; overviews may be read of any area."""
        aoi = shapely.geometry.mapping(shapely.box(-1, 51, 0, 52))
        assert "km²" in refused(strict.ask(RASTER, {**FACT, "aoi": aoi}), 413)
        assert strict.ask(RASTER, {**FACT, "aoi": aoi, "approx_stats": True}).status_code == 200

    def test_pixels(self, strict: Served) -> None:
        """Of the box around the area, within the raster."""
        assert "pixels" in refused(strict.ask(RASTER, FACT), 413)
        aoi = shapely.geometry.mapping(shapely.box(-0.16, 51.5, -0.14, 51.52))
        assert strict.ask(RASTER, {**FACT, "aoi": aoi}).status_code == 200

    def test_vertices(self, strict: Served) -> None:
        """Of the area."""
        ring = shapely.Point(-0.13, 51.51).buffer(0.005, quad_segs=8)
        aoi = shapely.geometry.mapping(ring)
        assert "vertices" in refused(strict.ask(RASTER, {**FACT, "aoi": aoi}), 413)

    def test_body(self, strict: Served) -> None:
        """Bytes, told before or not."""
        body = json.dumps({**FACT, "url": "file:///" + "a" * 4096}).encode()
        headers = {"content-type": "application/json"}
        refused(strict.client.post(RASTER, content=body, headers=headers), 413)
        parts = (body[i : i + 1000] for i in range(0, len(body), 1000))
        refused(strict.client.post(RASTER, content=parts, headers=headers), 413)

    def test_slow_body(self, strict: Served) -> None:
        """A body that does not come is not waited for."""
        host, _, port = strict.url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port))) as connection:
            head = f"POST {RASTER} HTTP/1.1\r\nHost: x\r\nX-API-Key: open sesame\r\n"
            connection.sendall(f"{head}Content-Length: 100\r\n\r\n{{".encode())
            connection.settimeout(20)
            assert connection.recv(20).startswith(b"HTTP/1.1 408")


def test_time(root: Path) -> None:
    """504 of what takes too long; then another process answers, once it has begun."""
    point = {"aoi": {"type": "Point", "coordinates": [-0.1409, 51.5195]}, "url": "file:///fact.tif"}
    with silent() as silence:
        host = f"127.0.0.1:{silence.port}"
        settings = Settings(root=root, workers=1, rate=0, seconds=2, private=(host,))
        with serving(settings) as served:
            refused(served.ask(RASTER, {**FACT, "url": f"http://{host}/a.tif"}), 504)
            assert silence.calls
            answers = (served.ask(RASTER, point).status_code for _ in range(30))
            assert 200 in answers


class TestEntry:
    """Who may ask, and how often."""

    def test_keys(self, strict: Served) -> None:
        """One of the keys, and nothing else, opens what is under /api; the rest is for all."""
        for key in ("", "open", "open sesame!", "OTHER"):
            answer = httpx.post(f"{strict.url}{RASTER}", json=FACT, headers={"X-API-Key": key})
            refused(answer, 401)
        assert httpx.get(f"{strict.url}/health").status_code == 200
        assert strict.ask(RASTER, {}, {"X-API-Key": "other"}).status_code == 422

    def test_rate(self, root: Path) -> None:
        """So many a minute of each key; another's are not counted."""
        keys: Any = "a,b"
        with serving(Settings(root=root, workers=1, rate=3, keys=keys)) as served:
            statuses = [served.ask(RASTER, {}, {"X-API-Key": "a"}).status_code for _ in range(5)]
            assert sorted(statuses) == [422, 422, 422, 429, 429]
            answer = served.ask(RASTER, {}, {"X-API-Key": "a"})
            assert "requests in a minute" in refused(answer, 429)
            assert int(answer.headers["retry-after"]) > 0
            assert served.ask(RASTER, {}, {"X-API-Key": "b"}).status_code == 422


def test_a_source_that_cannot_be_reached(service: Served, closed_port: int) -> None:
    """502, as it may be there later."""
    refused(service.ask(RASTER, {**FACT, "url": f"http://127.0.0.1:{closed_port}/a.tif"}), 502)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "169.254.169.254"]
)
def test_hosts_that_may_not_be_reached(service: Served, host: str) -> None:
    """400, and what lies there is not told (test_egress.py has the whole table of attacks)."""
    text = refused(service.ask(RASTER, {**FACT, "url": f"http://{host}/a.tif"}), 400)
    assert "may not be reached" in text


def test_paths_and_methods(service: Served) -> None:
    """404 and 405 in the same form."""
    refused(service.client.get("/api/v1/nothing"), 404)
    refused(service.client.get(RASTER), 405)


def test_a_large_header_is_not_read_whole(service: Served, root: Path) -> None:
    """A TIFF that says of its directory that it has two thousand million tiles is refused soon."""
    tags = [
        (256, 4, 1, 2**31 - 1), (257, 4, 1, 2**31 - 1), (258, 3, 1, 8), (259, 3, 1, 1),
        (262, 3, 1, 1), (277, 3, 1, 1), (322, 4, 1, 16), (323, 4, 1, 16),
        (324, 4, 2**31 - 1, 8), (325, 4, 2**31 - 1, 8),
    ]  # fmt: skip
    import struct

    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    head = struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + entries + bytes(4)
    with open(root / "vast.tif", "wb") as file:
        file.write(head)
        file.truncate(2 * 2**30)  # sparse: the bytes that it claims are there
    began = time.monotonic()
    answer = service.ask(RASTER, {**FACT, "url": "file:///vast.tif"})
    assert answer.status_code in (400, 413, 415)
    assert time.monotonic() - began < 20
    assert service.answer(RASTER, FACT)["band_1"]["count"] == 10


def test_many_vertices(service: Served) -> None:
    """A polygon of a million vertices is refused by the size of its body, unread."""
    turn = np.linspace(0, 2 * np.pi, 1_000_000)
    aoi = shapely.geometry.mapping(shapely.Polygon(np.stack([np.cos(turn), np.sin(turn)], 1)))
    refused(service.ask(RASTER, {**FACT, "aoi": aoi}), 413)


def test_write_fact_is_what_it_says(tmp_path: Path) -> None:
    """The raster of these tests is the one of the fact."""
    write_fact(tmp_path / "fact.tif")
    with rasterio.open(tmp_path / "fact.tif") as file:
        assert file.bounds == pytest.approx((-0.16, 51.50, -0.10, 51.53))
        assert int(file.read().sum()) == 46
