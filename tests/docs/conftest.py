"""What pages speak of: files, a STAC API, a bucket, a service, data sets by name."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.made.apis import full_api
from tests.made.pages import Reader
from tests.made.serving import command_serving
from tests.made.supplies import catalogue, make_supplies
from zonalbatch.catalog.named import OURS
from zonalbatch.demo import Landscape

RANGES = Path(__file__).resolve().parents[1] / "range_server.py"


@pytest.fixture(scope="session")
def supplies(tmp_path_factory: pytest.TempPathFactory) -> Landscape:
    """The files that pages name, to be copied."""
    return make_supplies(tmp_path_factory.mktemp("supplies"))


@pytest.fixture(scope="session")
def files_server(supplies: Landscape) -> Iterator[str]:
    """A server of what lies in the web."""
    command = [sys.executable, str(RANGES), str(supplies.folder / "web")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
        finally:
            server.terminate()


@pytest.fixture(scope="session")
def api(
    supplies: Landscape, files_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A STAC API that knows queries, over the landscape."""
    with full_api(tmp_path_factory.mktemp("api"), catalogue(supplies, files_server)) as url:
        yield url


@pytest.fixture(scope="session")
def data_sets(api: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data sets by name, as they are but for where they lie."""
    folder = tmp_path_factory.mktemp("datasets")
    for file in OURS.glob("*.yaml"):
        document: dict[str, Any] = yaml.safe_load(file.read_text())
        if document["place"]["kind"] == "stac":
            document["place"]["api"] = api
        (folder / file.name).write_text(yaml.safe_dump(document))
    return folder


@pytest.fixture(scope="session")
def service(
    supplies: Landscape, files_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A service with a folder of jobs, which may read from the server; host and port."""
    folder = tmp_path_factory.mktemp("service")
    with command_serving(
        folder / "log", root=supplies.folder, jobs=folder / "jobs",
        private=files_server.removeprefix("http://"), workers=1, rate=0, seconds=120,
    ) as address:  # fmt: skip
        yield address.removeprefix("http://")


class Needs:
    """Which servers a page needs, by what it says: each is started when a page speaks of it."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._request = request

    def here(self, text: str) -> Mapping[str, str]:
        """What a page says -> what stands for it here."""
        found: dict[str, str] = {}
        if "https://example.org/" in text:
            found["https://example.org"] = self._get("files_server")
        if "https://stac.example.org/v1" in text:
            found["https://stac.example.org/v1"] = self._get("api")
        if "earth-search" in text:
            found["earth-search"] = self._get("api")
        if "localhost:8000" in text:
            found["localhost:8000"] = self._get("service")
        if "s3://bucket/out" in text:
            found["s3://bucket/out"] = self._get("bucket")
        return found

    def _get(self, name: str) -> str:
        return str(self._request.getfixturevalue(name))


def handed(origin: str, target: str) -> None:
    """A file of pixels without a copy, as nobody writes into it; others as a copy."""
    (os.link if origin.endswith(".tif") else shutil.copy)(origin, target)


@pytest.fixture
def reader_of(
    request: pytest.FixtureRequest, supplies: Landscape, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Any:  # fmt: skip
    """Makes the reader of a page, who sits in a folder with all that it names."""

    def made(text: str) -> Reader:
        folder = tmp_path / "desk"
        shutil.copytree(
            supplies.folder, folder, ignore=shutil.ignore_patterns("web"), copy_function=handed
        )
        if "dataset" in text or ":elevation" in text:
            monkeypatch.setenv("ZONALBATCH_DATASETS", str(request.getfixturevalue("data_sets")))
        here = Needs(request).here(text)
        monkeypatch.chdir(folder)
        monkeypatch.syspath_prepend(folder)
        return Reader(folder, here)

    return made
