"""Image: what a Dockerfile says of a container, and the files that it finds there."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path

__all__ = ["HOME", "Image", "made_venv", "read_dockerfile"]

HOME = "/opt/zonalbatch"
"""Where the image has its environment of Python."""
REPOSITORY = Path(__file__).resolve().parents[3]
SCRIPT = """#!{home}/bin/python
import sys
from {module} import {name}
sys.argv[0] = "{script}"
sys.exit({name}())
"""
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Image:
    """What a container is started with, unless its pod says otherwise."""

    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    user: str = "0:0"
    """Numbers of user and group."""


def read_dockerfile(path: Path) -> Image:
    """What the last stage of a Dockerfile says."""
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    variables, user = {"PATH": SYSTEM_PATH}, "0:0"
    for word, rest in _last_stage(path.read_text()):
        match word:
            case "ENTRYPOINT":
                entrypoint, command = _words(rest), ()
            case "CMD":
                command = _words(rest)
            case "ENV":
                variables |= _assigned(rest, variables)
            case "USER":
                user = rest if ":" in rest else f"{rest}:{rest}"
    return Image(entrypoint, command, variables, user)


def _last_stage(text: str) -> list[tuple[str, str]]:
    stage: list[tuple[str, str]] = []
    for word, rest in _instructions(text):
        stage = [] if word == "FROM" else [*stage, (word, rest)]
    return stage


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    """(word, what follows) of each instruction; lines are joined, comments left out."""
    plain = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    for line in re.sub(r"\\\n", " ", plain).splitlines():
        word, _, rest = line.strip().partition(" ")
        if word:
            yield word.upper(), rest.strip()


def _words(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text)) if text.startswith("[") else ("/bin/sh", "-c", text)


def _assigned(text: str, before: Mapping[str, str]) -> dict[str, str]:
    """Assignments of one ENV; a variable that is read has the value from before it."""
    pairs = [word.partition("=") for word in shlex.split(text)]
    return {
        name: re.sub(r"\$\{?(\w+)\}?", lambda found: before.get(found[1], ""), value)
        for name, _, value in pairs
    }


def made_venv(folder: Path, programs: Sequence[str], entrypoint: Path | None) -> Path:
    """The image's environment in a folder: this one's packages, and this repository's package.

    Args:
        folder: where; in containers it lies at ``HOME``.
        programs: scripts to put in it, as the packages name them.
        entrypoint: the image's own, if there is one.
    """
    packages = folder / "lib" / f"python{_version()}" / "site-packages"
    packages.mkdir(parents=True)
    own = Path(sys.prefix) / packages.relative_to(folder)
    (packages / "image.pth").write_text(f"{REPOSITORY}\n{own}\n")
    (folder / "bin").mkdir()
    base = Path(sys._base_executable).parent  # type: ignore[attr-defined]
    (folder / "pyvenv.cfg").write_text(f"home = {base}\nversion = {_version()}\n")
    (folder / "bin" / "python").symlink_to(os.path.realpath(sys.executable))
    for found in entry_points(group="console_scripts"):
        if found.name in programs:
            _write_script(folder / "bin" / found.name, found.module, found.attr)
    if entrypoint is not None:
        shutil.copy(entrypoint, folder / "entrypoint")
        (folder / "entrypoint").chmod(0o755)
    return folder


def _write_script(path: Path, module: str, name: str) -> None:
    path.write_text(SCRIPT.format(home=HOME, module=module, name=name, script=path.name))
    path.chmod(0o755)


def _version() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"
