"""One area on an asset of a STAC item."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.made.service import AREA, RASTER, Served

STAC = f"{RASTER}/stac"


def write_item(root: Path, name: str, assets: dict[str, Any], **keys: Any) -> str:
    """An item below the root; its link."""
    item = {
        "type": "Feature", "stac_version": "1.1.0", "id": name, "geometry": AREA, "links": [],
        "properties": {"datetime": "2024-05-01T10:00:00Z"}, "bbox": [-0.16, 51.5, -0.11, 51.52],
        "assets": assets, **keys,
    }  # fmt: skip
    (root / f"{name}.json").write_text(json.dumps(item))
    return f"file:///{name}.json"


TIFF = "image/tiff; application=geotiff; profile=cloud-optimized"


def test_first_raster(service: Served, root: Path) -> None:
    """The first asset that is a raster of data is asked about; relative links are the item's."""
    assets = {
        "thumbnail": {"href": "./thumb.tif", "type": TIFF, "roles": ["thumbnail"]},
        "metadata": {"href": "./a.xml", "type": "application/xml"},
        "values": {"href": "./fact.tif", "type": TIFF, "roles": ["data"]},
    }
    url = write_item(root, "first", assets)
    told = service.answer(STAC, {"aoi": AREA, "url": url})
    assert told == service.answer(RASTER, {"aoi": AREA, "url": "file:///fact.tif"})


def test_scale_of_the_item(service: Served, root: Path) -> None:
    """Scale and offset are the item's where it says any."""
    bands = [{"scale": 0.5, "offset": 1, "data_type": "uint8", "nodata": 0}]
    url = write_item(
        root, "scaled", {"v": {"href": "./fact.tif", "type": TIFF, "raster:bands": bands}}
    )
    told = service.answer(STAC, {"aoi": AREA, "url": url, "asset": "v"})
    assert told["band_1"]["mean"] == pytest.approx(4.6 * 0.5 + 1)


def test_an_asset_by_name(service: Served, root: Path) -> None:
    """One that there is not is refused with those that there are."""
    url = write_item(root, "named", {"v": {"href": "./fact.tif", "type": TIFF}})
    answer = service.ask(STAC, {"aoi": AREA, "url": url, "asset": "w"})
    assert answer.status_code == 400
    assert "it has v" in answer.json()["detail"]


@pytest.mark.parametrize(
    "href",
    ["/etc/passwd", "../outside.tif", "file:///etc/passwd", "/vsicurl/http://127.0.0.1/a.tif",
     "vrt://fact.tif", "ftp://example.org/a.tif", "gs://bucket/a.tif"],
)  # fmt: skip
def test_items_lead_nowhere_else(service: Served, root: Path, href: str) -> None:
    """What an item names has to be what a question may name."""
    (root.parent / "outside.tif").write_bytes((root / "fact.tif").read_bytes())
    url = write_item(root, "leading", {"v": {"href": href, "type": TIFF}})
    answer = service.ask(STAC, {"aoi": AREA, "url": url, "asset": "v"})
    assert answer.status_code == 400, answer.text[:300]
    assert "root:" not in answer.text


DOCUMENTS = {
    "a collection": json.dumps({"type": "Collection", "links": [{"rel": "item", "href": "x"}]}),
    "a list": "[]",
    "no JSON": "<html>",
    "deep": "[" * 100_000,
    "no assets": json.dumps({"type": "Feature", "id": "a", "properties": {}, "links": []}),
    "no raster": json.dumps(
        {"type": "Feature", "stac_version": "1.0.0", "id": "a", "geometry": None, "links": [],
         "properties": {"datetime": "2024-05-01T10:00:00Z"},
         "assets": {"a": {"href": "a.xml", "type": "application/xml"}}}
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_that_are_no_items(service: Served, root: Path, name: str) -> None:
    """Nothing is followed; 400 says what is missing."""
    (root / "none.json").write_text(DOCUMENTS[name])
    answer = service.ask(STAC, {"aoi": AREA, "url": "file:///none.json"})
    assert answer.status_code == 400, answer.text[:300]


def test_an_item_that_is_not_there(service: Served) -> None:
    """As a raster that is not."""
    assert service.ask(STAC, {"aoi": AREA, "url": "file:///gone.json"}).status_code == 400


@pytest.fixture
def answering(closed_port: int, root: Path) -> Iterator[str]:
    """The link of an item that is made as it is asked for: in pieces, without size or ranges."""
    url = write_item(root, "made", {"v": {"href": "./fact.tif", "type": TIFF}})
    item = json.loads((root / url.removeprefix("file:///")).read_text())
    item["assets"]["v"]["href"] = f"http://127.0.0.1:{closed_port}/fact.tif"
    text, raster = json.dumps(item).encode(), (root / "fact.tif").read_bytes()

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200)
            if self.path == "/huge":
                self._pieces(b" " * 2**20 for _ in range(32))
            elif self.path == "/item":
                self._pieces([text[:50], text[50:]])
            else:
                self.send_header("Content-Length", str(len(raster)))
                self.end_headers()
                self.wfile.write(raster)

        def do_HEAD(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(raster)))
            self.end_headers()

        def _pieces(self, pieces: Iterable[bytes]) -> None:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            with suppress(ConnectionError):
                for piece in [*pieces, b""]:
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", closed_port), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{closed_port}"
        server.shutdown()
        thread.join()


def test_items_that_are_made_as_they_are_asked_for(service: Served, answering: str) -> None:
    """Services of STAC tell no size and know no ranges; 413 of what does not end."""
    told = service.answer(STAC, {"aoi": AREA, "url": f"{answering}/item"})
    assert told["band_1"]["count"] == 10
    answer = service.ask(STAC, {"aoi": AREA, "url": f"{answering}/huge"})
    assert answer.status_code == 413, answer.text[:300]
