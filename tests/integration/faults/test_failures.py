"""What becomes of a failure: tried again or not, recorded, or the end of the run."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import zonalbatch as zb
from tests.made.commands import Command
from tests.made.jobs import job_over, write_job
from tests.made.rasters import BLOCKS, noise, spoil, write_tif
from tests.made.runs import cut_small
from tests.made.scenes import asset, item
from tests.made.store import Store, serving
from tests.made.zones import squares
from zonalbatch.errors import PassingReadError, PermanentReadError, ReadError, SourceError
from zonalbatch.progress import Silent
from zonalbatch.sources import cog
from zonalbatch.sources.retries import RETRYING

if TYPE_CHECKING:
    from distributed import Client

NINE = squares(3, side=320)
"""Zones that fill the rasters."""


def two_years(folder: Path) -> tuple[list[str], zb.Job]:
    """Two files, of 2020 and 2021, and a job over them; each makes a part of its own."""
    files = [write_tif(folder / f"s_{year}.tif", noise(96, 96, seed=year)) for year in (2020, 2021)]
    source = {"kind": "cog", "files": files, "datetime_pattern": "%Y"}
    return files, job_over(NINE, files, folder / "out", source=source)


def one_bad_block(folder: Path, **keys: Any) -> zb.Job:
    """A job over one file, one block of which cannot be decoded."""
    bad = write_tif(folder / "bad.tif", noise(96, 96), **BLOCKS)
    spoil(bad, (0, 0))
    return job_over(NINE, bad, folder / "out", **keys)


def _hurry() -> None:
    """Have a worker try again at once."""
    RETRYING.sleep = lambda seconds: None


def _wait() -> None:
    """Have a worker wait as it does."""
    RETRYING.sleep = time.sleep


@pytest.fixture
def no_waits(cluster: Client) -> Iterator[None]:
    """Workers that do not wait before they try again."""
    cluster.run(_hurry)
    yield
    cluster.run(_wait)


@contextmanager
def losing_header_of(href: str) -> Iterator[None]:
    """While a header cannot be read, for a reason that passes."""
    read = cog.read_headers

    def shaky(hrefs: Any, *rest: Any) -> Any:
        return read(hrefs, *rest) | {href: PassingReadError(f"{href} could not be read just now")}

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(cog, "read_headers", shaky)
        yield


def test_a_header_that_fails_for_a_while(tmp_path: Path, cluster: Client) -> None:
    """What passes is tried again by the next run, also where it struck the plan.

    The first run says 3 and is not sealed; the second adds the layer, and is not refused.
    """
    files, job = two_years(tmp_path)
    with losing_header_of(files[1]):
        first = zb.run(job, cluster)
    assert (first.exit_code, first.rows) == (3, 9)
    assert not json.loads((tmp_path / "out/manifest.json").read_text())["sealed"]["complete"]
    second = zb.run(job, cluster)
    assert (second.exit_code, second.rows) == (0, 18)


def test_one_band_whose_header_fails_for_a_while(tmp_path: Path, cluster: Client) -> None:
    """A layer that lacks one band for a passing reason is whole after the next run."""
    for band in ("B04", "B08"):
        write_tif(tmp_path / f"s_20200501_{band}.tif", noise(96, 96, seed=len(band)))
    source = {"kind": "cog", "pattern": str(tmp_path / "s_{date:%Y%m%d}_{band}.tif")}
    bands = {"red": "B04", "nir": "B08"}
    job = job_over(NINE, "", tmp_path / "out", source=source, bands=bands)
    with losing_header_of(str(tmp_path / "s_20200501_B08.tif")):
        first = zb.run(job, cluster)
    assert (first.exit_code, first.rows) == (3, 9)
    assert set(zb.open_results(first.output).gdf["status"]) == {"partial"}
    second = zb.run(job, cluster)
    assert (second.exit_code, second.rows) == (0, 9)
    assert set(zb.open_results(first.output).gdf["status"]) == {"ok"}


def test_what_is_computed_is_kept(tmp_path: Path, cluster: Client) -> None:
    """Whatever ends a first run, the parts that it has written stay for the next."""
    _, job = two_years(tmp_path)
    assert len(zb.plan(job).parts) == 2
    shutil.rmtree(tmp_path / "out")

    class Stubborn(Silent):
        """Ends the run with invalid input once a part is there."""

        def finished(self, *_: Any) -> None:
            """Raise what a worker may raise that finds a file of no use."""
            raise SourceError("a file is of no use")

    with pytest.raises(SourceError):
        zb.run(job, cluster, Stubborn())
    assert zb.run(job, cluster).computed < 2


def test_failures_are_not_tried_again(tmp_path: Path, cluster: Client) -> None:
    """A second run computes nothing, says 3 again, and keeps rows and failures."""
    job = one_bad_block(tmp_path)
    first = zb.run(job, cluster)
    before = zb.open_results(first.output)
    digest, failures = before.digest, before.failures
    again = zb.run(job, cluster)
    assert (first.exit_code, again.exit_code, again.computed) == (3, 3, 0)
    after = zb.open_results(first.output)
    assert after.digest == digest
    pd.testing.assert_frame_equal(after.failures, failures)


def test_on_failure_raise(tmp_path: Path, cluster: Client) -> None:
    """The run ends at once with the file's name and a zone's, told by a worker as an error."""
    with pytest.raises(PermanentReadError, match=r"bad\.tif.*; zone 0 needs it, in layer 'bad'"):
        zb.run(one_bad_block(tmp_path, on_failure="raise"), cluster)


def test_max_failures(tmp_path: Path, cluster: Client) -> None:
    """A run stops when more has failed than it may."""
    with pytest.raises(ReadError, match=r"max_failures \(0\), such as: .*bad\.tif.*") as caught:
        zb.run(one_bad_block(tmp_path, limits={"max_failures": 0}), cluster)
    for way in ("--retry-failed", "raise the limit"):
        assert way in str(caught.value)


@pytest.mark.parametrize(("most", "stops"), [(0.4, True), ("40%", True), (0.6, False), (1, False)])
def test_a_share_of_failures(
    tmp_path: Path, cluster: Client, most: float | str, stops: bool
) -> None:
    """One file of two is half of them, however many of its blocks and parts are struck."""
    bad = write_tif(tmp_path / "bad.tif", noise(96, 96), **BLOCKS)
    spoil(bad, (0, 0), (1, 1))
    good = write_tif(tmp_path / "good.tif", noise(96, 96), **BLOCKS)
    job = job_over(NINE, [bad, good], tmp_path / "out", limits={"max_failures": most})
    if not stops:
        assert zb.run(job, cluster).exit_code == 3
        return
    for _ in range(2):  # a second run finds the failures of the first
        with pytest.raises(ReadError, match=r"1 file could not be read, more than .* of 2 files"):
            zb.run(job, cluster)


def test_what_failed_is_tried_again_where_asked(
    tmp_path: Path, cluster: Client, no_waits: None
) -> None:
    """A remote file that was mended is read by `retry_failed` alone, and no other is."""
    names = ["a.tif", "b.tif"]
    for name in names:
        write_tif(tmp_path / name, noise(96, 96, seed=ord(name[0])), **BLOCKS)
    whole = (tmp_path / "a.tif").read_bytes()
    spoil(str(tmp_path / "a.tif"), (0, 0))
    with serving(Store(tmp_path)) as server, pytest.MonkeyPatch.context() as patched:
        cut_small(patched, rows=9)
        items = [item(name, red=asset(f"{server.url}/{name}", (96, 96))) for name in names]
        source, bands = {"kind": "stac", "items": items}, {"red": "red"}
        job = job_over(NINE, [], tmp_path / "out", source=source, bands=bands, group_by="item")
        assert zb.run(job, cluster).exit_code == 3
        (tmp_path / "a.tif").write_bytes(whole)
        assert zb.run(job, cluster).computed == 0
        again = zb.run(job, cluster, retry_failed=True)
    assert (again.exit_code, again.computed, again.failures) == (0, 1, 0)
    assert set(zb.open_results(again.output).gdf["status"]) == {"ok"}


def test_failures_may_be_in_order(tmp_path: Path, here: Command) -> None:
    """--ok-with-failures ends with 0 and tells of them all the same."""
    one_bad_block(tmp_path)
    NINE.to_parquet(tmp_path / "zones.parquet")
    document = {
        "zones": {"path": "zones.parquet", "id": "id"}, "output": {"path": "told"},
        "source": {"kind": "cog", "files": ["bad.tif"]}, "bands": {"red": 1},
    }  # fmt: skip
    path = write_job(tmp_path, document)
    assert here("run", path).code == 3
    code, out, _ = here("run", path, "--ok-with-failures")
    assert code == 0
    assert "failure" in out
    assert "1 of 1 done, 1 with failures" in here("status", tmp_path / "told").out


def test_a_failure_of_many_parts_is_one(tmp_path: Path, cluster: Client) -> None:
    """A band that a layer lacks is told once, though each part of the layer meets it."""
    for name in ("2020_red", "2020_nir", "2021_red"):
        write_tif(tmp_path / f"{name}.tif", noise(400, 400), tiled=True)
    source = {"kind": "cog", "pattern": str(tmp_path / "{date:%Y}_{band}.tif")}
    bands = {"red": "red", "nir": "nir"}
    zones = squares(30, side=130)
    job = job_over(zones, [], tmp_path / "out", source=source, bands=bands)
    parts = [part for part in zb.plan(job).parts if part.bucket.startswith("2021")]
    assert len(parts) > 1
    report = zb.run(job, cluster)
    assert report.failures == 1
    (row,) = pd.read_parquet(tmp_path / "out" / "failures.parquet").to_dict("records")
    assert (row["layer"], "'nir'" in row["cause"]) == ("2021", True)
