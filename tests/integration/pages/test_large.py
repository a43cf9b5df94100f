"""Pages of 50,000 fields × 100 dates: small enough to send, quick enough to use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.made.commands import PEAK, python
from tests.made.opened import chosen_points, opened, point_at
from tests.made.outputs import Made, fields, season, written
from zonalbatch.results import Results

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.long

ZONES, DATES = 50_000, 100
MOST = 15_000_000
"""Bytes of a report."""
REPORT = """
import zonalbatch as zb
zb.open_results({out!r}).report({file!r})
print(peak())
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Fields of which most are seen in part, with noise that nothing compresses."""
    values, times = season(ZONES, DATES)
    seen = np.where(np.isfinite(values), np.random.default_rng(2).random(values.shape), 0.0)
    made = Made(zones=fields(ZONES), times=times, values=values, seen=seen)
    return written(tmp_path_factory.mktemp("large") / "out", made, parts=20)


def test_a_report_is_small_and_answers_a_click(
    results: Results, chromium: Browser, tmp_path: Path
) -> None:
    """15 MB at most, made in 1.5 GiB; a click draws a series that is right to a hundredth."""
    file = tmp_path / "large.html"
    peak = int(python(PEAK + REPORT.format(out=results.path, file=str(file))))
    assert peak < 1536
    assert file.stat().st_size <= MOST
    with opened(chromium, file) as watched:
        assert "rounded to steps" in watched.page.inner_text("#left-out")
        watched.page.fill(".search input", "F31313")
        watched.page.keyboard.press("Enter")
        expected = results.series("F31313", "ndvi_mean").frame["F31313"].dropna()
        points = chosen_points(watched, "F31313")
        np.testing.assert_allclose(list(points.values()), expected.to_numpy(), atol=0.01)
        watched.page.locator(".zoom [data-do=whole]").click()
        watched.page.mouse.click(*point_at(watched, "F02020"))
        assert watched.page.locator(".series").count() >= 2
        watched.keep("report-large")


def test_more_than_a_page_holds_become_cells(
    results: Results, chromium: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The map shows cells, and says so; zones to look at are told all the same."""
    from zonalbatch.pages import pooled

    monkeypatch.setattr(pooled, "PAIRS", 400_000)
    file = tmp_path / "cells.html"
    results.report(file)
    assert file.stat().st_size < MOST / 4
    with opened(chromium, file) as watched:
        assert "square cells in the place of 50,000 zones" in watched.page.inner_text("#left-out")
        assert watched.page.locator("#odd b").first.inner_text().startswith("F")
        watched.page.locator(".sheet").click()
        assert watched.page.locator(".series .dot").count() > 50
        watched.keep("report-cells")
