"""Whole files: up to a size, and by a right that goes to no other host."""

from __future__ import annotations

import errno
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from zonalbatch.sources.access import Grant
from zonalbatch.sources.whole import read_whole


@contextmanager
def answering(location: str = "") -> Iterator[tuple[str, list[str]]]:
    """A server's address, and the rights that it was asked with; it may send on to another one."""
    heard: list[str] = []

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.headers.get("Authorization", ""))
            self.send_response(302 if location else 200)
            if location:
                self.send_header("Location", location)
            if self.path == "/cut":
                self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b"0123456789")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", heard
        server.shutdown()
        thread.join()


def test_rights_go_to_no_other_host() -> None:
    """Headers of a grant are sent to the host that was named, not to where it sends us on."""
    options = {"GDAL_HTTP_HEADERS": "Authorization: Bearer secret"}
    with answering() as (other, heard), answering(f"{other}/a") as (first, asked):
        assert read_whole(Grant(f"{first}/a", options)) == b"0123456789"
    assert asked == ["Bearer secret"]
    assert heard == [""]


def test_sizes(tmp_path: Path) -> None:
    """A file that is larger is an error of its own, wherever it lies."""
    (tmp_path / "a").write_bytes(b"0123456789")
    with answering() as (url, _):
        for href in (str(tmp_path / "a"), f"{url}/a"):
            assert read_whole(Grant(href), 10) == b"0123456789"
            with pytest.raises(OSError, match="larger than 9 bytes") as error:
                read_whole(Grant(href), 9)
            assert error.value.errno == errno.EFBIG


def test_what_is_cut_short() -> None:
    """An answer that ends early is no file."""
    with answering() as (url, _), pytest.raises(OSError, match="connection was closed"):
        read_whole(Grant(f"{url}/cut"))
