"""The chart's manifests are as Kubernetes and the Dask operator take them."""

import copy
from collections import Counter

import helm_python
import jsonschema
import kubernetes_validate
import pytest

from tests.made.chart import (
    CHART,
    MODES,
    VARIANTS,
    hold_to_schemas,
    merged,
    of_kind,
    rendered,
)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("mode", MODES)
def test_manifests_pass_strict_schemas(mode: str, variant: str) -> None:
    """Every resource of every mode, with any choice, passes its schemas; no two share a name."""
    resources = rendered(merged(MODES[mode], VARIANTS[variant]))
    for resource in resources:
        hold_to_schemas(resource)
    names = Counter((resource["kind"], resource["metadata"]["name"]) for resource in resources)
    assert set(names.values()) == {1}
    assert all(len(name) <= 63 for _, name in names)


@pytest.mark.parametrize("mode", MODES)
def test_chart_passes_strict_lint(mode: str) -> None:
    """Helm's own linter has nothing to say of it, but that it has no icon."""
    report = helm_python.lint(CHART, dict(MODES[mode]), strict=True, namespace="eo")
    assert report["errors"] == []
    assert [message["error"] for message in report["messages"]] == ["icon is recommended"]


@pytest.mark.parametrize("mode", MODES)
def test_chart_renders_for_an_old_kubernetes(mode: str) -> None:
    """What an old version does not know is left out for it, and the rest lints."""
    report = helm_python.lint(CHART, dict(MODES[mode]), strict=True, kube_version="v1.20.0")
    assert report["errors"] == []


def test_schemas_catch_a_misspelt_key() -> None:
    """A key that neither Kubernetes nor the operator knows fails, at any depth."""
    (job,) = of_kind(rendered(MODES["operator"]), "DaskJob")
    worker = copy.deepcopy(job)
    worker["spec"]["cluster"]["spec"]["worker"]["spec"]["nodeSelectors"] = {}
    with pytest.raises(jsonschema.ValidationError, match="nodeSelectors"):
        hold_to_schemas(worker)
    container = copy.deepcopy(job)
    container["spec"]["job"]["spec"]["containers"][0]["arg"] = []
    with pytest.raises(jsonschema.ValidationError, match="'arg'"):
        hold_to_schemas(container)
    (batch, _) = of_kind(rendered(MODES["standalone"]), "Job")
    batch["spec"]["backoffLimits"] = 1
    with pytest.raises(kubernetes_validate.ValidationError, match="backoffLimits"):
        hold_to_schemas(batch)


@pytest.mark.parametrize("mode", ["operator", "standalone"])
def test_what_cannot_change_has_another_name_in_each_revision(mode: str) -> None:
    """Of two revisions no DaskJob, Job or ConfigMap has the same name; the service account has."""
    kinds = ("DaskJob", "Job", "ConfigMap", "DaskAutoscaler")
    values = merged(MODES[mode], {"workers": {"maximum": 9}})

    def names(revision: int, *, changing: bool) -> set[tuple[str, str]]:
        return {
            (resource["kind"], resource["metadata"]["name"])
            for resource in rendered(values, revision=revision)
            if (resource["kind"] in kinds) is changing and resource["kind"] != "Service"
        }

    assert names(1, changing=True).isdisjoint(names(2, changing=True))
    assert names(1, changing=False) == names(2, changing=False)


@pytest.mark.parametrize("mode", ["cron", "service", "cluster"])
def test_what_stays_keeps_its_name(mode: str) -> None:
    """An upgrade with the same values finds what is there by the same names."""

    def names(revision: int) -> set[str]:
        return {one["metadata"]["name"] for one in rendered(MODES[mode], revision=revision)}

    assert names(1) == names(2)


def test_cluster_is_made_anew_when_what_it_is_made_of_changes() -> None:
    """Another image or other resources make another DaskCluster, another number of workers does
    not, and the Service before it keeps its name."""

    def cluster(**values: object) -> tuple[str, str]:
        resources = rendered(merged(MODES["cluster"], values))
        (one,), (service,) = of_kind(resources, "DaskCluster"), of_kind(resources, "Service")
        found = service["spec"]["selector"]["dask.org/cluster-name"]
        assert found == one["metadata"]["name"]
        return one["metadata"]["name"], service["metadata"]["name"]

    first, service = cluster()
    assert service == "fields-zonalbatch-scheduler"
    assert cluster(workers={"replicas": 7, "maximum": 40}) == (first, service)
    for change in ({"image": {"tag": "9"}}, {"workers": {"jobMemory": "4GiB"}}):
        other, same = cluster(**change)
        assert other != first
        assert same == service


@pytest.mark.parametrize(
    "change",
    [
        {"tmp": {"sizeLimit": "9Gi"}},
        {"securityContext": {"fsGroup": 5}},
        {"terminationGracePeriodSeconds": 90},
        {"credentials": {"existingSecret": "store"}},
        {"extraEnv": [{"name": "A", "value": "1"}]},
        {"serviceAccount": {"name": "other"}},
        {"tls": {"existingSecret": "keys"}},
        {"runner": {"keepOnNode": False}},
        {"scheduler": {"nodeSelector": {"pool": "big"}}},
        {"workers": {"spot": "gke"}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_changes_a_cluster_that_stays_renames_it(change: dict[str, object]) -> None:
    """The operator looks at a new DaskCluster only: none changes under the name it had."""
    (before,) = of_kind(rendered(MODES["cluster"]), "DaskCluster")
    (after,) = of_kind(rendered(merged(MODES["cluster"], change)), "DaskCluster")
    assert after["spec"] != before["spec"]
    assert after["metadata"]["name"] != before["metadata"]["name"]


def test_autoscaler_is_there_if_workers_may_become_more() -> None:
    """A DaskAutoscaler is made for the DaskJob where maximum is above minimum, and only then."""
    values = merged(MODES["operator"], {"workers": {"minimum": 3, "maximum": 200}})
    resources = rendered(values)
    (scaler,), (job,) = of_kind(resources, "DaskAutoscaler"), of_kind(resources, "DaskJob")
    name = job["metadata"]["name"]
    assert scaler["spec"] == {"cluster": name, "minimum": 3, "maximum": 200}
    assert job["spec"]["cluster"]["spec"]["worker"]["replicas"] == 3
    same = rendered(merged(values, {"workers": {"maximum": 3}}))
    assert of_kind(same, "DaskAutoscaler") == []


def test_what_nothing_scales_has_all_its_workers() -> None:
    """Standalone, a maximum is the number of workers, as values of another mode may have one."""
    values = merged(MODES["standalone"], {"workers": {"maximum": 40}})
    (_, workers) = of_kind(rendered(values), "Job")
    assert workers["spec"]["completions"] == workers["spec"]["parallelism"] == 40


def test_longest_name_leaves_room_for_what_is_added() -> None:
    """A name of 40 characters gives a DaskCluster that the operator takes, after many upgrades."""
    values = merged(MODES["operator"], {"fullnameOverride": "a" * 40})
    (job,) = of_kind(rendered(values, revision=123456), "DaskJob")
    assert len(job["metadata"]["name"]) <= 53


def test_archive_of_the_chart_renders_as_its_folder(tmp_path: object) -> None:
    """What is packaged is all that the chart needs."""
    archive = helm_python.package(CHART, destination=str(tmp_path))
    with helm_python.Chart.load(archive) as chart, helm_python.Chart.load(CHART) as folder:
        values = dict(MODES["service"])
        assert chart.render(values, name="a") == folder.render(values, name="a")
