"""What keeps an output together is damaged: it is seen, said, and made anew."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas
import pytest

import zonalbatch as zb
from tests.made.jobs import job_over
from tests.made.rasters import BLOCKS, noise, write_tif
from tests.made.runs import cut_small
from tests.made.zones import squares
from zonalbatch.errors import DamagedError, UnreachableError
from zonalbatch.places import place_of
from zonalbatch.places.folder import Folder
from zonalbatch.planning.earlier import Earlier
from zonalbatch.sinks.output import Output

if TYPE_CHECKING:
    from distributed import Client

PLAN = ("zones.parquet", "layers.parquet", "parts.parquet", "cells.parquet", "recipe.json")


class Kept:
    """An output of several parts of different sizes, and the job that it is of."""

    def __init__(self, folder: Path, client: Client) -> None:
        self.out, self.client = folder / "out", client
        files = [write_tif(folder / f"{i}.tif", noise(96, 96, seed=i), **BLOCKS) for i in range(3)]
        zones = geopandas.pd.concat([squares(5, side=160), squares(1, left=0.0).assign(id=99)])
        self.job = job_over(zones, files, self.out)
        self.run()
        self.whole = self.digest

    @property
    def digest(self) -> str:
        """Of the rows as they are read."""
        return zb.open_results(self.out).digest

    @property
    def parts(self) -> list[Path]:
        """The result files, the smallest first."""
        found = (self.out / "results").glob("part-*.parquet")
        return sorted(found, key=lambda file: (file.stat().st_size, file.name))

    def run(self, *, verify: bool = False) -> zb.Report:
        """Go on with the job."""
        return zb.run(self.job, self.client, verify=verify)


@pytest.fixture
def kept(tmp_path: Path, cluster: Client, monkeypatch: pytest.MonkeyPatch) -> Kept:
    """A run that is done."""
    cut_small(monkeypatch, rows=20)
    return Kept(tmp_path, cluster)


@pytest.mark.parametrize("with_ledger", [True, False])
@pytest.mark.parametrize(("source", "target"), [(0, -1), (-1, 0)])
def test_a_part_over_another(kept: Kept, source: int, target: int, with_ledger: bool) -> None:
    """The rows of one part under the name of another are not that part."""
    assert len({file.stat().st_size for file in kept.parts}) > 1
    shutil.copy(kept.parts[source], kept.parts[target])
    if not with_ledger:
        for file in (kept.out / "ledger").iterdir():
            file.unlink()
    kept.run(verify=True)
    assert kept.digest == kept.whole


@pytest.mark.parametrize("name", PLAN)
def test_a_damaged_plan(kept: Kept, name: str) -> None:
    """It is made anew before anything is computed by it."""
    (plan,) = (kept.out / "plan").iterdir()
    data = bytearray((plan / name).read_bytes())
    data[len(data) // 3] ^= 4
    for damaged in (bytes(data), data[: len(data) // 2]):
        (plan / name).write_bytes(damaged)
        for part in kept.parts[:2]:
            part.unlink()
        kept.run()
        assert kept.digest == kept.whole


def _flipped(text: str) -> str:
    return text.replace('"alone": "', '"alone": "f', 1)


def _grown(text: str) -> str:
    document = json.loads(text)
    document["sealed"]["rows"] += 1
    return json.dumps(document)


MANIFESTS: dict[str, Callable[[str], str]] = {
    "a name": _flipped,
    "a number": _grown,
    "null": lambda text: "null",
    "a list": lambda text: "[]",
    "nothing": lambda text: "{}",
    "half": lambda text: text[: len(text) // 2],
    "of another kind": lambda text: '{"fingerprint": 7}',
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_damaged_manifest(kept: Kept, name: str) -> None:
    """A run says what to do, and one with ``--verify`` makes it anew."""
    manifest = kept.out / "manifest.json"
    manifest.write_text(MANIFESTS[name](manifest.read_text()))
    for use in (kept.run, lambda: kept.digest):
        with pytest.raises(DamagedError, match="damaged; run the job again with --verify"):
            use()
    report = kept.run(verify=True)
    assert kept.digest == kept.whole
    assert report.computed == 0
    assert any("manifest.json" in note for note in report.notes)


@pytest.mark.parametrize("damage", [('"rows": ', '"rows": 1'), ('"unmet": "', '"unmet": "!')])
def test_a_damaged_ledger(kept: Kept, damage: tuple[str, str]) -> None:
    """What a line says is not believed if it was changed; the file's footer says it again."""
    lines = [file for file in (kept.out / "ledger").iterdir() if damage[0] in file.read_text()]
    for file in lines:
        file.write_text(file.read_text().replace(*damage))
    assert lines
    for verify in (False, True):
        kept.run(verify=verify)
        assert kept.digest == kept.whole


def test_what_cannot_be_looked_at_is_not_damaged(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that does not answer costs neither the manifest nor the plan."""
    (plan,) = (kept.out / "plan").iterdir()
    read = Folder.read_bytes

    def fails(name: str) -> Callable[[Folder], bytes]:
        def read_bytes(place: Folder) -> bytes:
            if place.name == name:
                raise UnreachableError(f"cannot read {place}: no answer")
            return read(place)

        return read_bytes

    for name, look in (
        ("manifest.json", lambda: Output.at(kept.out).drop_damaged_manifest()),
        ("sums.json", lambda: Earlier.of(place_of(plan))),
    ):
        monkeypatch.setattr(Folder, "read_bytes", fails(name))
        with pytest.raises(UnreachableError, match="no answer"):
            look()
    monkeypatch.undo()
    assert (kept.out / "manifest.json").exists()
    assert kept.run().computed == 0


def test_a_bucket_that_is_not_there(s3: object, bucket: str) -> None:
    """Whoever looks into it is told what to do, in one sentence."""
    output = Output.at("s3://no-such-bucket/out")
    told = pytest.raises(UnreachableError, match="make the bucket first")
    with told as raised, output.opened():
        pass
    assert "\n" not in str(raised.value)
