"""The pages: what they say to type works, and nothing of them comes from elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

import zonalbatch as zb
from tests.made.browser import Watched, browser
from tests.made.pages import RUN, Reader, blocks_of
from zonalbatch.statistics.vocabulary import ALIASES, STATISTICS

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = (REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md")))
WITH_CODE = [page for page in PAGES if any(b.language in RUN for b in blocks_of(page))]


def named(page: Path) -> str:
    """A page as tests name it."""
    return page.relative_to(REPOSITORY).as_posix()


@pytest.mark.long
@pytest.mark.parametrize("page", WITH_CODE, ids=named)
def test_what_a_page_says_works(page: Path, reader_of: Callable[[str], Reader]) -> None:
    """All blocks of a page, one after the other, by one reader."""
    reader = reader_of(page.read_text("utf-8"))
    for block in blocks_of(page):
        if block.language in RUN and not block.reason:
            try:
                reader.read(block)
            except BaseException as error:
                error.add_note(f"{named(page)}, line {block.line}")
                raise
    assert not reader.differences, "\n\n".join(reader.differences)


def test_what_is_not_run() -> None:
    """Few blocks, each with its reason; all others have a language that is run, or is none."""
    excused = Counter[str]()
    for page in PAGES:
        text = page.read_text("utf-8")
        assert not re.search(r"^[ \t]+```", text, re.M), f"{page}: a block that is not seen"
        assert text.count("\n```") % 2 == 0
        for block in blocks_of(page):
            where = f"{named(page)}, line {block.line}"
            assert block.language in (*RUN, "text", "json", ""), where
            assert block.language in RUN or not block.reason, where
            if block.reason:
                assert len(block.reason) > 10, where
                excused[named(page)] += 1
    # What Kubernetes is told wants a cluster; tests/integration/kubernetes tells it one.
    assert excused.pop("docs/kubernetes.md") <= 8, excused
    assert excused.total() <= 12, excused


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages, built; a warning ends it."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=REPOSITORY, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


class Asked(HTMLParser):
    """What a page has a browser fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Scripts, styles, pictures, frames and what they are fetched from."""
        found = dict(attrs)
        if tag in ("script", "img", "iframe", "source", "video", "audio", "embed"):
            self.links += filter(None, [found.get("src"), found.get("srcset")])
        elif tag == "link" and found.get("rel") != "canonical":
            self.links += filter(None, [found.get("href")])
        elif tag == "a":
            self.anchors += filter(None, [found.get("href")])


def pages_in(site: Path) -> Iterator[tuple[Path, Asked]]:
    """Each built page."""
    for page in sorted(site.rglob("*.html")):
        asked = Asked()
        asked.feed(page.read_text("utf-8"))
        yield page, asked


def test_nothing_comes_from_elsewhere(site: Path) -> None:
    """What a page is made of lies beside it, so that it can be read without a network."""
    for page, asked in pages_in(site):
        assert asked.links
        for link in asked.links:
            assert not re.match(r"(\w+:)?//", link), f"{page}: {link}"
            file = link.partition("?")[0]
            beside = site / file[1:] if file.startswith("/") else page.parent / file
            assert beside.exists(), f"{page}: {link}"
        styles = "".join(one.read_text() for one in site.rglob("*.css"))
    assert not re.search(r"(@import|url\()\s*[\"']?(https?:)?//", styles)


@pytest.mark.long
def test_it_is_read_from_a_disk(site: Path) -> None:
    """In a real browser without a server: no request leaves, nothing breaks, a search finds."""
    with browser() as started:
        page = Watched.of(started, site.as_uri())
        for name in ("index.html", "howto/http.html", "reference/python.html"):
            page.page.goto((site / name).as_uri())
        page.page.keyboard.press("f")
        page.page.keyboard.type("inverted_cdf")
        page.page.locator(".md-search-result__item").first.wait_for()
        page.keep("docs-search")
        page.assert_well()


def test_each_public_name_is_told(site: Path) -> None:
    """Of Python, the command line and the vocabulary of statistics."""
    python = (site / "reference/python.html").read_text("utf-8")
    for name in set(zb.__all__) - {"__version__", "errors", "Results"}:
        assert re.search(rf'id="[\w.-]*\b{name}"', python), name
    assert 'id="zonalbatch.results.Results"' in (site / "reference/results.html").read_text()
    assert 'id="zonalbatch.errors.ReadError"' in (site / "reference/errors.html").read_text()
    text = (REPOSITORY / "docs/reference/statistics.md").read_text("utf-8")
    for name in (*STATISTICS, *ALIASES):
        assert f"`{name}`" in text, name


def test_tables_are_of_the_code(site: Path) -> None:
    """Commands with their options, keys of jobs, settings of the service."""
    commands = (site / "reference/commands.html").read_text("utf-8")
    for told in ('id="create-tms"', "--retry-failed", "--quantile-method"):
        assert told in commands, told
    job = (site / "reference/job.html").read_text("utf-8")
    for told in ("requests_in_flight", "max_failures", 'id="datasetsource"', "min_clear"):
        assert told in job, told
    assert "ZONALBATCH_SERVICE_FRESH_SECONDS" in (site / "reference/service.html").read_text()
    comparison = (site / "comparison.html").read_text("utf-8")
    assert "exactextract" in comparison
    assert "Honest" not in comparison
    assert "METHOD" in (site / "architecture.html").read_text("utf-8")


def test_no_comment_is_left(site: Path) -> None:
    """What pages tell the builder and the tests is not told to readers."""
    for page, _ in pages_in(site):
        text = page.read_text("utf-8")
        assert "not run:" not in text, page
        assert "<!-- include" not in text, page
        assert "<!-- made" not in text, page
