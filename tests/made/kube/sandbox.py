"""Sandbox: the namespaces of a pod, and processes in them that see the files of an image."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.made.kube.bridge import Bridge
from tests.made.kube.volumes import Mount

__all__ = ["NAMES", "WITH_US", "Process", "Sandbox", "sandbox"]

WITH_US = ("setpriv", "--pdeathsig", "KILL")
"""What a command begins with that is to end with the thread that starts it."""
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/lib32")
"""What the containers have of this machine's system."""
SETTINGS = (
    "alternatives", "ca-certificates.conf", "ld.so.cache", "ld.so.conf", "ld.so.conf.d",
    "localtime", "mime.types", "ssl",
)  # fmt: skip
USERS = "root:x:0:0::/root:/bin/sh\\nzonalbatch:x:1000:1000::/tmp:/usr/sbin/nologin"
GROUPS = "root:x:0:\\nzonalbatch:x:1000:"
FIRST = '/bin/sh "$0"; exit $?'
"""Starts what is to be the first process of a namespace, and ends as it did, killed or not."""
NAMES = "/run/names"
"""Where containers find the names of services, in a folder as the file is replaced."""
DEVICES = ("full", "null", "random", "urandom", "zero")


@dataclass(eq=False)
class Process:
    """The first process of a container, in a namespace of processes of its own."""

    outer: subprocess.Popen[bytes]
    """What made the namespaces and waits for it."""
    log: Path
    started: float = field(default_factory=time.time)

    def signal(self, number: signal.Signals) -> None:
        """Send the container's first process a signal."""
        with suppress(ProcessLookupError, FileNotFoundError):
            task = Path(f"/proc/{self.outer.pid}/task/{self.outer.pid}/children")
            for inner in map(int, task.read_text().split()):
                os.kill(inner, number)

    def code(self) -> int | None:
        """The exit code as Kubernetes tells it, 128 + signal; None while it runs."""
        found = self.outer.poll()
        return 128 - found if found is not None and found < 0 else found


@dataclass(eq=False)
class Sandbox:
    """A network namespace with an address, held by a process that does nothing."""

    pause: subprocess.Popen[bytes]
    address: str

    def start(
        self, words: Sequence[str], *, variables: Mapping[str, str], mounts: Sequence[Mount],
        user: str, folder: Path, host: str, place: str = "/", read_only: bool = True,
    ) -> Process:  # fmt: skip
        """Start a container.

        Args:
            words: its command line.
            variables: its environment, and nothing else.
            mounts: files and folders it finds, in the order in which they are mounted.
            user: numbers of user and group.
            folder: for its root and its log; must not be there yet.
            host: its own name.
            place: the folder where it starts.
            read_only: whether its root can not be written to.
        """
        root = folder / "root"
        root.mkdir(parents=True)
        script = folder / "start.sh"
        script.write_text(_script(root, words, mounts, user, host, place, read_only))
        log = folder / "log"
        with log.open("wb") as told:
            outer = subprocess.Popen(
                [
                    *WITH_US, "nsenter", f"--net=/proc/{self.pause.pid}/ns/net", "unshare",
                    "--mount", "--pid", "--ipc", "--uts", "/bin/sh", "-c", FIRST, str(script),
                ],
                env=dict(variables) | {"PATH": variables.get("PATH", "/usr/bin:/bin")},
                stdin=subprocess.DEVNULL, stdout=told, stderr=told, cwd="/",
            )  # fmt: skip
        return Process(outer, log)

    def end(self) -> None:
        """Give the network back."""
        self.pause.kill()
        self.pause.wait()


def sandbox(bridge: Bridge) -> Sandbox:
    """A new sandbox, with an address on the bridge."""
    pause = subprocess.Popen([*WITH_US, "unshare", "--net", "sleep", "infinity"])
    own = os.readlink("/proc/self/ns/net")
    while os.readlink(f"/proc/{pause.pid}/ns/net") == own:
        assert pause.poll() is None, "no network namespace could be made"
        time.sleep(0.002)
    try:
        return Sandbox(pause, bridge.attach(pause.pid))
    except (OSError, subprocess.CalledProcessError):
        pause.kill()
        pause.wait()
        raise


def _script(
    root: Path, words: Sequence[str], mounts: Sequence[Mount], user: str, host: str, place: str,
    read_only: bool,
) -> str:  # fmt: skip
    """What makes the root of a container in namespaces that are its own, and becomes it."""
    lines = [
        "set -e",
        "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
        f"echo {shlex.quote(host)} > /proc/sys/kernel/hostname",
        f"mount -t tmpfs -o mode=755 root {shlex.quote(str(root))}",
        f"cd {shlex.quote(str(root))}",
        "mkdir -p proc sys dev/shm tmp etc run root var/tmp home",
        "ln -s ../run var/run",
        "chmod 1777 tmp var/tmp dev/shm",
        "mount -t proc proc proc",
        "mount --rbind /sys sys",
        "mount -t tmpfs -o mode=1777,size=64m shm dev/shm",
        *(f"touch dev/{name}; mount --bind /dev/{name} dev/{name}" for name in DEVICES),
        *_system(),
        *(f"if [ -e /etc/{name} ]; then cp -a /etc/{name} etc/; fi" for name in SETTINGS),
        f"printf '{USERS}\\n' > etc/passwd; printf '{GROUPS}\\n' > etc/group",
        "echo 'hosts: files' > etc/nsswitch.conf",
        f"ln -s {NAMES}/hosts etc/hosts",
        *(line for mount in mounts for line in _bound(mount)),
    ]
    lines.append(f"mkdir -p {shlex.quote('.' + place)}")
    if read_only:
        lines.append(f"mount -o remount,ro {shlex.quote(str(root))}")
    number, _, group = user.partition(":")
    lines.append(
        f"exec chroot . /usr/bin/setpriv --reuid {number} --regid {group} --clear-groups "
        f"--pdeathsig KILL --no-new-privs --bounding-set=-all --inh-caps=-all "
        f"/usr/bin/env -u CONTAINER_PATH -u PWD -u OLDPWD -C {shlex.quote(place)} "
        f'PATH="$CONTAINER_PATH" '
        f"{shlex.join(words)}"
    )
    return "CONTAINER_PATH=$PATH; export CONTAINER_PATH\n" + "\n".join(lines) + "\n"


def _system() -> list[str]:
    lines = []
    for name in filter(os.path.exists, SYSTEM):
        if os.path.islink(name):
            lines.append(f"ln -s {shlex.quote(os.readlink(name))} .{name}")
        else:
            lines.append(f"mkdir -p .{name}; mount --bind -o ro {name} .{name}")
    return lines


def _bound(mount: Mount) -> list[str]:
    source, target = shlex.quote(str(mount.source)), shlex.quote(f".{mount.target}")
    mode = "-o ro" if mount.read_only else ""
    if mount.source.is_dir():
        made = f"mkdir -p {target}"
    else:
        made = f"mkdir -p {shlex.quote(os.path.dirname('.' + mount.target))}; touch {target}"
    return [made, f"mount --bind {mode} {source} {target}"]
