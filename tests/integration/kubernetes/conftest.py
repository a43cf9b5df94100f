"""A cluster of one node for all tests, the Dask operator in it, and a namespace for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import pytest
from distributed import Client

import zonalbatch as zb
from tests.made.kube.cluster import Kube, Namespace, kubernetes
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
def space(kube: Kube) -> Iterator[Namespace]:
    """A namespace of the cluster."""
    with kube.namespace() as found:
        yield found


@pytest.fixture(scope="session")
def digests(
    bare_kube: Kube, cluster: Client, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], str]:
    """The digest of the rows of a job as they are without Kubernetes."""

    @cache
    def found(name: str) -> str:
        here = tmp_path_factory.mktemp("reference")
        told = document(name, str(bare_kube.data), output={"path": str(here)})
        zb.run(zb.Job(**told), cluster)
        return zb.open_results(here).digest

    return found
