"""TLS between client, scheduler and workers: who has no certificate of the authority stays out."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

import zonalbatch as zb
from tests.made.apis import free_port
from tests.made.certificates import certified
from tests.made.commands import SCRIPT, assert_one_sentence, command
from tests.made.jobs import Bench, amend
from tests.made.workers import program, scheduler, worker

pytestmark = pytest.mark.long


def keys_of(folder: Path) -> dict[str, str]:
    """A job's `tls`, with certificates made in a folder."""
    folder.mkdir()
    authority, own = certified(folder, "zonalbatch")
    return {"ca": str(authority), "cert": str(own), "key": str(own)}


def told_by_environment(tls: dict[str, str]) -> dict[str, str]:
    """The same for Dask's own programs, as pods have it."""
    prefix = "DASK_DISTRIBUTED__COMM__"
    own = {
        f"{prefix}TLS__{role}__{part.upper()}": tls[part]
        for role in ("CLIENT", "SCHEDULER", "WORKER")
        for part in ("cert", "key")
    }
    return own | {f"{prefix}TLS__CA_FILE": tls["ca"], f"{prefix}REQUIRE_ENCRYPTION": "True"}


@pytest.fixture
def tls(tmp_path: Path) -> dict[str, str]:
    """Certificates of one authority."""
    return keys_of(tmp_path / "certificates")


def test_a_scheduler_with_certificates(tmp_path: Path, tls: dict[str, str]) -> None:
    """A job comes to a scheduler by TLS, with keys of its own or by Dask's configuration; one
    without a certificate, or of another authority, is refused in one sentence."""
    bench = Bench(tmp_path)
    job = bench.write(bench.document())
    address = f"tls://127.0.0.1:{free_port()}"
    port = int(address.rpartition(":")[2])
    more = told_by_environment(tls)
    with (
        scheduler(tmp_path / "scheduler.log", port, more, protocol="tls"),
        worker(tmp_path / "worker.log", address, more=more),
    ):
        there = {"kind": "address", "address": address}
        told = command("run", amend(job, cluster=there | {"tls": tls}), "--wait", "60s")
        assert told.code == 0, told.err
        assert len(zb.open_results(bench.out).gdf) == 8
        configured = amend(job, cluster=there, output={"path": str(tmp_path / "by_configuration")})
        with program(tmp_path / "run.log", SCRIPT, "run", configured, more=more) as run:
            assert run.ended() == 0, run.said
        again = amend(job, cluster=there, output={"path": str(tmp_path / "third")})
        told = command("run", again, "--quiet")
        assert told.code == 5
        assert_one_sentence(told.err, f"no Dask scheduler answers at {address}", "authority")
        told = command("run", amend(again, cluster=there | {"tls": tls | {"ca": "no.pem"}}))
        assert told.code == 2
        assert_one_sentence(told.err, "cluster.tls: there is no file", "no.pem")
        others = keys_of(tmp_path / "others")
        told = command("run", amend(again, cluster=there | {"tls": others}), "--quiet")
        assert told.code == 5
        assert_one_sentence(told.err, f"no Dask scheduler answers at {address}", "authority")


def test_a_run_that_listens_with_certificates(tmp_path: Path, tls: dict[str, str]) -> None:
    """Workers come to it by TLS; one without certificates never does."""
    bench = Bench(tmp_path)
    address = f"tls://127.0.0.1:{free_port()}"
    cluster = {"kind": "listen", "address": address, "dashboard": ":0", "tls": tls}
    job = bench.write(bench.document() | {"cluster": cluster})
    with ExitStack() as stack:
        log = tmp_path / "stranger.log"
        words = ("--death-timeout", "8s")
        stranger = stack.enter_context(worker(log, address, *words))
        known = stack.enter_context(
            worker(tmp_path / "known.log", address, more=told_by_environment(tls))
        )
        run = stack.enter_context(program(tmp_path / "run.log", SCRIPT, "run", job))
        assert run.ended() == 0, run.said
        assert known.ended() == 0, known.said
        assert stranger.ended() == 5, stranger.said
    assert len(zb.open_results(bench.out).gdf) == 8
