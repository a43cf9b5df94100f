"""A peer's own tests, unmodified, with its name pointed at our module.

A suite is not part of this project: it is in the source archive of the version that is tested
against, which pip fetches to the cache once (`ZONALBATCH_CI=1`), or which `ZONALBATCH_<PEER>` names
unpacked. Without either it is skipped.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

__all__ = ["failures_of", "suite_of"]

REPOSITORY = Path(__file__).resolve().parents[2]
CACHE = REPOSITORY / ".cache" / "peers"


def suite_of(peer: str, version: str, tests: str) -> Path:
    """The folder of a peer's tests.

    Args:
        peer: its name.
        version: which of its versions.
        tests: where its tests lie in its source archive.
    """
    variable = f"ZONALBATCH_{peer.upper()}"
    given = os.environ.get(variable)
    folder = Path(given) if given else CACHE / f"{peer}-{version}"
    if not folder.is_dir() and not given and os.environ.get("ZONALBATCH_CI"):
        _fetch(peer, version)
    if not (folder / tests).is_dir():
        pytest.skip(
            f"no tests of {peer} {version} at {folder}; set {variable} to its unpacked source "
            "archive, or ZONALBATCH_CI=1 to have pip fetch it"
        )
    return folder / tests


def _fetch(peer: str, version: str) -> None:
    """Have pip download the source archive; nothing is built or installed."""
    CACHE.mkdir(parents=True, exist_ok=True)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    wanted = ["--no-binary", peer, f"{peer}=={version}", "--dest", str(CACHE)]
    subprocess.run([*pip, *wanted], capture_output=True, check=False, timeout=120)
    archive = CACHE / f"{peer}-{version}.tar.gz"
    if archive.is_file():
        with tarfile.open(archive) as packed:
            packed.extractall(CACHE, filter="data")


def failures_of(suite: Path, plugin: str, folder: Path, *options: str) -> tuple[list[str], int]:
    """Which tests of a suite fail, as ``file.py::name``, each time they do; and how many pass.

    Args:
        suite: the tests.
        plugin: the module that puts ours in the peer's place.
        folder: where to run, with nothing of this project's about.
        options: of pytest, beside the usual ones.
    """
    (folder / "pytest.ini").write_text("[pytest]\n")
    command = [
        sys.executable, "-m", "pytest", str(suite), "-c", str(folder / "pytest.ini"),
        "--rootdir", str(suite.parent), "-p", plugin, "-p", "no:cacheprovider",
        "--import-mode=importlib", "-rfE", "-q", "--tb=line", *options,
    ]  # fmt: skip
    paths = {"PYTHONPATH": str(REPOSITORY), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "500"}
    done = subprocess.run(
        command, cwd=folder, env=os.environ | paths, capture_output=True, text=True, check=False,
        timeout=600,
    )  # fmt: skip
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None, done.stdout[-3000:] + done.stderr[-1000:]
    failed = re.findall(r"^(?:FAILED|ERROR) \S*?(test_\w+\.py(?:::[\w]+)?)", done.stdout, re.M)
    return sorted(failed), int(passed[1])
