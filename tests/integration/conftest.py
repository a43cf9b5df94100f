"""What whole runs share: a landscape, the command line, a cluster that is up already."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.made.commands import Command, Told
from zonalbatch import cli
from zonalbatch.demo import Landscape, make_landscape

if TYPE_CHECKING:
    from distributed import Client


@pytest.fixture(scope="session")
def land(tmp_path_factory: pytest.TempPathFactory) -> Landscape:
    """60 fields and 3 dates, to be read only."""
    return make_landscape(tmp_path_factory.mktemp("land"), fields=60, dates=3)


@pytest.fixture
def at_hand(cluster: Client) -> dict[str, str]:
    """The cluster of the tests, as a job names it: quicker than one for each run."""
    assert cluster.scheduler is not None
    return {"kind": "address", "address": cluster.scheduler.address}


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    """The command line in this process, for speed."""

    def run(*arguments: object) -> Told:
        monkeypatch.setattr(sys, "argv", ["zonalbatch", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capfd.readouterr()
        return Told(int(ended.value.code or 0), out, err)

    return run
