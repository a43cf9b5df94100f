"""A server of files that drops, delays, truncates and fails some of its requests."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

__all__ = ["Shaky", "shaking"]

FAULTS = ("drop", "delay", "truncate", "500", "503", "429")


@dataclass
class Shaky:
    """The files of a folder, and how they are served."""

    folder: Path
    share: float = 0.1
    """Of requests that something happens to."""
    rng: random.Random = field(default_factory=lambda: random.Random(5))
    seen: Counter[str] = field(default_factory=Counter)
    """What has happened, how often; ``well`` if nothing did."""
    port: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        """Where the files lie."""
        return f"http://127.0.0.1:{self.port}"

    def fault(self) -> str:
        """What happens to the next request."""
        with self._lock:
            struck = self.rng.random() < self.share
            kind = self.rng.choice(FAULTS) if struck else "well"
            self.seen[kind] += 1
            return kind


@contextmanager
def shaking(server: Shaky) -> Iterator[Shaky]:
    """The server, reachable until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def _answer(self, *, with_body: bool) -> None:
            kind = server.fault()
            if kind == "drop":
                self.close_connection = True
                self.connection.close()
                return
            if kind == "delay":
                time.sleep(1.5)
            if kind.isdigit():
                self._say(int(kind), b"", None, with_body=with_body, cut=False)
                return
            self._send(with_body=with_body, cut=kind == "truncate")

        def _send(self, *, with_body: bool, cut: bool) -> None:
            file = server.folder / self.path.lstrip("/")
            if not file.is_file():
                self._say(404, b"", None, with_body=with_body, cut=False)
                return
            content, wanted = file.read_bytes(), self.headers.get("Range")
            if wanted is None:
                self._say(200, content, None, with_body=with_body, cut=cut)
                return
            first, last = wanted.removeprefix("bytes=").split("-")
            start, stop = int(first), min(int(last or len(content)) + 1, len(content))
            told = f"bytes {start}-{stop - 1}/{len(content)}"
            self._say(206, content[start:stop], told, with_body=with_body, cut=cut)

        def _say(
            self, status: int, body: bytes, part: str | None, *, with_body: bool, cut: bool
        ) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Accept-Ranges", "bytes")
            if part is not None:
                self.send_header("Content-Range", part)
            self.end_headers()
            if with_body:
                self.wfile.write(body[: len(body) // 2] if cut else body)
            if cut:
                self.close_connection = True

        def log_message(self, *args: object) -> None:
            """Keep silent."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Who is dropped is not told of."""

    served = Server(("127.0.0.1", 0), Handler)
    server.port = served.server_address[1]
    thread = threading.Thread(target=served.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        served.shutdown()
        served.server_close()
        thread.join()
