"""Words of pictures, the library that they need, and the command that writes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.made.year import Year
from zonalbatch.cli.app import app
from zonalbatch.cli.plot import TAKES
from zonalbatch.errors import InputError
from zonalbatch.explore.columns import Column
from zonalbatch.pictures.labels import label_of, some_of
from zonalbatch.results import Results


@pytest.mark.parametrize(
    ("measurement", "statistic", "label"),
    [
        ("ndvi", "mean", "NDVI mean"),
        ("red", "p10", "red 10th percentile"),
        ("leaf_area", "p2", "leaf area 2nd percentile"),
        ("ndvi", "p12", "NDVI 12th percentile"),
        ("ndvi", "std", "NDVI standard deviation"),
        ("ndvi", "n_masked", "NDVI masked cells"),
        ("dem", "area", "DEM area, m²"),
    ],
)
def test_labels(measurement: str, statistic: str, label: str) -> None:
    """Axes say what is measured, and of which statistic, in words and with units."""
    assert label_of(Column(f"{measurement}_{statistic}", measurement, statistic, True)) == label


def test_numbers_of_things() -> None:
    """One is not several."""
    assert (some_of(1, "zone"), some_of(2478, "row")) == ("1 zone", "2,478 rows")


def test_without_matplotlib(rows: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing, and how to install it, is told before anything is drawn."""
    monkeypatch.setattr("zonalbatch.pictures.writing.find_spec", lambda name: None)
    for draw in (lambda: rows.plot.series(0), rows.plot.multiples, rows.plot.choropleths):
        with pytest.raises(InputError, match=r"pip install 'zonalbatch\[plot\]'"):
            draw()


def test_repr_tells_what_there_is(rows: Results) -> None:
    """Who looks at ``plot`` sees its pictures; panels say how many they are."""
    assert all(name in repr(rows.plot) for name in TAKES)
    assert repr(rows.plot.multiples()) == "<Panels: 4 axes>"


def test_every_picture_has_its_command(rows: Results) -> None:
    """What the command draws is what `Pictures` has."""
    pictures = {name for name in dir(rows.plot) if not name.startswith("_")} - {"rows"}
    assert pictures == set(TAKES)


@pytest.mark.parametrize(
    "words",
    [
        "series --zone 1 --zone 2 --smooth savgol --season --time 2024-02/2024-11",
        "multiples --column ndvi_p90 --cols 2",
        "heat --zone 0",
        "histogram --time 2024-05",
        "choropleth --time 2024-05-20",
        "choropleth --time 2024-05-20 --time 2024-07",
        "choropleths --cols 3",
        "field --zone 1 --time 2024-05-04 --measurement ndvi",
        "sheet --time 2024-05 --band red --band green:1 --band blue --area 3.0,50.54,3.1,50.56",
    ],
)
def test_the_command(rows: Results, tmp_path: Path, words: str) -> None:
    """Every picture is written as a PNG."""
    path = tmp_path / "picture.png"
    done = CliRunner().invoke(app, ["plot", rows.path, *words.split(), "--out", str(path)])
    assert done.exit_code == 0, done.output
    assert done.output.strip() == f"wrote {path}"
    assert path.read_bytes().startswith(b"\x89PNG")
    assert path.stat().st_size > 5_000


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("serie", "there is no picture 'serie'; did you mean 'series'"),
        ("heat --smooth savgol", "--smooth goes with series; leave it out of heat"),
        ("field", "a field is one zone; say which by --zone"),
        ("heat --time 2024-05 --time 2024-06", "heat is of one time"),
        ("heat --out heat.pdf", r"use a name that ends in \.png"),
        ("heat --column ndvi_men", "did you mean 'ndvi_mean'"),
        ("sheet --area 1,2,x,4", "is no box"),
    ],
)
def test_what_the_command_refuses(rows: Results, words: str, why: str) -> None:
    """In one sentence."""
    done = CliRunner().invoke(app, ["plot", rows.path, *words.split()])
    assert isinstance(done.exception, InputError)
    with pytest.raises(InputError, match=why):
        raise done.exception


def test_long_rows_have_pictures(scenes: Year, rows: Results) -> None:
    """Rows of one number each give the same picture."""
    output = {"path": str(scenes.folder / "long"), "layout": "long"}
    long = scenes.run("long", output=output)
    ours, theirs = (one.plot.series(2).lines for one in (long, rows))
    for line, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(line.get_ydata(), other.get_ydata())
