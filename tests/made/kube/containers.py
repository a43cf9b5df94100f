"""Containers: the words and variables of each, as Kubernetes makes them of its pod."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.made.kube.api import Api, Object
from tests.made.kube.image import Image

__all__ = ["NotThereError", "decoded", "expanded", "variables_of", "words_of"]


class NotThereError(Exception):
    """What a pod names is not there, or not yet."""


def words_of(container: Object, image: Image, variables: Mapping[str, str]) -> list[str]:
    """The command line of a container: its own words, or those of the image."""
    own, arguments = container.get("command"), container.get("args")
    start = list(image.entrypoint) if own is None else own
    follow = list(image.command) if own is None and arguments is None else arguments or []
    return [expanded(word, variables) for word in [*start, *follow]]


def expanded(text: str, variables: Mapping[str, str]) -> str:
    """Put values in the place of ``$(NAME)``; unknown ones stay, and ``$$`` is one dollar."""

    def value(found: re.Match[str]) -> str:
        if found[0] == "$$":
            return "$"
        return variables.get(found[1], found[0])

    return re.sub(r"\$\$|\$\(([-._a-zA-Z0-9]+)\)", value, text)


def variables_of(
    api: Api, pod: Object, container: Object, image: Image, given: Mapping[str, str]
) -> dict[str, str]:
    """The environment of a container.

    Args:
        api: where config maps and secrets are.
        pod: the container's pod, which has an address.
        container: of its specification.
        image: what it starts from.
        given: what the kubelet gives every container of the pod.

    Raises:
        NotThereError: a config map, a secret or a key in one is missing.
    """
    namespace = pod["metadata"]["namespace"]
    found = dict(given)
    for source in container.get("envFrom", []):
        prefix = source.get("prefix", "")
        found |= {prefix + k: v for k, v in _whole(api, namespace, source).items()}
    for variable in container.get("env", []):
        value = _value(api, pod, container, variable, found)
        if value is not None:
            found[variable["name"]] = value
    return {**image.variables, **found}


def decoded(api: Api, namespace: str, kind: str, name: str, optional: bool = False) -> Any:
    """Keys and bytes of a config map or a secret."""
    held = api.get(kind, namespace, name)
    if held is None:
        if optional:
            return {}
        raise NotThereError(f"{kind} {name} is not there")
    if kind == "secrets":
        return {key: base64.b64decode(text) for key, text in held.get("data", {}).items()}
    plain = {key: text.encode() for key, text in held.get("data", {}).items()}
    return plain | {k: base64.b64decode(t) for k, t in held.get("binaryData", {}).items()}


def _whole(api: Api, namespace: str, source: Object) -> dict[str, str]:
    kind = "configmaps" if "configMapRef" in source else "secrets"
    named = source.get("configMapRef") or source["secretRef"]
    held = decoded(api, namespace, kind, named["name"], named.get("optional", False))
    return {key: value.decode() for key, value in held.items()}


def _value(
    api: Api, pod: Object, container: Object, variable: Object, before: Mapping[str, str]
) -> str | None:
    if "valueFrom" not in variable:
        return expanded(variable.get("value", ""), before)
    ((kind, source),) = variable["valueFrom"].items()
    if kind == "fieldRef":
        return _field(pod, source["fieldPath"])
    if kind == "resourceFieldRef":
        return _resource(container, source)
    of = {"configMapKeyRef": "configmaps", "secretKeyRef": "secrets"}[kind]
    optional = source.get("optional", False)
    held = decoded(api, pod["metadata"]["namespace"], of, source["name"], optional)
    if source["key"] not in held:
        if optional:
            return None
        raise NotThereError(f"{of} {source['name']} has no key {source['key']}")
    text: str = held[source["key"]].decode()
    return text


def _field(pod: Object, path: str) -> str:
    """A field as the downward API tells it: ``metadata.labels['a']``, ``status.podIP``."""
    if keyed := re.fullmatch(r"metadata\.(labels|annotations)\['(.+)'\]", path):
        return str(pod["metadata"].get(keyed[1], {}).get(keyed[2], ""))
    found: Any = pod
    for key in path.split("."):
        found = found.get(key, "") if isinstance(found, dict) else ""
    return str(found)


def _resource(container: Object, source: Object) -> str:
    kind, _, name = source["resource"].partition(".")
    amount = container.get("resources", {}).get(kind, {}).get(name, "0")
    return str(_whole_number(amount, source.get("divisor", "1")))


def _whole_number(amount: str, divisor: str) -> int:
    size: Callable[[str], float] = _size
    return -int(-size(amount) // (size(divisor) or 1))


def _size(text: str) -> float:
    found = re.fullmatch(r"([\d.]+)([a-zA-Z]*)", str(text))
    assert found, text
    units = {"": 1, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
    units |= {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
    return float(found[1]) * units[found[2]]
