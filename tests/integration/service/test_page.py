"""The page at / in a real browser: what it shows is what the service answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest

from tests.made.browser import Watched, browser
from tests.made.rasters import write_tif
from tests.made.serving import command_serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.long

AREA = {
    "type": "Polygon",
    "coordinates": [[[7.02, 50.02], [7.16, 50.03], [7.14, 50.17], [7.03, 50.15], [7.02, 50.02]]],
}
SHOWN = ("count", "mean", "min", "max", "std", "median", "aoi_area", "data_area")
LEFT, TOP, CELL, SIDE = 7.0, 50.2, 0.001, 200


def write_hill(path: Path) -> None:
    """A hill of metres, in degrees, with a lake without data and with overviews."""
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    hill = 300 + 500 * np.exp(-((x - 0.6) ** 2 + (y - 0.4) ** 2) * 6) + 40 * np.sin(9 * x + 4 * y)
    hill[(x - 0.25) ** 2 + (y - 0.7) ** 2 < 0.01] = -9999
    write_tif(
        path, hill.astype("float32"), left=LEFT, top=TOP, cell=CELL, crs="EPSG:4326",
        nodata=-9999, driver="COG",
    )  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a service that reads two rasters, once it has compiled what it needs."""
    folder = tmp_path_factory.mktemp("page")
    write_hill(folder / "data" / "hill.tif")
    classes = np.repeat(np.arange(1, 5, dtype="uint8"), 50)[:, None] * np.ones(200, "uint8")
    write_tif(folder / "data" / "classes.tif", classes, left=LEFT, top=TOP, cell=CELL,
              crs="EPSG:4326")  # fmt: skip
    with command_serving(
        folder / "log", root=folder / "data", workers=1, rate=0, seconds=120
    ) as address:
        asked(address, AREA, [*SHOWN[:6], "histogram", "freq_hist", "unique"], "classes.tif")
        yield address


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for all pages."""
    with browser() as started:
        yield started


@pytest.fixture
def watched(home: str, chromium: Browser) -> Iterator[Watched]:
    """The page, on which nothing may break."""
    one = Watched.of(chromium, home)
    one.page.goto(home)
    yield one
    one.assert_well()
    one.page.context.close()


def asked(home: str, aoi: Any, stats: list[str], name: str = "hill.tif") -> dict[str, Any]:
    """What the service itself answers."""
    body = {"aoi": aoi, "url": f"file:///{name}", "stats": stats}
    answer = httpx.post(f"{home}/api/v1/zonal-stats/raster", json=body, timeout=180)
    assert answer.status_code == 200, answer.text
    band: dict[str, Any] = answer.json()["band_1"]
    return band


def open_raster(watched: Watched, name: str = "hill.tif") -> None:
    """Give a raster to the page, and wait until it is seen."""
    watched.page.fill("#url", f"file:///{name}")
    watched.page.click("#show")
    watched.page.wait_for_selector("#stage image", state="attached")
    watched.page.wait_for_selector("#legend:visible")


def numbers(watched: Watched) -> dict[str, float]:
    """The numbers that are shown, to all their digits."""
    watched.page.wait_for_selector("#answer:visible")
    found = watched.page.eval_on_selector_all(
        "#figures data", "all => all.map((one) => [one.dataset.name, Number(one.value)])"
    )
    return dict(found)


def drawn(watched: Watched) -> dict[str, Any]:
    """The area as the page has it."""
    area: dict[str, Any] = json.loads(watched.page.input_value("#geojson"))
    return area


def places(watched: Watched) -> dict[str, float]:
    """Where the raster is on the page, pixels."""
    found: dict[str, float] = watched.page.evaluate(
        """() => { const box = document.querySelector("#stage .extent").getBoundingClientRect();
          return { left: box.left, top: box.top, right: box.right, bottom: box.bottom }; }"""
    )
    return found


def at(watched: Watched, x: float, y: float) -> tuple[float, float]:
    """Pixels of the page at shares of the raster's width and height."""
    box = places(watched)
    return (
        box["left"] + x * (box["right"] - box["left"]),
        box["top"] + y * (box["bottom"] - box["top"]),
    )


def test_a_pasted_area_has_the_numbers_of_the_service(watched: Watched, home: str) -> None:
    """Numbers, areas and bars of the page are those of the API for the same question."""
    open_raster(watched)
    watched.page.fill("#geojson", json.dumps(AREA))
    watched.page.click("#measure")
    shown = numbers(watched)
    answer = asked(home, AREA, [*SHOWN[:6], "histogram"])
    assert shown == {name: answer[name] for name in SHOWN}
    titles = watched.page.eval_on_selector_all(
        "#histogram g title", "all => all.map((one) => one.textContent)"
    )
    counts = [int(one.split(": ")[1].split(" ")[0].replace(",", "")) for one in titles]
    assert counts == answer["histogram"]["counts"]
    assert watched.page.locator("#stage .outline").count() == 1
    watched.keep("page-light")


def test_few_classes_have_a_bar_each(watched: Watched, home: str) -> None:
    """Values of classes are counted one by one, as `freq_hist` has them."""
    open_raster(watched, "classes.tif")
    watched.page.fill("#geojson", json.dumps(AREA))
    watched.page.click("#measure")
    numbers(watched)
    answer = asked(home, AREA, ["freq_hist"], "classes.tif")["freq_hist"]
    titles = watched.page.eval_on_selector_all(
        "#histogram g title", "all => all.map((one) => one.textContent)"
    )
    assert titles == [f"{value}: {count:,} pixels" for value, count in answer.items()]


def test_an_area_is_drawn_by_clicks_and_changed_by_dragging(watched: Watched, home: str) -> None:
    """Clicks set corners where they fall, a double-click closes, a corner follows the pointer."""
    open_raster(watched)
    watched.page.click("#polygon")
    corners = [(0.2, 0.2), (0.8, 0.25), (0.7, 0.8)]
    for x, y in corners:
        watched.page.mouse.click(*at(watched, x, y))
        watched.page.wait_for_timeout(450)  # two clicks at once are a double-click
    watched.page.mouse.dblclick(*at(watched, 0.3, 0.7))
    area = drawn(watched)
    ring = np.array(area["coordinates"][0])
    expected = [(LEFT + x * 0.2, TOP - y * 0.2) for x, y in [*corners, (0.3, 0.7), corners[0]]]
    np.testing.assert_allclose(ring, expected, atol=5e-4)
    watched.page.mouse.move(*at(watched, 0.3, 0.7))
    watched.page.mouse.down()
    watched.page.mouse.move(*at(watched, 0.2, 0.75), steps=4)
    watched.page.mouse.up()
    moved = np.array(drawn(watched)["coordinates"][0])
    np.testing.assert_allclose(moved[3], (LEFT + 0.04, TOP - 0.15), atol=5e-4)
    watched.page.click("#measure")
    assert numbers(watched)["mean"] == asked(home, drawn(watched), ["mean"])["mean"]
    watched.keep("page-drawn")
    watched.page.focus("#stage")
    watched.page.keyboard.press("Escape")
    assert watched.page.input_value("#geojson") == ""


def test_a_point_has_a_circle_around_it(watched: Watched, home: str) -> None:
    """A click sets the point; its radius makes an area of it."""
    open_raster(watched)
    watched.page.click("#point")
    watched.page.mouse.click(*at(watched, 0.5, 0.5))
    watched.page.fill("#radius", "2000")
    area = drawn(watched)
    assert (area["type"], area["radius"]) == ("Point", 2000)
    watched.page.click("#measure")
    assert numbers(watched)["count"] == asked(home, area, ["count"])["count"]
    assert watched.page.locator("#stage ellipse.outline").count() == 1


def test_all_can_be_done_by_keys(watched: Watched, home: str) -> None:
    """From the first Tab to the numbers without a pointer."""
    keys = watched.page.keyboard
    watched.page.focus("#url")
    keys.type("file:///hill.tif")
    keys.press("Enter")
    watched.page.wait_for_selector("#legend:visible")
    for _ in range(20):
        if watched.page.evaluate("document.activeElement.id") == "move":
            break
        keys.press("Tab")
    keys.press("ArrowRight")
    assert watched.page.get_attribute("#polygon", "aria-checked") == "true"
    for _ in range(10):
        if watched.page.evaluate("document.activeElement.id") == "stage":
            break
        keys.press("Tab")
    for arrow in ("ArrowRight", "ArrowDown", "ArrowLeft"):
        for _ in range(6):
            keys.press(arrow)
        keys.press("Space")
    keys.press("Enter")
    ring = drawn(watched)["coordinates"][0]
    assert len(ring) == 4
    watched.page.wait_for_selector("#stage [aria-label^='Corner 1 of 3']")  # drawn a frame later
    keys.press("Tab")
    assert "Corner 1 of 3" in str(watched.page.evaluate("document.activeElement.ariaLabel"))
    keys.press("ArrowUp")
    assert drawn(watched)["coordinates"][0][0][1] > ring[0][1]
    watched.page.focus("#measure")
    keys.press("Enter")
    assert numbers(watched)["count"] == asked(home, drawn(watched), ["count"])["count"]


def test_a_refusal_is_told_as_the_service_tells_it(watched: Watched) -> None:
    """The sentence of `detail` is shown, and an area that is none is told before it is asked."""
    watched.page.fill("#url", "file:///none.tif")
    watched.page.click("#show")
    watched.page.wait_for_selector("#problem:visible")
    assert "no such file" in watched.page.inner_text("#problem").lower()
    open_raster(watched)
    assert watched.page.is_hidden("#problem")
    watched.page.click("#measure")
    assert "Draw an area" in watched.page.inner_text("#problem")
    beyond = {"type": "Polygon", "coordinates": [[[0, 95], [1, 95], [1, 96]]]}
    watched.page.fill("#geojson", json.dumps(beyond))
    watched.page.click("#measure")
    watched.page.wait_for_selector("#problem:has-text('beyond the Earth')")
    watched.keep("page-refusal")


def test_zooming_brings_a_sharper_picture(watched: Watched) -> None:
    """Closer than all of the raster, what is seen is asked for again, by its bounds."""
    open_raster(watched)
    for _ in range(3):
        watched.page.click("#closer")
    watched.page.locator("#stage image").nth(1).wait_for(state="attached")
    asked_for = [url for url in watched.requests if url.endswith("/pictures/raster")]
    assert len(asked_for) == 2
    watched.page.click("#whole")


def test_a_key_goes_with_the_questions_and_nowhere_else(watched: Watched) -> None:
    """It is a header of requests; the page's address and what a browser stores hold nothing."""
    watched.page.click("#access summary")
    watched.page.fill("#key", "s3cret")
    with watched.page.expect_request("**/pictures/raster") as sent:
        open_raster(watched)
    assert sent.value.headers["x-api-key"] == "s3cret"
    assert "s3cret" not in watched.page.url
    assert watched.page.evaluate("localStorage.length + sessionStorage.length") == 0


def test_an_untrusted_link_is_text(watched: Watched) -> None:
    """What is given never becomes a part of the page."""
    watched.page.fill("#url", "<img src=x onerror=alert(1)>")
    watched.page.click("#show")
    watched.page.wait_for_selector("#problem:visible")
    assert watched.page.locator("#problem img, #results img").count() == 0


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("page-dark", {"color_scheme": "dark"}),
        ("page-narrow", {"viewport": {"width": 400, "height": 800}}),
    ],
)
def test_it_fits_the_dark_and_a_telephone(
    home: str, chromium: Browser, name: str, options: dict[str, Any]
) -> None:
    """No part of the page is wider than the window, and a link opens it with its raster."""
    watched = Watched.of(chromium, home, **options)
    watched.page.goto(f"{home}/#url=file%3A%2F%2F%2Fhill.tif&band=1")
    watched.page.wait_for_selector("#legend:visible")
    watched.page.fill("#geojson", json.dumps(AREA))
    watched.page.click("#measure")
    numbers(watched)
    wide = watched.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 0
    watched.keep(name)
    watched.assert_well()
    watched.page.context.close()


def test_the_documentation_needs_no_other_host(home: str, chromium: Browser) -> None:
    """/docs renders its operations from this service alone."""
    watched = Watched.of(chromium, home)
    watched.page.goto(f"{home}/docs")
    watched.page.wait_for_selector(".opblock")
    assert watched.page.locator(".opblock").count() >= 4
    watched.keep("docs")
    watched.assert_well()
    watched.page.context.close()
