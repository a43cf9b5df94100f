"""Chart: the Helm chart rendered by Helm's own code, and the schemas that manifests are held to."""

from __future__ import annotations

import copy
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

KUBERNETES = ("1.29.0", "1.37.0")
"""An old version and a new one, to whose schemas manifests are held."""

JOB: Mapping[str, Any] = {
    "version": 1,
    "zones": {"path": "/data/fields.gpkg", "id": "field"},
    "source": {"kind": "cog", "files": ["/data/red.tif"]},
    "bands": {"red": 1},
    "statistics": ["mean", "count"],
}


@cache
def _chart() -> helm_python.Chart:
    return helm_python.Chart.load(CHART)


def merged(*values: Mapping[str, Any]) -> dict[str, Any]:
    """Values over values, as several ``--values`` files are put together."""
    result: dict[str, Any] = {}
    for given in values:
        for key, value in given.items():
            held = result.get(key)
            both = isinstance(held, dict) and isinstance(value, Mapping)
            result[key] = merged(held, value) if both else copy.deepcopy(value)
    return result


def rendered(
    values: Mapping[str, Any], *, name: str = "fields", revision: int = 1
) -> list[dict[str, Any]]:
    """The resources that an installation of the chart makes, hooks (its tests) among them."""
    texts = _chart().render(dict(values), name=name, namespace="eo", revision=revision)
    documents = (
        document
        for path, text in sorted(texts.items())
        if not path.endswith("NOTES.txt")
        for document in yaml.safe_load_all(text)
    )
    return [document for document in documents if document]


def notes(values: Mapping[str, Any], *, name: str = "fields") -> str:
    """What Helm tells after an installation."""
    texts = _chart().render(dict(values), name=name, namespace="eo", revision=1)
    return texts["zonalbatch/templates/NOTES.txt"]


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
        return
    for version in KUBERNETES:
        kubernetes_validate.validate(resource, version, strict=True)


@cache
def _custom_schema(kind: str) -> dict[str, Any]:
    folder = files("dask_kubernetes") / "operator/deployment/helm/dask-kubernetes-operator/crds"
    definition = yaml.safe_load((folder / f"{kind.lower()}.yaml").read_text())
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
