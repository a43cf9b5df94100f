"""A network that fails now and then, and a disk that fills: the rows are those of a quiet run."""

from __future__ import annotations

import resource
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import zonalbatch as zb
from tests.made.commands import SCRIPT, environment
from tests.made.jobs import amend, job_over, many_parts
from tests.made.rasters import noise, write_tif
from tests.made.runs import cut_small
from tests.made.scenes import asset, item
from tests.made.shaky import Shaky
from tests.made.store import Store, serving
from tests.made.zones import squares

if TYPE_CHECKING:
    from distributed import Client

FILES = 12
SIZE = 400


def job(folder: Path, start: str, out: str) -> zb.Job:
    """A job over items whose files lie somewhere."""
    names = [f"a_{i:02d}.tif" for i in range(FILES)]
    items = [item(name, red=asset(f"{start}/{name}", (SIZE, SIZE))) for name in names]
    source = {"kind": "stac", "items": items}
    return job_over(
        squares(5, side=780), [], folder / out, source=source, bands={"red": "red"},
        group_by="item", statistics=["count", "mean", "median"],
    )  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("share", [0.1, 0.15])
def test_a_server_that_fails_now_and_then(
    tmp_path: Path, cluster: Client, monkeypatch: pytest.MonkeyPatch, share: float,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """It drops, delays, truncates and fails requests; nothing of it is seen in the rows."""
    for i in range(FILES):
        values = noise(SIZE, SIZE, seed=i)
        write_tif(tmp_path / f"a_{i:02d}.tif", values, tiled=True, compress="deflate")
    cut_small(monkeypatch, rows=50)
    faults = Shaky(share)
    with serving(Store(tmp_path, fault=faults)) as server:
        report = zb.run(job(tmp_path, server.url, "out"), cluster)
    zb.run(job(tmp_path, str(tmp_path), "local"), cluster)
    with capsys.disabled():
        print(
            f"\n{faults.struck.total()} of {faults.answers} answers struck: {dict(faults.struck)}"
        )
    assert (report.exit_code, report.failures) == (0, 0), (
        zb.open_results(tmp_path / "out").failures["cause"].tolist()
    )
    assert len({zb.open_results(tmp_path / name).digest for name in ("out", "local")}) == 1
    assert faults.struck.total() >= 5


def no_large_files() -> None:
    """Have writes beyond some bytes of a file fail, as they do where a disk is full."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))


@pytest.mark.long
def test_a_disk_that_fills(tmp_path: Path, cluster: Client) -> None:
    """The run ends with 4 and a sentence; when there is room again, it goes on."""
    path = many_parts(tmp_path)
    done = subprocess.run(
        [SCRIPT, "run", path, "--quiet"], preexec_fn=no_large_files, capture_output=True, text=True,
        env=environment(), check=False,
    )  # fmt: skip
    assert done.returncode == 4, done.stderr
    assert "cannot write" in done.stderr
    assert "Traceback" not in done.stderr
    report = zb.run(str(path), cluster)
    assert report.exit_code == 0
    digest = zb.open_results(tmp_path / "out").digest
    names = [file.name for file in (tmp_path / "out").rglob(".*") if file.name != ".lock"]
    assert names == []
    zb.run(str(amend(path, "quiet.yaml", output={"path": "quiet"})), cluster)
    assert zb.open_results(tmp_path / "quiet").digest == digest
