"""Listen: when workers hear that a run has ended."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from zonalbatch.clusters import listen, open_client
from zonalbatch.clusters.security import security_of
from zonalbatch.errors import ClusterError, InputError, ZonalbatchError
from zonalbatch.job import ListenCluster, TlsKeys

HERE = ListenCluster(kind="listen", address="tcp://127.0.0.1:0", dashboard=":0")


def run_that_ends(error: ZonalbatchError | None) -> None:
    """A run on a cluster that listens, and how it ends."""
    with suppress(ZonalbatchError), open_client(HERE, 2**30):
        if error is not None:
            raise error


@pytest.mark.parametrize(
    ("error", "heard"),
    [(None, True), (InputError("wrong"), True), (ClusterError("lost"), False)],
)
def test_who_hears_of_the_end(
    monkeypatch: pytest.MonkeyPatch, error: ZonalbatchError | None, heard: bool
) -> None:
    """Workers hear of the end of a run, be it an error that another try would meet again; not of a
    run that lost its cluster, which is tried again and wants them."""
    told: list[object] = []
    monkeypatch.setattr(listen, "_say_goodbye", told.append)
    with pytest.warns(match="workers come by: zonalbatch worker tcp://127.0.0.1:"):
        run_that_ends(error)
    assert bool(told) is heard


def test_certificates_are_required(tmp_path: Path) -> None:
    """With certificates in a job nothing is said without them."""
    files = {name: tmp_path / name for name in ("ca", "cert", "key")}
    for file in files.values():
        file.touch()
    keys = TlsKeys.model_validate({name: str(file) for name, file in files.items()})
    security = security_of(keys)
    assert security.require_encryption is True
    assert not security_of(None).require_encryption
