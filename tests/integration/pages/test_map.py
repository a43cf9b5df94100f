"""The map of a result, opened from a file with the network cut."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import shapely

from tests.made.opened import chosen_points, opened, pixel_of, point_at
from tests.made.outputs import Made, fields, season, written
from zonalbatch.results import Results

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.made.browser import Watched

ZONES, DATES = 30, 40


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Fields over a season with clouds, of which one date could not be read."""
    values, times = season(ZONES, DATES)
    values[:, 7] = np.nan
    status = np.where(np.isfinite(values), "ok", "empty").astype("<U8")
    status[:, 7] = "failed"
    seen = np.where(np.isfinite(values), 1.0, 0.0)
    seen[:, ::5] *= 0.3
    made = Made(zones=fields(ZONES), times=times, values=values, status=status, seen=seen)
    return written(tmp_path_factory.mktemp("map") / "season", made)


@pytest.fixture(scope="module")
def page(results: Results, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The map in a file."""
    path = tmp_path_factory.mktemp("page") / "map.html"
    results.explore("ndvi_mean", path=path)
    return path


def picture(watched: Watched) -> str:
    """What is seen of the map."""
    found: str = watched.page.evaluate("document.querySelector('.sheet').toDataURL()")
    return found


def go(watched: Watched, date: int) -> None:
    """Move the slider, as a hand does."""
    watched.page.locator(".track input").fill(str(date))
    watched.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => done()))")


def test_a_click_draws_the_series_of_the_zone(
    results: Results, page: Path, chromium: Browser
) -> None:
    """Each date with a value is a point at it; each without one a tick; a second click ends it."""
    expected = results.series("F00012", "ndvi_mean").frame["F00012"].dropna()
    with opened(chromium, page) as watched:
        watched.page.mouse.click(*point_at(watched, "F00012"))
        points = chosen_points(watched, "F00012")
        assert list(points) == [f"{day:%Y-%m-%d}" for day in expected.index]
        np.testing.assert_allclose(list(points.values()), expected.to_numpy(), atol=2e-5)
        missing = watched.page.locator(".series .missing")
        assert missing.count() == DATES - len(expected)
        assert watched.page.locator(".series .missing.failed").count() == 1
        watched.keep("explore-click")
        watched.page.mouse.click(*pixel_of(watched, "F00012"))
        assert watched.page.locator(".series").count() == 0


def test_up_to_six_zones_are_compared(page: Path, chromium: Browser) -> None:
    """The seventh takes the place of the first; each of the others keeps its colour."""
    with opened(chromium, page) as watched:
        for number in range(7):
            watched.page.mouse.click(*point_at(watched, f"F0000{number}"))
        drawn = watched.page.eval_on_selector_all(
            ".series", "all => all.map((one) => [one.dataset.zone, one.getAttribute('class')])"
        )
        assert dict(drawn) == {
            f"F0000{number}": f"series mark-{number % 6}" for number in range(1, 7)
        }


def test_the_slider_changes_colours_and_numbers(
    results: Results, page: Path, chromium: Browser
) -> None:
    """Another date has other colours; one without a value has those of no value alone."""
    counts = results.pivot("ndvi_mean").notna().sum(axis=1).to_numpy()
    with opened(chromium, page) as watched:
        seen = []
        for date in (2, 25, 7):
            go(watched, date)
            told = watched.page.inner_text(".told")
            seen.append(picture(watched))
            assert f"{counts[date]} of {ZONES} zones with a value" in told
        assert len(set(seen)) == 3
        assert "2 dates have none at all" in watched.page.inner_text(".told")


def test_a_date_on_the_chart_is_gone_to(page: Path, chromium: Browser) -> None:
    """A click into the chart takes the nearest date, and the line stands there."""
    with opened(chromium, page) as watched:
        watched.page.mouse.click(*point_at(watched, "F00003"))
        watched.page.locator(".reader").click(position={"x": 2, "y": 40})
        assert watched.page.inner_text(".date") == "2023-10-01"
        assert watched.page.text_content(".chosen-date text") == "2023-10-01"


def test_hovering_shows_id_columns_and_value(
    results: Results, page: Path, chromium: Browser
) -> None:
    """The tip has what the rows have; on a date that could not be read it says so."""
    values = results.series("F00021", "ndvi_mean").frame["F00021"]
    date = int(np.flatnonzero(values.notna())[3])
    crop = fields(ZONES)["crop"][21]
    with opened(chromium, page) as watched:
        go(watched, date)
        watched.page.mouse.move(*point_at(watched, "F00021"))
        told = watched.page.inner_text(".tip")
        assert told.splitlines()[0] == "F00021"
        assert f"ndvi_mean {values.iloc[date]:.4g}" in told
        assert crop is None or f"crop: {crop}" in told
        go(watched, 7)
        assert "could not be read" in watched.page.inner_text(".tip")


def test_playing_passes_over_dates_without_a_value(page: Path, chromium: Browser) -> None:
    """After the last date with values comes the first."""
    with opened(chromium, page) as watched:
        go(watched, 6)
        watched.page.click(".play")
        watched.page.wait_for_function("document.querySelector('.track input').value === '8'")
        watched.page.click(".play")
        assert watched.page.get_attribute(".play", "title") == "Play"


def test_a_zone_is_searched_for(page: Path, chromium: Browser) -> None:
    """What begins with the text comes first; Enter chooses it."""
    with opened(chromium, page) as watched:
        watched.page.fill(".search input", "f0002")
        assert watched.page.locator("#found li").first.inner_text() == "F00020"
        watched.page.keyboard.press("ArrowDown")
        watched.page.keyboard.press("Enter")
        assert len(chosen_points(watched, "F00021")) > 5
        watched.page.fill(".search input", "nothing")
        assert watched.page.inner_text("#found") == "There is no such zone."


def test_keys_alone_do_all(page: Path, chromium: Browser) -> None:
    """Arrows move the map under a cross, Enter takes the zone, Escape lets it go."""
    with opened(chromium, page) as watched:
        watched.page.focus(".sheet")
        watched.page.keyboard.press("+")
        found = 0
        for key in ("ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown"):
            watched.page.keyboard.press(key)
            watched.page.keyboard.press("Enter")
            found = max(found, watched.page.locator(".series").count())
        assert found
        watched.page.keyboard.press("Escape")
        assert watched.page.locator(".series").count() == 0
        watched.page.focus(".track input")
        before = watched.page.inner_text(".date")
        watched.page.keyboard.press("ArrowLeft")
        assert watched.page.inner_text(".date") != before


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("explore-light", {}),
        ("explore-dark", {"color_scheme": "dark"}),
        ("explore-narrow", {"viewport": {"width": 390, "height": 844}}),
        ("explore-narrow-dark", {"viewport": {"width": 390, "height": 844},
                                 "color_scheme": "dark"}),
    ],
)  # fmt: skip
def test_it_fits_the_dark_and_a_telephone(
    page: Path, chromium: Browser, name: str, options: dict[str, Any]
) -> None:
    """No part of the page is wider than the window."""
    with opened(chromium, page, **options) as watched:
        for zone in ("F00002", "F00017", "F00028"):
            watched.page.mouse.click(*point_at(watched, zone))
        go(watched, 21)
        watched.page.mouse.move(*point_at(watched, "F00013"))
        wide = watched.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0
        watched.keep(name)


def test_one_day_has_no_slider(results: Results, chromium: Browser, tmp_path: Path) -> None:
    """A map of one day shows it; series are drawn all the same."""
    page = results.explore("ndvi_mean", time="2023-12-20")
    file = page.save(tmp_path / "day.html")
    with opened(chromium, file) as watched:
        assert not watched.page.is_visible(".dates")
        assert watched.page.inner_text(".told").startswith("2023-12-20: ")
        watched.page.mouse.click(*point_at(watched, "F00004"))
        assert len(chosen_points(watched, "F00004")) > 5


def test_layers_without_dates_have_names(chromium: Browser, tmp_path: Path) -> None:
    """The slider goes over layers; the chart names them."""
    values = np.linspace(0, 9, 12).reshape(4, 3)
    made = Made(zones=fields(4), times=[None] * 3, values=values, measurement="height")
    page = written(tmp_path / "static", made).explore(path=tmp_path / "static.html")
    assert "4 zones × 3 layers" in page.html
    with opened(chromium, tmp_path / "static.html") as watched:
        watched.page.mouse.click(*point_at(watched, "F00002"))
        points = chosen_points(watched, "F00002")
        assert list(points) == ["layer0", "layer1", "layer2"]
        np.testing.assert_allclose(list(points.values()), values[2], atol=1e-3)
        watched.keep("explore-static")


def test_points_and_lines_can_be_clicked(chromium: Browser, tmp_path: Path) -> None:
    """Zones without an area are marks and lines; one without a place is found by its id."""
    zones = fields(4)
    x, y = 500_000.0, 5_600_000.0
    zones.geometry = [
        shapely.Point(x, y), shapely.LineString([(x + 500, y), (x + 900, y + 300)]),
        shapely.MultiPoint([(x, y + 800), (x + 60, y + 860)]), shapely.Point(),
    ]  # fmt: skip
    values, times = season(4, 10)
    file = tmp_path / "points.html"
    written(tmp_path / "points", Made(zones=zones, times=times, values=values)).explore(path=file)
    with opened(chromium, file) as watched:
        for zone in ("F00000", "F00001", "F00002"):
            watched.page.mouse.click(*point_at(watched, zone))
        watched.page.fill(".search input", "F00003")
        watched.page.keyboard.press("Enter")
        chosen = watched.page.locator(".table b").all_inner_texts()
        assert chosen == ["F00000", "F00001", "F00002", "F00003"]
        watched.keep("explore-points")


def test_nothing_to_see_is_said(chromium: Browser, tmp_path: Path) -> None:
    """Where nothing has a value, the map says so."""
    values, times = season(6, 5)
    made = Made(
        zones=fields(6), times=times, values=np.full_like(values, np.nan),
        status=np.full(values.shape, "failed"),
    )  # fmt: skip
    file = tmp_path / "failed.html"
    written(tmp_path / "failed", made).explore(path=file)
    with opened(chromium, file) as watched:
        assert watched.page.inner_text(".empty") == "No zone has a value of ndvi_mean."
        watched.page.mouse.click(*point_at(watched, "F00001"))
        assert watched.page.locator(".missing.failed").count() == 5
        watched.keep("explore-failed")


def test_a_notebook_shows_it_in_a_frame(
    results: Results, chromium: Browser, tmp_path: Path
) -> None:
    """The frame holds the page whole, draws it, and may reach nothing of the notebook."""
    markup = results.explore("ndvi_mean")._repr_html_()
    file = tmp_path / "notebook.html"
    file.write_text(f"<!doctype html><title>n</title><body>{markup}", encoding="utf-8")
    context = chromium.new_context(offline=True)
    tab = context.new_page()
    heard: list[str] = []
    tab.on("console", lambda message: heard.append(message.text))
    tab.goto(file.as_uri())
    tab.frame_locator("iframe").locator(".explorer[aria-busy=false]").wait_for()
    assert tab.frame_locator("iframe").locator("h1").inner_text() == "ndvi_mean"
    assert heard == []
    context.close()
