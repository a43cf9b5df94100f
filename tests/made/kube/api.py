"""The API of Kubernetes: objects read, made, changed, removed, under a name or another's."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx

__all__ = ["Api", "Object"]

Object = dict[str, Any]
"""An object of the API, as JSON has it."""

GROUPS = {
    "apps/v1": ("deployments", "replicasets"),
    "batch/v1": ("jobs",),
    "kubernetes.dask.org/v1": (
        "daskautoscalers", "daskclusters", "daskjobs", "daskworkergroups",
    ),
    "authorization.k8s.io/v1": ("selfsubjectaccessreviews", "selfsubjectrulesreviews"),
}  # fmt: skip
MERGE = {"Content-Type": "application/merge-patch+json"}


@dataclass(frozen=True)
class Api:
    """Who speaks with the API server."""

    url: str
    authority: Path
    """Certificate of whom the server's is from."""
    token: str
    impersonated: str = ""
    """In whose place to speak; empty for oneself."""

    @cached_property
    def client(self) -> httpx.Client:
        """The connection, kept open."""
        headers = {"Authorization": f"Bearer {self.token}"}
        if self.impersonated:
            headers["Impersonate-User"] = self.impersonated
        return httpx.Client(
            base_url=self.url, headers=headers, timeout=30, trust_env=False,
            verify=ssl.create_default_context(cafile=str(self.authority)),
        )  # fmt: skip

    @contextmanager
    def instead_of(self, namespace: str, account: str) -> Iterator[Api]:
        """The same, in the place of a service account."""
        user = f"system:serviceaccount:{namespace}:{account}"
        api = Api(self.url, self.authority, self.token, user)
        try:
            yield api
        finally:
            api.client.close()

    def ready(self) -> bool:
        """Whether the server says that it is."""
        try:
            return self.client.get("/readyz").status_code == 200
        except httpx.HTTPError:
            return False

    def find(self, kind: str, namespace: str = "", selector: str = "") -> list[Object]:
        """All objects of a kind, of a namespace or of all, by labels or not."""
        asked = {"labelSelector": selector} if selector else {}
        found: list[Object] = self._ask("GET", _path(kind, namespace), params=asked)["items"]
        return found

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        """An object, or None where there is none of that name."""
        answer = self.client.get(_path(kind, namespace, name))
        return None if answer.status_code == 404 else _checked(answer)

    def create(self, kind: str, namespace: str, body: Object) -> Object:
        """Make an object; as it was made."""
        return self._ask("POST", _path(kind, namespace), json=body)

    def bind(self, namespace: str, pod: str, node: str) -> None:
        """Give a pod to a node."""
        body = {"metadata": {"name": pod}, "target": {"kind": "Node", "name": node}}
        self._ask("POST", f"{_path('pods', namespace, pod)}/binding", json=body)

    def patch(self, kind: str, namespace: str, name: str, body: Object) -> Object | None:
        """Change keys of an object; None where it is gone."""
        answer = self.client.patch(_path(kind, namespace, name), json=body, headers=MERGE)
        return None if answer.status_code == 404 else _checked(answer)

    def report(self, kind: str, namespace: str, name: str, status: Object) -> None:
        """Set an object's status, which may be gone."""
        path = f"{_path(kind, namespace, name)}/status"
        answer = self.client.patch(path, json={"status": status}, headers=MERGE)
        if answer.status_code not in (404, 409):
            _checked(answer)

    def delete(self, kind: str, namespace: str, name: str, **options: Any) -> None:
        """Remove an object, if it is there; with options of the API's ``DeleteOptions``."""
        body = {"propagationPolicy": "Background", **options}
        answer = self.client.request("DELETE", _path(kind, namespace, name), json=body)
        if answer.status_code not in (404, 409):
            _checked(answer)

    def _ask(self, method: str, path: str, **asked: Any) -> Object:
        return _checked(self.client.request(method, path, **asked))


def _path(kind: str, namespace: str, name: str = "") -> str:
    group = next((group for group, kinds in GROUPS.items() if kind in kinds), "")
    start = f"/apis/{group}" if group else "/api/v1"
    inside = f"/namespaces/{namespace}" if namespace else ""
    return f"{start}{inside}/{kind}" + (f"/{name}" if name else "")


def _checked(answer: httpx.Response) -> Object:
    assert answer.is_success, f"{answer.request.method} {answer.request.url}: {answer.text}"
    found: Object = answer.json()
    return found
