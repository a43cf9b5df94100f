"""Names: where services are, for each namespace a file as /etc/hosts is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.made.kube.api import Api, Object
from tests.made.kube.relays import Relays, renumbers

__all__ = ["Names"]

DOMAIN = "svc.cluster.local"


@dataclass
class Names:
    """Files of names, kept up to date from the endpoints of services."""

    api: Api
    folder: Path
    relays: Relays
    known: dict[str, str] = field(default_factory=dict)

    def folder_of(self, namespace: str) -> Path:
        """Where the pods of a namespace have their file."""
        folder = self.folder / namespace
        if not folder.exists():
            folder.mkdir()
            self._write(namespace, "")
        return folder

    def keep_up(self) -> None:
        """Write anew what has changed."""
        endpoints, services = self.api.find("endpoints"), self.api.find("services")
        self.relays.keep_up(services, endpoints)
        known = {_key(service): service for service in services}
        for folder in self.folder.iterdir():
            lines = [line for e in endpoints for line in _lines(e, known.get(_key(e)), folder.name)]
            self._write(folder.name, "".join(lines))

    def _write(self, namespace: str, lines: str) -> None:
        text = f"127.0.0.1 localhost\n{lines}"
        if self.known.get(namespace) == text:
            return
        path = self.folder / namespace / "hosts"
        path.with_name("new").write_text(text)
        path.with_name("new").chmod(0o644)
        path.with_name("new").rename(path)
        self.known[namespace] = text


def _lines(endpoints: Object, service: Object | None, own: str) -> Iterator[str]:
    """Of one service, as a namespace sees it."""
    namespace, name = _key(endpoints)
    names = _names(name, namespace, own)
    if service is not None and renumbers(service, endpoints):
        yield f"{service['spec']['clusterIP']} {' '.join(names)}\n"
        return
    for subset in endpoints.get("subsets") or []:
        for address in subset.get("addresses") or []:
            yield f"{address['ip']} {' '.join(names)}\n"
            if host := address.get("hostname"):
                yield f"{address['ip']} {' '.join(f'{host}.{each}' for each in names)}\n"


def _key(found: Object) -> tuple[str, str]:
    return found["metadata"]["namespace"], found["metadata"]["name"]


def _names(service: str, namespace: str, own: str) -> list[str]:
    full = [f"{service}.{namespace}.{DOMAIN}", f"{service}.{namespace}.svc"]
    return [*full, f"{service}.{namespace}", *([service] if namespace == own else [])]
