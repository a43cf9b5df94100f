"""Pod: its containers as processes here, from the first to the last, and its status."""

from __future__ import annotations

import shutil
import signal
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from tests.made.kube.api import Object
from tests.made.kube.sandbox import Process, Sandbox

__all__ = ["Container", "Pod"]

Start = Callable[[Object, Object, Path], Process]
"""Starts a container (of a pod) with a folder for its root and its log."""
LONGEST = 10.0
"""Seconds between two starts of a container that fails again and again."""


@dataclass(eq=False)
class Container:
    """A container of a pod, in the process that it has now."""

    spec: Object
    process: Process | None = None
    starts: int = 0
    ready: bool = False
    ended: tuple[int, float] | None = None
    """Exit code of the last process, and when it ended; None while it runs."""
    last: Object = field(default_factory=dict)
    """How the process before this one ended, as a status tells it."""

    def look(self) -> None:
        """See whether the process has ended."""
        if self.process is not None and self.ended is None:
            code = self.process.code()
            if code is not None:
                self.ended, self.ready = (code, time.time()), False

    @property
    def state(self) -> Object:
        """As a status tells it."""
        if self.process is None:
            return {"waiting": {"reason": "ContainerCreating"}}
        begun = _stamp(self.process.started)
        if self.ended is None:
            return {"running": {"startedAt": begun}}
        code, when = self.ended
        reason = "Completed" if code == 0 else "Error"
        ended = {"exitCode": code, "reason": reason, "finishedAt": _stamp(when)}
        return {"terminated": ended | {"startedAt": begun}}


@dataclass(eq=False)
class Pod:
    """A pod that runs here."""

    body: Object
    """As it was first seen."""
    sandbox: Sandbox
    folder: Path
    start: Start
    first: list[Container]
    """Containers that are to end one after another before the others begin."""
    containers: list[Container]
    begun: float = field(default_factory=time.time)
    ending: float | None = None
    """When what is left is killed; None while nobody wants the pod to end."""
    told: Object = field(default_factory=dict)
    """The status that the API was told last."""

    @property
    def place(self) -> tuple[str, str]:
        """(namespace, name)."""
        return self.body["metadata"]["namespace"], self.body["metadata"]["name"]

    def step(self) -> None:
        """Start what is to be started, and see what has ended."""
        for container in (*self.first, *self.containers):
            container.look()
        if self.ending is not None or self.phase in ("Succeeded", "Failed"):
            return
        for container in self.first:
            self._keep_up(container, always=False)
            if container.ended is None or container.ended[0] != 0:
                return
        for container in self.containers:
            self._keep_up(container, always=self.policy == "Always")
            if container.ended is None and not container.ready:
                container.ready = _answers(container.spec, self.sandbox.address)

    @property
    def policy(self) -> str:
        """When containers that end are started again."""
        return str(self.body["spec"].get("restartPolicy", "Always"))

    @property
    def phase(self) -> str:
        """Pending, Running, Succeeded or Failed."""
        if any(c.ended and c.ended[0] for c in self.first) and self.policy == "Never":
            return "Failed"
        ends = [c.ended for c in self.containers]
        if all(c.process is None for c in self.containers):
            return "Pending"
        if any(end is None for end in ends) or (self.policy == "Always" and self.ending is None):
            return "Running"
        if all(end is not None and end[0] == 0 for end in ends):
            return "Succeeded"
        return "Failed" if self.policy == "Never" or self.ending is not None else "Running"

    def status(self) -> Object:
        """As the API is told it."""
        ready = all(c.ready for c in self.containers) and self.phase == "Running"
        done = all(c.ended and c.ended[0] == 0 for c in self.first)
        return {
            "phase": self.phase,
            "podIP": self.sandbox.address,
            "podIPs": [{"ip": self.sandbox.address}],
            "hostIP": "127.0.0.1",
            "startTime": _stamp(self.begun),
            "conditions": [
                _condition("Initialized", done),
                _condition("Ready", ready),
                _condition("ContainersReady", ready),
                _condition("PodScheduled", True),
            ],
            "containerStatuses": [_told(c) for c in self.containers],
            "initContainerStatuses": [_told(c) for c in self.first],
        }

    def terminate(self, grace: float) -> None:
        """Ask all containers to end, and kill them if they have not so many seconds later."""
        if self.ending is None:
            self.ending = time.time() + grace
            self.signal(signal.SIGTERM)
        elif time.time() > self.ending:
            self.signal(signal.SIGKILL)

    def signal(self, number: signal.Signals) -> None:
        """Send every container a signal."""
        for container in (*self.first, *self.containers):
            if container.process is not None and container.ended is None:
                container.process.signal(number)

    @property
    def ended(self) -> bool:
        """Whether no process of it is left."""
        return all(
            c.process is None or c.process.code() is not None
            for c in (*self.first, *self.containers)
        )

    def remove(self) -> None:
        """Kill what is left, give everything back; logs stay."""
        self.signal(signal.SIGKILL)
        for container in (*self.first, *self.containers):
            if container.process is not None:
                container.process.outer.wait()
        self.sandbox.end()
        shutil.rmtree(self.folder / "volumes", ignore_errors=True)

    def log(self) -> str:
        """All that its containers have said."""
        logs = sorted(self.folder.glob("*/log"), key=lambda log: log.stat().st_mtime)
        return "\n".join(f"-- {p.parent.name}\n{p.read_text(errors='replace')}" for p in logs)

    def _keep_up(self, container: Container, *, always: bool) -> None:
        if container.process is not None:
            if container.ended is None or self.policy == "Never":
                return
            code, when = container.ended
            if (code == 0 and not always) or time.time() < when + _pause(container.starts):
                return
            container.last = container.state
        folder = self.folder / f"{container.spec['name']}-{container.starts}"
        container.process = self.start(self.body, container.spec, folder)
        container.starts += 1
        container.ended = None


def _pause(starts: int) -> float:
    """Seconds until a container is started again that has been so often."""
    return 0.0 if starts < 2 else min(LONGEST, 2.0 ** (starts - 2))


def _answers(container: Object, address: str) -> bool:
    """Whether a container is ready, as its probe says."""
    probe = container.get("readinessProbe") or container.get("startupProbe") or {}
    if "httpGet" in probe:
        wanted = probe["httpGet"]
        port = _port(container, wanted["port"])
        scheme = wanted.get("scheme", "HTTP").lower()
        url = f"{scheme}://{address}:{port}{wanted.get('path', '/')}"
        with suppress(httpx.HTTPError):
            found = httpx.get(url, timeout=1.0, trust_env=False, verify=False)
            return found.status_code < 400
        return False
    if "tcpSocket" in probe:
        with suppress(OSError):
            place = (address, _port(container, probe["tcpSocket"]["port"]))
            socket.create_connection(place, timeout=1.0).close()
            return True
        return False
    return True


def _port(container: Object, port: Any) -> int:
    named: Mapping[str, int] = {
        known["name"]: known["containerPort"]
        for known in container.get("ports", [])
        if "name" in known
    }
    return int(named.get(port, port))


def _told(container: Container) -> Object:
    return {
        "name": container.spec["name"],
        "image": container.spec["image"],
        "imageID": "",
        "ready": container.ready,
        "started": container.process is not None and container.ended is None,
        "restartCount": max(0, container.starts - 1),
        "state": container.state,
        "lastState": container.last,
    }


def _condition(kind: str, holds: bool) -> Object:
    return {"type": kind, "status": "True" if holds else "False"}


def _stamp(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
