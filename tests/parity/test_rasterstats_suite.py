"""rasterstats' own tests, unmodified, with its name pointed at our module.

The suite is not part of this project: it is in the source archive of the version that is tested
against, which pip fetches to the cache once (`ZONALBATCH_CI=1`), or which
`ZONALBATCH_RASTERSTATS` names unpacked. Without either it is skipped.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

VERSION = "0.21.0"
REPOSITORY = Path(__file__).resolve().parents[2]
CACHE = REPOSITORY / ".cache" / "peers"

NO_COMMAND = "a subcommand of rio; ours are `zonalbatch stats` and `zonalbatch points`"
WINDOWS = "an inner part: the engine reads blocks, not a window for each zone"
BILINEAR = "an inner part: the engine has its own bilinear weights"
CSV = "an inner part: how its command writes CSV"

EXCEPTIONS: dict[str, str] = {
    "test_io.py::test_boundless": WINDOWS,
    "test_io.py::test_boundless_masked": WINDOWS,
    "test_io.py::test_window_bounds": WINDOWS,
    "test_io.py::test_bounds_window": WINDOWS,
    "test_io.py::test_rowcol": WINDOWS,
    "test_io.py::test_Raster_index": WINDOWS,
    "test_io.py::test_Raster": WINDOWS,
    "test_io.py::test_Raster_boundless_disabled": WINDOWS,
    "test_io.py::test_Raster_context": WINDOWS,
    "test_io.py::test_pyogrio_unknown_feature_count": "replaces pyogrio inside of its module",
    "test_point.py::test_unitxy_ul": BILINEAR,
    "test_point.py::test_unitxy_ur": BILINEAR,
    "test_point.py::test_unitxy_lr": BILINEAR,
    "test_point.py::test_unitxy_ll": BILINEAR,
    "test_point.py::test_bilinear": BILINEAR,
    "test_point.py::test_xy_array_bilinear_window": BILINEAR,
    "test_point.py::test_geom_xys": "an inner part: shapely gives the vertices at once",
    "test_utils.py::test_csv": CSV,
    "test_utils.py::test_categorical_csv": CSV,
    "test_utils.py::test_boxify_non_point": "an inner part: points become cells in marks.py",
    "test_cli.py::test_cli_feature": NO_COMMAND,
    "test_cli.py::test_cli_feature_stdin": NO_COMMAND,
    "test_cli.py::test_cli_features_sequence": NO_COMMAND,
    "test_cli.py::test_cli_features_sequence_rs": NO_COMMAND,
    "test_cli.py::test_cli_featurecollection": NO_COMMAND,
    "test_cli.py::test_cli_pointquery": NO_COMMAND,
    "test_cli.py::test_cli_point_sequence": NO_COMMAND,
    "test_cli.py::test_cli_point_sequence_rs": NO_COMMAND,
}
"""Tests that do not pass, each with its reason: all are of the peer's inner parts."""


@pytest.fixture(scope="module")
def suite() -> Path:
    """The unpacked source archive of the peer."""
    given = os.environ.get("ZONALBATCH_RASTERSTATS")
    folder = Path(given) if given else CACHE / f"rasterstats-{VERSION}"
    if not folder.is_dir() and not given and os.environ.get("ZONALBATCH_CI"):
        _fetch(folder)
    if not (folder / "tests").is_dir():
        pytest.skip(
            f"no tests of rasterstats {VERSION} at {folder}; set ZONALBATCH_RASTERSTATS to its "
            "unpacked source archive, or ZONALBATCH_CI=1 to have pip fetch it"
        )
    return folder


def _fetch(folder: Path) -> None:
    """Have pip download the source archive; nothing is built or installed."""
    CACHE.mkdir(parents=True, exist_ok=True)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    wanted = ["--no-binary", "rasterstats", f"rasterstats=={VERSION}", "--dest", str(CACHE)]
    subprocess.run([*pip, *wanted], capture_output=True, check=False, timeout=120)
    archive = CACHE / f"{folder.name}.tar.gz"
    if archive.is_file():
        with tarfile.open(archive) as packed:
            packed.extractall(CACHE, filter="data")


@pytest.mark.long
def test_suite_of_rasterstats(suite: Path, tmp_path: Path) -> None:
    """All tests of rasterstats pass with our module in its place, but those named above."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    command = [
        sys.executable, "-m", "pytest", str(suite / "tests"), "-c", str(tmp_path / "pytest.ini"),
        "--rootdir", str(suite), "-p", "tests.parity.rasterstats_names", "-p", "no:cacheprovider",
        "--import-mode=importlib", "-rfE", "-q", "--tb=line", "-W", "error",
        "-W", "ignore::UserWarning", "-W", "ignore:Use .@. matmul:PendingDeprecationWarning",
    ]  # fmt: skip
    paths = {"PYTHONPATH": str(REPOSITORY), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "500"}
    done = subprocess.run(
        command, cwd=tmp_path, env=os.environ | paths, capture_output=True, text=True, check=False,
        timeout=600,
    )  # fmt: skip
    failed = re.findall(r"^(?:FAILED|ERROR) \S*?(test_\w+\.py(?:::\w+)?)", done.stdout, re.M)
    assert sorted(failed) == sorted(EXCEPTIONS), done.stdout[-3000:] + done.stderr[-1000:]
    passed = re.findall(r"(\d+) passed", done.stdout)
    assert [int(n) >= 90 for n in passed] == [True], done.stdout[-500:]
