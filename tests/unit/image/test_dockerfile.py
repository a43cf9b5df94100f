"""The Dockerfile: what it says of the image, without an engine that makes it."""

from __future__ import annotations

import json
import platform
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.made.commands import environment
from tests.made.dockerfiles import Dockerfile, context, dockerfile
from zonalbatch import __version__
from zonalbatch.sources.gdal import GDAL_SETTINGS

VENV = "/opt/zonalbatch"


@pytest.fixture(scope="module")
def ours() -> Dockerfile:
    """What our Dockerfile says."""
    return dockerfile()


def test_what_builds_is_not_in_the_image(ours: Dockerfile) -> None:
    """The last stage is made from the same Python as the builder, and gets one folder of it."""
    names = [(stage.name, stage.base) for stage in ours.stages]
    assert names == [("base", "python:3.13-slim"), ("builder", "base"), ("", "base")]
    assert ours.final.said("COPY") == [f"--from=builder {VENV} {VENV}"]
    assert not ours.final.said("RUN")


def test_the_python_is_one_that_the_package_takes(ours: Dockerfile) -> None:
    """It lies between the oldest and the newest that all pins have wheels for."""
    minor = int(re.findall(r"python:3\.(\d+)-slim", ours.stage("base").base)[0])
    low, high = re.findall(r"\(3, (\d+)\)", (REPOSITORY / "Makefile").read_text())
    assert int(low) <= minor <= int(high)


def test_it_runs_as_nobody_special(ours: Dockerfile) -> None:
    """The user is a number, so that Kubernetes can see that it is not root; its home is /tmp."""
    assert ours.final.said("USER") == ["1000:1000"]
    assert ours.final.said("WORKDIR") == ["/tmp"]
    assert ours.final.environment["HOME"] == "/tmp"


def test_programs_start_by_the_entry_point(ours: Dockerfile) -> None:
    """So pods give arguments, never a command; without any the image tells what it can do."""
    assert ours.final.listed("ENTRYPOINT") == [f"{VENV}/entrypoint"]
    assert ours.final.listed("CMD") == ["zonalbatch", "--help"]
    assert ours.final.environment["PATH"].startswith(f"{VENV}/bin:")
    copied = "--chmod=755 helm/image/entrypoint helm/image/health /opt/zonalbatch/"
    assert copied in ours.stage("builder").said("COPY")


def test_the_health_check_is_ours(ours: Dockerfile) -> None:
    """It is run without a shell."""
    assert ours.final.listed("HEALTHCHECK") == [f"{VENV}/health"]


def test_the_processor_is_stated_in_both_stages(ours: Dockerfile) -> None:
    """Name and features are parts of the key of compiled code, so neither follows the machine."""
    for stage in (ours.stage("builder"), ours.final):
        assert stage.environment["NUMBA_CPU_NAME"] == "x86-64-v3"
        features = stage.environment["NUMBA_CPU_FEATURES"].split(",")
        assert {"+avx2", "+bmi2", "+fma"} <= set(features)
        assert all(re.fullmatch(r"\+[a-z0-9.]+", one) for one in features)
        assert not any("avx512" in one for one in features)
    assert ours.final.environment["NUMBA_CACHE_DIR"] == "/tmp/numba"


LOOP = """
import numpy as np
from numba import njit
from numba.core.registry import cpu_target

@njit
def doubled(values):
    for i in range(len(values)):
        values[i] *= 2.0

values = np.arange(100.0)
doubled(values)
(code,) = doubled.inspect_asm().values()
print(values.sum(), "%ymm" in code, "%zmm" in code)
print(*cpu_target.target_context.codegen().magic_tuple()[1:])
"""


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the stated level is one of x86-64")
def test_numba_takes_the_stated_processor(ours: Dockerfile) -> None:
    """Its code runs here, with vectors of 256 bits and none of 512, and it is in numba's key."""
    stated = {key: value for key, value in ours.final.environment.items() if "_CPU_" in key}
    told = subprocess.check_output(
        [sys.executable, "-c", LOOP], env=environment() | stated, text=True
    )
    assert told.splitlines() == ["9900.0 True False", " ".join(stated.values())]


def test_gdal_is_set_as_zonalbatch_sets_it(ours: Dockerfile) -> None:
    """A setting here would win over the package's own, so all are the same."""
    set_ = {key: value for key, value in ours.final.environment.items() if _is_gdal(key)}
    assert set_ == GDAL_SETTINGS


def _is_gdal(name: str) -> bool:
    return name.startswith(("GDAL_", "VSI_", "CPL_", "AWS_"))


def test_labels_say_what_it_is(ours: Dockerfile) -> None:
    """Title, licence and version are those of the package."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    labels = ours.final.pairs("LABEL")
    told = {key.removeprefix("org.opencontainers.image."): value for key, value in labels.items()}
    assert told == {
        "title": project["name"],
        "description": project["description"],
        "version": __version__,
        "licenses": project["license"],
    }


def test_all_is_installed_under_the_pins(ours: Dockerfile) -> None:
    """Each call of pip has the constraints, the builder's too, and no step names a registry."""
    steps = [one for one in ours.stage("builder").said("RUN") if " pip " in one]
    told = " ".join(steps)
    assert len(re.findall(r"pip (install|wheel)", told)) == 3
    assert told.count(" -c constraints.txt") + told.count("--no-deps --build-constraint") == 3
    extras = set(re.findall(r"\[([a-z,]+)\]", told)[0].split(","))
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert extras == set(project["optional-dependencies"]) - {"explore", "plot"}
    assert not re.search(r"https?://|index-url", (REPOSITORY / "Dockerfile").read_text())


def test_the_builder_is_sent_what_it_copies_and_no_more(ours: Dockerfile) -> None:
    """Neither secrets nor results, history or tests; all that the wheel holds."""
    sent = [str(path) for path in context()]
    tops = {"constraints.txt", "pyproject.toml", "README.md", "LICENSE", "zonalbatch", "helm"}
    assert {path.partition("/")[0] for path in sent} == tops
    assert [path for path in sent if path.startswith("helm/")] == [
        "helm/image/entrypoint", "helm/image/health",
    ]  # fmt: skip
    assert {"zonalbatch/service/page/main.js", "zonalbatch/pages/assets/report.js"} <= set(sent)
    wanted = " ".join(ours.stage("builder").said("COPY")).split()
    assert tops - {"helm"} <= set(wanted)


def test_what_lies_about_is_not_sent(tmp_path: Path) -> None:
    """Also below the folders that are sent."""
    folder = tmp_path
    kept = ["zonalbatch/api.py", "zonalbatch/catalog/datasets/a.yaml", "helm/image/entrypoint"]
    left = [
        ".env", ".git/config", ".venv/bin/python", "out/results/a.parquet", "tests/conftest.py",
        "secret.pem", "helm/zonalbatch/values.yaml", "zonalbatch/.env", "zonalbatch/a/.netrc",
        "zonalbatch/__pycache__/api.cpython-313.pyc", "zonalbatch/a/b.nbc", "key.json",
    ]  # fmt: skip
    for name in (*kept, *left):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(name))
    assert sorted(map(str, context(folder, REPOSITORY / ".dockerignore"))) == sorted(kept)
