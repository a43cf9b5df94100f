"""What objects look like in a notebook, and what a run tells there; a real kernel runs cells."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

import zonalbatch as zb
from tests.made.rasters import noise, write_tif
from tests.made.series import Killed, Series, series
from tests.made.zones import squares

VOID = {"rect", "br", "meta"}


class Checked(HTMLParser):
    """Text of markup whose elements are all closed in turn."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.open, self.text = list[str](), ""
        self.feed(markup)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        """An element opens."""
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """One closes."""
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Text."""
        self.text += f" {data}"


def text(shown: Any) -> str:
    """What is read of an object in a notebook."""
    return re.sub(r"\s+", " ", Checked(shown._repr_html_()).text)


@pytest.fixture
def months(tmp_path: Path) -> Any:
    """A series of rasters, jobs over which are done in this process."""
    with series(tmp_path) as made:
        yield made


def test_each(months: Series) -> None:
    """Jobs, plans, reports, results and series say what they are in a few words."""
    zones = months.zones()
    job = months.job(zones, [months.date(0), months.date(1)])
    assert "red" in text(job)
    assert "count, mean, median" in text(job)
    plan = zb.plan(job)
    assert "16 zones × 2 layers" in text(plan)
    assert "32 at most" in text(plan)
    assert plan._repr_html_().count("<rect") == len({(p.start, p.stop) for p in plan.parts})
    report = zb.run(job)
    assert "rows 32" in text(report)
    results = months.results()
    assert "zones 16" in text(results)
    assert "layers 2, 2020-01-01 to 2020-02-01" in text(results)
    assert "red_mean" in text(results)
    one = results.series(3)
    assert repr(one) == (
        "Series of red_mean: 2 dates, 2020-01-01 to 2020-02-01, 1 zones, 100% known"
    )
    assert "1 zones" in text(one)
    assert "2020-02-01" in text(one)
    again = text(zb.plan(job))
    assert "0 of them to do" in again


def test_words_of_the_user_are_no_markup(tmp_path: Path) -> None:
    """Names, paths and notes are shown as they stand."""
    write_tif(tmp_path / "a.tif", noise(32, 32))
    job = zb.Job(
        zones={"path": squares(2, side=100)}, bands={"b": 1}, measurements={"x": "b < 1"},
        source={"kind": "cog", "files": [str(tmp_path / "a.tif")]},
        output={"path": str(tmp_path / "<b>&out</b>")},
    )  # fmt: skip
    assert "<b>&out</b>" in text(job)
    assert "<b>&out" not in job._repr_html_()


def test_a_run_that_has_not_ended(months: Series) -> None:
    """Results say how far it has come."""
    months.survives = 0
    with pytest.raises(Killed):
        months.run(months.zones(), [months.date(0)])
    months.survives = None
    months.run(months.zones(), [months.date(0)])
    results = months.results()
    (Path(results.path) / "manifest.json").unlink()
    assert text(results)


def cells(*sources: str) -> nbformat.NotebookNode:
    """A notebook of cells, run by a kernel."""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(one) for one in sources])
    NotebookClient(book, timeout=120, kernel_name="python3").execute()
    return book


def shown(book: nbformat.NotebookNode, cell: int) -> str:
    """The HTML of a cell's output, and its streams."""
    outputs = book.cells[cell].outputs
    return "".join(one.get("data", {}).get("text/html", one.get("text", "")) for one in outputs)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> nbformat.NotebookNode:
    """A notebook that runs a job on a client that is already there."""
    folder = tmp_path_factory.mktemp("notebook")
    write_tif(folder / "a.tif", noise(32, 32))
    squares(3, side=100).to_parquet(folder / "zones.parquet")
    return cells(
        "import warnings; warnings.simplefilter('error')\n"
        "import geopandas\nimport zonalbatch as zb\nfrom distributed import Client, LocalCluster\n"
        'client = Client(LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0"))',
        f"zones = geopandas.read_parquet({str(folder / 'zones.parquet')!r})\n"
        f"zones.zonal.stats({str(folder / 'a.tif')!r}, progress=True)",
        f"job = zb.Job(zones={{'path': {str(folder / 'zones.parquet')!r}, 'id': 'id'}},\n"
        f"  source={{'kind': 'cog', 'files': [{str(folder / 'a.tif')!r}]}}, bands={{'b': 1}},\n"
        f"  output={{'path': {str(folder / 'out')!r}}})\njob",
        "report = zb.run(job, client)\nreport",
        "client.cluster.close(); client.close()\nzb.open_results(report.output)",
    )


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (1, "rasters: 1 of 1"), (1, "<th>mean</th>"), (2, "<b>Job</b>"),
        (3, "1 of 1 parts · 9 rows"), (3, "<b>Report</b>"), (4, "<b>Results</b>"),
    ],
)  # fmt: skip
def test_in_a_kernel(book: nbformat.NotebookNode, cell: int, words: str) -> None:
    """Tables, progress in a cell, a client that is there; no warning, nothing on stderr."""
    assert words in shown(book, cell)
    assert not [o for c in book.cells for o in c.outputs if o.get("name") == "stderr"]


def test_a_bar_is_one_output(book: nbformat.NotebookNode) -> None:
    """It is written anew, not once more."""
    assert shown(book, 3).count("parts ·") == 1
