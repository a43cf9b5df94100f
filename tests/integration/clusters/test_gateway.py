"""Gateway: a real Dask Gateway on this machine gives the cluster of a job."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dask_gateway import Gateway

import zonalbatch as zb
from tests.made.apis import free_port
from tests.made.commands import Told, assert_one_sentence, command
from tests.made.gateway import gateway
from tests.made.jobs import amend, many_parts

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A gateway whose clusters are processes of this machine."""
    with gateway() as address:
        yield address


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A job of many parts."""
    return many_parts(tmp_path_factory.mktemp("job"))


@pytest.fixture(scope="module")
def expected(job: Path) -> str:
    """The digest of what a local run leaves."""
    assert command("run", job, folder=job.parent).code == 0
    return zb.open_results(job.parent / "out").digest


def _run(job: Path, folder: Path, **keys: Any) -> Told:
    """Run the job by a gateway."""
    amended = amend(
        job, "gateway.yaml", cluster={"kind": "gateway"} | keys,
        output={"path": str(folder / "by_gateway")},
    )  # fmt: skip
    return command("run", amended, "--quiet", folder=folder)


def _digest(folder: Path) -> str:
    return zb.open_results(folder / "by_gateway").digest


def _names(url: str) -> list[str]:
    """Clusters that the gateway has."""

    async def ask() -> list[str]:
        async with Gateway(url, asynchronous=True) as asked:
            return [cluster.name for cluster in await asked.list_clusters()]

    return asyncio.run(ask())


@pytest.mark.parametrize(
    "keys",
    [
        {"workers": 2},
        {"workers": {"minimum": 0, "maximum": 2}},
        {"workers": 1, "options": {"worker_cores": 2}},
    ],
)
def test_a_new_cluster(
    url: str, job: Path, expected: str, tmp_path: Path, keys: dict[str, Any]
) -> None:
    """Its workers make the rows of a local run, and it ends with the job."""
    told = _run(job, tmp_path, address=url, **keys)
    assert told == (0, "", "")
    assert _digest(tmp_path) == expected
    assert _names(url) == []


def test_a_cluster_that_stays(url: str, job: Path, expected: str, tmp_path: Path) -> None:
    """One that is named goes on when the job is done, with the workers that it had."""

    async def beside() -> tuple[Told, int]:
        async with Gateway(url, asynchronous=True) as asked, asked.new_cluster() as stays:
            await stays.scale(1)
            told = await asyncio.to_thread(_run, job, tmp_path, address=url, name=stays.name)
            async with stays.get_client() as client:
                return told, len((await client.scheduler.identity())["workers"])

    assert asyncio.run(beside()) == ((0, "", ""), 1)
    assert _digest(tmp_path) == expected


def test_a_cluster_that_is_not_there(url: str, job: Path, tmp_path: Path) -> None:
    """Its name is told, in one sentence."""
    told = _run(job, tmp_path, address=url, name="nobody")
    assert told.code == 5
    assert_one_sentence(told.err, url, "no cluster 'nobody'", "not found")


@pytest.mark.parametrize("options", [{"worker_cores": 99}, {"colour": "red"}])
def test_options_that_it_does_not_take(
    url: str, job: Path, tmp_path: Path, options: dict[str, Any]
) -> None:
    """What the gateway says of them is told; no cluster is left."""
    told = _run(job, tmp_path, address=url, workers=1, options=options)
    assert told.code == 2
    assert_one_sentence(told.err, "cluster.options", next(iter(options)))
    assert _names(url) == []


def test_a_gateway_that_does_not_answer(job: Path, tmp_path: Path) -> None:
    """Its address is told, in one sentence."""
    nobody = f"http://127.0.0.1:{free_port()}"
    told = _run(job, tmp_path, address=nobody, workers=1)
    assert told.code == 5
    assert_one_sentence(told.err, nobody, "no new cluster")
