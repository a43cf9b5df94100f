"""STAC APIs on loopback: two real servers, and one that has faults; each ends with its block."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import urlopen

import pytest

from tests.made.scenes import collection as as_collection

PATIENCE = 60.0
"""Seconds that a server may take to start."""


def scene(
    name: str, west: float, south: float, *, side: float = 0.2, day: str = "2024-06-01",
    collection: str = "s2", clouds: float | None = None, assets: Mapping[str, Any] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """An item whose footprint is a square, degrees."""
    east, north = west + side, south + side
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    properties: dict[str, Any] = {"datetime": f"{day}T10:30:00Z"}
    return {
        "type": "Feature", "stac_version": "1.0.0", "stac_extensions": [], "id": name,
        "collection": collection, "bbox": [west, south, east, north], "links": [],
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": properties if clouds is None else properties | {"eo:cloud_cover": clouds},
        "assets": dict(assets or {"red": {"href": f"https://example.com/{name}.tif"}}),
    }  # fmt: skip


def many_scenes() -> list[dict[str, Any]]:
    """360 items of two collections: a grid of 36 by 10 squares, months and clouds that differ."""
    return [
        scene(
            f"scene-{row}-{column:02}", 3 + 0.2 * column, 50 + 0.2 * row,
            day=f"2024-{1 + column % 12:02}-{1 + row:02}",
            collection="landsat" if column % 3 == 0 else "s2",
            clouds=float((7 * column + row) % 100),
        )
        for row in range(10)
        for column in range(36)
    ]  # fmt: skip


def collections_of(items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A document for each collection of items."""
    extent = {
        "spatial": {"bbox": [[-180, -90, 180, 90]]},
        "temporal": {"interval": [["2000-01-01T00:00:00Z", None]]},
    }
    return [
        {
            "type": "Collection", "stac_version": "1.0.0", "id": name, "description": name,
            "license": "CC0-1.0", "extent": extent, "links": [],
        }
        for name in sorted({str(item["collection"]) for item in items})
    ]  # fmt: skip


@contextmanager
def light_api(folder: Path, items: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The URL of rustac's server: paging, places and times, neither query nor filter."""
    program = Path(sys.executable).with_name("rustac")
    need(program.exists(), "rustac is not installed beside this Python")
    names = []
    for document in collections_of(items):
        names.append(f"{document['id']}.json")
        (folder / names[-1]).write_text(json.dumps(document))
    (folder / "items.json").write_text(json.dumps(as_collection(items)))
    port = free_port()
    command = [str(program), "serve", "-a", f"127.0.0.1:{port}", *names, "items.json"]
    with _running(command, folder, f"http://127.0.0.1:{port}") as url:
        yield url


@contextmanager
def full_api(folder: Path, items: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The URL of stac-fastapi on pgstac, a database of its own: it can all that STAC APIs can."""
    with _database(_postgres()) as names:
        _load(folder, items, names)
        url = f"http://127.0.0.1:{free_port()}"
        command = [
            sys.executable, "-m", "uvicorn", "--factory", "stac_fastapi.pgstac.app:create_app",
            "--host", "127.0.0.1", "--port", url.rpartition(":")[2], "--log-level", "warning",
        ]  # fmt: skip
        with _running(command, folder, url, names) as address:
            yield address


def free_port() -> int:
    """A port of loopback that nobody listens at."""
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])


def need(there: bool, what: str) -> None:
    """Skip where a server is missing, but fail where all of them must be there."""
    if there:
        return
    if os.environ.get("ZONALBATCH_CI"):
        pytest.fail(f"{what}, which .ci/run should have seen to")
    pytest.skip(what)


@contextmanager
def _running(
    command: Sequence[str], folder: Path, url: str, names: Mapping[str, str] | None = None
) -> Iterator[str]:
    """A server that answers; it is ended with the block."""
    with (
        open(folder / "server.log", "ab") as log,
        subprocess.Popen(
            command, cwd=folder, stdout=log, stderr=log, env={**os.environ, **(names or {})}
        ) as server,
    ):
        try:
            _wait(lambda: bool(urlopen(url, timeout=5).read()), server)
            yield url
        finally:
            server.terminate()


def _wait(answers: Any, server: subprocess.Popen[bytes] | None = None) -> None:
    ends = time.monotonic() + PATIENCE
    while True:
        try:
            if answers():
                return
        except OSError:
            if server is not None and server.poll() is not None:
                raise RuntimeError(f"{server.args!r} ended at once") from None
        if time.monotonic() > ends:
            raise TimeoutError("the server does not answer")
        time.sleep(0.1)


def _postgres() -> Path:
    """The folder of PostgreSQL's programs, the newest with PostGIS."""
    found = [
        Path(f"/usr/lib/postgresql/{control.parts[-3]}/bin")
        for control in Path("/usr/share/postgresql").glob("*/extension/postgis.control")
    ]
    need(bool(found), "PostgreSQL with PostGIS is not installed")
    return max(found, key=lambda path: int(path.parts[-2]))


@contextmanager
def _database(binaries: Path) -> Iterator[dict[str, str]]:
    """A database with PostGIS; the variables by which to reach it."""
    with TemporaryDirectory() as name:  # not pytest's folder, which is for its user alone
        data, port, as_user = Path(name), free_port(), list[str]()
        if os.geteuid() == 0:  # PostgreSQL will not run as root
            shutil.chown(data, "postgres", "postgres")
            as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        _quietly([*as_user, binaries / "initdb", "-D", data, "-A", "trust", "-U", "postgres", "-N"])
        options = f"-p {port} -k {data} -c listen_addresses=127.0.0.1 -c fsync=off"
        control = [*as_user, binaries / "pg_ctl", "-D", data, "-w"]
        _quietly([*control, "-o", options, "-l", data / "log", "start"])
        try:
            names = _variables(port)
            _quietly([binaries / "psql", "-c", "create extension postgis"], names)
            yield names
        finally:
            _quietly([*control, "-m", "immediate", "stop"])


def _variables(port: int) -> dict[str, str]:
    """What libpq, pypgstac and stac-fastapi read a database's address from."""
    return {
        "PGHOST": "127.0.0.1", "PGPORT": str(port), "PGUSER": "postgres", "PGDATABASE": "postgres",
        "PGPASSWORD": "none", "POSTGRES_HOST_READER": "127.0.0.1", "POSTGRES_PASS": "none",
        "POSTGRES_HOST_WRITER": "127.0.0.1", "POSTGRES_PORT": str(port),
        "POSTGRES_USER": "postgres", "POSTGRES_DBNAME": "postgres",
    }  # fmt: skip


def _load(folder: Path, items: Sequence[dict[str, Any]], names: Mapping[str, str]) -> None:
    program = Path(sys.executable).with_name("pypgstac")
    need(program.exists(), "pypgstac is not installed beside this Python")
    _quietly([program, "migrate"], names)
    for kind, documents in (("collections", collections_of(items)), ("items", items)):
        path = folder / f"{kind}.ndjson"
        path.write_text("".join(json.dumps(document) + "\n" for document in documents))
        _quietly([program, "load", kind, path, "--method", "upsert"], names)


def _quietly(command: Sequence[Any], names: Mapping[str, str] | None = None) -> None:
    done = subprocess.run(
        [str(word) for word in command], env={**os.environ, **(names or {})}, cwd="/",
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]
