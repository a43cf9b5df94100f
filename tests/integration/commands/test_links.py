"""Links with secrets on the command line: they are read where they can be, and shown masked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.made.commands import Command, assert_one_sentence
from tests.made.jobs import write_job
from tests.made.rasters import noise, write_tif
from tests.made.store import Store, serving
from tests.made.zones import squares


@pytest.fixture(autouse=True)
def _there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands are typed in the folder of the test."""
    monkeypatch.chdir(tmp_path)


END = ".geojson?token=SECRETQ"


def secret(store: Store, name: str) -> str:
    """The link of a file, with a user, a password and a token."""
    return store.url.replace("http://", "http://user:PASSW0RD@") + f"/{name}{END}"


@pytest.mark.parametrize(
    "words",
    [("stats", "LINK", "a.tif"), ("points", "LINK", "a.tif"),
     ("compare", "LINK", "a.tif", "--with", "rasterstats"),
     ("explain", "LINK", "a.tif", "--zone", "0"),
     ("search", "http://127.0.0.1:9", "-c", "x", "--zones", "LINK"), ("plan", "job.yaml"),
     ("status", "s3://AKIA:SECRETQ@bucket/x"), ("status", "https://u:PASSW0RD@h/x?k=SECRETQ")],
    ids=lambda words: words[0],
)  # fmt: skip
def test_no_command_shows_a_secret(tmp_path: Path, here: Command, words: tuple[str, ...]) -> None:
    """Of a link of zones that cannot be read, or of an output that is none."""
    write_tif(tmp_path / "a.tif", noise(8, 8))
    with serving(Store(tmp_path)) as store:
        link = secret(store, "none")
        zones, source = {"path": link}, {"kind": "cog", "files": ["a.tif"]}
        document = {"zones": zones, "source": source, "bands": {"v": 1}, "output": {"path": "out"}}
        write_job(tmp_path, document)
        code, out, err = here(*(link if word == "LINK" else word for word in words))
    assert (code, out) == (2, "")
    assert_one_sentence(err, "***@")
    assert "PASSW0RD" not in err
    assert "SECRETQ" not in err


def test_zones_at_a_link(tmp_path: Path, here: Command) -> None:
    """They are read as from a file."""
    write_tif(tmp_path / "a.tif", noise(96, 96))
    squares(3, side=320).to_file(tmp_path / "zones.geojson")
    with serving(Store(tmp_path)) as store:
        code, out, err = here("stats", secret(store, "zones"), "a.tif", "-s", "count")
    assert (code, err) == (0, "")
    assert out == here("stats", "zones.geojson", "a.tif", "-s", "count").out


@pytest.mark.parametrize("words", [("zones.geojson", "pipe.tif"), ("pipe.gpkg", "a.tif")])
def test_pipes(tmp_path: Path, here: Command, words: tuple[str, str]) -> None:
    """One that nobody writes into would be waited for, and is refused."""
    write_tif(tmp_path / "a.tif", noise(96, 96))
    squares(3, side=320).to_file(tmp_path / "zones.geojson")
    for name in ("pipe.tif", "pipe.gpkg"):
        os.mkfifo(tmp_path / name)
    code, out, err = here("stats", *words)
    assert (code, out) == (2 if words[0].startswith("pipe") else code, "")
    assert_one_sentence(err, "is no plain file or folder")
