"""A STAC API on loopback whose answers can be spoilt, one by one."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

Fault = Callable[[BaseHTTPRequestHandler, bytes], None]
"""Answers a search in place of the API; it is given the answer that would be right."""


@dataclass
class FaultyApi:
    """Items in pages, and faults that come before them."""

    items: list[dict[str, Any]] = field(default_factory=list)
    page: int = 10
    faults: list[Fault] = field(default_factory=list)
    """What the next searches meet, each once."""
    methods: tuple[str, ...] = ("GET", "POST")
    conforms_to: tuple[str, ...] = ("https://api.stacspec.org/v1.0.0/item-search",)
    asked: list[dict[str, Any]] = field(default_factory=list)
    """The parameters of each search that was answered or spoilt."""
    url: str = ""

    def landing(self) -> dict[str, Any]:
        """The landing page."""
        searches = [
            {"rel": "search", "href": f"{self.url}/search", "method": method}
            for method in self.methods
        ]
        return {
            "type": "Catalog", "stac_version": "1.0.0", "id": "faulty", "description": "faulty",
            "conformsTo": list(self.conforms_to),
            "links": [*searches, {"rel": "data", "href": f"{self.url}/collections"}],
        }  # fmt: skip

    def found(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """A page of items; no parameter but the page's number is heeded."""
        at = int(parameters.get("token", 0))
        document: dict[str, Any] = {
            "type": "FeatureCollection", "features": list(self.items[at : at + self.page]),
            "links": [],
        }  # fmt: skip
        if at + self.page < len(self.items):
            document["links"] = [self._next(parameters | {"token": at + self.page})]
        return document

    def _next(self, parameters: dict[str, Any]) -> dict[str, Any]:
        if "POST" in self.methods:
            link = {"method": "POST", "body": parameters, "href": f"{self.url}/search"}
        else:
            link = {"href": f"{self.url}/search?token={parameters['token']}"}
        return {"rel": "next", "type": "application/geo+json", **link}


def status(code: int, **headers: str) -> Fault:
    """An answer of a status."""

    def answer(handler: BaseHTTPRequestHandler, _: bytes) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "4")
        handler.end_headers()
        handler.wfile.write(b"busy")

    return answer


def reset(handler: BaseHTTPRequestHandler, _: bytes) -> None:
    """The connection is reset before anything is said."""
    linger = struct.pack("ii", 1, 0)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    handler.connection.close()


def cut_short(handler: BaseHTTPRequestHandler, right: bytes) -> None:
    """Half of the right page, which is no JSON then."""
    _send(handler, right[: len(right) // 2])


def changed(change: Callable[[dict[str, Any]], None]) -> Fault:
    """The right page with something changed in it."""

    def answer(handler: BaseHTTPRequestHandler, right: bytes) -> None:
        document = json.loads(right)
        change(document)
        _send(handler, json.dumps(document).encode())

    return answer


def _send(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


@contextmanager
def served(api: FaultyApi) -> Iterator[FaultyApi]:
    """The API at a free port; it stops with the block."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            """The landing page, collections, or a search."""
            parts = urlsplit(self.path)
            if parts.path == "/search":
                self._search({key: values[0] for key, values in parse_qs(parts.query).items()})
            elif parts.path == "/collections":
                known = sorted({str(item["collection"]) for item in api.items})
                documents = [_collection(name) for name in known]
                _send(self, json.dumps({"collections": documents, "links": []}).encode())
            else:
                _send(self, json.dumps(api.landing()).encode())

        def do_POST(self) -> None:
            """A search."""
            length = int(self.headers["Content-Length"])
            self._search(json.loads(self.rfile.read(length)))

        def _search(self, parameters: dict[str, Any]) -> None:
            api.asked.append(parameters)
            right = json.dumps(api.found(parameters)).encode()
            with suppress(ConnectionError):
                (api.faults.pop(0) if api.faults else _send)(self, right)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        api.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield api
        finally:
            server.shutdown()
            thread.join()


def _collection(name: str) -> dict[str, Any]:
    extent = {
        "spatial": {"bbox": [[-180, -90, 180, 90]]}, "temporal": {"interval": [[None, None]]},
    }  # fmt: skip
    return {
        "type": "Collection", "stac_version": "1.0.0", "id": name, "description": name,
        "license": "CC0-1.0", "extent": extent, "links": [],
    }  # fmt: skip
