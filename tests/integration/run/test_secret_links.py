"""Links that hold a user, a password or a token: nothing but the plan keeps them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

import zonalbatch as zb
from tests.made.jobs import job_over
from tests.made.rasters import BLOCKS, noise, spoil, write_tif
from tests.made.store import Store, serving
from tests.made.zones import squares
from zonalbatch.receipts import key_of

if TYPE_CHECKING:
    from distributed import Client

SECRETS = (b"PASSW0RD", b"SECRETQ")
ZONES = squares(3, side=320)


def test_what_a_run_writes_holds_no_secret_of_its_links(tmp_path: Path, cluster: Client) -> None:
    """Failures, layers, receipts and the ledger tell a file and its plain keys, and no secret.

    What a file said of itself is found again by its masked link, in a second run, too.
    """
    out, files = tmp_path / "out", tmp_path / "files"
    write_tif(files / "good.tif", noise(96, 96), **BLOCKS, nodata=7)
    spoil(write_tif(files / "bad.tif", noise(96, 96), **BLOCKS), (0, 0))
    with serving(Store(files)) as store:
        start = store.url.replace("http://", "http://user:PASSW0RD@")
        end = "?token=SECRETQ&version=2"
        links = [f"{start}/{name}.tif{end}" for name in ("good", "bad")]
        job = job_over(ZONES, links, out)
        report = zb.run(job, cluster)
        again = zb.run(job, cluster)
    assert (report.exit_code, again.computed) == (3, 0)
    told = pq.read_table(out / "failures.parquet").to_pylist()
    layers = pq.read_table(out / "layers.parquet").to_pylist()
    hrefs = {row["href"] for row in (*told, *layers)}
    assert len(hrefs) == 2
    assert all("//***@" in href and href.endswith("&version=2") for href in hrefs)
    assert {row["nodata"] for row in layers} == {"7", '"none"'}
    written = [file for file in out.rglob("*") if file.is_file()]
    holding = {file for file in written for one in SECRETS if one in _plain(file)}
    assert {file.relative_to(out).parts[0] for file in holding} <= {"plan"}


def _plain(file: Path) -> bytes:
    """What a file holds, unpacked."""
    if file.suffix != ".parquet":
        return file.read_bytes()
    return repr((pq.read_metadata(file).metadata, pq.read_table(file).to_pylist())).encode()


def test_keys_of_links_that_differ_in_a_secret_alone() -> None:
    """They stay two, and are the same whatever process makes them."""
    one, other = (f"https://h/a.tif?token={secret}" for secret in ("SECRETQ", "SECRETR"))
    assert key_of(one, 1) != key_of(other, 1)
    assert key_of(one, 1) == key_of(one, 1)
    assert key_of("https://h/a.tif?version=2", 1) == "1:https://h/a.tif?version=2"
