"""The job that the chart hands to the runner, and how the runner is started."""

from typing import Any

import helm_python
import pytest

from tests.made.chart import (
    JOB,
    MODES,
    VARIANTS,
    job_document,
    merged,
    of_kind,
    pods,
    rendered,
)
from zonalbatch.clusters.settings import ended_at
from zonalbatch.job import Job
from zonalbatch.sizes import bytes_of

RUNS = ("operator", "standalone", "cron")


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("mode", RUNS)
def test_config_map_holds_a_valid_job(mode: str, variant: str) -> None:
    """What the runner reads is a job by zonalbatch's own check, all of the values' keys in it."""
    document = job_document(rendered(merged(MODES[mode], VARIANTS[variant])))
    Job(**document)
    assert {key: document[key] for key in JOB} == JOB


@pytest.mark.parametrize(
    ("mode", "values", "cluster"),
    [
        ("operator", {}, {
            "kind": "address", "address": "tcp://fields-zonalbatch-r1-scheduler.eo.svc:8786",
        }),
        ("operator", VARIANTS["tls"], {
            "kind": "address", "address": "tls://fields-zonalbatch-r1-scheduler.eo.svc:8786",
        }),
        ("standalone", {}, {
            "kind": "listen", "address": "tcp://0.0.0.0:8786", "dashboard": ":8787",
        }),
        ("standalone", VARIANTS["tls"], {
            "kind": "listen", "address": "tls://0.0.0.0:8786", "dashboard": ":8787",
        }),
        ("cron", {"cron": {"workers": 3}}, {"kind": "local", "workers": 3}),
        ("cron", VARIANTS["elsewhere"], {"kind": "address", "address": "tcp://dask:8786"}),
    ],
)  # fmt: skip
def test_cluster_follows_from_the_mode(mode: str, values: Any, cluster: Any) -> None:
    """The chart says where workers are, so that a job needs no word of it."""
    assert job_document(rendered(merged(MODES[mode], values)))["cluster"] == cluster


def test_output_is_the_bucket_or_a_folder_of_the_claim() -> None:
    """`output.path` is the bucket's folder, or below the claim, which runner and workers mount."""
    assert job_document(rendered(MODES["operator"]))["output"]["path"] == "s3://results/fields"
    resources = rendered(merged(MODES["operator"], VARIANTS["existing claim"]))
    assert job_document(resources)["output"]["path"] == "/output/a/b"
    made = dict(pods(resources))
    for name in ("runner", "worker"):
        claims = [volume.get("persistentVolumeClaim") for volume in made[name]["volumes"]]
        assert {"claimName": "shared"} in claims
    assert of_kind(resources, "PersistentVolumeClaim") == []


def test_a_made_claim_outlives_the_release() -> None:
    """A claim of the chart's is kept by Helm, with other keys of the job's output beside it."""
    values = merged(MODES["operator"], VARIANTS["claim"], {"job": {"output": {"layout": "long"}}})
    resources = rendered(values)
    (claim,) = of_kind(resources, "PersistentVolumeClaim")
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert job_document(resources)["output"] == {"path": "/output/results", "layout": "long"}


def test_values_of_a_job_arrive_as_they_were_written() -> None:
    """Text that looks like something else, large numbers and small ones survive Helm's YAML."""
    odd = {
        "datetime": "2024-05-01", "word": "no", "number": "1e3", "octal": "0o7", "colon": "a: b",
        "lines": "a\n b\n", "large": 1610612736, "small": 1e-7, "empty": None, "hash": "#f",
        "template": "{{ .Release.Name }}", "accent": "Bäume",
    }  # fmt: skip
    document = job_document(rendered(merged(MODES["operator"], {"job": {"source": {"odd": odd}}})))
    kept = {key: value for key, value in odd.items() if value is not None}
    assert {key: v for key, v in document["source"]["odd"].items() if v is not None} == kept


def test_runner_is_told_what_values_ask_for() -> None:
    """Each switch of `run` is an option of the command, and no other is there."""
    plain = ["zonalbatch", "run", "/etc/zonalbatch/job.yaml", "--wait"]
    least = dict(pods(rendered(MODES["operator"])))["runner"]["containers"][0]
    assert least["args"] == [*plain, "10min"]
    resources = rendered(merged(MODES["operator"], VARIANTS["all of run"]))
    full = dict(pods(resources))["runner"]["containers"][0]
    options = {"--ok-with-failures", "--retry-failed", "--verify", "--prune", "--allow-code"}
    assert full["args"][:5] == [*plain, "1h"]
    assert set(full["args"][5:]) == options


@pytest.mark.parametrize("mode", ["standalone", "cron"])
def test_a_wrong_job_is_not_tried_again(mode: str) -> None:
    """Exit 2 (wrong job), 3 (recorded failures) and 4 (output) end the Job at once, an eviction
    counts for nothing, and anything else is tried again."""
    resources = rendered(MODES[mode])
    spec = (
        of_kind(resources, "CronJob")[0]["spec"]["jobTemplate"]["spec"]
        if mode == "cron"
        else of_kind(resources, "Job")[0]["spec"]
    )
    assert spec["backoffLimit"] == 6
    # Of a schedule, the history limits keep runs; a day would take each away before the next.
    assert spec.get("ttlSecondsAfterFinished") == (None if mode == "cron" else 86400)
    assert spec["template"]["spec"]["restartPolicy"] == "Never"
    ended, ignored = spec["podFailurePolicy"]["rules"]
    assert ended["action"] == "FailJob"
    assert ended["onExitCodes"] == {
        "containerName": spec["template"]["spec"]["containers"][0]["name"],
        "operator": "In",
        "values": [2, 3, 4],
    }
    assert ignored["action"] == "Ignore"
    assert ignored["onPodConditions"] == [{"type": "DisruptionTarget", "status": "True"}]


def test_runs_of_a_schedule_do_not_overlap() -> None:
    """A CronJob starts no run while one is under way."""
    (cron,) = of_kind(rendered(MODES["cron"]), "CronJob")
    assert cron["spec"]["concurrencyPolicy"] == "Forbid"
    assert cron["spec"]["schedule"] == "0 2 * * *"
    assert cron["spec"]["timeZone"] == "Etc/UTC"


@pytest.mark.parametrize("memory", ["1536MiB", "500 MB", "3 GiB", 8_000_000_000])
def test_memory_of_pods_follows_from_the_job(memory: str | int) -> None:
    """A worker is ended where zonalbatch would end one of its own, and its pod has room beside it;
    a pod with workers in it has all of theirs."""
    limit = memory if isinstance(memory, int) else bytes_of(memory)
    own = ended_at(limit)
    values = {"job": {"limits": {"memory": memory}}, "cron": {"workers": 3}}
    worker = dict(pods(rendered(merged(MODES["operator"], values))))["worker"]["containers"][0]
    told = int(worker["args"][worker["args"].index("--memory-limit") + 1])
    given = bytes_of(worker["resources"]["limits"]["memory"] + "B")
    assert own <= told < own + 2**20
    assert given == told + 2**28
    runner = dict(pods(rendered(merged(MODES["cron"], values))))["runner"]["containers"][0]
    assert bytes_of(runner["resources"]["limits"]["memory"] + "B") >= 3 * own + 2**30
    assert runner["resources"]["requests"]["cpu"] == "3"


def test_more_memory_than_needed_is_the_workers() -> None:
    """Where values give a worker's pod more, the worker may take more."""
    values = {"workers": {"resources": {"limits": {"memory": "8Gi"}}}}
    worker = dict(pods(rendered(merged(MODES["operator"], values))))["worker"]["containers"][0]
    assert worker["args"][worker["args"].index("--memory-limit") + 1] == str(2**33 - 2**28)
    assert worker["resources"]["requests"]["memory"] == "8Gi"


@pytest.mark.parametrize(("mode", "part"), [("operator", "workers"), ("cron", "runner")])
def test_less_memory_than_needed_is_refused(mode: str, part: str) -> None:
    """A pod that would be killed for what the job may take is refused, in numbers."""
    values = {part: {"resources": {"limits": {"memory": "2Gi"}}}}
    with pytest.raises(helm_python.HelmRenderError) as refused:
        rendered(merged(MODES[mode], values))
    assert f"{part}.resources.limits.memory is 2Gi, but with limits.memory of 1536MiB" in str(
        refused.value
    )
