"""Files that are not what was written: each is found, and made again."""

from __future__ import annotations

import random
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import zonalbatch as zb
from tests.made.jobs import job_over
from tests.made.rasters import BLOCKS, noise, spoil, write_tif
from tests.made.runs import Runner, cut_small
from tests.made.zones import squares
from zonalbatch.receipts import Report

BESIDE = ("failures.parquet", "layers.parquet", "zones.parquet")
Damage = Callable[[Path, random.Random], None]


def flip(file: Path, rng: random.Random) -> None:
    """Change one bit of one byte, anywhere."""
    data = bytearray(file.read_bytes())
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    file.write_bytes(data)


def truncate(file: Path, rng: random.Random) -> None:
    """Lose the end."""
    data = file.read_bytes()
    file.write_bytes(data[: rng.randrange(len(data))])


def remove(file: Path, rng: random.Random) -> None:
    """Lose all of it."""
    file.unlink()


class Kept:
    """A run with all that may lie in an output, and its files."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner
        zones = runner.half_outside()
        zones.to_parquet(runner.folder / "squares.parquet")
        self.job = runner.job(
            zones={"path": str(runner.folder / "squares.parquet"), "id": "id"},
            statistics=["count", "mean", "valid_fraction"],
            temporal={"every": "month", "statistics": ["mean"]},
            pick={"every": "month"},
        )
        zb.run(self.job, runner.client)
        self.parts = {f"part-{part.id}" for part in zb.plan(self.job).parts}
        self.out = runner.folder / "out"
        self.whole = self.look()

    @property
    def files(self) -> list[Path]:
        """All files of the result."""
        folders = ("results", "picked", "temporal")
        parts = [f for one in folders for f in sorted((self.out / one).glob("part-*"))]
        return [*parts, *(self.out / name for name in BESIDE)]

    def look(self) -> list[bytes]:
        """Bytes of each file but those of parts, which tell how long it took; their digest."""
        rows = zb.open_results(self.out).digest.encode()
        beside = [file for file in self.files if file.parent.name != "results"]
        return [rows, *sorted(file.read_bytes() for file in beside)]

    def verified(self) -> Report:
        """Run it again, looking at every byte."""
        return zb.run(self.job, self.runner.client, verify=True)


@pytest.fixture
def kept(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> Kept:
    """A run of a few parts."""
    cut_small(monkeypatch)
    return Kept(runner)


def test_what_is_whole_stays(kept: Kept) -> None:
    """Nothing is computed, nothing is said."""
    report = kept.verified()
    assert (report.computed, [n for n in report.notes if "not as written" in n]) == (0, [])
    assert kept.look() == kept.whole


@pytest.mark.parametrize("damage", [flip, truncate, remove])
def test_damage_to_any_file_is_mended(kept: Kept, damage: Damage) -> None:
    """Whichever file it is and wherever the byte lies."""
    rng = random.Random(7)
    assert len(kept.files) > 12
    for number in range(len(kept.files)):  # names over time follow from the hashes of parts
        file = kept.files[number]
        damage(file, rng)
        report = kept.verified()
        name = file.relative_to(kept.out).as_posix()
        told = f"1 file was not as written, and made again: {name}"
        assert told in report.notes
        part = file.parent.name == "results" and file.stem in kept.parts
        assert report.computed == part, name
        assert kept.look() == kept.whole, name


def test_several_at_once(kept: Kept) -> None:
    """Each is named, up to three."""
    for file in kept.files:
        flip(file, random.Random(3))
    (note,) = [n for n in kept.verified().notes if "not as written" in n]
    assert note.startswith(f"{len(kept.files)} files were not as written, and made again: failures")
    assert note.endswith(", …")
    assert kept.look() == kept.whole


def flip_in_page(data: bytearray) -> None:
    """Change a value of a column."""
    column = pq.ParquetFile(BytesIO(data)).metadata.row_group(0).column(4)
    data[column.data_page_offset + column.total_compressed_size - 2] ^= 1


def flip_in_name(data: bytearray) -> None:
    """Change a letter of a column's name."""
    data[data.index(b"ndvi_valid_fraction") + 9] ^= 1


@pytest.mark.parametrize("damage", [flip_in_page, flip_in_name])
def test_without_a_ledger(kept: Kept, damage: Callable[[bytearray], None]) -> None:
    """Pages and columns have checksums of their own, and rows are counted."""
    for file in (kept.out / "ledger").iterdir():
        file.unlink()
    file = kept.files[0]
    data = bytearray(file.read_bytes())
    damage(data)
    file.write_bytes(data)
    kept.verified()
    assert kept.look() == kept.whole


def test_what_could_not_be_read_is_told_again(runner: Runner) -> None:
    """The file of a part's failures belongs to the part."""
    bad = write_tif(runner.folder / "bad.tif", noise(96, 96), **BLOCKS)
    spoil(bad, (0, 0))
    good = write_tif(runner.folder / "good.tif", noise(96, 96))
    job = job_over(squares(3, side=320), [bad, good], runner.folder / "out")
    first = zb.run(job, runner.client)
    assert first.failures > 0
    (told,) = (runner.folder / "out" / "failures").iterdir()
    for damage in (flip, remove):
        damage(told, random.Random(1))
        report = zb.run(job, runner.client, verify=True)
        assert (report.computed, report.failures) == (1, first.failures)
