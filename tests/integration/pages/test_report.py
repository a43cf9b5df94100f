"""The report of a run, opened from a file with the network cut."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.made.commands import assert_one_sentence, command
from tests.made.opened import chosen_points, opened
from tests.made.outputs import Made, fields, season, written
from tests.made.runs import cut_small
from tests.made.series import series
from zonalbatch.errors import InputError
from zonalbatch.layers import Failure
from zonalbatch.results import Results, open_results
from zonalbatch.sinks.output import Output

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ZONES, DATES = 40, 45
GONE = "https://example.org/S2_{}.tif?sig=verysecretsignature: 404 Not Found"


def odd_season() -> Made:
    """Fields of which one is far from the others, one is hardly seen, and two dates failed."""
    values, times = season(ZONES, DATES)
    values[5] += 2.0
    values[9, 4:] = np.nan
    values[:, 20:22] = np.nan
    status = np.where(np.isfinite(values), "ok", "empty").astype("<U8")
    status[:, 20:22] = "failed"
    failures = [
        Failure(layer=f"S2_{day}", href=f"https://example.org/S2_{day}.tif", cause=GONE.format(day),
                permanent=True)
        for day in (20231220, 20231224)
    ]  # fmt: skip
    failures.append(Failure(layer="S2_20231231", href="https://example.org/x.tif",
                            cause="timed out after 30 s", permanent=False))  # fmt: skip
    return Made(
        zones=fields(ZONES), times=times, values=values, status=status, failures=failures
    )  # fmt: skip


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """The result of a season with all that can be odd."""
    return written(tmp_path_factory.mktemp("report") / "season", odd_season())


@pytest.fixture(scope="module")
def page(results: Results, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its report in a file."""
    path = tmp_path_factory.mktemp("page") / "report.html"
    results.report(path)
    return path


def text_of(chromium: Browser, file: Path) -> str:
    """What the page says, once it is drawn."""
    with opened(chromium, file) as watched:
        return watched.page.inner_text("body")


def test_it_tells_what_ran_and_what_failed(page: Path, chromium: Browser) -> None:
    """Expressions, statistics, costs, causes with their number, an example and what to do."""
    with opened(chromium, page) as watched:
        ran = watched.page.inner_text("#ran")
        for words in ("(nir - red) / (nir + red)", "count, mean, n_total", "14.0 MiB", "7.0 s"):
            assert words in ran
        watched.page.click("#ran summary")
        assert "fields.gpkg" in watched.page.inner_text("#ran pre")
        causes = watched.page.locator("#failures tbody tr").all_inner_texts()
        assert len(causes) == 2
        assert "404 Not Found" in causes[0]
        assert "\t2\t" in causes[0]
        assert "--retry-failed" in causes[0]
        assert "run the job again" in causes[1]
        assert "verysecret" not in watched.page.content()


def test_bars_are_the_rows_of_each_date(results: Results, page: Path, chromium: Browser) -> None:
    """A bar for each date, whose pieces are its rows by status."""
    table = results.read(["datetime", "status"]).to_pandas()
    counted = table.groupby("status").size()
    with opened(chromium, page) as watched:
        bars = watched.page.eval_on_selector_all(
            ".bars title", "all => all.map((one) => one.textContent)"
        )
        assert len(bars) == DATES
        assert bars[20].startswith(f"2023-12-20, {ZONES} rows\ncould not be read: {ZONES}")
        told = watched.page.inner_text("#rows dl")
        assert f"{counted['ok']:,}" in told
        assert f"{counted['failed']:,}" in told


def test_the_odd_zones_are_found_and_drawn(results: Results, page: Path, chromium: Browser) -> None:
    """The zone far from all others comes first; a click draws its series on the map."""
    expected = results.series("F00005", "ndvi_mean").frame["F00005"].dropna()
    with opened(chromium, page) as watched:
        far, missing = (watched.page.locator("#odd table").nth(at) for at in (0, 1))
        assert far.locator("button").first.inner_text() == "F00005"
        assert missing.locator("button").first.inner_text() == "F00009"
        assert missing.locator("tr").nth(1).inner_text().endswith("of 45 dates without a value")
        watched.page.keyboard.press("Escape")
        if far.locator("button").first.get_attribute("aria-pressed") == "true":
            far.locator("button").first.click()
        far.locator("button").first.click()
        points = chosen_points(watched, "F00005")
        np.testing.assert_allclose(list(points.values()), expected.to_numpy(), atol=1e-4)


def test_series_of_asked_zones_have_their_values(
    results: Results, chromium: Browser, tmp_path: Path
) -> None:
    """`zones` draws those, point by point, and refuses what is not there."""
    results.report(tmp_path / "two.html", zones=["F00003", "F00030"])
    expected = results.series(["F00003", "F00030"], "ndvi_mean").frame
    with opened(chromium, tmp_path / "two.html") as watched:
        figures = watched.page.locator(".series-list figure")
        assert figures.locator("h3").all_inner_texts() == ["F00003", "F00030"]
        for at, zone in enumerate(expected):
            assert figures.nth(at).locator(".dot").count() == expected[zone].notna().sum()
    with pytest.raises(InputError, match="no zone 'F99'"):
        results.report(zones=["F99"])


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("report-light", {}), ("report-dark", {"color_scheme": "dark"}),
        ("report-narrow", {"viewport": {"width": 390, "height": 844}}),
    ],
)  # fmt: skip
def test_it_fits_the_dark_and_a_telephone(
    page: Path, chromium: Browser, name: str, options: dict[str, Any]
) -> None:
    """No part of the page is wider than the window; texts of charts do not lie on each other."""
    with opened(chromium, page, **options) as watched:
        wide = watched.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0
        assert watched.page.evaluate(OVERLAPS) == []
        watched.keep(name)


OVERLAPS = """() => [...document.querySelectorAll('figure svg')].flatMap((svg) => {
  const texts = [...svg.querySelectorAll('text')].map((one) => [one.textContent, one.getBoundingClientRect()]);
  return texts.flatMap(([name, a], i) => texts.slice(i + 1)
    .filter(([, b]) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 3 && b.top < a.bottom - 3)
    .map(([other]) => `${name} on ${other}`));
})"""  # noqa: E501


def test_the_command_writes_it(results: Results, tmp_path: Path) -> None:
    """`zonalbatch report OUT -o FILE`; a folder that is no output is refused in a sentence."""
    file = tmp_path / "told.html"
    done = command("report", results.path, "-o", file, "--zones", "F00001", "-c", "ndvi_mean")
    assert done.code == 0, done.err
    assert done.out.startswith(f"{file}: ")
    assert "F00001" in file.read_text()
    refused = command("report", tmp_path / "nowhere", "-o", file)
    assert refused.code == 2
    assert_one_sentence(refused.err, "no output of a run")


class TestWhatIsMissingIsSaid:
    """Each of these is a page; none is an error."""

    def test_long_layout(self, chromium: Browser, tmp_path: Path) -> None:
        """Rows of the long layout are counted once for each zone and date."""
        values, times = season(9, 12)
        made = Made(zones=fields(9), times=times, values=values, layout="long")
        written(tmp_path / "out", made).report(tmp_path / "long.html")
        with opened(chromium, tmp_path / "long.html") as watched:
            assert watched.page.locator(".bars title").count() == 12
            first = watched.page.locator(".bars title").first.text_content() or ""
            assert first.startswith("2023-10-01, 9 rows")
            assert watched.page.locator(".series-list figure").count() > 0

    def test_no_dates(self, chromium: Browser, tmp_path: Path) -> None:
        """One layer without a date: a map, a histogram, no series."""
        values = np.arange(9.0)[:, None]
        made = Made(zones=fields(9), times=[None], values=values, measurement="height")
        written(tmp_path / "out", made).report(tmp_path / "static.html")
        with opened(chromium, tmp_path / "static.html") as watched:
            assert watched.page.text_content("#rows h2") == "Rows by layer"
            assert "no series" in watched.page.inner_text("#series")
            assert not watched.page.is_visible(".dates")
            watched.keep("report-static")

    def test_all_failed(self, chromium: Browser, tmp_path: Path) -> None:
        """No value at all, and why."""
        values, times = season(9, 12)
        made = Made(
            zones=fields(9), times=times, values=np.full_like(values, np.nan),
            status=np.full(values.shape, "failed"),
            failures=[Failure(layer="a", href="a.tif", cause="a.tif is broken", permanent=True)],
        )  # fmt: skip
        written(tmp_path / "out", made).report(tmp_path / "failed.html")
        with opened(chromium, tmp_path / "failed.html") as watched:
            told = watched.page.inner_text("body")
            assert "No zone has a value of ndvi_mean." in told
            assert "ndvi_mean has no value at all." in told
            assert "12 dates that could not be read" in told
            watched.keep("report-failed")

    def test_an_unended_run(self, chromium: Browser, tmp_path: Path) -> None:
        """How far it has come; what there is so far; no map yet."""
        values, times = season(9, 12)
        made = Made(zones=fields(9), times=times, values=values, ended=False)
        written(tmp_path / "out", made).report(tmp_path / "half.html")
        with opened(chromium, tmp_path / "half.html") as watched:
            told = watched.page.inner_text("body")
            assert "The run has not ended: 2 of 2 parts are done" in told
            assert "there is no zones.parquet yet" in watched.page.inner_text("#map")
            assert watched.page.locator(".bars title").count() == 12
            watched.keep("report-unended")

    def test_no_rows_at_all(self, chromium: Browser, tmp_path: Path) -> None:
        """A run that has written nothing yet still has a page, by the command too."""
        values, times = season(4, 3)
        made = Made(zones=fields(4), times=times, values=values, ended=False)
        written(tmp_path / "out", made)
        shutil.rmtree(tmp_path / "out" / "results")
        Results(Output.at(tmp_path / "out")).report(tmp_path / "none.html")
        told = text_of(chromium, tmp_path / "none.html")
        assert "0 of 2 parts are done" in told
        assert "has no rows yet" in told
        assert command("report", tmp_path / "out", "-o", tmp_path / "again.html").code == 0

    def test_zones_without_a_layer(self, chromium: Browser, tmp_path: Path) -> None:
        """Their rows are counted apart; on the map they have no value."""
        values, times = season(6, 8)
        status = np.where(np.isfinite(values), "ok", "empty").astype("<U8")
        status[4:] = ""
        made = Made(zones=fields(6), times=times, values=values, status=status)
        written(tmp_path / "out", made)
        results = tmp_path / "out" / "results"
        part = pq.read_table(next(results.glob("*.parquet")))
        none = {
            name: pa.array(["F00004", "F00005"]) if name == "zone_id"
            else pa.array(["empty"] * 2) if name == "status"
            else pa.nulls(2, part.schema.field(name).type)
            for name in part.column_names
        }  # fmt: skip
        pq.write_table(pa.table(none, schema=part.schema), results / "part-none.parquet")
        plan = next((tmp_path / "out" / "plan").iterdir()) / "parts.parquet"
        ids = [*pq.read_table(plan)["id"].to_pylist(), "none"]
        pq.write_table(pa.table({"id": ids}), plan)
        open_results(tmp_path / "out").report(tmp_path / "unmet.html")
        told = text_of(chromium, tmp_path / "unmet.html")
        assert "2 rows are of zones that meet no layer." in told

    def test_some_dates_some_none(self, chromium: Browser, tmp_path: Path) -> None:
        """Layers with and without dates cannot be one axis; all else is there."""
        values, times = season(4, 3)
        made = Made(zones=fields(4), times=[*times[:2], None], values=values)
        written(tmp_path / "out", made).report(tmp_path / "mixed.html")
        told = text_of(chromium, tmp_path / "mixed.html")
        assert "Some layers have a date and others none" in told

    def test_a_broken_file(self, chromium: Browser, tmp_path: Path) -> None:
        """What cannot be read is named; the account of the run stands."""
        values, times = season(4, 3)
        written(tmp_path / "out", Made(zones=fields(4), times=times, values=values))
        file = next((tmp_path / "out" / "results").glob("*.parquet"))
        file.write_bytes(file.read_bytes()[:-40])
        Results(Output.at(tmp_path / "out")).report(tmp_path / "broken.html")
        told = text_of(chromium, tmp_path / "broken.html")
        assert "run the job again with --verify" in told
        assert "(nir - red) / (nir + red)" in told

    def test_a_lost_manifest(self, chromium: Browser, tmp_path: Path) -> None:
        """Nothing tells what was measured: the page says what mends it."""
        values, times = season(4, 3)
        written(tmp_path / "out", Made(zones=fields(4), times=times, values=values))
        (tmp_path / "out" / "manifest.json").unlink()
        open_results(tmp_path / "out").report(tmp_path / "lost.html")
        assert (
            "nothing tells what was measured" in text_of(chromium, tmp_path / "lost.html").lower()
        )


def test_a_lost_part_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An ended run one of whose files is gone is not whole."""
    cut_small(monkeypatch, rows=10)
    with series(tmp_path) as months:
        months.run(months.zones(), [months.date(n) for n in range(3)])
        results = months.results()
        assert "all its parts are done" in results.report().html
        files = [file for file in results.files if pq.read_metadata(file).num_rows]
        assert len(files) > 1
        Path(files[0]).unlink()
        told = open_results(results.path).report().html
        assert "all its parts are done" not in told
        assert f"1 of {len(files):,} parts are gone" in told


@pytest.mark.parametrize("path", ["", 5, "s3://bucket/page.html"])
def test_what_is_no_file(results: Results, path: Any) -> None:
    """A page is written to a file of this machine."""
    with pytest.raises(InputError, match="is no file of this machine"):
        results.report(path)


def test_one_id_is_one_zone(results: Results) -> None:
    """Text is no list of letters, and an id that is asked for twice is drawn once."""
    one, zone = results.report(zones="F00009").html, results.zones["zone_id"].iloc[0]
    assert one == results.report(zones=["F00009", "F00009"]).html
    assert one != results.report(zones=zone).html


def test_hostile_names_are_text(chromium: Browser, tmp_path: Path) -> None:
    """Ids, carried columns, causes, measurements: none becomes a part of the page."""
    bad = "</script><script>window.hit=1</script><img src=x onerror='window.hit=2'>\"'&amp;<!--"
    zones = fields(6)
    zones["zone_id"] = sorted(f"{number}{bad}" for number in range(6))
    zones["crop"] = [bad] * 6
    zones = zones.rename(columns={"crop": bad})
    values, times = season(6, 9)
    values[2] += 3
    status = np.where(np.isfinite(values), "ok", "failed").astype("<U8")
    made = Made(
        zones=zones, times=times, values=values, status=status, measurement="x<b>y</b>",
        failures=[Failure(layer=bad, href=f"{bad}.tif", cause=f"it broke: {bad}", permanent=True)],
    )  # fmt: skip
    results = written(tmp_path / "out", made)
    job = tmp_path / "out" / "job.yaml"
    job.write_text(job.read_text() + f"# {bad} token: verysecretword\n")
    results.report(tmp_path / "report.html")
    results.explore(path=tmp_path / "map.html")
    for name in ("report", "map"):
        with opened(chromium, tmp_path / f"{name}.html") as watched:
            watched.page.fill(".search input", "2<")
            watched.page.keyboard.press("Enter")
            watched.page.locator(".sheet").hover()
            assert watched.page.locator(".table b").last.inner_text().endswith(bad)
            assert watched.page.evaluate("window.hit") is None
            assert watched.page.locator("img, main b i, script:not([type])").count() == 1
            assert "verysecretword" not in watched.page.content()
            watched.keep(f"hostile-{name}")


def test_the_policy_lets_nothing_in(page: Path) -> None:
    """No script but the page's own by its digest; nothing of another place."""
    text = page.read_text()
    policy = text.split('Content-Security-Policy" content="')[1].split('"')[0]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert "http" not in policy
    data = json.loads(text.split('id="data">')[1].split("</script>")[0])
    assert data["atlas"]["column"] == "ndvi_mean"


def test_a_real_run_has_a_report(chromium: Browser, tmp_path: Path) -> None:
    """Of a run as it is done, and of some of its zones and dates."""
    with series(tmp_path) as rasters:
        rasters.run(rasters.zones(), [rasters.date(number) for number in range(4)])
        results = rasters.results()
    results.report(tmp_path / "all.html")
    expected = results.series(5, "red_mean").frame[5]
    with opened(chromium, tmp_path / "all.html") as watched:
        assert "The run has ended" in watched.page.inner_text("header")
        assert watched.page.locator(".bars title").count() == 4
        watched.page.click(".search input")
        watched.page.fill(".search input", "5")
        watched.page.keyboard.press("Enter")
        points = chosen_points(watched, "5")
        np.testing.assert_allclose(list(points.values()), expected.to_numpy(), rtol=1e-3)
    some = results.select(zones=[5, 6], time="2020-02/2020-03")
    some.report(tmp_path / "some.html")
    with opened(chromium, tmp_path / "some.html") as watched:
        assert watched.page.locator(".bars title").count() == 2
        assert "2 of 2 zones with a value" in watched.page.inner_text(".told")
