"""Volumes: the folders that a pod's containers find at their mount paths."""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.made.kube.api import Api, Object
from tests.made.kube.containers import NotThereError, decoded

__all__ = ["Claims", "Mount", "folders_of", "mounts_of"]


@dataclass(frozen=True)
class Mount:
    """A file or folder here that lies somewhere in a container."""

    source: Path
    target: str
    read_only: bool = True


@dataclass(frozen=True)
class Claims:
    """Folders of persistent volume claims, which end with them."""

    api: Api
    folder: Path

    def keep_up(self) -> None:
        """Bind new claims; remove the data of those that are gone."""
        claims = self.api.find("persistentvolumeclaims")
        for claim in claims:
            if claim["status"].get("phase") != "Bound":
                self._bind(claim)
        kept = {claim["metadata"]["uid"] for claim in claims}
        for folder in list(self.folder.iterdir()):
            if folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    def folder_of(self, namespace: str, name: str) -> Path:
        """Where the data of a claim are."""
        claim = self.api.get("persistentvolumeclaims", namespace, name)
        if claim is None:
            raise NotThereError(f"the claim {name} is not there")
        folder = self.folder / claim["metadata"]["uid"]
        folder.mkdir(exist_ok=True)
        return folder

    def _bind(self, claim: Object) -> None:
        place = claim["metadata"]
        self.folder_of(place["namespace"], place["name"])
        wanted = claim["spec"]
        bound = {
            "phase": "Bound",
            "accessModes": wanted["accessModes"],
            "capacity": wanted["resources"]["requests"],
        }
        self.api.report("persistentvolumeclaims", place["namespace"], place["name"], bound)


def folders_of(api: Api, claims: Claims, pod: Object, folder: Path) -> dict[str, Mount]:
    """A folder for each volume of a pod, by name; claims' outlive it.

    Raises:
        NotThereError: a config map, secret or claim is missing.
    """
    group = pod["spec"].get("securityContext", {}).get("fsGroup")
    found: dict[str, Mount] = {}
    for volume in pod["spec"].get("volumes", []):
        ((kind, source),) = ((k, v) for k, v in volume.items() if k != "name")
        here = folder / volume["name"]
        found[volume["name"]] = _folder(api, claims, pod, kind, source, here)
        if group is not None and not found[volume["name"]].read_only:
            os.chown(found[volume["name"]].source, -1, group)
            found[volume["name"]].source.chmod(0o2775)
    return found


def mounts_of(container: Object, folders: Mapping[str, Mount]) -> list[Mount]:
    """Where a container has the volumes of its pod."""
    found = []
    for wanted in container.get("volumeMounts", []):
        folder = folders[wanted["name"]]
        source = folder.source / wanted["subPath"] if "subPath" in wanted else folder.source
        if not source.exists():
            source.mkdir(parents=True)
            shutil.copystat(folder.source, source)
            os.chown(source, folder.source.stat().st_uid, folder.source.stat().st_gid)
        fixed = folder.read_only or wanted.get("readOnly", False)
        found.append(Mount(source, wanted["mountPath"], fixed))
    return found


def _folder(api: Api, claims: Claims, pod: Object, kind: str, source: Object, here: Path) -> Mount:
    namespace = pod["metadata"]["namespace"]
    match kind:
        case "emptyDir":
            here.mkdir(parents=True, exist_ok=True)
            here.chmod(0o777)
            return Mount(here, "", read_only=False)
        case "persistentVolumeClaim":
            folder = claims.folder_of(namespace, source["claimName"])
            return Mount(folder, "", source.get("readOnly", False))
        case "hostPath":
            return Mount(Path(source["path"]), "", read_only=False)
        case "projected":
            for part in source["sources"]:
                ((inner, named),) = part.items()
                _write_keys(api, namespace, inner, named, here)
        case _:
            _write_keys(api, namespace, kind, source, here)
    return Mount(here, "")


def _write_keys(api: Api, namespace: str, kind: str, source: Object, here: Path) -> None:
    """Files of a config map or a secret, one for each key."""
    of = {"configMap": "configmaps", "secret": "secrets"}[kind]
    name = source.get("secretName") or source["name"]
    held = decoded(api, namespace, of, name, source.get("optional", False))
    here.mkdir(parents=True, exist_ok=True)
    here.chmod(0o755)
    chosen = source.get("items") or [{"key": key, "path": key} for key in held]
    for item in chosen:
        if item["key"] not in held:
            raise NotThereError(f"{of} {name} has no key {item['key']}")
        path = here / item["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(held[item["key"]])
        path.chmod(item.get("mode", source.get("defaultMode", 0o644)) | 0o444)


def encoded(keys: Mapping[str, bytes]) -> dict[str, str]:
    """Keys of a secret as the API takes them."""
    return {key: base64.b64encode(value).decode() for key, value in keys.items()}
