"""What all tests share: real data, a Dask cluster, caches that workers of one run share."""

from __future__ import annotations

import importlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from distributed import Client

    from tests.made.buckets import S3

REPOSITORY = Path(__file__).resolve().parent.parent

# Set before numba is imported anywhere: processes of pytest-xdist and of Dask then compile once.
os.environ.setdefault("NUMBA_CACHE_DIR", str(REPOSITORY / ".cache" / "numba"))

# What these assert is shown in full, as it is in test files. They are imported below, not above.
pytest.register_assert_rewrite("tests.made", "tests.oracles")

# A busy machine is slow now and then, which says nothing about a law.
settings.register_profile(
    "quick", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "thorough",
    settings.get_profile("quick"),
    max_examples=300,
    print_blob=True,
)
settings.load_profile("quick")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of real data: ZONALBATCH_DATA, or the one beside the project."""
    given = os.environ.get("ZONALBATCH_DATA")
    folder = Path(given) if given else REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; set ZONALBATCH_DATA to its folder")
    return folder


@pytest.fixture(scope="session")
def s3() -> Iterator[S3]:
    """An S3 server on loopback."""
    from tests.made.buckets import s3_server

    with s3_server() as server:
        yield server


@pytest.fixture
def bucket(s3: S3, monkeypatch: pytest.MonkeyPatch) -> str:
    """A link to a place in a new bucket, and an environment by which it is found."""
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    return f"{s3.make_bucket(f'zones-{uuid.uuid4()}')}/deep/out"


@pytest.fixture(scope="session")
def cluster() -> Iterator[Client]:
    """A client of two worker processes of one thread each, closed when the session ends."""
    from distributed import Client, LocalCluster

    # Only the thread that imports it first is spared GDAL's messages on stderr. Tasks that another
    # process sends would have the scheduler's thread import it.
    importlib.import_module("pyogrio")
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
        ) as workers,
        Client(workers) as client,
    ):
        yield client
