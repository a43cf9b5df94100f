"""Clusters: what they leave behind in the process that opens them."""

from __future__ import annotations

import subprocess
import sys

from tests.made.commands import environment

TWICE = """
from contextlib import contextmanager
from zonalbatch import clusters
from zonalbatch.job import Job, LocalCluster

@contextmanager
def started(cluster, memory, wait):
    import distributed
    yield distributed

clusters.KINDS[LocalCluster] = started
cluster = Job.model_fields["cluster"].default
for _ in range(2):
    with clusters.open_client(cluster, 2**30):
        import dask
        dask.config.get("distributed.comm")
"""


def test_a_second_cluster_of_a_process() -> None:
    """Dask's own settings outlive the first cluster, whoever imports it first."""
    subprocess.run([sys.executable, "-c", TWICE], check=True, env=environment())
