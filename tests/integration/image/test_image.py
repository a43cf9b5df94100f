"""The image, made and run as its Dockerfile says, in a root of its own instead of an engine's."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from tests.made.compilations import UNCOMPILED, compiled, listening
from tests.made.dockerfiles import Dockerfile, dockerfile
from tests.made.jobs import amend
from tests.made.room import USER, Room, first_in, python_of, why_not
from zonalbatch.demo import make_landscape

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(why_not() is not None, reason=f"no clean root: {why_not()}"),
]

PATIENCE = 300.0
"""Seconds that a program may take to come up."""

BROUGHT = {"libc.so.6", "libdl.so.2", "libgcc_s.so.1", "libm.so.6", "libpthread.so.0", "librt.so.1",
           "libstdc++.so.6", "libutil.so.1", "libz.so.1"}  # fmt: skip
"""Libraries that Debian's slim images have: of libc6, libgcc-s1, libstdc++6, zlib1g."""

INSTALLED = {"libexpat1": "libexpat.so.1"}
"""Package -> library, of what the Dockerfile installs."""

UNUSED = {"libtbb.so.12", "libgomp.so.1"}
"""Those of numba's ways to many threads, which no kernel takes."""


@dataclass(frozen=True)
class Image:
    """The image, whose final stage has one folder of the builder's."""

    said: Dockerfile
    built: Room
    run: Room
    site: Path
    """Has processes of the image tell what they compile."""

    @contextmanager
    def container(self, tmp: Path, *words: str, **binds: Path) -> Iterator[subprocess.Popen[str]]:
        """A container; `tmp` is its /tmp, and other folders are seen by their names."""
        tmp.mkdir(exist_ok=True)
        os.chown(tmp, USER, USER)
        folder = "/opt/zonalbatch"
        seen = {self.built.root / folder[1:]: folder, tmp: "/tmp", self.site: "/opt/site"}
        seen |= {path: f"/{name.replace('_', '/')}" for name, path in binds.items()}
        with self.run.started(
            self.said.final, words, seen, PYTHONPATH="/opt/site", COMPILED="/tmp/compiled"
        ) as process:
            yield process

    def told(self, tmp: Path, *words: str, **binds: Path) -> tuple[int, str, str]:
        """Exit code and output of a container that ends by itself."""
        with self.container(tmp, *words, **binds) as process:
            out, err = process.communicate(timeout=PATIENCE)
            return process.returncode, out, err


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    """Our image, built; nothing of it is kept, as it takes a gigabyte."""
    said = dockerfile()
    python = python_of(said.stage("base").base)
    with tempfile.TemporaryDirectory() as folder:
        built = Room.of(Path(folder) / "builder", python)
        built.build(said.stage("builder"))
        run = Room.of(Path(folder) / "final", python)
        yield Image(said, built, run, listening(Path(folder) / "site"))


def digests(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file below a folder."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def job_in(folder: Path) -> Path:
    """A small landscape and its job, which writes to /tmp/out with two workers; their folder."""
    land = make_landscape(folder, fields=60, dates=2)
    amend(land.job, output={"path": "/tmp/out"})
    folder.chmod(0o755)
    return folder


def test_every_kernel_is_compiled_into_it(image: Image, tmp_path: Path) -> None:
    """One that is written later, and that `zonalbatch.precompiled` does not meet, is named here."""
    assert image.told(tmp_path / "tmp", "python", "-c", UNCOMPILED) == (0, "", "")


def test_a_job_compiles_nothing(image: Image, tmp_path: Path) -> None:
    """On a read-only root, as nobody, with two workers: not one kernel, in no process."""
    tmp = tmp_path / "tmp"
    code, _, err = image.told(
        tmp, "zonalbatch", "run", "/data/job.yaml", data=job_in(tmp_path / "data")
    )
    assert code == 0, err
    assert "zonalbatch:" not in err
    assert len(pd.read_parquet(tmp / "out/results")) == 120
    assert compiled(tmp / "compiled") == []
    assert digests(tmp / "numba") == digests(image.built.root / "opt/zonalbatch/kernels")


def test_where_nothing_can_be_kept_it_works(image: Image, tmp_path: Path) -> None:
    """With a /tmp that holds no kernels one is compiled where it is called: the count is true."""
    tmp = tmp_path / "tmp"
    tmp.mkdir()
    for name in ("numba", ".cache"):
        (tmp / name).write_text("no folder")
    code = "from zonalbatch.statistics.classes import _sort_by_byte as f; import numpy as np; "
    code += "i = np.zeros(1, np.int64); f(i, 0, 0, i, i.copy()); print('done')"
    status, out, err = image.told(tmp, "python", "-c", code)
    assert (status, out) == (0, "done\n")
    assert err.startswith("zonalbatch: compiled kernels cannot be copied to /tmp/numba (mkdir: ")
    ours = [one for one in compiled(tmp / "compiled") if one.startswith("zonalbatch.")]
    assert [one.split()[0] for one in ours] == ["zonalbatch.statistics.classes._sort_by_byte"]


def test_only_tmp_can_be_written(image: Image, tmp_path: Path) -> None:
    """By a user that is not root; and what is written elsewhere fails."""
    code = (
        "id -u; id -g; touch /tmp/a && for f in / /opt /opt/zonalbatch /build; do touch $f/a; done"
    )
    status, out, err = image.told(tmp_path / "tmp", "sh", "-c", code)
    assert (status, out) == (1, "1000\n1000\n")
    assert err.count("Read-only file system") == 4


def test_a_runner_that_is_stopped_says_so(image: Image, tmp_path: Path) -> None:
    """SIGTERM, by which a pod is ended, reaches the program as the first process."""
    tmp, data = tmp_path / "tmp", job_in(tmp_path / "data")
    with image.container(tmp, "zonalbatch", "run", "/data/job.yaml", data=data) as process:
        while not (tmp / "out").exists() and process.poll() is None:
            time.sleep(0.05)
        first = first_in(process)
        assert first is not None
        os.kill(first, signal.SIGTERM)
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "interrupted; run the same command again" in err


def test_what_it_says_by_itself(image: Image, tmp_path: Path) -> None:
    """The CMD is the command line's help."""
    code, out, _ = image.told(tmp_path / "tmp", *image.said.final.listed("CMD"))
    assert code == 0
    assert "zonalbatch [OPTIONS] COMMAND" in out


def test_a_service_and_a_scheduler_are_asked_how_they_are(image: Image, tmp_path: Path) -> None:
    """A program that does not answer is not well, whatever its process does."""
    health = image.said.final.listed("HEALTHCHECK")
    for name, words in {
        "serve": ["zonalbatch", "serve", "--host", "0.0.0.0", "--port", "8001"],
        "scheduler": ["dask", "scheduler", "--host", "127.0.0.1", "--dashboard-address", ":8790"],
    }.items():
        with image.container(tmp_path / name, *words) as process:
            assert _becomes_well(image, process, health)
    with image.container(tmp_path / "hung", "sh", "-c", "sleep 60; # dask scheduler ") as process:
        time.sleep(1.0)
        assert image.run.beside(process, health, image.said.final) == 1


def test_a_worker_is_well_while_it_is_there(image: Image, tmp_path: Path) -> None:
    """Nobody asks a worker or a runner anything; they end when they cannot go on."""
    with image.container(tmp_path / "tmp", "sleep", "60") as process:
        assert _becomes_well(image, process, image.said.final.listed("HEALTHCHECK"))


def _becomes_well(image: Image, process: subprocess.Popen[str], health: list[str]) -> bool:
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends and process.poll() is None:
        if image.run.beside(process, health, image.said.final) == 0:
            return True
        time.sleep(0.5)
    return False


def test_its_libraries_are_those_that_debian_slim_has(image: Image) -> None:
    """Beside what the Dockerfile installs; what this machine has more would hide that it lacks."""
    files = [str(path) for path in (image.built.root / "opt/zonalbatch").rglob("*.so*")]
    told = subprocess.run(["ldd", *files], capture_output=True, text=True, check=False).stdout
    outside = {
        words[0] for line in told.splitlines()
        if len(words := line.split()) > 2 and words[1] == "=>" and "/opt/zonalbatch/" not in line
    }  # fmt: skip
    lacking = {name for name in outside if not name.startswith(tuple(UNUSED))} - BROUGHT
    assert lacking == set(INSTALLED.values())
    (apt,) = image.said.stage("base").said("RUN")
    assert set(INSTALLED) <= set(apt.split())


def test_all_extras_are_in_it(image: Image, tmp_path: Path) -> None:
    """All of the extras that it was installed with can be imported."""
    code = "import dask_gateway, dask_jobqueue, fastapi, morecantile, owslib, uvicorn, zarr"
    assert image.told(tmp_path / "tmp", "python", "-c", code)[0] == 0
