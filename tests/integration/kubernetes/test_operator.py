"""Mode operator: a DaskJob of the real operator, whatever happens to its pods."""

from __future__ import annotations

import pytest

import zonalbatch as zb
from tests.made.kube.cluster import Room
from tests.made.kube.jobs import CHART, values_of

pytestmark = pytest.mark.long


def _status(room: Room, revision: int = 1) -> str:
    return str(
        room.get("daskjobs", f"run-zonalbatch-r{revision}").get("status", {}).get("jobStatus")
    )


def test_completes(room: Room, digest: str) -> None:
    """The job is done with the rows of a run without a cluster, and the cluster is taken away."""
    output = room.make_claim("out")
    room.releases.install(CHART, "run", values_of("operator"))
    room.wait(lambda: _status(room) == "Successful", "the job is successful")
    assert zb.open_results(output / "results").digest == digest
    room.wait(lambda: not room.find("daskclusters"), "the cluster is taken away", 30)
