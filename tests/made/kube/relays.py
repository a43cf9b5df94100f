"""Relays: where a service has another port than its pods, its address leads to theirs."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from tests.made.kube.api import Object
from tests.made.kube.bridge import Bridge, ip

__all__ = ["Relays", "renumbers"]

Place = tuple[str, int]
"""(address, port)."""


@dataclass
class Relays:
    """One for each port of the services whose port is another than that of their pods."""

    bridge: Bridge
    running: dict[Place, _Relay] = field(default_factory=dict)

    def keep_up(self, services: Sequence[Object], endpoints: Sequence[Object]) -> None:
        """Have them lead to where the endpoints are now."""
        ready = {_key(found): found for found in endpoints}
        for service in services:
            for place, wanted in _renumbered(service, ready.get(_key(service), {})):
                if place not in self.running:
                    self.running[place] = self._begun(place)
                self.running[place].wanted = wanted

    def end(self) -> None:
        """Listen no more."""
        for relay in self.running.values():
            relay.shutdown()
            relay.server_close()

    def _begun(self, place: Place) -> _Relay:
        with suppress(OSError):  # another port of the same service has it already
            ip(f"addr add {place[0]}/32 dev {self.bridge.name}")
        relay = _Relay(place, _Passing)
        threading.Thread(target=relay.serve_forever, kwargs={"poll_interval": 0.1}).start()
        return relay


def renumbers(service: Object, endpoints: Object) -> bool:
    """Whether a service has an address whose port is not that of its pods."""
    return any(True for _ in _renumbered(service, endpoints))


def _renumbered(service: Object, endpoints: Object) -> Iterator[tuple[Place, Place]]:
    """(place of the service, place of a pod) where the ports differ."""
    address = service["spec"].get("clusterIP") or "None"
    for subset in endpoints.get("subsets") or []:
        inner = {port.get("name"): port["port"] for port in subset.get("ports", [])}
        for outer in service["spec"].get("ports", []):
            port = inner.get(outer.get("name"), outer["port"])
            if address != "None" and port != outer["port"] and subset.get("addresses"):
                yield (address, outer["port"]), (subset["addresses"][0]["ip"], port)


class _Relay(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    wanted: Place = ("", 0)


class _Passing(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        """Pass on what either side says, until one has ended."""
        assert isinstance(self.server, _Relay)
        with suppress(OSError), socket.create_connection(self.server.wanted, 5) as there:
            there.settimeout(None)
            back = threading.Thread(target=_pass, args=(there, self.request), daemon=True)
            back.start()
            _pass(self.request, there)
            back.join()


def _pass(start: socket.socket, end: socket.socket) -> None:
    with suppress(OSError):
        while said := start.recv(65536):
            end.sendall(said)
        end.shutdown(socket.SHUT_WR)


def _key(found: Object) -> tuple[str, str]:
    return found["metadata"]["namespace"], found["metadata"]["name"]
