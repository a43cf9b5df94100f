"""Releases: what Helm puts into a namespace."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import helm_python as helm

from tests.made.kube.api import Api
from tests.made.kube.servers import kubeconfig

__all__ = ["Releases"]


@dataclass(frozen=True)
class Releases:
    """Helm, as it is called for one namespace."""

    api: Api
    namespace: str

    def install(self, chart: Path, name: str, values: dict[str, Any]) -> dict[str, Any]:
        """Install a chart; what Helm says of the release."""
        with self._opened() as opened:
            return opened.install(chart, name, values, namespace=self.namespace, timeout=60)

    def upgrade(self, chart: Path, name: str, values: dict[str, Any]) -> dict[str, Any]:
        """Go on to other values."""
        with self._opened() as opened:
            return opened.upgrade(chart, name, values, namespace=self.namespace, timeout=60)

    def rollback(self, name: str, version: int) -> None:
        """Go back to the values of a revision, which makes a new one."""
        with self._opened() as opened:
            opened.rollback(name, version=version, timeout=60)

    def uninstall(self, name: str) -> None:
        """Remove a release."""
        with self._opened() as opened:
            opened.uninstall(name, timeout=60)

    def history(self, name: str) -> list[dict[str, Any]]:
        """The revisions of a release."""
        with self._opened() as opened:
            return opened.history(name)

    def test(self, name: str) -> Any:
        """Run the hooks of ``helm test``."""
        with self._opened() as opened:
            return opened.test(name, timeout=120)

    def _opened(self) -> helm.Config:
        return helm.Config(
            kubeconfig_content=kubeconfig(self.api), namespace=self.namespace, burst_limit=200
        )
