"""Mode cron: what a CronJob makes each night. The API of the tests is too old for the CronJob."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import zonalbatch as zb
from tests.made.chart import of_kind, rendered
from tests.made.kube.cluster import Namespace
from tests.made.kube.jobs import FEW, ended, holds_token, parts_in, values_of

pytestmark = [pytest.mark.long, pytest.mark.alone]


def _night(space: Namespace, template: dict[str, Any], name: str) -> str:
    """Run a Job of the template; what its pod said."""
    space.kube.api.create("jobs", space.name, template | {"metadata": {"name": name}})
    space.wait(lambda: bool(ended(space, name)), "the night's run ends", 180)
    (pod,) = space.find("pods", f"job-name={name}")
    said = space.kube.node.log(space.name, pod["metadata"]["name"])
    assert ended(space, name) == "Complete", said
    assert not holds_token(pod)
    return said


def test_nights(space: Namespace, digests: Callable[[str], str]) -> None:
    """The first night computes all, the next one nothing; workers are in the runner's pod."""
    output = space.make_claim("out")
    resources = rendered(values_of("cron"), name="run")
    for kind in ("ServiceAccount", "ConfigMap"):
        (found,) = of_kind(resources, kind)
        space.kube.api.create(f"{kind.lower()}s", space.name, found)
    (nightly,) = of_kind(resources, "CronJob")
    template = nightly["spec"]["jobTemplate"]
    first = _night(space, template, "first")
    parts = parts_in(output / "results")
    assert zb.open_results(output / "results").digest == digests(FEW)
    second = _night(space, template, "second")
    assert parts_in(output / "results") == parts
    assert f"in {len(parts)} parts" in first
    assert f"({len(parts)} were there already)" in second
