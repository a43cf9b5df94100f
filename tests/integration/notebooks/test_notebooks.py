"""The notebooks, as a reader runs them: on real parts, from the first cell to the last."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import nbformat
import pytest

from tests.made.flanders import offered_flanders
from tests.made.harz import TOP, offered_harz
from tests.made.notebooks import FOLDER, Ran, ran

BOOKS = sorted(FOLDER.glob("*.ipynb"))


def test_there_are_seven() -> None:
    """Each is a question of its own."""
    assert [path.name[:2] for path in BOOKS] == [f"{number}-" for number in range(1, 8)]


@pytest.mark.parametrize("path", BOOKS, ids=lambda path: path.stem)
def test_stripped(path: Path) -> None:
    """No outputs, no counts, no more metadata than a kernel's name, no place of some machine."""
    text = path.read_text(encoding="utf-8")
    book = nbformat.reads(text, as_version=4)
    nbformat.validate(book)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    assert all(not cell.metadata for cell in book.cells)
    assert json.loads(text)["metadata"] == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    assert not [place for place in (gettempdir(), str(FOLDER.parent)) if place in text]


def facts(
    folder: Path, name: str, pictures: int, asked: dict[str, str], first: str = "", **names: str
) -> Ran:
    """Run a notebook: it says nothing on stderr, leaves only its own folder, draws pictures."""
    done = ran(name, folder, asked, first=first, **names)
    assert done.streams("stderr") == ""
    assert sorted(one.name for one in folder.iterdir()) == [
        *(path.name for path in BOOKS if path.name.startswith(name)),
        "work",
    ]
    assert len(done.shown("image/png")) == pictures
    return done


@pytest.mark.long
def test_quickstart(tmp_path: Path) -> None:
    """A call, a job, a plan, a run, rows, a map; wheat is greenest in May or June."""
    done = facts(tmp_path, "1-", 3, {
        "rows": "report.rows, report.failures", "peak": "crops['winter wheat'].idxmax().month",
        "days": "results.pivot('ndvi_mean').shape", "page": "(folder / 'report.html').is_file()",
    })  # fmt: skip
    assert done.facts["rows"] == "2400 0"
    assert done.facts["peak"] in ("5", "6")
    assert (done.facts["days"], done.facts["page"]) == ("(12, 200)", "True")
    shown = "".join(done.shown("text/html"))
    assert shown.count("<iframe") == 1
    for card in ("<b>Job</b>", "<b>Plan</b>", "<b>Run</b>", "<b>Report</b>", "<b>Results</b>"):
        assert card in shown


@pytest.mark.long
def test_a_fields_year(
    data_dir: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Found by a search, in Flanders: green over the winter, bare in May, maize in July."""
    asked = {
        "items": "len(items), report.rows, report.failures",
        "seasons": "seasons.query('zone_id == \"south\"')[['start', 'peak', 'end']]"
        ".apply(lambda dates: dates.dt.strftime('%Y-%m')).to_json(orient='values')",
        "spring": "seasons.query('zone_id == \"north-west\"')[['start', 'end']]"
        ".apply(lambda dates: dates.dt.strftime('%Y-%m')).to_json(orient='values')",
        "clouded": "bool((results.gdf['status'] == 'empty').groupby(results.gdf['zone_id']).sum()"
        ".between(40, 60).all())",
    }
    with offered_flanders(data_dir, tmp_path_factory.mktemp("flanders")) as url:
        done = facts(tmp_path, "2-", 6, asked, STAC_API=url)
    assert done.facts["items"] == "118 472 0"
    assert json.loads(done.facts["seasons"]) == [
        ["2017-12", "2018-01", "2018-04"],
        ["2018-06", "2018-07", "2018-09"],
    ]
    assert json.loads(done.facts["spring"]) == [["2017-11", "2018-05"]]
    assert done.facts["clouded"] == "True"


@pytest.mark.long
def test_your_own_cluster(tmp_path: Path) -> None:
    """A run that was interrupted goes on; however the work was cut, the numbers are the same."""
    done = facts(tmp_path, "3-", 1, {
        "kept": "report.parts - report.computed", "left": "report.computed",
        "same": "one.digest == other.digest", "files": "len(one.files) > len(other.files)",
    })  # fmt: skip
    assert "interrupted" in done.streams("stdout")
    assert int(done.facts["kept"]) >= 5
    assert int(done.facts["left"]) > 0
    assert (done.facts["same"], done.facts["files"]) == ("True", "True")


PEERS = {
    "tools": "list(answers)",
    "count": "[float(abs(answers[a]['count'] - answers[b]['count']).max()) for a, b in "
    "(('zonalbatch', 'exactextract'), ('zonalbatch, centres', 'rasterstats')) if b in answers]",
    "mean": "float(apart['exactextract'].max())",
    "ours": "ours[0]['count'] == answers['zonalbatch, centres']['count'][0]",
}


@pytest.mark.long
def test_from_others(tmp_path: Path) -> None:
    """Shares agree with exactextract but for rounding, centres with rasterstats."""
    done = facts(tmp_path, "4-", 1, PEERS)
    assert done.facts["tools"] == str(
        ["zonalbatch", "zonalbatch, centres", "rasterstats", "exactextract"]
    )
    shares, centres = json.loads(done.facts["count"])
    assert shares < 1e-3
    assert centres == 0
    assert float(done.facts["mean"]) < 1e-6
    assert done.facts["ours"] == "True"


@pytest.mark.long
def test_land_cover_shares(tmp_path: Path) -> None:
    """Shares of a district are 1 together, its classes what of it is mapped."""
    done = facts(tmp_path, "5-", 3, {
        "one": "float(abs(fractions.sum(axis=1) - 1).max())",
        "mapped": "float(abs(hectares['together'] - hectares['mapped']).max())",
        "corner": "list(gist.index[gist['valid_fraction'] < 0.999])",
    })  # fmt: skip
    assert float(done.facts["one"]) < 1e-12
    assert float(done.facts["mapped"]) < 1e-6
    assert done.facts["corner"] == "['B']"


@pytest.mark.long
def test_duckdb_and_geopandas(tmp_path: Path) -> None:
    """All tools see the same rows."""
    cloudless = "duckdb.sql(f\"SELECT count(*) AS n FROM {rows} WHERE status = 'ok'\").df()['n'][0]"
    done = facts(tmp_path, "6-", 1, {
        "rows": f"dataset.count_rows() - clouded, {cloudless}",
        "cube": "int(cube['ndvi_mean'].notnull().sum())", "box": "0 < len(corner) < 3600",
        "crops": "crops['crop'].nunique()",
    })  # fmt: skip
    rows = done.facts["rows"].split()
    assert [*rows, done.facts["cube"]] == [rows[0]] * 3
    assert done.facts["box"] == "True"
    assert done.facts["crops"] == "7"


@pytest.mark.long
def test_elevation_by_basin(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Two tiles as one file, with their licence; the basins meet near the top."""
    asked: dict[str, Any] = {
        "file": "dem.shape, dem.license.name, dem.provenance['items']",
        "highest": "float(table['max'].min()), float(table['max'].max())",
        "ordered": "bool((table[['min', 'p5', 'p95', 'max']].diff(axis=1).iloc[:, 1:] > 0)"
        ".all(axis=None))",
        "falling": "bool((quantiles.iloc[:, -51:].diff(axis=1).iloc[:, 1:] >= 0).all(axis=None))",
    }
    with offered_harz(tmp_path_factory.mktemp("harz")) as name:
        done = facts(tmp_path, "7-", 2, asked, DATASET=f"{name}:height")
    assert done.facts["file"] == "(350, 700) CC0 ['east', 'west']"
    low, high = map(float, done.facts["highest"].split())
    assert TOP - 30 < low <= high <= TOP
    assert (done.facts["ordered"], done.facts["falling"]) == ("True", "True")


@pytest.mark.long
def test_without_others(tmp_path: Path) -> None:
    """What is not installed is left out, by a sentence."""
    hidden = "import sys; sys.modules.update(rasterstats=None, exactextract=None)"
    done = facts(tmp_path, "4-", 1, {"tools": "list(answers)"}, first=hidden)
    assert done.facts["tools"] == str(["zonalbatch", "zonalbatch, centres"])
    assert done.streams("stdout").count("is not installed and is left out: pip install") == 2
