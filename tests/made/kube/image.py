"""Image: what a Dockerfile says of a container, and the files that it finds there."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points, version
from pathlib import Path

from tests.made.dockerfiles import dockerfile

__all__ = ["HOME", "Image", "compile_kernels", "image_of", "made_venv"]

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

    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    variables: Mapping[str, str]
    user: str
    """Numbers of user and group."""
    place: str
    """Where its containers start."""


def image_of(path: Path) -> Image:
    """The image that a Dockerfile makes."""
    final = dockerfile(path).final
    (*_, user) = final.said("USER")
    return Image(
        tuple(final.listed("ENTRYPOINT")),
        tuple(final.listed("CMD")),
        {"PATH": SYSTEM_PATH} | final.environment,
        user if ":" in user else f"{user}:{user}",
        final.said("WORKDIR")[-1],
    )


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
