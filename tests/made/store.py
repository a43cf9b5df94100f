"""A store of files on loopback that answers ranges to those alone whom it lets in.

It is asked directly, as a proxy (so that files can have the address of a real host), or as S3.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

__all__ = ["Asked", "Store", "serving"]

DENIED = b"""<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"""
"""How S3 refuses."""

LATE = 1.5
"""Seconds by which an answer is delayed."""


@dataclass(frozen=True)
class Asked:
    """One request."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """By lower-case name."""


@dataclass
class Store:
    """The files of a folder, and who may read them."""

    folder: Path
    refusal: Callable[[Asked], int | None] = lambda asked: None
    """The status that a request is refused with; None lets it in."""
    advice: Mapping[str, str] = field(default_factory=dict)
    """Headers of each refusal, such as Retry-After."""
    pages: dict[str, Callable[[Asked], tuple[int, bytes]]] = field(default_factory=dict)
    """What is answered below a path that begins so, beside the files."""
    log: list[tuple[Asked, int]] = field(default_factory=list)
    """Every request with the status of its answer."""
    delay: float = 0.0
    """Seconds before each answer."""
    fault: Callable[[], str] = lambda: ""
    """What befalls the next answer: ``drop``, ``delay``, ``truncate``, a status, or nothing."""
    redirects: dict[str, str] = field(default_factory=dict)
    """Path -> where the client is sent from there."""
    port: int = 0
    scheme: str = "http"

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Where the files lie."""
        return f"{self.scheme}://{self.address}"

    def statuses(self, start: str = "/") -> list[int]:
        """Of the answers below a path, in order."""
        return [status for asked, status in self.log if asked.path.startswith(start)]

    def answer(self, asked: Asked) -> tuple[int, bytes, str | None]:
        """Status, body, and Content-Range of a part."""
        for start, page in self.pages.items():
            if asked.path.startswith(start):
                return *page(asked), None
        if asked.path in self.redirects:
            return 302, b"", None
        status = self.refusal(asked)
        if status is not None:
            return status, DENIED, None
        file = self.folder / asked.path.lstrip("/")
        if not file.is_file():
            return 404, b"", None
        return self._part(file.read_bytes(), asked.headers.get("range"))

    def _part(self, content: bytes, wanted: str | None) -> tuple[int, bytes, str | None]:
        if wanted is None:
            return 200, content, None
        first, last = wanted.removeprefix("bytes=").split("-")
        start, stop = int(first), min(int(last) + 1 if last else len(content), len(content))
        return 206, content[start:stop], f"bytes {start}-{stop - 1}/{len(content)}"


@contextmanager
def serving(store: Store, certificate: Path | None = None) -> Iterator[Store]:
    """The store, reachable until the end of the block; by https with a certificate and its key."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def _answer(self, *, with_body: bool) -> None:
            fault = store.fault()
            if fault == "drop":
                self.close_connection = True
                self.connection.close()
                return
            url = urlsplit(self.path)  # absolute where we are asked as a proxy
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(url.path, dict(parse_qsl(url.query)), headers)
            time.sleep(LATE if fault == "delay" else store.delay)
            answer = (int(fault), b"", None) if fault.isdigit() else store.answer(asked)
            status, body, part = answer
            store.log.append((asked, status))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Accept-Ranges", "bytes")
            if part is not None:
                self.send_header("Content-Range", part)
            if status == 302:
                self.send_header("Location", store.redirects[asked.path])
            for name, value in store.advice.items() if status >= 400 else ():
                self.send_header(name, value)
            self.end_headers()
            cut = fault == "truncate"
            if with_body:
                self.wfile.write(body[: len(body) // 2] if cut else body)
            self.close_connection |= cut

        def log_message(self, *args: object) -> None:
            """Keep silent."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Who is dropped is not told of."""

    server = Server(("127.0.0.1", 0), Handler)
    store.port = server.server_address[1]
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, True, do_handshake_on_connect=False)
        store.scheme = "https"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield store
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
