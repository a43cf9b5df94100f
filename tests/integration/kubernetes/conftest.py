"""A cluster of one node for all tests, the Dask operator in it, and a namespace for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from distributed import Client

import zonalbatch as zb
from tests.made.kube.cluster import Kube, Room, kubernetes
from tests.made.kube.jobs import document, write_data
from tests.made.kube.operator import IMAGE, install_operator, operator_image


@pytest.fixture(scope="session")
def bare_kube(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kube]:
    """The cluster."""
    with kubernetes(tmp_path_factory.mktemp("kube") / "here", {IMAGE: operator_image()}) as found:
        write_data(found.data)
        yield found


@pytest.fixture(scope="session")
def kube(bare_kube: Kube) -> Kube:
    """The cluster, with the operator at work."""
    install_operator(bare_kube)
    return bare_kube


@pytest.fixture
def room(kube: Kube) -> Iterator[Room]:
    """A namespace of the cluster."""
    with kube.room() as found:
        yield found


@pytest.fixture(scope="session")
def digest(bare_kube: Kube, cluster: Client, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The digest of the job's rows as they are without Kubernetes."""
    here = tmp_path_factory.mktemp("reference")
    told = document(output={"path": str(here)})
    told["zones"]["path"] = str(bare_kube.data / "zones.parquet")
    told["source"]["pattern"] = str(bare_kube.data) + "/a_{date:%Y%m%d}.tif"
    zb.run(zb.Job(**told), cluster)
    return zb.open_results(here).digest
