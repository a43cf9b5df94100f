"""Chart: the Helm chart rendered by Helm's own code, and the schemas that manifests are held to."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import helm_python
import kubernetes_validate
import yaml
from jsonschema import Draft202012Validator

from zonalbatch.job.text import read_document

CHART = Path(__file__).parents[2] / "helm" / "zonalbatch"

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The one in C, where PyYAML has it: the operator's schemas are long."""

KUBERNETES = ("1.29.0", "1.37.0")
"""An old version and a new one, to whose schemas manifests are held."""

JOB: Mapping[str, Any] = {
    "version": 1,
    "zones": {"path": "/data/fields.gpkg", "id": "field"},
    "source": {"kind": "cog", "files": ["/data/red.tif"]},
    "bands": {"red": 1},
    "statistics": ["mean", "count"],
}

_RUN: Mapping[str, Any] = {"job": JOB, "output": {"bucket": "s3://results/fields"}}
_CLAIM: Mapping[str, Any] = {"output": {"bucket": "", "claim": {"size": "10Gi"}}}

MODES: Mapping[str, Mapping[str, Any]] = {
    "operator": {"mode": "operator", **_RUN},
    "standalone": {"mode": "standalone", **_RUN},
    "cron": {"mode": "cron", **_RUN},
    "service": {"mode": "service", **_CLAIM},
    "cluster": {"mode": "cluster"},
}
"""The least values of each mode."""

VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "least": {},
    "tls": {"tls": {"existingSecret": "certificates"}},
    "claim": _CLAIM,
    "existing claim": {
        "output": {"bucket": "", "claim": {"existing": "shared", "size": ""}, "folder": "a/b"}
    },
    "autoscaled on spot": {"workers": {"minimum": 0, "maximum": 200, "spot": "gke"}},
    "placed": {
        part: {
            "nodeSelector": {"pool": "big"},
            "tolerations": [{"key": "only", "operator": "Exists", "effect": "NoSchedule"}],
            "affinity": {"nodeAffinity": {}},
            "annotations": {"note": "1"},
            "labels": {"team": "eo"},
            "priorityClassName": "high",
            "resources": {"requests": {"cpu": 4}, "limits": {"memory": "12Gi"}},
        }
        for part in ("runner", "scheduler", "workers", "service")
    },
    "secrets": {
        "credentials": {"existingSecret": "store"},
        "image": {"pullSecrets": [{"name": "registry"}], "digest": "sha256:" + 64 * "0"},
        "extraEnv": [{"name": "AWS_REGION", "value": "eu-central-1"}],
        "extraVolumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
        "extraVolumeMounts": [{"name": "data", "mountPath": "/data", "readOnly": True}],
        "serviceAccount": {"annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/a"}},
        "service": {"keys": {"existingSecret": "keys"}},
    },
    "open": {"networkPolicy": {"enabled": False}, "serviceAccount": {"create": False}},
    "opened": {"networkPolicy": {"from": [{"podSelector": {}}], "serviceFrom": []}},
    "kept": {"runner": {"disruptionBudget": True, "keepOnNode": False}},
    "all of run": {
        "run": {
            "okWithFailures": True, "retryFailed": True, "verify": True, "prune": True,
            "allowCode": True, "wait": "1h",
        }
    },
    "any user": {"securityContext": {"runAsUser": None, "runAsGroup": None, "fsGroup": None}},
    "elsewhere": {
        "cron": {"address": "tcp://dask:8786"},
        "service": {"cluster": {"address": "tcp://dask:8786"}},
    },
    "ingress": {
        "service": {
            "ingress": {
                "enabled": True, "hosts": ["a.example.org", "b.example.org"],
                "className": "nginx", "tlsSecret": "web", "annotations": {"a": "b"},
            },
            "settings": {"hosts": ["example.org"], "rate": 1200000, "sign": {"kind": "aws"}},
            "serviceAnnotations": {"a": "b"},
            "behind": "10.0.0.0/8",
        }
    },
}  # fmt: skip
"""What may be chosen on top."""


class _Strict(LOADER):  # type: ignore[misc, valid-type]
    """Reads no key twice, as Kubernetes does not."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        if len(set(keys)) < len(keys):
            raise yaml.constructor.ConstructorError(None, None, f"a key of {keys} is there twice")
        return dict(super().construct_mapping(node, deep))


@cache
def _chart() -> helm_python.Chart:
    return helm_python.Chart.load(CHART)


@cache
def _texts(values: str, name: str, revision: int) -> dict[str, str]:
    return _chart().render(json.loads(values), name=name, namespace="eo", revision=revision)


def merged(*values: Mapping[str, Any]) -> dict[str, Any]:
    """Values over values, as several ``--values`` files are put together."""
    result: dict[str, Any] = {}
    for given in values:
        for key, value in given.items():
            held = result.get(key)
            if isinstance(held, dict) and isinstance(value, Mapping):
                result[key] = merged(held, value)
            else:
                result[key] = copy.deepcopy(value)
    return result


def rendered(
    values: Mapping[str, Any], *, name: str = "fields", revision: int = 1
) -> list[dict[str, Any]]:
    """The resources that an installation of the chart makes, hooks (its tests) among them."""
    texts = _texts(json.dumps(values), name, revision)
    documents = (
        document
        for path, text in sorted(texts.items())
        if not path.endswith("NOTES.txt")
        for document in yaml.load_all(text, _Strict)
    )
    return [document for document in documents if document]


def notes(values: Mapping[str, Any], *, name: str = "fields") -> str:
    """What Helm tells after an installation."""
    return _texts(json.dumps(values), name, 1)["zonalbatch/templates/NOTES.txt"]


def of_kind(resources: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """The resources of a kind."""
    return [resource for resource in resources if resource["kind"] == kind]


def hold_to_schemas(resource: dict[str, Any]) -> None:
    """See that a manifest is as Kubernetes, or the Dask operator, takes it, with no unknown key.

    Raises:
        jsonschema.ValidationError: it is not.
    """
    if resource["apiVersion"].startswith("kubernetes.dask.org/"):
        Draft202012Validator(_custom_schema(resource["kind"])).validate(resource)
    else:
        _hold_to_kubernetes(json.dumps(resource))


@cache
def _hold_to_kubernetes(text: str) -> None:
    for version in KUBERNETES:
        kubernetes_validate.validate(json.loads(text), version, strict=True)


@cache
def _custom_schema(kind: str) -> dict[str, Any]:
    folder = files("dask_kubernetes") / "operator/deployment/helm/dask-kubernetes-operator/crds"
    definition = yaml.load((folder / f"{kind.lower()}.yaml").read_text(), LOADER)
    (version,) = definition["spec"]["versions"]
    schema = _closed(version["schema"]["openAPIV3Schema"])
    metadata = {"type": "object", "required": ["name"]}
    schema["properties"] |= {
        "apiVersion": {"const": f"{definition['spec']['group']}/{version['name']}"},
        "kind": {"const": definition["spec"]["names"]["kind"]},
        "metadata": metadata,
    }
    return schema | {"required": ["apiVersion", "kind", "metadata", "spec"]}


def _closed(schema: Any) -> Any:
    """A schema that knows no other keys than it names, where it names any."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        free = schema.get("x-kubernetes-preserve-unknown-fields", False)
        closed.setdefault("additionalProperties", bool(free))
    return closed


def pods(resources: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The pods that come of resources: a word for each, and its spec."""
    for resource in resources:
        yield from _pods_of(resource["kind"], resource.get("spec", {}))


def _pods_of(kind: str, spec: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    if kind == "DaskJob":
        yield "runner", spec["job"]["spec"]
        yield from _pods_of("DaskCluster", spec["cluster"]["spec"])
    elif kind == "DaskCluster":
        yield "scheduler", spec["scheduler"]["spec"]
        yield "worker", spec["worker"]["spec"]
    elif kind == "CronJob":
        yield "runner", spec["jobTemplate"]["spec"]["template"]["spec"]
    elif kind in ("Job", "Deployment"):
        yield spec["template"]["spec"]["containers"][0]["name"], spec["template"]["spec"]
    elif kind == "Pod":
        yield "test", dict(spec)


def job_document(resources: list[dict[str, Any]]) -> dict[str, Any]:
    """The job in the ConfigMap."""
    (held,) = of_kind(resources, "ConfigMap")
    return read_document(held["data"]["job.yaml"], "job.yaml", as_json=False)
