"""Names: where services are, for each namespace a file as /etc/hosts is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.made.kube.api import Api, Object

__all__ = ["Names"]

DOMAIN = "svc.cluster.local"


@dataclass
class Names:
    """Files of names, kept up to date from the endpoints of services."""

    api: Api
    folder: Path
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
        endpoints = self.api.find("endpoints")
        for folder in self.folder.iterdir():
            self._write(folder.name, "".join(_lines(endpoints, folder.name)))

    def _write(self, namespace: str, lines: str) -> None:
        text = f"127.0.0.1 localhost\n{lines}"
        if self.known.get(namespace) == text:
            return
        path = self.folder / namespace / "hosts"
        path.with_name("new").write_text(text)
        path.with_name("new").chmod(0o644)
        path.with_name("new").rename(path)
        self.known[namespace] = text


def _lines(endpoints: Sequence[Object], own: str) -> Iterator[str]:
    for found in endpoints:
        place = found["metadata"]
        names = _names(place["name"], place["namespace"], own)
        for subset in found.get("subsets") or []:
            for address in subset.get("addresses") or []:
                yield f"{address['ip']} {' '.join(names)}\n"
                if host := address.get("hostname"):
                    yield f"{address['ip']} {' '.join(f'{host}.{name}' for name in names)}\n"


def _names(service: str, namespace: str, own: str) -> list[str]:
    full = [f"{service}.{namespace}.{DOMAIN}", f"{service}.{namespace}.svc"]
    return [*full, f"{service}.{namespace}", *([service] if namespace == own else [])]
