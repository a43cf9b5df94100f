"""Bridge: the network of the pods, on this machine alone."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Bridge", "bridged"]

PREFIX = "zb88-"
"""Of the names of our bridges and of what hangs on them."""
NUMBERS = range(2, 250)


@dataclass
class Bridge:
    """A bridge with a network of 254 addresses, of which the first is this machine's."""

    number: int
    used: Iterator[int] = field(default_factory=lambda: iter(range(2, 2**16)))

    @property
    def name(self) -> str:
        """Of the interface."""
        return f"{PREFIX}{self.number}"

    @property
    def gateway(self) -> str:
        """This machine's address in it."""
        return f"10.88.{self.number}.1"

    @property
    def services(self) -> str:
        """The range of addresses that services are given."""
        return f"10.89.{self.number}.0/24"

    def attach(self, process: int) -> str:
        """Give the network namespace of a process an interface; its address."""
        number = next(self.used)
        address = f"10.88.{self.number}.{2 + (number - 2) % 250}"
        # By the process, as interfaces of a network that ended go some time after it.
        outer = f"{PREFIX}{self.number}-{process:x}"
        ip(f"link add {outer} type veth peer name eth0 netns {process}")
        ip(f"link set {outer} master {self.name} up")
        inner = (
            f"link set lo up\naddr add {address}/24 dev eth0\nlink set eth0 up\n"
            f"route add default via {self.gateway}\n"
        )
        subprocess.run(
            ["nsenter", f"--net=/proc/{process}/ns/net", "ip", "-batch", "-"],
            input=inner, text=True, check=True, capture_output=True,
        )  # fmt: skip
        return address


@contextmanager
def bridged() -> Iterator[Bridge]:
    """A bridge of our own, which ends with the block."""
    _remove_abandoned()
    bridge = _made()
    try:
        ip(f"link set {bridge.name} alias pid-{os.getpid()}")
        ip(f"addr add {bridge.gateway}/24 dev {bridge.name}")
        ip(f"link set {bridge.name} up")
        yield bridge
    finally:
        _remove(bridge.name)


def ip(words: str) -> str:
    """What iproute2 says to a command."""
    done = subprocess.run(["ip", *words.split()], capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"ip {words}: {done.stderr.strip()}")
    return done.stdout


def _made() -> Bridge:
    for number in NUMBERS:
        try:
            ip(f"link add {PREFIX}{number} type bridge")
        except OSError as error:
            if "File exists" not in str(error):
                raise
        else:
            return Bridge(number)
    raise OSError(f"all names from {PREFIX}{NUMBERS[0]} on are taken")


def _remove_abandoned() -> None:
    """Remove bridges of processes that were killed: all else of theirs has ended with them."""
    for link in json.loads(ip("-json link show type bridge") or "[]"):
        ours = link.get("ifname", "").startswith(PREFIX)
        owner = ours and re.fullmatch(r"pid-(\d+)", link.get("ifalias", ""))
        if owner and not Path(f"/proc/{owner[1]}").exists():
            _remove(link["ifname"])


def _remove(bridge: str) -> None:
    """Remove a bridge and what hangs on it: a network that ended goes when its last socket does."""
    for link in json.loads(ip(f"-json link show master {bridge}") or "[]"):
        if "ifname" in link:
            with suppress(OSError):  # it went by itself
                ip(f"link del {link['ifname']}")
    ip(f"link del {bridge}")
