"""Image: what a Dockerfile says of a container, and the files that it finds there."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import entry_points, version
from pathlib import Path

__all__ = ["HOME", "Image", "compile_kernels", "made_venv", "read_dockerfile"]

HOME = "/opt/zonalbatch"
"""Where the image has its environment of Python."""
REPOSITORY = Path(__file__).resolve().parents[3]
SCRIPT = """#!{home}/bin/python
import sys
from {module} import {name}
if __name__ == "__main__":
    sys.exit({name}())
"""
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Image:
    """What a container is started with, unless its pod says otherwise."""

    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=lambda: {"PATH": SYSTEM_PATH})
    user: str = "0:0"
    """Numbers of user and group."""
    place: str = "/"
    """Where its containers start."""


def read_dockerfile(path: Path) -> Image:
    """What the last stage of a Dockerfile says, and the stages that it starts from."""
    stages: dict[str, Image] = {}
    arguments: dict[str, str] = {}
    image = Image()
    for word, rest in _instructions(path.read_text()):
        if word == "ARG":
            arguments |= _assigned(rest, arguments)
        elif word == "FROM":
            start, *named = re.split(r"\s+as\s+", rest, flags=re.IGNORECASE)
            image = stages.get(start, Image())
            stages |= dict.fromkeys(named, image)
            current = named
        else:
            image = _with(image, word, rest, arguments)
            stages |= dict.fromkeys(current, image)
    return image


def _with(image: Image, word: str, rest: str, arguments: Mapping[str, str]) -> Image:
    """An image after one more instruction."""
    match word:
        case "ENTRYPOINT":
            return replace(image, entrypoint=_words(rest), command=())
        case "CMD":
            return replace(image, command=_words(rest))
        case "ENV":
            known = {**arguments, **image.variables}
            return replace(image, variables={**image.variables, **_assigned(rest, known)})
        case "USER":
            return replace(image, user=rest if ":" in rest else f"{rest}:{rest}")
        case "WORKDIR":
            return replace(image, place=rest)
    return image


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


def made_venv(folder: Path, programs: Sequence[str], entrypoint: Path) -> Path:
    """The image's environment in a folder: this one's packages, and this repository's package.

    Args:
        folder: where; in containers it lies at ``HOME``.
        programs: scripts to put in it, as the packages name them.
        entrypoint: the image's own.
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
    shutil.copy(entrypoint, folder / "entrypoint")
    (folder / "entrypoint").chmod(0o755)
    return folder


def _write_script(path: Path, module: str, name: str) -> None:
    path.write_text(SCRIPT.format(home=HOME, module=module, name=name))
    path.chmod(0o755)


def _version() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def compile_kernels(image: Image, folder: Path) -> None:
    """Compile the kernels into a folder as the image does, unless it has those of these sources."""
    told = {name: text for name, text in image.variables.items() if name.startswith("NUMBA")}
    stamp, wanted = folder / "stamp", _sources_stamp(told)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    folder.mkdir(parents=True, exist_ok=True)
    variables = os.environ | told | {"NUMBA_CACHE_DIR": str(folder), "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-m", "zonalbatch.precompiled"]
    subprocess.run(command, env=variables, check=True, capture_output=True)
    stamp.write_text(wanted)


def _sources_stamp(told: Mapping[str, str]) -> str:
    """What numba tells by whether code that it kept is of these sources."""
    files = sorted((REPOSITORY / "zonalbatch").rglob("*.py"))
    known = [(str(file), file.stat().st_mtime_ns, file.stat().st_size) for file in files]
    return hashlib.sha256(
        repr((known, sorted(told.items()), version("numba"))).encode()
    ).hexdigest()
