"""Values that make no sense are refused, with a sentence that says what to write."""

from typing import Any

import helm_python
import pytest

from tests.made.chart import MODES, merged, rendered

SIZE = {"size": "10Gi"}

REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "unknown mode": (
        "operator", {"mode": "operater"},
        "at '/mode': value must be one of 'operator', 'standalone', 'cron', 'service', 'cluster'",
    ),
    "misspelt key": (
        "operator", {"workers": {"replcias": 3}},
        "at '/workers': additional properties 'replcias' not allowed",
    ),
    "misspelt group": (
        "operator", {"wrokers": {}}, "additional properties 'wrokers' not allowed",
    ),
    "negative replicas": (
        "operator", {"workers": {"replicas": -1}},
        "at '/workers/replicas': minimum: got -1, want 1",
    ),
    "text for a number": (
        "operator", {"workers": {"replicas": "many"}},
        "at '/workers/replicas': got string, want integer",
    ),
    "maximum below minimum": (
        "operator", {"workers": {"minimum": 5, "maximum": 3}},
        "workers.maximum is 3 and workers.minimum 5: give a maximum that is not below the minimum",
    ),
    "bucket and claim": (
        "operator", {"output": {"claim": SIZE}},
        "at '/output/claim': value must be 'left out, as output.bucket is given: choose one of the "
        "two'",
    ),
    "two claims": (
        "operator", {"output": {"bucket": "", "claim": {"existing": "a", **SIZE}}},
        "at '/output/claim/size': value must be 'left out, as output.claim.existing is given",
    ),
    "no output": (
        "standalone", {"output": {"bucket": ""}},
        "at '/output': value must be 'a place for results: set output.bucket, output.claim.size or "
        "output.claim.existing'",
    ),
    "folder for a bucket": (
        "cron", {"output": {"bucket": "results"}},
        "at '/output/bucket': value must be 'a link into an object store, such as "
        "s3://bucket/folder, gs://… or az://…'",
    ),
    "short grace": (
        "operator", {"terminationGracePeriodSeconds": 20},
        "at '/terminationGracePeriodSeconds': minimum: got 20, want 25",
    ),
    "grace below an answer": (
        "service", {"service": {"settings": {"seconds": 120}}},
        "terminationGracePeriodSeconds is 60, but an answer may take service.settings.seconds, 120",
    ),
    "grace just above an answer": (
        "service", {"service": {"settings": {"seconds": 56}}},
        "let a pod have 5 seconds more to end",
    ),
    "job with a cluster": (
        "operator", {"job": {"cluster": {"kind": "local"}}},
        "at '/job/cluster': value must be 'left out: the chart puts it in, by mode'",
    ),
    "job with a path": (
        "operator", {"job": {"output": {"path": "out"}}},
        "at '/job/output/path': value must be 'left out: set output.bucket or output.claim in its "
        "place'",
    ),
    "bucket for a service": (
        "service", {"output": {"bucket": "s3://results", "claim": {"size": ""}}},
        "at '/output/bucket': value must be 'left out: a service keeps its jobs on output.claim'",
    ),
    "jobs without a claim": (
        "service", {"output": {"claim": {"size": ""}}},
        "at '/output/claim': value must be 'a claim for jobs and their results",
    ),
    "services that share jobs": (
        "service", {"service": {"replicas": 2}},
        "service.replicas is 2, but one service alone may have the folder of jobs",
    ),
    "unknown setting": (
        "service", {"service": {"settings": {"hsots": ["a"]}}},
        "at '/service/settings': additional properties 'hsots' not allowed",
    ),
    "Ingress for nobody": (
        "service", {"service": {"ingress": {"enabled": True}}},
        "at '/service/ingress/hosts': value must be 'a list of host names, as the Ingress is "
        "enabled'",
    ),
    "no schedule": (
        "cron", {"cron": {"schedule": "nightly"}},
        "at '/cron/schedule': value must be 'five fields as cron has them",
    ),
    "plain address with TLS": (
        "cron", {"tls": {"existingSecret": "a"}, "cron": {"address": "tcp://dask:8786"}},
        "tls.existingSecret is given, but the scheduler's address tcp://dask:8786 is not tls://…",
    ),
    "wait without a unit": (
        "operator", {"run": {"wait": "long"}},
        "at '/run/wait': value must be 'a time such as 90s, 10min or 1h'",
    ),
    "amount of another kind": (
        "operator", {"runner": {"resources": {"limits": {"memory": "2 GB"}}}},
        "at '/runner/resources/limits/memory': value must be 'an amount such as 500m, 2 or 4Gi'",
    ),
    "root": (
        "operator", {"securityContext": {"runAsUser": 0}},
        "at '/securityContext/runAsUser': minimum: got 0, want 1",
    ),
    "long name": (
        "operator", {"fullnameOverride": "a" * 41},
        "at '/fullnameOverride': maxLength: got 41, want 40",
    ),
    "memory in apples": (
        "operator", {"job": {"limits": {"memory": "6 apples"}}},
        "6 apples is no amount of memory: write 4Gi, 1.5GiB or 500MB",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_values_without_sense_are_refused(case: str) -> None:
    """Each is refused with its key, and with what would make sense."""
    mode, values, sentence = REFUSED[case]
    with pytest.raises(helm_python.HelmError) as refused:
        rendered(merged(MODES[mode], values))
    assert sentence in str(refused.value)


def test_no_values_tell_what_is_missing() -> None:
    """An installation without values is told of the job and of the place for results, at once."""
    with pytest.raises(helm_python.HelmValuesError) as refused:
        rendered({})
    assert "at '/output': value must be 'a place for results" in str(refused.value)
    assert "at '/job': value must be 'a job document, with zones" in str(refused.value)


def test_long_release_name_is_refused() -> None:
    """A name to which nothing could be added is refused before the operator would."""
    with pytest.raises(helm_python.HelmRenderError, match="40 at most leave room"):
        rendered(MODES["operator"], name="a" * 45)
