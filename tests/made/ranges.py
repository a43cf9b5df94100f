"""A server of files by ranges, in a process of its own, with a delay before each answer; it counts.

GET /a.tif            the file, or the range of it that is asked for
GET /-/counts         what was asked for since the last time, as JSON; then it counts anew
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Server", "serving_ranges"]


@dataclass
class Counts:
    """What was asked for."""

    requests: list[tuple[str, int, int]] = field(default_factory=list)
    """(path, first byte, byte after the last) of each request."""
    under_way: int = 0
    peak: int = 0
    """Most requests that were under way at once."""


@dataclass(frozen=True)
class Server:
    """A running server."""

    url: str

    def counts(self) -> dict[str, Any]:
        """What was asked for since the last time: ``requests``, ``peak``, processor ``seconds``."""
        with urllib.request.urlopen(f"{self.url}/-/counts") as answer:
            return dict(json.loads(answer.read()))


@contextmanager
def serving_ranges(folder: Path, delay: float = 0.0) -> Iterator[Server]:
    """The files of a folder over HTTP, until the end of the block.

    Args:
        folder: where they lie.
        delay: seconds before each answer, as a network far away would take.
    """
    command = [sys.executable, "-m", "tests.made.ranges", str(folder), str(delay)]
    root = Path(__file__).resolve().parent.parent.parent
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        try:
            assert process.stdout is not None
            yield Server(f"http://127.0.0.1:{int(process.stdout.readline())}")
        finally:
            process.terminate()


async def _serve(folder: Path, delay: float) -> None:
    counts = Counts()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                await _answered(head, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answered(head: str, writer: asyncio.StreamWriter) -> None:
        path = head.split(" ", 2)[1].partition("?")[0]
        if path == "/-/counts":
            told = {
                "requests": counts.requests,
                "peak": counts.peak,
                "seconds": time.process_time(),
            }
            counts.requests, counts.peak = [], 0
            writer.write(_message("200 OK", json.dumps(told).encode()))
            return
        counts.under_way += 1
        counts.peak = max(counts.peak, counts.under_way)
        await asyncio.sleep(delay)
        writer.write(_part(folder / path.lstrip("/"), path, head))
        counts.under_way -= 1
        await writer.drain()

    def _part(file: Path, path: str, head: str) -> bytes:
        if not file.is_file():
            counts.requests.append((path, 0, 0))
            return _message("404 Not Found", b"")
        size = file.stat().st_size
        asked = re.search(r"(?i)^range: *bytes=(\d+)-(\d*)\r?$", head, re.MULTILINE)
        start, stop = 0, size
        if asked:
            start, stop = int(asked[1]), min(size, int(asked[2] or size) + 1)
        counts.requests.append((path, start, stop))
        if start > stop:
            return _message("416 Range Not Satisfiable", b"", part=f"bytes */{size}")
        with open(file, "rb") as stream:
            stream.seek(start)
            body = b"" if head.startswith("HEAD") else stream.read(stop - start)
        if not asked:
            return _message("200 OK", body, size)
        return _message(
            "206 Partial Content", body, stop - start, f"bytes {start}-{stop - 1}/{size}"
        )

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def _message(status: str, body: bytes, length: int | None = None, part: str = "") -> bytes:
    lines = [
        f"HTTP/1.1 {status}",
        f"Content-Length: {len(body) if length is None else length}",
        "Accept-Ranges: bytes",
        *([f"Content-Range: {part}"] if part else []),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def main() -> None:
    """Serve until somebody ends the process."""
    parser = argparse.ArgumentParser(prog="python -m tests.made.ranges", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("delay", type=float)
    options = parser.parse_args()
    asyncio.run(_serve(options.folder, options.delay))


if __name__ == "__main__":
    main()
