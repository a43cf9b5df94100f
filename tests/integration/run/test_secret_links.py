"""Links that hold a user, a password or a token: nothing but the plan keeps them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

import zonalbatch as zb
from tests.made.rasters import BLOCKS, noise, spoil, write_tif
from tests.made.store import Store, serving
from tests.made.zones import squares

if TYPE_CHECKING:
    from distributed import Client

SECRETS = (b"PASSW0RD", b"SECRETQ")
ZONES = squares(3, side=320)


def test_what_a_run_writes_holds_no_secret_of_its_links(tmp_path: Path, cluster: Client) -> None:
    """Failures, layers, receipts, ledger and job tell a file and its plain keys, and no secret.

    What a file said of itself is found again by its masked link, in a second run, too.
    """
    out, files = tmp_path / "out", tmp_path / "files"
    write_tif(files / "good.tif", noise(96, 96), **BLOCKS, nodata=7)
    spoil(write_tif(files / "bad.tif", noise(96, 96), **BLOCKS), (0, 0))
    with serving(Store(files)) as store:
        start = store.url.replace("http://", "http://user:PASSW0RD@")
        end = "?token=SECRETQ&version=2"
        links = [f"{start}/{name}.tif{end}" for name in ("good", "bad")]
        ZONES.to_parquet(tmp_path / "zones.parquet")
        zones = {"path": str(tmp_path / "zones.parquet"), "id": "id"}
        job = zb.Job(
            zones=zones, source={"kind": "cog", "files": links}, bands={"red": 1},
            output={"path": str(out)},
        )  # fmt: skip
        report = zb.run(job, cluster)
        again = zb.run(job, cluster)
    assert (report.exit_code, again.computed) == (3, 0)
    told = pq.read_table(out / "failures.parquet").to_pylist()
    layers = pq.read_table(out / "layers.parquet").to_pylist()
    hrefs = {row["href"] for row in (*told, *layers)}
    assert len(hrefs) == 2
    assert all("//***@" in href and href.endswith("&version=2") for href in hrefs)
    assert {row["nodata"] for row in layers} == {"7", '"none"'}
    assert (out / "job.yaml").read_text().count("&version=2") == 2
    written = [file for file in out.rglob("*") if file.is_file()]
    holding = {file for file in written for one in SECRETS if one in _plain(file)}
    assert {file.relative_to(out).parts[0] for file in holding} <= {"plan"}


def _plain(file: Path) -> bytes:
    """What a file holds, unpacked."""
    if file.suffix != ".parquet":
        return file.read_bytes()
    return repr((pq.read_metadata(file).metadata, pq.read_table(file).to_pylist())).encode()
