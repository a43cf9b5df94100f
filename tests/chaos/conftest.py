"""Jobs to be killed, in a folder and in a bucket, and what they should come to."""

from __future__ import annotations

from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.made.buckets import S3
from tests.made.struck import warm
from tests.made.victims import Victim

if TYPE_CHECKING:
    from distributed import Client


@pytest.fixture(scope="session")
def context() -> ForkServerContext:
    """What starts processes that have everything imported."""
    return warm()


@pytest.fixture
def victim(context: ForkServerContext, cluster: Client, tmp_path: Path) -> Victim:
    """A job whose output is a folder."""
    return Victim(context, cluster, tmp_path, str(tmp_path / "out"))


@pytest.fixture
def bucket_victim(
    context: ForkServerContext, cluster: Client, tmp_path: Path, s3: S3, bucket: str
) -> Victim:
    """A job whose output is in a bucket."""
    return Victim(context, cluster, tmp_path, bucket, dict(s3.environment))
