"""Pages that lie in a file, opened in a browser whose network is cut."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.made.browser import Watched

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["chosen_points", "opened", "pixel_of", "point_at"]


@contextmanager
def opened(started: Browser, file: Path, **options: Any) -> Iterator[Watched]:
    """A page that asks for no more than its own file, on which nothing breaks."""
    watched = Watched.of(started, "file://", offline=True, **options)
    watched.page.goto(file.as_uri())
    watched.page.wait_for_function(
        """() => !document.querySelector('#trouble').hidden
        || [...document.querySelectorAll('.explorer')].every((one) => one.ariaBusy === 'false')"""
    )
    assert watched.page.locator("#trouble").inner_text() == ""
    yield watched
    watched.assert_well()
    assert watched.requests == [file.as_uri()]
    watched.page.context.close()


def pixel_of(watched: Watched, zone: str) -> tuple[float, float]:
    """Where a corner's neighbourhood of a zone is on the screen: the middle of its box."""
    left, top = watched.page.evaluate(
        """(id) => { const { atlas, view } = document.querySelector('.explorer').map;
          const box = atlas.shapes.box(atlas.ids.indexOf(id));
          const [x, y] = view.pixel((box.left + box.right) / 2, (box.bottom + box.top) / 2);
          const sheet = document.querySelector('.sheet').getBoundingClientRect();
          return [sheet.left + x, sheet.top + y]; }""",
        zone,
    )
    return left, top


def point_at(watched: Watched, zone: str) -> tuple[float, float]:
    """Bring the map into the window, and the place of a zone on it."""
    watched.page.locator(".sheet").scroll_into_view_if_needed()
    return pixel_of(watched, zone)


def chosen_points(watched: Watched, zone: str) -> dict[str, float]:
    """Date -> value of the points that are drawn of a zone."""
    found = watched.page.eval_on_selector_all(
        ".chart .series .dot",
        """(all, id) => all.filter((one) => one.parentNode.dataset.zone === id)
          .map((one) => [one.dataset.date, Number(one.dataset.value)])""",
        zone,
    )
    return dict(found)
