"""Jobs over files that are not open to all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest
import shapely

import zonalbatch as zb
from tests.made.places import CELL, LEFT, TOP
from tests.made.rasters import BLOCKS, noise, write_tif
from tests.made.store import Store
from tests.made.tokens import ACCOUNT, SECRET, Issuer, blobs
from tests.made.zones import frame, squares
from zonalbatch.errors import PassingReadError

if TYPE_CHECKING:
    from distributed import Client

DATES = 8
SIGN = {"sign": "planetary-computer"}


@pytest.fixture
def issuer() -> Issuer:
    """The service of tokens."""
    return Issuer()


@pytest.fixture
def store(tmp_path: Path, issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """Eight dates of one band behind signatures."""
    for date in range(DATES):
        write_tif(tmp_path / "box" / f"a_{date}.tif", noise(512, 512, seed=date), **BLOCKS)
    with blobs(tmp_path, issuer, monkeypatch) as found:
        yield found


@pytest.fixture
def zones(tmp_path: Path) -> str:
    """A few squares over the whole raster."""
    squares(4, side=128 * CELL).to_parquet(tmp_path / "zones.parquet")
    return str(tmp_path / "zones.parquet")


def links(store: Store, start: str, end: str = "") -> list[str]:
    """The files, by where they are said to lie."""
    return [f"{start}/box/a_{date}.tif{end}" for date in range(DATES)]


def job(zones: str, files: list[str], out: Path, **source: Any) -> zb.Job:
    """Means of all dates, by two processes of their own, which know where the store is."""
    return zb.Job(
        zones=zones,
        source={"kind": "cog", "files": files, **source},
        bands={"red": 1},
        statistics=["count", "mean", "p90"],
        output={"path": str(out)},
        cluster={"kind": "local", "workers": 2},
        limits={"requests_in_flight": 2},
    )


def secrets_in(folder: Path) -> list[Path]:
    """Files that hold a signature."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return [path for path in files if SECRET.encode() in path.read_bytes()]


@pytest.mark.long
def test_a_long_run_renews_its_tokens(
    store: Store,
    issuer: Issuer,
    zones: str,
    tmp_path: Path,
    cluster: Client,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Tokens of three seconds carry a run of several times that, to the numbers of the files.

    The links come with signatures of their own: nothing of any is found in the output, with its
    plan, job and results, nor in what the run and its workers say.
    """
    store.delay, issuer.life = 0.05, 3.0
    out = tmp_path / "out"
    report = zb.run(job(zones, links(store, ACCOUNT, f"?sig={SECRET}"), out, **SIGN))
    failures = pq.read_table(out / "failures.parquet")["cause"].to_pylist()
    assert (report.rows, failures) == (16 * DATES, [])
    assert len(issuer.asked) >= 4
    assert secrets_in(out) == []
    assert SECRET not in "".join(capfd.readouterr())
    zb.run(job(zones, links(store, str(tmp_path)), tmp_path / "local"), cluster)
    digests = [zb.open_results(folder).digest for folder in (out, tmp_path / "local")]
    assert digests[0] == digests[1]


def test_a_plan_keeps_bare_links(store: Store, issuer: Issuer, zones: str, tmp_path: Path) -> None:
    """Signed or bare, the same files make the same plan; what a worker is told is no secret."""
    signed = zb.plan(job(zones, links(store, ACCOUNT, f"?sig={SECRET}"), tmp_path / "a", **SIGN))
    bare = zb.plan(job(zones, links(store, ACCOUNT), tmp_path / "b", **SIGN))
    assert signed.fingerprint == bare.fingerprint
    assert secrets_in(tmp_path / "a") == []
    told = json.loads((signed.folder / "access.json").read_text())
    assert told.keys() == {"kind", "reader"}
    assert told["kind"] == "planetary-computer"
    hrefs = pq.read_table(signed.folder / "layers.parquet")["href"].to_pylist()
    assert hrefs == links(store, ACCOUNT)


def test_a_service_that_fails_ends_a_plan(
    store: Store, issuer: Issuer, zones: str, tmp_path: Path
) -> None:
    """Not one file can be read, and the service is named for it."""
    issuer.failure = 503
    with pytest.raises(PassingReadError, match=r"token service .* answered 503"):
        zb.plan(job(zones, links(store, ACCOUNT), tmp_path / "out", **SIGN))


def test_a_call_signs_as_a_job_does(
    store: Store, issuer: Issuer, zones: str, tmp_path: Path
) -> None:
    """`zonal_stats` and `point_query` take ``sign``, and one token serves them."""
    files = links(store, ACCOUNT)
    remote = zb.zonal_stats(zones, files, "mean", sign="planetary-computer")
    local = zb.zonal_stats(zones, links(store, str(tmp_path)), "mean")
    assert remote["mean"].tolist() == local["mean"].tolist()
    points = frame(shapely.Point(LEFT + 5, TOP - 5))
    value = zb.point_query(points, files[0], sign={"kind": "planetary-computer"})["value"]
    assert value.tolist() == [noise(512, 512, seed=0)[0, 0]]
    assert issuer.asked == ["account/box"]
