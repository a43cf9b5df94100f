"""Room: a root of its own, in which the steps of a Dockerfile run as in a container.

What Linux has of containers is used by hand: mounts, processes and a network of its own, and
chroot. Programs and libraries are the machine's, and so is Python, under the path that it has in
the image; nothing else of the machine is seen. It takes root, and neither an engine nor a registry.
"""

from __future__ import annotations

import ast
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import REPOSITORY
from tests.made.dockerfiles import Stage, context

__all__ = ["USER", "Room", "first_in", "python_of", "why_not"]

SYSTEM = ("bin", "sbin", "lib", "lib32", "lib64", "usr", "etc")
"""What a room has of the machine: programs, libraries, and what they look up."""

TOOLS = ("unshare", "nsenter", "chroot", "ip")

WAY = ("http_proxy", "https_proxy", "no_proxy", "ssl_cert_file", "ssl_cert_dir")
"""Variables by which the machine finds the network, and trusts it."""

USER = 1000


def why_not() -> str | None:
    """Why no room can be made here."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "mounts of their own take Linux and root"
    lacking = [name for name in TOOLS if not shutil.which(name)]
    if lacking:
        return f"there is no {lacking[0]}"
    try_ = subprocess.run(["unshare", "--mount", "--pid", "--net", "--fork", "true"], check=False)
    return None if try_.returncode == 0 else "this machine lets no process have mounts of its own"


def python_of(image: str) -> Path:
    """Where the machine has the Python of an image ``python:3.13-slim``, else where ours lies."""
    version = re.findall(r"\d+\.\d+", image)[0]
    ask = "import ensurepip, sys; print(sys.base_prefix)"
    for name in (f"python{version}", sys.executable):
        told = subprocess.run(
            [shutil.which(name) or sys.executable, "-c", ask],
            capture_output=True, text=True, check=False,
            env=os.environ | {"PYENV_VERSION": _pyenv(version)},
        )  # fmt: skip
        if told.returncode == 0:
            return Path(told.stdout.strip())
    raise AssertionError("this Python has no ensurepip")


def _pyenv(version: str) -> str:
    """The version that pyenv's shims are to start, if there are any."""
    told = subprocess.run("pyenv versions --bare 2>/dev/null", shell=True, capture_output=True,
                          text=True, check=False).stdout.split()  # fmt: skip
    return ":".join(one for one in told if one.startswith(f"{version}."))


@dataclass(frozen=True)
class Room:
    """A root for one container."""

    root: Path
    python: Path
    """Prefix of the machine's Python, which is /usr/local in the room."""

    @classmethod
    def of(cls, root: Path, python: Path) -> Room:
        """An empty room in a new folder."""
        for name in ("opt", "build", "tmp", "proc", "dev", "sys", "root"):
            (root / name).mkdir(parents=True)
        (root / "tmp").chmod(0o1777)
        for name in SYSTEM:
            here = Path("/") / name
            if here.is_symlink():
                (root / name).symlink_to(here.readlink())
            elif here.is_dir():
                (root / name).mkdir()
        if python == Path("/usr"):  # Debian's own, which is no `python` by name
            (root / "python/bin").mkdir(parents=True)
            own = next(python.glob("bin/python3.[0-9][0-9]"))
            (root / "python/bin/python").symlink_to(own)
            python = root / "python"
        return cls(root, python)

    def build(self, stage: Stage) -> None:
        """Do what a stage says, with the machine's own settings of pip, of which it says nothing.

        Raises:
            CalledProcessError: a step failed; its output was printed.
        """
        settings, named = pip_settings()
        folder = "/"
        for step in stage.steps:
            if step.word == "WORKDIR":
                folder = step.text
            elif step.word == "COPY":
                self._copy(step.text, folder)
            elif step.word == "RUN":
                script = f"cd {folder} && {step.text}"
                words = [*self._start(shared=True, binds=named), "sh", "-c", script]
                env = _env(stage.environment | settings, "/root")
                subprocess.run(words, check=True, env=env, stdout=subprocess.DEVNULL)

    def _copy(self, text: str, folder: str) -> None:
        words = shlex.split(text)
        mode = words.pop(0).partition("=")[2] if words[0].startswith("--chmod=") else "644"
        *sources, target = words
        to = self.root / os.path.join(folder, target).lstrip("/")
        whole = context()
        for source in sources:
            for file in whole:
                if file == Path(source):
                    place = to / file.name if target.endswith("/") else to
                elif file.is_relative_to(source):
                    place = to / file.relative_to(source)
                else:
                    continue
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(REPOSITORY / file, place)
                place.chmod(int(mode, 8))

    @contextmanager
    def started(
        self,
        stage: Stage,
        words: Sequence[str],
        binds: Mapping[Path, str],
        **environment: str,
    ) -> Iterator[subprocess.Popen[str]]:
        """A program of the image, which is ended with the block: root read-only, no network.

        Args:
            stage: the final one.
            words: what the container is given, in the place of its CMD.
            binds: folders -> where they are seen; /tmp may be written.
            environment: beside the image's.
        """
        command = [*self._start(shared=False, binds=binds), *stage.listed("ENTRYPOINT"), *words]
        env = _env(stage.environment | environment, stage.environment["HOME"])
        with subprocess.Popen(
            command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                yield process
            finally:
                process.send_signal(signal.SIGKILL)

    def beside(self, process: subprocess.Popen[str], words: Sequence[str], stage: Stage) -> int:
        """The exit code of another program in a container, as a health check runs."""
        first = first_in(process)
        if first is None:  # it has only just been started
            return 1
        there = ["nsenter", "--target", str(first), "--mount", "--pid", "--net", "--root", "--wd"]
        user = ["--setuid", str(USER), "--setgid", str(USER)]
        env = _env(stage.environment, stage.environment["HOME"])
        return subprocess.run([*there, *user, "--", *words], env=env, check=False).returncode

    def _of_the_machine(self) -> list[str]:
        names = [name for name in SYSTEM if (self.root / name).is_dir()]
        return [name for name in names if not (self.root / name).is_symlink()]

    def _start(self, *, shared: bool, binds: Mapping[Path, str]) -> list[str]:
        """What starts a program in the room.

        Args:
            shared: as root, with the machine's network; else as the image's user, on a root that
                is read-only, without a network.
            binds: folders of the machine, seen below the root.
        """
        own = [] if shared else ["--net", "--pid", "--fork", "--kill-child"]
        user = [] if shared else [f"--userspec={USER}:{USER}", "--groups="]
        tools = {name: shutil.which(name) for name in TOOLS}
        seen_at = [(self.python, str(self.python)), *binds.items()]  # its libpython is asked there
        script = "\n".join(
            [
                "set -e",
                f"mount --bind {self.root} {self.root}; cd {self.root}",
                *(f"mount --rbind /{name} {name}" for name in self._of_the_machine()),
                f"mount --bind {self.python} usr/local",
                "mount --rbind /dev dev",
                "mount --rbind /proc proc" if shared else "mount -t proc proc proc",
                *(f"mkdir -p .{seen}; mount --bind {here} .{seen}" for here, seen in seen_at),
                *(f"mount -o remount,bind,ro .{seen}" for _, seen in seen_at if seen != "/tmp"),
                "" if shared else f"mount -o remount,bind,ro .; {tools['ip']} link set lo up",
                f'exec {tools["chroot"]} {shlex.join(user)} . "$@"',
            ]
        )  # fmt: skip
        unshare = ["unshare", "--mount", "--propagation", "private", *own]
        return [*unshare, "sh", "-c", script, "sh"]


def first_in(process: subprocess.Popen[str]) -> int | None:
    """The number, outside, of a container's first process."""
    told = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return int(told[0]) if told else None


def _env(environment: Mapping[str, str], home: str) -> dict[str, str]:
    """An environment with nothing of the machine's."""
    return {"HOME": home, **environment}


def pip_settings() -> tuple[dict[str, str], dict[Path, str]]:
    """The machine's settings of pip, as an environment, and the folders that they name."""
    told = subprocess.check_output([sys.executable, "-m", "pip", "config", "list"], text=True)
    settings = {}
    for line in told.splitlines():
        name, _, value = line.partition("=")
        key = name.rpartition(".")[2].upper().replace("-", "_")
        settings[f"PIP_{key}"] = str(ast.literal_eval(value)).strip().replace("\n", " ")
    words = [word.removeprefix("file://") for value in settings.values() for word in value.split()]
    folders = [Path(word) for word in words if word.startswith("/")]
    # Pages of an index name files beside it, so what is below /opt/index is seen, not its part.
    tops = {Path(*one.parts[:3]) for one in folders if one.parts[1] not in SYSTEM}
    unseen = [one for one in tops if one.is_dir()]
    way = {name: os.environ[name] for name in os.environ if name.lower() in WAY}
    return settings | way, {folder: str(folder) for folder in unseen}
